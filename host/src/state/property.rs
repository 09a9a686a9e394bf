//! Dead properties: what WebDAV clients keep with a resource, and only they understand.
//!
//! They belong to a path and a kind, so that a file and a folder of one path do not mix.

use std::{collections::HashMap, sync::LazyLock};

use sqlx::{Any, Transaction};

use super::{State, StateResult};
use crate::{Kind, Path};

/// The most bytes of properties that one resource may have: a listing holds those of a page.
const ROOM: i64 = 64 * 1024;

/// Resources that one query asks for.
const BATCH: usize = 500;

/// A property as it was set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Property {
    /// The namespace of its name; may be empty.
    pub(crate) namespace: String,
    /// Its name in that.
    pub(crate) name: String,
    /// The whole element as XML that needs nothing around it.
    pub(crate) value: String,
}

/// A change of one property.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PropertyChange {
    /// Sets it.
    Set(Property),
    /// Takes the property of this namespace and name away, if it is there.
    Remove(String, String),
}

/// The properties of several resources.
pub(crate) type PropertiesByResource = HashMap<(String, Kind), Vec<Property>>;

type Row = (String, String, String);
type RowOfSeveral = (String, String, String, String, String);

/// `a` and what is below it, as a condition on a path and a kind. `$1` is the path and `$2` the kind.
macro_rules! tree {
    () => {
        "((path = $1 AND kind = $2) \
         OR ($2 = 'directory' AND substr(path, 1, length($1) + 1) = $1 || '/'))"
    };
}

