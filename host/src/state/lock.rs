//! Locks of WebDAV (RFC 4918 §6), which all hosts of one state see.

use std::time::{SystemTime, UNIX_EPOCH};

use super::{
    State, StateResult,
    property::{kind_of, label},
};
use crate::{Kind, Path};

/// A lock that was granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lock {
    /// The token, a URI.
    pub(crate) token: String,
    /// What was locked.
    pub(crate) path: Path,
    /// Which of the two that a path can be.
    pub(crate) kind: Kind,
    /// Whether there can be no other lock beside it.
    pub(crate) exclusive: bool,
    /// Whether all below is locked as well.
    pub(crate) deep: bool,
    /// What the client says of the owner: the content of an XML element.
    pub(crate) owner: String,
    /// The user who made it; empty for one who did not say.
    pub(crate) holder: String,
    /// Granted for so many seconds.
    pub(crate) seconds: i64,
    /// Until when, in milliseconds since 1970.
    pub(crate) expires: i64,
}

/// Whether a lock was granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Granting {
    /// It is there now.
    Granted,
    /// This one is in its way.
    Refused(Lock),
}

type Row = (String, String, String, i64, i64, String, String, i64, i64);

/// Locks at a path, above it and below it, that are still good. `$1` is the path, `$2` the time.
const AROUND: &str = "SELECT token, path, kind, exclusive, deep, owner, holder, seconds, expires FROM dav_lock \
     WHERE expires > $2 AND (path = '' OR path = $1 OR $1 = '' \
     OR substr($1, 1, length(path) + 1) = path || '/' OR substr(path, 1, length($1) + 1) = $1 || '/')";

/// A row that all hosts of one state write before they grant a lock, so that they do it one after the other.
const TURN: &str = "dav.turn";

impl Lock {
    /// Whether a resource is locked by it.
    pub(crate) fn covers(&self, path: &Path, kind: Kind) -> bool {
        let is_root = self.path == *path && self.kind == kind;
        is_root || (self.is_deep_directory() && self.path.contains(path))
    }

    fn is_deep_directory(&self) -> bool {
        self.deep && self.kind == Kind::Directory
    }

    /// How many of its seconds are left.
    pub(crate) fn left(&self) -> i64 {
        (self.expires - now()).max(0).div_euclid(1000)
    }

    fn excludes(&self, other: &Self) -> bool {
        (self.exclusive || other.exclusive)
            && (self.covers(&other.path, other.kind) || other.covers(&self.path, self.kind))
    }
}

impl State {
    /// The locks at a path, above it and below it.
    ///
    /// # Errors
    /// The database failed.
    pub(crate) async fn locks_around(&self, path: &Path) -> StateResult<Vec<Lock>> {
        let rows: Vec<Row> = sqlx::query_as(AROUND)
            .bind(path.as_str())
            .bind(now())
            .fetch_all(self.pool())
            .await?;
        Ok(rows.into_iter().filter_map(lock).collect())
    }

    /// Grants a lock, unless another is in its way.
    ///
    /// # Errors
    /// The database failed.
    pub(crate) async fn grant_lock(&self, wanted: &Lock) -> StateResult<Granting> {
        let mut transaction = self.pool().begin().await?;
        sqlx::query(
            "INSERT INTO setting (name, value) VALUES ($1, '') \
             ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        )
        .bind(TURN)
        .execute(&mut *transaction)
        .await?;
        sqlx::query("DELETE FROM dav_lock WHERE expires <= $1")
            .bind(now())
            .execute(&mut *transaction)
            .await?;
        let rows: Vec<Row> = sqlx::query_as(AROUND)
            .bind(wanted.path.as_str())
            .bind(now())
            .fetch_all(&mut *transaction)
            .await?;
        let mut others = rows.into_iter().filter_map(lock);
        if let Some(other) = others.find(|other| wanted.excludes(other)) {
            transaction.rollback().await?;
            return Ok(Granting::Refused(other));
        }
        sqlx::query(
            "INSERT INTO dav_lock (token, path, kind, exclusive, deep, owner, holder, seconds, expires) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(&wanted.token)
        .bind(wanted.path.as_str())
        .bind(label(wanted.kind))
        .bind(i64::from(wanted.exclusive))
        .bind(i64::from(wanted.deep))
        .bind(&wanted.owner)
        .bind(&wanted.holder)
        .bind(wanted.seconds)
        .bind(wanted.expires)
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(Granting::Granted)
    }

    /// Lets a lock last for so many seconds from now. False if it is gone.
    ///
    /// # Errors
    /// The database failed.
    pub(crate) async fn refresh_lock(&self, token: &str, seconds: i64) -> StateResult<bool> {
        let done = sqlx::query(
            "UPDATE dav_lock SET seconds = $2, expires = $3 WHERE token = $1 AND expires > $4",
        )
        .bind(token)
        .bind(seconds)
        .bind(expiry(seconds))
        .bind(now())
        .execute(self.pool())
        .await?;
        Ok(done.rows_affected() > 0)
    }

    /// Takes a lock away. False if it was gone already.
    ///
    /// # Errors
    /// The database failed.
    pub(crate) async fn remove_lock(&self, token: &str) -> StateResult<bool> {
        let done = sqlx::query("DELETE FROM dav_lock WHERE token = $1")
            .bind(token)
            .execute(self.pool())
            .await?;
        Ok(done.rows_affected() > 0)
    }

    /// Takes the locks away that begin at a resource or below it: it is gone.
    ///
    /// # Errors
    /// The database failed.
    pub(crate) async fn remove_locks(&self, path: &Path, kind: Kind) -> StateResult<()> {
        sqlx::query(
            "DELETE FROM dav_lock WHERE (path = $1 AND kind = $2) \
             OR ($2 = 'directory' AND substr(path, 1, length($1) + 1) = $1 || '/')",
        )
        .bind(path.as_str())
        .bind(label(kind))
        .execute(self.pool())
        .await?;
        Ok(())
    }
}

/// When a lock of so many seconds ends, in milliseconds since 1970.
pub(crate) fn expiry(seconds: i64) -> i64 {
    now().saturating_add(seconds.saturating_mul(1000))
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    })
}

