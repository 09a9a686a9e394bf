//! Faults to inject: what to do instead of, or around, the right answer.

mod gate;
mod matcher;

use std::sync::{Arc, Mutex, PoisonError};

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

pub use self::gate::Gate;
pub use self::matcher::Matcher;
use crate::requests::Request;

/// Something to go wrong with a request.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Fault {
    /// Answer with an S3 error; the request has no effect.
    Error {
        /// The status.
        status: StatusCode,
        /// The error's `Code`.
        code: String,
        /// Further headers.
        headers: HeaderMap,
    },
    /// Answer with status 200 and an `<Error>` document, as CopyObject and
    /// CompleteMultipartUpload may; the request has no effect.
    ErrorInOk {
        /// The error's `Code`.
        code: String,
    },
    /// Reset the connection as soon as the request's head is there; the request has no effect.
    Reset,
    /// Carry the request out, then reset the connection instead of answering.
    LoseAnswer,
    /// Send this many bytes of the answer's body, then close the connection.
    CutBody {
        /// How many bytes; more than the body has changes nothing.
        after: u64,
    },
}

impl Fault {
    /// An S3 error such as 500 `InternalError`.
    pub fn error(status: StatusCode, code: impl Into<String>) -> Self {
        Fault::Error {
            status,
            code: code.into(),
            headers: HeaderMap::new(),
        }
    }

    /// 503 `SlowDown` with `Retry-After: 0`.
    pub fn slow_down() -> Self {
        Fault::error(StatusCode::SERVICE_UNAVAILABLE, "SlowDown")
            .with_header(http::header::RETRY_AFTER, HeaderValue::from_static("0"))
    }

    /// Adds a header to an [`Error`](Fault::Error); other faults stay as they are.
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        if let Fault::Error { headers, .. } = &mut self {
            headers.insert(name, value);
        }
        self
    }

    /// 200 with an `<Error>` document.
    pub fn error_in_ok(code: impl Into<String>) -> Self {
        Fault::ErrorInOk { code: code.into() }
    }
}

/// The faults that wait for requests. Clones share one list.
///
/// Of the faults that match a request only the oldest takes effect; all gates that match hold it.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    rules: Vec<Rule>,
    /// All gates ever made, to release those that hold requests.
    gates: Vec<Gate>,
}

impl Faults {
    /// Injects a fault into the requests that match.
    pub fn inject(&self, matcher: Matcher, fault: Fault) {
        self.add(matcher, Action::Fault(fault));
    }

    /// Holds the requests that match, before they have any effect, until the gate is released.
    pub fn hold(&self, matcher: Matcher) -> Gate {
        let gate = self.gate();
        self.add(matcher, Action::Hold(gate.clone()));
        gate
    }

    /// Carries out the requests that match, and holds their answers until the gate is released.
    pub fn hold_answer(&self, matcher: Matcher) -> Gate {
        let gate = self.gate();
        self.add(matcher, Action::HoldAnswer(gate.clone()));
        gate
    }

    /// Holds the answers to the requests that match, after so many bytes of the body, until the
    /// gate is released.
    pub fn hold_body(&self, matcher: Matcher, after: u64) -> Gate {
        let gate = self.gate();
        self.add(matcher, Action::HoldBody(after, gate.clone()));
        gate
    }

    /// How many faults and gates have not yet met all the requests that they wait for. Those that
    /// apply for ever count.
    pub fn waiting(&self) -> usize {
        self.with(|state| state.rules.len())
    }

    /// Forgets all faults, and releases all gates.
    pub fn clear(&self) {
        for gate in self.with(std::mem::take).gates {
            gate.release();
        }
    }

    /// What is to happen to a request.
    pub(crate) fn meet(&self, request: &Request) -> Plan {
        self.with(|state| {
            let mut plan = Plan::default();
            for rule in &mut state.rules {
                let taken = matches!(rule.action, Action::Fault(_)) && plan.fault.is_some();
                if taken || !rule.matcher.meet(request) {
                    continue;
                }
                match &rule.action {
                    Action::Fault(fault) => plan.fault = Some(fault.clone()),
                    Action::Hold(gate) => plan.gates.push(gate.clone()),
                    Action::HoldAnswer(gate) => plan.answer_gates.push(gate.clone()),
                    Action::HoldBody(after, gate) => {
                        plan.body_gates.push((*after, gate.clone()));
                    }
                }
            }
            state.rules.retain(|rule| !rule.matcher.is_spent());
            plan
        })
    }

    fn add(&self, matcher: Matcher, action: Action) {
        self.with(|state| state.rules.push(Rule { matcher, action }));
    }

    fn gate(&self) -> Gate {
        let gate = Gate::default();
        self.with(|state| state.gates.push(gate.clone()));
        gate
    }

    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What is to happen to one request.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) gates: Vec<Gate>,
    pub(crate) answer_gates: Vec<Gate>,
    pub(crate) body_gates: Vec<(u64, Gate)>,
    pub(crate) fault: Option<Fault>,
}

#[derive(Debug)]
struct Rule {
    matcher: Matcher,
    action: Action,
}

#[derive(Debug)]
enum Action {
    Fault(Fault),
    Hold(Gate),
    HoldAnswer(Gate),
    HoldBody(u64, Gate),
}

#[cfg(test)]
mod tests {
    use http::Method;

    use super::*;

    fn get(target: &str) -> Request {
        Request::new(&Method::GET, &target.parse().unwrap(), &HeaderMap::new())
    }

    #[test]
    fn the_oldest_fault_wins_and_is_spent() {
        let faults = Faults::default();
        faults.inject(Matcher::any().path("b"), Fault::Reset);
        faults.inject(Matcher::any().times(2), Fault::slow_down());
        assert_eq!(faults.waiting(), 2);
        assert!(matches!(
            faults.meet(&get("/a")).fault,
            Some(Fault::Error { .. })
        ));
        assert!(matches!(faults.meet(&get("/b")).fault, Some(Fault::Reset)));
        assert_eq!(
            faults.waiting(),
            1,
            "a fault that did not take effect is not used up"
        );
        assert!(matches!(
            faults.meet(&get("/b")).fault,
            Some(Fault::Error { .. })
        ));
        assert!(faults.meet(&get("/b")).fault.is_none());
    }

    #[test]
    fn gates_do_not_stand_in_for_faults() {
        let faults = Faults::default();
        faults.hold(Matcher::any());
        faults.hold_body(Matcher::any(), 3);
        faults.inject(Matcher::any(), Fault::Reset);
        let plan = faults.meet(&get("/a"));
        assert_eq!((plan.gates.len(), plan.body_gates.len()), (1, 1));
        assert!(plan.fault.is_some());
        assert_eq!(faults.waiting(), 0);
    }
}
