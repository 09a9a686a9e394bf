//! One call of the S3 API, before it is signed and sent.

use std::borrow::Cow;

use orlop_driver::Part;

/// A call.
#[derive(Debug)]
pub(crate) struct Operation<'a, P> {
    /// `GET`, `PUT`, …
    pub(crate) method: &'static str,
    /// The object that it is about; none for the bucket.
    pub(crate) key: Option<&'a str>,
    /// Names and values, not encoded.
    pub(crate) query: Vec<(&'static str, String)>,
    /// Names in lower case.
    pub(crate) headers: Vec<(Cow<'static, str>, String)>,
    /// What it carries.
    pub(crate) payload: Payload<'a, P>,
    /// Whether it may be tried again for longer than a host waits for a call that only looks.
    pub(crate) patient: bool,
}

/// What a call carries.
#[derive(Debug)]
pub(crate) enum Payload<'a, P> {
    /// Nothing.
    Empty,
    /// A document.
    Document(String),
    /// A whole file.
    Whole(&'a P),
    /// A part of one.
    Part(&'a P),
}

impl<'a, P: Part> Operation<'a, P> {
    /// A call about an object that carries nothing yet.
    pub(crate) fn on_object(method: &'static str, key: &'a str) -> Self {
        Self {
            key: Some(key),
            ..Self::on_bucket(method)
        }
    }

    /// A call about the bucket that carries nothing yet.
    pub(crate) fn on_bucket(method: &'static str) -> Self {
        Self {
            method,
            key: None,
            query: Vec::new(),
            headers: Vec::new(),
            payload: Payload::Empty,
            patient: !matches!(method, "GET" | "HEAD"),
        }
    }

    /// Adds to the query.
    pub(crate) fn query(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    /// Adds a header.
    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((Cow::Borrowed(name), value.into()));
        self
    }

    /// Adds headers.
    pub(crate) fn headers(
        mut self,
        headers: impl IntoIterator<Item = (impl Into<Cow<'static, str>>, String)>,
    ) -> Self {
        let headers = headers
            .into_iter()
            .map(|(name, value)| (name.into(), value));
        self.headers.extend(headers);
        self
    }

    /// Sets what it carries.
    pub(crate) fn payload(mut self, payload: Payload<'a, P>) -> Self {
        self.payload = payload;
        self
    }

    /// Keeps it from being tried again for long.
    pub(crate) fn hasty(mut self) -> Self {
        self.patient = false;
        self
    }

    /// The call in a few words, for messages. It names an object by its last segment: what comes before may
    /// be a folder that clients are not to know.
    pub(crate) fn summary(&self) -> String {
        match self.key {
            Some(key) => {
                let key = key.strip_suffix('/').unwrap_or(key);
                let name = key.rsplit('/').next().unwrap_or_default();
                format!("{} `{}`", self.method, name.escape_debug())
            }
            None => format!("{} the bucket", self.method),
        }
    }
}
