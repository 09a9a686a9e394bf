//! Sending calls to the service: signed, tried again, and with what the service corrects.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, SystemTime},
};

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use orlop_driver::{
    Attempt, Body, DigestAlgorithm, Error, Host, Part, Request, Response, Result, Retry,
};
use sha2::{Digest, Sha256};

use crate::{
    date,
    encode::hex,
    fault::Fault,
    operation::{Operation, Payload},
    profile::{ChecksumHeaders, PayloadHash},
    settings::{Settings, Site},
    sign::{EMPTY_PAYLOAD, Signer, UNSIGNED_PAYLOAD, Unsigned, push_query},
    xml::Unread,
};

/// The SHA-256 of a payload in base64, which the service checks and keeps.
const CHECKSUM: &str = "x-amz-checksum-sha256";
/// More than any answer to a call may hold; 1,000 keys of 1,024 encoded bytes each stay below.
const MAX_ANSWER: u64 = 8 << 20;
/// For calls that change something: hosts give them minutes, and what they would undo or repeat costs more than
/// waiting. Others keep to what fits into a host's deadline for one call.
const PATIENT: Retry = Retry {
    attempts: 6,
    base: Duration::from_millis(200),
    cap: Duration::from_secs(30),
    budget: Duration::from_secs(90),
};
/// Services refuse requests that are more than 15 minutes off.
const TOLERATED_SKEW: u64 = 10 * 60;

/// A bucket at a service.
#[derive(Debug)]
pub(crate) struct Client<H> {
    /// The network and the clock.
    pub(crate) host: H,
    /// Signs, unless the bucket is asked anonymously.
    pub(crate) signer: Option<Signer>,
    content_md5: bool,
    /// Whether whole files carry their SHA-256 for the service to check and keep.
    checksums: bool,
    /// Whether payloads are signed on https too.
    hashed: bool,
    /// Where the configuration says that the bucket is.
    configured: Arc<Site>,
    /// Where it is, as far as this instance knows.
    site: Mutex<Arc<Site>>,
    /// What the service's clock is ahead of ours, in seconds, as far as this instance knows.
    skew: AtomicI64,
}

/// The note in which instances tell each other what the service taught: how far its clock is ahead of ours, in
/// seconds, and the bucket's region, with a space between.
const LEARNED: &str = "learned";

impl<H: Host> Client<H> {
    /// A client for what the settings say.
    pub(crate) fn new(host: H, settings: &Settings) -> Self {
        let configured = Arc::new(settings.site.clone());
        Self {
            host,
            signer: settings.credentials.clone().map(Signer::new),
            content_md5: settings.profile.content_md5,
            checksums: settings.profile.checksum_headers == ChecksumHeaders::Sha256,
            hashed: settings.profile.payload_hash == PayloadHash::Sha256,
            site: Mutex::new(Arc::clone(&configured)),
            configured,
            skew: AtomicI64::new(0),
        }
    }

    /// Takes over what other instances have learned. It is for the beginning of a call: asking the host before each
    /// request would cost more than signing it.
    pub(crate) fn recall(&self) {
        let learned = self.host.recall(LEARNED);
        let Some((skew, region)) = learned.as_deref().and_then(|text| text.split_once(' ')) else {
            return;
        };
        if let Ok(skew) = skew.parse() {
            self.skew.store(skew, Ordering::Relaxed);
        }
        let mut site = self.lock();
        if region != site.region {
            *site = match region == self.configured.region {
                true => Arc::clone(&self.configured),
                false => Arc::new(self.configured.in_region(region)),
            };
        }
    }

    /// Tells other instances what this one has learned.
    fn note(&self) {
        let region = &self.site().region;
        self.host
            .note(LEARNED, &format!("{} {region}", self.skew()));
    }

