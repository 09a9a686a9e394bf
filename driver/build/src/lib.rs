//! Builds driver components from a build script.
//!
//! A driver is a crate of this workspace, compiled for `wasm32-wasip2`. Whoever needs its component at
//! hand, such as the host that carries it inside or a test that runs it, calls [`build`] from `build.rs`:
//!
//! ```no_run
//! let component = orlop_driver_build::build("orlop-driver-s3");
//! println!("cargo::rustc-env=ORLOP_DRIVER_S3={}", component.display());
//! ```
//!
//! The build has a target folder of its own, `target/driver`, since the outer cargo holds the lock of
//! `target` while a build script runs.

mod cargo;

use std::{
    env,
    path::{Path, PathBuf},
    process,
};

/// The target that drivers are compiled for.
pub const TARGET: &str = "wasm32-wasip2";

/// The profile that drivers are compiled with, in the workspace's `Cargo.toml`.
const PROFILE: &str = "driver";

/// Builds a driver crate and returns the path of its component.
///
/// Call it from a build script: it tells cargo when to run the script again, and ends the script with
/// one clear line if the driver cannot be built.
pub fn build(package: &str) -> PathBuf {
    let workspace = workspace();
    for source in [".cargo", "driver", "wit", "Cargo.toml", "Cargo.lock"] {
        tell(&format!(
            "rerun-if-changed={}",
            workspace.join(source).display()
        ));
    }
    match component(&workspace, package) {
        Ok(path) => path,
        Err(failure) => {
            tell(&format!("error={failure}"));
            // Cargo fails the script for the line above, and would print all its output for a bad status.
            process::exit(0);
        }
    }
}

/// Why there is no component.
#[derive(Debug)]
enum Failure {
    /// The standard library for the target is not installed.
    NoTarget,
    /// Cargo could not be started.
    NoCargo(std::io::Error),
    /// The driver does not compile. Cargo's own words.
    Broken(String, String),
}

impl std::fmt::Display for Failure {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoTarget => write!(
                formatter,
                "drivers are compiled for {TARGET}, which is not installed: run `rustup target add {TARGET}`"
            ),
            Self::NoCargo(error) => write!(formatter, "cannot start cargo: {error}"),
            Self::Broken(package, output) => {
                // Cargo takes one line for each message.
                let output = output.trim().replace('\n', "\ncargo::error=");
                write!(
                    formatter,
                    "cannot build the driver {package}:\ncargo::error={output}"
                )
            }
        }
    }
}

fn component(workspace: &Path, package: &str) -> Result<PathBuf, Failure> {
    if !cargo::has_target(TARGET) {
        return Err(Failure::NoTarget);
    }
    let target_folder = target_folder(workspace).join("driver");
    let output = cargo::command()
        .current_dir(workspace)
        .args(["build", "--quiet", "--package", package])
        .args(["--target", TARGET, "--profile", PROFILE])
        .arg("--target-dir")
        .arg(&target_folder)
        .output()
        .map_err(Failure::NoCargo)?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(Failure::Broken(package.to_owned(), text));
    }
    let file = format!("{}.wasm", package.replace('-', "_"));
    Ok(target_folder.join(TARGET).join(PROFILE).join(file))
}

/// The root of the workspace, which this crate lies two folders below.
fn workspace() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_path_buf()
}

fn target_folder(workspace: &Path) -> PathBuf {
    env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| workspace.join("target"), |folder| workspace.join(folder))
}

#[expect(
    clippy::print_stdout,
    reason = "a build script talks to cargo this way"
)]
fn tell(instruction: &str) {
    println!("cargo::{instruction}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_workspace_holds_the_contract() {
        assert!(workspace().join("wit/world.wit").is_file());
    }

    #[test]
    fn every_line_of_a_failure_is_an_instruction() {
        let failure = Failure::Broken("x".to_owned(), "error: one\n  two\n".to_owned());
        assert_eq!(
            format!("cargo::error={failure}"),
            "cargo::error=cannot build the driver x:\ncargo::error=error: one\ncargo::error=  two"
        );
        assert!(
            Failure::NoTarget
                .to_string()
                .ends_with("run `rustup target add wasm32-wasip2`")
        );
    }
}
