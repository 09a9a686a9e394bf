//! A part while it fills.

use std::io::Write;

use bytes::{Bytes, BytesMut};
use tokio::sync::OwnedSemaphorePermit;

use super::{Part, PartBudget, Place, lost_part, off_thread};
use crate::{Outcome, activity::Activity};

/// Frames smaller than this are gathered into larger ones, lest each keep a whole read buffer alive.
const SMALL_FRAME: usize = 16 * 1024;
/// Bytes gathered before they are written to a file.
const FILE_WRITE: usize = 1024 * 1024;

/// A part while it fills: in memory as long as the budget lasts, then in a file.
pub(crate) struct PartBuffer {
    budget: PartBudget,
    size: u64,
    frames: Vec<Bytes>,
    small: BytesMut,
    /// Bytes in `frames` and `small`.
    held: usize,
    permit: Option<OwnedSemaphorePermit>,
    file: Option<std::fs::File>,
}

impl PartBuffer {
    pub(crate) fn new(budget: PartBudget) -> Self {
        Self {
            budget,
            size: 0,
            frames: Vec::new(),
            small: BytesMut::new(),
            held: 0,
            permit: None,
            file: None,
        }
    }

    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    pub(crate) async fn push(&mut self, frame: Bytes) -> Result<(), Outcome> {
        self.size += frame.len() as u64;
        self.held += frame.len();
        let fits = self.file.is_none() && self.reserve(frame.len());
        if frame.len() < SMALL_FRAME {
            self.small.extend_from_slice(&frame);
            if self.small.len() >= 4 * SMALL_FRAME {
                self.seal();
            }
        } else {
            self.seal();
            self.frames.push(frame);
        }
        if !fits && (self.file.is_none() || self.held >= FILE_WRITE) {
            self.spill().await?;
        }
        Ok(())
    }

    pub(crate) async fn finish(mut self, activity: Activity) -> Result<Part, Outcome> {
        self.seal();
        if self.file.is_some() && self.held > 0 {
            self.spill().await?;
        }
        let place = match self.file {
            Some(file) => Place::File(file),
            None => Place::Memory {
                frames: self.frames,
                _permit: self.permit,
            },
        };
        Ok(Part::new(self.size, place, activity))
    }

    /// Takes memory from the budget, if there is enough.
    fn reserve(&mut self, bytes: usize) -> bool {
        let Some(more) = self.budget.try_acquire(bytes) else {
            return false;
        };
        match &mut self.permit {
            Some(permit) => permit.merge(more),
            None => self.permit = Some(more),
        }
        true
    }

    fn seal(&mut self) {
        if !self.small.is_empty() {
            self.frames.push(self.small.split().freeze());
        }
    }

    /// Writes what is held to the file, and gives the memory back.
    async fn spill(&mut self) -> Result<(), Outcome> {
        self.seal();
        let frames = std::mem::take(&mut self.frames);
        let file = self.file.take();
        let budget = self.budget.clone();
        let file = off_thread(move || {
            let mut file = match file {
                Some(file) => file,
                None => budget.file().map_err(no_room)?,
            };
            for frame in &frames {
                file.write_all(frame).map_err(no_room)?;
            }
            Ok(file)
        })
        .await?;
        self.file = Some(file);
        self.permit = None;
        self.held = 0;
        Ok(())
    }
}

fn no_room(error: std::io::Error) -> Outcome {
    match error.kind() {
        std::io::ErrorKind::StorageFull => Outcome::QuotaExceeded(
            "the host has no room left for uploads on their way; free some in its temporary folder"
                .to_owned(),
        ),
        _ => lost_part(error),
    }
}
