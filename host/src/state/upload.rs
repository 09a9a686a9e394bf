//! The journal of uploads that can be resumed.

use std::{sync::Arc, time::SystemTime};

use sqlx::FromRow;

use super::{LEASE, State, StateError, StateResult, instant};
use crate::{
    CompletedPart, MultipartUpload, Overwrite, Path,
    resumable::{ResumableUpload, Route, Stage, UploadId, Wish},
};

const GARBLED: StateError = StateError::Garbled("upload");

impl State {
    /// Notes a new upload, which nobody works on yet.
    pub(crate) async fn insert_upload(&self, upload: &ResumableUpload) -> StateResult<()> {
        let wish = &upload.wish;
        let (token, part_size, max_parts) = match &upload.route {
            Route::Whole => ("", 0, 0),
            Route::Parts(parts) => (parts.token.as_str(), parts.part_size, parts.max_parts),
        };
        sqlx::query(
            "INSERT INTO upload (id, owner, path, metadata, content_type, modified, replaces, length, token, \
             part_size, max_parts, parts, sent, state, etag, expires, holder, leased_until) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 0, 0, 'open', NULL, $12, '', 0)",
        )
        .bind(upload.id.as_str())
        .bind(upload.owner.as_deref().unwrap_or_default())
        .bind(wish.path.as_str())
        .bind(&wish.metadata)
        .bind(&wish.content_type)
        .bind(wish.modified.map(instant::milliseconds))
        .bind(i64::from(wish.overwrite == Overwrite::Replace))
        .bind(wish.length.map(number).transpose()?)
        .bind(token)
        .bind(number(part_size)?)
        .bind(i64::from(max_parts))
        .bind(instant::milliseconds(upload.expires))
        .execute(self.pool())
        .await?;
        Ok(())
    }

    /// An upload; none if there is none of this id.
    pub(crate) async fn upload(&self, id: &UploadId) -> StateResult<Option<ResumableUpload>> {
        let row: Option<Row> = sqlx::query_as(
            "SELECT id, owner, path, metadata, content_type, modified, replaces, length, token, part_size, \
             max_parts, parts, sent, state, etag, expires FROM upload WHERE id = $1",
        )
        .bind(id.as_str())
        .fetch_optional(self.pool())
        .await?;
        row.map(Row::read).transpose()
    }

    /// How many uploads of an owner are not done.
    pub(crate) async fn count_uploads(&self, owner: Option<&str>) -> StateResult<u64> {
        let (count,): (i64,) =
            sqlx::query_as("SELECT COUNT(*) FROM upload WHERE owner = $1 AND state <> 'done'")
                .bind(owner.unwrap_or_default())
                .fetch_one(self.pool())
                .await?;
        u64::try_from(count).map_err(|_| GARBLED)
    }

    /// Makes an upload this holder's alone for a while, or for a while longer. False: it is another's, or gone.
    pub(crate) async fn lease_upload(
        &self,
        id: &UploadId,
        holder: &str,
        expires: SystemTime,
    ) -> StateResult<bool> {
        let now = instant::now();
        let leased = sqlx::query(
            "UPDATE upload SET holder = $1, leased_until = $2, \
             expires = CASE WHEN expires > $3 THEN expires ELSE $3 END \
             WHERE id = $4 AND (holder = '' OR holder = $1 OR leased_until < $5)",
        )
        .bind(holder)
        .bind(now.saturating_add(i64::try_from(LEASE.as_millis()).unwrap_or(i64::MAX)))
        .bind(instant::milliseconds(expires))
        .bind(id.as_str())
        .bind(now)
        .execute(self.pool())
        .await?;
        Ok(leased.rows_affected() == 1)
    }

    /// Lets others work on an upload.
    pub(crate) async fn leave_upload(&self, id: &UploadId, holder: &str) -> StateResult<()> {
        sqlx::query(
            "UPDATE upload SET holder = '', leased_until = 0 WHERE id = $1 AND holder = $2",
        )
        .bind(id.as_str())
        .bind(holder)
        .execute(self.pool())
        .await?;
        Ok(())
    }

    /// Ends the leases of all hosts but this one: they are known to be gone.
    pub(crate) async fn free_uploads(&self, host: &str) -> StateResult<()> {
        sqlx::query("UPDATE upload SET holder = '', leased_until = 0 WHERE holder <> $1")
            .bind(host)
            .execute(self.pool())
            .await?;
        Ok(())
    }

    /// Notes the file's size, which was not known. False: it is, or the upload is not this holder's any more.
    pub(crate) async fn set_upload_length(
        &self,
        id: &UploadId,
        holder: &str,
        length: u64,
    ) -> StateResult<bool> {
        let set = sqlx::query(
            "UPDATE upload SET length = $1 WHERE id = $2 AND holder = $3 AND length IS NULL",
        )
        .bind(number(length)?)
        .bind(id.as_str())
        .bind(holder)
        .execute(self.pool())
        .await?;
        Ok(set.rows_affected() == 1)
    }

