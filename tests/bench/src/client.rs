//! An HTTP client that costs next to nothing: it sends one request, and throws the answer's body away.

use std::net::SocketAddr;

use anyhow::{Context, Result, bail, ensure};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::pace::Pace;

/// Bytes that are read or written at once.
pub(crate) const BLOCK: usize = 256 << 10;
/// Longer heads are not expected.
const HEAD: usize = 16 << 10;

/// What a body in chunks ends with.
const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

/// A URL taken apart.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    address: SocketAddr,
    authority: String,
    /// With the query.
    path: String,
}

/// The head of an answer.
#[derive(Debug)]
pub(crate) struct Head {
    text: String,
}

impl Target {
    /// Takes apart an http URL whose host is an address.
    pub(crate) fn parse(url: &str) -> Result<Self> {
        let rest = url.strip_prefix("http://").context("not an http URL")?;
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        Ok(Self {
            address: authority
                .parse()
                .context("the URL's host is no address with a port")?,
            authority: authority.to_owned(),
            path: format!("/{path}"),
        })
    }

    /// The text of a request without a body.
    pub(crate) fn request(&self, method: &str, headers: &str) -> String {
        let Self {
            authority, path, ..
        } = self;
        format!("{method} {path} HTTP/1.1\r\nhost: {authority}\r\n{headers}\r\n")
    }

    /// A connection to the host.
    pub(crate) async fn connect(&self) -> Result<TcpStream> {
        let stream = TcpStream::connect(self.address)
            .await
            .with_context(|| format!("cannot connect to {}", self.address))?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    /// Gets a resource, and returns its size.
    pub(crate) async fn get(&self, mut pace: Pace) -> Result<u64> {
        let mut stream = self.connect().await?;
        let request = self.request("GET", "accept: application/json, */*\r\n");
        stream.write_all(request.as_bytes()).await?;
        let (head, read) = Head::read(&mut stream).await?;
        head.expect(200)?;
        let size: u64 = head.length()?;
        let mut block = vec![0; BLOCK];
        let mut received = read as u64;
        while received < size {
            let read = stream.read(&mut block).await?;
            ensure!(
                read > 0,
                "the answer broke off after {received} of {size} bytes"
            );
            received += read as u64;
            pace.pass(read).await;
        }
        Ok(size)
    }

    /// Puts a resource of zeros.
    pub(crate) async fn put(&self, size: u64, mut pace: Pace) -> Result<()> {
        let mut stream = self.connect().await?;
        let request = self.request("PUT", &format!("content-length: {size}\r\n"));
        stream.write_all(request.as_bytes()).await?;
        let block = vec![0; BLOCK];
        let mut left = size;
        while left > 0 {
            let bytes = usize::try_from(left).unwrap_or(BLOCK).min(BLOCK);
            stream
                .write_all(block.get(..bytes).unwrap_or(&block))
                .await?;
            left -= bytes as u64;
            pace.pass(bytes).await;
        }
        let (head, _) = Head::read(&mut stream).await?;
        match head.status()? {
            200..300 => Ok(()),
            status => bail!("the upload was answered with {status}"),
        }
    }

    /// Has a folder told with its members over WebDAV, and returns how many bytes that took.
    pub(crate) async fn propfind(&self) -> Result<u64> {
        let mut stream = self.connect().await?;
        let request = self.request("PROPFIND", "depth: 1\r\nconnection: close\r\n");
        stream.write_all(request.as_bytes()).await?;
        let (head, read) = Head::read(&mut stream).await?;
        head.expect(207)?;
        let mut block = vec![0; BLOCK];
        let mut received = read as u64;
        let mut end = Vec::new();
        loop {
            let read = stream.read(&mut block).await?;
            if read == 0 {
                break;
            }
            received += read as u64;
            end.extend_from_slice(block.get(..read).unwrap_or_default());
            end.drain(..end.len().saturating_sub(LAST_CHUNK.len()));
        }
        ensure!(end == LAST_CHUNK, "the answer broke off");
        Ok(received)
    }

    /// Asks for a resource, and returns the head of the answer.
    pub(crate) async fn head_of_get(&self) -> Result<Head> {
        let mut stream = self.connect().await?;
        stream.write_all(self.request("GET", "").as_bytes()).await?;
        Ok(Head::read(&mut stream).await?.0)
    }
}

impl Head {
    /// Reads an answer's head, and tells how much of the body came along.
    async fn read(stream: &mut TcpStream) -> Result<(Self, usize)> {
        let mut bytes = Vec::with_capacity(HEAD);
        loop {
            let read = stream.read_buf(&mut bytes).await?;
            ensure!(read > 0, "the connection ended before the answer");
            if let Some(end) = end_of_head(&bytes) {
                let body = bytes.len() - end;
                bytes.truncate(end);
                let text = String::from_utf8(bytes).context("the answer's head is not text")?;
                return Ok((Self { text }, body));
            }
            ensure!(bytes.len() < HEAD, "the answer's head is too long");
        }
    }

