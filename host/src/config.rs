//! What an operator sets: the file `orlop.toml`, the flags and the environment.
//!
//! Each setting has one name: `cache_dir` in the file is `--cache-dir` and `ORLOP_CACHE_DIR`. A flag wins
//! over the environment, which wins over the file.

mod connections;
mod error;
mod limits;
mod listen;
mod log;
mod mount;
mod nearest;
mod open;
mod secret;
mod section;
mod settings;
mod size;
mod user;

use std::path::{Path, PathBuf};

use orlop::serve::{Origins, TrustedProxies, Users};

pub(crate) use self::{
    connections::ConnectionSettings,
    error::Error,
    listen::{Anonymous, Listen},
    log::LogFormat,
    mount::{DriverSource, MountConfig},
    open::Drivers,
    settings::{ListenSettings, Settings},
};
use self::{section::Section, section::Source};

/// The file that is read when none is named.
pub(crate) const DEFAULT_FILE: &str = "orlop.toml";

/// A configuration file, read and understood.
#[derive(Debug, Default)]
pub(crate) struct Config {
    /// Where the server listens.
    pub(crate) listen: Option<Listen>,
    /// How connections are taken.
    pub(crate) connections: ConnectionSettings,
    /// What anyone may do who can reach the server.
    pub(crate) anonymous: Option<Anonymous>,
    /// Who may log in.
    pub(crate) users: Users,
    /// The proxies whose word counts on who their clients are.
    pub(crate) trusted_proxies: Option<TrustedProxies>,
    /// The origins whose pages may use the server.
    pub(crate) cors_origins: Option<Origins>,
    /// Where compiled drivers are kept.
    pub(crate) cache_dir: Option<PathBuf>,
    /// The folder of what outlives the process.
    pub(crate) state_dir: Option<PathBuf>,
    /// The database of what outlives the process, rather than the folder.
    pub(crate) state: Option<String>,
    /// Where drivers are looked for by name.
    pub(crate) driver_dir: Option<PathBuf>,
    /// Which log lines are written.
    pub(crate) log: Option<String>,
    /// What log lines look like.
    pub(crate) log_format: Option<LogFormat>,
    /// The mounts, in the file's order.
    pub(crate) mounts: Vec<MountConfig>,
}

impl Config {
    /// Reads a file.
    pub(crate) fn load(file: &Path) -> Result<Self, Error> {
        let text = std::fs::read_to_string(file).map_err(|error| {
            let message = match error.kind() {
                std::io::ErrorKind::NotFound => {
                    "no such file: write one, or name another with `--config`".to_owned()
                }
                std::io::ErrorKind::InvalidData => "not UTF-8".to_owned(),
                _ => format!("cannot be read: {error}"),
            };
            Error::new(file, message)
        })?;
        Self::parse(file, text)
    }

    /// Reads the text of a file. Relative paths in it start at the file's folder.
    pub(crate) fn parse(file: &Path, text: String) -> Result<Self, Error> {
        let source = Source::new(file, text);
        let mut root = Section::document(&source)?;
        let config = Self {
            listen: root.listed("listen")?,
            connections: ConnectionSettings::read(&mut root)?,
            anonymous: root.parsed("anonymous")?,
            trusted_proxies: trusted_proxies(&mut root)?,
            cors_origins: root.listed("cors_origins")?,
            cache_dir: root.path("cache_dir")?,
            driver_dir: root.path("driver_dir")?,
            state_dir: root.path("state_dir")?,
            state: root.text("state")?,
            log: root.text("log")?,
            log_format: root.parsed("log_format")?,
            mounts: root
                .sections("mount")?
                .into_iter()
                .map(MountConfig::read)
                .collect::<Result<_, _>>()?,
            users: user::read(root.sections("user")?)?,
        };
        root.finish()?;
        Ok(config)
    }
}

