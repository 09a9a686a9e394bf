//! `<Error>`: what went wrong, in the service's words.

use super::{Node, Unread, visit};

/// The name of the root.
pub(crate) const ROOT: &str = "Error";

/// An error as the service tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Document {
    /// Such as `NoSuchKey`; empty if the answer had none.
    pub(crate) code: String,
    /// For people.
    pub(crate) message: String,
    /// The region that the bucket is in, if that is what is wrong.
    pub(crate) region: Option<String>,
    /// The service's clock, if that is what is wrong.
    pub(crate) server_time: Option<String>,
    /// The largest upload, if that is what is wrong.
    pub(crate) max_size: Option<u64>,
}

/// Reads an `<Error>` document.
///
/// # Errors
/// It is none, or not whole.
pub(crate) fn read(body: &str) -> Result<Document, Unread> {
    let mut document = Document::default();
    visit(body, ROOT, |node| {
        if let Node::Close(1, name, text) = node {
            match name {
                "Code" => document.code = text.trim().to_owned(),
                "Message" => document.message = text.into_owned(),
                "Region" => {
                    document.region = Some(text.into_owned()).filter(|text| !text.is_empty())
                }
                "ServerTime" => document.server_time = Some(text.into_owned()),
                "MaxSizeAllowed" => document.max_size = text.parse().ok(),
                _ => {}
            }
        }
    })?;
    Ok(document)
}
