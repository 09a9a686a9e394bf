//! Builds the drivers that tests load.

use std::io::Write as _;

fn main() {
    let probe = orlop_driver_build::build("orlop-test-probe");
    let lines = format!(
        "cargo::rerun-if-changed=probe\ncargo::rustc-env=ORLOP_TEST_PROBE={}\n",
        probe.display()
    );
    if std::io::stdout()
        .lock()
        .write_all(lines.as_bytes())
        .is_err()
    {
        std::process::exit(1);
    }
}
