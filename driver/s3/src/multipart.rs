//! The calls that make an object out of parts.

use orlop_driver::{CompletedPart, Host, Result};

use crate::{
    driver::S3,
    fault::Fault,
    operation::{Operation, Payload},
    xml::{Unread, listing::etag, receipt},
};

impl<H: Host> S3<H> {
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

    /// Puts the parts together, and tells the object's ETag if the service does.
    pub(crate) async fn finish_upload(
        &self,
        key: &str,
        id: &str,
        parts: &[CompletedPart],
        condition: Option<(&'static str, String)>,
        size: Option<u64>,
    ) -> Result<Option<String>, Fault> {
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
            Ok(found) => Ok(etag(&found)),
            // An earlier try may have done it, though its answer was lost.
            Err(fault) if &*fault.code == "NoSuchUpload" && fault.attempts > 1 => {
                match self.client.head(key).await? {
                    Some(head) if size.is_some_and(|size| size == head.object.size) => {
                        Ok(head.object.etag)
                    }
                    _ => Err(fault),
                }
            }
            Err(fault) => Err(fault),
        }
    }

    /// Throws the parts away. An upload that is gone is no error.
    pub(crate) async fn drop_upload(&self, key: &str, id: &str) -> Result<(), Fault> {
        let operation = Operation::on_object("DELETE", key).query("uploadId", id);
        match self.client.call(&operation, |_| Ok(())).await {
            Err(fault) if fault.is_missing() => Ok(()),
            other => other,
        }
    }
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

    #[test]
    fn parts_are_named_with_their_quotes() {
        let parts = [CompletedPart {
            number: 1,
            etag: "\"a\"".into(),
        }];
        assert_eq!(
            document(&parts),
            "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
             <Part><PartNumber>1</PartNumber><ETag>&quot;a&quot;</ETag></Part></CompleteMultipartUpload>"
        );
    }
}
