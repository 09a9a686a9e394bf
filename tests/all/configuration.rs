//! Configurations that cannot be: exit status 2, and one line that names the file, the key and the cure.

use std::path::Path;

use crate::harness::{Config, Mount, Orlop, Ran, command, run, s3};

/// Runs `serve` with a file of this text, which must fail.
async fn serve(text: &str) -> Ran {
    serve_with(text, &[]).await
}

async fn serve_with(text: &str, arguments: &[&str]) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("orlop.toml"), text).unwrap();
    std::fs::write(folder.path().join("text.wasm"), "this is no component").unwrap();
    std::fs::write(folder.path().join("module.wasm"), b"\0asm\x01\0\0\0").unwrap();
    let mut command = command(["serve", "--config", "orlop.toml"]);
    if !arguments.contains(&"--listen") {
        command.args(["--listen", "127.0.0.1:0"]);
    }
    command.args(arguments).current_dir(folder.path());
    run(command).await
}

#[track_caller]
fn expect_line(ran: Ran, texts: &[&str]) {
    let ran = ran.expect(2);
    let stderr = &ran.stderr;
    assert_eq!(stderr.trim_end().lines().count(), 1, "{stderr}");
    for text in texts {
        assert!(stderr.contains(text), "{text}: {stderr}");
    }
    assert!(ran.stdout.is_empty());
}

#[tokio::test]
async fn unknown_keys() {
    let s3 = s3().await;
    let mount = || Mount::s3("/files", &s3);
    for (config, key, nearest) in [
        (
            Config::of([mount()]).set("lisen", "127.0.0.1:0"),
            "lisen",
            "listen",
        ),
        (
            Config::of([mount().set("readonly", true)]),
            "mount.readonly",
            "read_only",
        ),
        (
            Config::of([mount().config("secret_acces_key", "x")]),
            "mount.config.secret_acces_key",
            "secret_access_key",
        ),
        (
            Config::of([mount().config("buckt", "x")]),
            "mount.config.buckt",
            "bucket",
        ),
        (
            Config::of([mount().limit("memmory", 1)]),
            "mount.limits.memmory",
            "memory",
        ),
    ] {
        let nearest = format!("did you mean `{nearest}`?");
        expect_line(
            serve(&config.text()).await,
            &["orlop.toml:", key, "unknown key", &nearest],
        );
    }
}

#[tokio::test]
async fn values_that_cannot_be() {
    let s3 = s3().await;
    let mount = || Mount::s3("/files", &s3);
    for (mount, texts) in [
        (mount().config("bucket", ""), ["mount.config.bucket", ""]),
        (
            mount().config("sign_url_expire", 0),
            ["mount.config.sign_url_expire", ""],
        ),
        (
            mount().config("sign_url_expire", "soon"),
            ["mount.config.sign_url_expire", ""],
        ),
        (
            mount().config("list_object_version", "v3"),
            ["mount.config.list_object_version", ""],
        ),
        (
            mount().config("provider", "nobody"),
            ["mount.config.provider", ""],
        ),
        (
            mount().config("provider", "s4"),
            ["mount.config.provider", "must be one of `aws`, `oss`"],
        ),
        (
            mount().config("force_path_style", "yes"),
            ["mount.config.force_path_style", ""],
        ),
        (mount().without_config("bucket"), ["mount.config", "bucket"]),
        (
            mount().without_config("secret_access_key"),
            ["mount.config.secret_access_key", "missing"],
        ),
        (mount().set("path", "/a/../b"), ["mount.path", "clean"]),
        (
            mount().set("download", "sometimes"),
            ["mount.download", "redirect"],
        ),
        (mount().set("driver", "s4"), ["mount.driver", "`s3`"]),
    ] {
        expect_line(serve(&Config::of([mount]).text()).await, &texts);
    }
    expect_line(
        serve("[[mount]]\npath = \"/x\"\n").await,
        &["mount.driver", "missing"],
    );
    expect_line(serve("this is = not toml\n").await, &["orlop.toml:1"]);
    let twice = Config::of([mount(), mount()]);
    let ran = serve(&twice.text()).await;
    assert!(ran.stderr.contains("/files"), "{}", ran.stderr);
}

#[tokio::test]
async fn a_value_that_is_wrong_and_secret_is_not_repeated() {
    let s3 = s3().await;
    let secrets = toml::Value::Array(vec!["hush-hush-value".into()]);
    let mount = Mount::s3("/files", &s3).config("secret_access_key", secrets);
    let ran = serve(&Config::of([mount]).text()).await;
    assert!(!ran.stderr.contains("hush-hush"), "{}", ran.stderr);
    expect_line(ran, &["mount.config.secret_access_key"]);
}

#[tokio::test]
async fn a_file_that_is_not_there() {
    let ran = run(command(["serve", "--config", "/nowhere/orlop.toml"])).await;
    expect_line(ran, &["/nowhere/orlop.toml", "no such file"]);
}

