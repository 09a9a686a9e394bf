//! Working on one upload.

use bytes::Bytes;
use futures::{StreamExt as _, TryStreamExt as _};
use http_body_util::BodyExt as _;

use super::{
    Found, Inner, Progress, Refusal, ResumableUpload, Route, Stage, count, hold::Hold,
    route::WHOLE_MAX, spool::Filling,
};
use crate::{
    CompletedPart, Entry, Error, MultipartUpload, Namespace, Outcome, Overwrite, Precondition,
    Upload, WriteOptions,
    activity::Activity,
    part::{Part, UploadStream},
};

/// Bytes that a client sends.
pub(crate) struct Chunk {
    /// Where in the file they begin.
    pub(crate) offset: u64,
    /// The file's size, if the client says it now.
    pub(crate) length: Option<u64>,
    pub(crate) body: UploadStream,
    /// How many they are, if the client says so.
    pub(crate) size: Option<u64>,
}

/// One request's work on an upload.
pub(super) struct Work<'a> {
    inner: &'a Inner,
    /// What the client may do now.
    namespace: &'a Namespace,
    hold: &'a Hold,
    upload: ResumableUpload,
    filling: Filling,
}

impl<'a> Work<'a> {
    /// Takes bytes, and shows the file if they are the last.
    pub(super) async fn receive(
        inner: &'a Inner,
        namespace: &'a Namespace,
        hold: &'a Hold,
        chunk: Chunk,
    ) -> Result<Found, Refusal> {
        // As it is now that nobody else can change it.
        let upload = inner.state.upload(&hold.id).await?;
        let upload = upload.ok_or(Refusal::Unknown)?;
        if let Stage::Done(_) = upload.stage {
            let progress = upload.progress(0);
            return match progress.overlap(chunk.offset) {
                Some(_) => Ok((upload, progress)),
                None => Err(Refusal::Offset(progress.offset())),
            };
        }
        let filling = inner.spool.open(&upload.id, upload.filling()).await?;
        let mut work = Self {
            inner,
            namespace,
            hold,
            upload,
            filling,
        };
        let poured = work.pour(chunk).await;
        let closed = work.filling.sync().await;
        poured?;
        closed?;
        if work.progress().is_complete() {
            work.finish().await?;
        }
        let progress = work.progress();
        Ok((work.upload, progress))
    }

    fn progress(&self) -> Progress {
        self.upload.progress(self.filling.size())
    }

    /// The most bytes that the file can have.
    fn limit(&self) -> u64 {
        match (self.upload.wish.length, &self.upload.route) {
            (Some(length), _) => length,
            (None, Route::Whole) => WHOLE_MAX,
            (None, Route::Parts(parts)) => most(parts),
        }
    }

    async fn pour(&mut self, mut chunk: Chunk) -> Result<(), Refusal> {
        if let Some(length) = chunk.length {
            self.learn_length(length).await?;
        }
        let progress = self.progress();
        let mut overlap = progress
            .overlap(chunk.offset)
            .ok_or(Refusal::Offset(progress.offset()))?;
        let limit = self.limit();
        let end = chunk.size.map(|size| chunk.offset.saturating_add(size));
        if end.is_some_and(|end| end > limit) {
            return Err(Refusal::TooLong(limit));
        }
        loop {
            let next = tokio::select! {
                biased;
                () = self.hold.stopped() => return Err(Refusal::Ending),
                next = chunk.body.next() => next,
            };
            let mut bytes = match next {
                None => return Ok(()),
                Some(Ok(bytes)) => bytes,
                Some(Err(_)) => return Err(Refusal::Broken),
            };
            // What is here already is not looked at: it is the same file.
            let skipped = usize::try_from(overlap)
                .unwrap_or(usize::MAX)
                .min(bytes.len());
            drop(bytes.split_to(skipped));
            overlap -= skipped as u64;
            if bytes.len() as u64 > limit.saturating_sub(self.progress().received) {
                return Err(Refusal::TooLong(limit));
            }
            self.take(bytes).await?;
        }
    }

    /// Puts bytes into the part that is filled, and sends those that are full.
    async fn take(&mut self, mut bytes: Bytes) -> Result<(), Refusal> {
        let Route::Parts(parts) = &self.upload.route else {
            return Ok(self.filling.push(&bytes).await?);
        };
        let (token, part_size) = (parts.token.clone(), parts.part_size);
        while !bytes.is_empty() {
            let room = part_size.saturating_sub(self.filling.size());
            let fits = usize::try_from(room).unwrap_or(usize::MAX).min(bytes.len());
            self.filling.push(&bytes.split_to(fits)).await?;
            if self.filling.size() >= part_size {
                self.send(&token).await?;
            }
        }
        Ok(())
    }

    async fn learn_length(&mut self, length: u64) -> Result<(), Refusal> {
        match self.upload.wish.length {
            Some(known) if known == length => return Ok(()),
            Some(_) => return Err(Refusal::Length),
            None if length < self.progress().received => return Err(Refusal::Length),
            None => {}
        }
        let limit = self.limit();
        if length > limit {
            return Err(Refusal::TooLong(limit));
        }
        let state = &self.inner.state;
        let set = state.set_upload_length(&self.upload.id, &self.inner.host, length);
        if !set.await? {
            return Err(Refusal::Busy);
        }
        self.upload.wish.length = Some(length);
        Ok(())
    }

