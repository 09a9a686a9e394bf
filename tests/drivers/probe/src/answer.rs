//! Bytes to answer with.

use futures::{StreamExt, stream};
use orlop_driver::{
    Body, ByteRange, ByteStream, Content, Error, Host, Link, Request, Response, Result,
    SignedRequest,
};

use crate::{Probe, README, SIGNATURE, order::Order};

/// Bytes in one piece of a counting stream: not a divisor of anything that a buffer is likely to hold.
const PIECE: u64 = 50_021;

/// The name of the one note.
const NOTE: &str = "probe";

/// Bytes of answers that the probe takes in when it fetches.
const FETCH_LIMIT: u64 = 1 << 20;

/// The bytes 0, 1, … 250, 0, … of the range of a file of this size.
pub(crate) fn counting(size: u64, range: Option<ByteRange>) -> ByteStream {
    let (start, end) = ends(size, range);
    let pieces = stream::unfold(start, move |from| async move {
        let to = from.saturating_add(PIECE).min(end);
        let piece: Vec<u8> = (from..to).map(|index| (index % 251) as u8).collect();
        (from < to).then_some((Ok(piece), to))
    });
    ByteStream::new(pieces)
}

/// The first bytes of a file, and then an error.
pub(crate) fn broken(size: u64) -> ByteStream {
    let error = Err(Error::Unavailable(
        "the probe broke its stream off".to_owned(),
    ));
    ByteStream::new(counting(size, None).chain(stream::iter([error])))
}

/// A link that is of no use without a header.
pub(crate) fn signed(url: String) -> Link {
    let (name, value) = SIGNATURE;
    Link::HostOnly(SignedRequest {
        method: "GET".to_owned(),
        url,
        headers: vec![(name.to_owned(), value.to_owned())],
        expires: None,
    })
}

/// The bytes of a range.
pub(crate) fn part(bytes: &[u8], range: Option<ByteRange>) -> &[u8] {
    let (start, end) = ends(bytes.len() as u64, range);
    let index = |position| usize::try_from(position).unwrap_or(usize::MAX);
    bytes.get(index(start)..index(end)).unwrap_or_default()
}

fn ends(size: u64, range: Option<ByteRange>) -> (u64, u64) {
    let Some(range) = range else {
        return (0, size);
    };
    let start = range.offset.min(size);
    let end = range
        .length
        .map_or(size, |length| start.saturating_add(length).min(size));
    (start, end)
}

impl<H: Host> Probe<H> {
    /// How large a file says that it is.
    pub(crate) async fn size(&self, order: &Order) -> Result<u64> {
        Ok(match order {
            Order::Readme => README.len() as u64,
            Order::Stream(size) | Order::Short(size) | Order::Broken(size) => *size,
            Order::Fetch(url) | Order::Pass(url) | Order::Signed(url) => {
                self.fetch(url, &[]).await?.len() as u64
            }
            Order::Noted => self.noted().len() as u64,
            Order::Print(text) | Order::Note(text) => text.len() as u64,
            Order::Escape => crate::break_out::report().len() as u64,
            _ => 1,
        })
    }

    /// Notes a text for the other instances.
    pub(crate) fn note<'t>(&self, text: &'t str) -> &'t str {
        self.host.note(NOTE, text);
        text
    }

    /// What any instance noted last.
    pub(crate) fn noted(&self) -> String {
        self.host.recall(NOTE).unwrap_or_default()
    }

    /// The body that a URL answers with.
    pub(crate) async fn fetch(&self, url: &str, headers: &[(&str, &str)]) -> Result<Vec<u8>> {
        let response = self.host.fetch(get(url, headers), FETCH_LIMIT).await?;
        whole(response)
    }

    /// The same, without a limit of the probe's own.
    pub(crate) async fn flood(&self, url: &str) -> Result<Vec<u8>> {
        whole(self.host.fetch(get(url, &[]), u64::MAX).await?)
    }

    /// The host's own stream of the body that a URL answers with.
    pub(crate) async fn pass(&self, url: &str, range: Option<ByteRange>) -> Result<Content> {
        let range = range.map(|range| match range.length {
            Some(length) => format!("bytes={}-{}", range.offset, range.offset + length - 1),
            None => format!("bytes={}-", range.offset),
        });
        let headers: Vec<(&str, &str)> = range
            .iter()
            .map(|range| ("range", range.as_str()))
            .collect();
        let response = self.host.send(get(url, &headers)).await?;
        match response.status {
            200 | 206 => Ok(Content::Stream(response.body)),
            status => Err(refused(status)),
        }
    }
}

fn get<P>(url: &str, headers: &[(&str, &str)]) -> Request<'static, P> {
    Request {
        method: "GET".to_owned(),
        url: url.to_owned(),
        headers: headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        body: Body::Empty,
    }
}

fn whole(response: Response) -> Result<Vec<u8>> {
    if response.is_success() {
        Ok(response.body)
    } else {
        Err(refused(response.status))
    }
}

fn refused(status: u16) -> Error {
    Error::Unavailable(format!("the address answered with status {status}"))
}
