//! A loaded driver.

use std::{fmt, sync::Arc};

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::{
    ComponentError, ConfigError, Descriptor, Engine, HostError, Limits, Outcome, Result, Volume,
    egress::{Egress, Grant},
    network::Network,
    sandbox::{Blueprint, Pool},
};

/// A loaded driver: compiled, looked over, and asked what it is. Clones share it.
#[derive(Clone)]
pub struct Driver {
    inner: Arc<Inner>,
}

struct Inner {
    engine: Engine,
    blueprint: Arc<Blueprint>,
    descriptor: Descriptor,
    schema: Value,
    validator: jsonschema::Validator,
    digest: String,
}

/// The optional interfaces of the contract that a driver exports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Abilities {
    /// It can write files and make directories.
    pub writable: bool,
    /// It can remove files and trees.
    pub removable: bool,
    /// It can copy and move by itself.
    pub transfer: bool,
    /// It can sign uploads for clients.
    pub sharing: bool,
}

/// How a volume is opened.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct VolumeOptions {
    /// The configuration, as the driver's schema wants it, with secrets filled in.
    pub config: Value,
    /// What errors, logs and metrics call the volume. Default: the driver's name.
    pub name: Option<String>,
    /// What the driver may use.
    pub limits: Limits,
    /// Addresses that the driver may reach beside its endpoints: `host`, `host:port`, `*.host`.
    pub allow_hosts: Vec<String>,
    /// Whether names may lead to loopback, private and metadata addresses.
    pub allow_private_network: bool,
}

impl VolumeOptions {
    /// Options with a configuration and defaults for the rest.
    pub fn new(config: Value) -> Self {
        Self {
            config,
            name: None,
            limits: Limits::default(),
            allow_hosts: Vec::new(),
            allow_private_network: false,
        }
    }

    /// Sets what errors, logs and metrics call the volume.
    #[must_use]
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets what the driver may use.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets the addresses that the driver may reach beside its endpoints.
    #[must_use]
    pub fn with_allow_hosts(mut self, hosts: Vec<String>) -> Self {
        self.allow_hosts = hosts;
        self
    }

    /// Sets whether names may lead to addresses inside a network.
    #[must_use]
    pub fn with_allow_private_network(mut self, allow: bool) -> Self {
        self.allow_private_network = allow;
        self
    }
}

impl Driver {
    pub(crate) async fn load(engine: &Engine, bytes: Vec<u8>) -> Result<Self> {
        let digest = digest(&bytes);
        let compiling = {
            let (engine, digest) = (engine.clone(), digest.clone());
            tokio::task::spawn_blocking(move || engine.compile(&digest, &bytes))
        };
        let component = compiling
            .await
            .map_err(|error| HostError::Internal(error.to_string()))??;
        let blueprint = Blueprint::new(engine.linker(), &component)?;
        let describing = blueprint.describe(engine.quiet_store()?);
        let descriptor = tokio::time::timeout(Limits::default().deadline, describing)
            .await
            .map_err(|_| ComponentError::Descriptor("it took too long".to_owned()))?
            .map_err(|error| ComponentError::Descriptor(format!("{error:#}")))?;
        let schema: Value = serde_json::from_str(&descriptor.config_schema).map_err(|error| {
            ComponentError::Descriptor(format!("its configuration schema is not JSON: {error}"))
        })?;
        let validator = jsonschema::validator_for(&schema).map_err(|error| {
            ComponentError::Descriptor(format!("its configuration schema is not one: {error}"))
        })?;
        Ok(Self {
            inner: Arc::new(Inner {
                engine: engine.clone(),
                blueprint: Arc::new(blueprint),
                descriptor,
                schema,
                validator,
                digest,
            }),
        })
    }

    /// What the driver says of itself.
    pub fn descriptor(&self) -> &Descriptor {
        &self.inner.descriptor
    }

    /// The SHA-256 of the component, in hexadecimal: what `sha256` pins.
    pub fn digest(&self) -> &str {
        &self.inner.digest
    }

    /// The interfaces that the component imports.
    pub fn imports(&self) -> &[String] {
        self.inner.blueprint.imports()
    }

    /// The interfaces that the component exports.
    pub fn exports(&self) -> &[String] {
        self.inner.blueprint.exports()
    }

    /// The JSON Schema of the driver's configuration.
    pub fn schema(&self) -> &Value {
        &self.inner.schema
    }

    /// The optional interfaces that it exports.
    pub fn abilities(&self) -> Abilities {
        self.inner.blueprint.abilities()
    }

