//! The many ways to write where a bucket is, and where links to it lead.

use crate::harness::{BUCKET, Config, Mount, World, s3, send};

#[tokio::test]
async fn spellings_of_an_endpoint() {
    let s3 = s3().await;
    let address = s3.endpoint();
    let port = s3.port();
    let mounts = [
        Mount::s3("/plain", &s3),
        Mount::s3("/slash", &s3).config("endpoint", format!("{address}/")),
        Mount::s3("/bucket-in-path", &s3).config("endpoint", format!("{address}/{BUCKET}")),
        Mount::s3("/blanks", &s3).config("endpoint", format!(" {address} ")),
        Mount::s3("/path-style", &s3).config("force_path_style", true),
        Mount::s3("/region", &s3).config("region", "eu-west-3"),
        Mount::s3("/name", &s3).config("endpoint", format!("http://localhost:{port}")),
        Mount::s3("/minio", &s3).config("provider", "minio"),
        Mount::s3("/virtual-host", &s3)
            .config("endpoint", format!("http://s3.localhost:{port}"))
            .config("force_path_style", false),
    ];
    let paths = [
        "plain",
        "slash",
        "bucket-in-path",
        "blanks",
        "path-style",
        "region",
        "name",
        "minio",
        "virtual-host",
    ];
    let world = World::over(s3, Config::of(mounts)).await;
    world.put("a b/f", "x");
    for path in paths {
        assert_eq!(world.names(&format!("/{path}/a b")).await, ["f"], "{path}");
        assert_eq!(
            world
                .get(&format!("/p/{path}/a%20b/f"))
                .await
                .expect(200)
                .text(),
            "x",
            "{path}"
        );
        assert_eq!(
            world
                .follow(&format!("/d/{path}/a%20b/f"))
                .await
                .expect(200)
                .text(),
            "x",
            "{path}"
        );
        world.upload(&format!("/d/{path}/new"), path).await;
        assert_eq!(world.object("new"), path);
    }
}

#[tokio::test]
async fn links_last_as_long_as_the_mount_says() {
    let world = World::with(|mount| mount.config("sign_url_expire", 0.5)).await;
    world.put("f", "x");
    let redirect = world.get("/d/files/f").await.expect(302);
    assert!(
        redirect.header("location").contains("X-Amz-Expires=1800"),
        "{redirect:?}"
    );
}

#[tokio::test]
async fn links_lead_to_a_custom_host() {
    let s3 = s3().await;
    let custom = format!("http://localhost:{}", s3.port());
    let mount = |path| Mount::s3(path, &s3).config("custom_host", custom.as_str());
    let mounts = [
        mount("/plain"),
        mount("/bare").config("remove_bucket", true),
        mount("/signed").config("enable_custom_host_presign", true),
    ];
    let world = World::over(s3, Config::of(mounts)).await;
    world.put("a b", "x");
    let location = async |path: &str| {
        let redirect = world.get(&format!("/d/{path}/a%20b")).await.expect(302);
        redirect.header("location").to_owned()
    };
    assert_eq!(location("plain").await, format!("{custom}/{BUCKET}/a%20b"));
    assert_eq!(location("bare").await, format!("{custom}/a%20b"));
    let signed = location("signed").await;
    assert!(
        signed.starts_with(&format!("{custom}/{BUCKET}/a%20b?")),
        "{signed}"
    );
    assert_eq!(send(world.http.get(signed)).await.expect(200).text(), "x");
    // The host itself goes to the storage.
    for path in ["plain", "bare", "signed"] {
        assert_eq!(
            world
                .get(&format!("/p/{path}/a%20b"))
                .await
                .expect(200)
                .text(),
            "x",
            "{path}"
        );
    }
}

#[tokio::test]
async fn links_name_the_file_in_the_old_form_too_if_asked() {
    for (wish, in_old_form) in [(true, true), (false, false)] {
        let world = World::with(|mount| mount.config("add_filename_to_disposition", wish)).await;
        world.put("ü.txt", "x");
        let answer = world.follow("/d/files/%C3%BC.txt").await.expect(200);
        let disposition = answer.header("content-disposition");
        assert_eq!(
            disposition.contains("filename=\""),
            in_old_form,
            "{disposition}"
        );
        assert!(
            disposition.contains("filename*=UTF-8''%C3%BC.txt"),
            "{disposition}"
        );
    }
}