#[tokio::test]
async fn driver_files_that_are_none() {
    for (driver, text) in [
        ("./text.wasm", "component"),
        ("./module.wasm", "component"),
        ("./missing.wasm", "missing.wasm"),
    ] {
        let config = Config::of([Mount::new("/files", driver)]);
        expect_line(
            serve(&config.text()).await,
            &["orlop.toml:", "mount.driver", text],
        );
    }
}

#[tokio::test]
async fn a_pinned_digest_must_be_the_files() {
    let wrong = "0".repeat(64);
    for mount in [
        Mount::probe("/files"),
        Mount::new("/files", "s3").config("bucket", "x"),
    ] {
        let config = Config::of([mount.set("sha256", wrong.as_str())]);
        expect_line(serve(&config.text()).await, &["mount.", "digest"]);
    }
    let probe = orlop_test_drivers::probe();
    let inspected = run(command([
        "driver",
        "inspect",
        "--json",
        probe.to_str().unwrap(),
    ]))
    .await
    .expect(0);
    let digest = inspected.json()["digest"].as_str().unwrap().to_owned();
    for digest in [digest.clone(), digest.to_uppercase()] {
        let config = Config::of([Mount::probe("/files").set("sha256", digest)]);
        start(&config, &[]).await;
    }
}

/// Starts a server that must come up.
async fn start(config: &Config, environment: &[(&str, &str)]) -> Orlop {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("orlop.toml"), config.text()).unwrap();
    let mut command = command(["serve", "--config", "orlop.toml"]);
    if !environment.iter().any(|(name, _)| *name == "ORLOP_LISTEN") {
        command.args(["--listen", "127.0.0.1:0"]);
    }
    command
        .envs(environment.iter().copied())
        .current_dir(folder.path());
    Orlop::start(command).await
}

#[tokio::test]
async fn nobody_listens_to_a_network_by_accident() {
    let config = Config::of([Mount::probe("/probe")]).text();
    for address in ["0.0.0.0:0", "[::]:0"] {
        let ran = serve_with(&config, &["--listen", address]).await;
        expect_line(ran, &["anonymous", "127.0.0.1"]);
    }
    let ran = serve_with(
        &format!("listen = \"0.0.0.0:0\"\n{config}"),
        &["--listen", "0.0.0.0:0"],
    )
    .await;
    expect_line(ran, &["anonymous"]);
    for address in ["5244", "localhost", "example.com:80"] {
        serve_with(&config, &["--listen", address]).await.expect(2);
    }
}

#[tokio::test]
async fn anonymous_readers_cannot_write() {
    let s3 = s3().await;
    let config = Config::of([Mount::s3("/files", &s3)]).set("anonymous", "read");
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("orlop.toml"), config.text()).unwrap();
    let mut command = command(["serve", "--config", "orlop.toml", "--listen", "0.0.0.0:0"]);
    command.current_dir(folder.path());
    let orlop = Orlop::start(command).await;
    let url = format!("http://127.0.0.1:{}", orlop.address().port());
    let client = crate::harness::client();
    let put = client.put(format!("{url}/d/files/x")).body("x");
    crate::harness::send(put)
        .await
        .problem(403, "permission-denied");
    crate::harness::send(client.get(format!("{url}/files/")))
        .await
        .expect(200);
}

#[tokio::test]
async fn flags_win_over_the_environment_which_wins_over_the_file() {
    let config = Config::of([Mount::probe("/probe")]).set("listen", "127.0.0.1:1");
    let orlop = start(&config, &[("ORLOP_LISTEN", "127.0.0.2:0")]).await;
    assert_eq!(orlop.address().ip().to_string(), "127.0.0.2");

    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("named.toml"), config.text()).unwrap();
    let mut command = command(["serve", "--listen", "127.0.0.3:0"]);
    command
        .envs([
            ("ORLOP_LISTEN", "127.0.0.2:0"),
            ("ORLOP_CONFIG", "named.toml"),
        ])
        .current_dir(folder.path());
    let orlop = Orlop::start(command).await;
    assert_eq!(orlop.address().ip().to_string(), "127.0.0.3");
}

#[tokio::test]
async fn a_driver_is_found_in_the_driver_folder() {
    let folder = tempfile::tempdir().unwrap();
    let drivers = folder.path().join("drivers");
    std::fs::create_dir(&drivers).unwrap();
    std::fs::copy(orlop_test_drivers::probe(), drivers.join("mine.wasm")).unwrap();
    let config = Config::of([Mount::new("/probe", "mine")]).set("driver_dir", "drivers");
    std::fs::write(folder.path().join("orlop.toml"), config.text()).unwrap();
    let mut ls = command(["ls", "/probe"]);
    ls.current_dir(folder.path());
    assert!(run(ls).await.expect(0).text().contains("readme.txt"));
}

#[tokio::test]
async fn an_address_that_is_taken() {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let config = Config::of([Mount::probe("/probe")]).text();
    let ran = serve_with(&config, &["--listen", &address]).await.expect(1);
    assert!(ran.stderr.contains(&address), "{}", ran.stderr);
    assert!(!Path::new("orlop.toml").exists());
}
