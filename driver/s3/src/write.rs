//! Writing files and making directories.

use std::borrow::Cow;

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use futures::{StreamExt, stream};
use orlop_driver::{
    CompletedPart, DigestAlgorithm, Entry, Error, Host, Part, Path, Precondition, Result, Upload,
    WriteOptions,
};

use crate::{
    config::Encryption,
    driver::S3,
    encode::hex,
    fault::Fault,
    flight, key,
    object::{self, Head, Written},
    operation::{Operation, Payload},
    profile::Addressing,
    xml::listing::Object,
};

/// Where a file goes and what it is kept with.
struct Target<'a> {
    key: String,
    headers: Vec<(Cow<'static, str>, String)>,
    precondition: &'a Precondition,
}

/// The media type of a file that came without one: services would each choose their own.
const BYTES: &str = "application/octet-stream";

/// How large the parts of an upload are.
enum PartSizes<P> {
    /// All but the last are of this size.
    Equal(u64),
    /// Nobody knows how many there will be: they grow from the first one, which is here already, as far as the
    /// service lets them.
    Growing(P),
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
        let content_type = upload.content_type().unwrap_or_else(|| BYTES.to_owned());
        let mut kept: Vec<_> = options
            .extra
            .iter()
            .filter_map(|(name, value)| Some((object::header_of(name, value)?, value.clone())))
            .collect();
        // The time that a client once kept with the file says more than when some storage wrote it.
        if let Some(modified) = options.modified
            && !kept.iter().any(|(name, _)| name == object::MTIME)
        {
            kept.push((object::MTIME.into(), object::mtime(modified)));
        }
        let configured = self.settings.storage_headers.iter();
        let mut headers = vec![("content-type".into(), content_type.clone())];
        headers.extend(kept.iter().cloned());
        headers.extend(configured.map(|(name, value)| (Cow::Borrowed(*name), value.clone())));
        let target = Target {
            key: self.new_key(path)?,
            headers,
            precondition: &options.precondition,
        };
        let (size, written) = match upload.size() {
            Some(size) if size < self.settings.multipart_threshold || size == 0 => {
                let part = upload.next(size.max(1)).await?;
                self.put_whole(&target, part.as_ref()).await?
            }
            Some(size) => {
                let part_size = self.part_size_for(size, self.settings.part_size)?;
                self.put_in_parts(&target, &upload, PartSizes::Equal(part_size))
                    .await?
            }
            // The first part tells whether there is more than one.
            None => {
                let part_size = self.settings.part_size;
                match upload.next(part_size).await? {
                    Some(first) if first.size() == part_size => {
                        self.put_in_parts(&target, &upload, PartSizes::Growing(first))
                            .await?
                    }
                    part => self.put_whole(&target, part.as_ref()).await?,
                }
            }
        };
        if written.etag.is_none()
            && let Ok(Some(head)) = self.client.head(&target.key).await
        {
            return Ok(head.entry(path.name()));
        }
        // The file is written. Looking would cost another request, and would tell the same.
        let object = Object {
            size,
            etag: written.etag,
            modified: written.modified,
            storage_class: self
                .settings
                .storage_class()
                .filter(|class| *class != "STANDARD")
                .map(str::to_owned),
            ..Object::default()
        };
        Ok(object.kept_entry(path.name(), Some(content_type), &kept))
    }

    /// Makes a directory by the object that keeps it.
    pub(crate) async fn create_directory(&self, path: &Path) -> Result<Entry> {
        if path.is_root() {
            return Err(Error::AlreadyExists);
        }
        let prefix = self.new_key(path)? + "/";
        if self.has_keys(&prefix).await? {
            return Err(Error::AlreadyExists);
        }
        let key = prefix + &self.settings.placeholder;
        let operation = Operation::on_object("PUT", &key);
        self.client.call(&operation, |_| Ok(())).await?;
        Ok(Entry::directory(path.name()))
    }

    /// Writes an object in one request, and tells its size and what came of it.
    async fn put_whole(
        &self,
        target: &Target<'_>,
        part: Option<&PartOf<H>>,
    ) -> Result<(u64, Written)> {
        if part.is_none() && target.key.ends_with('/') {
            return Err(Error::InvalidArgument(
                "an empty object of this name would be a directory".to_owned(),
            ));
        }
        if !self.settings.profile.conditional_put {
            self.check_precondition(target).await?;
        }
        let size = part.map_or(0, Part::size);
        match self
            .put(target, part, self.condition(target.precondition))
            .await
        {
            Ok(written) => Ok((size, written)),
            Err(fault) if fault.error == Error::PreconditionFailed => {
                let written = self.put_after_refusal(target, part, fault.attempts).await?;
                Ok((size, written))
            }
            Err(fault) if fault.is_missing() && *target.precondition != Precondition::None => {
                Err(Error::PreconditionFailed)
            }
            Err(fault) if self.hides_writes(&fault) => Err(Error::config(
                "addressing",
                "the service seems to want the bucket's name in the host: set it to \"virtual-host\"",
            )),
            Err(fault) => Err(fault.into()),
        }
    }

    /// Whether a new object was refused as a missing one. That is how Huawei's OBS answers where the bucket is in the
    /// path: it lists all the same (obs_errorcode_0014).
    pub(crate) fn hides_writes(&self, fault: &Fault) -> bool {
        fault.is_missing() && self.settings.addressing == Addressing::Path
    }

    async fn put(
        &self,
        target: &Target<'_>,
        part: Option<&PartOf<H>>,
        condition: Option<(&'static str, String)>,
    ) -> Result<Written, Fault> {
        let operation = Operation::on_object("PUT", &target.key)
            .headers(target.headers.iter().cloned())
            .headers(condition)
            .payload(part.map_or(Payload::Empty, Payload::Whole));
        let written = self
            .client
            .call(&operation, |response| Ok(Written::read(response)))
            .await?;
        if let (Some(part), Some(etag), true) =
            (part, &written.etag, self.client.sends_files_bare())
        {
            self.check_arrival(part, etag).await?;
        }
        Ok(written)
    }

    /// Holds what the service says that it keeps against what was sent, where ETags are MD5s.
    async fn check_arrival(&self, part: &PartOf<H>, etag: &str) -> Result<(), Fault> {
        let settings = &self.settings;
        let encrypts = settings
            .storage_headers
            .iter()
            .any(|(_, value)| value == Encryption::Kms.name());
        let etag = etag.trim_matches('"');
        let is_md5 = etag.len() == 32 && etag.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !settings.profile.etag_is_md5 || encrypts || !is_md5 {
            return Ok(());
        }
        let md5 = part.digest(DigestAlgorithm::Md5).await;
        match etag.eq_ignore_ascii_case(&hex(&md5.map_err(Fault::unanswered)?)) {
            true => Ok(()),
            false => Err(Fault::unanswered(Error::Other(
                "the service keeps other bytes than were sent: write the file again, or set `etag_is_md5` to false if \
                 the service's ETags are no MD5s"
                    .to_owned(),
            ))),
        }
    }

    /// Looks whether a refusal was right. After a second try, what stands in the way may be what the first one
    /// wrote; and Ceph takes an ETag only without its quotes.
    async fn put_after_refusal(
        &self,
        target: &Target<'_>,
        part: Option<&PartOf<H>>,
        attempts: u32,
    ) -> Result<Written> {
        let wanted = match target.precondition {
            Precondition::Matches(etag) => Some(etag),
            Precondition::None | Precondition::Absent => None,
        };
        if attempts == 1 && wanted.is_none() {
            return Err(Error::PreconditionFailed);
        }
        let head = self.client.head(&target.key).await?;
        let head = head.ok_or(Error::PreconditionFailed)?;
        if attempts > 1 && holds(&head, part).await? {
            return Ok(Written {
                etag: head.object.etag,
                modified: head.object.modified,
            });
        }
        match wanted {
            Some(etag) if head.object.etag.as_ref() == Some(etag) => {
                let unquoted = etag.trim_matches('"').to_owned();
                Ok(self.put(target, part, Some(("if-match", unquoted))).await?)
            }
            _ => Err(Error::PreconditionFailed),
        }
    }

    /// Writes an object in parts, several at a time, and tells its size. Nothing stays behind if it fails.
    async fn put_in_parts(
        &self,
        target: &Target<'_>,
        upload: &H::Upload,
        sizes: PartSizes<PartOf<H>>,
    ) -> Result<(u64, Written)> {
        // Better known now than after the last byte. And not all services look when the parts are put together.
        self.check_precondition(target).await?;
        let headers = target.headers.iter().cloned();
        let id = self.create_upload(&target.key, headers).await?;
        let outcome = async {
            let (parts, size) = self.send_parts(&target.key, &id, upload, sizes).await?;
            let condition = self.condition(target.precondition);
            let written = self
                .finish_upload(&target.key, &id, &parts, condition, Some(size))
                .await?;
            Ok((size, written))
        }
        .await;
        match &outcome {
            Ok(_) => self.sweep_once().await,
            // The first error is the one to tell.
            Err(_) => drop(self.drop_upload(&target.key, &id).await),
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
        sizes: PartSizes<PartOf<H>>,
    ) -> Result<(Vec<CompletedPart>, u64)> {
        let settings = &self.settings;
        let most = settings.profile.parts_max;
        let (first, size_after): (_, Box<dyn Fn(u32) -> u64>) = match sizes {
            PartSizes::Equal(size) => (None, Box::new(move |_| size)),
            PartSizes::Growing(first) => {
                let size = first.size();
                (
                    Some(first),
                    Box::new(move |done| settings.part_size_after(done, size)),
                )
            }
        };
        let size_after = &*size_after;
        let begun = u32::from(first.is_some());
        let rest = stream::try_unfold(begun, |done| async move {
            if done >= most {
                // One byte more is one too many.
                return match upload.next(1).await? {
                    Some(_) => Err(Error::TooLarge(settings.unknown_size_max())),
                    None => Ok(None),
                };
            }
            let part = upload.next(size_after(done)).await?;
            Ok::<_, Error>(part.map(|part| ((done + 1, part), done + 1)))
        });
        let jobs = stream::iter(first.map(|part| Ok((1, part))))
            .chain(rest)
            .map(|part| async move {
                let (number, part) = part?;
                let etag = self.send_part(key, id, number, &part).await?;
                if self.client.sends_parts_bare() {
                    self.check_arrival(&part, &etag).await?;
                }
                Ok::<_, Error>((CompletedPart { number, etag }, part.size()))
            });
        let mut sent = flight::run(jobs, settings.upload_concurrency).await?;
        sent.sort_unstable_by_key(|(part, _)| part.number);
        let size = sent.iter().map(|(_, size)| size).sum();
        Ok((sent.into_iter().map(|(part, _)| part).collect(), size))
    }

    /// The key for something new at `path`.
    pub(crate) fn new_key(&self, path: &Path) -> Result<String> {
        let key = key::of_file(path).map_err(|error| match error {
            Error::NotFound => Error::InvalidArgument("no object can have this name".to_owned()),
            error => error,
        })?;
        self.settings.admit(&key)?;
        Ok(key)
    }

    /// The headers that make the service check a precondition, if it is known to.
    pub(crate) fn condition(&self, precondition: &Precondition) -> Option<(&'static str, String)> {
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
