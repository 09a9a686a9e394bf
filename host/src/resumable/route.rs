//! How the bytes of an upload get to the storage.

use super::{Route, Wish};
use crate::{Error, LinkUploadOptions, Namespace, Outcome, Overwrite, Result, UploadLink};

/// The largest file that is gathered here before it is written.
pub(super) const WHOLE_MAX: u64 = 64 << 20;

/// Asks the driver how it takes a file, and begins that.
///
/// # Errors
/// [`Outcome::Unsupported`] for a file too large to be gathered here, if the driver takes no parts;
/// [`Outcome::TooLarge`], and what keeps the file from being written at all.
pub(super) async fn route(namespace: &Namespace, wish: &Wish) -> Result<Route> {
    let fits = wish.length.is_none_or(|length| length <= WHOLE_MAX);
    if namespace.takes_parts(&wish.path)? {
        let linked = match link(namespace, wish, wish.length).await {
            // One request for more than is gathered here: what has no size is planned for as large.
            Ok(UploadLink::Single(_)) if !fits => link(namespace, wish, None).await,
            linked => linked,
        };
        match linked {
            Ok(UploadLink::Multipart(parts)) => {
                let most = parts.part_size.saturating_mul(parts.max_parts.into());
                if wish.length.is_some_and(|length| length > most) {
                    namespace.abort_upload(&wish.path, parts.token).await?;
                    return Err(Outcome::TooLarge(most).into());
                }
                return Ok(Route::Parts(parts));
            }
            Ok(UploadLink::Single(_)) => {}
            // It takes parts, but not with these settings.
            Err(Error::Outcome(Outcome::Unsupported(_))) => {}
            Err(error) => return Err(error),
        }
    }
    if !fits {
        return Err(Outcome::Unsupported(format!(
            "the mount's driver takes no uploads in parts, and others can be resumed up to {WHOLE_MAX} bytes; write \
             this file with one PUT"
        ))
        .into());
    }
    Ok(Route::Whole)
}

async fn link(namespace: &Namespace, wish: &Wish, size: Option<u64>) -> Result<UploadLink> {
    let options = LinkUploadOptions {
        size,
        content_type: wish.content_type.clone(),
        modified: wish.modified,
        must_be_new: wish.overwrite == Overwrite::Refuse,
        // Each link is used at once.
        expires: None,
    };
    namespace.link_upload(&wish.path, options).await
}
