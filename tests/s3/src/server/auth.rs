use http::HeaderMap;
use percent_encoding::percent_decode_str;
use s3s::auth::{S3Auth, SecretKey};
use s3s::{S3Result, s3_error};

use crate::options::Credentials;

/// The only key pair that a server knows.
pub(super) struct OneKey(pub(super) Credentials);

#[async_trait::async_trait]
impl S3Auth for OneKey {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        if access_key == self.0.access_key {
            return Ok(SecretKey::from(self.0.secret_key.as_str()));
        }
        Err(s3_error!(
            InvalidAccessKeyId,
            "The AWS Access Key Id you provided does not exist in our records."
        ))
    }
}

/// The region that a request is signed for, by its header or its query.
pub(super) fn signed_region(headers: &HeaderMap, query: &str) -> Option<String> {
    let in_header = || {
        let authorization = headers.get(http::header::AUTHORIZATION)?.to_str().ok()?;
        let (_, credential) = authorization.split_once("Credential=")?;
        Some(credential.split(',').next()?.to_owned())
    };
    let in_query = || {
        let credential = query
            .split('&')
            .find_map(|pair| pair.strip_prefix("X-Amz-Credential="))?;
        Some(
            percent_decode_str(credential)
                .decode_utf8()
                .ok()?
                .into_owned(),
        )
    };
    // AK/20261123/REGION/s3/aws4_request; an access key may have slashes, the rest may not.
    let credential = in_header().or_else(in_query)?;
    credential.rsplit('/').nth(2).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_region() {
        let mut headers = HeaderMap::new();
        assert_eq!(signed_region(&headers, ""), None);
        let query = "x=y&X-Amz-Credential=AK%2F20261123%2Feu-west-3%2Fs3%2Faws4_request";
        assert_eq!(signed_region(&headers, query).as_deref(), Some("eu-west-3"));
        let value =
            "AWS4-HMAC-SHA256 Credential=A/K/20261123/auto/s3/aws4_request, SignedHeaders=host";
        headers.insert("authorization", value.parse().unwrap());
        assert_eq!(signed_region(&headers, "").as_deref(), Some("auto"));
    }
}
