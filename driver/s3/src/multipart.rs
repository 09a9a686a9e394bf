//! The calls that make an object out of parts.

use md5::{Digest, Md5};
use orlop_driver::{CompletedPart, Error, Host, Result};

use crate::{
    driver::S3,
    encode::hex,
    fault::Fault,
    object::Written,
    operation::{Operation, Payload},
    settings::PART_MAX,
    xml::{Unread, listing::etag, receipt},
};

impl<H: Host> S3<H> {
    /// The size of the equal parts of an object of `size` bytes: `wanted`, unless the service takes no so
    /// many.
    ///
    /// # Errors
    /// [`Error::TooLarge`] if the service takes no such object.
    pub(crate) fn part_size_for(&self, size: u64, wanted: u64) -> Result<u64> {
        let profile = &self.settings.profile;
        let part_size = self.settings.part_size_for(size, wanted);
        if part_size > PART_MAX {
            return Err(Error::TooLarge(
                PART_MAX.saturating_mul(u64::from(profile.parts_max)),
            ));
        }
        Ok(part_size)
    }

    /// Begins an upload and tells its id.
    pub(crate) async fn create_upload(
        &self,
        key: &str,
        headers: impl IntoIterator<Item = (impl Into<std::borrow::Cow<'static, str>>, String)>,
    ) -> Result<String, Fault> {
        let operation = Operation::on_object("POST", key)
            .query("uploads", "")
            .headers(headers);
        self.client
            .call(&operation, |response| {
                receipt::upload_id(&String::from_utf8_lossy(&response.body))
            })
            .await
    }

    /// Sends a part and tells its ETag.
    pub(crate) async fn send_part(
        &self,
        key: &str,
        id: &str,
        number: u32,
        part: &H::Part,
    ) -> Result<String, Fault> {
        let operation = Operation::on_object("PUT", key)
            .query("partNumber", number.to_string())
            .query("uploadId", id)
            .payload(Payload::Part(part));
        self.client
            .call(&operation, |response| {
                response
                    .header("etag")
                    .and_then(etag)
                    .ok_or_else(|| Unread::Garbled("a part without an ETag".to_owned()))
            })
            .await
    }

    /// Puts the parts together. The answer's `Date` is not the object's time, which Amazon takes from the upload's
    /// beginning.
    pub(crate) async fn finish_upload(
        &self,
        key: &str,
        id: &str,
        parts: &[CompletedPart],
        condition: Option<(&'static str, String)>,
        size: Option<u64>,
    ) -> Result<Written, Fault> {
        let operation = Operation::on_object("POST", key)
            .query("uploadId", id)
            .header("content-type", "application/xml")
            .headers(condition)
            .payload(Payload::Document(document(parts)));
        let finished = self
            .client
            .call(&operation, |response| {
                let body = String::from_utf8_lossy(&response.body);
                receipt::etag(&body, "CompleteMultipartUploadResult")
            })
            .await;
        match finished {
            Ok(found) => Ok(Written {
                etag: etag(&found),
                modified: None,
            }),
            // An earlier try may have done it, though its answer was lost.
            Err(fault) if &*fault.code == "NoSuchUpload" && fault.attempts > 1 => {
                let Some(head) = self.client.head(key).await? else {
                    return Err(fault);
                };
                // An older object may have the same size.
                let expected = self.expected_etag(parts);
                let is_ours = match &expected {
                    Some(_) => head.object.etag == expected,
                    None => size == Some(head.object.size),
                };
                match is_ours {
                    true => Ok(Written {
                        etag: head.object.etag,
                        modified: head.object.modified,
                    }),
                    false => Err(fault),
                }
            }
            Err(fault) => Err(fault),
        }
    }

    /// Whether an upload was completed or thrown away.
    pub(crate) async fn is_over(&self, key: &str, id: &str) -> Result<bool, Fault> {
        let operation = Operation::on_object("GET", key)
            .query("max-parts", "1")
            .query("uploadId", id);
        match self.client.call(&operation, |_| Ok(())).await {
            Err(fault) if fault.is_missing() => Ok(true),
            other => other.map(|()| false),
        }
    }

    /// The ETag that an object of these parts has, where that can be known.
    pub(crate) fn expected_etag(&self, parts: &[CompletedPart]) -> Option<String> {
        Some(&self.settings.profile)
            .filter(|profile| profile.multipart_etag_standard)
            .and_then(|_| whole_etag(parts))
    }

    /// Throws the parts away. An upload that is gone is no error.
    pub(crate) async fn drop_upload(&self, key: &str, id: &str) -> Result<(), Fault> {
        let operation = Operation::on_object("DELETE", key)
            .query("uploadId", id)
            .hasty();
        match self.client.call(&operation, |_| Ok(())).await {
            Err(fault) if fault.is_missing() => Ok(()),
            other => other,
        }
    }
}

/// The ETag that Amazon's rule gives an object of these parts: the MD5 of their MD5s, and their number. None if a
/// part's ETag is no MD5.
fn whole_etag(parts: &[CompletedPart]) -> Option<String> {
    let mut whole = Md5::new();
    for part in parts {
        let digits = part.etag.strip_prefix('"')?.strip_suffix('"')?;
        if digits.len() != 32 {
            return None;
        }
        for index in (0..32).step_by(2) {
            let byte = u8::from_str_radix(digits.get(index..index + 2)?, 16).ok()?;
            whole.update([byte]);
        }
    }
    Some(format!("\"{}-{}\"", hex(&whole.finalize()), parts.len()))
}

fn document(parts: &[CompletedPart]) -> String {
    let mut document =
        String::from("<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
    for part in parts {
        let etag = part
            .etag
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('"', "&quot;");
        document.push_str(&format!(
            "<Part><PartNumber>{}</PartNumber><ETag>{etag}</ETag></Part>",
            part.number
        ));
    }
    document.push_str("</CompleteMultipartUpload>");
    document
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(number: u32, etag: &str) -> CompletedPart {
        CompletedPart {
            number,
            etag: etag.to_owned(),
        }
    }

    #[test]
    fn parts_are_named_with_their_quotes() {
        let parts = [part(1, "\"a\""), part(2, "\"b\"")];
        assert_eq!(
            document(&parts),
            "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
             <Part><PartNumber>1</PartNumber><ETag>&quot;a&quot;</ETag></Part>\
             <Part><PartNumber>2</PartNumber><ETag>&quot;b&quot;</ETag></Part>\
             </CompleteMultipartUpload>"
        );
    }

    #[test]
    fn the_etag_of_a_whole_follows_from_its_parts() {
        let empty = "\"d41d8cd98f00b204e9800998ecf8427e\"";
        // md5 of the 16 bytes above, and of them twice.
        for (count, expected) in [
            (1, "\"59adb24ef3cdbe0297f05b395827453f-1\""),
            (2, "\"5873dd45edd01f09c1ef2e7819369e8e-2\""),
        ] {
            let parts: Vec<_> = (1..=count).map(|number| part(number, empty)).collect();
            assert_eq!(whole_etag(&parts).as_deref(), Some(expected));
        }
        for etag in [
            "\"abc\"",
            "abc",
            "\"zz1d8cd98f00b204e9800998ecf8427e\"",
            "\"\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\"",
        ] {
            assert_eq!(whole_etag(&[part(1, etag)]), None, "{etag}");
        }
    }
}
