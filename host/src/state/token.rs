//! API tokens.

use super::{State, StateResult};

/// An API token, without its secret, which only its owner has.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub(crate) struct Token {
    pub(crate) id: String,
    /// The user that it belongs to.
    pub(crate) owner: String,
    /// What the owner calls it.
    pub(crate) name: String,
    /// What it may do, as JSON; none for all that its owner may.
    pub(crate) allow: Option<String>,
    pub(crate) created: i64,
    pub(crate) expires: i64,
    /// When it was used last, to five minutes; none if never.
    pub(crate) used: Option<i64>,
}

/// A use is written down if the last one was longer ago than this.
const USE_STEP: i64 = 5 * 60 * 1000;

impl State {
    /// Keeps a token. Forgets those that expired more than 30 days ago.
    pub(crate) async fn add_token(&self, token: &Token, digest: &str) -> StateResult<()> {
        sqlx::query("DELETE FROM token WHERE expires < $1")
            .bind(token.created - 30 * 24 * 60 * 60 * 1000)
            .execute(self.pool())
            .await?;
        sqlx::query(
            "INSERT INTO token (id, owner, name, digest, allow, created, expires, used) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, NULL)",
        )
        .bind(&token.id)
        .bind(&token.owner)
        .bind(&token.name)
        .bind(digest)
        .bind(&token.allow)
        .bind(token.created)
        .bind(token.expires)
        .execute(self.pool())
        .await?;
        Ok(())
    }

    /// The token with this digest, if it has not expired. Its use is written down.
    pub(crate) async fn use_token(&self, digest: &str, now: i64) -> StateResult<Option<Token>> {
        let token: Option<Token> = sqlx::query_as(
            "SELECT id, owner, name, allow, created, expires, used FROM token \
             WHERE digest = $1 AND expires > $2",
        )
        .bind(digest)
        .bind(now)
        .fetch_optional(self.pool())
        .await?;
        if let Some(token) = &token
            && token.used.is_none_or(|used| used < now - USE_STEP)
        {
            sqlx::query("UPDATE token SET used = $1 WHERE id = $2")
                .bind(now)
                .bind(&token.id)
                .execute(self.pool())
                .await?;
        }
        Ok(token)
    }

    /// A user's tokens, the newest first.
    pub(crate) async fn tokens_of(&self, owner: &str) -> StateResult<Vec<Token>> {
        Ok(sqlx::query_as(
            "SELECT id, owner, name, allow, created, expires, used FROM token \
             WHERE owner = $1 ORDER BY created DESC, id",
        )
        .bind(owner)
        .fetch_all(self.pool())
        .await?)
    }

    /// Removes a user's token. False if the user has none of this id.
    pub(crate) async fn remove_token(&self, owner: &str, id: &str) -> StateResult<bool> {
        let done = sqlx::query("DELETE FROM token WHERE owner = $1 AND id = $2")
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

    #[tokio::test]
    async fn tokens_are_found_by_digest_until_they_expire() {
        let state = State::fresh().await;
        let token = |id: &str, owner: &str, allow: Option<&str>| Token {
            id: id.to_owned(),
            owner: owner.to_owned(),
            name: "ü".to_owned(),
            allow: allow.map(str::to_owned),
            created: 1_000,
            expires: 9_000_000,
            used: None,
        };
        state
            .add_token(&token("1", "ann", None), "d1")
            .await
            .unwrap();
        state
            .add_token(&token("2", "bob", Some("[]")), "d2")
            .await
            .unwrap();
        assert!(
            state
                .add_token(&token("3", "bob", None), "d2")
                .await
                .is_err()
        );
        let found = state.use_token("d1", 2_000).await.unwrap();
        assert_eq!(found, Some(token("1", "ann", None)));
        assert_eq!(state.use_token("d3", 2_000).await.unwrap(), None);
        assert_eq!(state.use_token("d1", 9_000_000).await.unwrap(), None);
        // Uses are written down, but not each of them.
        let used = async || state.tokens_of("ann").await.unwrap()[0].used;
        assert_eq!(used().await, Some(2_000));
        state.use_token("d1", 2_000 + USE_STEP).await.unwrap();
        assert_eq!(used().await, Some(2_000));
        state.use_token("d1", 2_001 + USE_STEP).await.unwrap();
        assert_eq!(used().await, Some(2_001 + USE_STEP));
        assert_eq!(
            state.tokens_of("bob").await.unwrap(),
            [token("2", "bob", Some("[]"))]
        );
        // Each removes its own.
        assert!(!state.remove_token("bob", "1").await.unwrap());
        assert!(state.remove_token("ann", "1").await.unwrap());
        assert_eq!(state.use_token("d1", 2_000).await.unwrap(), None);
    }
}
