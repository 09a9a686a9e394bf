use std::time::{Duration, UNIX_EPOCH};

use super::*;

fn upload(owner: Option<&str>, route: Route) -> ResumableUpload {
    ResumableUpload {
        id: UploadId::random().unwrap(),
        owner: owner.map(Arc::from),
        wish: Wish {
            path: Path::parse("a/ü").unwrap(),
            metadata: "path L2Ev".to_owned(),
            content_type: Some("text/plain".to_owned()),
            modified: Some(UNIX_EPOCH + Duration::from_millis(1_234)),
            overwrite: Overwrite::Refuse,
            length: Some(30),
        },
        route,
        parts: 0,
        sent: 0,
        stage: Stage::Open,
        expires: at(1_000),
    }
}

fn parts() -> Route {
    Route::Parts(MultipartUpload {
        token: "token".to_owned(),
        part_size: 10,
        max_parts: 3,
    })
}

fn part(number: u32) -> CompletedPart {
    CompletedPart {
        number,
        etag: format!("\"{number}\""),
    }
}

fn at(milliseconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(milliseconds)
}

#[tokio::test]
async fn an_upload_is_kept_as_it_is() {
    let state = State::fresh().await;
    let whole = upload(None, Route::Whole);
    let mut in_parts = upload(Some("ann"), parts());
    in_parts.wish.length = None;
    in_parts.wish.modified = None;
    in_parts.wish.content_type = None;
    in_parts.wish.overwrite = Overwrite::Replace;
    for kept in [&whole, &in_parts] {
        state.insert_upload(kept).await.unwrap();
        assert_eq!(state.upload(&kept.id).await.unwrap().as_ref(), Some(kept));
    }
    assert_eq!(state.count_uploads(Some("ann")).await.unwrap(), 1);
    assert_eq!(state.count_uploads(None).await.unwrap(), 1);
    state.forget_upload(&whole.id).await.unwrap();
    assert_eq!(state.upload(&whole.id).await.unwrap(), None);
    assert_eq!(state.count_uploads(None).await.unwrap(), 0);
}

#[tokio::test]
async fn one_holds_it_at_a_time() {
    let state = State::fresh().await;
    let kept = upload(None, Route::Whole);
    let id = &kept.id;
    state.insert_upload(&kept).await.unwrap();
    assert!(state.lease_upload(id, "one", at(5_000)).await.unwrap());
    assert!(!state.lease_upload(id, "two", at(6_000)).await.unwrap());
    // Again is for longer. What is said of its end never makes it end sooner.
    assert!(state.lease_upload(id, "one", at(4_000)).await.unwrap());
    assert_eq!(state.upload(id).await.unwrap().unwrap().expires, at(5_000));
    assert!(
        state
            .expired_uploads(at(9_000), 9)
            .await
            .unwrap()
            .is_empty()
    );
    // Only who holds it leaves it, or notes anything.
    state.leave_upload(id, "two").await.unwrap();
    assert!(!state.lease_upload(id, "two", at(0)).await.unwrap());
    assert!(!state.begin_upload_end(id, "two").await.unwrap());
    state.leave_upload(id, "one").await.unwrap();
    assert_eq!(
        state.expired_uploads(at(9_000), 9).await.unwrap(),
        std::slice::from_ref(id)
    );
    assert!(
        state
            .expired_uploads(at(5_000), 9)
            .await
            .unwrap()
            .is_empty()
    );
    assert!(state.lease_upload(id, "two", at(0)).await.unwrap());
    state.free_uploads("two").await.unwrap();
    assert!(!state.lease_upload(id, "one", at(0)).await.unwrap());
    state.free_uploads("one").await.unwrap();
    assert!(state.lease_upload(id, "one", at(0)).await.unwrap());
}

#[tokio::test]
async fn parts_are_noted_once_and_in_order() {
    let state = State::fresh().await;
    let mut kept = upload(None, parts());
    kept.wish.length = None;
    let id = &kept.id;
    state.insert_upload(&kept).await.unwrap();
    assert!(state.lease_upload(id, "me", at(0)).await.unwrap());
    let note = async |holder, number| {
        let noted = state.note_upload_part(id, holder, &part(number), 10).await;
        noted.unwrap()
    };
    assert!(!note("me", 2).await);
    assert!(note("me", 1).await);
    assert!(!note("me", 1).await);
    assert!(!note("other", 2).await);
    assert!(note("me", 2).await);
    let found = state.upload(id).await.unwrap().unwrap();
    assert_eq!((found.parts, found.sent), (2, 20));
    assert_eq!(state.upload_parts(id).await.unwrap(), [part(1), part(2)]);

    // The length is said once.
    assert!(!state.set_upload_length(id, "other", 25).await.unwrap());
    assert!(state.set_upload_length(id, "me", 25).await.unwrap());
    assert!(!state.set_upload_length(id, "me", 26).await.unwrap());

    assert!(state.begin_upload_end(id, "me").await.unwrap());
    let found = state.upload(id).await.unwrap().unwrap();
    assert_eq!(found.stage, Stage::Finishing);
    state.finish_upload(id, "me", Some("\"e\"")).await.unwrap();
    let found = state.upload(id).await.unwrap().unwrap();
    assert_eq!(found.stage, Stage::Done(Some("\"e\"".to_owned())));
    assert_eq!(found.wish.length, Some(25));
    assert!(!state.begin_upload_end(id, "me").await.unwrap());
    assert!(state.upload_parts(id).await.unwrap().is_empty());
    assert_eq!(state.count_uploads(None).await.unwrap(), 0);
}