    /// Where requests go now.
    pub(crate) fn site(&self) -> Arc<Site> {
        Arc::clone(&self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Arc<Site>> {
        self.site.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The time of day by the service's clock, as far as it is known.
    pub(crate) fn now(&self) -> SystemTime {
        let now = self.host.now();
        let skew = self.skew();
        let size = Duration::from_secs(skew.unsigned_abs());
        let corrected = if skew < 0 {
            now.checked_sub(size)
        } else {
            now.checked_add(size)
        };
        corrected.unwrap_or(now)
    }

    /// How far the service's clock is ahead of ours, in seconds, as far as it is known.
    pub(crate) fn skew(&self) -> i64 {
        self.skew.load(Ordering::Relaxed)
    }

    /// Whether no digest goes along with a file's parts, by which the service would see that one arrived otherwise
    /// than it was sent.
    pub(crate) fn sends_parts_bare(&self) -> bool {
        !self.content_md5 && !self.hashes()
    }

    /// The same of a file that goes in one request.
    pub(crate) fn sends_files_bare(&self) -> bool {
        self.sends_parts_bare() && !self.checksums
    }

    /// Whether what is sent is hashed for the signature.
    fn hashes(&self) -> bool {
        self.signer.is_some() && (self.hashed || !self.site().address.secure)
    }

    /// Makes a call and reads its answer, trying again what may pass.
    ///
    /// # Errors
    /// The [`Fault`] of the last try.
    pub(crate) async fn call<T>(
        &self,
        operation: &Operation<'_, H::Part>,
        read: impl Fn(&Response) -> Result<T, Unread>,
    ) -> Result<T, Fault> {
        let mut value = None;
        let mut take = |response: &Response| {
            value = Some(read(response)?);
            Ok(())
        };
        // All calls share the one machine below: a copy for each would make the component twice as large.
        self.perform(operation, &mut take).await?;
        value.ok_or_else(|| Fault::unanswered(Error::Other("the answer was not read".to_owned())))
    }

    async fn perform(
        &self,
        operation: &Operation<'_, H::Part>,
        read: Reader<'_>,
    ) -> Result<(), Fault> {
        let digests = self
            .digests(&operation.payload)
            .await
            .map_err(Fault::unanswered)?;
        let retry = match operation.patient {
            true => PATIENT,
            false => Retry::default(),
        };
        let outcome = retry
            .run(&self.host, async |attempt| {
                match self.attempt(operation, &digests, read).await {
                    Ok(()) => Attempt::Over(Ok(Ok(()))),
                    Err(fault) if fault.is_retryable() => {
                        Attempt::Again(fault.error, fault.retry_after)
                    }
                    Err(fault) => Attempt::Over(Ok(Err(Fault {
                        attempts: attempt,
                        ..fault
                    }))),
                }
            })
            .await;
        outcome.unwrap_or_else(|error| Err(Fault::unanswered(error)))
    }

    /// One try. A wrong clock and a wrong region are mended on the way, each once.
    async fn attempt(
        &self,
        operation: &Operation<'_, H::Part>,
        digests: &Digests,
        read: Reader<'_>,
    ) -> Result<(), Fault> {
        let mut clock_mended = false;
        let mut left = None;
        loop {
            let site = self.site();
            let now = self.now();
            let request = self.request(operation, &site, digests, now);
            let response = match self.host.fetch(request, MAX_ANSWER).await {
                Ok(response) => response,
                Err(error) => {
                    // The right region's own host may be one that the operator did not grant: then it is
                    // the region that has to be said.
                    return Err(match (error, left) {
                        (Error::Blocked(_), Some((site, fault))) => {
                            self.move_to(site);
                            fault
                        }
                        (error, _) => Fault::unanswered(error),
                    });
                }
            };
            let fault = match interpret(&response, operation, read) {
                Ok(()) => return Ok(()),
                Err(fault) => fault,
            };
            if !clock_mended && self.mend_clock(&fault, now) {
                clock_mended = true;
            } else if left.is_none() && self.mend_region(&fault, &site) {
                left = Some((site, fault));
            } else {
                return Err(fault);
            }
        }
    }

    fn request<'a>(
        &self,
        operation: &Operation<'a, H::Part>,
        site: &Site,
        digests: &Digests,
        now: SystemTime,
    ) -> Request<'a, H::Part> {
        let address = &site.address;
        let path = address.path(operation.key);
        let query: Vec<_> = operation
            .query
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let mut url = format!("{}{}{path}", address.scheme(), address.authority);
        if !query.is_empty() {
            url.push('?');
            push_query(&mut url, &query);
        }

        let mut headers: Vec<_> = operation
            .headers
            .iter()
            .map(|(name, value)| (name.clone().into_owned(), value.clone()))
            .collect();
        if let Some((name, value)) = &digests.header {
            headers.push(((*name).to_owned(), value.clone()));
        }
        if let Some(signer) = &self.signer {
            // Others may be changed on the way.
            let mut signed: Vec<_> = operation
                .headers
                .iter()
                .map(|(name, value)| (name.as_ref(), value.as_str()))
                .filter(|(name, _)| {
                    name.starts_with("x-amz-") || matches!(*name, "content-type" | "content-md5")
                })
                .collect();
            let digest = digests.header.as_ref();
            signed.extend(digest.map(|(name, value)| (*name, value.as_str())));
            let unsigned = Unsigned {
                method: operation.method,
                site,
                path: &path,
                query: &query,
                headers: &signed,
            };
            let added = signer.headers(&unsigned, &digests.payload, now);
            headers.extend(
                added
                    .into_iter()
                    .map(|(name, value)| (name.to_owned(), value)),
            );
        }
        Request {
            method: operation.method.to_owned(),
            url,
            headers,
            body: match &operation.payload {
                Payload::Empty => Body::Empty,
                Payload::Document(text) => Body::Bytes(text.clone().into_bytes()),
                Payload::Whole(part) | Payload::Part(part) => Body::Part(part),
            },
        }
    }

    /// The digests that protect a payload. On https that is an MD5, since the connection keeps it from being
    /// changed on purpose; on http, and where the service wants it anyway, the SHA-256 that is signed. Where the
    /// service keeps checksums, the SHA-256 does for both.
    async fn digests(&self, payload: &Payload<'_, H::Part>) -> Result<Digests> {
        let hashed = self.hashes();
        let signed = |sha256: &[u8]| match hashed {
            true => hex(sha256),
            false => UNSIGNED_PAYLOAD.to_owned(),
        };
        Ok(match payload {
            Payload::Empty => Digests {
                payload: EMPTY_PAYLOAD.to_owned(),
                header: None,
            },
            Payload::Document(text) => Digests {
                payload: match hashed {
                    true => hex(&Sha256::digest(text)),
                    false => UNSIGNED_PAYLOAD.to_owned(),
                },
                header: None,
            },
            Payload::Whole(part) if self.checksums => {
                let sha256 = part.digest(DigestAlgorithm::Sha256).await?;
                Digests {
                    payload: signed(&sha256),
                    header: Some((CHECKSUM, BASE64.encode(&sha256))),
                }
            }
            Payload::Whole(part) | Payload::Part(part) if hashed => Digests {
                payload: signed(&part.digest(DigestAlgorithm::Sha256).await?),
                header: None,
            },
            Payload::Whole(part) | Payload::Part(part) => Digests {
                payload: UNSIGNED_PAYLOAD.to_owned(),
                header: match self.content_md5 {
                    true => {
                        let md5 = part.digest(DigestAlgorithm::Md5).await?;
                        Some(("content-md5", BASE64.encode(md5)))
                    }
                    false => None,
                },
            },
        })
    }

    /// Takes over the service's clock if that is what it complained about. The answer to a HEAD has no
    /// code, so there it is the difference that tells.
    fn mend_clock(&self, fault: &Fault, sent: SystemTime) -> bool {
        let Some(theirs) = fault.clock.filter(|_| self.signer.is_some()) else {
            return false;
        };
        let off = theirs.abs_diff(date::seconds(sent));
        let unsaid = fault.code.is_empty() && matches!(fault.status, 400 | 403);
        let skewed = fault.is_about_time() || (unsaid && off > TOLERATED_SKEW);
        if !skewed {
            return false;
        }
        let theirs = i64::try_from(theirs).unwrap_or(i64::MAX);
        let ours = i64::try_from(date::seconds(self.host.now())).unwrap_or(i64::MAX);
        self.skew
            .store(theirs.saturating_sub(ours), Ordering::Relaxed);
        self.note();
        true
    }

    /// Goes over to the region that the service named, for good.
    fn mend_region(&self, fault: &Fault, site: &Site) -> bool {
        let refused = matches!(fault.status, 301 | 302 | 307 | 308 | 400 | 403);
        let Some(region) = fault.region.as_deref().filter(|_| refused) else {
            return false;
        };
        let moved = site.in_region(region);
        // Without a signature the region shows in the host alone.
        let differs = match self.signer {
            Some(_) => moved != *site,
            None => moved.address != site.address,
        };
        if differs {
            self.move_to(Arc::new(moved));
        }
        differs
    }

    fn move_to(&self, site: Arc<Site>) {
        *self.lock() = site;
        self.note();
    }
}

/// What is said of a payload in the request's head.
struct Digests {
    payload: String,
    header: Option<(&'static str, String)>,
}

/// Takes what a call was made for out of its answer.
type Reader<'a> = &'a mut dyn FnMut(&Response) -> Result<(), Unread>;

fn interpret<P: Part>(
    response: &Response,
    operation: &Operation<'_, P>,
    read: Reader<'_>,
) -> Result<(), Fault> {
    if !response.is_success() {
        return Err(Fault::answered(response, None, &operation.summary()));
    }
    read(response).map_err(|unread| match unread {
        Unread::Fault(document) => Fault::answered(response, Some(document), &operation.summary()),
        Unread::CutShort => Fault::cut_short(response, &operation.summary()),
        Unread::Garbled(found) => Fault::garbled(response, &found, &operation.summary()),
    })
}
