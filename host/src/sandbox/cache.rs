//! Compiled drivers kept from one start to the next.

use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt},
    path::PathBuf,
};

use sha2::{Digest, Sha256};
use wasmtime::{Engine, component::Component};

use crate::ComponentError;

/// A folder of compiled drivers. Whoever can write to it can run code in this process, so it must belong to
/// the user who runs it, and to nobody else.
#[derive(Debug)]
pub(crate) struct CompiledCache {
    directory: PathBuf,
}

/// The digest in front of the compiled code: a file that was cut short is not run.
const DIGEST: usize = 32;

impl CompiledCache {
    /// Opens the folder, making it if need be.
    pub(crate) fn open(directory: PathBuf) -> io::Result<Self> {
        if let Some(parent) = directory.parent() {
            fs::create_dir_all(parent)?;
        }
        match fs::DirBuilder::new().mode(0o700).create(&directory) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        let metadata = fs::symlink_metadata(&directory)?;
        let ours = metadata.is_dir()
            && metadata.uid() == effective_user()?
            && metadata.permissions().mode() & 0o022 == 0;
        if !ours {
            return Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                "it is not a folder that belongs to this user alone",
            ));
        }
        Ok(Self { directory })
    }

    /// The compiled form of a driver, from the folder or made now and put there.
    pub(crate) fn component(
        &self,
        engine: &Engine,
        digest: &str,
        bytes: &[u8],
    ) -> Result<Component, ComponentError> {
        let path = self.path(engine, digest);
        if let Some(component) = load(engine, &path) {
            return Ok(component);
        }
        let component = compile(engine, bytes)?;
        if let Ok(compiled) = component.serialize()
            && let Err(error) = self.store(&path, &compiled)
        {
            tracing::warn!(%error, "cannot keep a compiled driver; the next start will take longer");
        }
        Ok(component)
    }

    /// A name that changes with the driver, and with every setting that the code depends on.
    fn path(&self, engine: &Engine, digest: &str) -> PathBuf {
        let mut hasher = DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        self.directory
            .join(format!("{digest}-{:016x}.cwasm", hasher.finish()))
    }

    fn store(&self, path: &PathBuf, compiled: &[u8]) -> io::Result<()> {
        let mut file = tempfile::NamedTempFile::new_in(&self.directory)?;
        file.write_all(&Sha256::digest(compiled))?;
        file.write_all(compiled)?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    }
}

/// Compiles a driver.
pub(crate) fn compile(engine: &Engine, bytes: &[u8]) -> Result<Component, ComponentError> {
    // The layer field of the binary format tells components from core modules (component-model, Binary.md).
    match bytes.get(..8) {
        Some([0, b'a', b's', b'm', _, _, 1, 0]) => {}
        Some([0, b'a', b's', b'm', ..]) => {
            let reason = "it is a core module; build it for wasm32-wasip2".to_owned();
            return Err(ComponentError::Invalid(reason));
        }
        _ => {
            return Err(ComponentError::Invalid(
                "it is not WebAssembly at all".to_owned(),
            ));
        }
    }
    Component::from_binary(engine, bytes)
        .map_err(|error| ComponentError::Invalid(format!("{error:#}")))
}

fn load(engine: &Engine, path: &PathBuf) -> Option<Component> {
    let file = fs::read(path).ok()?;
    let (digest, compiled) = file.split_at_checked(DIGEST)?;
    if Sha256::digest(compiled)[..] != *digest {
        tracing::warn!("a compiled driver was damaged, and is compiled anew");
        return None;
    }
    #[expect(
        unsafe_code,
        reason = "wasmtime trusts compiled code; ours lies in a folder that only this user can write to, under \
                  a name that this engine's settings and the driver's digest make, and its own digest holds"
    )]
    let component = unsafe { Component::deserialize(engine, compiled) };
    component.ok()
}

/// The user who runs this process.
fn effective_user() -> io::Result<u32> {
    // `/proc/self` belongs to the effective user; where there is none, a new file does.
    match fs::metadata("/proc/self") {
        Ok(metadata) => Ok(metadata.uid()),
        Err(_) => Ok(tempfile::tempfile()?.metadata()?.uid()),
    }
}
