use orlop::serve::PasswordHash;
use orlop_test_s3::{Credentials, Options, Server};
use toml::{Table, Value};

use super::BUCKET;

/// The secret key of every bucket in the tests. It must never be seen anywhere.
pub(crate) const SECRET: &str = "wJalrXUtnFEMI+MARKER+bPxRfiCYSECRETKEY";

const ACCESS_KEY: &str = "ORLOPTESTKEYID";

pub(crate) fn credentials() -> Credentials {
    Credentials::new(ACCESS_KEY, SECRET)
}

/// The password of a user in the tests.
pub(crate) fn password(name: &str) -> String {
    format!("{name}'s-hush-hush")
}

/// An S3 server that checks signatures, with an empty bucket.
pub(crate) async fn s3() -> Server {
    let options = Options {
        credentials: Some(credentials()),
        buckets: vec![BUCKET.to_owned()],
        ..Options::default()
    };
    Server::start(options).await.unwrap()
}

/// A port of this machine on which nobody listens.
pub(crate) fn closed_port() -> u16 {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    listener.local_addr().unwrap().port()
}

/// An `orlop.toml`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Config {
    keys: Table,
    mounts: Vec<Mount>,
    users: Vec<Table>,
}

/// A `[[mount]]`.
#[derive(Clone, Debug)]
pub(crate) struct Mount {
    keys: Table,
    config: Table,
    limits: Table,
}

impl Config {
    pub(crate) fn of(mounts: impl IntoIterator<Item = Mount>) -> Self {
        Self {
            keys: Table::new(),
            mounts: mounts.into_iter().collect(),
            users: Vec::new(),
        }
    }

    pub(crate) fn set(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.keys.insert(key.to_owned(), value.into());
        self
    }

    /// Adds a `[[user]]` with these rights by path, whose password is [`password`] of the name.
    pub(crate) fn user(self, name: &str, allow: &[(&str, &str)]) -> Self {
        self.user_with(name, &password(name), allow)
    }

    pub(crate) fn user_with(mut self, name: &str, password: &str, allow: &[(&str, &str)]) -> Self {
        let grant = |(path, rights): &(&str, &str)| {
            let pairs = [("path", *path), ("rights", *rights)];
            let pairs = pairs.map(|(key, value)| (key.to_owned(), Value::from(value)));
            Value::Table(pairs.into_iter().collect())
        };
        let hash = PasswordHash::of(password).unwrap();
        let user = [
            ("name", name.into()),
            ("password", hash.as_str().into()),
            ("allow", allow.iter().map(grant).collect::<Vec<_>>().into()),
        ];
        let user = user.map(|(key, value)| (key.to_owned(), value));
        self.users.push(user.into_iter().collect());
        self
    }

    pub(crate) fn text(&self) -> String {
        let mut table = self.keys.clone();
        if !self.users.is_empty() {
            let users = self.users.iter().cloned().map(Value::Table);
            table.insert("user".to_owned(), Value::Array(users.collect()));
        }
        let mounts = self.mounts.iter().map(Mount::table).map(Value::Table);
        table.insert("mount".to_owned(), Value::Array(mounts.collect()));
        table.to_string()
    }
}

impl Mount {
    pub(crate) fn new(path: &str, driver: &str) -> Self {
        let mount = Self {
            keys: Table::new(),
            config: Table::new(),
            limits: Table::new(),
        };
        // Tests change buckets behind Orlop's back, and look at once.
        mount
            .set("path", path)
            .set("driver", driver)
            .set("cache_seconds", 0)
    }

    /// The bucket of a server that `s3` started.
    pub(crate) fn s3(path: &str, server: &Server) -> Self {
        Self::new(path, "s3")
            .config("bucket", BUCKET)
            .config("endpoint", server.endpoint())
            .config("access_key_id", ACCESS_KEY)
            .config("secret_access_key", SECRET)
    }

    /// The driver that does what its paths say.
    pub(crate) fn probe(path: &str) -> Self {
        Self::new(path, orlop_test_drivers::probe().to_str().unwrap())
    }

    pub(crate) fn set(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.keys.insert(key.to_owned(), value.into());
        self
    }

    pub(crate) fn config(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.config.insert(key.to_owned(), value.into());
        self
    }

    pub(crate) fn without_config(mut self, key: &str) -> Self {
        self.config.remove(key);
        self
    }

    pub(crate) fn limit(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.limits.insert(key.to_owned(), value.into());
        self
    }

    fn table(&self) -> Table {
        let mut table = self.keys.clone();
        table.insert("config".to_owned(), Value::Table(self.config.clone()));
        if !self.limits.is_empty() {
            table.insert("limits".to_owned(), Value::Table(self.limits.clone()));
        }
        table
    }
}