    /// Sends the part that is filled, notes it, and begins the next one.
    async fn send(&mut self, token: &str) -> Result<(), Refusal> {
        self.filling.flush().await?;
        let number = self.upload.filling();
        let (id, path) = (&self.upload.id, &self.upload.wish.path);
        let part = self
            .inner
            .spool
            .part(id, number, Activity::default())
            .await?;
        let sending = self.namespace.send_part(path, token, number, &part);
        let sent = tokio::select! {
            () = self.hold.stopped() => return Err(Refusal::Ending),
            sent = sending => sent,
        };
        let etag = match sent {
            Err(Error::Outcome(Outcome::NotFound)) => return Err(Refusal::Gone),
            sent => sent?,
        };
        let completed = CompletedPart { number, etag };
        let state = &self.inner.state;
        let noted = state.note_upload_part(id, &self.inner.host, &completed, part.size());
        if !noted.await? {
            return Err(Refusal::Busy);
        }
        self.upload.parts = number;
        self.upload.sent = self.upload.sent.saturating_add(part.size());
        self.inner.spool.remove(&self.upload.id, number).await?;
        let next = self.upload.filling();
        self.filling = self.inner.spool.open(&self.upload.id, next).await?;
        Ok(())
    }

    /// Shows the file, now that all bytes are here.
    async fn finish(&mut self) -> Result<(), Refusal> {
        let again = self.upload.stage == Stage::Finishing;
        let entry = match self.upload.route.clone() {
            Route::Whole => {
                self.note_end().await?;
                self.write(again).await?
            }
            Route::Parts(parts) => {
                // A storage makes no file of no parts.
                if self.filling.size() > 0 || self.upload.parts == 0 {
                    self.send(&parts.token).await?;
                }
                self.note_end().await?;
                self.complete(parts).await?
            }
        };
        let etag = entry.etag;
        let finished =
            self.inner
                .state
                .finish_upload(&self.upload.id, &self.inner.host, etag.as_deref());
        finished.await?;
        let number = self.upload.filling();
        self.inner.spool.remove(&self.upload.id, number).await?;
        self.upload.stage = Stage::Done(etag);
        count("done");
        Ok(())
    }

    async fn note_end(&mut self) -> Result<(), Refusal> {
        let state = &self.inner.state;
        let noted = state.begin_upload_end(&self.upload.id, &self.inner.host);
        if !noted.await? {
            return Err(Refusal::Busy);
        }
        self.upload.stage = Stage::Finishing;
        Ok(())
    }

    async fn complete(&self, parts: MultipartUpload) -> Result<Entry, Refusal> {
        let sent = self.inner.state.upload_parts(&self.upload.id).await?;
        let path = &self.upload.wish.path;
        let completed = self.namespace.complete_upload(path, parts.token, sent);
        match completed.await {
            Err(Error::Outcome(Outcome::InvalidArgument(_))) => Err(Refusal::Gone),
            Err(Error::Outcome(Outcome::PreconditionFailed)) => Err(present()),
            completed => Ok(completed?),
        }
    }

    /// Writes the file from the spool. `again`: it may have been written before.
    async fn write(&self, again: bool) -> Result<Entry, Refusal> {
        let wish = &self.upload.wish;
        let part = self.spooled().await?;
        let size = part.size();
        let bytes = part.body().into_data_stream();
        let mut upload = Upload::new(bytes, Some(size));
        if let Some(content_type) = &wish.content_type {
            upload = upload.with_content_type(content_type.clone());
        }
        let must_be_new = wish.overwrite == Overwrite::Refuse;
        let options = WriteOptions {
            precondition: match must_be_new {
                true => Precondition::Absent,
                false => Precondition::None,
            },
            modified: wish.modified,
            extra: Vec::new(),
        };
        match self.namespace.write(&wish.path, upload, options).await {
            Err(Error::Outcome(Outcome::PreconditionFailed)) if must_be_new => {
                // What is there may be our own: then it has the same bytes.
                let bytes = self.spooled().await?.body().into_data_stream();
                let bytes = bytes.map_err(|_| {
                    Outcome::Unavailable("the host cannot read an upload back".to_owned()).into()
                });
                let holds = self.namespace.holds(&wish.path, size, Box::pin(bytes));
                if !again || !holds.await? {
                    return Err(present());
                }
                let location = crate::Location::file(wish.path.clone());
                Ok(self.namespace.stat(&location).await?)
            }
            written => Ok(written?),
        }
    }

    async fn spooled(&self) -> crate::Result<Part> {
        let spool = &self.inner.spool;
        let number = self.upload.filling();
        spool
            .part(&self.upload.id, number, Activity::default())
            .await
    }
}

fn most(parts: &MultipartUpload) -> u64 {
    parts.part_size.saturating_mul(parts.max_parts.into())
}

/// Somebody else wrote the file meanwhile.
fn present() -> Refusal {
    Error::from(Outcome::AlreadyExists).into()
}
