//! Copying and moving one file.

use orlop_driver::{Error, Host, Overwrite, Plan, Result, Step};

use super::{Stage, next};
use crate::{driver::S3, key, write::new_key, xml::listing::Object};

impl<H: Host> S3<H> {
    pub(super) async fn transfer_file(
        &self,
        plan: &Plan,
        stage: Option<Stage>,
        moving: bool,
    ) -> Result<Step> {
        let from = key::of_file(&plan.from)?;
        let to = new_key(&plan.to)?;
        match stage {
            None if plan.overwrite == Overwrite::Refuse => {
                if self.client.head(&to).await?.is_some() {
                    return Err(Error::AlreadyExists);
                }
                next(&Stage::Free, 0, 0)
            }
            None | Some(Stage::Free) => self.copy_file(&from, &to, moving).await,
            Some(Stage::Large { copy, .. }) => {
                let source = Object {
                    size: copy.size,
                    etag: copy.etag.clone(),
                    ..Object::default()
                };
                match self.continue_large_copy(&from, &to, copy).await? {
                    Some(copy) => next(
                        &Stage::Large {
                            copy,
                            key: None,
                            tree: None,
                        },
                        0,
                        0,
                    ),
                    None => self.file_copied(&source, &to, None, moving).await,
                }
            }
            Some(Stage::Source { etag, size }) => {
                match self.client.head(&from).await? {
                    // This step was done before.
                    None => {}
                    Some(head) if head.object.etag == etag && head.object.size == size => {
                        self.delete_key(&from).await?;
                    }
                    Some(_) => {
                        return Err(Error::Unavailable(
                            "the file was changed while it was moved; it is left as it is"
                                .to_owned(),
                        ));
                    }
                }
                Ok(Step {
                    next: None,
                    items: 1,
                    bytes: size,
                })
            }
            Some(Stage::Tree(_)) => Err(Error::InvalidArgument(
                "the cursor is that of a directory".to_owned(),
            )),
        }
    }

    async fn copy_file(&self, from: &str, to: &str, moving: bool) -> Result<Step> {
        let source = self.client.head(from).await?.ok_or(Error::NotFound)?.object;
        if self.copies_whole(source.size) {
            let etag = self.copy_whole(from, to).await?.ok_or(Error::NotFound)?;
            return self.file_copied(&source, to, Some(&etag), moving).await;
        }
        let copy = self
            .begin_large_copy(from, to)
            .await?
            .ok_or(Error::NotFound)?;
        next(
            &Stage::Large {
                copy,
                key: None,
                tree: None,
            },
            0,
            0,
        )
    }

    async fn file_copied(
        &self,
        source: &Object,
        to: &str,
        etag: Option<&str>,
        moving: bool,
    ) -> Result<Step> {
        if !moving {
            return Ok(Step {
                next: None,
                items: 1,
                bytes: source.size,
            });
        }
        self.verify_copy(source, to, etag).await?;
        let stage = Stage::Source {
            etag: source.etag.clone(),
            size: source.size,
        };
        next(&stage, 0, 0)
    }
}
