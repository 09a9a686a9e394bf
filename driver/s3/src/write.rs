//! Writing files and making directories.

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use futures::{StreamExt, stream};
use orlop_driver::{
    CompletedPart, DigestAlgorithm, Entry, Error, Host, Part, Path, Precondition, Result, Upload,
    WriteOptions,
};

use crate::{
    driver::S3,
    encode::hex,
    flight, key,
    object::{self, Head},
    operation::{Operation, Payload},
    xml::listing::etag,
};

/// Where a file goes and what it is kept with.
struct Target<'a> {
    key: String,
    headers: Vec<(&'static str, String)>,
    precondition: &'a Precondition,
}

type PartOf<H> = <H as Host>::Part;

impl<H: Host> S3<H> {
    /// Writes a file from an upload.
    pub(crate) async fn write_file(
        &self,
        path: &Path,
        upload: H::Upload,
        options: &WriteOptions,
    ) -> Result<Entry> {
        let content_type = upload.content_type();
        let mtime = options.modified.map(object::mtime);
        let target = Target {
            key: new_key(path)?,
            headers: [
                ("content-type", content_type.clone()),
                (object::MTIME, mtime),
            ]
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
            .collect(),
            precondition: &options.precondition,
        };
        let (size, etag) = match upload.size() {
            Some(size) if size < self.settings.multipart_threshold || size == 0 => {
                let part = upload.next(size.max(1)).await?;
                self.put_whole(&target, part.as_ref()).await?
            }
            Some(size) => {
                let part_size = self.settings.part_size_for(size, self.settings.part_size);
                self.put_in_parts(&target, &upload, None, part_size).await?
            }
            // The first part tells whether there is more than one.
            None => {
                let part_size = self.settings.part_size;
                match upload.next(part_size).await? {
                    Some(first) if first.size() == part_size => {
                        self.put_in_parts(&target, &upload, Some(first), part_size)
                            .await?
                    }
                    part => self.put_whole(&target, part.as_ref()).await?,
                }
            }
        };
        Ok(match self.client.head(&target.key).await {
            Ok(Some(head)) => head.entry(path.name()),
            // The file is written. Who may write but not look gets what is known without looking.
            _ => Entry {
                etag,
                content_type,
                ..Entry::file(path.name(), size)
            },
        })
    }

    /// Makes a directory by the object that keeps it.
    pub(crate) async fn create_directory(&self, path: &Path) -> Result<Entry> {
        if path.is_root() {
            return Err(Error::AlreadyExists);
        }
        let prefix = new_key(path)? + "/";
        if self.has_keys(&prefix).await? {
            return Err(Error::AlreadyExists);
        }
        let key = prefix + &self.settings.placeholder;
        let operation = Operation::on_object("PUT", &key);
        self.client.call(&operation, |_| Ok(())).await?;
        Ok(Entry::directory(path.name()))
    }

    /// Writes an object in one request, and tells its size and ETag.
    async fn put_whole(
        &self,
        target: &Target<'_>,
        part: Option<&PartOf<H>>,
    ) -> Result<(u64, Option<String>)> {
        if part.is_none() && target.key.ends_with('/') {
            return Err(Error::InvalidArgument(
                "an empty object of this name would be a directory".to_owned(),
            ));
        }
        if !self.settings.profile.conditional_put {
            self.check_precondition(target).await?;
        }
        let operation = Operation::on_object("PUT", &target.key)
            .headers(target.headers.iter().cloned())
            .headers(self.condition(target.precondition))
            .payload(part.map_or(Payload::Empty, Payload::Part));
        let written = self
            .client
            .call(&operation, |response| {
                Ok(response.header("etag").and_then(etag))
            })
            .await;
        let size = part.map_or(0, Part::size);
        match written {
            Ok(etag) => Ok((size, etag)),
            // What stands in the way after a second try may be what the first one wrote.
            Err(fault) if fault.error == Error::PreconditionFailed && fault.attempts > 1 => {
                let head = self
                    .client
                    .head(&target.key)
                    .await?
                    .ok_or(Error::PreconditionFailed)?;
                if holds(&head, part).await? {
                    Ok((size, head.object.etag))
                } else {
                    Err(Error::PreconditionFailed)
                }
            }
            Err(fault) if fault.is_missing() && *target.precondition != Precondition::None => {
                Err(Error::PreconditionFailed)
            }
            Err(fault) => Err(fault.into()),
        }
    }