    /// Opens a volume: checks the configuration against the schema, grants the addresses of its endpoints,
    /// and has the driver look at it. The network is not used.
    ///
    /// # Errors
    /// [`Outcome::InvalidConfig`] naming the field.
    pub async fn open(&self, options: VolumeOptions) -> Result<Volume> {
        self.validate(&options.config)?;
        if options.limits.memory > self.inner.engine.largest_memory() {
            let message = format!(
                "an instance can have {} bytes of memory at most",
                self.inner.engine.largest_memory()
            );
            return Err(invalid(Some("limits.memory"), message));
        }
        let egress = Egress::new(self.grants(&options)?, options.allow_private_network);
        let name: Arc<str> = options
            .name
            .unwrap_or_else(|| self.inner.descriptor.name.clone())
            .into();
        let network = Arc::new(Network::new(Arc::clone(&name), egress, &options.limits)?);
        let pool = Pool::new(
            name,
            self.inner.descriptor.name.as_str().into(),
            self.inner.engine.runtime().clone(),
            Arc::clone(&self.inner.blueprint),
            options.config.to_string(),
            options.limits,
            network,
        );
        pool.open().await?;
        Ok(Volume::new(
            self.clone(),
            pool,
            self.inner.engine.parts().clone(),
        ))
    }

    /// Holds a configuration against the schema. The value at fault may be a secret, so it is not told.
    fn validate(&self, config: &Value) -> Result<()> {
        let Some(error) = self.inner.validator.iter_errors(config).next() else {
            return Ok(());
        };
        let field = error
            .instance_path()
            .as_str()
            .trim_start_matches('/')
            .replace('/', ".");
        let field = Some(field).filter(|field| !field.is_empty());
        let choices = self.inner.schema.pointer(error.schema_path().as_str());
        let message = match choices.and_then(constants) {
            Some(choices) => format!("must be one of `{}`", choices.join("`, `")),
            None => error.masked().to_string(),
        };
        Err(invalid(field.as_deref(), message))
    }

    /// What the configuration grants: its endpoints, the service that it names, and what the operator added.
    fn grants(&self, options: &VolumeOptions) -> Result<Vec<Grant>> {
        let mut grants = self.endpoints_of_service(&options.config);
        let properties = self
            .inner
            .schema
            .get("properties")
            .and_then(Value::as_object);
        for (field, property) in properties.into_iter().flatten() {
            if property.get("format").and_then(Value::as_str) != Some("orlop-endpoint") {
                continue;
            }
            if let Some(text) = options.config.get(field).and_then(Value::as_str)
                && !text.is_empty()
            {
                grants.push(Grant::endpoint(text).ok_or_else(|| {
                    invalid(
                        Some(field),
                        "not a host name or an http or https URL".to_owned(),
                    )
                })?);
            }
        }
        for text in &options.allow_hosts {
            grants.push(Grant::host(text).ok_or_else(|| {
                invalid(
                    Some("allow_hosts"),
                    format!("`{text}` is not `host`, `host:port` or `*.host`"),
                )
            })?);
        }
        Ok(grants)
    }
}

impl Driver {
    /// The endpoints that a chosen service stands for: by the annotation `x-orlop-endpoints` of a field whose value
    /// names a service. It counts in built-in drivers alone: of others nobody knows whether they tell the truth.
    fn endpoints_of_service(&self, config: &Value) -> Vec<Grant> {
        if !crate::built_in::is_one(&self.inner.digest) {
            return Vec::new();
        }
        let properties = self.inner.schema.get("properties");
        let properties = properties.and_then(Value::as_object).into_iter().flatten();
        properties
            .filter_map(|(field, property)| {
                let chosen = config.get(field)?.as_str()?;
                property.get("x-orlop-endpoints")?.get(chosen)?.as_array()
            })
            .flatten()
            .filter_map(|pattern| Grant::service(pattern.as_str()?))
            .collect()
    }
}

impl fmt::Debug for Driver {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Driver")
            .field("name", &self.inner.descriptor.name)
            .field("version", &self.inner.descriptor.version)
            .field("digest", &self.inner.digest)
            .finish_non_exhaustive()
    }
}

/// The SHA-256 of some bytes, in hexadecimal.
pub(crate) fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// The texts that a `oneOf` of nothing but constants lets one choose from.
fn constants(one_of: &Value) -> Option<Vec<&str>> {
    one_of
        .as_array()?
        .iter()
        .map(|choice| choice.get("const")?.as_str())
        .collect()
}

fn invalid(field: Option<&str>, message: String) -> crate::Error {
    let field = field.map(str::to_owned);
    Outcome::InvalidConfig(ConfigError { field, message }).into()
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use url::Url;

    use super::*;
    use crate::EngineOptions;

    #[tokio::test]
    async fn a_service_that_is_named_is_granted_in_any_region() {
        let engine = Engine::new(EngineOptions::default()).unwrap();
        let component = crate::built_in("s3").unwrap().to_vec();
        let driver = engine.load(component).await.unwrap();
        let granted = |config: Value, url: &str| {
            let grants = driver.grants(&VolumeOptions::new(config)).unwrap();
            let egress = Egress::new(grants, false);
            egress.check_url(&Url::parse(url).unwrap()).is_ok()
        };
        let named = json!({"bucket": "b", "provider": "aws"});
        let home = "https://b.s3.eu-west-1.amazonaws.com/k";
        assert!(granted(named.clone(), home));
        assert!(!granted(
            named.clone(),
            "https://ec2.eu-west-1.amazonaws.com/"
        ));
        assert!(!granted(named, "https://s3.fr-par.scw.cloud/"));
        assert!(!granted(json!({"bucket": "b"}), home));
        assert!(!granted(json!({"bucket": "b", "provider": "minio"}), home));
    }
}
