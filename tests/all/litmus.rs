//! The test suite litmus, all of it. `make test` installs it and sets `ORLOP_LITMUS`, so that a missing one is a failure
//! there; without the variable, a machine without litmus skips it and says so.

use std::process::{Command, Stdio};

use crate::harness::{World, run};

const GROUPS: [&str; 5] = ["basic", "copymove", "props", "locks", "http"];

#[tokio::test]
async fn all_groups_pass() {
    if !is_installed() {
        assert!(
            std::env::var_os("ORLOP_LITMUS").is_none(),
            "litmus is not installed: `apt-get install litmus`"
        );
        println!("skipped: litmus is not installed");
        return;
    }
    let world = World::start().await;
    for group in GROUPS {
        let mut litmus = Command::new("litmus");
        litmus
            .arg(world.orlop.url("/dav/files/"))
            .env("TESTS", group)
            .env_remove("http_proxy")
            .current_dir(world.folder.path());
        let ran = run(litmus).await;
        let output = String::from_utf8_lossy(&ran.stdout).into_owned();
        println!("{output}");
        let ran = ran.expect(0);
        assert!(
            ran.text().contains("100.0%"),
            "not everything of `{group}` passed:\n{output}"
        );
        // A test that could not be tried proves nothing.
        assert!(!output.contains("SKIPPED"), "{output}");
        let warnings: Vec<&str> = output
            .lines()
            .filter(|line| line.contains("WARNING"))
            .filter(|line| !KNOWN.iter().any(|known| line.contains(known)))
            .collect();
        assert_eq!(warnings, [""; 0], "{output}");
    }
}

/// What litmus finds odd, and cannot be helped. A fragment is cut off a request's path before we see it: RFC 9112 §3.2
/// knows none there.
const KNOWN: [&str; 1] = ["Request-URI including fragment"];

fn is_installed() -> bool {
    Command::new("litmus")
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
