use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use s3s::StdError;

/// Bodies up to this size are copied into one allocation: the frames of a request share a large
/// read buffer, which many small objects would otherwise keep alive.
const COMPACT_BELOW: u64 = 64 * 1024;

/// The bytes of an object, as the chunks in which they arrived. Cloning and slicing copy no bytes.
#[derive(Debug, Clone, Default)]
pub struct Rope {
    chunks: Vec<Bytes>,
    len: u64,
}

impl Rope {
    /// How many bytes there are.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The bytes, in order; no chunk is empty.
    pub fn chunks(&self) -> &[Bytes] {
        &self.chunks
    }

    /// Adds bytes at the end.
    pub fn push(&mut self, chunk: Bytes) {
        if !chunk.is_empty() {
            self.len += chunk.len() as u64;
            self.chunks.push(chunk);
        }
    }

    /// Adds another rope at the end.
    pub fn append(&mut self, other: &Rope) {
        self.chunks.extend_from_slice(&other.chunks);
        self.len += other.len;
    }

    /// The bytes of a half-open range; what lies beyond the end is left out.
    pub fn slice(&self, range: Range<u64>) -> Rope {
        let mut sliced = Rope::default();
        let mut start = 0;
        for chunk in &self.chunks {
            let end = start + chunk.len() as u64;
            let from = range.start.max(start);
            let to = range.end.min(end);
            if from < to {
                sliced.push(chunk.slice((from - start) as usize..(to - start) as usize));
            }
            if end >= range.end {
                break;
            }
            start = end;
        }
        sliced
    }

    /// All bytes in one piece, copied unless there is only one chunk.
    pub fn to_bytes(&self) -> Bytes {
        match self.chunks.as_slice() {
            [] => Bytes::new(),
            [only] => only.clone(),
            chunks => chunks.concat().into(),
        }
    }

    /// Cuts a small rope loose from the buffers that its bytes arrived in.
    pub(crate) fn compact(self) -> Rope {
        if self.is_empty() || self.len > COMPACT_BELOW {
            return self;
        }
        Rope::from(Bytes::from(self.chunks.concat()))
    }

    /// The rope as a response body, a frame per chunk.
    pub(crate) fn into_body(self) -> RopeBody {
        RopeBody {
            left: self.len,
            chunks: self.chunks.into_iter(),
        }
    }
}

impl From<Bytes> for Rope {
    fn from(bytes: Bytes) -> Self {
        Rope::from_iter([bytes])
    }
}

impl From<Vec<u8>> for Rope {
    fn from(bytes: Vec<u8>) -> Self {
        Bytes::from(bytes).into()
    }
}

impl From<String> for Rope {
    fn from(text: String) -> Self {
        Bytes::from(text).into()
    }
}

impl From<&'static str> for Rope {
    fn from(text: &'static str) -> Self {
        Bytes::from(text).into()
    }
}

impl From<&'static [u8]> for Rope {
    fn from(bytes: &'static [u8]) -> Self {
        Bytes::from(bytes).into()
    }
}

impl FromIterator<Bytes> for Rope {
    fn from_iter<I: IntoIterator<Item = Bytes>>(chunks: I) -> Self {
        let mut rope = Rope::default();
        for chunk in chunks {
            rope.push(chunk);
        }
        rope
    }
}

/// A rope on its way to a client.
#[derive(Debug)]
pub(crate) struct RopeBody {
    chunks: std::vec::IntoIter<Bytes>,
    left: u64,
}

impl Body for RopeBody {
    type Data = Bytes;
    type Error = StdError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, StdError>>> {
        Poll::Ready(self.chunks.next().map(|chunk| {
            self.left -= chunk.len() as u64;
            Ok(Frame::data(chunk))
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_at_every_boundary() {
        let rope: Rope = ["abc", "", "de", "fghi"]
            .into_iter()
            .map(Bytes::from)
            .collect();
        assert_eq!(rope.len(), 9);
        assert_eq!(rope.chunks().len(), 3);
        let whole = "abcdefghi";
        for start in 0..=whole.len() {
            for end in start..=whole.len() + 2 {
                let slice = rope.slice(start as u64..end as u64);
                let expected = &whole[start..end.min(whole.len())];
                assert_eq!(slice.to_bytes(), expected, "{start}..{end}");
                assert_eq!(slice.len(), expected.len() as u64);
            }
        }
    }

    #[test]
    fn slices_without_copying() {
        let bytes = Bytes::from(vec![7; 100]);
        let slice = Rope::from(bytes.clone()).slice(10..20).to_bytes();
        assert_eq!(slice.as_ptr(), bytes[10..].as_ptr());
    }

    #[test]
    fn compacts_only_small_ropes() {
        let small: Rope = [Bytes::from("a"), Bytes::from("b")].into_iter().collect();
        assert_eq!(small.compact().chunks(), [Bytes::from("ab")]);
        let large: Rope = vec![Bytes::from(vec![0; 40_000]); 2].into_iter().collect();
        assert_eq!(large.compact().chunks().len(), 2);
    }
}
