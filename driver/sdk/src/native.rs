//! A host that runs in the same process, over reqwest: for tests of a driver, and as the baseline that
//! the sandbox is held against. It grants every address.

mod body;
mod part;
mod upload;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures::StreamExt;
use reqwest::{
    Client, Method, Url,
    header::{CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue},
    redirect::Policy,
};

pub use self::{part::NativePart, upload::NativeUpload};
use crate::{Body, ByteStream, Error, Host, Request, Response, Result, StreamedResponse};

/// A host over one pool of connections; cloning shares it, and what was noted. It needs a tokio runtime.
#[derive(Clone, Debug)]
pub struct NativeHost {
    client: Client,
    notes: Arc<Mutex<HashMap<String, String>>>,
}

impl NativeHost {
    /// A host that follows no redirects and heeds no proxy variables. If the process has no provider of
    /// cryptography for TLS yet, it gets `ring`.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the system has no certificates that TLS could trust.
    pub fn new() -> Result<Self> {
        // A provider that is there already is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .tcp_nodelay(true)
            .build()
            .map_err(|error| Error::Unavailable(format!("cannot make an HTTP client: {error}")))?;
        Ok(Self {
            client,
            notes: Arc::default(),
        })
    }

    async fn execute(&self, request: Request<'_, NativePart>) -> Result<reqwest::Response> {
        let method = Method::from_bytes(request.method.as_bytes())
            .map_err(|_| Error::InvalidArgument(format!("`{}` is no method", request.method)))?;
        let url = parse(&request.url)?;
        let mut headers = HeaderMap::with_capacity(request.headers.len() + 1);
        for (name, value) in request.headers {
            let header = HeaderName::from_bytes(name.as_bytes())
                .ok()
                .zip(HeaderValue::from_bytes(value.as_bytes()).ok());
            let Some((header, value)) = header else {
                return Err(Error::InvalidArgument(format!(
                    "the header `{name}` cannot be sent"
                )));
            };
            headers.append(header, value);
        }
        let mut sent = reqwest::Request::new(method, url);
        *sent.body_mut() = match request.body {
            Body::Empty => {
                if matches!(request.method.as_str(), "PUT" | "POST" | "PATCH") {
                    headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
                }
                None
            }
            Body::Bytes(bytes) => Some(bytes.into()),
            Body::Part(part) => {
                headers.insert(CONTENT_LENGTH, part.len().into());
                Some(part.body())
            }
            Body::Stream(stream) => Some(body::of_stream(stream)),
        };
        *sent.headers_mut() = headers;
        self.client
            .execute(sent)
            .await
            .map_err(|error| failure(&error))
    }
}

impl Host for NativeHost {
    type Part = NativePart;
    type Upload = NativeUpload;

    async fn fetch(&self, request: Request<'_, NativePart>, max_bytes: u64) -> Result<Response> {
        let bodiless = request.method == "HEAD";
        let mut response = self.execute(request).await?;
        let length = response.content_length().filter(|_| !bodiless).unwrap_or(0);
        if length > max_bytes {
            return Err(Error::TooLarge(max_bytes));
        }
        let mut body = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
        while let Some(piece) = response.chunk().await.map_err(|error| failure(&error))? {
            if (body.len() + piece.len()) as u64 > max_bytes {
                return Err(Error::TooLarge(max_bytes));
            }
            body.extend_from_slice(&piece);
        }
        Ok(Response {
            status: response.status().as_u16(),
            headers: names_and_values(response.headers()),
            body,
        })
    }

    async fn send(&self, request: Request<'_, NativePart>) -> Result<StreamedResponse> {
        let response = self.execute(request).await?;
        Ok(StreamedResponse {
            status: response.status().as_u16(),
            headers: names_and_values(response.headers()),
            body: ByteStream::new(response.bytes_stream().map(|piece| match piece {
                Ok(piece) => Ok(piece.into()),
                Err(error) => Err(failure(&error)),
            })),
        })
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }

    fn recall(&self, name: &str) -> Option<String> {
        self.notes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(name)
            .cloned()
    }

    fn note(&self, name: &str, text: &str) {
        self.notes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(name.to_owned(), text.to_owned());
    }
}

/// Takes a URL only if it will be sent as it stands: the library would resolve `.` and `..`, and the
/// signature would no longer fit.
fn parse(text: &str) -> Result<Url> {
    let wrong = |why: &str| Err(Error::InvalidArgument(format!("the URL {why}")));
    let Ok(url) = Url::parse(text) else {
        return wrong("is none");
    };
    let written = text.split_once("://").map_or("", |(_, rest)| rest);
    let path = written.find('/').and_then(|slash| written.get(slash..));
    let kept = match (path, url.query()) {
        (Some(path), Some(query)) => path == format!("{}?{query}", url.path()),
        (Some(path), None) => path == url.path(),
        (None, _) => url.path() == "/",
    };
    if kept {
        Ok(url)
    } else {
        wrong("has a path that this host cannot send as it stands")
    }
}

fn names_and_values(headers: &HeaderMap) -> Vec<(String, String)> {
    headers
        .iter()
        .map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (name.as_str().to_owned(), value)
        })
        .collect()
}

/// Says what happened, without the URL, which may be signed.
fn failure(error: &reqwest::Error) -> Error {
    if error.is_timeout() {
        return Error::TimedOut;
    }
    let mut text = match (error.is_connect(), error.is_request()) {
        (true, _) => "cannot connect to the service".to_owned(),
        (false, true) => "the request could not be sent".to_owned(),
        (false, false) => "the answer broke off".to_owned(),
    };
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    Error::Unavailable(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_urls_that_stay_as_they_are_are_sent() {
        for url in [
            "http://127.0.0.1:9000",
            "http://127.0.0.1:9000/a%20b//c%2B?x=%2F&y",
            "https://h/a/...",
        ] {
            assert!(parse(url).is_ok(), "{url}");
        }
        for url in [
            "http://h/a/../b",
            "http://h/.",
            "http://h/%2e%2e/a",
            "http://h/a b",
            "/a",
            "",
        ] {
            assert!(parse(url).is_err(), "{url}");
        }
    }
}
