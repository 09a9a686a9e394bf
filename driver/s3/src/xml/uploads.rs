//! `ListMultipartUploadsResult`: a page of uploads that nobody finished.

use std::time::SystemTime;

use super::{Node, Unread, visit};
use crate::{date, encode};

/// A page of unfinished uploads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Uploads {
    /// Uploads, in the service's order.
    pub(crate) uploads: Vec<Unfinished>,
    /// Key and upload id behind which the next page begins, if there is one.
    pub(crate) next: Option<(String, String)>,
}

/// An upload that was begun and neither finished nor aborted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Unfinished {
    /// Where its object was to go.
    pub(crate) key: String,
    /// Its id.
    pub(crate) id: String,
    /// When it was begun, to the second.
    pub(crate) begun: Option<SystemTime>,
}

/// Reads a page.
///
/// # Errors
/// It is none, or not whole.
pub(crate) fn read(body: &str) -> Result<Uploads, Unread> {
    let mut uploads = Vec::new();
    let mut upload = None;
    let mut encoded = false;
    let mut truncated = false;
    let mut marker = (String::new(), String::new());
    visit(body, "ListMultipartUploadsResult", |node| match node {
        Node::Open(1, "Upload") => upload = Some(Unfinished::default()),
        Node::Close(1, name, text) => match name {
            "Upload" => uploads.extend(upload.take()),
            "EncodingType" => encoded = text.trim() == "url",
            "IsTruncated" => truncated = text.trim() == "true",
            "NextKeyMarker" => marker.0 = text.into_owned(),
            "NextUploadIdMarker" => marker.1 = text.into_owned(),
            _ => {}
        },
        Node::Close(2, name, text) => {
            if let Some(upload) = &mut upload {
                match name {
                    "Key" => upload.key = text.into_owned(),
                    "UploadId" => upload.id = text.into_owned(),
                    "Initiated" => upload.begun = date::parse_iso(&text),
                    _ => {}
                }
            }
        }
        _ => {}
    })?;
    if encoded {
        let keys = uploads.iter_mut().map(|upload| &mut upload.key);
        for key in keys.chain([&mut marker.0]) {
            *key = encode::decode_form(key);
        }
    }
    Ok(Uploads {
        uploads,
        next: (truncated && !marker.0.is_empty()).then_some(marker),
    })
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    #[test]
    fn uploads_are_decoded_if_the_service_says_so() {
        for (echo, key) in [
            ("<EncodingType>url</EncodingType>", "a b/c+"),
            ("", "a+b/c%2B"),
        ] {
            let body = format!(
                "<ListMultipartUploadsResult>{echo}<IsTruncated>true</IsTruncated>\
                 <NextKeyMarker>a+b/c%2B</NextKeyMarker><NextUploadIdMarker>u+1</NextUploadIdMarker>\
                 <Upload><Key>a+b/c%2B</Key><UploadId>u+1</UploadId>\
                 <Initiator><ID>x</ID></Initiator><Initiated>2013-05-24T00:00:00.000Z</Initiated></Upload>\
                 </ListMultipartUploadsResult>"
            );
            let upload = Unfinished {
                key: key.to_owned(),
                id: "u+1".to_owned(),
                begun: Some(UNIX_EPOCH + Duration::from_secs(1_369_353_600)),
            };
            let next = Some((key.to_owned(), "u+1".to_owned()));
            assert_eq!(
                read(&body).unwrap(),
                Uploads {
                    uploads: vec![upload],
                    next
                }
            );
        }
    }

    #[test]
    fn the_last_page_has_none_behind_it() {
        let body = "<ListMultipartUploadsResult><IsTruncated>false</IsTruncated>\
                    <NextKeyMarker>a</NextKeyMarker></ListMultipartUploadsResult>";
        assert_eq!(read(body).unwrap(), Uploads::default());
        assert_eq!(
            read("<ListMultipartUploadsResult><Upload>"),
            Err(Unread::CutShort)
        );
    }
}
