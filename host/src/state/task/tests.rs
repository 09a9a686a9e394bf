use super::*;

fn path(text: &str) -> Path {
    Path::parse(text).unwrap()
}

fn task(id: &str, owner: Option<&str>, created: u64) -> Task {
    let grant = |text: &str, rights| Grant {
        path: path(text),
        rights,
    };
    Task {
        id: id.to_owned(),
        owner: owner.map(Arc::from),
        access: Access::of([grant("a", Rights::Write), grant("a/b", Rights::Read)]),
        work: Work::Move(Plan {
            from: path("a/x"),
            to: path("a/y"),
            kind: Kind::Directory,
            overwrite: Overwrite::Refuse,
        }),
        state: TaskState::Running,
        position: Position::default(),
        flowing: 0,
        failure: None,
        created,
        updated: created,
        runs: 0,
    }
}

async fn with(id: &str, host: Option<&str>) -> State {
    let state = State::fresh().await;
    state.insert_task(&task(id, None, 1), host).await.unwrap();
    state
}

fn position(items: u64) -> Position {
    let totals = Totals { items, bytes: 7 };
    Position::parse("{\"driver\":\"cursor\"}", totals).unwrap()
}

async fn state_of(state: &State, id: &str) -> TaskState {
    state.task(id).await.unwrap().unwrap().state
}

#[tokio::test]
async fn a_task_comes_back_as_it_went() {
    let state = State::fresh().await;
    let remove = Work::Remove {
        path: path("a/f"),
        kind: Kind::File,
    };
    let copy = Work::Copy(Plan {
        from: path("a/f"),
        to: path("a/g"),
        kind: Kind::File,
        overwrite: Overwrite::Replace,
    });
    let works = [task("0", None, 5).work, remove, copy];
    for (number, work) in works.into_iter().enumerate() {
        let mut given = task(&number.to_string(), Some("editor"), 5);
        given.work = work;
        state.insert_task(&given, None).await.unwrap();
        let found = state.task(&given.id).await.unwrap().unwrap();
        assert_eq!(found.work, given.work);
        assert_eq!(found.access, given.access);
        assert_eq!(found.owner, given.owner);
        assert_eq!((found.created, found.state), (5, TaskState::Running));
    }
    assert!(state.task("none").await.unwrap().is_none());
}

#[tokio::test]
async fn the_list_is_ones_own_newest_first_page_by_page() {
    let state = State::fresh().await;
    for (id, owner, created) in [
        ("a", Some("x"), 1),
        ("b", Some("x"), 3),
        ("c", Some("x"), 3),
        ("d", None, 4),
        ("e", Some("x"), 2),
    ] {
        let task = task(id, owner, created);
        state.insert_task(&task, None).await.unwrap();
    }
    let mut after = None;
    let mut seen = Vec::new();
    loop {
        let page = state.tasks(Some("x"), after, 2).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some((last.created, last.id.clone()));
        seen.extend(page.into_iter().map(|task| task.id));
    }
    assert_eq!(seen, ["c", "b", "e", "a"]);
    assert_eq!(state.tasks(None, None, 9).await.unwrap().len(), 1);
}

#[tokio::test]
async fn one_host_works_on_a_task() {
    let state = with("t", None).await;
    let taken = state.take_up_task("one").await.unwrap().unwrap();
    assert_eq!(taken.runs, 1);
    assert!(state.take_up_task("two").await.unwrap().is_none());
    assert!(!state.journal_task("t", "two", &position(1)).await.unwrap());
    assert!(state.journal_task("t", "one", &position(2)).await.unwrap());
    assert!(!state.renew_task("t", "one", 9).await.unwrap());
    assert!(state.renew_task("t", "two", 8).await.unwrap());
    let found = state.task("t").await.unwrap().unwrap();
    assert_eq!(
        found.totals(),
        Totals {
            items: 2,
            bytes: 16
        }
    );

    // A lease that has run out is anybody's.
    sqlx::query("UPDATE task SET leased_until = 1")
        .execute(state.pool())
        .await
        .unwrap();
    let taken = state.take_up_task("two").await.unwrap().unwrap();
    assert_eq!((taken.runs, taken.position.totals().items), (2, 2));
    let totals = Totals::default();
    for (host, expected) in [("one", false), ("two", true)] {
        let finished = state.finish_task("t", host, TaskState::Done, totals, None);
        assert_eq!(finished.await.unwrap(), expected);
    }
    assert!(state.take_up_task("one").await.unwrap().is_none());
}

#[tokio::test]
async fn the_one_that_waited_longest_is_taken_up_first() {
    let state = State::fresh().await;
    for (id, created) in [("b", 2), ("c", 3), ("a", 1)] {
        state
            .insert_task(&task(id, None, created), None)
            .await
            .unwrap();
    }
    for expected in ["a", "b", "c"] {
        assert_eq!(state.take_up_task("h").await.unwrap().unwrap().id, expected);
    }
    state.free_tasks("h").await.unwrap();
    assert!(state.take_up_task("i").await.unwrap().is_none());
    state.free_tasks("i").await.unwrap();
    assert_eq!(state.take_up_task("i").await.unwrap().unwrap().id, "a");
    state.leave_task("a", "i", &position(4)).await.unwrap();
    let taken = state.take_up_task("j").await.unwrap().unwrap();
    assert_eq!((taken.id.as_str(), taken.totals().items), ("a", 4));
}

