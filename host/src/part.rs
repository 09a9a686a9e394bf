//! Uploads and their parts: bytes on their way in.

mod budget;
mod buffer;

use std::{
    collections::VecDeque,
    fmt,
    os::unix::fs::FileExt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use futures::{Stream, StreamExt};
use md5::{Digest, Md5};
use sha2::Sha256;
use tokio::sync::{OnceCell, OwnedSemaphorePermit};

pub(crate) use self::{budget::PartBudget, buffer::PartBuffer};
use crate::{BoxError, Outcome, activity::Activity};

/// The content of one file that a client sends.
pub struct Upload {
    pub(crate) stream: UploadStream,
    pub(crate) size: Option<u64>,
    pub(crate) content_type: Option<String>,
}

pub(crate) type UploadStream = Pin<Box<dyn Stream<Item = Result<Bytes, BoxError>> + Send>>;

impl Upload {
    /// An upload from a stream of bytes, with its size if that is known. A stream that turns out shorter or
    /// longer fails the write, and nothing of it becomes visible.
    pub fn new(
        stream: impl Stream<Item = Result<Bytes, BoxError>> + Send + 'static,
        size: Option<u64>,
    ) -> Self {
        Self {
            stream: Box::pin(stream),
            size,
            content_type: None,
        }
    }

    /// An upload of bytes that are there already.
    pub fn from_bytes(bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        let size = bytes.len() as u64;
        let frames = (!bytes.is_empty()).then_some(Ok(bytes));
        Self::new(futures::stream::iter(frames), Some(size))
    }

    /// Sets the media type to keep with the file.
    #[must_use]
    pub fn with_content_type(mut self, content_type: impl Into<String>) -> Self {
        self.content_type = Some(content_type.into());
        self
    }
}

impl fmt::Debug for Upload {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Upload")
            .field("size", &self.size)
            .field("content_type", &self.content_type)
            .finish_non_exhaustive()
    }
}

/// Cuts an upload into parts.
pub(crate) struct Cutter {
    stream: UploadStream,
    size: Option<u64>,
    received: u64,
    /// What came beyond the end of the last part.
    rest: Bytes,
    ended: bool,
    budget: PartBudget,
    activity: Activity,
}

impl Cutter {
    pub(crate) fn new(upload: Upload, budget: PartBudget, activity: Activity) -> Self {
        Self {
            stream: upload.stream,
            size: upload.size,
            received: 0,
            rest: Bytes::new(),
            ended: false,
            budget,
            activity,
        }
    }

    /// The next `max` bytes, or fewer at the end; none after the last.
    pub(crate) async fn next(&mut self, max: u64) -> Result<Option<Part>, Outcome> {
        let mut buffer = PartBuffer::new(self.budget.clone());
        while buffer.size() < max {
            let mut frame = std::mem::take(&mut self.rest);
            if frame.is_empty() {
                match self.receive().await? {
                    Some(received) => frame = received,
                    None => break,
                }
            }
            let room = usize::try_from(max - buffer.size()).unwrap_or(usize::MAX);
            if frame.len() > room {
                self.rest = frame.split_off(room);
            }
            buffer.push(frame).await?;
        }
        if buffer.size() == 0 {
            return Ok(None);
        }
        Ok(Some(buffer.finish(self.activity.clone()).await?))
    }

    async fn receive(&mut self) -> Result<Option<Bytes>, Outcome> {
        if self.ended {
            return Ok(None);
        }
        match self.stream.next().await {
            Some(Ok(frame)) => {
                self.activity.touch();
                self.received += frame.len() as u64;
                match self.size {
                    Some(size) if self.received > size => Err(Outcome::InvalidArgument(format!(
                        "the upload is longer than the {size} bytes that were announced"
                    ))),
                    _ => Ok(Some(frame)),
                }
            }
            // Whoever makes the stream may know better than that it broke off. If not, it is not `Unavailable`: the
            // storage is not to blame.
            Some(Err(error)) => Err(error.downcast::<Outcome>().map_or_else(
                |_| Outcome::Other("the upload broke off before its end".to_owned()),
                |outcome| *outcome,
            )),
            None => {
                self.ended = true;
                match self.size {
                    Some(size) if self.received < size => Err(Outcome::Other(format!(
                        "the upload ended after {} of {size} bytes",
                        self.received
                    ))),
                    _ => Ok(None),
                }
            }
        }
    }
}

/// Some bytes of an upload. Clones share them.
#[derive(Clone)]
#[expect(unreachable_pub, reason = "the generated bindings re-export it")]
pub struct Part {
    content: Arc<PartContent>,
    pub(crate) activity: Activity,
}

