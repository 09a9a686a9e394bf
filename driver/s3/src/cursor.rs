//! What the host carries from one call to the next: JSON, in an alphabet that goes anywhere.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use orlop_driver::{Error, Result};
use serde::{Serialize, de::DeserializeOwned};

/// Begins every cursor. One from another release is refused, not misread.
const VERSION: char = '1';

/// Writes a cursor.
pub(crate) fn write(state: &impl Serialize) -> Result<String> {
    let json = serde_json::to_vec(state).map_err(|error| Error::Other(error.to_string()))?;
    let mut cursor = String::from(VERSION);
    BASE64.encode_string(json, &mut cursor);
    Ok(cursor)
}

/// Reads a cursor.
///
/// # Errors
/// [`Error::InvalidArgument`] for one that was not written here.
pub(crate) fn read<T: DeserializeOwned>(cursor: &str) -> Result<T> {
    cursor
        .strip_prefix(VERSION)
        .and_then(|text| BASE64.decode(text).ok())
        .and_then(|json| serde_json::from_slice(&json).ok())
        .ok_or_else(|| Error::InvalidArgument("the cursor is none of this driver's".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_come_back_or_are_refused() {
        let state = ("ü/\u{1}".to_owned(), 7);
        let cursor = write(&state).unwrap();
        assert!(
            cursor
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        );
        assert_eq!(read::<(String, u32)>(&cursor).unwrap(), state);
        for wrong in ["", "2", "1", "1!!", &cursor[1..]] {
            assert!(matches!(
                read::<(String, u32)>(wrong),
                Err(Error::InvalidArgument(_))
            ));
        }
    }
}