impl State {
    /// The properties of one resource.
    ///
    /// # Errors
    /// The database failed.
    pub(crate) async fn properties(&self, path: &Path, kind: Kind) -> StateResult<Vec<Property>> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT namespace, name, value FROM dav_property WHERE path = $1 AND kind = $2 \
             ORDER BY namespace, name",
        )
        .bind(path.as_str())
        .bind(label(kind))
        .fetch_all(self.pool())
        .await?;
        Ok(rows.into_iter().map(property).collect())
    }

    /// Whether anything in a directory has properties.
    ///
    /// # Errors
    /// The database failed.
    pub(crate) async fn has_properties_in(&self, directory: &Path) -> StateResult<bool> {
        let (count,): (i64,) = sqlx::query_as(
            "SELECT COUNT(*) FROM (SELECT 1 AS one FROM dav_property WHERE parent = $1 LIMIT 1) AS found",
        )
        .bind(directory.as_str())
        .fetch_one(self.pool())
        .await?;
        Ok(count > 0)
    }

    /// The properties of resources with these paths, whatever their kinds.
    ///
    /// # Errors
    /// The database failed.
    pub(crate) async fn properties_of_all(
        &self,
        paths: &[Path],
    ) -> StateResult<PropertiesByResource> {
        static SQL: LazyLock<String> = LazyLock::new(|| {
            let places: Vec<String> = (1..=BATCH).map(|number| format!("${number}")).collect();
            format!(
                "SELECT path, kind, namespace, name, value FROM dav_property WHERE path IN ({}) \
                 ORDER BY namespace, name",
                places.join(", ")
            )
        });
        let sql: &'static str = &SQL;
        let mut found = PropertiesByResource::new();
        for batch in paths.chunks(BATCH) {
            // The statement stays the same, and so prepared: the last path fills up the rest.
            let last = batch.last();
            let mut query = sqlx::query_as::<_, RowOfSeveral>(sql);
            for place in 0..BATCH {
                let path = batch.get(place).or(last).map(Path::as_str);
                query = query.bind(path.unwrap_or_default());
            }
            for (path, kind, namespace, name, value) in query.fetch_all(self.pool()).await? {
                found
                    .entry((path, kind_of(&kind)))
                    .or_default()
                    .push(property((namespace, name, value)));
            }
        }
        Ok(found)
    }

    /// Makes all changes or none. False if there is no room for them, and then none was made.
    ///
    /// # Errors
    /// The database failed.
    pub(crate) async fn change_properties(
        &self,
        path: &Path,
        kind: Kind,
        changes: &[PropertyChange],
    ) -> StateResult<bool> {
        let mut transaction = self.pool().begin().await?;
        for change in changes {
            let query = match change {
                PropertyChange::Set(property) => sqlx::query(
                    "INSERT INTO dav_property (path, kind, namespace, name, value, parent) \
                     VALUES ($1, $2, $3, $4, $5, $6) \
                     ON CONFLICT (path, kind, namespace, name) DO UPDATE SET value = excluded.value",
                )
                .bind(path.as_str())
                .bind(label(kind))
                .bind(&property.namespace)
                .bind(&property.name)
                .bind(&property.value)
                .bind(parent(path)),
                PropertyChange::Remove(namespace, name) => sqlx::query(
                    "DELETE FROM dav_property \
                     WHERE path = $1 AND kind = $2 AND namespace = $3 AND name = $4",
                )
                .bind(path.as_str())
                .bind(label(kind))
                .bind(namespace)
                .bind(name),
            };
            query.execute(&mut *transaction).await?;
        }
        let (used,): (i64,) = sqlx::query_as(
            "SELECT CAST(COALESCE(SUM(length(value)), 0) AS BIGINT) FROM dav_property \
             WHERE path = $1 AND kind = $2",
        )
        .bind(path.as_str())
        .bind(label(kind))
        .fetch_one(&mut *transaction)
        .await?;
        if used > ROOM {
            transaction.rollback().await?;
            return Ok(false);
        }
        transaction.commit().await?;
        Ok(true)
    }

    /// Forgets the properties of a resource and of all below it.
    ///
    /// # Errors
    /// The database failed.
    pub(crate) async fn remove_properties(&self, path: &Path, kind: Kind) -> StateResult<()> {
        sqlx::query(concat!("DELETE FROM dav_property WHERE ", tree!()))
            .bind(path.as_str())
            .bind(label(kind))
            .execute(self.pool())
            .await?;
        Ok(())
    }

    /// Gives the properties of a resource and of all below it to another path, in place of what that has.
    ///
    /// # Errors
    /// The database failed.
    pub(crate) async fn move_properties(
        &self,
        from: &Path,
        to: &Path,
        kind: Kind,
    ) -> StateResult<()> {
        let mut transaction = self.cleared(to, kind).await?;
        sqlx::query(concat!(
            "UPDATE dav_property SET path = $3 || substr(path, length($1) + 1), \
             parent = CASE WHEN path = $1 THEN $4 ELSE $3 || substr(parent, length($1) + 1) END \
             WHERE ",
            tree!()
        ))
        .bind(from.as_str())
        .bind(label(kind))
        .bind(to.as_str())
        .bind(parent(to))
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Copies the properties of a resource, and with `deep` of all below it, in place of what the other path has.
    ///
    /// # Errors
    /// The database failed.
    pub(crate) async fn copy_properties(
        &self,
        from: &Path,
        to: &Path,
        kind: Kind,
        deep: bool,
    ) -> StateResult<()> {
        let mut transaction = self.cleared(to, kind).await?;
        sqlx::query(concat!(
            "INSERT INTO dav_property (path, kind, namespace, name, value, parent) \
             SELECT $3 || substr(path, length($1) + 1), kind, namespace, name, value, \
             CASE WHEN path = $1 THEN $4 ELSE $3 || substr(parent, length($1) + 1) END \
             FROM dav_property WHERE ($5 = 1 OR path = $1) AND ",
            tree!()
        ))
        .bind(from.as_str())
        .bind(label(kind))
        .bind(to.as_str())
        .bind(parent(to))
        .bind(i64::from(deep))
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }

    async fn cleared(&self, path: &Path, kind: Kind) -> StateResult<Transaction<'static, Any>> {
        let mut transaction = self.pool().begin().await?;
        sqlx::query(concat!("DELETE FROM dav_property WHERE ", tree!()))
            .bind(path.as_str())
            .bind(label(kind))
            .execute(&mut *transaction)
            .await?;
        Ok(transaction)
    }
}

fn property((namespace, name, value): Row) -> Property {
    Property {
        namespace,
        name,
        value,
    }
}

/// The directory that a resource lies in; for the root, what is no path.
fn parent(path: &Path) -> String {
    path.parent()
        .map_or_else(|| "/".to_owned(), |parent| parent.to_string())
}

/// A kind as the tables have it.
pub(super) fn label(kind: Kind) -> &'static str {
    match kind {
        Kind::File => "file",
        Kind::Directory => "directory",
    }
}