struct PartContent {
    size: u64,
    place: Place,
    md5: OnceCell<Vec<u8>>,
    sha256: OnceCell<Vec<u8>>,
}

/// Where a part's bytes are.
pub(crate) enum Place {
    Memory {
        frames: Vec<Bytes>,
        /// The budget that the frames use up; none while a test makes parts by hand.
        _permit: Option<OwnedSemaphorePermit>,
    },
    /// A file that has no name any more.
    File(std::fs::File),
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Algorithm {
    Md5,
    Sha256,
}

/// Bytes read back from a file at a time.
const FILE_READ: u64 = 256 * 1024;

impl Part {
    pub(crate) fn new(size: u64, place: Place, activity: Activity) -> Self {
        let content = Arc::new(PartContent {
            size,
            place,
            md5: OnceCell::new(),
            sha256: OnceCell::new(),
        });
        Self { content, activity }
    }

    pub(crate) fn size(&self) -> u64 {
        self.content.size
    }

    /// A digest over the bytes, computed once, off the runtime's own threads.
    pub(crate) async fn digest(&self, algorithm: Algorithm) -> Result<Vec<u8>, Outcome> {
        let cell = match algorithm {
            Algorithm::Md5 => &self.content.md5,
            Algorithm::Sha256 => &self.content.sha256,
        };
        let digest = cell
            .get_or_try_init(|| {
                let content = Arc::clone(&self.content);
                off_thread(move || match algorithm {
                    Algorithm::Md5 => hash::<Md5>(&content),
                    Algorithm::Sha256 => hash::<Sha256>(&content),
                })
            })
            .await?;
        self.activity.touch();
        Ok(digest.clone())
    }

    /// Up to `len` bytes from `offset`; fewer at the end.
    pub(crate) async fn read(&self, offset: u64, len: u64) -> Result<Bytes, Outcome> {
        let len = len.min(self.content.size.saturating_sub(offset));
        let content = Arc::clone(&self.content);
        self.activity.touch();
        match &self.content.place {
            Place::Memory { .. } => Ok(content.copy(offset, len)),
            Place::File(_) => off_thread(move || content.read_file(offset, len)).await,
        }
    }

    /// The bytes as the body of a request; it can be made again and again.
    pub(crate) fn body(&self) -> PartBody {
        let frames = match &self.content.place {
            Place::Memory { frames, .. } => frames.iter().cloned().collect(),
            Place::File(_) => VecDeque::new(),
        };
        PartBody {
            part: self.clone(),
            frames,
            sent: 0,
            reading: None,
        }
    }
}

impl fmt::Debug for Part {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Part")
            .field("size", &self.content.size)
            .finish_non_exhaustive()
    }
}

impl PartContent {
    fn copy(&self, offset: u64, len: u64) -> Bytes {
        let Place::Memory { frames, .. } = &self.place else {
            return Bytes::new();
        };
        let mut skip = usize::try_from(offset).unwrap_or(usize::MAX);
        let mut rest = usize::try_from(len).unwrap_or(usize::MAX);
        let mut copy = Vec::with_capacity(rest);
        for frame in frames {
            let (_, tail) = frame.split_at(skip.min(frame.len()));
            let (taken, _) = tail.split_at(rest.min(tail.len()));
            copy.extend_from_slice(taken);
            skip = skip.saturating_sub(frame.len());
            rest -= taken.len();
        }
        copy.into()
    }

    fn read_file(&self, offset: u64, len: u64) -> Result<Bytes, Outcome> {
        let Place::File(file) = &self.place else {
            return Ok(Bytes::new());
        };
        let mut bytes = vec![0; usize::try_from(len).unwrap_or(0)];
        file.read_exact_at(&mut bytes, offset).map_err(lost_part)?;
        Ok(bytes.into())
    }
}

fn hash<D: Digest>(content: &PartContent) -> Result<Vec<u8>, Outcome> {
    let mut digest = D::new();
    match &content.place {
        Place::Memory { frames, .. } => frames.iter().for_each(|frame| digest.update(frame)),
        Place::File(_) => {
            let mut offset = 0;
            while offset < content.size {
                let bytes = content.read_file(offset, FILE_READ.min(content.size - offset))?;
                digest.update(&bytes);
                offset += bytes.len() as u64;
            }
        }
    }
    Ok(digest.finalize().to_vec())
}

fn lost_part(error: std::io::Error) -> Outcome {
    Outcome::Unavailable(format!(
        "the host cannot read an upload's part back: {error}"
    ))
}

