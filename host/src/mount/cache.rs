//! What a mount remembers for a little while.

use std::{
    future::Future,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use metrics::Counter;
use moka::{Entry as Found, future::Cache as Map};

use crate::{Entry, Error, HostError, Kind, LinkOptions, Outcome, Page, Path, Result, SignedUrl};

/// Descriptions and links to remember.
const ENTRIES: u64 = 20_000;
/// Entries of listings to remember, over all pages.
const LISTED: u64 = 50_000;
/// Pages of one directory to look through for a file.
const REMEMBERED_PAGES: usize = 16;
/// The longest time to hand out the same link.
const LINK_TIME: Duration = Duration::from_secs(15 * 60);
/// The life that a link must have left to be handed out.
const LINK_LEFT: Duration = Duration::from_secs(5 * 60);

/// What a mount remembers for a little while. Whoever asks for something that is being asked for already
/// waits for that answer.
#[derive(Debug)]
pub(super) struct Cache {
    /// Part of every key that depends on content: a change moves it on, and what was being fetched before the
    /// change can never be found after it.
    generation: AtomicU64,
    enabled: bool,
    stats: Map<(u64, Path, Option<Kind>), Option<Arc<Entry>>>,
    pages: Map<PageKey, Arc<Page>>,
    /// Which pages of a directory are kept.
    listed: Map<(u64, Path), Arc<Mutex<Vec<PageKey>>>>,
    links: Map<(Path, LinkOptions), SignedUrl>,
    /// The mount, in metrics.
    mount: String,
    counters: OnceLock<Counters>,
}

/// How often what was asked for was known.
struct Counters {
    stats: Hits,
    pages: Hits,
    links: Hits,
}

struct Hits {
    hit: Counter,
    missed: Counter,
}

impl Counters {
    fn open(mount: &str) -> Self {
        let hits = |kind: &'static str| Hits {
            hit: metrics::counter!("orlop_cache_hits_total", "mount" => mount.to_owned(), "kind" => kind),
            missed: metrics::counter!("orlop_cache_misses_total", "mount" => mount.to_owned(), "kind" => kind),
        };
        Self {
            stats: hits("stat"),
            pages: hits("list"),
            links: hits("link"),
        }
    }
}

impl std::fmt::Debug for Counters {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Counters").finish_non_exhaustive()
    }
}

impl Hits {
    fn count(&self, was_known: bool) {
        if was_known { &self.hit } else { &self.missed }.increment(1);
    }

    /// Counts, and gives what was found.
    fn of<K, V>(&self, found: Result<Found<K, V>, Arc<Error>>) -> Result<V, Arc<Error>> {
        self.count(found.as_ref().is_ok_and(|found| !found.is_fresh()));
        found.map(Found::into_value)
    }
}

/// Generation, directory, cursor and limit.
type PageKey = (u64, Path, Option<String>, u32);

impl Cache {
    /// A cache for the mount of this path.
    pub(super) fn new(mount: &Path, time: Duration) -> Self {
        Self {
            mount: format!("/{mount}"),
            counters: OnceLock::new(),
            generation: AtomicU64::new(0),
            enabled: !time.is_zero(),
            stats: Map::builder()
                .max_capacity(ENTRIES)
                .time_to_live(time)
                .build(),
            pages: Map::builder()
                .max_capacity(LISTED)
                .weigher(|_, page: &Arc<Page>| {
                    u32::try_from(page.entries.len())
                        .unwrap_or(u32::MAX)
                        .saturating_add(1)
                })
                .time_to_live(time)
                .build(),
            listed: Map::builder()
                .max_capacity(LISTED / 10)
                .time_to_live(time)
                .build(),
            links: Map::builder()
                .max_capacity(ENTRIES)
                .time_to_live(LINK_TIME)
                .build(),
        }
    }

    /// Forgets everything that depends on content.
    pub(super) fn clear(&self) {
        self.generation.fetch_add(1, Ordering::AcqRel);
    }

    /// Forgets one description, so that it is asked for anew.
    pub(super) async fn forget_stat(&self, path: &Path, want: Option<Kind>) {
        let key = (self.generation(), path.clone(), want);
        self.stats.invalidate(&key).await;
    }

