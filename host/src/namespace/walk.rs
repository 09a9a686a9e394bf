//! Copies and moves of trees that pass through the host: between mounts, and for what drivers cannot do
//! themselves.

use std::{
    future,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use futures::{StreamExt, stream};
use serde::{Deserialize, Serialize};

use super::{
    Flow, Namespace, Totals,
    carry::{Carrying, Sources},
};
use crate::{Entry, Error, Kind, Outcome, Page, Path, Plan, Result};

/// The most files in one step.
const STEP_FILES: usize = 32;
/// The bytes after which a step takes no more files.
const STEP_BYTES: u64 = 64 << 20;
/// Files on their way at once.
const IN_FLIGHT: usize = 4;
/// Pages held at once, those of the deepest directories. The others are listed again when they are needed.
const PAGES: usize = 32;
const PAGE_LIMIT: u32 = 1000;

/// A walk through a tree, depth first: the directories from the top to where it is now.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Walk {
    /// Whether files at the destination are replaced.
    replaces: bool,
    stack: Vec<Frame>,
}

/// One directory on the way.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Frame {
    /// Its name; the empty string for the top.
    name: String,
    /// The page that is walked through.
    cursor: Option<String>,
    /// The last entry of the page that is done.
    after: Option<Mark>,
    /// Whether anything was ever found in it.
    seen: bool,
    /// Whether it is walked through once more, since its place was lost: copies may be our own.
    anew: bool,
    #[serde(skip)]
    page: Option<Arc<Page>>,
}

/// An entry of a page: files come before directories.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Mark {
    File(String),
    Directory(String),
}

impl Mark {
    fn is(&self, entry: &Entry) -> bool {
        match self {
            Self::File(name) => entry.kind == Kind::File && entry.name == *name,
            Self::Directory(name) => entry.kind == Kind::Directory && entry.name == *name,
        }
    }
}

/// What comes next in a directory.
enum Next {
    Files(Vec<Entry>),
    Directory(String),
    Nothing,
}

impl Walk {
    /// At the top of a tree.
    pub(super) fn new(replaces: bool) -> Self {
        Self {
            replaces,
            stack: vec![Frame::default()],
        }
    }

    /// Whether files at the destination are replaced.
    pub(super) fn replaces(&self) -> bool {
        self.replaces
    }

    /// The directory where it is, as seen from the top.
    fn below(&self) -> Result<Path> {
        self.stack
            .iter()
            .filter(|frame| !frame.name.is_empty())
            .try_fold(Path::ROOT, |path, frame| child(&path, &frame.name))
    }

    fn enter(&mut self, name: String) {
        let anew = self.stack.last().is_some_and(|frame| frame.anew);
        self.stack.push(Frame {
            name,
            anew,
            ..Frame::default()
        });
        let old = self.stack.len().checked_sub(PAGES + 1);
        if let Some(frame) = old.and_then(|index| self.stack.get_mut(index)) {
            frame.page = None;
        }
    }

    /// Lists anew what comes next: it may have changed.
    fn forget_pages(&mut self) {
        for frame in &mut self.stack {
            frame.page = None;
        }
    }
}

impl Namespace {
    /// Walks on: some files, or the end of a directory. Tells whether that was the end of the tree.
    pub(super) async fn walk(
        &self,
        plan: &Plan,
        sources: Sources,
        walk: &mut Walk,
        again: bool,
        flow: &Flow,
        totals: &mut Totals,
    ) -> Result<bool> {
        let walked = self.walk_on(plan, sources, walk, again, flow, totals).await;
        if walked.is_err() {
            walk.forget_pages();
        }
        walked
    }

