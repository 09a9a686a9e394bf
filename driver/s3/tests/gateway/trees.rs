//! Folders, and all that is in them.

use orlop_driver::{Error, Kind, Writable};
use serde_json::json;

use crate::gateway::Gateway;

const FILES: usize = 1_100;

#[tokio::test]
#[ignore = "needs a gateway: make test-ceph"]
async fn trees_are_copied_moved_and_removed_though_every_step_is_repeated() {
    let gateway = Gateway::new("trees");
    let names = |tree: &str| {
        let tree = tree.to_owned();
        (0..FILES).map(move |number| format!("{tree}/{}/{number:04} +%", number % 3))
    };
    gateway.fill(names("tree")).await;
    gateway.write("tree", "the file beside").await.unwrap();
    gateway.copy("tree", "copy", Kind::Directory).await.unwrap();
    gateway
        .rename("copy", "moved", Kind::Directory)
        .await
        .unwrap();
    assert_eq!(gateway.list("").await.unwrap(), ["moved/", "tree", "tree/"]);
    for tree in ["tree", "moved"] {
        let mut found = 0;
        for folder in gateway.list(tree).await.unwrap() {
            found += gateway
                .list(&format!("{tree}/{folder}"))
                .await
                .unwrap()
                .len();
        }
        assert_eq!(found, FILES, "{tree}");
    }
    assert_eq!(gateway.read("moved/2/0002 +%").await, "tree/2/0002 +%");
    for tree in ["tree", "moved"] {
        gateway.remove(tree, Kind::Directory).await.unwrap();
    }
    assert_eq!(gateway.list("").await.unwrap(), ["tree"]);
    assert_eq!(gateway.read("tree").await, "the file beside");
}

#[tokio::test]
#[ignore = "needs a gateway: make test-ceph"]
async fn empty_folders_stay_and_do_not_show_what_keeps_them() {
    for placeholder in ["", ".keep"] {
        let folder = if placeholder.is_empty() {
            "empty"
        } else {
            "empty-placeholder"
        };
        let gateway = Gateway::with(folder, json!({"placeholder": placeholder}));
        let directory = gateway.path("new");
        gateway.s3.make_directory(&directory).await.unwrap();
        assert_eq!(
            gateway.s3.make_directory(&directory).await,
            Err(Error::AlreadyExists)
        );
        assert_eq!(gateway.list("").await.unwrap(), ["new/"]);
        assert_eq!(gateway.list("new").await.unwrap(), [] as [&str; 0]);
        gateway
            .rename("new", "renamed", Kind::Directory)
            .await
            .unwrap();
        assert_eq!(gateway.list("").await.unwrap(), ["renamed/"]);
        gateway.remove("renamed", Kind::Directory).await.unwrap();
        assert_eq!(gateway.list("").await, Err(Error::NotFound));
    }
}
