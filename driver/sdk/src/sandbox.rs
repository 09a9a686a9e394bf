//! The host as a driver meets it inside the sandbox.

use std::time::Duration;

use crate::{
    Body, ByteStream, DigestAlgorithm, Error, Host, Part, Request, Response, Result,
    StreamedResponse, Upload,
    bindings::{
        orlop::driver::{http, notes, types, uploads},
        wasi::clocks::monotonic_clock,
        wit_future, wit_stream,
    },
    stream::Handles,
};

/// The host outside the sandbox, reached through the contract's imports.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sandbox;

impl Host for Sandbox {
    type Part = uploads::Part;
    type Upload = uploads::Upload;

    async fn fetch(&self, request: Request<'_, uploads::Part>, max_bytes: u64) -> Result<Response> {
        let response = http::fetch(lower(request), max_bytes).await?;
        Ok(Response {
            status: response.status,
            headers: response.headers,
            body: response.body,
        })
    }

    async fn send(&self, request: Request<'_, uploads::Part>) -> Result<StreamedResponse> {
        let response = http::send(lower(request)).await?;
        Ok(StreamedResponse {
            status: response.status,
            headers: response.headers,
            body: ByteStream::lent((response.body, response.trailing)),
        })
    }

    async fn sleep(&self, duration: Duration) {
        let nanoseconds = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        monotonic_clock::wait_for(nanoseconds).await;
    }

    fn recall(&self, name: &str) -> Option<String> {
        notes::recall(name)
    }

    fn note(&self, name: &str, text: &str) {
        notes::note(name, text);
    }
}

impl Upload for uploads::Upload {
    type Part = uploads::Part;

    fn size(&self) -> Option<u64> {
        uploads::Upload::size(self)
    }

    fn content_type(&self) -> Option<String> {
        uploads::Upload::content_type(self)
    }

    async fn next(&self, max: u64) -> Result<Option<uploads::Part>> {
        Ok(uploads::Upload::next(self, max).await?)
    }
}

impl Part for uploads::Part {
    fn size(&self) -> u64 {
        uploads::Part::size(self)
    }

    async fn digest(&self, algorithm: DigestAlgorithm) -> Result<Vec<u8>> {
        let algorithm = match algorithm {
            DigestAlgorithm::Md5 => uploads::DigestAlgorithm::Md5,
            DigestAlgorithm::Sha256 => uploads::DigestAlgorithm::Sha256,
        };
        Ok(uploads::Part::digest(self, algorithm).await?)
    }

    async fn read(&self, offset: u64, len: u64) -> Result<Vec<u8>> {
        Ok(uploads::Part::read(self, offset, len).await?)
    }
}

fn lower(request: Request<'_, uploads::Part>) -> http::Request<'_> {
    http::Request {
        method: request.method,
        url: request.url,
        headers: request.headers,
        body: match request.body {
            Body::Empty => http::Body::Empty,
            Body::Bytes(bytes) => http::Body::Bytes(bytes),
            Body::Part(part) => http::Body::Part(part),
            Body::Stream(stream) => {
                http::Body::Stream(lower_stream(stream, wit_stream::new, wit_future::new).0)
            }
        },
    }
}

/// The result that follows a stream: whether it was whole.
type Whole = Result<(), types::Error>;

/// Turns a stream into handles for the host: its own ones if it lent them, else new ones that a task
/// of its own feeds. `new_stream` and `new_future` come from the generated code of the calling world.
#[doc(hidden)]
pub fn lower_stream(
    stream: ByteStream,
    new_stream: impl FnOnce() -> (wit_bindgen::StreamWriter<u8>, wit_bindgen::StreamReader<u8>),
    new_future: impl FnOnce(
        fn() -> Whole,
    ) -> (
        wit_bindgen::FutureWriter<Whole>,
        wit_bindgen::FutureReader<Whole>,
    ),
) -> Handles {
    use futures::StreamExt;

    let mut pieces = match stream.into_handles() {
        Ok(handles) => return handles,
        Err(pieces) => pieces,
    };
    let (mut body, body_reader) = new_stream();
    let (trailing, trailing_reader) =
        new_future(|| Err(Error::Other("the stream was dropped half way".into()).into()));
    wit_bindgen::spawn_local(async move {
        let mut whole = Ok(());
        while let Some(piece) = pieces.next().await {
            match piece {
                Ok(piece) => {
                    // What comes back is what nobody will read any more.
                    if !body.write_all(piece).await.is_empty() {
                        return;
                    }
                }
                Err(error) => {
                    whole = Err(error.into());
                    break;
                }
            }
        }
        drop(body);
        // A reader that has gone away does not care how the stream ended.
        let _ = trailing.write(whole).await;
    });
    (body_reader, trailing_reader)
}
