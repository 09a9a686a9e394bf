//! `[[mount]]`: a volume and where it appears.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use orlop::{Download, Limits, Location, Path, Worker};
use serde_json::{Map, Value};

use super::{Error, limits, secret, section::Section};

/// How long listings, stats and links are kept unless `cache_seconds` says otherwise.
const CACHE_TIME: Duration = Duration::from_secs(5);

/// A mount as the file describes it.
#[derive(Debug)]
pub(crate) struct MountConfig {
    /// Where it appears in the namespace.
    pub(crate) path: Path,
    /// Which driver.
    pub(crate) driver: DriverSource,
    /// The digest that the driver's file must have.
    pub(crate) sha256: Option<String>,
    /// The folder of the volume that is shown.
    pub(crate) root: Path,
    /// Whether writing is refused.
    pub(crate) read_only: bool,
    /// How clients get a file's bytes.
    pub(crate) download: Download,
    /// Whether that holds for WebDAV clients too.
    pub(crate) dav_redirect: bool,
    /// More addresses that the driver may reach.
    pub(crate) allow_hosts: Vec<String>,
    /// Whether the driver may reach private addresses.
    pub(crate) allow_private_network: bool,
    /// How long listings, stats and links are kept.
    pub(crate) cache_time: Duration,
    /// How much the driver may use.
    pub(crate) limits: Limits,
    /// The driver's own configuration.
    pub(crate) config: DriverConfig,
    /// The file, for errors.
    pub(super) file: PathBuf,
    /// The line that the section begins on.
    pub(super) line: usize,
    /// The line of each key.
    pub(super) lines: BTreeMap<String, usize>,
}

/// Where a driver comes from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum DriverSource {
    /// Built in, or in the driver folder.
    Named(String),
    /// A component file.
    File(PathBuf),
}

/// `[mount.config]`: what the driver's schema describes.
#[derive(Default)]
pub(crate) struct DriverConfig {
    /// The fields, with secrets filled in.
    pub(crate) values: Map<String, Value>,
    /// The line of each field.
    pub(super) lines: BTreeMap<String, usize>,
}

// It holds secrets.
impl std::fmt::Debug for DriverConfig {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("DriverConfig")
            .field("fields", &self.values.keys())
            .finish_non_exhaustive()
    }
}

impl DriverSource {
    /// Tells a name from a path: a path has a `/` or ends in `.wasm`.
    pub(crate) fn new(text: &str, resolve: impl FnOnce(&str) -> PathBuf) -> Self {
        if text.contains('/') || text.ends_with(".wasm") {
            Self::File(resolve(text))
        } else {
            Self::Named(text.to_owned())
        }
    }
}

impl MountConfig {
    pub(super) fn read(mut section: Section<'_>) -> Result<Self, Error> {
        let source = section.source();
        let path = clean_path(&mut section, "path")?;
        let driver = section.text("driver")?;
        let driver = section.required("driver", driver)?;
        let mount = Self {
            path: section.required("path", path)?,
            driver: DriverSource::new(&driver, |path| source.resolve(path)),
            sha256: section.text("sha256")?,
            root: clean_path(&mut section, "root")?.unwrap_or_default(),
            read_only: section.flag("read_only")?.unwrap_or_default(),
            download: download(&mut section)?,
            dav_redirect: section.flag("dav_redirect")?.unwrap_or_default(),
            allow_hosts: section.texts("allow_hosts")?.unwrap_or_default(),
            allow_private_network: section.flag("allow_private_network")?.unwrap_or_default(),
            cache_time: section.seconds("cache_seconds")?.unwrap_or(CACHE_TIME),
            limits: section
                .section("limits")?
                .map_or_else(|| Ok(Limits::default()), limits::read)?,
            config: section
                .section("config")?
                .map_or_else(|| Ok(DriverConfig::default()), DriverConfig::read)?,
            file: source.file().to_path_buf(),
            line: section.line(),
            lines: section.lines().clone(),
        };
        section.finish()?;
        Ok(mount)
    }

