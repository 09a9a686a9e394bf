//! Requests and answers.

use crate::ByteStream;

/// A request for the host to send.
#[derive(Debug)]
pub struct Request<'a, P> {
    /// `GET`, `PUT`, …, upper case.
    pub method: String,
    /// An absolute `http` or `https` URL, sent byte for byte.
    pub url: String,
    /// Headers; the host adds `Host` and `Content-Length` itself.
    pub headers: Vec<(String, String)>,
    /// What to send.
    pub body: Body<'a, P>,
}

/// What a request carries.
#[derive(Debug)]
pub enum Body<'a, P> {
    /// Nothing.
    Empty,
    /// Bytes that the driver made.
    Bytes(Vec<u8>),
    /// A part of an upload: the host sends the bytes, the driver never sees them.
    Part(&'a P),
    /// Bytes that the driver makes as it goes. They cannot be sent again.
    Stream(ByteStream),
}

/// An answer whose body fits in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// The whole body.
    pub body: Vec<u8>,
}

/// An answer whose body streams.
#[derive(Debug)]
pub struct StreamedResponse {
    /// The status code.
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body as it comes; its last item is an error if it broke off.
    pub body: ByteStream,
}

impl Response {
    /// The first value of a header; the name is in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }

    /// Whether the status is 2xx.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

impl StreamedResponse {
    /// The first value of a header; the name is in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }
}

fn find<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers
        .iter()
        .find(|(candidate, _)| candidate == name)
        .map(|(_, value)| value.as_str())
}