    async fn walk_on(
        &self,
        plan: &Plan,
        sources: Sources,
        walk: &mut Walk,
        again: bool,
        flow: &Flow,
        totals: &mut Totals,
    ) -> Result<bool> {
        loop {
            let below = walk.below()?;
            let (from, to) = (plan.from.join(&below), plan.to.join(&below));
            let is_top = walk.stack.len() == 1;
            let replaces = walk.replaces;
            let Some(frame) = walk.stack.last_mut() else {
                return Ok(true);
            };
            if frame.page.is_none() {
                frame.page = match self.page_of(&from, frame).await {
                    // Emptied directories of some storages are gone at once.
                    Err(Error::Outcome(Outcome::NotFound)) if !is_top || frame.seen => {
                        frame.seen = true;
                        Some(Arc::default())
                    }
                    page => Some(page?),
                };
                frame.find_place();
            }
            match frame.next() {
                Next::Files(files) => {
                    frame.seen = true;
                    let last = files.last().map(|file| Mark::File(file.name.clone()));
                    let carrying = Carrying {
                        from: &from,
                        to: &to,
                        sources,
                        replaces,
                        again: again || frame.anew,
                        flow,
                    };
                    self.carry_all(carrying, files, totals).await?;
                    frame.after = last;
                    return Ok(false);
                }
                Next::Directory(name) => {
                    frame.seen = true;
                    frame.after = Some(Mark::Directory(name.clone()));
                    walk.enter(name);
                }
                Next::Nothing if frame.turn() => {}
                Next::Nothing => {
                    if !frame.seen {
                        self.make_copied(&to, totals).await?;
                    }
                    if sources == Sources::Go {
                        self.remove_emptied(&from).await?;
                    }
                    walk.stack.pop();
                    return Ok(walk.stack.is_empty());
                }
            }
        }
    }

    async fn page_of(&self, directory: &Path, frame: &mut Frame) -> Result<Arc<Page>> {
        let cursor = frame.cursor.as_deref();
        match self.list(directory, cursor, PAGE_LIMIT).await {
            // Cursors may not last. From the start again costs time, and nothing else.
            Err(Error::Outcome(Outcome::InvalidArgument(_))) if cursor.is_some() => {
                (frame.cursor, frame.after, frame.anew) = (None, None, true);
                self.list(directory, None, PAGE_LIMIT).await
            }
            page => page,
        }
    }

    /// Carries files, some at once. After a failure no more are begun, and those on their way are waited for.
    async fn carry_all(
        &self,
        carrying: Carrying<'_>,
        files: Vec<Entry>,
        totals: &mut Totals,
    ) -> Result<()> {
        let failed = AtomicBool::new(false);
        let jobs = stream::iter(files)
            .take_while(|_| future::ready(!failed.load(Ordering::Relaxed)))
            .map(|file| self.carry_one(carrying, file.name));
        let mut carried = jobs.buffer_unordered(IN_FLIGHT);
        let mut sum = Totals::default();
        let mut first = Ok(());
        while let Some(result) = carried.next().await {
            match result {
                Ok(done) => sum.add(done.items, done.bytes),
                Err(error) => {
                    failed.store(true, Ordering::Relaxed);
                    first = first.and(Err(error));
                }
            }
        }
        // Copies are made again after a failure. What was moved is not: it counts now or never.
        if first.is_ok() || carrying.sources == Sources::Go {
            totals.add(sum.items, sum.bytes);
        }
        first
    }

    async fn carry_one(&self, carrying: Carrying<'_>, name: String) -> Result<Totals> {
        let (from, to) = (child(carrying.from, &name)?, child(carrying.to, &name)?);
        let file = Carrying {
            from: &from,
            to: &to,
            ..carrying
        };
        match self.carry(file).await {
            // Somebody took it away in the meantime.
            Err(Error::Outcome(Outcome::NotFound)) => Ok(Totals::default()),
            result => result,
        }
    }

