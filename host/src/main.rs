//! The `orlop` program: the file server, and the same files from a shell.

mod cli;
mod config;
mod demo;

fn main() -> std::process::ExitCode {
    cli::main()
}
