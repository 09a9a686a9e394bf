//! Sending parts of a file through the host, by links that the driver signs.

use std::time::Duration;

use http::{HeaderMap, header};

use crate::{
    FaultKind, Outcome, Path, Result, SignedRequest,
    network::{self, Outgoing},
    part::Part,
    sandbox::Pool,
};

/// How often a part is sent before the upload is left as it is.
const TRIES: u32 = 4;
/// How long to wait before the second try; twice as long before each one after it.
const PAUSE: Duration = Duration::from_millis(250);
/// The longest wait that a storage may ask for: the client would take more for a broken connection.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Sends one part of an upload in parts, and tells the entity tag that the storage gives it.
///
/// # Errors
/// [`Outcome::NotFound`] if the storage does not know the upload any more, among others.
pub(crate) async fn send(
    pool: &Pool,
    path: &Path,
    token: &str,
    number: u32,
    part: &Part,
) -> Result<String> {
    let mut pause = PAUSE;
    let mut tries = 1;
    loop {
        // Signed for each try: the last one may have taken longer than its link is good.
        let signed = pool.link_parts(path, token.to_owned(), number, 1).await?;
        let Ok([request]) = <[SignedRequest; 1]>::try_from(signed) else {
            let reason = "another number of links than asked for".to_owned();
            return Err(pool.bad_answer(FaultKind::BadAnswer(reason)));
        };
        match perform(pool, request, part).await {
            Err(outcome) if outcome.is_retryable() && tries < TRIES => {
                tracing::debug!(part = number, %outcome, "a part is sent again");
                let wait = match outcome {
                    Outcome::RateLimited(Some(wait)) => wait,
                    _ => pause,
                };
                tokio::time::sleep(wait.min(LONGEST_PAUSE)).await;
                pause *= 2;
                tries += 1;
            }
            result => return Ok(result?),
        }
    }
}

async fn perform(pool: &Pool, request: SignedRequest, part: &Part) -> Result<String, Outcome> {
    let outgoing = Outgoing {
        method: request.method,
        url: request.url,
        headers: request.headers,
        body: reqwest::Body::wrap(part.body()),
        length: Some(part.size()),
        activity: part.activity.clone(),
        attempt: 0,
    };
    let answer = pool.network().perform(outgoing).await?;
    if !(200..300).contains(&answer.status) {
        return Err(refusal(answer.status, &answer.headers));
    }
    let etag = text(&answer.headers, header::ETAG);
    etag.map(str::to_owned).ok_or_else(|| {
        Outcome::Unavailable("the storage took a part and gave no entity tag for it".to_owned())
    })
}

/// What a storage means by not taking a part.
fn refusal(status: u16, headers: &HeaderMap) -> Outcome {
    match status {
        507 => Outcome::QuotaExceeded("the storage has no room left".to_owned()),
        status => network::refusal(status, headers, "take a part"),
    }
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_tried_again() {
        let none = HeaderMap::new();
        for (status, is_retryable) in [
            (400, true),
            (401, false),
            (403, false),
            (404, false),
            (408, true),
            (500, true),
            (503, true),
            (507, false),
        ] {
            assert_eq!(
                refusal(status, &none).is_retryable(),
                is_retryable,
                "{status}"
            );
        }
        let asks = [(header::RETRY_AFTER, "9".parse().unwrap())];
        let wait = Some(Duration::from_secs(9));
        assert_eq!(
            refusal(503, &asks.into_iter().collect()),
            Outcome::RateLimited(wait)
        );
    }
}