fn trusted_proxies(root: &mut Section<'_>) -> Result<Option<TrustedProxies>, Error> {
    let key = "trusted_proxies";
    let Some(texts) = root.texts(key)? else {
        return Ok(None);
    };
    TrustedProxies::parse(texts.iter().map(String::as_str))
        .map(Some)
        .map_err(|error| root.error_at(key, error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Config, Error> {
        Config::parse(Path::new("/etc/orlop.toml"), text.to_owned())
    }

    const FULL: &str = r#"
listen = "127.0.0.1:5244"
cache_dir = "cache"
driver_dir = "/opt/drivers"
log = "debug"

[[mount]]
path = "/photos"
driver = "s3"
root = "albums/2026"
read_only = true
download = "proxy"
allow_hosts = ["cdn.example.com"]
allow_private_network = true
cache_seconds = 60

[mount.limits]
memory = "128 MiB"
cpu_seconds = 0.5
requests_in_flight = 8

[mount.config]
bucket = "pictures"
sign_url_expire = 4
force_path_style = true

[[mount]]
path = "/other"
driver = "drivers/mine.wasm"
sha256 = "00"
download = "https://worker.example/x"
worker_key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
"#;

    #[test]
    fn a_full_file() {
        let config = parse(FULL).unwrap();
        assert_eq!(config.listen.unwrap().to_string(), "127.0.0.1:5244");
        assert_eq!(config.cache_dir.unwrap(), Path::new("/etc/cache"));
        assert_eq!(config.driver_dir.unwrap(), Path::new("/opt/drivers"));
        let [photos, other] = &config.mounts[..] else {
            panic!("two mounts")
        };
        assert_eq!(photos.path.as_str(), "photos");
        assert_eq!(photos.driver, DriverSource::Named("s3".to_owned()));
        assert_eq!(photos.root.as_str(), "albums/2026");
        assert!(photos.read_only && photos.allow_private_network);
        assert_eq!(photos.allow_hosts, ["cdn.example.com"]);
        assert_eq!(photos.cache_time.as_secs(), 60);
        assert_eq!(photos.limits.memory, 128 << 20);
        assert_eq!(photos.limits.cpu.as_millis(), 500);
        assert_eq!(photos.limits.requests_in_flight, 8);
        assert_eq!(
            serde_json::Value::Object(photos.config.values.clone()),
            serde_json::json!({"bucket": "pictures", "sign_url_expire": 4, "force_path_style": true})
        );
        assert_eq!(
            other.driver,
            DriverSource::File(PathBuf::from("/etc/drivers/mine.wasm"))
        );
        assert_eq!(other.cache_time.as_secs(), 5);
        let key = std::array::from_fn(|index| u8::try_from(index).unwrap());
        let worker = orlop::Worker::new("https://worker.example/x", key);
        assert_eq!(other.download, orlop::Download::Worker(worker));
    }

    #[test]
    fn several_places_to_listen() {
        let listen = |text: &str| parse(text).unwrap().listen.unwrap().to_string();
        let list = "listen = [\"127.0.0.1:5244\", \"[::1]:5244\", \"unix:/run/orlop.sock\"]";
        assert_eq!(
            listen(list),
            "127.0.0.1:5244,[::1]:5244,unix:/run/orlop.sock"
        );
        assert_eq!(listen("listen = \"systemd\""), "systemd");
        assert!(parse("listen = []").is_err());
    }

    #[test]
    fn errors_name_the_file_the_line_the_key_and_what_would_be_right() {
        for (text, expected) in [
            (
                "\nlisen = \"127.0.0.1:1\"",
                "/etc/orlop.toml:2: lisen: unknown key; did you mean `listen`?",
            ),
            (
                "[[mount]]\npath = \"/a\"\ndriver = \"s3\"\nread-only = true",
                "/etc/orlop.toml:4: mount.read-only: unknown key; did you mean `read_only`?",
            ),
            (
                "[[mount]]\npath = \"/a\"\ndriver = \"s3\"\n[mount.limits]\nmemry = 1",
                "/etc/orlop.toml:5: mount.limits.memry: unknown key; did you mean `memory`?",
            ),
            (
                "xyzzy = 1",
                "/etc/orlop.toml:1: xyzzy: unknown key; the keys here are `listen`, `socket_mode`, `tls_certificate`, `tls_key`, `max_connections`, `idle_seconds`, `body_seconds`, `write_seconds`, `drain_seconds`, `anonymous`, `trusted_proxies`, `cors_origins`, `cache_dir`, `driver_dir`, `state_dir`, `state`, `log`, `log_format`, `mount`, `user`",
            ),
            (
                "listen = 5244",
                "/etc/orlop.toml:1: listen: must be a text in quotes",
            ),
            (
                "listen = [\"127.0.0.1:1\", 2]",
                "/etc/orlop.toml:1: listen: must be a text in quotes",
            ),
            (
                "idle_seconds = 0",
                "/etc/orlop.toml:1: idle_seconds: must be more than 0 seconds",
            ),
            (
                "socket_mode = \"rw\"",
                "/etc/orlop.toml:1: socket_mode: must be a mode in octal, such as 0660",
            ),
            (
                "log_format = \"xml\"",
                "/etc/orlop.toml:1: log_format: must be \"text\" or \"json\"",
            ),
            (
                "listen = \"5244\"",
                "/etc/orlop.toml:1: listen: must be an address and a port, such as 127.0.0.1:5244",
            ),
            (
                "[[mount]]\npath = \"/a\"",
                "/etc/orlop.toml:1: mount.driver: is missing",
            ),
            (
                "[[mount]]\npath = \"/a/../b\"\ndriver = \"s3\"",
                "/etc/orlop.toml:2: mount.path: not a clean path",
            ),
            (
                "[[mount]]\npath = \"/a\"\ndriver = \"s3\"\ndownload = \"always\"",
                "/etc/orlop.toml:4: mount.download: must be \"redirect\", \"proxy\" or the URL of a worker",
            ),
            (
                "[[mount]]\npath = \"/a\"\ndriver = \"s3\"\ndownload = \"https://w.example\"",
                "/etc/orlop.toml:1: mount.worker_key: is missing: a worker needs a key",
            ),
            (
                "[[mount]]\npath = \"/a\"\ndriver = \"s3\"\ndownload = \"https://w.example\"\nworker_key = \"c2hvcnQ=\"",
                "/etc/orlop.toml:5: mount.worker_key: must be 32 random bytes",
            ),
            (
                "[[mount]]\npath = \"/a\"\ndriver = \"s3\"\nworker_key = \"x\"",
                "/etc/orlop.toml:4: mount.worker_key: is of no use",
            ),
            (
                "cors_origins = [\"*\"]",
                "/etc/orlop.toml:1: cors_origins: must be origins such as",
            ),
            (
                "[[mount]]\npath = \"/a\"\ndriver = \"s3\"\n[mount.limits]\nmemory = \"lots\"",
                "/etc/orlop.toml:5: mount.limits.memory: must be a number of bytes or a size such as \"64MiB\"",
            ),
            (
                "[mount]\npath = \"/a\"",
                "/etc/orlop.toml:1: mount: must be a list of sections: write `[[mount]]`",
            ),
            (
                "[[user]]\nname = \"editor\"",
                "/etc/orlop.toml:1: user.password: is missing",
            ),
            ("a b", "/etc/orlop.toml:1: "),
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{text}\n got {error}");
        }
    }

    #[test]
    fn a_missing_file_is_one_clear_line() {
        let error = Config::load(Path::new("/nowhere/orlop.toml")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "/nowhere/orlop.toml: no such file: write one, or name another with `--config`"
        );
    }
}