    /// Makes the copy of an empty directory.
    async fn make_copied(&self, directory: &Path, totals: &mut Totals) -> Result<()> {
        match self.make_directory(directory).await {
            Ok(_) => totals.add(1, 0),
            Err(Error::Outcome(Outcome::AlreadyExists)) => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

impl Frame {
    /// Begins the page from its start if it no longer holds what was done last: somebody took that away, or it
    /// was moved.
    fn find_place(&mut self) {
        let mut entries = self.page.iter().flat_map(|page| &page.entries);
        let is_lost = self
            .after
            .as_ref()
            .is_some_and(|mark| !entries.any(|entry| mark.is(entry)));
        if is_lost {
            (self.after, self.anew) = (None, true);
        }
    }

    /// What comes after what is done.
    fn next(&self) -> Next {
        let entries = self.page.iter().flat_map(|page| &page.entries);
        let (files, directories): (Vec<&Entry>, Vec<&Entry>) =
            entries.partition(|entry| entry.kind == Kind::File);
        let behind = |entries: &[&Entry], mark: &Mark| {
            let place = entries.iter().position(|entry| mark.is(entry));
            place.map_or(0, |index| index + 1)
        };
        let (file, directory) = match &self.after {
            None => (0, 0),
            Some(mark @ Mark::File(_)) => (behind(&files, mark), 0),
            Some(mark @ Mark::Directory(_)) => (files.len(), behind(&directories, mark)),
        };
        let mut bytes = 0_u64;
        let chosen: Vec<Entry> = files
            .into_iter()
            .skip(file)
            .take(STEP_FILES)
            .take_while(|entry| {
                let fits = bytes < STEP_BYTES;
                bytes = bytes.saturating_add(entry.size);
                fits
            })
            .cloned()
            .collect();
        if !chosen.is_empty() {
            return Next::Files(chosen);
        }
        match directories.get(directory) {
            Some(entry) => Next::Directory(entry.name.clone()),
            None => Next::Nothing,
        }
    }

    /// Turns to the next page, if there is one.
    fn turn(&mut self) -> bool {
        let Some(page) = &self.page else {
            return false;
        };
        let next = page.next.clone();
        let has_more = next.is_some();
        if has_more {
            (self.cursor, self.after, self.page) = (next, None, None);
        }
        has_more
    }
}

fn child(directory: &Path, name: &str) -> Result<Path> {
    directory
        .child(name)
        .map_err(|error| Outcome::InvalidArgument(error.to_string()).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(entries: &[Entry], after: Option<Mark>) -> Frame {
        Frame {
            after,
            page: Some(Arc::new(Page {
                entries: entries.to_vec(),
                next: None,
            })),
            ..Frame::default()
        }
    }

    fn names(frame: &Frame) -> Vec<String> {
        match frame.next() {
            Next::Files(files) => files.into_iter().map(|file| file.name).collect(),
            Next::Directory(name) => vec![format!("{name}/")],
            Next::Nothing => Vec::new(),
        }
    }

    #[test]
    fn files_come_first_and_each_entry_once() {
        let file = |name: &str| Mark::File(name.to_owned());
        let directory = |name: &str| Mark::Directory(name.to_owned());
        let page = [
            Entry::file("a", 1),
            Entry::directory("b"),
            Entry::file("b", 1),
            Entry::directory("c"),
        ];
        for (after, expected, is_lost) in [
            (None, &["a", "b"][..], false),
            (Some(file("a")), &["b"], false),
            (Some(file("b")), &["b/"], false),
            (Some(directory("b")), &["c/"], false),
            (Some(directory("c")), &[], false),
            (Some(file("gone")), &["a", "b"], true),
            (Some(directory("a")), &["a", "b"], true),
        ] {
            let mut frame = frame(&page, after);
            frame.find_place();
            assert_eq!(names(&frame), expected);
            assert_eq!(frame.anew, is_lost);
        }
    }

    #[test]
    fn a_step_ends_with_enough_files_or_bytes() {
        let small: Vec<_> = (0..50).map(|n| Entry::file(format!("{n:02}"), 1)).collect();
        assert_eq!(names(&frame(&small, None)).len(), STEP_FILES);
        let large: Vec<_> = (0..9)
            .map(|n| Entry::file(format!("{n}"), STEP_BYTES / 2))
            .collect();
        assert_eq!(names(&frame(&large, None)).len(), 2);
        let huge = [Entry::file("a", u64::MAX), Entry::file("b", u64::MAX)];
        assert_eq!(names(&frame(&huge, None)), ["a"]);
    }

    #[test]
    fn only_the_deepest_pages_are_held() {
        let mut walk = Walk::new(true);
        for depth in 0..100 {
            let page = Some(Arc::default());
            walk.stack.last_mut().unwrap().page = page;
            walk.enter(depth.to_string());
        }
        walk.stack.last_mut().unwrap().page = Some(Arc::default());
        let held = walk.stack.iter().filter(|frame| frame.page.is_some());
        assert_eq!(held.count(), PAGES);
    }
}
