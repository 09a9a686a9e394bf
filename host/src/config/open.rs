//! From a configuration to mounts that work.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use anyhow::Context;
use orlop::{
    ComponentError, Driver, Engine, EngineOptions, Mount, Namespace, Outcome, Volume, VolumeOptions,
};
use serde_json::Value;

use super::{Config, DriverSource, Error, MountConfig, nearest};

/// Loads drivers, each component once.
#[derive(Debug)]
pub(crate) struct Drivers {
    engine: Engine,
    folder: Option<PathBuf>,
    loaded: BTreeMap<(DriverSource, Option<String>), Driver>,
}

impl Drivers {
    /// An engine with a configuration's folders.
    pub(crate) fn new(config: &Config) -> Result<Self, orlop::Error> {
        let mut options = EngineOptions::default();
        if let Some(folder) = &config.cache_dir {
            options = options.with_cache_directory(folder);
        }
        Ok(Self {
            engine: Engine::new(options)?,
            folder: config.driver_dir.clone(),
            loaded: BTreeMap::new(),
        })
    }

    /// Forgets what was loaded by a configuration before: files may have changed.
    pub(crate) fn renew(&mut self, config: &Config) {
        self.folder.clone_from(&config.driver_dir);
        self.loaded.clear();
    }

    /// Loads a driver, unless it is loaded already.
    pub(crate) async fn load(
        &mut self,
        source: &DriverSource,
        sha256: Option<&str>,
    ) -> anyhow::Result<Driver> {
        let key = (source.clone(), sha256.map(str::to_owned));
        if let Some(driver) = self.loaded.get(&key) {
            return Ok(driver.clone());
        }
        let driver = match source {
            DriverSource::File(file) => self.load_file(file, sha256).await?,
            DriverSource::Named(name) => self.load_named(name, sha256).await?,
        };
        self.loaded.insert(key, driver.clone());
        Ok(driver)
    }

    async fn load_file(&self, file: &Path, sha256: Option<&str>) -> anyhow::Result<Driver> {
        match self.engine.load_file(file, sha256).await {
            // It names the file already.
            Err(error @ orlop::Error::Component(ComponentError::Unreadable { .. })) => {
                Err(error.into())
            }
            result => result.with_context(|| file.display().to_string()),
        }
    }

    async fn load_named(&self, name: &str, sha256: Option<&str>) -> anyhow::Result<Driver> {
        if let Some(component) = orlop::built_in(name) {
            let driver = self.engine.load(component.to_vec()).await?;
            if sha256.is_some_and(|pinned| !pinned.eq_ignore_ascii_case(driver.digest())) {
                anyhow::bail!(
                    "the built-in driver `{name}` has the digest {}, not the one in `sha256`",
                    driver.digest()
                );
            }
            return Ok(driver);
        }
        let file = self
            .folder
            .as_ref()
            .map(|folder| folder.join(format!("{name}.wasm")))
            .filter(|file| file.exists());
        match file {
            Some(file) => self.load_file(&file, sha256).await,
            None => anyhow::bail!(
                "no driver `{name}`: built in are `{}`; for others, write the path of a .wasm file or set `driver_dir`",
                orlop::built_in_names().join("`, `")
            ),
        }
    }
}

impl Config {
    /// Opens every mount.
    ///
    /// A service that is down does not matter; a driver that cannot be loaded, or a configuration that
    /// does not fit its schema, does.
    pub(crate) async fn open(&self) -> anyhow::Result<Namespace> {
        self.open_over(&mut Drivers::new(self)?, None).await
    }

    /// As [`open`](Self::open). Volumes that were open by a configuration before, and would be the same, are kept
    /// with all their instances.
    pub(crate) async fn open_over(
        &self,
        drivers: &mut Drivers,
        before: Option<(&Config, &Namespace)>,
    ) -> anyhow::Result<Namespace> {
        let mut mounts = Vec::new();
        for mount in &self.mounts {
            let kept = before.and_then(|(config, namespace)| {
                let old = config.mounts.iter().find(|old| old.path == mount.path)?;
                let mut open = namespace.mounts().iter();
                let open = open.find(|open| *open.path() == mount.path)?;
                mount.has_the_volume_of(old).then(|| open.volume())
            });
            mounts.push(mount.open_or_keep(drivers, kept).await?);
        }
        Ok(Namespace::new(mounts)?)
    }
}

impl MountConfig {
    /// Loads the driver and opens the volume.
    pub(crate) async fn open(&self, drivers: &mut Drivers) -> Result<Mount, Error> {
        self.open_or_keep(drivers, None).await
    }

    /// Whether a volume opened by another configuration would be this one's, if the driver's code is.
    fn has_the_volume_of(&self, other: &Self) -> bool {
        self.config.values == other.config.values
            && self.limits == other.limits
            && self.allow_hosts == other.allow_hosts
            && self.allow_private_network == other.allow_private_network
    }

    async fn open_or_keep(
        &self,
        drivers: &mut Drivers,
        kept: Option<&Volume>,
    ) -> Result<Mount, Error> {
        let driver = drivers
            .load(&self.driver, self.sha256.as_deref())
            .await
            .map_err(|error| self.error_at("driver", crate::cli::reason(&error)))?;
        self.refuse_unknown_fields(driver.schema())?;
        let kept = kept.filter(|volume| volume.driver().digest() == driver.digest());
        let volume = match kept {
            Some(volume) => volume.clone(),
            None => self.open_volume(&driver).await?,
        };
        Ok(Mount::new(self.path.clone(), volume)
            .with_root(self.root.clone())
            .with_read_only(self.read_only)
            .with_download(self.download.clone())
            .with_dav_redirect(self.dav_redirect)
            .with_cache_time(self.cache_time))
    }

    async fn open_volume(&self, driver: &Driver) -> Result<Volume, Error> {
        let options = VolumeOptions::new(Value::Object(self.config.values.clone()))
            .with_name(format!("/{}", self.path))
            .with_limits(self.limits.clone())
            .with_allow_hosts(self.allow_hosts.clone())
            .with_allow_private_network(self.allow_private_network);
        driver.open(options).await.map_err(|error| match error {
            orlop::Error::Outcome(Outcome::InvalidConfig(config)) => {
                self.error_at_field(config.field.as_deref(), config.message)
            }
            other => self.error_at_field(None, other.to_string()),
        })
    }

    fn refuse_unknown_fields(&self, schema: &Value) -> Result<(), Error> {
        let open = schema
            .get("additionalProperties")
            .is_some_and(|additional| *additional != Value::Bool(false));
        let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
            return Ok(());
        };
        let unknown = self
            .config
            .values
            .keys()
            .find(|field| !properties.contains_key(*field));
        match unknown {
            Some(field) if !open => {
                let message = nearest::unknown_key(field, properties.keys().map(String::as_str));
                Err(self.error_at_field(Some(field), message))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_that_the_schema_does_not_have() {
        let text = "[[mount]]\npath = '/a'\ndriver = 's3'\n[mount.config]\nbuket = 'x'";
        let config = Config::parse(Path::new("orlop.toml"), text.to_owned()).unwrap();
        let mount = config.mounts.first().unwrap();
        let schema = json!({"properties": {"bucket": {}, "region": {}}});
        assert_eq!(
            mount
                .refuse_unknown_fields(&schema)
                .unwrap_err()
                .to_string(),
            "orlop.toml:5: mount.config.buket: unknown key; did you mean `bucket`?"
        );
        let schema = json!({"properties": {"bucket": {}}, "additionalProperties": true});
        assert!(mount.refuse_unknown_fields(&schema).is_ok());
    }
}
