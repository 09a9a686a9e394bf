use std::collections::BTreeMap;
use std::time::SystemTime;

use s3s::dto::CompletedPart;
use s3s::{S3Result, s3_error};

use crate::etag::{Etags, Md5Digest};
use crate::metadata::Metadata;
use crate::object::{Object, now};
use crate::rope::Rope;

/// An unfinished multipart upload.
#[derive(Debug)]
pub(crate) struct Upload {
    pub(crate) initiated: SystemTime,
    pub(crate) metadata: Metadata,
    pub(crate) parts: BTreeMap<i32, Part>,
}

/// A part of an unfinished upload.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) body: Rope,
    pub(crate) etag: String,
    pub(crate) md5: Option<Md5Digest>,
    pub(crate) modified: SystemTime,
}

impl Upload {
    pub(crate) fn new(metadata: Metadata) -> Self {
        Self {
            initiated: now(),
            metadata,
            parts: BTreeMap::new(),
        }
    }

    /// The object that these parts make, if they are in order, present and large enough.
    pub(crate) fn assemble(
        &self,
        listed: &[CompletedPart],
        min_part_size: u64,
        etags: &Etags,
    ) -> S3Result<Object> {
        let parts = self.select(listed)?;
        let too_small = |part: &&Part| part.body.len() < min_part_size;
        if parts.iter().rev().skip(1).any(too_small) {
            return Err(s3_error!(
                EntityTooSmall,
                "Your proposed upload is smaller than the minimum allowed size"
            ));
        }
        let mut body = Rope::default();
        parts.iter().for_each(|part| body.append(&part.body));
        let md5s: Vec<_> = parts.iter().map(|part| part.md5).collect();
        Ok(Object::new(
            body,
            etags.multipart(&md5s),
            self.metadata.clone(),
        ))
    }

    fn select(&self, listed: &[CompletedPart]) -> S3Result<Vec<&Part>> {
        if listed.is_empty() {
            return Err(s3_error!(
                MalformedXML,
                "You must specify at least one part"
            ));
        }
        let in_order = listed.is_sorted_by(|a, b| a.part_number < b.part_number);
        if !in_order {
            return Err(s3_error!(
                InvalidPartOrder,
                "The list of parts was not in ascending order. Parts must be ordered by part number."
            ));
        }
        listed
            .iter()
            .map(|listed| {
                let part = self.parts.get(&listed.part_number?)?;
                (listed.e_tag.as_ref()?.value() == part.etag).then_some(part)
            })
            .collect::<Option<_>>()
            .ok_or_else(|| {
                s3_error!(
                    InvalidPart,
                    "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag may not match the part's entity tag."
                )
            })
    }
}
