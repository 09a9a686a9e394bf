//! What stands in a share's address: its id, and a signature that only this server can make.

use crate::serve::{
    problem::Problem,
    signature::{self, Key},
};

/// Letters of an id: 12 bytes.
const ID_LENGTH: usize = 16;

/// An id that no other share has.
pub(crate) fn id() -> Result<String, Problem> {
    Ok(signature::encode(&signature::random::<12>()?))
}

/// What stands in the address of a share.
pub(crate) fn token(key: &Key, id: &str) -> String {
    let signature = key.sign(&[b"share", id.as_bytes()]);
    let signature = signature.get(..signature::SHORT).unwrap_or(&signature);
    format!("{id}{}", signature::encode(signature))
}

/// The id in what stands in an address, if this server made it. No database is asked.
pub(crate) fn read<'t>(key: &Key, token: &'t str) -> Option<&'t str> {
    let (id, signature) = token.split_at_checked(ID_LENGTH)?;
    let signature = signature::decode(signature)?;
    let is_ours = key.verify_short(&[b"share", id.as_bytes()], &signature);
    is_ours.then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_are_read() {
        let key = Key::new([3; 32]);
        let id = id().unwrap();
        let token = token(&key, &id);
        assert_eq!(token.len(), 38);
        assert_eq!(read(&key, &token), Some(id.as_str()));
        assert_eq!(read(&Key::new([4; 32]), &token), None);
        for index in 0..token.len() {
            let mut tampered = token.clone().into_bytes();
            tampered[index] = if tampered[index] == b'A' { b'B' } else { b'A' };
            let tampered = String::from_utf8(tampered).unwrap();
            assert_eq!(read(&key, &tampered), None, "{index}");
        }
        for text in [
            "",
            "x",
            &id,
            &token[..37],
            &format!("{token}A"),
            "üüüüüüüüüüüüüüüüüüü",
        ] {
            assert_eq!(read(&key, text), None, "{text}");
        }
    }
}
