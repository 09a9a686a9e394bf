//! Requests that a service with quirks refuses before it looks any further.

use http::{Method, Response, StatusCode, request::Parts};
use percent_encoding::percent_decode_str;
use s3s::Body;

use super::{
    host::{bucket_in_host, is_own},
    respond,
};
use crate::quirks::Quirks;

/// Why a request is refused.
type Refusal = (StatusCode, &'static str);

impl Quirks {
    /// The answer to a request that is refused for what its head says.
    pub(super) fn refuse(&self, head: &Parts) -> Option<Response<Body>> {
        let (status, code) = self
            .refused_connection(head)
            .or_else(|| self.refused_addressing(head))
            .or_else(|| self.refused_call(head))
            .or_else(|| self.refused_headers(head))
            .or_else(|| self.refused_key(head))?;
        Some(respond::error(status, code, self.message(), &[]))
    }

    /// Changes what goes out.
    pub(super) fn change_answer(&self, host_is_own: bool, answer: &mut Response<Body>) {
        if self.forced_download && host_is_own && answer.status().is_success() {
            let saved = http::HeaderValue::from_static("attachment");
            answer.headers_mut().insert("content-disposition", saved);
        }
    }

    /// The answer to a list of keys to delete that is refused for its length.
    pub(super) fn refuse_list(&self, document: &[u8]) -> Option<Response<Body>> {
        let keys = document
            .windows(b"<Key>".len())
            .filter(|window| *window == b"<Key>")
            .count();
        (self.delete_max > 0 && keys > self.delete_max).then(|| {
            let status = StatusCode::INTERNAL_SERVER_ERROR;
            respond::error(status, "InternalError", self.message(), &[])
        })
    }

    /// Takes away, or changes, what the service does not see as it was sent.
    pub(super) fn change(&self, head: &mut Parts) {
        let headers = &mut head.headers;
        if self.ignores_conditions && matches!(head.method, Method::PUT | Method::POST) {
            headers.remove("if-match");
            headers.remove("if-none-match");
        }
        if self.rewrites_accept_encoding
            && let Some(value) = headers.get_mut("accept-encoding")
            && let Ok(changed) = format!("{},gzip(gfe)", value.to_str().unwrap_or_default()).parse()
        {
            *value = changed;
        }
    }

    fn message(&self) -> &'static str {
        if self.empty_messages {
            ""
        } else {
            "refused by a quirk"
        }
    }

    fn refused_connection(&self, head: &Parts) -> Option<Refusal> {
        let query = head.uri.query().unwrap_or_default();
        let elsewhere = !is_own(&head.headers) && query.contains("X-Amz-Signature=");
        (self.https_only || (self.no_presign_on_custom_domain && elsewhere))
            .then_some((StatusCode::FORBIDDEN, "AccessDenied"))
    }

    fn refused_addressing(&self, head: &Parts) -> Option<Refusal> {
        let host = head.headers.get("host")?.to_str().ok()?;
        let code = match bucket_in_host(host) {
            Some(_) => self.refuse_virtual_host,
            None => self.refuse_path_style,
        };
        Some((StatusCode::FORBIDDEN, code?))
    }

    fn refused_call(&self, head: &Parts) -> Option<Refusal> {
        let query = head.uri.query().unwrap_or_default();
        let parameter = |name: &str| {
            query.split('&').find_map(|pair| {
                let (found, value) = pair.split_once('=').unwrap_or((pair, ""));
                (found == name).then_some(value)
            })
        };
        let unknown = (StatusCode::NOT_IMPLEMENTED, "NotImplemented");
        let part = parameter("partNumber");
        if self.no_list_v2 && parameter("list-type").is_some() {
            return Some(unknown);
        }
        if self.no_upload_part_copy
            && part.is_some()
            && head.headers.contains_key("x-amz-copy-source")
        {
            return Some(unknown);
        }
        if head.method == Method::POST && parameter("delete").is_some() {
            return self.no_delete_objects;
        }
        let number = part.and_then(|part| part.parse::<u32>().ok());
        if self.parts_max > 0 && number.is_some_and(|number| number > self.parts_max) {
            return Some((StatusCode::BAD_REQUEST, "InvalidArgument"));
        }
        None
    }

    fn refused_headers(&self, head: &Parts) -> Option<Refusal> {
        let headers = &head.headers;
        if self.refuse_content_md5
            && head.method == Method::PUT
            && headers.contains_key("content-md5")
        {
            return Some((StatusCode::BAD_REQUEST, "InvalidArgument"));
        }
        let has = |test: &dyn Fn(&str) -> bool| headers.keys().any(|name| test(name.as_str()));
        if self.refuse_checksum_headers
            && has(&|name| {
                name.starts_with("x-amz-checksum-") || name == "x-amz-sdk-checksum-algorithm"
            })
        {
            return Some((StatusCode::BAD_REQUEST, "InvalidArgument"));
        }
        if self.refuse_session_token && has(&|name| name == "x-amz-security-token") {
            return Some((StatusCode::BAD_REQUEST, "InvalidToken"));
        }
        let unsigned = headers
            .get("x-amz-content-sha256")
            .is_some_and(|hash| hash == "UNSIGNED-PAYLOAD");
        if self.refuse_unsigned_payload && unsigned {
            return Some((StatusCode::BAD_REQUEST, "XAmzContentSHA256Mismatch"));
        }
        None
    }

    fn refused_key(&self, head: &Parts) -> Option<Refusal> {
        let path = percent_decode_str(head.uri.path()).decode_utf8().ok()?;
        let host = head.headers.get("host")?.to_str().ok()?;
        let path = path.strip_prefix('/')?;
        let key = match bucket_in_host(host) {
            Some(_) => path,
            None => path.split_once('/').map_or("", |(_, key)| key),
        };
        self.refused_keys
            .iter()
            .any(|rule| rule.is_broken(key))
            .then_some((StatusCode::BAD_REQUEST, "InvalidObjectName"))
    }
}
