//! Copying and moving one file.

use orlop_driver::{Error, Host, Overwrite, Plan, Result, Step};

use super::{Source, Stage, next};
use crate::{driver::S3, key, xml::listing::Object};

impl<H: Host> S3<H> {
    pub(super) async fn transfer_file(
        &self,
        plan: &Plan,
        stage: Option<Stage>,
        moving: bool,
    ) -> Result<Step> {
        let from = key::of_file(&plan.from)?;
        let to = self.new_key(&plan.to)?;
        match stage {
            None => {
                let refuse = plan.overwrite == Overwrite::Refuse;
                if refuse && self.client.head(&to).await?.is_some() {
                    return Err(Error::AlreadyExists);
                }
                let source = self.client.head(&from).await?.ok_or(Error::NotFound)?;
                self.check_copyable(source.object.size)?;
                match refuse {
                    true => next(&Stage::Free(Source::of(&source.object)), 0, 0),
                    false if self.copies_whole(source.object.size) => {
                        self.copy_file(source.object, &to, moving).await
                    }
                    false => begun(self.begin_large_copy(source, &to).await?),
                }
            }
            Some(Stage::Free(source)) if self.copies_whole(source.size) => {
                self.copy_file(source.object(from), &to, moving).await
            }
            Some(Stage::Free(_)) => {
                let source = self.client.head(&from).await?.ok_or(Error::NotFound)?;
                begun(self.begin_large_copy(source, &to).await?)
            }
            Some(Stage::Large { copy, .. }) => {
                let source = Object {
                    size: copy.size,
                    etag: copy.etag.clone(),
                    ..Object::default()
                };
                match self.continue_large_copy(&from, &to, copy).await? {
                    Some(copy) => begun(copy),
                    None => self.file_copied(&source, &to, None, moving).await,
                }
            }
            Some(Stage::Source(source)) => {
                match self.client.head(&from).await? {
                    // This step was done before.
                    None => {}
                    Some(head) if source.is(&head.object) => {
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
                    bytes: source.size,
                })
            }
            Some(Stage::Tree(_)) => Err(Error::InvalidArgument(
                "the cursor is that of a directory".to_owned(),
            )),
        }
    }

    async fn copy_file(&self, source: Object, to: &str, moving: bool) -> Result<Step> {
        let etag = self.copy_whole(&source, to).await?;
        let etag = etag.ok_or(Error::NotFound)?;
        self.file_copied(&source, to, Some(&etag), moving).await
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
        next(&Stage::Source(Source::of(source)), 0, 0)
    }
}

impl Source {
    fn of(object: &Object) -> Self {
        Self {
            size: object.size,
            etag: object.etag.clone(),
            storage_class: object.storage_class.clone(),
        }
    }

    /// Whether an object has this content.
    fn is(&self, object: &Object) -> bool {
        self.size == object.size && self.etag == object.etag
    }

    fn object(self, key: String) -> Object {
        Object {
            key,
            size: self.size,
            etag: self.etag,
            storage_class: self.storage_class,
            ..Object::default()
        }
    }
}

fn begun(copy: crate::copy::LargeCopy) -> Result<Step> {
    let stage = Stage::Large {
        copy,
        key: None,
        tree: None,
    };
    next(&stage, 0, 0)
}
