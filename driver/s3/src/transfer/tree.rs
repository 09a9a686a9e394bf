//! Copying and moving all keys below a prefix.

use std::time::{Duration, SystemTime};

use futures::{StreamExt, future, stream};
use orlop_driver::{Error, Host, Overwrite, Plan, Result, Step};

use super::{Stage, Tree, next};
use crate::{
    driver::S3,
    flight, key,
    list::{PAGE, Position, Query},
    xml::listing::Object,
};

/// After this time a step begins no more copies.
const STEP_TIME: Duration = Duration::from_secs(8);

/// Source and destination as prefixes, and what becomes of the source.
struct Route {
    from: String,
    to: String,
    moving: bool,
}

impl Route {
    /// The key that a source's key is copied to.
    fn destination(&self, key: &str) -> String {
        format!("{}{}", self.to, key.strip_prefix(&self.from).unwrap_or(key))
    }
}

impl<H: Host> S3<H> {
    pub(super) async fn transfer_tree(
        &self,
        plan: &Plan,
        stage: Option<Stage>,
        moving: bool,
    ) -> Result<Step> {
        let route = Route {
            from: key::of_directory(&plan.from)?,
            to: self.new_key(&plan.to)? + "/",
            moving,
        };
        match stage {
            None => {
                if plan.overwrite == Overwrite::Refuse {
                    if self.has_keys(&route.to).await? {
                        return Err(Error::AlreadyExists);
                    }
                    if !self.has_keys(&route.from).await? {
                        return Err(Error::NotFound);
                    }
                    return next(&Stage::Tree(Tree::default()), 0, 0);
                }
                self.transfer_page(&route, None).await
            }
            Some(Stage::Tree(tree)) => self.transfer_page(&route, Some(tree)).await,
            Some(Stage::Large {
                copy,
                key: Some(key),
                tree: Some(tree),
            }) => {
                let source = Object {
                    size: copy.size,
                    etag: copy.etag.clone(),
                    key,
                    ..Object::default()
                };
                let to = route.destination(&source.key);
                if let Some(copy) = self.continue_large_copy(&source.key, &to, copy).await? {
                    let stage = Stage::Large {
                        copy,
                        key: Some(source.key),
                        tree: Some(tree),
                    };
                    return next(&stage, 0, 0);
                }
                let bytes = source.size;
                if moving {
                    self.verify_copy(&source, &to, None).await?;
                    self.delete_key(&source.key).await?;
                }
                let after = (!moving).then_some(source.key);
                next(&Stage::Tree(Tree { after, ..tree }), 1, bytes)
            }
            Some(Stage::Free(_) | Stage::Large { .. } | Stage::Source(_)) => Err(
                Error::InvalidArgument("the cursor is that of a file".to_owned()),
            ),
        }
    }

    fn check_all_copyable(&self, objects: &[Object]) -> Result<()> {
        let mut sizes = objects.iter().map(|object| object.size);
        sizes.try_for_each(|size| self.check_copyable(size))
    }

    /// Copies objects up to the first large one, which has steps of its own: a page of them, or more if that makes
    /// fewer deletions.
    async fn transfer_page(&self, route: &Route, tree: Option<Tree>) -> Result<Step> {
        let first_step = tree.is_none();
        let tree = tree.unwrap_or_default();
        let position = tree.after.clone().map(Position::After);
        let query = Query {
            prefix: &route.from,
            folded: false,
            position: position.as_ref(),
            limit: PAGE,
        };
        let begun = self.client.host.now();
        let (listing, mut more) = self.list_some(query).await?;
        let mut objects = listing.objects;
        let Some(first) = objects.first() else {
            return match first_step {
                true => Err(Error::NotFound),
                false => Ok(Step::default()),
            };
        };
        let first_key = first.key.clone();
        // Better known before the first copy than after some.
        self.check_all_copyable(&objects)?;
        if !self.copies_whole(first.size) {
            let to = route.destination(&first.key);
            let key = Some(first.key.clone());
            // Someone may have removed it in the meantime.
            let Some(source) = self.client.head(&first.key).await? else {
                return next(&Stage::Tree(Tree { after: key, ..tree }), 0, 0);
            };
            let copy = self.begin_large_copy(source, &to).await?;
            let stage = Stage::Large {
                copy,
                key,
                tree: Some(tree),
            };
            return next(&stage, 0, 0);
        }

        let mut done = self.copy_page(route, &objects, begun).await?;
        if route.moving {
            // As many pages as fill batches of deletions, if there is time.
            for _ in 1..self.pages_of_full_batches() {
                if done < objects.len() {
                    break;
                }
                let Some(position) = more.take() else { break };
                let query = Query {
                    position: Some(&position),
                    ..query
                };
                let (listing, then) = self.list_some(query).await?;
                if self.check_all_copyable(&listing.objects).is_err() {
                    // For the next step to tell: what is copied is yet to be deleted.
                    more = Some(position);
                    break;
                }
                done += self.copy_page(route, &listing.objects, begun).await?;
                objects.extend(listing.objects);
                more = then;
            }
        }
        let done = objects.get(..done).unwrap_or(&objects);
        let whole = done.len() == objects.len() && more.is_none();
        let step = Step {
            next: None,
            items: done.len() as u64,
            bytes: done.iter().map(|object| object.size).sum(),
        };
        let tree = if route.moving {
            let keys: Vec<_> = done.iter().map(|object| object.key.as_str()).collect();
            let shrinking = tree.shrinking.step(&first_key)?;
            self.delete_keys(&keys).await?;
            Tree {
                after: None,
                shrinking,
            }
        } else {
            let last = done.last().map(|object| object.key.clone());
            Tree {
                after: last.or(tree.after),
                ..tree
            }
        };
        match whole {
            true => Ok(step),
            false => next(&Stage::Tree(tree), step.items, step.bytes),
        }
    }

    /// Copies objects from the first on, as many as there is time for in a step, and tells how many are done.
    async fn copy_page(
        &self,
        route: &Route,
        objects: &[Object],
        begun: SystemTime,
    ) -> Result<usize> {
        let host = &self.client.host;
        let jobs = stream::iter(objects)
            .take_while(|object| {
                // A clock that was set back does not count.
                let passed = host.now().duration_since(begun).unwrap_or_default();
                future::ready(passed < STEP_TIME && self.copies_whole(object.size))
            })
            .map(|object| async move {
                let to = route.destination(&object.key);
                // A source that someone removed in the meantime needs no copy.
                if let Some(etag) = self.copy_whole(object, &to).await?
                    && route.moving
                {
                    self.verify_copy(object, &to, Some(&etag)).await?;
                }
                Ok::<_, Error>(())
            });
        let done = flight::run(jobs, self.settings.copy_concurrency).await?;
        Ok(done.len())
    }
}
