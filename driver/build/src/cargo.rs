//! Cargo inside a build script, as if nobody were building around it.

use std::{env, ffi::OsString, path::Path, process::Command};

/// Variables with these prefixes reach the inner cargo though they begin with `CARGO_`: where the
/// registry is, how to reach it, and the job tokens that both builds share.
const KEPT: [&str; 6] = [
    "CARGO_HOME",
    "CARGO_HTTP_",
    "CARGO_MAKEFLAGS",
    "CARGO_NET_",
    "CARGO_REGISTR",
    "CARGO_TERM_",
];

/// Variables that the outer build sets for its own crates: flags for another target, clippy in the
/// compiler's place, coverage.
const DROPPED: [&str; 5] = [
    "CLIPPY_ARGS",
    "RUSTDOCFLAGS",
    "RUSTFLAGS",
    "RUSTC_WORKSPACE_WRAPPER",
    "TARGET",
];

/// The cargo that runs the build script, in a clean environment.
pub(crate) fn command() -> Command {
    let mut command = Command::new(tool("CARGO", "cargo"));
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(is_leak) {
            command.env_remove(name);
        }
    }
    command
}

/// Whether the standard library for a target is installed. Says yes if the compiler cannot be asked,
/// since the build then tells what is wrong.
pub(crate) fn has_target(target: &str) -> bool {
    let asked = Command::new(tool("RUSTC", "rustc"))
        .args(["--print", "target-libdir", "--target", target])
        .output();
    let Ok(output) = asked else { return true };
    let folder = String::from_utf8_lossy(&output.stdout);
    !output.status.success() || Path::new(folder.trim()).is_dir()
}

fn tool(variable: &str, default: &str) -> OsString {
    env::var_os(variable).unwrap_or_else(|| default.into())
}

fn is_leak(name: &str) -> bool {
    DROPPED.contains(&name)
        || (name.starts_with("CARGO_") && !KEPT.iter().any(|kept| name.starts_with(kept)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_outer_build_sets_does_not_leak() {
        for leak in [
            "CARGO_ENCODED_RUSTFLAGS",
            "CARGO_FEATURE_CLI",
            "CARGO_MANIFEST_DIR",
            "CARGO_TARGET_DIR",
            "RUSTC_WORKSPACE_WRAPPER",
            "RUSTFLAGS",
        ] {
            assert!(is_leak(leak), "{leak}");
        }
        for kept in [
            "CARGO_HOME",
            "CARGO_MAKEFLAGS",
            "CARGO_NET_OFFLINE",
            "PATH",
            "RUSTUP_TOOLCHAIN",
        ] {
            assert!(!is_leak(kept), "{kept}");
        }
    }
}