#[tokio::test]
async fn one_that_makes_no_sense_is_not_in_the_way() {
    let state = State::in_memory().await.unwrap();
    for (id, created) in [("a", 1), ("b", 2)] {
        let task = task(id, None, created);
        state.insert_task(&task, None).await.unwrap();
    }
    sqlx::query("UPDATE task SET kind = 'dance' WHERE id = 'a'")
        .execute(state.pool())
        .await
        .unwrap();
    assert_eq!(state.take_up_task("h").await.unwrap().unwrap().id, "b");
    assert!(matches!(state.task("a").await, Err(StateError::Garbled(_))));
    assert!(state.take_up_task("h").await.unwrap().is_none());
}

#[tokio::test]
async fn one_that_makes_no_sense_leaves_its_owner_the_others() {
    let state = State::fresh().await;
    for (id, created) in [("a", 1), ("b", 2), ("c", 3), ("d", 4)] {
        let task = task(id, Some("x"), created);
        state.insert_task(&task, None).await.unwrap();
    }
    for change in [
        "UPDATE task SET access = 'all' WHERE id = 'b'",
        "UPDATE task SET runs = -1 WHERE id = 'c'",
    ] {
        sqlx::query(change).execute(state.pool()).await.unwrap();
    }
    // A page is not short for it: there would seem to be no more.
    let page = state.tasks(Some("x"), None, 2).await.unwrap();
    let ids: Vec<&str> = page.iter().map(|task| task.id.as_str()).collect();
    assert_eq!(ids, ["d", "a"]);
    assert_eq!(state.tasks(Some("x"), None, 9).await.unwrap().len(), 2);
}

#[tokio::test]
async fn cancelled_at_once_or_when_its_host_hears_of_it() {
    let state = with("t", None).await;
    state.cancel_task("t").await.unwrap();
    assert_eq!(state_of(&state, "t").await, TaskState::Cancelled);

    let state = with("t", Some("one")).await;
    state.cancel_task("t").await.unwrap();
    assert_eq!(state_of(&state, "t").await, TaskState::Running);
    assert!(!state.forget_task("t").await.unwrap());
    assert!(state.renew_task("t", "one", 0).await.unwrap());
    state.leave_task("t", "one", &position(4)).await.unwrap();
    assert_eq!(state_of(&state, "t").await, TaskState::Cancelled);
    assert!(state.forget_task("t").await.unwrap());
}

#[tokio::test]
async fn what_failed_goes_on_from_its_position() {
    let state = with("t", Some("one")).await;
    assert!(!state.retry_task("t", &Access::none()).await.unwrap());
    state.journal_task("t", "one", &position(3)).await.unwrap();
    let failure = Failure {
        code: "unavailable".to_owned(),
        detail: "down".to_owned(),
    };
    let totals = Totals { items: 3, bytes: 7 };
    state
        .finish_task("t", "one", TaskState::Failed, totals, Some(&failure))
        .await
        .unwrap();
    assert_eq!(
        state.task("t").await.unwrap().unwrap().failure,
        Some(failure)
    );
    assert!(state.retry_task("t", &Access::none()).await.unwrap());
    let taken = state.take_up_task("two").await.unwrap().unwrap();
    assert_eq!(taken.failure, None);
    assert_eq!(taken.access, Access::none());
    assert_eq!((taken.runs, taken.totals()), (2, totals));
}

#[tokio::test]
async fn what_a_first_step_found_was_not_its_own() {
    for (code, runs) in [("not-found", 1), ("already-exists", 1), ("unavailable", 2)] {
        let state = with("t", Some("one")).await;
        let failure = Failure {
            code: code.to_owned(),
            detail: String::new(),
        };
        let totals = Totals::default();
        state
            .finish_task("t", "one", TaskState::Failed, totals, Some(&failure))
            .await
            .unwrap();
        state.retry_task("t", &Access::full()).await.unwrap();
        let taken = state.take_up_task("one").await.unwrap().unwrap();
        assert_eq!(taken.runs, runs, "{code}");
    }
}

#[tokio::test]
async fn old_tasks_are_forgotten_and_running_ones_are_not() {
    let state = State::fresh().await;
    for (id, created) in [("a", 1), ("b", 2), ("c", 3), ("d", 4)] {
        state
            .insert_task(&task(id, None, created), Some("h"))
            .await
            .unwrap();
    }
    let totals = Totals::default();
    for id in ["a", "b", "c"] {
        state
            .finish_task(id, "h", TaskState::Done, totals, None)
            .await
            .unwrap();
    }
    let ids = async || -> Vec<String> {
        let tasks = state.tasks(None, None, 9).await.unwrap();
        tasks.into_iter().map(|task| task.id).collect()
    };
    let day = Duration::from_secs(24 * 60 * 60);
    state.forget_old_tasks(day, 3).await.unwrap();
    assert_eq!(ids().await.len(), 4);
    state.forget_old_tasks(day, 1).await.unwrap();
    assert_eq!(ids().await.len(), 2);
    sqlx::query("UPDATE task SET updated = 5")
        .execute(state.pool())
        .await
        .unwrap();
    state.forget_old_tasks(day, 3).await.unwrap();
    assert_eq!(ids().await, ["d"]);
}
