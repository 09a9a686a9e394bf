//! What a driver prints.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use wasmtime_wasi::{
    cli::{IsTerminal, StdoutStream},
    p2::{OutputStream, Pollable, StreamResult},
};

/// A line longer than this is cut into several.
const LINE: usize = 4096;

/// What a driver prints goes to the log, line by line, up to a number of bytes in its life.
#[derive(Clone)]
pub(super) struct GuestLog {
    mount: Arc<str>,
    state: Arc<Mutex<State>>,
}

struct State {
    line: Vec<u8>,
    left: u64,
}

impl GuestLog {
    pub(super) fn new(mount: Arc<str>, bytes: u64) -> Self {
        let state = State {
            line: Vec::new(),
            left: bytes,
        };
        Self {
            mount,
            state: Arc::new(Mutex::new(state)),
        }
    }

    fn print(&self, bytes: &[u8]) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.left == 0 {
            return;
        }
        let allowed = bytes
            .len()
            .min(usize::try_from(state.left).unwrap_or(usize::MAX));
        state.left -= allowed as u64;
        for &byte in bytes.iter().take(allowed) {
            if byte != b'\n' {
                state.line.push(byte);
            }
            if byte == b'\n' || state.line.len() >= LINE {
                self.flush(&mut state.line);
            }
        }
        if state.left == 0 {
            self.flush(&mut state.line);
            tracing::warn!(target: "orlop::driver", mount = %self.mount, "the driver printed too much and is no longer heard");
        }
    }

    fn flush(&self, line: &mut Vec<u8>) {
        // Control characters could rewrite a terminal.
        let text: String = String::from_utf8_lossy(line)
            .chars()
            .map(|character| {
                if character.is_control() {
                    ' '
                } else {
                    character
                }
            })
            .collect();
        line.clear();
        if !text.trim().is_empty() {
            tracing::info!(target: "orlop::driver", mount = %self.mount, "{text}");
        }
    }
}

impl IsTerminal for GuestLog {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for GuestLog {
    fn async_stream(&self) -> Box<dyn tokio::io::AsyncWrite + Send + Sync> {
        Box::new(tokio::io::sink())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

impl OutputStream for GuestLog {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.print(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(1 << 16)
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for GuestLog {
    async fn ready(&mut self) {}
}
