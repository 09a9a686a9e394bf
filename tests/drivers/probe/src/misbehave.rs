//! Ways to break.

use std::{hint::black_box, time::Duration};

use orlop_driver::{Content, Error, Host, Result};

use crate::Probe;

/// Memory that is eaten at a time.
const BITE: usize = 1 << 20;

/// Longer than any test.
const FOR_EVER: Duration = Duration::from_secs(24 * 60 * 60);

#[expect(clippy::panic, reason = "this is what it is for")]
pub(crate) fn trap() -> ! {
    panic!("the probe was told to break")
}

pub(crate) fn spin() -> ! {
    let mut count = 0_u64;
    loop {
        count = black_box(count.wrapping_add(1));
    }
}

pub(crate) fn grow() -> ! {
    let mut bites = Vec::new();
    loop {
        bites.push(black_box(vec![1_u8; BITE]));
    }
}

impl<H: Host> Probe<H> {
    pub(crate) async fn sleep(&self) -> Result<Content> {
        loop {
            self.host.sleep(FOR_EVER).await;
        }
    }

    /// Prints a text and the token, with an attempt to clear the reader's terminal.
    #[expect(
        clippy::print_stdout,
        clippy::print_stderr,
        reason = "this is what it is for"
    )]
    pub(crate) fn print(&self, text: &str) -> Vec<u8> {
        println!("out: {text} \x1b[2J end");
        eprintln!("err: {text}");
        text.as_bytes().to_vec()
    }

    /// An error as drivers give them when the service refuses a secret: without it.
    pub(crate) fn token_error(&self) -> Error {
        let length = self.config.token.len();
        Error::Unauthenticated(format!("the token of {length} bytes is wrong"))
    }
}
