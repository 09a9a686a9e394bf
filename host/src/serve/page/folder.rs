//! A folder's page.

use std::cmp::Ordering;

use askama::Template;
use axum::{extract::Query, response::Response};
use http::{StatusCode, request::Parts};
use serde::Deserialize;

use super::{
    frame::{Crumb, Frame, crumbs, grouped, human_size, visible},
    html, vary,
};
use crate::{
    Entry, Kind, Page, Path, Rights,
    serve::{
        accept::Wants,
        date,
        door::Door,
        href,
        json::{self, PageBody},
        media, natural,
        problem::Problem,
        site::Visit,
    },
};

/// Entries on one page.
const PAGE_LIMIT: u32 = 1000;

/// What the page is ordered by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Column {
    #[default]
    Name,
    Size,
    Time,
}

impl Column {
    const ALL: [Self; 3] = [Self::Name, Self::Size, Self::Time];

    fn key(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Size => "size",
            Self::Time => "time",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Name => "Name",
            Self::Size => "Size",
            Self::Time => "Changed",
        }
    }

    fn compare(self, left: &Entry, right: &Entry) -> Ordering {
        match self {
            Self::Name => Ordering::Equal,
            Self::Size => left.size.cmp(&right.size),
            Self::Time => left.modified.cmp(&right.modified),
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Order {
    #[default]
    Asc,
    Desc,
}

/// What the query asks of a folder.
#[derive(Debug, Default, Deserialize)]
struct View {
    cursor: Option<String>,
    #[serde(default)]
    sort: Column,
    #[serde(default)]
    order: Order,
}

#[derive(Template)]
#[template(path = "folder.html")]
struct FolderPage<'a> {
    frame: Frame<'a>,
    crumbs: Vec<Crumb>,
    /// The folder's name; empty at the top.
    name: String,
    columns: Vec<Header>,
    rows: Vec<Row>,
    summary: String,
    /// Whether there are entries before these.
    first: Option<String>,
    /// Where the next page is.
    next: Option<String>,
    /// Where all of it is downloaded at once, if there is something.
    archive: Option<String>,
    is_writable: bool,
    is_empty: bool,
}

struct Header {
    title: &'static str,
    key: &'static str,
    link: String,
    /// `ascending`, `descending`, or nothing.
    sorted: &'static str,
}

struct Row {
    name: String,
    icon: &'static str,
    link: String,
    /// Where it is downloaded; empty for a folder.
    download: String,
    size: String,
    exact_size: String,
    time: String,
    exact_time: String,
}

/// Answers with one page of a folder.
pub(crate) async fn view(site: &Visit, parts: &Parts, folder: Path) -> Result<Response, Problem> {
    let wants = Wants::of(&parts.headers);
    // A sort order that does not exist is no reason to show nothing.
    let Query(view) = Query::<View>::try_from_uri(&parts.uri).unwrap_or_default();
    let cursor = view.cursor.as_deref().filter(|cursor| !cursor.is_empty());
    let page = site.namespace.list(&folder, cursor, PAGE_LIMIT).await?;
    if wants == Wants::Json {
        let body = PageBody::new(&site.ground.shown(&folder), &page);
        return Ok(vary(json::answer(StatusCode::OK, &body)));
    }
    let mut entries: Vec<&Entry> = page.entries.iter().collect();
    sort(&mut entries, view.sort, view.order);
    let is_empty = page.entries.is_empty() && page.next.is_none() && cursor.is_none();
    Ok(html(&FolderPage {
        archive: (!is_empty && !site.ground.is_share)
            .then(|| href::absolute(Door::Download, &folder, true) + "?zip"),
        frame: Frame::new(site, &visible(folder.name())),
        crumbs: crumbs(&site.ground, &folder),
        name: visible(folder.name()),
        columns: Column::ALL.map(|column| header(column, &view)).into(),
        rows: entries
            .into_iter()
            .map(|entry| row(site, &folder, entry))
            .collect(),
        summary: summary(&page),
        first: cursor.map(|_| query(&view, None)),
        next: page.next.as_deref().map(|next| query(&view, Some(next))),
        is_writable: site.namespace.access().rights(&folder) == Rights::Write
            && site
                .namespace
                .mount_of(&folder)
                .is_some_and(|mount| !mount.is_read_only()),
        is_empty,
    }))
}

/// Folders first, then as asked, and alike ones by name.
fn sort(entries: &mut [&Entry], column: Column, order: Order) {
    entries.sort_by(|left, right| {
        let by_kind = (left.kind == Kind::File).cmp(&(right.kind == Kind::File));
        let by_name = natural::compare(&left.name, &right.name);
        let wanted = column.compare(left, right).then(by_name);
        by_kind.then(match order {
            Order::Asc => wanted,
            Order::Desc => wanted.reverse(),
        })
    });
}

fn header(column: Column, view: &View) -> Header {
    let is_sorted = column == view.sort;
    // The first click on sizes and times shows the largest and the latest.
    let order = match (is_sorted, view.order, column) {
        (true, Order::Asc, _) | (false, _, Column::Size | Column::Time) => Order::Desc,
        (true, Order::Desc, _) | (false, _, Column::Name) => Order::Asc,
    };
    let sort = View {
        cursor: None,
        sort: column,
        order,
    };
    Header {
        title: column.title(),
        key: column.key(),
        link: query(&sort, view.cursor.as_deref()),
        sorted: match (is_sorted, view.order) {
            (false, _) => "",
            (true, Order::Asc) => "ascending",
            (true, Order::Desc) => "descending",
        },
    }
}

/// A link to the same folder, otherwise ordered or further on.
fn query(view: &View, cursor: Option<&str>) -> String {
    let order = match view.order {
        Order::Asc => "asc",
        Order::Desc => "desc",
    };
    let mut link = String::from("./");
    let mut separator = '?';
    if (view.sort, view.order) != (Column::Name, Order::Asc) {
        link.push_str(&format!("?sort={}&order={order}", view.sort.key()));
        separator = '&';
    }
    if let Some(cursor) = cursor {
        link.push_str(&format!("{separator}cursor={}", href::query_value(cursor)));
    }
    link
}

fn row(site: &Visit, folder: &Path, entry: &Entry) -> Row {
    let is_folder = entry.kind == Kind::Directory;
    let download = folder.child(&entry.name).ok().filter(|_| !is_folder);
    Row {
        name: visible(&entry.name),
        icon: if is_folder {
            "folder"
        } else {
            media::icon(entry)
        },
        link: href::relative(folder, &entry.name, is_folder),
        download: download.map_or_else(String::new, |path| site.ground.download(&path)),
        size: if is_folder {
            String::new()
        } else {
            human_size(entry.size)
        },
        exact_size: format!("{} bytes", grouped(entry.size)),
        time: entry.modified.and_then(date::people).unwrap_or_default(),
        exact_time: entry.modified.and_then(date::rfc3339).unwrap_or_default(),
    }
}

fn summary(page: &Page) -> String {
    let count = |number: usize, one: &str, many: &str| match number {
        0 => None,
        1 => Some(format!("1 {one}")),
        number => Some(format!("{} {many}", grouped(number as u64))),
    };
    let (folders, files): (Vec<&Entry>, Vec<&Entry>) = page
        .entries
        .iter()
        .partition(|entry| entry.kind == Kind::Directory);
    let bytes = files
        .iter()
        .fold(0_u64, |sum, file| sum.saturating_add(file.size));
    let parts = [
        count(folders.len(), "folder", "folders"),
        count(files.len(), "file", "files"),
        (!files.is_empty()).then(|| human_size(bytes)),
        page.next.as_ref().map(|_| "more follow".to_owned()),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    fn file(name: &str, size: u64, seconds: u64) -> Entry {
        Entry {
            modified: Some(UNIX_EPOCH + Duration::from_secs(seconds)),
            ..Entry::file(name, size)
        }
    }

    #[test]
    fn folders_come_first_in_every_order() {
        let all = [
            file("b10", 1, 3),
            file("b2", 3, 1),
            file("a", 2, 2),
            Entry::directory("z"),
            Entry::directory("y"),
        ];
        for (column, order, names) in [
            (Column::Name, Order::Asc, ["y", "z", "a", "b2", "b10"]),
            (Column::Name, Order::Desc, ["z", "y", "b10", "b2", "a"]),
            (Column::Size, Order::Asc, ["y", "z", "b10", "a", "b2"]),
            (Column::Size, Order::Desc, ["z", "y", "b2", "a", "b10"]),
            (Column::Time, Order::Desc, ["z", "y", "b10", "a", "b2"]),
        ] {
            let mut entries = all.each_ref();
            sort(&mut entries, column, order);
            let found = entries.map(|entry| entry.name.as_str());
            assert_eq!(found, names, "{column:?} {order:?}");
        }
    }

    #[test]
    fn links_keep_the_order_and_escape_the_cursor() {
        let view = View::default();
        assert_eq!(query(&view, None), "./");
        assert_eq!(query(&view, Some("a+/=")), "./?cursor=a%2B%2F%3D");
        assert_eq!(header(Column::Name, &view).link, "./?sort=name&order=desc");
        assert_eq!(header(Column::Name, &view).sorted, "ascending");
        let by_size = header(Column::Size, &view);
        assert_eq!(
            (by_size.link.as_str(), by_size.sorted),
            ("./?sort=size&order=desc", "")
        );
        let view = View {
            cursor: Some("x".into()),
            sort: Column::Size,
            order: Order::Desc,
        };
        assert_eq!(query(&view, Some("y")), "./?sort=size&order=desc&cursor=y");
        assert_eq!(
            header(Column::Size, &view).link,
            "./?sort=size&order=asc&cursor=x"
        );
        assert_eq!(header(Column::Name, &view).link, "./?cursor=x");
    }

    #[test]
    fn summaries() {
        let page = |entries: Vec<Entry>, next: Option<&str>| Page {
            entries,
            next: next.map(str::to_owned),
        };
        assert_eq!(summary(&page(vec![], None)), "");
        assert_eq!(
            summary(&page(vec![Entry::directory("a")], None)),
            "1 folder"
        );
        let entries = vec![Entry::directory("a"), file("b", 500, 0), file("c", 700, 0)];
        assert_eq!(
            summary(&page(entries, Some("x"))),
            "1 folder · 2 files · 1.2 kB · more follow"
        );
    }
}
