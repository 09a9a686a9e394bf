//! Drivers for tests, built as components by this crate's build script.

use std::path::Path;

/// The component of `orlop-test-probe`: a driver without a service behind it, whose paths say what it does.
/// Its own documentation lists them.
pub fn probe() -> &'static Path {
    Path::new(env!("ORLOP_TEST_PROBE"))
}
