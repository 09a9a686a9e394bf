//! Share links.

use super::{State, StateResult};

/// A link to a file or a folder for people who have no name here.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub(crate) struct Share {
    pub(crate) id: String,
    /// The user who made it, and without whom it is nothing.
    pub(crate) owner: String,
    /// What is shared, in the namespace.
    pub(crate) path: String,
    /// `file` or `directory`.
    pub(crate) kind: String,
    /// The hash of the password that it asks for.
    pub(crate) password: Option<String>,
    pub(crate) created: i64,
    /// When it ends; none for never.
    pub(crate) expires: Option<i64>,
    /// Downloads that it is good for; none for any number.
    pub(crate) download_limit: Option<i64>,
    /// Downloads so far.
    pub(crate) downloads: i64,
    /// When the last one began.
    pub(crate) last_download: Option<i64>,
}

impl State {
    /// Keeps a share. Forgets those that expired more than 30 days ago.
    pub(crate) async fn add_share(&self, share: &Share) -> StateResult<()> {
        sqlx::query("DELETE FROM share WHERE expires < $1")
            .bind(share.created - 30 * 24 * 60 * 60 * 1000)
            .execute(self.pool())
            .await?;
        sqlx::query(
            "INSERT INTO share (id, owner, path, kind, password, created, expires, download_limit, \
             downloads, last_download) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, NULL)",
        )
        .bind(&share.id)
        .bind(&share.owner)
        .bind(&share.path)
        .bind(&share.kind)
        .bind(&share.password)
        .bind(share.created)
        .bind(share.expires)
        .bind(share.download_limit)
        .execute(self.pool())
        .await?;
        Ok(())
    }

    /// The share of this id, expired or not.
    pub(crate) async fn share(&self, id: &str) -> StateResult<Option<Share>> {
        Ok(sqlx::query_as(
            "SELECT id, owner, path, kind, password, created, expires, download_limit, downloads, \
             last_download FROM share WHERE id = $1",
        )
        .bind(id)
        .fetch_optional(self.pool())
        .await?)
    }

    /// A user's shares, the newest first.
    pub(crate) async fn shares_of(&self, owner: &str) -> StateResult<Vec<Share>> {
        Ok(sqlx::query_as(
            "SELECT id, owner, path, kind, password, created, expires, download_limit, downloads, \
             last_download FROM share WHERE owner = $1 ORDER BY created DESC, id",
        )
        .bind(owner)
        .fetch_all(self.pool())
        .await?)
    }

    /// Counts a download that begins. False if the share is good for no more, or gone.
    pub(crate) async fn count_download(&self, id: &str, now: i64) -> StateResult<bool> {
        // One statement, so that of two at once only one takes the last download.
        let done = sqlx::query(
            "UPDATE share SET downloads = downloads + 1, last_download = $2 \
             WHERE id = $1 AND (download_limit IS NULL OR downloads < download_limit)",
        )
        .bind(id)
        .bind(now)
        .execute(self.pool())
        .await?;
        Ok(done.rows_affected() > 0)
    }

    /// Takes a download back that came to nothing.
    pub(crate) async fn uncount_download(&self, id: &str) -> StateResult<()> {
        sqlx::query("UPDATE share SET downloads = downloads - 1 WHERE id = $1 AND downloads > 0")
            .bind(id)
            .execute(self.pool())
            .await?;
        Ok(())
    }

    /// Removes a user's share. False if the user has none of this id.
    pub(crate) async fn remove_share(&self, owner: &str, id: &str) -> StateResult<bool> {
        let done = sqlx::query("DELETE FROM share WHERE owner = $1 AND id = $2")
            .bind(owner)
            .bind(id)
            .execute(self.pool())
            .await?;
        Ok(done.rows_affected() > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(id: &str, limit: Option<i64>) -> Share {
        Share {
            id: id.to_owned(),
            owner: "ann".to_owned(),
            path: "a/ü".to_owned(),
            kind: "file".to_owned(),
            password: None,
            created: 1,
            expires: None,
            download_limit: limit,
            downloads: 0,
            last_download: None,
        }
    }

    #[tokio::test]
    async fn the_last_download_is_taken_once() {
        let folder = tempfile::tempdir().unwrap();
        let place = crate::state::StatePlace::Folder(folder.path().to_owned());
        let state = State::open(place).await.unwrap();
        state.add_share(&share("1", Some(3))).await.unwrap();
        state.add_share(&share("2", None)).await.unwrap();
        let many = (0..20).map(|_| state.count_download("1", 5));
        let counted = futures::future::join_all(many).await;
        let counted = counted.into_iter().filter(|found| *found.as_ref().unwrap());
        assert_eq!(counted.count(), 3);
        let found = state.share("1").await.unwrap().unwrap();
        assert_eq!((found.downloads, found.last_download), (3, Some(5)));
        state.uncount_download("1").await.unwrap();
        assert!(state.count_download("1", 6).await.unwrap());
        assert!(!state.count_download("1", 6).await.unwrap());
        assert!(state.count_download("2", 5).await.unwrap());
        assert!(!state.count_download("3", 5).await.unwrap());
    }

    #[tokio::test]
    async fn shares_belong_to_who_made_them() {
        let state = State::fresh().await;
        let with_all = Share {
            password: Some("$argon2id$".to_owned()),
            expires: Some(50),
            ..share("1", Some(1))
        };
        state.add_share(&with_all).await.unwrap();
        assert_eq!(state.share("1").await.unwrap(), Some(with_all.clone()));
        assert_eq!(state.shares_of("ann").await.unwrap(), [with_all]);
        assert!(state.shares_of("bob").await.unwrap().is_empty());
        assert!(!state.remove_share("bob", "1").await.unwrap());
        assert!(state.remove_share("ann", "1").await.unwrap());
        assert_eq!(state.share("1").await.unwrap(), None);
    }
}