    /// Forgets one page of a listing.
    pub(super) async fn forget_page(&self, directory: &Path, cursor: Option<&str>, limit: u32) {
        let cursor = cursor.map(str::to_owned);
        let key = (self.generation(), directory.clone(), cursor, limit);
        self.pages.invalidate(&key).await;
    }

    /// A description; that something is missing is remembered too.
    pub(super) async fn stat<F: Future<Output = Result<Entry>>>(
        &self,
        path: &Path,
        want: Option<Kind>,
        fetch: impl FnOnce() -> F,
    ) -> Result<Entry> {
        if !self.enabled {
            return fetch().await;
        }
        let key = (self.generation(), path.clone(), want);
        let found = self.stats.entry(key).or_try_insert_with(async {
            match fetch().await {
                Ok(entry) => Ok(Some(Arc::new(entry))),
                Err(Error::Outcome(Outcome::NotFound)) => Ok(None),
                Err(error) => Err(error),
            }
        });
        match self.counters().stats.of(found.await) {
            Ok(Some(entry)) => Ok(Arc::unwrap_or_clone(entry)),
            Ok(None) => Err(Outcome::NotFound.into()),
            Err(shared) => Err(own(&shared)),
        }
    }

    /// What kind of entry a description that is still kept is of.
    pub(super) async fn known_kind(&self, path: &Path, want: Option<Kind>) -> Option<Kind> {
        let key = (self.generation(), path.clone(), want);
        let known = self.stats.get(&key).await??;
        self.counters().stats.count(true);
        Some(known.kind)
    }

    /// A page of a listing.
    pub(super) async fn list<F: Future<Output = Result<Page>>>(
        &self,
        directory: &Path,
        cursor: Option<&str>,
        limit: u32,
        fetch: impl FnOnce() -> F,
    ) -> Result<Arc<Page>> {
        if !self.enabled {
            return fetch().await.map(Arc::new);
        }
        let key = (
            self.generation(),
            directory.clone(),
            cursor.map(str::to_owned),
            limit,
        );
        let page = self
            .pages
            .entry(key.clone())
            .or_try_insert_with(async {
                let page = fetch().await.map(Arc::new)?;
                self.remember(key.clone()).await;
                Ok(page)
            })
            .await;
        let page = self.counters().pages.of(page);
        page.map_err(|shared| own(&shared))
    }

    /// Whether a page that is still kept lists a file of this path. That none does means nothing.
    pub(super) async fn lists_file(&self, file: &Path) -> bool {
        let Some(directory) = file.parent() else {
            return false;
        };
        let Some(keys) = self.listed.get(&(self.generation(), directory)).await else {
            return false;
        };
        let keys = keys.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for key in keys {
            let Some(page) = self.pages.get(&key).await else {
                continue;
            };
            let is_it = |entry: &Entry| entry.kind == Kind::File && entry.name == file.name();
            if page.entries.iter().any(is_it) {
                return true;
            }
        }
        false
    }

    /// Notes that a page is kept.
    async fn remember(&self, key: PageKey) {
        let (generation, directory, ..) = &key;
        let keys = self
            .listed
            .get_with((*generation, directory.clone()), async { Arc::default() })
            .await;
        let mut keys = keys.lock().unwrap_or_else(PoisonError::into_inner);
        if keys.len() >= REMEMBERED_PAGES {
            keys.remove(0);
        }
        keys.push(key);
    }

    /// A link, as long as it is good for a while yet. A link that was asked for with a life of its own is made
    /// anew each time.
    pub(super) async fn link<F: Future<Output = Result<SignedUrl>>>(
        &self,
        file: &Path,
        options: LinkOptions,
        fetch: impl FnOnce() -> F,
    ) -> Result<SignedUrl> {
        if !self.enabled || options.expires.is_some() {
            return fetch().await;
        }
        let key = (file.clone(), options);
        if let Some(link) = self.links.get(&key).await {
            if is_lasting(&link) {
                self.counters().links.count(true);
                return Ok(link);
            }
            self.links.invalidate(&key).await;
        }
        let found = self.links.entry(key).or_try_insert_with(fetch()).await;
        let found = self.counters().links.of(found);
        found.map_err(|shared| own(&shared))
    }

