//! The journal of tasks.

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Serialize};
use sqlx::FromRow;

use super::{State, StateError, StateResult};
use crate::{
    Access, Grant, Kind, Overwrite, Path, Plan, Position, Rights, Totals, Work,
    tasks::{Failure, Task, TaskState, kind},
};

/// How long a host may work on a task without a sign of life before another takes it over.
pub(crate) const LEASE: Duration = Duration::from_secs(30);

/// A place in the list of tasks: creation and id of the last one seen.
pub(crate) type TaskMark = (u64, String);

const GARBLED: StateError = StateError::Garbled("task");

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, owner, access, kind, source, destination, is_directory, replaces, state, position, ",
            "items, bytes, flowing, code, detail, created, updated, runs FROM task ",
            $rest
        )
    };
}

impl State {
    /// Notes a new task. With a host, that host works on it already.
    pub(crate) async fn insert_task(&self, task: &Task, host: Option<&str>) -> StateResult<()> {
        let plan = task.work.plan();
        let leased_until = host.map_or(0, |_| lease());
        sqlx::query(
            "INSERT INTO task (id, owner, access, kind, source, destination, is_directory, replaces, state, \
             position, items, bytes, flowing, code, detail, created, updated, host, leased_until, runs, cancels) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'running', '', 0, 0, 0, '', '', $9, $9, $10, $11, $12, 0)",
        )
        .bind(&task.id)
        .bind(task.owner.as_deref().unwrap_or_default())
        .bind(write_access(&task.access))
        .bind(kind(&task.work))
        .bind(task.work.from().as_str())
        .bind(plan.map_or("", |plan| plan.to.as_str()))
        .bind(i64::from(task.work.kind() == Kind::Directory))
        .bind(i64::from(plan.is_some_and(|plan| plan.overwrite == Overwrite::Replace)))
        .bind(number(task.created))
        .bind(host.unwrap_or_default())
        .bind(leased_until)
        .bind(i64::from(host.is_some()))
        .execute(self.pool())
        .await?;
        Ok(())
    }

    /// A task; none if there is none of this id.
    pub(crate) async fn task(&self, id: &str) -> StateResult<Option<Task>> {
        let row: Option<Row> = sqlx::query_as(select!("WHERE id = $1"))
            .bind(id)
            .fetch_optional(self.pool())
            .await?;
        row.map(Row::read).transpose()
    }

    /// An owner's tasks, newest first, after this mark. One that makes no sense is left out, and logged.
    pub(crate) async fn tasks(
        &self,
        owner: Option<&str>,
        after: Option<TaskMark>,
        limit: u32,
    ) -> StateResult<Vec<Task>> {
        let (created, id) = after.unwrap_or((u64::MAX, String::new()));
        let mut mark = (number(created), id);
        let limit = limit as usize;
        let mut tasks = Vec::new();
        loop {
            let wanted = limit.saturating_sub(tasks.len());
            let rows = self.task_rows(owner, &mark, wanted).await?;
            let is_last = rows.len() < wanted;
            if let Some(last) = rows.last() {
                mark = (last.created, last.id.clone());
            }
            for row in rows {
                let id = row.id.clone();
                match row.read() {
                    Ok(task) => tasks.push(task),
                    Err(error) => {
                        tracing::warn!(task = id, %error, "a task is left out of its owner's list")
                    }
                }
            }
            if is_last || tasks.len() >= limit {
                return Ok(tasks);
            }
        }
    }

    async fn task_rows(
        &self,
        owner: Option<&str>,
        (created, id): &(i64, String),
        limit: usize,
    ) -> StateResult<Vec<Row>> {
        let rows = sqlx::query_as(select!(
            "WHERE owner = $1 AND (created < $2 OR (created = $2 AND id < $3)) \
             ORDER BY created DESC, id DESC LIMIT $4"
        ))
        .bind(owner.unwrap_or_default())
        .bind(created)
        .bind(id)
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(self.pool())
        .await?;
        Ok(rows)
    }

    /// Takes up the task that has waited longest, if one has: from now on it is this host's.
    pub(crate) async fn take_up_task(&self, host: &str) -> StateResult<Option<Task>> {
        loop {
            let waiting: Option<(String,)> = sqlx::query_as(
                "SELECT id FROM task WHERE state = 'running' AND (host = '' OR leased_until < $1) \
                 ORDER BY created, id LIMIT 1",
            )
            .bind(now())
            .fetch_optional(self.pool())
            .await?;
            let Some((id,)) = waiting else {
                return Ok(None);
            };
            let taken = sqlx::query(
                "UPDATE task SET host = $1, leased_until = $2, runs = runs + 1 \
                 WHERE id = $3 AND state = 'running' AND (host = '' OR leased_until < $4)",
            )
            .bind(host)
            .bind(lease())
            .bind(&id)
            .bind(now())
            .execute(self.pool())
            .await?;
            // Another host may have been quicker.
            if taken.rows_affected() != 1 {
                continue;
            }
            match self.task(&id).await {
                // It must not stand in the way of the others.
                Err(error @ StateError::Garbled(_)) => {
                    let failure = Failure {
                        code: "internal".to_owned(),
                        detail: error.to_string(),
                    };
                    let totals = Totals::default();
                    self.finish_task(&id, host, TaskState::Failed, totals, Some(&failure))
                        .await?;
                }
                task => return task,
            }
        }
    }