/// Runs blocking work on a thread that may block.
async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Outcome> + Send + 'static,
) -> Result<T, Outcome> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| {
            Err(Outcome::Unavailable(format!(
                "the host stopped working: {error}"
            )))
        })
}

type FileRead = Pin<Box<dyn Future<Output = Result<Bytes, Outcome>> + Send + Sync>>;

/// A part as the body of a request, with its length known.
pub(crate) struct PartBody {
    part: Part,
    frames: VecDeque<Bytes>,
    sent: u64,
    reading: Option<FileRead>,
}

impl PartBody {
    fn poll_file(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Outcome>>> {
        if self.sent == self.part.size() {
            return Poll::Ready(None);
        }
        let (part, sent) = (&self.part, self.sent);
        let reading = self.reading.get_or_insert_with(|| {
            let part = part.clone();
            Box::pin(async move { part.read(sent, FILE_READ).await })
        });
        let result = std::task::ready!(reading.as_mut().poll(context));
        self.reading = None;
        Poll::Ready(Some(result))
    }
}

impl http_body::Body for PartBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        let next = match &this.part.content.place {
            Place::Memory { .. } => this.frames.pop_front().map(Ok),
            Place::File(_) => std::task::ready!(this.poll_file(context)),
        };
        if let Some(Ok(bytes)) = &next {
            this.sent += bytes.len() as u64;
            this.part.activity.touch();
        }
        Poll::Ready(next.map(|bytes| bytes.map(http_body::Frame::data).map_err(BoxError::from)))
    }

    fn is_end_stream(&self) -> bool {
        self.sent == self.part.size()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        http_body::SizeHint::with_exact(self.part.size() - self.sent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cutter(frames: &[&'static str], size: Option<u64>, budget: usize) -> Cutter {
        let frames: Vec<_> = frames.iter().map(|text| Ok(Bytes::from(*text))).collect();
        let upload = Upload::new(futures::stream::iter(frames), size);
        Cutter::new(upload, PartBudget::new(budget, None), Activity::default())
    }

    async fn text(part: &Part) -> String {
        String::from_utf8(part.read(0, part.size()).await.unwrap().to_vec()).unwrap()
    }

    #[tokio::test]
    async fn parts_are_equal_but_for_the_last_wherever_they_live() {
        for budget in [1 << 20, 5, 0] {
            let mut cutter = cutter(&["abc", "defgh", "", "ij"], Some(10), budget);
            let mut parts = Vec::new();
            while let Some(part) = cutter.next(4).await.unwrap() {
                parts.push(text(&part).await);
            }
            assert_eq!(parts, ["abcd", "efgh", "ij"], "budget {budget}");
        }
    }

    #[tokio::test]
    async fn digests_ranges_and_bodies_are_the_same_in_memory_and_in_a_file() {
        for budget in [1 << 20, 0] {
            let mut cutter = cutter(&["hello ", "wor", "ld"], None, budget);
            let part = cutter.next(100).await.unwrap().unwrap();
            assert_eq!(
                part.digest(Algorithm::Md5).await.unwrap(),
                Md5::digest("hello world").to_vec()
            );
            assert_eq!(
                part.digest(Algorithm::Sha256).await.unwrap(),
                Sha256::digest("hello world").to_vec()
            );
            assert_eq!(part.read(4, 4).await.unwrap(), "o wo");
            assert_eq!(part.read(9, 100).await.unwrap(), "ld");
            assert_eq!(part.read(50, 1).await.unwrap(), "");
            for _ in 0..2 {
                let sent = http_body_util::BodyExt::collect(part.body())
                    .await
                    .unwrap()
                    .to_bytes();
                assert_eq!(sent, "hello world");
            }
        }
    }

    #[tokio::test]
    async fn an_upload_of_another_size_than_announced_fails() {
        let mut short = cutter(&["abc"], Some(4), 100);
        assert!(matches!(short.next(10).await, Err(Outcome::Other(_))));
        let mut long = cutter(&["abc", "de"], Some(4), 100);
        assert!(matches!(
            long.next(10).await,
            Err(Outcome::InvalidArgument(_))
        ));
        let mut empty = cutter(&[], Some(0), 100);
        assert!(empty.next(10).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn a_dropped_part_gives_its_memory_back() {
        let budget = PartBudget::new(8, None);
        for _ in 0..10 {
            let upload = Upload::from_bytes("12345678");
            let mut cutter = Cutter::new(upload, budget.clone(), Activity::default());
            let part = cutter.next(8).await.unwrap().unwrap();
            assert!(matches!(part.content.place, Place::Memory { .. }));
        }
    }
}
