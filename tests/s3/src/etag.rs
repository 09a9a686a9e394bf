use std::sync::atomic::{AtomicU64, Ordering};

use md5::{Digest as _, Md5};

/// How entity tags are made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum EtagKind {
    /// As Amazon S3 does: the MD5 of the bytes, and for a multipart upload the MD5 of the parts'
    /// MD5s with the number of parts behind a dash.
    #[default]
    Md5,
    /// A new value for each write, of the same form, at no cost: for benchmarks, and as a provider
    /// whose entity tags are not hashes.
    Counter,
}

/// An MD5.
pub(crate) type Md5Digest = [u8; 16];

/// Makes entity tags, without the quotes.
#[derive(Debug)]
pub(crate) struct Etags {
    kind: EtagKind,
    issued: AtomicU64,
}

impl Etags {
    pub(crate) fn new(kind: EtagKind) -> Self {
        Self {
            kind,
            issued: AtomicU64::new(0),
        }
    }

    /// Whether bytes must be hashed when they arrive.
    pub(crate) fn hashes(&self) -> bool {
        self.kind == EtagKind::Md5
    }

    /// The entity tag of bytes with this MD5.
    pub(crate) fn simple(&self, md5: Option<Md5Digest>) -> String {
        match (self.kind, md5) {
            (EtagKind::Md5, Some(md5)) => hex(&md5),
            _ => self.next(),
        }
    }

    /// The entity tag of an object made of parts with these MD5s.
    pub(crate) fn multipart(&self, md5s: &[Option<Md5Digest>]) -> String {
        let mut hash = Md5::new();
        for md5 in md5s {
            match (self.kind, md5) {
                (EtagKind::Md5, Some(md5)) => hash.update(md5),
                _ => return format!("{}-{}", self.next(), md5s.len()),
            }
        }
        format!("{}-{}", hex(&hash.finalize()), md5s.len())
    }

    fn next(&self) -> String {
        let n = self.issued.fetch_add(1, Ordering::Relaxed);
        format!("{:016x}{:016x}", scatter(n), scatter(!n))
    }
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The finaliser of SplitMix64: a bijection, so different numbers stay different.
fn scatter(n: u64) -> u64 {
    let mut x = n.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn md5_of_parts_as_amazon_makes_it() {
        let etags = Etags::new(EtagKind::Md5);
        let part: Md5Digest = Md5::digest(b"hello").into();
        assert_eq!(etags.simple(Some(part)), "5d41402abc4b2a76b9719d911017c592");
        // printf hello | md5sum, twice, as bytes, into md5sum.
        let both = Md5::digest([part, part].concat());
        assert_eq!(
            etags.multipart(&[Some(part), Some(part)]),
            format!("{}-2", hex(&both))
        );
    }

    #[test]
    fn counted_etags_differ() {
        let etags = Etags::new(EtagKind::Counter);
        let seen: HashSet<_> = (0..1000).map(|_| etags.simple(None)).collect();
        assert_eq!(seen.len(), 1000);
        assert!(seen.iter().all(|etag| etag.len() == 32));
        assert!(etags.multipart(&[None, None, None]).ends_with("-3"));
    }
}
