//! Removing files and trees.

use orlop_driver::{Error, Host, Kind, Path, Result, Step};
use serde::{Deserialize, Serialize};

use crate::{
    cursor,
    driver::S3,
    key,
    list::{PAGE, Query},
};

/// How a tree that shrinks from its start gets on. Each step lists from the start again, so a step can be
/// repeated; this notices a service that says that keys are deleted and lists them all the same.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Shrinking {
    first: String,
    repeats: u32,
}

/// Steps that may begin with the same key: someone may have written it anew.
const MAX_REPEATS: u32 = 3;

/// Pages whose keys are held at once, at most.
const MAX_PAGES: usize = 8;

impl Shrinking {
    /// The state after a step whose page began with `first`.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the same key came too often.
    pub(crate) fn step(self, first: &str) -> Result<Self> {
        if self.first != first {
            return Ok(Self {
                first: first.to_owned(),
                repeats: 0,
            });
        }
        if self.repeats >= MAX_REPEATS {
            return Err(Error::Unavailable(
                "the service lists objects that it says are deleted".to_owned(),
            ));
        }
        Ok(Self {
            repeats: self.repeats + 1,
            ..self
        })
    }
}

impl<H: Host> S3<H> {
    /// A step of removing a file or a tree.
    pub(crate) async fn remove_step(
        &self,
        path: &Path,
        kind: Kind,
        cursor: Option<&str>,
    ) -> Result<Step> {
        if path.is_root() {
            return Err(Error::InvalidArgument(
                "the root cannot be removed".to_owned(),
            ));
        }
        match kind {
            Kind::File => self.remove_file(path).await,
            Kind::Directory => self.remove_page(path, cursor).await,
        }
    }

    async fn remove_file(&self, path: &Path) -> Result<Step> {
        let key = key::of_file(path)?;
        let head = self.client.head(&key).await?.ok_or(Error::NotFound)?;
        self.delete_key(&key).await?;
        Ok(Step {
            next: None,
            items: 1,
            bytes: head.object.size,
        })
    }

    async fn remove_page(&self, path: &Path, cursor: Option<&str>) -> Result<Step> {
        let prefix = key::of_directory(path)?;
        let shrinking = cursor.map(cursor::read::<Shrinking>).transpose()?;
        let query = Query {
            prefix: &prefix,
            folded: false,
            position: None,
            limit: PAGE,
        };
        let (listing, mut next) = self.list_some(query).await?;
        let mut objects = listing.objects;
        let Some(first) = objects.first() else {
            return match shrinking {
                None => Err(Error::NotFound),
                Some(_) => Ok(Step::default()),
            };
        };
        let shrinking = shrinking.unwrap_or_default().step(&first.key)?;
        for _ in 1..self.pages_of_full_batches() {
            let Some(position) = next.take() else { break };
            let query = Query {
                position: Some(&position),
                ..query
            };
            let (listing, then) = self.list_some(query).await?;
            objects.extend(listing.objects);
            next = then;
        }
        let keys: Vec<_> = objects.iter().map(|object| object.key.as_str()).collect();
        self.delete_keys(&keys).await?;
        Ok(Step {
            next: next.map(|_| cursor::write(&shrinking)).transpose()?,
            items: objects.len() as u64,
            bytes: objects.iter().map(|object| object.size).sum(),
        })
    }

    /// How many pages fill batches of deletions without a rest: 1 where a batch takes a page, 7 where it takes
    /// 700 keys.
    pub(crate) fn pages_of_full_batches(&self) -> usize {
        let batch = self.settings.profile.delete_batch_max;
        let page = PAGE as usize;
        (1..=MAX_PAGES)
            .find(|pages| batch > 0 && (pages * page).is_multiple_of(batch))
            .unwrap_or(1)
    }
}
