//! `orlop driver inspect`, `orlop completions` and the rest that needs no mount.

use serde_json::Value;

use crate::harness::{Ran, command, run};

async fn orlop(arguments: &[&str]) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    let mut command = command(arguments);
    command.current_dir(folder.path());
    run(command).await
}

/// All that a driver needs of a system: a clock, dice, and somewhere to complain.
const NEEDED: [&str; 10] = [
    "orlop:driver/types@",
    "orlop:driver/http@",
    "orlop:driver/uploads@",
    "orlop:driver/notes@",
    "wasi:clocks/",
    "wasi:random/",
    "wasi:io/",
    "wasi:cli/std",
    "wasi:cli/terminal-",
    "wasi:cli/exit@",
];

#[tokio::test]
async fn the_s3_driver_imports_nothing_that_leads_outside_but_http() {
    let ran = orlop(&["driver", "inspect", "--json", "s3"])
        .await
        .expect(0);
    let driver = ran.json();
    assert_eq!(driver["name"], "s3");
    assert!(driver["version"].as_str().unwrap().contains('.'));
    assert_eq!(driver["digest"].as_str().unwrap().len(), 64);
    let imports: Vec<&str> = driver["imports"]
        .as_array()
        .unwrap()
        .iter()
        .map(|name| name.as_str().unwrap())
        .collect();
    assert!(
        imports
            .iter()
            .any(|name| name.starts_with("orlop:driver/http@"))
    );
    for import in &imports {
        assert!(
            NEEDED.iter().any(|prefix| import.starts_with(prefix)),
            "{import} among {imports:?}"
        );
    }
    for interface in ["storage", "writable", "removable", "transfer", "sharing"] {
        let name = Value::from(format!("orlop:driver/{interface}@0.1.0"));
        assert!(
            driver["exports"].as_array().unwrap().contains(&name),
            "{name}"
        );
    }
    let properties = driver["schema"]["properties"].as_object().unwrap();
    for option in [
        "provider",
        "bucket",
        "endpoint",
        "region",
        "access_key_id",
        "secret_access_key",
        "session_token",
        "custom_host",
        "enable_custom_host_presign",
        "remove_bucket",
        "sign_url_expire",
        "placeholder",
        "force_path_style",
        "list_object_version",
        "add_filename_to_disposition",
    ] {
        let description = properties
            .get(option)
            .and_then(|option| option["description"].as_str());
        assert!(description.is_some_and(|text| !text.is_empty()), "{option}");
    }
    for secret in ["secret_access_key", "session_token"] {
        assert_eq!(properties[secret]["writeOnly"], true);
    }
}

#[tokio::test]
async fn people_see_the_same() {
    let ran = orlop(&["driver", "inspect", "s3"]).await.expect(0);
    let text = ran.text();
    for expected in [
        "s3 ",
        "digest",
        "orlop:driver/http@",
        "orlop:driver/storage@",
        "secret_access_key",
        "secret",
        "nothing else",
    ] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    for refused in ["wasi:filesystem", "wasi:sockets"] {
        assert!(!text.contains(refused), "{text}");
    }
}

#[tokio::test]
async fn a_driver_in_a_file() {
    let probe = orlop_test_drivers::probe().to_str().unwrap();
    let driver = orlop(&["driver", "inspect", "--json", probe])
        .await
        .expect(0)
        .json();
    assert_eq!(driver["name"], "probe");
    assert_eq!(
        driver["exports"],
        serde_json::json!(["orlop:driver/storage@0.1.0"])
    );
    // What it would like to have stands out.
    let text = orlop(&["driver", "inspect", probe]).await.expect(0);
    assert!(text.text().contains("wasi:filesystem"), "{}", text.text());
}

#[tokio::test]
async fn drivers_that_are_none() {
    let ran = orlop(&["driver", "inspect", "nobody"]).await.expect(1);
    assert!(ran.stderr.contains("s3"), "{}", ran.stderr);
    let ran = orlop(&["driver", "inspect", "./none.wasm"]).await.expect(1);
    assert!(ran.stderr.contains("none.wasm"), "{}", ran.stderr);
}

#[tokio::test]
async fn completions() {
    for (shell, text) in [
        ("bash", "complete -F"),
        ("zsh", "#compdef orlop"),
        ("fish", "complete -c orlop"),
        ("powershell", "Register-ArgumentCompleter"),
        ("elvish", "edit:completion"),
    ] {
        let ran = orlop(&["completions", shell]).await.expect(0);
        assert!(ran.text().contains(text), "{shell}");
    }
    orlop(&["completions", "abacus"]).await.expect(2);
}

#[tokio::test]
async fn help_and_version() {
    let help = orlop(&["--help"]).await.expect(0);
    for command in [
        "demo",
        "serve",
        "check",
        "ls",
        "stat",
        "cat",
        "get",
        "put",
        "cp",
        "mv",
        "rm",
        "mkdir",
        "link",
        "driver",
        "completions",
    ] {
        assert!(help.text().contains(&format!("  {command} ")), "{command}");
        orlop(&[command, "--help"]).await.expect(0);
    }
    let version = orlop(&["--version"]).await.expect(0);
    assert!(version.text().starts_with("orlop "));
    orlop(&["fly"]).await.expect(2);
    orlop(&[]).await.expect(2);
    orlop(&["ls", "--sideways"]).await.expect(2);
}
