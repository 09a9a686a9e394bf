//! Uploads straight from a client to the service.

use std::time::Duration;

use orlop_driver::{
    CompletedPart, Entry, Error, Host, LinkUploadOptions, MultipartUpload, Path, Precondition,
    Result, SignedRequest, UploadLink,
};
use serde::{Deserialize, Serialize};

use crate::{cursor, driver::S3, key, object, sign::Unsigned};

/// Part size for a file of unknown size: 10,000 of them hold 625 GiB.
const UNKNOWN_PART_SIZE: u64 = 64 << 20;

/// What a token says.
#[derive(Debug, Serialize, Deserialize)]
struct Token {
    upload: String,
    /// How long links are good, in seconds.
    life: u64,
    /// Whether no file may be there when this one becomes visible.
    new: bool,
    /// The file's size, if it was known.
    size: Option<u64>,
}

impl<H: Host> S3<H> {
    /// Begins an upload.
    pub(crate) async fn upload_link(
        &self,
        path: &Path,
        options: &LinkUploadOptions,
    ) -> Result<UploadLink> {
        let key = self.new_key(path)?;
        let life = self.link_life(options.expires)?;
        let content_type = options.content_type.clone();
        let mtime = options.modified.map(object::mtime);
        let headers: Vec<_> = content_type
            .map(|value| ("content-type", value))
            .into_iter()
            .chain(mtime.map(|time| (object::MTIME, time)))
            .chain(self.settings.storage_headers.iter().cloned())
            .collect();
        let threshold = self.settings.multipart_threshold;
        if let Some(size) = options.size
            && (size < threshold || size == 0)
        {
            let condition = self.condition(&precondition(options.must_be_new));
            let headers: Vec<_> = headers
                .iter()
                .chain(&condition)
                .map(|(name, value)| (*name, value.as_str()))
                .collect();
            let request = self.presign("PUT", &key, &[], &headers, life)?;
            return Ok(UploadLink::Single(request));
        }
        if self.client.signer.is_none() {
            return Err(unsigned());
        }
        let part_size = match options.size {
            Some(size) => self.part_size_for(size, self.settings.part_size)?,
            None => self.settings.part_size.max(UNKNOWN_PART_SIZE),
        };
        let token = Token {
            upload: self.create_upload(&key, headers).await?,
            life: life.as_secs(),
            new: options.must_be_new,
            size: options.size,
        };
        Ok(UploadLink::Multipart(MultipartUpload {
            token: cursor::write(&token)?,
            part_size,
            max_parts: self.settings.profile.parts_max,
        }))
    }

    /// Signs parts.
    pub(crate) fn part_links(
        &self,
        path: &Path,
        token: &str,
        first: u32,
        count: u32,
    ) -> Result<Vec<SignedRequest>> {
        let token: Token = cursor::read(token)?;
        let key = key::of_file(path)?;
        let most = self.settings.profile.parts_max;
        let end = first
            .checked_add(count)
            .filter(|end| end - 1 <= most && first >= 1 && count <= 1000);
        let Some(end) = end else {
            return Err(Error::InvalidArgument(format!(
                "parts are numbered from 1 to {most}, at most 1000 at a time"
            )));
        };
        // Since the upload began, the credentials may have come nearer to their end.
        let life = self.link_life(Some(Duration::from_secs(token.life)))?;
        (first..end)
            .map(|number| {
                let number = number.to_string();
                let query = [
                    ("partNumber", number.as_str()),
                    ("uploadId", token.upload.as_str()),
                ];
                self.presign("PUT", &key, &query, &[], life)
            })
            .collect()
    }

    /// Puts the parts together.
    pub(crate) async fn complete_linked(
        &self,
        path: &Path,
        token: &str,
        parts: &[CompletedPart],
    ) -> Result<Entry> {
        let token: Token = cursor::read(token)?;
        let key = key::of_file(path)?;
        let mut parts = parts.to_vec();
        parts.sort_unstable_by_key(|part| part.number);
        parts.dedup_by_key(|part| part.number);
        if parts.is_empty() || parts.first().is_some_and(|part| part.number == 0) {
            return Err(Error::InvalidArgument(
                "an upload has parts, numbered from 1".to_owned(),
            ));
        }
        let condition = self.condition(&precondition(token.new));
        if token.new && condition.is_none() && self.client.head(&key).await?.is_some() {
            let done = self.put_together(path, &key, &token, &parts).await?;
            return done.ok_or(Error::PreconditionFailed);
        }
        let finished = self
            .finish_upload(&key, &token.upload, &parts, condition, None)
            .await;
        let Err(fault) = finished else {
            let head = self.client.head(&key).await?.ok_or(Error::NotFound)?;
            return Ok(head.entry(path.name()));
        };
        let failure = match &*fault.code {
            "NoSuchUpload" => {
                Error::InvalidArgument("the upload is over or was aborted".to_owned())
            }
            _ => fault.into(),
        };
        let may_be_done = matches!(
            failure,
            Error::InvalidArgument(_) | Error::PreconditionFailed
        );
        match may_be_done {
            true => self.put_together(path, &key, &token, &parts).await?,
            false => None,
        }
        .ok_or(failure)
    }

    /// The file, if an earlier call put it together: its answer may have been lost.
    async fn put_together(
        &self,
        path: &Path,
        key: &str,
        token: &Token,
        parts: &[CompletedPart],
    ) -> Result<Option<Entry>> {
        let Some(head) = self.client.head(key).await? else {
            return Ok(None);
        };
        let is_ours = match self.expected_etag(parts) {
            Some(expected) => head.object.etag == Some(expected),
            // Another object may have the same size, but then the upload is not over.
            None => {
                token.size == Some(head.object.size) && self.is_over(key, &token.upload).await?
            }
        };
        Ok(is_ours.then(|| head.entry(path.name())))
    }

    /// Throws the parts away.
    pub(crate) async fn abort_linked(&self, path: &Path, token: &str) -> Result<()> {
        let token: Token = cursor::read(token)?;
        Ok(self
            .drop_upload(&key::of_file(path)?, &token.upload)
            .await?)
    }

    /// A request that its URL signs. The headers have to be sent with it.
    fn presign(
        &self,
        method: &str,
        key: &str,
        query: &[(&'static str, &str)],
        headers: &[(&str, &str)],
        life: Duration,
    ) -> Result<SignedRequest> {
        let signer = self.client.signer.as_ref().ok_or_else(unsigned)?;
        let site = self.client.site();
        let request = Unsigned {
            method,
            site: &site,
            path: &site.address.path(Some(key)),
            query,
            headers,
        };
        Ok(SignedRequest {
            method: method.to_owned(),
            url: signer.url(&request, life, self.client.now()),
            headers: headers
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            expires: self.client.host.now().checked_add(life),
        })
    }
}

fn precondition(must_be_new: bool) -> Precondition {
    match must_be_new {
        true => Precondition::Absent,
        false => Precondition::None,
    }
}

fn unsigned() -> Error {
    Error::Unsupported("links for uploads need an access key".to_owned())
}