/// A lock from the table. What is no path was written by nobody of us, and locks nothing.
fn lock(row: Row) -> Option<Lock> {
    let (token, path, kind, exclusive, deep, owner, holder, seconds, expires) = row;
    Some(Lock {
        token,
        path: Path::parse(path).ok()?,
        kind: kind_of(&kind),
        exclusive: exclusive != 0,
        deep: deep != 0,
        owner,
        holder,
        seconds,
        expires,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(path: &str, exclusive: bool, deep: bool) -> Lock {
        let kind = if path.ends_with('/') || path.is_empty() {
            Kind::Directory
        } else {
            Kind::File
        };
        Lock {
            token: format!("urn:{path}:{exclusive}:{deep}"),
            path: Path::parse(path.trim_end_matches('/')).unwrap(),
            kind,
            exclusive,
            deep,
            owner: String::new(),
            holder: String::new(),
            seconds: 60,
            expires: expiry(60),
        }
    }

    #[tokio::test]
    async fn locks_exclude_each_other_where_they_meet() {
        let (exclusive, shared) = (true, false);
        for (first, second, granted) in [
            (("a/x", exclusive, false), ("a/x", exclusive, true), false),
            (("a/x", exclusive, false), ("a/x", shared, false), false),
            (("a/x", shared, false), ("a/x", shared, true), true),
            (("a/x", exclusive, false), ("a/x2", exclusive, false), true),
            (("a/x", exclusive, false), ("a/x/", exclusive, true), true),
            (("a/", exclusive, true), ("a/b/x", exclusive, false), false),
            (("a/", exclusive, false), ("a/x", exclusive, false), true),
            (("a/b/x", exclusive, false), ("a/", exclusive, true), false),
            (("a/b/x", exclusive, false), ("a/", exclusive, false), true),
            (("a/b/x", shared, false), ("a/", shared, true), true),
            (("", exclusive, true), ("a/b", exclusive, false), false),
            (("a_/", exclusive, true), ("ab/x", exclusive, false), true),
        ] {
            let state = State::fresh().await;
            let lock = |(path, exclusive, deep)| wanted(path, exclusive, deep);
            let (first, second) = (lock(first), lock(second));
            let grant = state.grant_lock(&first).await.unwrap();
            assert_eq!(grant, Granting::Granted);
            let grant = state.grant_lock(&second).await.unwrap();
            let expected = if granted {
                Granting::Granted
            } else {
                Granting::Refused(first.clone())
            };
            assert_eq!(grant, expected, "{first:?} {second:?}");
        }
    }

    #[tokio::test]
    async fn a_lock_ends() {
        let state = State::fresh().await;
        let mut lock = wanted("a", true, false);
        lock.expires = now() - 1;
        state.grant_lock(&lock).await.unwrap();
        assert_eq!(state.locks_around(&lock.path).await.unwrap(), []);
        assert!(!state.refresh_lock(&lock.token, 60).await.unwrap());
        let mut next = wanted("a", true, false);
        assert_eq!(state.grant_lock(&next).await.unwrap(), Granting::Granted);
        assert!(state.refresh_lock(&next.token, 600).await.unwrap());
        let found = state.locks_around(&next.path).await.unwrap();
        next.seconds = 600;
        next.expires = found[0].expires;
        assert_eq!(found, [next.clone()]);
        assert!(next.left() > 500);
        assert!(state.remove_lock(&next.token).await.unwrap());
        assert!(!state.remove_lock(&next.token).await.unwrap());
    }

    #[tokio::test]
    async fn what_is_gone_is_not_locked() {
        let state = State::fresh().await;
        for path in ["a/", "a/b/c", "a", "ab"] {
            let lock = wanted(path, true, false);
            assert_eq!(state.grant_lock(&lock).await.unwrap(), Granting::Granted);
        }
        let gone = Path::parse("a").unwrap();
        state.remove_locks(&gone, Kind::Directory).await.unwrap();
        let left = state.locks_around(&Path::ROOT).await.unwrap();
        let mut left: Vec<_> = left.iter().map(|lock| lock.path.as_str()).collect();
        left.sort_unstable();
        assert_eq!(left, ["a", "ab"]);
    }
}
