//! A read-only driver without a service behind it: the path of what is read says what it does.
//!
//! | file | what reading it does |
//! |---|---|
//! | `readme.txt`, `notes/deep/est.txt` | gives [`README`] |
//! | `stream/N` | streams N bytes, byte i being i mod 251, in pieces |
//! | `short/N` | says that it has N bytes, streams half of them, and ends as if that were all |
//! | `broken/N` | the same, but ends with an error |
//! | `fetch/URL` | fetches the percent-encoded URL and streams its body in pieces of its own |
//! | `pass/URL` | gives the host's own stream of the URL's body back untouched |
//! | `signed/URL` | gives a link to the URL that is good only with the header [`SIGNATURE`] |
//! | `host/URL`, `proxy/URL` | as `fetch`, but tries to set `Host`, or `Proxy-Authorization` |
//! | `flood/URL` | asks for the whole body at once, of whatever size |
//! | `trap`, `spin`, `grow`, `sleep` | breaks; computes for ever; eats memory; never answers |
//! | `note/TEXT` | notes the text for the other instances, and gives it |
//! | `noted` | gives what any instance noted last |
//! | `print/TEXT` | prints the text and the token to standard output and error |
//! | `token` | answers with an error that holds nothing of the token |
//! | `escape` | tells what came of using files, variables, arguments and sockets |
//!
//! The folders `bad-name/N` list an entry whose name the contract forbids; `numbers` lists 2,500 files in
//! pages; `trap-list` breaks when it is listed.

mod answer;
mod break_out;
mod config;
mod listing;
mod misbehave;
mod order;

use futures::stream;
use orlop_driver::{
    ByteStream, Content, Descriptor, Entry, Error, Host, Kind, Page, Path, ReadOptions, Result,
    Storage,
};

use self::{config::Config, order::Order};

/// The header that a link to `signed/URL` needs, and its value.
pub const SIGNATURE: (&str, &str) = ("x-probe-signature", "MARKER-of-a-signature");

/// What `readme.txt` holds.
pub const README: &str = "The probe has no service behind it.\n";

/// The driver.
#[derive(Debug)]
pub struct Probe<H> {
    host: H,
    config: Config,
}

impl<H: Host> Storage for Probe<H> {
    type Host = H;

    fn describe() -> Descriptor {
        config::descriptor()
    }

    fn open(host: H, config: &str) -> Result<Self> {
        let config = orlop_driver::parse_config(config)?;
        Ok(Self { host, config })
    }

    async fn stat(&self, path: &Path, want: Option<Kind>) -> Result<Entry> {
        if want != Some(Kind::Directory)
            && let Some(order) = Order::parse(path)
        {
            let size = self.size(&order).await?;
            let mut entry = Entry::file(path.name(), size);
            entry.etag = Some(format!("\"{size}\""));
            return Ok(entry);
        }
        match (listing::is_directory(path), want) {
            (true, Some(Kind::File)) => Err(Error::IsADirectory),
            (true, _) => Ok(Entry::directory(path.name())),
            (false, _) => Err(Error::NotFound),
        }
    }

    async fn list(&self, directory: &Path, cursor: Option<&str>, limit: u32) -> Result<Page> {
        listing::page(directory, cursor, limit)
    }

    async fn read(&self, path: &Path, options: &ReadOptions) -> Result<Content> {
        let order = Order::parse(path).ok_or(Error::NotFound)?;
        let bytes = match order {
            Order::Readme => README.as_bytes().to_vec(),
            Order::Stream(size) => {
                return Ok(Content::Stream(answer::counting(size, options.range)));
            }
            Order::Short(size) => {
                return Ok(Content::Stream(answer::counting(size / 2, options.range)));
            }
            Order::Broken(size) => return Ok(Content::Stream(answer::broken(size / 2))),
            Order::Fetch(url) => self.fetch(&url, &[]).await?,
            Order::Signed(url) => return Ok(Content::Link(answer::signed(url))),
            Order::Host(url) => self.fetch(&url, &[("host", "elsewhere.example")]).await?,
            Order::Proxy(url) => {
                self.fetch(&url, &[("proxy-authorization", "Basic eA==")])
                    .await?
            }
            Order::Flood(url) => self.flood(&url).await?,
            Order::Pass(url) => return self.pass(&url, options.range).await,
            Order::Trap => misbehave::trap(),
            Order::Spin => misbehave::spin(),
            Order::Grow => misbehave::grow(),
            Order::Sleep => return self.sleep().await,
            Order::Print(text) => self.print(&text),
            Order::Note(text) => self.note(&text).into(),
            Order::Noted => self.noted().into(),
            Order::Token => return Err(self.token_error()),
            Order::Escape => break_out::report().into_bytes(),
        };
        let part = answer::part(&bytes, options.range);
        let pieces: Vec<Result<Vec<u8>>> =
            part.chunks(1000).map(|piece| Ok(piece.to_vec())).collect();
        Ok(Content::Stream(ByteStream::new(stream::iter(pieces))))
    }
}

#[cfg(target_family = "wasm")]
orlop_driver::export!(Probe<orlop_driver::Sandbox>: Storage);