    /// The status code.
    pub(crate) fn status(&self) -> Result<u16> {
        let status = self
            .text
            .split(' ')
            .nth(1)
            .context("the answer has no status")?;
        status.parse().context("the answer's status is no number")
    }

    /// The value of a header; the name is in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.text.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// Fails unless the status is this one.
    pub(crate) fn expect(&self, expected: u16) -> Result<()> {
        let status = self.status()?;
        ensure!(
            status == expected,
            "the answer was {status} instead of {expected}"
        );
        Ok(())
    }

    fn length(&self) -> Result<u64> {
        let length = self
            .header("content-length")
            .context("the answer has no length")?;
        length.parse().context("the answer's length is no number")
    }
}

/// How long the head at the beginning of these bytes is, with its empty line, if it is complete.
pub(crate) fn end_of_head(bytes: &[u8]) -> Option<usize> {
    const END: &[u8] = b"\r\n\r\n";
    let start = bytes.windows(END.len()).position(|window| window == END)?;
    Some(start + END.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_urls_apart() {
        let target = Target::parse("http://127.0.0.1:80/a/b?c=d").unwrap();
        assert_eq!(
            target.request("GET", ""),
            "GET /a/b?c=d HTTP/1.1\r\nhost: 127.0.0.1:80\r\n\r\n"
        );
        assert!(
            Target::parse("http://127.0.0.1:80")
                .unwrap()
                .request("GET", "")
                .starts_with("GET / ")
        );
        assert!(Target::parse("https://127.0.0.1:80/").is_err());
        assert!(Target::parse("http://example.com/").is_err());
    }

    #[test]
    fn reads_heads() {
        let text = "HTTP/1.1 302 Found\r\nContent-Length: 7\r\nlocation: http://a:1/\r\n\r\n";
        let head = Head {
            text: text.to_owned(),
        };
        assert_eq!(head.status().unwrap(), 302);
        assert_eq!(head.length().unwrap(), 7);
        assert_eq!(head.header("location"), Some("http://a:1/"));
        assert!(head.expect(200).is_err());
        assert_eq!(end_of_head(text.as_bytes()), Some(text.len()));
        assert_eq!(end_of_head(b"HTTP/1.1 200 OK\r\n"), None);
    }

    #[tokio::test]
    async fn moves_bytes() {
        let server = orlop_test_s3::Server::start(orlop_test_s3::Options {
            buckets: vec!["bucket".into()],
            ..Default::default()
        })
        .await
        .unwrap();
        let target = Target::parse(&format!("{}/bucket/key", server.endpoint())).unwrap();
        target
            .put(BLOCK as u64 * 3 + 7, Pace::UNLIMITED)
            .await
            .unwrap();
        assert_eq!(
            target.get(Pace::UNLIMITED).await.unwrap(),
            BLOCK as u64 * 3 + 7
        );
        let missing = Target::parse(&format!("{}/bucket/missing", server.endpoint())).unwrap();
        assert!(missing.get(Pace::UNLIMITED).await.is_err());
    }
}