    /// Notes the next part that the storage has. False: it is not the next one, or the upload is not this holder's any
    /// more.
    pub(crate) async fn note_upload_part(
        &self,
        id: &UploadId,
        holder: &str,
        part: &CompletedPart,
        size: u64,
    ) -> StateResult<bool> {
        let mut transaction = self.pool().begin().await?;
        let counted = sqlx::query(
            "UPDATE upload SET parts = $1, sent = sent + $2 WHERE id = $3 AND holder = $4 AND parts = $1 - 1",
        )
        .bind(i64::from(part.number))
        .bind(number(size)?)
        .bind(id.as_str())
        .bind(holder)
        .execute(&mut *transaction)
        .await?;
        if counted.rows_affected() != 1 {
            return Ok(false);
        }
        sqlx::query("INSERT INTO upload_part (upload, number, etag) VALUES ($1, $2, $3)")
            .bind(id.as_str())
            .bind(i64::from(part.number))
            .bind(&part.etag)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// The parts that the storage has, in their order.
    pub(crate) async fn upload_parts(&self, id: &UploadId) -> StateResult<Vec<CompletedPart>> {
        let rows: Vec<(i64, String)> = sqlx::query_as(
            "SELECT number, etag FROM upload_part WHERE upload = $1 ORDER BY number",
        )
        .bind(id.as_str())
        .fetch_all(self.pool())
        .await?;
        let part = |(number, etag)| {
            let number = u32::try_from(number).map_err(|_| GARBLED)?;
            Ok(CompletedPart { number, etag })
        };
        rows.into_iter().map(part).collect()
    }

    /// Notes that the storage will be asked to show the file. False: the upload is not this holder's any more.
    pub(crate) async fn begin_upload_end(&self, id: &UploadId, holder: &str) -> StateResult<bool> {
        let noted = sqlx::query(
            "UPDATE upload SET state = 'finishing' WHERE id = $1 AND holder = $2 AND state <> 'done'",
        )
        .bind(id.as_str())
        .bind(holder)
        .execute(self.pool())
        .await?;
        Ok(noted.rows_affected() == 1)
    }

    /// Notes that the file is there.
    pub(crate) async fn finish_upload(
        &self,
        id: &UploadId,
        holder: &str,
        etag: Option<&str>,
    ) -> StateResult<()> {
        sqlx::query("UPDATE upload SET state = 'done', etag = $1 WHERE id = $2 AND holder = $3")
            .bind(etag)
            .bind(id.as_str())
            .bind(holder)
            .execute(self.pool())
            .await?;
        self.forget_upload_parts(id).await
    }

    /// Forgets an upload.
    pub(crate) async fn forget_upload(&self, id: &UploadId) -> StateResult<()> {
        sqlx::query("DELETE FROM upload WHERE id = $1")
            .bind(id.as_str())
            .execute(self.pool())
            .await?;
        self.forget_upload_parts(id).await
    }

    /// Uploads that expired before this time and that nobody works on, the oldest first.
    pub(crate) async fn expired_uploads(
        &self,
        time: SystemTime,
        limit: u32,
    ) -> StateResult<Vec<UploadId>> {
        let rows: Vec<(String,)> = sqlx::query_as(
            "SELECT id FROM upload WHERE expires < $1 AND (holder = '' OR leased_until < $2) \
             ORDER BY expires, id LIMIT $3",
        )
        .bind(instant::milliseconds(time))
        .bind(instant::now())
        .bind(i64::from(limit))
        .fetch_all(self.pool())
        .await?;
        let id = |(id,): (String,)| UploadId::parse(&id).ok_or(GARBLED);
        rows.into_iter().map(id).collect()
    }

    async fn forget_upload_parts(&self, id: &UploadId) -> StateResult<()> {
        sqlx::query("DELETE FROM upload_part WHERE upload = $1")
            .bind(id.as_str())
            .execute(self.pool())
            .await?;
        Ok(())
    }
}

/// An upload as the table has it.
#[derive(FromRow)]
struct Row {
    id: String,
    owner: String,
    path: String,
    metadata: String,
    content_type: Option<String>,
    modified: Option<i64>,
    replaces: i64,
    length: Option<i64>,
    token: String,
    part_size: i64,
    max_parts: i64,
    parts: i64,
    sent: i64,
    state: String,
    etag: Option<String>,
    expires: i64,
}

impl Row {
    fn read(self) -> StateResult<ResumableUpload> {
        let count = |number: i64| u64::try_from(number).map_err(|_| GARBLED);
        let small = |number: i64| u32::try_from(number).map_err(|_| GARBLED);
        let route = match self.token.is_empty() {
            true => Route::Whole,
            false => Route::Parts(MultipartUpload {
                token: self.token,
                part_size: count(self.part_size)?,
                max_parts: small(self.max_parts)?,
            }),
        };
        Ok(ResumableUpload {
            id: UploadId::parse(&self.id).ok_or(GARBLED)?,
            owner: (!self.owner.is_empty()).then(|| Arc::from(self.owner)),
            wish: Wish {
                path: Path::parse(self.path).map_err(|_| GARBLED)?,
                metadata: self.metadata,
                content_type: self.content_type,
                modified: self.modified.map(instant::time),
                overwrite: match self.replaces {
                    0 => Overwrite::Refuse,
                    _ => Overwrite::Replace,
                },
                length: self.length.map(count).transpose()?,
            },
            route,
            parts: small(self.parts)?,
            sent: count(self.sent)?,
            stage: match self.state.as_str() {
                "open" => Stage::Open,
                "finishing" => Stage::Finishing,
                "done" => Stage::Done(self.etag),
                _ => return Err(GARBLED),
            },
            expires: instant::time(self.expires),
        })
    }
}

fn number(count: u64) -> StateResult<i64> {
    i64::try_from(count).map_err(|_| GARBLED)
}

#[cfg(test)]
mod tests;
