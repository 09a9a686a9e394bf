//! `CORSConfiguration`: what scripts of other sites may do with a bucket.

use super::{Node, Unread, visit};

/// Whether a rule lets a browser upload: PUT from some origin, with the ETag of the answer to be seen.
///
/// # Errors
/// It is no such document, or not whole.
pub(crate) fn allows_uploads(body: &str) -> Result<bool, Unread> {
    let mut allowed = false;
    let (mut puts, mut exposes) = (false, false);
    visit(body, "CORSConfiguration", |node| match node {
        Node::Open(1, _) => (puts, exposes) = (false, false),
        Node::Close(1, "CORSRule", _) => allowed |= puts && exposes,
        Node::Close(2, "AllowedMethod", text) => puts |= text.trim() == "PUT",
        Node::Close(2, "ExposeHeader", text) => {
            exposes |= text.trim() == "*" || text.trim().eq_ignore_ascii_case("etag");
        }
        _ => {}
    })?;
    Ok(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_must_allow_put_and_show_the_etag() {
        let put = "<AllowedOrigin>*</AllowedOrigin><AllowedMethod>PUT</AllowedMethod>";
        let etag = "<ExposeHeader>ETag</ExposeHeader>";
        for (rules, allowed) in [
            (String::new(), false),
            (format!("<CORSRule>{put}</CORSRule>"), false),
            (
                format!("<CORSRule>{put}</CORSRule><CORSRule>{etag}</CORSRule>"),
                false,
            ),
            (
                format!("<CORSRule>{etag}</CORSRule><CORSRule>{put}{etag}</CORSRule>"),
                true,
            ),
        ] {
            let body = format!("<CORSConfiguration>{rules}</CORSConfiguration>");
            assert_eq!(allows_uploads(&body).unwrap(), allowed, "{rules}");
        }
    }
}
