//! The drivers that the crate carries.

/// The component of a built-in driver.
pub fn built_in(name: &str) -> Option<&'static [u8]> {
    match name {
        "s3" => Some(include_bytes!(env!("ORLOP_DRIVER_S3"))),
        _ => None,
    }
}

/// The names of the built-in drivers.
pub fn built_in_names() -> &'static [&'static str] {
    &["s3"]
}
