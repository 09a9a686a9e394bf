//! The glue between a driver's traits and the generated code of its world. [`export!`](crate::export)
//! calls one macro for each interface; each expects the generated module `exports` and a type `Component`.

use crate::{Path, Result, bindings::orlop::driver::types};

pub use crate::{
    bindings,
    convert::{from_milliseconds, to_milliseconds},
    sandbox::lower_stream,
};

/// Takes a path from the host, which promised a clean one.
pub fn path(text: String) -> Result<Path, types::Error> {
    Path::parse(text).map_err(|error| types::Error::InvalidArgument(error.to_string()))
}

#[doc(hidden)]
#[macro_export]
macro_rules! __export_storage {
    ($driver:ty) => {
        use __glue::bindings::orlop::driver::types as __types;
        use ::orlop_driver::component as __glue;
        use exports::orlop::driver::storage;

        pub struct Volume($driver);

        impl storage::Guest for Component {
            type Volume = Volume;

            fn describe() -> storage::Descriptor {
                let descriptor = <$driver as ::orlop_driver::Storage>::describe();
                storage::Descriptor {
                    name: descriptor.name,
                    version: descriptor.version,
                    title: descriptor.title,
                    summary: descriptor.summary,
                    config_schema: descriptor.config_schema,
                    extra: descriptor.extra,
                }
            }
        }

        impl storage::GuestVolume for Volume {
            fn open(config: String) -> Result<storage::Volume, __types::Error> {
                let driver =
                    <$driver as ::orlop_driver::Storage>::open(Default::default(), &config)?;
                Ok(storage::Volume::new(Volume(driver)))
            }

            async fn check(
                &self,
                scratch: Option<String>,
            ) -> Result<Vec<storage::Finding>, __types::Error> {
                let scratch = scratch.map(__glue::path).transpose()?;
                let findings = ::orlop_driver::Storage::check(&self.0, scratch.as_ref()).await?;
                Ok(findings
                    .into_iter()
                    .map(|finding| storage::Finding {
                        severity: match finding.severity {
                            ::orlop_driver::Severity::Note => storage::Severity::Note,
                            ::orlop_driver::Severity::Warning => storage::Severity::Warning,
                            ::orlop_driver::Severity::Failure => storage::Severity::Failure,
                        },
                        field: finding.field,
                        message: finding.message,
                        remedy: finding.remedy,
                    })
                    .collect())
            }

            async fn stat(
                &self,
                path: String,
                want: Option<__types::Kind>,
            ) -> Result<__types::Entry, __types::Error> {
                let path = __glue::path(path)?;
                let entry =
                    ::orlop_driver::Storage::stat(&self.0, &path, want.map(Into::into)).await?;
                Ok(entry.into())
            }

            async fn list(
                &self,
                directory: String,
                cursor: Option<String>,
                limit: u32,
            ) -> Result<storage::Page, __types::Error> {
                let directory = __glue::path(directory)?;
                let page =
                    ::orlop_driver::Storage::list(&self.0, &directory, cursor.as_deref(), limit)
                        .await?;
                Ok(storage::Page {
                    entries: page.entries.into_iter().map(Into::into).collect(),
                    next: page.next,
                })
            }

            async fn read(
                &self,
                path: String,
                options: storage::ReadOptions,
            ) -> Result<storage::Content, __types::Error> {
                let path = __glue::path(path)?;
                let options = ::orlop_driver::ReadOptions {
                    audience: match options.audience {
                        storage::Audience::Client => ::orlop_driver::Audience::Client,
                        storage::Audience::Host => ::orlop_driver::Audience::Host,
                    },
                    range: options.range.map(|range| ::orlop_driver::ByteRange {
                        offset: range.offset,
                        length: range.length,
                    }),
                    filename: options.filename,
                    expires: options
                        .expires
                        .map(|seconds| ::core::time::Duration::from_secs(seconds.into())),
                };
                Ok(
                    match ::orlop_driver::Storage::read(&self.0, &path, &options).await? {
                        ::orlop_driver::Content::Link(::orlop_driver::Link::Shareable(link)) => {
                            storage::Content::Link(storage::Link::Shareable(storage::SignedUrl {
                                url: link.url,
                                expires: link.expires.map(__glue::to_milliseconds),
                            }))
                        }
                        ::orlop_driver::Content::Link(::orlop_driver::Link::HostOnly(request)) => {
                            storage::Content::Link(storage::Link::HostOnly(__signed_request(
                                request,
                            )))
                        }
                        ::orlop_driver::Content::Stream(stream) => {
                            let (body, trailing) =
                                __glue::lower_stream(stream, wit_stream::new, wit_future::new);
                            storage::Content::Stream(storage::ByteStream { body, trailing })
                        }
                    },
                )
            }
        }

        fn __signed_request(request: ::orlop_driver::SignedRequest) -> storage::SignedRequest {
            storage::SignedRequest {
                method: request.method,
                url: request.url,
                headers: request.headers,
                expires: request.expires.map(__glue::to_milliseconds),
            }
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __export_writable {
    ($driver:ty) => {
        impl exports::orlop::driver::writable::Guest for Component {
            async fn write(
                volume: storage::VolumeBorrow<'_>,
                path: String,
                upload: __glue::bindings::orlop::driver::uploads::Upload,
                options: exports::orlop::driver::writable::WriteOptions,
            ) -> Result<__types::Entry, __types::Error> {
                use exports::orlop::driver::writable::Precondition;
                let path = __glue::path(path)?;
                let options = ::orlop_driver::WriteOptions {
                    precondition: match options.precondition {
                        Precondition::None => ::orlop_driver::Precondition::None,
                        Precondition::Absent => ::orlop_driver::Precondition::Absent,
                        Precondition::Matches(etag) => ::orlop_driver::Precondition::Matches(etag),
                    },
                    modified: options.modified.map(__glue::from_milliseconds),
                    extra: options.extra,
                };
                let driver = &volume.get::<Volume>().0;
                let entry =
                    ::orlop_driver::Writable::write(driver, &path, upload, &options).await?;
                Ok(entry.into())
            }

            async fn make_directory(
                volume: storage::VolumeBorrow<'_>,
                path: String,
            ) -> Result<__types::Entry, __types::Error> {
                let path = __glue::path(path)?;
                let driver = &volume.get::<Volume>().0;
                Ok(::orlop_driver::Writable::make_directory(driver, &path)
                    .await?
                    .into())
            }
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __export_removable {
    ($driver:ty) => {
        impl exports::orlop::driver::removable::Guest for Component {
            async fn remove(
                volume: storage::VolumeBorrow<'_>,
                path: String,
                kind: __types::Kind,
                cursor: Option<String>,
            ) -> Result<__types::Step, __types::Error> {
                let path = __glue::path(path)?;
                let driver = &volume.get::<Volume>().0;
                let step = ::orlop_driver::Removable::remove(
                    driver,
                    &path,
                    kind.into(),
                    cursor.as_deref(),
                )
                .await?;
                Ok(step.into())
            }
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __export_transfer {
    ($driver:ty) => {
        impl exports::orlop::driver::transfer::Guest for Component {
            async fn copy(
                volume: storage::VolumeBorrow<'_>,
                plan: exports::orlop::driver::transfer::Plan,
                cursor: Option<String>,
            ) -> Result<__types::Step, __types::Error> {
                let plan = __plan(plan)?;
                let driver = &volume.get::<Volume>().0;
                let step = ::orlop_driver::Transfer::copy(driver, &plan, cursor.as_deref()).await?;
                Ok(step.into())
            }

            async fn rename(
                volume: storage::VolumeBorrow<'_>,
                plan: exports::orlop::driver::transfer::Plan,
                cursor: Option<String>,
            ) -> Result<__types::Step, __types::Error> {
                let plan = __plan(plan)?;
                let driver = &volume.get::<Volume>().0;
                let step =
                    ::orlop_driver::Transfer::rename(driver, &plan, cursor.as_deref()).await?;
                Ok(step.into())
            }
        }

        fn __plan(
            plan: exports::orlop::driver::transfer::Plan,
        ) -> Result<::orlop_driver::Plan, __types::Error> {
            use exports::orlop::driver::transfer::Overwrite;
            Ok(::orlop_driver::Plan {
                from: __glue::path(plan.from)?,
                to: __glue::path(plan.to)?,
                kind: plan.kind.into(),
                overwrite: match plan.overwrite {
                    Overwrite::Refuse => ::orlop_driver::Overwrite::Refuse,
                    Overwrite::Replace => ::orlop_driver::Overwrite::Replace,
                },
            })
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __export_sharing {
    ($driver:ty) => {
        impl exports::orlop::driver::sharing::Guest for Component {
            async fn link_upload(
                volume: storage::VolumeBorrow<'_>,
                path: String,
                options: exports::orlop::driver::sharing::LinkUploadOptions,
            ) -> Result<exports::orlop::driver::sharing::UploadLink, __types::Error> {
                use exports::orlop::driver::sharing::{MultipartUpload, UploadLink};
                let path = __glue::path(path)?;
                let options = ::orlop_driver::LinkUploadOptions {
                    size: options.size,
                    content_type: options.content_type,
                    modified: options.modified.map(__glue::from_milliseconds),
                    must_be_new: options.must_be_new,
                    expires: options
                        .expires
                        .map(|seconds| ::core::time::Duration::from_secs(seconds.into())),
                };
                let driver = &volume.get::<Volume>().0;
                Ok(
                    match ::orlop_driver::Sharing::link_upload(driver, &path, &options).await? {
                        ::orlop_driver::UploadLink::Single(request) => {
                            UploadLink::Single(__signed_request(request))
                        }
                        ::orlop_driver::UploadLink::Multipart(upload) => {
                            UploadLink::Multipart(MultipartUpload {
                                token: upload.token,
                                part_size: upload.part_size,
                                max_parts: upload.max_parts,
                            })
                        }
                    },
                )
            }

            async fn link_parts(
                volume: storage::VolumeBorrow<'_>,
                path: String,
                token: String,
                first: u32,
                count: u32,
            ) -> Result<Vec<storage::SignedRequest>, __types::Error> {
                let path = __glue::path(path)?;
                let driver = &volume.get::<Volume>().0;
                let requests =
                    ::orlop_driver::Sharing::link_parts(driver, &path, &token, first, count)
                        .await?;
                Ok(requests.into_iter().map(__signed_request).collect())
            }

            async fn complete_upload(
                volume: storage::VolumeBorrow<'_>,
                path: String,
                token: String,
                parts: Vec<exports::orlop::driver::sharing::CompletedPart>,
            ) -> Result<__types::Entry, __types::Error> {
                let path = __glue::path(path)?;
                let parts: Vec<_> = parts
                    .into_iter()
                    .map(|part| ::orlop_driver::CompletedPart {
                        number: part.number,
                        etag: part.etag,
                    })
                    .collect();
                let driver = &volume.get::<Volume>().0;
                let entry =
                    ::orlop_driver::Sharing::complete_upload(driver, &path, &token, &parts).await?;
                Ok(entry.into())
            }

            async fn abort_upload(
                volume: storage::VolumeBorrow<'_>,
                path: String,
                token: String,
            ) -> Result<(), __types::Error> {
                let path = __glue::path(path)?;
                let driver = &volume.get::<Volume>().0;
                Ok(::orlop_driver::Sharing::abort_upload(driver, &path, &token).await?)
            }
        }
    };
}
