//! Keyed hashes: HMAC with SHA-256.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::problem::Problem;

/// Bytes of a signature that is cut short, for where it stands in an address.
pub(crate) const SHORT: usize = 16;

/// A secret that signs.
#[derive(Clone)]
pub(crate) struct Key([u8; 64]);

impl Key {
    pub(crate) fn new(secret: [u8; 32]) -> Self {
        // HMAC fills shorter keys up with zeros itself.
        let mut block = [0; 64];
        for (to, from) in block.iter_mut().zip(secret) {
            *to = from;
        }
        Self(block)
    }

    /// The signature of texts in their order. Each is signed with its length, so that none runs into the next.
    pub(crate) fn sign(&self, parts: &[&[u8]]) -> [u8; 32] {
        self.mac(parts).finalize().into_bytes().into()
    }

    /// Whether this is the signature, whole. Takes the same time for each wrong one.
    pub(crate) fn verify(&self, parts: &[&[u8]], signature: &[u8]) -> bool {
        self.mac(parts).verify_slice(signature).is_ok()
    }

    /// Whether this is the beginning of the signature, [`SHORT`] bytes and no others.
    pub(crate) fn verify_short(&self, parts: &[&[u8]], signature: &[u8]) -> bool {
        signature.len() == SHORT && self.mac(parts).verify_truncated_left(signature).is_ok()
    }

    fn mac(&self, parts: &[&[u8]]) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new(&self.0.into());
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Key")
    }
}

/// Bytes that nobody can guess.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], Problem> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|error| Problem::internal(format!("no random bytes: {error}")))?;
    Ok(bytes)
}

/// Bytes as they stand in URLs, cookies and headers.
pub(crate) fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Reads what [`encode`] wrote, and no other spelling of it.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures() {
        let key = Key::new([7; 32]);
        let signature = key.sign(&[b"ab", b"c"]);
        assert!(key.verify(&[b"ab", b"c"], &signature));
        for length in 0..32 {
            let start = &signature[..length];
            assert!(!key.verify(&[b"ab", b"c"], start), "{length}");
            assert_eq!(key.verify_short(&[b"ab", b"c"], start), length == 16);
        }
        assert!(!key.verify_short(&[b"ab", b"c"], &signature));
        assert!(!key.verify(&[b"ab", b"c"], &[]));
        assert!(!key.verify(&[b"a", b"bc"], &signature), "lengths count");
        assert!(!key.verify(&[b"abc"], &signature));
        assert!(!Key::new([8; 32]).verify(&[b"ab", b"c"], &signature));
        for index in 0..signature.len() {
            let mut tampered = signature;
            tampered[index] ^= 1;
            assert!(!key.verify(&[b"ab", b"c"], &tampered), "byte {index}");
        }
        assert!(!format!("{key:?}").contains('7'));
    }
}