    /// Notes how far a task has come. False: it is not this host's any more.
    pub(crate) async fn journal_task(
        &self,
        id: &str,
        host: &str,
        position: &Position,
    ) -> StateResult<bool> {
        let Totals { items, bytes } = position.totals();
        let noted = sqlx::query(
            "UPDATE task SET position = $1, items = $2, bytes = $3, flowing = 0, updated = $4, leased_until = $5 \
             WHERE id = $6 AND host = $7 AND state = 'running'",
        )
        .bind(position.stage())
        .bind(number(items))
        .bind(number(bytes))
        .bind(now())
        .bind(lease())
        .bind(id)
        .bind(host)
        .execute(self.pool())
        .await?;
        Ok(noted.rows_affected() == 1)
    }

    /// Gives a sign of life for a task, and tells whether it is to end: by its owner's wish, or since it is not
    /// this host's any more.
    pub(crate) async fn renew_task(&self, id: &str, host: &str, flowing: u64) -> StateResult<bool> {
        sqlx::query(
            "UPDATE task SET flowing = $1, leased_until = $2 WHERE id = $3 AND host = $4 AND state = 'running'",
        )
        .bind(number(flowing))
        .bind(lease())
        .bind(id)
        .bind(host)
        .execute(self.pool())
        .await?;
        let goes_on: Option<(i64,)> =
            sqlx::query_as("SELECT cancels FROM task WHERE id = $1 AND host = $2 AND cancels = 0")
                .bind(id)
                .bind(host)
                .fetch_optional(self.pool())
                .await?;
        Ok(goes_on.is_none())
    }

    /// Leaves a task to whoever takes it up next, at this position. One that is to end ends.
    pub(crate) async fn leave_task(
        &self,
        id: &str,
        host: &str,
        position: &Position,
    ) -> StateResult<()> {
        let Totals { items, bytes } = position.totals();
        sqlx::query(
            "UPDATE task SET position = $1, items = $2, bytes = $3, flowing = 0, host = '', leased_until = 0, \
             state = CASE WHEN cancels = 1 THEN 'cancelled' ELSE state END \
             WHERE id = $4 AND host = $5 AND state = 'running'",
        )
        .bind(position.stage())
        .bind(number(items))
        .bind(number(bytes))
        .bind(id)
        .bind(host)
        .execute(self.pool())
        .await?;
        Ok(())
    }

    /// Notes how a task ended. False: it was not this host's any more.
    pub(crate) async fn finish_task(
        &self,
        id: &str,
        host: &str,
        state: TaskState,
        totals: Totals,
        failure: Option<&Failure>,
    ) -> StateResult<bool> {
        let finished = sqlx::query(
            "UPDATE task SET state = $1, items = $2, bytes = $3, code = $4, detail = $5, updated = $6, \
             flowing = 0, host = '', leased_until = 0 WHERE id = $7 AND host = $8 AND state = 'running'",
        )
        .bind(state.name())
        .bind(number(totals.items))
        .bind(number(totals.bytes))
        .bind(failure.map_or("", |failure| &failure.code))
        .bind(failure.map_or("", |failure| &failure.detail))
        .bind(now())
        .bind(id)
        .bind(host)
        .execute(self.pool())
        .await?;
        Ok(finished.rows_affected() == 1)
    }

    /// Asks for a task's end. One that nobody works on ends at once, the others when their host hears of it.
    pub(crate) async fn cancel_task(&self, id: &str) -> StateResult<()> {
        sqlx::query(
            "UPDATE task SET cancels = 1, \
             state = CASE WHEN host = '' OR leased_until < $1 THEN 'cancelled' ELSE state END, updated = $1 \
             WHERE id = $2 AND state = 'running'",
        )
        .bind(now())
        .bind(id)
        .execute(self.pool())
        .await?;
        Ok(())
    }

    /// Lets a task that failed or was cancelled go on from its position, with what its owner may do now. False:
    /// it is in no such state.
    pub(crate) async fn retry_task(&self, id: &str, access: &Access) -> StateResult<bool> {
        // A first step that was answered so had no effect: what is found the next time is not its doing.
        let retried = sqlx::query(
            "UPDATE task SET state = 'running', access = $1, host = '', leased_until = 0, cancels = 0, \
             runs = CASE WHEN position = '' AND code IN ('not-found', 'already-exists') THEN 0 ELSE runs END, \
             code = '', detail = '', updated = $2 WHERE id = $3 AND state IN ('failed', 'cancelled')",
        )
        .bind(write_access(access))
        .bind(now())
        .bind(id)
        .execute(self.pool())
        .await?;
        Ok(retried.rows_affected() == 1)
    }

