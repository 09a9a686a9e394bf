//! What comes back from the calls that make objects: an ETag or an upload's id.

use super::{Node, Unread, visit};

/// Reads the id of an upload from `InitiateMultipartUploadResult`.
///
/// # Errors
/// It is none, not whole, or has no id.
pub(crate) fn upload_id(body: &str) -> Result<String, Unread> {
    field(body, "InitiateMultipartUploadResult", "UploadId")?
        .filter(|id| !id.is_empty())
        .ok_or_else(|| Unread::Garbled("an upload without an id".to_owned()))
}

/// Reads the ETag that shows that an object, or a part of one, was made. It may be empty: Ceph gives
/// none for a completed upload.
///
/// # Errors
/// It is no document called `root`, not whole, or has no ETag.
pub(crate) fn etag(body: &str, root: &str) -> Result<String, Unread> {
    field(body, root, "ETag")?.ok_or_else(|| Unread::Garbled("a result without an ETag".to_owned()))
}

fn field(body: &str, root: &str, wanted: &str) -> Result<Option<String>, Unread> {
    let mut found = None;
    visit(body, root, |node| match node {
        Node::Close(1, name, text) if name == wanted => found = Some(text.into_owned()),
        _ => {}
    })?;
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_need_their_field() {
        let copied = "\n\n<CopyObjectResult><LastModified>x</LastModified><ETag>&quot;abc&quot;</ETag></CopyObjectResult>";
        assert_eq!(etag(copied, "CopyObjectResult").unwrap(), "\"abc\"");
        assert!(etag("<CopyObjectResult/>", "CopyObjectResult").is_err());
        assert!(matches!(
            etag(
                "<Error><Code>InternalError</Code></Error>",
                "CopyObjectResult"
            ),
            Err(Unread::Fault(_))
        ));
        let begun = "<InitiateMultipartUploadResult><UploadId>7~x</UploadId></InitiateMultipartUploadResult>";
        assert_eq!(upload_id(begun).unwrap(), "7~x");
        assert!(upload_id("<InitiateMultipartUploadResult/>").is_err());
    }
}
