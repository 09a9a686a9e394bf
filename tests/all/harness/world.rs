use std::process::Command;

use http::Method;
use orlop_test_s3::{Rope, Server};
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Answer, Config, Mount, Orlop, Ran, Raw, client, command, encode, run, s3, send, soon};

/// The bucket in every test.
pub(crate) const BUCKET: &str = "files";

/// An S3 server, Orlop before it with the bucket at `/files`, and a client.
pub(crate) struct World {
    pub(crate) s3: Server,
    pub(crate) orlop: Orlop,
    pub(crate) http: Client,
    pub(crate) folder: TempDir,
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::with(|mount| mount).await
    }

    /// Starts with the mount changed.
    pub(crate) async fn with(change: impl FnOnce(Mount) -> Mount) -> Self {
        Self::of(|s3| Config::of([change(Mount::s3("/files", s3))])).await
    }

    /// Starts with a configuration of the test's own.
    pub(crate) async fn of(config: impl FnOnce(&Server) -> Config) -> Self {
        let s3 = s3().await;
        let config = config(&s3);
        Self::over(s3, config).await
    }

    /// Starts over a server that is there.
    pub(crate) async fn over(s3: Server, config: Config) -> Self {
        Self::over_in(s3, config, &[]).await
    }

    /// As [`over`](Self::over), with these variables.
    pub(crate) async fn over_in(s3: Server, config: Config, variables: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("orlop.toml"), config.text()).unwrap();
        let mut command = serve(&folder);
        command.envs(variables.iter().copied());
        let orlop = Orlop::start(command).await;
        Self {
            s3,
            orlop,
            http: client(),
            folder,
        }
    }

    /// Starts the server again on what it left behind, once it has ended.
    pub(crate) async fn start_again(&mut self) {
        self.orlop = Orlop::start(serve(&self.folder)).await;
    }

    /// As [`start_again`](Self::start_again), with another configuration.
    pub(crate) async fn start_again_with(&mut self, config: &Config) {
        std::fs::write(self.folder.path().join("orlop.toml"), config.text()).unwrap();
        self.start_again().await;
    }

    /// The same world after Orlop was killed, and started again with another configuration. What it kept, it has
    /// still.
    pub(crate) async fn restarted(mut self, config: impl FnOnce(&Server) -> Config) -> Self {
        let config = config(&self.s3);
        self.orlop.signal("KILL");
        self.orlop.ended().await;
        self.start_again_with(&config).await;
        self
    }

    /// Waits until the server has looked into its mount, as it does when it starts, and forgets that.
    pub(crate) async fn settled(self) -> Self {
        let looked = async {
            while self.s3.requests().count() == 0 {
                tokio::task::yield_now().await;
            }
        };
        soon("the first look", looked).await;
        self.s3.requests().reset();
        self
    }

    /// Puts an object into the bucket, behind Orlop's back.
    pub(crate) fn put(&self, key: &str, body: impl Into<Rope>) {
        self.s3.store().put(BUCKET, key, body);
    }

    /// The keys in the bucket.
    pub(crate) fn keys(&self) -> Vec<String> {
        self.s3.store().keys(BUCKET)
    }

    /// An object's bytes as text.
    #[track_caller]
    pub(crate) fn object(&self, key: &str) -> String {
        let bytes = self
            .s3
            .store()
            .bytes(BUCKET, key)
            .unwrap_or_else(|| panic!("no object {key:?}"));
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    /// Checks that no upload is left half way.
    #[track_caller]
    pub(crate) fn expect_no_unfinished_uploads(&self) {
        assert_eq!(self.s3.store().unfinished_uploads(BUCKET), 0);
    }

    /// A request for a path that is percent-encoded already.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, self.orlop.url(path))
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        send(self.request(Method::GET, path)).await
    }

    /// GET with headers.
    pub(crate) async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.send_with(Method::GET, path, headers).await
    }

    /// A request without a body.
    pub(crate) async fn send_with(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
    ) -> Answer {
        let request = headers
            .iter()
            .fold(self.request(method, path), |request, (name, value)| {
                request.header(*name, *value)
            });
        send(request).await
    }

    pub(crate) async fn upload(&self, path: &str, body: impl Into<reqwest::Body>) -> Answer {
        send(self.request(Method::PUT, path).body(body)).await
    }

    /// `/d/` answers with a redirect, which a client that knows nothing of Orlop follows.
    pub(crate) async fn follow(&self, path: &str) -> Answer {
        let redirect = self.get(path).await.expect(302);
        send(self.http.get(redirect.header("location"))).await
    }

    /// A call of the API without a body: `call("stat", &[("path", "/files/a b")])`.
    pub(crate) async fn call(&self, name: &str, query: &[(&str, &str)]) -> Answer {
        let pairs: Vec<String> = query
            .iter()
            .map(|(name, value)| format!("{name}={}", encode(value).replace('/', "%2F")))
            .collect();
        self.get(&format!("/api/v1/{name}?{}", pairs.join("&")))
            .await
    }

    /// A call of the API with a body.
    pub(crate) async fn post(&self, name: &str, body: &Value) -> Answer {
        let request = self
            .request(Method::POST, &format!("/api/v1/{name}"))
            .header("content-type", "application/json")
            .body(body.to_string());
        send(request).await
    }

    pub(crate) async fn transfer(&self, name: &str, from: &str, to: &str) -> Answer {
        self.post(
            &format!("{name}?wait=true"),
            &json!({"from": from, "to": to}),
        )
        .await
    }

    /// The entries of a folder, all pages of them.
    pub(crate) async fn list(&self, path: &str) -> Vec<Value> {
        let mut entries = Vec::new();
        let mut cursor = String::new();
        loop {
            let query: Vec<(&str, &str)> = if cursor.is_empty() {
                vec![("path", path)]
            } else {
                vec![("path", path), ("cursor", &cursor)]
            };
            let page = self.call("list", &query).await.expect(200).json();
            entries.extend(page["entries"].as_array().unwrap().iter().cloned());
            match page["next"].as_str() {
                Some(next) => cursor = next.to_owned(),
                None => return entries,
            }
        }
    }

    /// The names in a folder in their order, those of folders with a slash behind. Storages differ in the order
    /// of files and folders.
    pub(crate) async fn names(&self, path: &str) -> Vec<String> {
        let shown = |entry: &Value| {
            let slash = if entry["kind"] == "directory" {
                "/"
            } else {
                ""
            };
            format!("{}{slash}", entry["name"].as_str().unwrap())
        };
        let mut names: Vec<String> = self.list(path).await.iter().map(shown).collect();
        names.sort();
        names
    }

    /// The command line over the same configuration.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = command(arguments);
        command
            .env("ORLOP_CONFIG", "orlop.toml")
            .current_dir(self.folder.path());
        command
    }

    pub(crate) async fn run(&self, arguments: &[&str]) -> Ran {
        run(self.command(arguments)).await
    }

    /// The status of a request whose path is sent as it is.
    pub(crate) async fn raw_status(&self, method: &str, path: &str) -> u16 {
        Raw::status(self.orlop.address(), method, path).await
    }
}

/// A server over the configuration in a folder, which keeps its state there too.
fn serve(folder: &TempDir) -> Command {
    let mut serve = command(["serve", "--config", "orlop.toml", "--listen", "127.0.0.1:0"]);
    serve.current_dir(folder.path());
    serve
}
