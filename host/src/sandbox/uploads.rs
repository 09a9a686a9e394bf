//! The import `uploads`: bytes on their way in, as a driver meets them.

use std::sync::Arc;

use tokio::sync::Mutex;
use wasmtime::component::{Accessor, Resource};

use super::{
    bindings::orlop::driver::{types, uploads},
    context::{Context, Lent},
};
use crate::{
    Outcome,
    part::{Algorithm, Cutter, Part},
};

/// The most bytes that one read copies into a guest.
const READ: u64 = 4 << 20;
/// The largest part that a driver may ask for: S3's limit, and so everybody's.
const LARGEST_PART: u64 = 5 << 30;

/// An upload that was lent to a driver.
#[expect(unreachable_pub, reason = "the generated bindings re-export it")]
pub struct LentUpload {
    size: Option<u64>,
    content_type: Option<String>,
    cutter: Arc<Mutex<Cutter>>,
}

impl LentUpload {
    pub(super) fn new(cutter: Cutter, size: Option<u64>, content_type: Option<String>) -> Self {
        Self {
            size,
            content_type,
            cutter: Arc::new(Mutex::new(cutter)),
        }
    }
}

impl uploads::Host for &mut Context {}

impl uploads::HostUpload for &mut Context {
    fn size(&mut self, upload: Resource<LentUpload>) -> wasmtime::Result<Option<u64>> {
        Ok(self.table.get(&upload)?.size)
    }

    fn content_type(&mut self, upload: Resource<LentUpload>) -> wasmtime::Result<Option<String>> {
        Ok(self.table.get(&upload)?.content_type.clone())
    }

    fn drop(&mut self, upload: Resource<LentUpload>) -> wasmtime::Result<()> {
        self.table.delete(upload)?;
        Ok(())
    }
}

impl uploads::HostUploadWithStore<Context> for Lent {
    async fn next(
        accessor: &Accessor<Context, Self>,
        upload: Resource<LentUpload>,
        max: u64,
    ) -> wasmtime::Result<Result<Option<Resource<Part>>, types::Error>> {
        let cutter = accessor.with(|mut access| {
            let context = access.get();
            context.cpu.reset();
            Ok::<_, wasmtime::Error>(Arc::clone(&context.table.get(&upload)?.cutter))
        })?;
        if max == 0 || max > LARGEST_PART {
            let message = format!("a part must be from 1 to {LARGEST_PART} bytes long");
            return Ok(Err(types::Error::InvalidArgument(message)));
        }
        let Ok(mut cutter) = cutter.try_lock() else {
            let message = "the upload's next part is being read already".to_owned();
            return Ok(Err(types::Error::InvalidArgument(message)));
        };
        match cutter.next(max).await {
            Ok(None) => Ok(Ok(None)),
            Ok(Some(part)) => {
                let part = accessor.with(|mut access| access.get().table.push(part))?;
                Ok(Ok(Some(part)))
            }
            Err(outcome) => Ok(Err(outcome.into())),
        }
    }
}

impl uploads::HostPart for &mut Context {
    fn size(&mut self, part: Resource<Part>) -> wasmtime::Result<u64> {
        Ok(self.table.get(&part)?.size())
    }

    fn drop(&mut self, part: Resource<Part>) -> wasmtime::Result<()> {
        self.table.delete(part)?;
        Ok(())
    }
}

impl uploads::HostPartWithStore<Context> for Lent {
    async fn digest(
        accessor: &Accessor<Context, Self>,
        part: Resource<Part>,
        algorithm: uploads::DigestAlgorithm,
    ) -> wasmtime::Result<Result<Vec<u8>, types::Error>> {
        let part = shared(accessor, &part)?;
        let algorithm = match algorithm {
            uploads::DigestAlgorithm::Md5 => Algorithm::Md5,
            uploads::DigestAlgorithm::Sha256 => Algorithm::Sha256,
        };
        Ok(part.digest(algorithm).await.map_err(Outcome::into))
    }

    async fn read(
        accessor: &Accessor<Context, Self>,
        part: Resource<Part>,
        offset: u64,
        len: u64,
    ) -> wasmtime::Result<Result<Vec<u8>, types::Error>> {
        let part = shared(accessor, &part)?;
        let bytes = part.read(offset, len.min(READ)).await;
        Ok(bytes.map(Vec::from).map_err(Outcome::into))
    }
}

/// The part behind a guest's handle.
fn shared(accessor: &Accessor<Context, Lent>, part: &Resource<Part>) -> wasmtime::Result<Part> {
    accessor.with(|mut access| {
        let context = access.get();
        context.cpu.reset();
        Ok(context.table.get(part)?.clone())
    })
}
