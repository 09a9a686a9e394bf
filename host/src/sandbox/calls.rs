//! The calls of the contract, one by one.

use std::time::Duration;

use futures::{StreamExt, stream};
use wasmtime::AsContextMut;

use super::{
    bindings::exports::orlop::driver::storage,
    convert,
    pool::{Answered, Patience, Place, Pool},
    spans::Spanned,
    stream::{GuestBytes, take},
    uploads::LentUpload,
};
use crate::{
    CompletedPart, Entry, FaultKind, Finding, Kind, Link, LinkUploadOptions, Outcome, Page, Path,
    Plan, ReadOptions, Result, SignedRequest, Step, Upload, UploadLink, WriteOptions,
    activity::Activity,
    part::{Cutter, PartBudget},
};

/// What a read gives.
pub(crate) enum Content {
    Link(Link),
    Stream(GuestBytes),
}

/// What a read gives, out of the instance and not yet checked.
enum Taken {
    Link(storage::Link),
    Stream(GuestBytes, Spanned),
}

/// Checks a driver's answer.
fn checked<T, R>(
    pool: &Pool,
    answer: Answered<T>,
    lift: impl FnOnce(T) -> convert::Checked<R>,
) -> Result<R> {
    lift(answer.value).map_err(|kind| pool.bad_answer(kind))
}

fn unsupported(what: &str) -> Outcome {
    Outcome::Unsupported(format!("the driver cannot {what}"))
}

impl Pool {
    pub(crate) async fn check(&self, scratch: Option<&Path>) -> Result<Vec<Finding>> {
        let scratch = scratch.map(|path| path.as_str().to_owned());
        let answer = self
            .call("check", Patience::Deadline, move |accessor, live| {
                Box::pin(async move {
                    live.exports
                        .storage
                        .check
                        .call(accessor, (live.volume, scratch))
                        .await
                })
            })
            .await?;
        checked(self, answer, |findings| {
            Ok(findings.into_iter().map(convert::lift_finding).collect())
        })
    }

    pub(crate) async fn stat(&self, path: &Path, want: Option<Kind>) -> Result<Entry> {
        let text = path.as_str().to_owned();
        let answer = self
            .call("stat", Patience::Deadline, move |accessor, live| {
                Box::pin(async move {
                    live.exports
                        .storage
                        .stat
                        .call(accessor, (live.volume, text, want.map(convert::lower_kind)))
                        .await
                })
            })
            .await?;
        checked(self, answer, |entry| {
            let entry = convert::lift_named(entry, path.name());
            match want {
                Some(want) if want != entry.kind => Err(FaultKind::BadAnswer(
                    "an entry is not of the kind that was asked for".to_owned(),
                )),
                _ => Ok(entry),
            }
        })
    }