    /// Forgets a task that has ended. False: it has not.
    pub(crate) async fn forget_task(&self, id: &str) -> StateResult<bool> {
        let forgotten = sqlx::query("DELETE FROM task WHERE id = $1 AND state <> 'running'")
            .bind(id)
            .execute(self.pool())
            .await?;
        Ok(forgotten.rows_affected() == 1)
    }

    /// Forgets tasks that ended so long ago, and the oldest beyond so many.
    pub(crate) async fn forget_old_tasks(&self, age: Duration, most: u32) -> StateResult<()> {
        let age = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
        sqlx::query("DELETE FROM task WHERE state <> 'running' AND updated < $1")
            .bind(now().saturating_sub(age))
            .execute(self.pool())
            .await?;
        sqlx::query(
            "DELETE FROM task WHERE state <> 'running' AND id NOT IN \
             (SELECT id FROM task WHERE state <> 'running' ORDER BY updated DESC, id DESC LIMIT $1)",
        )
        .bind(i64::from(most))
        .execute(self.pool())
        .await?;
        Ok(())
    }

    /// Ends the leases of all hosts but this one: they are known to be gone.
    pub(crate) async fn free_tasks(&self, host: &str) -> StateResult<()> {
        sqlx::query(
            "UPDATE task SET host = '', leased_until = 0 WHERE state = 'running' AND host <> $1",
        )
        .bind(host)
        .execute(self.pool())
        .await?;
        Ok(())
    }
}

/// A task as the table has it.
#[derive(FromRow)]
struct Row {
    id: String,
    owner: String,
    access: String,
    kind: String,
    source: String,
    destination: String,
    is_directory: i64,
    replaces: i64,
    state: String,
    position: String,
    items: i64,
    bytes: i64,
    flowing: i64,
    code: String,
    detail: String,
    created: i64,
    updated: i64,
    runs: i64,
}

impl Row {
    fn read(self) -> StateResult<Task> {
        let count = |number: i64| u64::try_from(number).map_err(|_| GARBLED);
        let totals = Totals {
            items: count(self.items)?,
            bytes: count(self.bytes)?,
        };
        let position = Position::parse(&self.position, totals).ok_or(GARBLED)?;
        Ok(Task {
            work: self.work()?,
            access: read_access(&self.access)?,
            state: TaskState::named(&self.state).ok_or(GARBLED)?,
            position,
            flowing: count(self.flowing)?,
            failure: (!self.code.is_empty()).then_some(Failure {
                code: self.code,
                detail: self.detail,
            }),
            created: count(self.created)?,
            updated: count(self.updated)?,
            runs: count(self.runs)?,
            owner: (!self.owner.is_empty()).then(|| Arc::from(self.owner)),
            id: self.id,
        })
    }

    fn work(&self) -> StateResult<Work> {
        let path = |text: &str| Path::parse(text).map_err(|_| GARBLED);
        let kind = match self.is_directory {
            0 => Kind::File,
            _ => Kind::Directory,
        };
        let from = path(&self.source)?;
        if self.kind == "remove" {
            return Ok(Work::Remove { path: from, kind });
        }
        let plan = Plan {
            from,
            to: path(&self.destination)?,
            kind,
            overwrite: match self.replaces {
                0 => Overwrite::Refuse,
                _ => Overwrite::Replace,
            },
        };
        match self.kind.as_str() {
            "copy" => Ok(Work::Copy(plan)),
            "move" => Ok(Work::Move(plan)),
            _ => Err(GARBLED),
        }
    }
}

#[derive(Serialize, Deserialize)]
struct StoredGrant {
    path: String,
    rights: StoredRights,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum StoredRights {
    Nothing,
    Read,
    Write,
}

fn write_access(access: &Access) -> String {
    let grants: Vec<StoredGrant> = access
        .grants()
        .iter()
        .map(|grant| StoredGrant {
            path: grant.path.as_str().to_owned(),
            rights: match grant.rights {
                Rights::Nothing => StoredRights::Nothing,
                Rights::Read => StoredRights::Read,
                Rights::Write => StoredRights::Write,
            },
        })
        .collect();
    // Strings alone. What could not be written would read as no rights at all.
    serde_json::to_string(&grants).unwrap_or_default()
}

fn read_access(text: &str) -> StateResult<Access> {
    let grants: Vec<StoredGrant> = serde_json::from_str(text).map_err(|_| GARBLED)?;
    let grants: Vec<Grant> = grants
        .into_iter()
        .map(|grant| {
            Ok(Grant {
                path: Path::parse(grant.path).map_err(|_| GARBLED)?,
                rights: match grant.rights {
                    StoredRights::Nothing => Rights::Nothing,
                    StoredRights::Read => Rights::Read,
                    StoredRights::Write => Rights::Write,
                },
            })
        })
        .collect::<StateResult<_>>()?;
    Ok(Access::of(grants))
}

/// Milliseconds since the epoch.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    })
}

/// When a lease that is given now runs out.
fn lease() -> i64 {
    now().saturating_add(i64::try_from(LEASE.as_millis()).unwrap_or(i64::MAX))
}

fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
