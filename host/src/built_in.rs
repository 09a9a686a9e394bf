//! The drivers that the crate carries.

use std::sync::OnceLock;

use crate::driver::digest;

/// The component of a built-in driver.
pub fn built_in(name: &str) -> Option<&'static [u8]> {
    match name {
        "s3" => Some(include_bytes!(env!("ORLOP_DRIVER_S3"))),
        _ => None,
    }
}

/// Whether a component with this digest is one of them.
pub(crate) fn is_one(wanted: &str) -> bool {
    static DIGESTS: OnceLock<Vec<String>> = OnceLock::new();
    DIGESTS
        .get_or_init(|| {
            built_in_names()
                .iter()
                .filter_map(|name| built_in(name))
                .map(digest)
                .collect()
        })
        .iter()
        .any(|digest| digest == wanted)
}

/// The names of the built-in drivers.
pub fn built_in_names() -> &'static [&'static str] {
    &["s3"]
}