    /// Writes an object in equal parts, several at a time, and tells its size. Nothing stays behind if it
    /// fails.
    async fn put_in_parts(
        &self,
        target: &Target<'_>,
        upload: &H::Upload,
        first: Option<PartOf<H>>,
        part_size: u64,
    ) -> Result<(u64, Option<String>)> {
        // Better known now than after the last byte.
        self.check_precondition(target).await?;
        let headers = target.headers.iter().cloned();
        let id = self.create_upload(&target.key, headers).await?;
        let outcome = async {
            let (parts, size) = self
                .send_parts(&target.key, &id, upload, first, part_size)
                .await?;
            let condition = self.condition(target.precondition);
            let etag = self
                .finish_upload(&target.key, &id, &parts, condition, Some(size))
                .await?;
            Ok((size, etag))
        }
        .await;
        if outcome.is_err() {
            // The first error is the one to tell.
            let _ = self.drop_upload(&target.key, &id).await;
        }
        outcome
    }

    /// Sends the parts as they come. The next one is asked for while others are on their way, since the host
    /// may hold it back until one of those is released.
    async fn send_parts(
        &self,
        key: &str,
        id: &str,
        upload: &H::Upload,
        first: Option<PartOf<H>>,
        part_size: u64,
    ) -> Result<(Vec<CompletedPart>, u64)> {
        let most = self.settings.profile.parts_max;
        let rest = stream::try_unfold(upload, |upload| async move {
            let part = upload.next(part_size).await?;
            Ok::<_, Error>(part.map(|part| (part, upload)))
        });
        let jobs = stream::iter(first.map(Ok))
            .chain(rest)
            .zip(stream::iter(1_u32..))
            .map(|(part, number)| async move {
                let part = part?;
                if number > most {
                    return Err(Error::TooLarge(part_size.saturating_mul(u64::from(most))));
                }
                let etag = self.send_part(key, id, number, &part).await?;
                Ok((CompletedPart { number, etag }, part.size()))
            });
        let mut sent = flight::run(jobs, self.settings.upload_concurrency).await?;
        sent.sort_unstable_by_key(|(part, _)| part.number);
        let size = sent.iter().map(|(_, size)| size).sum();
        Ok((sent.into_iter().map(|(part, _)| part).collect(), size))
    }

    /// The headers that make the service check a precondition, if it is known to.
    fn condition(&self, precondition: &Precondition) -> Option<(&'static str, String)> {
        if !self.settings.profile.conditional_put {
            return None;
        }
        match precondition {
            Precondition::None => None,
            Precondition::Absent => Some(("if-none-match", "*".to_owned())),
            Precondition::Matches(etag) => Some(("if-match", etag.clone())),
        }
    }

    /// Checks a precondition by looking. Another writer may still come in between.
    async fn check_precondition(&self, target: &Target<'_>) -> Result<()> {
        let holds = match target.precondition {
            Precondition::None => true,
            Precondition::Absent => self.client.head(&target.key).await?.is_none(),
            Precondition::Matches(wanted) => self
                .client
                .head(&target.key)
                .await?
                .is_some_and(|head| wanted == "*" || head.object.etag.as_ref() == Some(wanted)),
        };
        if holds {
            Ok(())
        } else {
            Err(Error::PreconditionFailed)
        }
    }
}

/// The key for something new at `path`.
pub(crate) fn new_key(path: &Path) -> Result<String> {
    key::of_file(path).map_err(|error| match error {
        Error::NotFound => Error::InvalidArgument("no object can have this name".to_owned()),
        error => error,
    })
}

/// Whether an object is what a part would have made of it.
async fn holds(head: &Head, part: Option<&impl Part>) -> Result<bool> {
    let etag = head
        .object
        .etag
        .as_deref()
        .map(|etag| etag.trim_matches('"'));
    Ok(match part {
        None => head.object.size == 0,
        Some(part) if part.size() != head.object.size => false,
        Some(part) => {
            let md5 = part.digest(DigestAlgorithm::Md5).await?;
            etag == Some(&hex(&md5)) || etag == Some(&BASE64.encode(&md5))
        }
    })
}