    pub(crate) async fn list(
        &self,
        directory: &Path,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<Page> {
        let directory = directory.as_str().to_owned();
        let cursor = cursor.map(str::to_owned);
        let answer = self
            .call("list", Patience::Deadline, move |accessor, live| {
                Box::pin(async move {
                    live.exports
                        .storage
                        .list
                        .call(accessor, (live.volume, directory, cursor, limit))
                        .await
                })
            })
            .await?;
        checked(self, answer, |page| convert::lift_page(page, limit))
    }

    pub(crate) async fn read(&self, path: &Path, options: &ReadOptions) -> Result<Content> {
        let path = path.as_str().to_owned();
        let options = convert::lower_read_options(options);
        let answer = self
            .call("read", Patience::Deadline, move |accessor, live| {
                Box::pin(async move {
                    let (content, spanned) = live
                        .exports
                        .storage
                        .read
                        .call_on(accessor, (live.volume, path, options))
                        .await?;
                    Ok(match content {
                        Err(error) => Err(error),
                        Ok(storage::Content::Link(link)) => Ok(Taken::Link(link)),
                        Ok(storage::Content::Stream(bytes)) => {
                            let bytes = accessor.with(|mut access| {
                                take(access.as_context_mut(), bytes.body, bytes.trailing)
                            })?;
                            Ok(Taken::Stream(bytes, spanned))
                        }
                    })
                })
            })
            .await?;
        match answer.value {
            Taken::Link(link) => convert::lift_link(link)
                .map(Content::Link)
                .map_err(|kind| self.bad_answer(kind)),
            Taken::Stream(bytes, spanned) => Ok(Content::Stream(watched(
                bytes,
                (answer.place, spanned),
                self.limits().deadline,
            ))),
        }
    }

    pub(crate) async fn write(
        &self,
        path: &Path,
        upload: Upload,
        options: WriteOptions,
        budget: PartBudget,
    ) -> Result<Entry> {
        if !self.blueprint().abilities().writable {
            return Err(unsupported("write").into());
        }
        let text = path.as_str().to_owned();
        let options = convert::lower_write_options(options);
        let activity = Activity::default();
        let (size, content_type) = (upload.size, upload.content_type.clone());
        let lent = LentUpload::new(
            Cutter::new(upload, budget, activity.clone()),
            size,
            content_type,
        );
        let answer = self
            .call(
                "write",
                Patience::Progress(activity),
                move |accessor, live| {
                    Box::pin(async move {
                        let Some(writable) = &live.exports.writable else {
                            return Ok(Err(unsupported("write").into()));
                        };
                        let lent = accessor.with(|mut access| access.get().table.push(lent))?;
                        writable
                            .write
                            .call(accessor, (live.volume, text, lent, options))
                            .await
                    })
                },
            )
            .await?;
        checked(self, answer, |entry| {
            Ok(convert::lift_named(entry, path.name()))
        })
    }

    pub(crate) async fn make_directory(&self, path: &Path) -> Result<Entry> {
        let text = path.as_str().to_owned();
        let answer = self
            .call("make-directory", long(), move |accessor, live| {
                Box::pin(async move {
                    let Some(writable) = &live.exports.writable else {
                        return Ok(Err(unsupported("make directories").into()));
                    };
                    writable
                        .make_directory
                        .call(accessor, (live.volume, text))
                        .await
                })
            })
            .await?;
        checked(self, answer, |entry| {
            Ok(convert::lift_named(entry, path.name()))
        })
    }

    pub(crate) async fn remove(
        &self,
        path: &Path,
        kind: Kind,
        cursor: Option<String>,
    ) -> Result<Step> {
        let path = path.as_str().to_owned();
        let kind = convert::lower_kind(kind);
        let answer = self
            .call("remove", long(), move |accessor, live| {
                Box::pin(async move {
                    let Some(removable) = &live.exports.removable else {
                        return Ok(Err(unsupported("remove").into()));
                    };
                    removable
                        .remove
                        .call(accessor, (live.volume, path, kind, cursor))
                        .await
                })
            })
            .await?;
        checked(self, answer, |step| Ok(convert::lift_step(step)))
    }

    pub(crate) async fn copy(&self, plan: &Plan, cursor: Option<String>) -> Result<Step> {
        let plan = convert::lower_plan(plan);
        let answer = self
            .call("copy", long(), move |accessor, live| {
                Box::pin(async move {
                    let Some(transfer) = &live.exports.transfer else {
                        return Ok(Err(unsupported("copy").into()));
                    };
                    transfer
                        .copy
                        .call(accessor, (live.volume, plan, cursor))
                        .await
                })
            })
            .await?;
        checked(self, answer, |step| Ok(convert::lift_step(step)))
    }

    pub(crate) async fn rename(&self, plan: &Plan, cursor: Option<String>) -> Result<Step> {
        let plan = convert::lower_plan(plan);
        let answer = self
            .call("rename", long(), move |accessor, live| {
                Box::pin(async move {
                    let Some(transfer) = &live.exports.transfer else {
                        return Ok(Err(unsupported("rename").into()));
                    };
                    transfer
                        .rename
                        .call(accessor, (live.volume, plan, cursor))
                        .await
                })
            })
            .await?;
        checked(self, answer, |step| Ok(convert::lift_step(step)))
    }

    pub(crate) async fn link_upload(
        &self,
        path: &Path,
        options: LinkUploadOptions,
    ) -> Result<UploadLink> {
        let path = path.as_str().to_owned();
        let options = convert::lower_link_upload_options(options);
        let answer = self
            .call("link-upload", long(), move |accessor, live| {
                Box::pin(async move {
                    let Some(sharing) = &live.exports.sharing else {
                        return Ok(Err(unsupported("link uploads").into()));
                    };
                    sharing
                        .link_upload
                        .call(accessor, (live.volume, path, options))
                        .await
                })
            })
            .await?;
        checked(self, answer, convert::lift_upload_link)
    }

    pub(crate) async fn link_parts(
        &self,
        path: &Path,
        token: String,
        first: u32,
        count: u32,
    ) -> Result<Vec<SignedRequest>> {
        let path = path.as_str().to_owned();
        let answer = self
            .call("link-parts", Patience::Deadline, move |accessor, live| {
                Box::pin(async move {
                    let Some(sharing) = &live.exports.sharing else {
                        return Ok(Err(unsupported("link uploads").into()));
                    };
                    sharing
                        .link_parts
                        .call(accessor, (live.volume, path, token, first, count))
                        .await
                })
            })
            .await?;
        checked(self, answer, |requests| {
            requests
                .into_iter()
                .map(convert::lift_signed_request)
                .collect()
        })
    }

    pub(crate) async fn complete_upload(
        &self,
        path: &Path,
        token: String,
        parts: Vec<CompletedPart>,
    ) -> Result<Entry> {
        let text = path.as_str().to_owned();
        let parts = parts
            .into_iter()
            .map(convert::lower_completed_part)
            .collect();
        let answer = self
            .call("complete-upload", long(), move |accessor, live| {
                Box::pin(async move {
                    let Some(sharing) = &live.exports.sharing else {
                        return Ok(Err(unsupported("link uploads").into()));
                    };
                    sharing
                        .complete_upload
                        .call(accessor, (live.volume, text, token, parts))
                        .await
                })
            })
            .await?;
        checked(self, answer, |entry| {
            Ok(convert::lift_named(entry, path.name()))
        })
    }

    pub(crate) async fn abort_upload(&self, path: &Path, token: String) -> Result<()> {
        let path = path.as_str().to_owned();
        let answer = self
            .call("abort-upload", Patience::Deadline, move |accessor, live| {
                Box::pin(async move {
                    let Some(sharing) = &live.exports.sharing else {
                        return Ok(Err(unsupported("link uploads").into()));
                    };
                    sharing
                        .abort_upload
                        .call(accessor, (live.volume, path, token))
                        .await
                })
            })
            .await?;
        checked(self, answer, Ok)
    }
}

/// The patience with calls in which the service itself may be busy for minutes: it copies gigabytes while a
/// request stands still.
fn long() -> Patience {
    Patience::Progress(Activity::default())
}

/// A guest's stream that ends its instance if it stands still, and holds its place there until it is over.
fn watched(bytes: GuestBytes, held: (Place, Spanned), deadline: Duration) -> GuestBytes {
    Box::pin(stream::unfold(
        Some((bytes, held)),
        move |state| async move {
            let (mut bytes, held) = state?;
            match tokio::time::timeout(deadline, bytes.next()).await {
                Ok(Some(Ok(piece))) => Some((Ok(piece), Some((bytes, held)))),
                Ok(Some(Err(outcome))) => Some((Err(outcome), None)),
                Ok(None) => None,
                Err(_) => {
                    held.0.abort();
                    Some((Err(Outcome::TimedOut), None))
                }
            }
        },
    ))
}
