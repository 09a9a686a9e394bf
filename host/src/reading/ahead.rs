//! Reading ahead of a client, over several connections.

use std::{collections::VecDeque, ops::Range, sync::Arc};

use bytes::Bytes;
use futures::StreamExt as _;
use tokio::{
    sync::{Semaphore, SemaphorePermit, mpsc},
    task::JoinHandle,
};
use tracing::Instrument as _;

use super::body::Source;
use crate::Result;

/// Bytes that one request of a read-ahead asks for.
pub(super) const BLOCK: u64 = 4 << 20;

/// Requests of one download at once.
const CONNECTIONS: usize = 4;

/// Blocks that all downloads of the process may hold together: 64 MiB. A download that gets none goes on with
/// one connection.
static ROOM: Semaphore = Semaphore::const_new(16);

/// The next blocks of a body, in their order.
#[derive(Default)]
pub(super) struct Ahead {
    blocks: VecDeque<Block>,
}

/// A part of a body that is being read, or was. Dropping it ends its request.
pub(super) struct Block {
    /// Where it ends.
    pub(super) end: u64,
    pieces: mpsc::UnboundedReceiver<Result<Bytes>>,
    task: JoinHandle<()>,
    _room: SemaphorePermit<'static>,
}

impl Ahead {
    /// Begins to read blocks, up to the most at once, from behind the last one, or else from `from`, on.
    pub(super) fn fill(&mut self, source: &Arc<Source>, from: u64, end: u64) {
        let mut next = self.blocks.back().map_or(from, |block| block.end);
        while self.blocks.len() < CONNECTIONS && next < end {
            let Ok(room) = ROOM.try_acquire() else {
                return;
            };
            let range = next..next.saturating_add(BLOCK).min(end);
            next = range.end;
            self.blocks.push_back(Block::read(source, range, room));
        }
    }

    /// The first block.
    pub(super) fn take(&mut self) -> Option<Block> {
        self.blocks.pop_front()
    }
}

impl Block {
    fn read(source: &Arc<Source>, range: Range<u64>, room: SemaphorePermit<'static>) -> Self {
        // What waits in the channel is never more than the block.
        let (sender, pieces) = mpsc::unbounded_channel();
        let source = Arc::clone(source);
        let end = range.end;
        let reading = async move {
            let mut left = range.end - range.start;
            let mut body = match source.rest(range, 0).await {
                Ok(body) => body,
                Err(error) => {
                    // It fails only if nobody wants the block any more.
                    let _ = sender.send(Err(error));
                    return;
                }
            };
            while let Some(piece) = body.next().await {
                let length = piece.as_ref().map_or(0, Bytes::len) as u64;
                left = left.saturating_sub(length);
                if sender.send(piece.map_err(Into::into)).is_err() || left == 0 {
                    return;
                }
            }
        };
        let task = tokio::spawn(reading.in_current_span());
        Self {
            end,
            pieces,
            task,
            _room: room,
        }
    }

    /// The next piece; none at the end, or where the connection broke.
    pub(super) async fn next(&mut self) -> Option<Result<Bytes>> {
        self.pieces.recv().await
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        self.task.abort();
    }
}