    /// Opened when they are first needed: the recorder may be installed after the mount was made.
    fn counters(&self) -> &Counters {
        self.counters.get_or_init(|| Counters::open(&self.mount))
    }

    fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }
}

fn is_lasting(link: &SignedUrl) -> bool {
    link.expires
        .is_none_or(|expires| expires > SystemTime::now() + LINK_LEFT)
}

/// An error of one's own from one that several wait for.
fn own(shared: &Error) -> Error {
    match shared {
        Error::Outcome(outcome) => Error::Outcome(outcome.clone()),
        Error::Fault(fault) => Error::Fault(fault.clone()),
        other => HostError::Internal(other.to_string()).into(),
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[tokio::test]
    async fn what_is_known_is_not_asked_again_until_something_changes() {
        let cache = Cache::new(&Path::ROOT, Duration::from_secs(60));
        let path = Path::parse("a").unwrap();
        let asked = Cell::new(0);
        let ask = || async {
            asked.set(asked.get() + 1);
            Ok(Entry::file("a", asked.get()))
        };
        assert_eq!(cache.stat(&path, None, ask).await.unwrap().size, 1);
        assert_eq!(cache.stat(&path, None, ask).await.unwrap().size, 1);
        assert_eq!(
            cache.stat(&path, Some(Kind::File), ask).await.unwrap().size,
            2
        );
        cache.clear();
        assert_eq!(cache.stat(&path, None, ask).await.unwrap().size, 3);
    }

    #[tokio::test]
    async fn errors_are_not_remembered_but_absence_is() {
        let cache = Cache::new(&Path::ROOT, Duration::from_secs(60));
        let path = Path::parse("a").unwrap();
        let down = || async { Err(Outcome::Unavailable("down".to_owned()).into()) };
        let missing = || async { Err(Outcome::NotFound.into()) };
        let there = || async { Ok(Entry::file("a", 1)) };
        assert!(cache.stat(&path, None, down).await.is_err());
        let absent = cache.stat(&path, None, missing).await;
        assert!(matches!(absent, Err(Error::Outcome(Outcome::NotFound))));
        assert!(cache.stat(&path, None, there).await.is_err());
    }

    #[tokio::test]
    async fn a_listing_tells_which_files_there_are() {
        let cache = Cache::new(&Path::ROOT, Duration::from_secs(60));
        let directory = Path::parse("d").unwrap();
        let [file, folder, other] = ["d/f", "d/g", "e/f"].map(|path| Path::parse(path).unwrap());
        let page = || async {
            Ok(Page {
                entries: vec![Entry::directory("g"), Entry::file("f", 1)],
                next: None,
            })
        };
        assert!(!cache.lists_file(&file).await);
        cache.list(&directory, None, 10, page).await.unwrap();
        assert!(cache.lists_file(&file).await);
        assert!(!cache.lists_file(&folder).await);
        assert!(!cache.lists_file(&other).await);
        cache.clear();
        assert!(!cache.lists_file(&file).await);
    }

    #[tokio::test]
    async fn a_link_near_its_end_is_not_handed_out() {
        let cache = Cache::new(&Path::ROOT, Duration::from_secs(60));
        let path = Path::parse("a").unwrap();
        for (life, calls) in [(1, 2), (3600, 1)] {
            let options = LinkOptions {
                filename: Some(life.to_string()),
                expires: None,
            };
            let asked = Cell::new(0);
            for _ in 0..2 {
                let link = cache.link(&path, options.clone(), || async {
                    asked.set(asked.get() + 1);
                    Ok(SignedUrl {
                        url: "https://example.com/".to_owned(),
                        expires: Some(SystemTime::now() + Duration::from_secs(life)),
                    })
                });
                link.await.unwrap();
            }
            assert_eq!(asked.get(), calls, "a life of {life} s");
        }
    }
}