/// A kind from the tables.
pub(super) fn kind_of(label: &str) -> Kind {
    if label == "directory" {
        Kind::Directory
    } else {
        Kind::File
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> Path {
        Path::parse(text).unwrap()
    }

    fn set(name: &str, value: &str) -> PropertyChange {
        PropertyChange::Set(Property {
            namespace: "urn:x".to_owned(),
            name: name.to_owned(),
            value: value.to_owned(),
        })
    }

    async fn put(state: &State, at: &str, kind: Kind) {
        let changes = [set("p", at)];
        let done = state.change_properties(&path(at), kind, &changes).await;
        assert!(done.unwrap());
    }

    async fn values(state: &State, at: &str, kind: Kind) -> Vec<String> {
        let found = state.properties(&path(at), kind).await.unwrap();
        found.into_iter().map(|property| property.value).collect()
    }

    /// A tree with a neighbour of nearly its name, and wildcards of SQL in names.
    async fn tree() -> State {
        let state = State::fresh().await;
        for (at, kind) in [
            ("a_%", Kind::Directory),
            ("a_%/x", Kind::File),
            ("a_%/b/ü", Kind::File),
            ("a_%", Kind::File),
            ("a_%2", Kind::File),
            ("abc/x", Kind::File),
        ] {
            put(&state, at, kind).await;
        }
        state
    }

    #[tokio::test]
    async fn changes_are_made_all_or_none() {
        let state = State::fresh().await;
        let at = path("f");
        let changes = [set("a", "1"), set("b", "2"), set("a", "3")];
        assert!(
            state
                .change_properties(&at, Kind::File, &changes)
                .await
                .unwrap()
        );
        assert_eq!(values(&state, "f", Kind::File).await, ["3", "2"]);
        let big = "x".repeat(70_000);
        let changes = [
            PropertyChange::Remove("urn:x".to_owned(), "a".to_owned()),
            set("c", &big),
        ];
        assert!(
            !state
                .change_properties(&at, Kind::File, &changes)
                .await
                .unwrap()
        );
        assert_eq!(values(&state, "f", Kind::File).await, ["3", "2"]);
        assert_eq!(values(&state, "f", Kind::Directory).await.len(), 0);
    }

    #[tokio::test]
    async fn a_tree_moves_and_nothing_beside_it() {
        let state = tree().await;
        put(&state, "new/stale", Kind::File).await;
        state
            .move_properties(&path("a_%"), &path("new"), Kind::Directory)
            .await
            .unwrap();
        for (at, kind, there) in [
            ("new", Kind::Directory, true),
            ("new/x", Kind::File, true),
            ("new/b/ü", Kind::File, true),
            ("new/stale", Kind::File, false),
            ("a_%", Kind::Directory, false),
            ("a_%/x", Kind::File, false),
            ("a_%", Kind::File, true),
            ("a_%2", Kind::File, true),
            ("abc/x", Kind::File, true),
        ] {
            assert_eq!(!values(&state, at, kind).await.is_empty(), there, "{at}");
        }
        assert!(state.has_properties_in(&path("new/b")).await.unwrap());
        assert!(!state.has_properties_in(&path("a_%")).await.unwrap());
        assert!(state.has_properties_in(&Path::ROOT).await.unwrap());
    }

    #[tokio::test]
    async fn a_tree_is_copied_deep_or_not_and_removed() {
        let state = tree().await;
        let (from, to) = (path("a_%"), path("to"));
        state
            .copy_properties(&from, &to, Kind::Directory, false)
            .await
            .unwrap();
        assert_eq!(values(&state, "to", Kind::Directory).await, ["a_%"]);
        assert_eq!(values(&state, "to/x", Kind::File).await.len(), 0);
        state
            .copy_properties(&from, &to, Kind::Directory, true)
            .await
            .unwrap();
        assert_eq!(values(&state, "to/b/ü", Kind::File).await, ["a_%/b/ü"]);
        state
            .remove_properties(&from, Kind::Directory)
            .await
            .unwrap();
        let paths = ["a_%", "a_%/x", "to/x", "a_%2"].map(path);
        let found = state.properties_of_all(&paths).await.unwrap();
        let mut keys: Vec<_> = found.keys().cloned().collect();
        keys.sort();
        assert_eq!(
            keys,
            [
                ("a_%".to_owned(), Kind::File),
                ("a_%2".to_owned(), Kind::File),
                ("to/x".to_owned(), Kind::File),
            ]
        );
    }
}
