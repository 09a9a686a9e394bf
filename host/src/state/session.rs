//! Sessions that users ended.

use super::{State, StateResult};

impl State {
    /// Ends a session: its cookie is no longer good, wherever a copy of it is. `last` is when it would have ended
    /// at the latest, and is forgotten.
    pub(crate) async fn end_session(&self, id: &str, last: i64, now: i64) -> StateResult<()> {
        sqlx::query("DELETE FROM ended_session WHERE expires <= $1")
            .bind(now)
            .execute(self.pool())
            .await?;
        sqlx::query(
            "INSERT INTO ended_session (id, expires) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING",
        )
        .bind(id)
        .bind(last)
        .execute(self.pool())
        .await?;
        Ok(())
    }

    /// Whether a session was ended.
    pub(crate) async fn is_session_ended(&self, id: &str) -> StateResult<bool> {
        let row: Option<(i64,)> = sqlx::query_as("SELECT expires FROM ended_session WHERE id = $1")
            .bind(id)
            .fetch_optional(self.pool())
            .await?;
        Ok(row.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn ended_sessions_are_remembered_as_long_as_they_could_last() {
        let state = State::fresh().await;
        assert!(!state.is_session_ended("a").await.unwrap());
        state.end_session("a", 100, 1).await.unwrap();
        state.end_session("a", 100, 2).await.unwrap();
        assert!(state.is_session_ended("a").await.unwrap());
        assert!(!state.is_session_ended("b").await.unwrap());
        state.end_session("b", 200, 100).await.unwrap();
        assert!(!state.is_session_ended("a").await.unwrap());
        assert!(state.is_session_ended("b").await.unwrap());
    }
}