    /// An error about one of its keys.
    pub(super) fn error_at(&self, key: &str, message: impl Into<String>) -> Error {
        let line = self.lines.get(key).copied().unwrap_or(self.line);
        Error::new(&self.file, message)
            .at_line(line)
            .at_key(format!("mount.{key}"))
    }

    /// An error about a field of the driver's configuration, or about all of it.
    pub(super) fn error_at_field(&self, field: Option<&str>, message: impl Into<String>) -> Error {
        let Some(field) = field else {
            return self.error_at("config", message);
        };
        let line = self
            .config
            .lines
            .get(field)
            .or_else(|| self.lines.get("config"))
            .copied()
            .unwrap_or(self.line);
        Error::new(&self.file, message)
            .at_line(line)
            .at_key(format!("mount.config.{field}"))
    }
}

impl DriverConfig {
    fn read(section: Section<'_>) -> Result<Self, Error> {
        let source = section.source();
        let lines = section.lines().clone();
        let mut values = Map::new();
        for (key, value) in section.into_entries() {
            let value = secret::fill(value, source).map_err(|message| {
                let line = lines.get(&key).copied().unwrap_or_default();
                Error::new(source.file(), message)
                    .at_line(line)
                    .at_key(format!("mount.config.{key}"))
            })?;
            values.insert(key, value);
        }
        Ok(Self { values, lines })
    }
}

fn clean_path(section: &mut Section<'_>, key: &'static str) -> Result<Option<Path>, Error> {
    let Some(text) = section.text(key)? else {
        return Ok(None);
    };
    match text.parse::<Location>() {
        Ok(location) => Ok(Some(location.path)),
        Err(_) => Err(section.error_at(
            key,
            "not a clean path: write it as in /a/b, without empty, `.` or `..` segments",
        )),
    }
}

/// `download`, and `worker_key` where that names a worker.
fn download(section: &mut Section<'_>) -> Result<Download, Error> {
    let text = section.text("download")?;
    let key = section.secret("worker_key")?;
    let download = match text.as_deref() {
        None | Some("redirect") => Download::Redirect,
        Some("proxy") => Download::Proxy,
        Some(url) => {
            let is_url = url::Url::parse(url).is_ok_and(|url| {
                matches!(url.scheme(), "http" | "https")
                    && url.query().is_none()
                    && url.fragment().is_none()
            });
            if !is_url {
                return Err(section.error_at(
                    "download",
                    "must be \"redirect\", \"proxy\" or the URL of a worker, such as https://worker.example",
                ));
            }
            let Some(key) = key else {
                let message = format!("is missing: a worker needs a key of its own; it {KEY}");
                return Err(section.error_at("worker_key", message));
            };
            let key = worker_key(&key).ok_or_else(|| section.error_at("worker_key", KEY))?;
            return Ok(Download::Worker(Worker::new(url, key)));
        }
    };
    if key.is_some() {
        return Err(section.error_at(
            "worker_key",
            "is of no use: `download` is not the URL of a worker",
        ));
    }
    Ok(download)
}

/// What a worker's key has to be.
const KEY: &str = "must be 32 random bytes in base64 or as 64 hexadecimal digits: `openssl rand -base64 32` makes one";

fn worker_key(text: &str) -> Option<[u8; 32]> {
    let bytes = if text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        let digits = text.as_bytes().chunks(2);
        digits
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
            .collect::<Option<Vec<u8>>>()?
    } else {
        let text = text
            .trim_end_matches('=')
            .replace('+', "-")
            .replace('/', "_");
        URL_SAFE_NO_PAD.decode(text).ok()?
    };
    bytes.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_workers() {
        let key = [0xfb; 32];
        for text in [
            "fb".repeat(32),
            "FB".repeat(32),
            "-_v7".repeat(10) + "-_s",
            "+/v7".repeat(10) + "+/s=",
        ] {
            assert_eq!(worker_key(&text), Some(key), "{text}");
        }
        for text in [
            "",
            "fb",
            &"+1".repeat(32),
            &"fb".repeat(31),
            &"fb".repeat(33),
            "secret",
        ] {
            assert_eq!(worker_key(text), None, "{text}");
        }
    }
}
