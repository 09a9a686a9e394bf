//! Keys that all hosts of one state share.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{State, StateError, StateResult};

impl State {
    /// A secret key of this name, made of random bytes when it is first asked for.
    ///
    /// # Errors
    /// The database failed, or what it holds is no key.
    pub(crate) async fn key(&self, name: &str) -> StateResult<[u8; 32]> {
        let name = format!("key.{name}");
        let mut fresh = [0; 32];
        getrandom::fill(&mut fresh).map_err(|_| StateError::Garbled("random key"))?;
        // Two hosts may begin at once: who comes second takes what is there.
        sqlx::query(
            "INSERT INTO setting (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING",
        )
        .bind(&name)
        .bind(STANDARD.encode(fresh))
        .execute(self.pool())
        .await?;
        let (value,): (String,) = sqlx::query_as("SELECT value FROM setting WHERE name = $1")
            .bind(&name)
            .fetch_one(self.pool())
            .await?;
        let bytes = STANDARD.decode(value).ok();
        bytes
            .and_then(|bytes| bytes.try_into().ok())
            .ok_or(StateError::Garbled("key"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::{StatePlace, fresh};

    #[tokio::test]
    async fn a_key_stays_the_same() {
        let state = State::fresh().await;
        let first = state.key("cookie").await.unwrap();
        assert_eq!(state.key("cookie").await.unwrap(), first);
        assert_ne!(state.key("share").await.unwrap(), first);
    }

    #[tokio::test]
    async fn a_folder_keeps_it() {
        let folder = tempfile::tempdir().unwrap();
        let place = StatePlace::Folder(folder.path().join("a b/state"));
        let first = State::open(place.clone())
            .await
            .unwrap()
            .key("x")
            .await
            .unwrap();
        let again = State::open(place).await.unwrap();
        assert_eq!(again.key("x").await.unwrap(), first);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(folder.path().join("a b/state"))
                .unwrap()
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o700);
        }
    }

    #[tokio::test]
    async fn hosts_that_begin_at_once_share_it() {
        let folder = tempfile::tempdir().unwrap();
        let folder = StatePlace::Folder(folder.path().to_owned());
        for place in [Some(folder), fresh::postgres().await] {
            let Some(place) = place else { continue };
            let keys = (0..8).map(|_| async {
                let host = State::open(place.clone()).await.unwrap();
                host.key("x").await.unwrap()
            });
            let keys = futures::future::join_all(keys).await;
            assert!(keys.windows(2).all(|pair| pair[0] == pair[1]), "{place:?}");
        }
    }

    #[tokio::test]
    async fn what_is_no_database_is_refused() {
        for url in ["", "x", "mysql://a/b", "postgres"] {
            let opened = State::open(StatePlace::Postgres(url.to_owned())).await;
            assert!(matches!(opened, Err(StateError::Url)), "{url}");
        }
    }
}
