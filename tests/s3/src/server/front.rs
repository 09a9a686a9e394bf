use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use http::uri::PathAndQuery;
use http::{HeaderMap, Method, Response, StatusCode, Uri, header};
use hyper::body::Incoming;
use s3s::dto::Range;
use s3s::service::S3Service;
use s3s::{Body, HttpError};

use crate::faults::{Fault, Faults, Plan};
use crate::quirks::Quirks;
use crate::requests::{Request, Requests};
use crate::server::auth::signed_region;
use crate::server::body::ObstructedBody;
use crate::server::connection::Link;
use crate::server::digest::checked_list;
use crate::server::host::is_own;
use crate::server::intake::Intake;
use crate::server::paced::PacedBody;
use crate::server::respond;

/// What stands between the connections and the S3 service.
pub(super) struct Front {
    pub(super) s3: S3Service,
    pub(super) requests: Requests,
    pub(super) faults: Faults,
    pub(super) quirks: Quirks,
    pub(super) region: Option<String>,
    /// Whether signatures are to be ignored.
    pub(super) anonymous: bool,
    pub(super) bytes_per_second: Option<u64>,
    /// Bodies of answers that are under way.
    pub(super) under_way: Arc<AtomicUsize>,
}

impl Front {
    /// Answers a request. An error ends the connection.
    pub(super) async fn answer(
        &self,
        request: http::Request<Incoming>,
        link: Arc<Link>,
    ) -> Result<Response<Body>, HttpError> {
        let record = Request::new(request.method(), request.uri(), request.headers());
        let Plan {
            gates,
            answer_gates,
            body_gates,
            fault,
        } = self.faults.meet(&record);
        self.requests.record(record);
        for gate in gates {
            gate.pass().await;
        }

        if let Some(Fault::Reset) = fault {
            return Err(reset(&link));
        }
        let (parts, body) = request.into_parts();
        let intake = Intake::new(body);
        let method = parts.method.clone();
        let request = http::Request::from_parts(parts, intake.clone());
        let response = match &fault {
            Some(Fault::Error {
                status,
                code,
                headers,
            }) => {
                let mut response = respond::error(*status, code, "an injected fault", &[]);
                response.headers_mut().extend(headers.clone());
                response
            }
            Some(Fault::ErrorInOk { code }) => {
                respond::error(StatusCode::OK, code, "an injected fault", &[])
            }
            _ => self.serve(request).await?,
        };
        intake.drain().await;
        if let Some(Fault::LoseAnswer) = fault {
            return Err(reset(&link));
        }

        for gate in answer_gates {
            gate.pass().await;
        }
        let mut response = respond::polish(&method, response);
        for (after, gate) in body_gates {
            response = response
                .map(|body| Body::http_body_unsync(ObstructedBody::hold(body, after, gate)));
        }
        if let Some(Fault::CutBody { after }) = fault {
            response =
                response.map(|body| Body::http_body_unsync(ObstructedBody::cut(body, after, link)));
        }
        let (speed, under_way) = (self.bytes_per_second, Arc::clone(&self.under_way));
        Ok(response.map(|body| Body::http_body_unsync(PacedBody::new(body, speed, under_way))))
    }

    async fn serve(&self, request: http::Request<Intake>) -> Result<Response<Body>, HttpError> {
        let (parts, body) = request.into_parts();
        if let Some(refusal) = self.quirks.refuse(&parts) {
            return Ok(refusal);
        }
        let mut request = http::Request::from_parts(parts, body);
        if self.anonymous {
            forget_signature(&mut request);
        }
        // Amazon S3 takes no body of unknown length, and wants to be told of an empty one.
        if request.method() == Method::PUT
            && !request.headers().contains_key(header::CONTENT_LENGTH)
        {
            return Ok(respond::error(
                StatusCode::LENGTH_REQUIRED,
                "MissingContentLength",
                "You must provide the Content-Length HTTP header.",
                &[],
            ));
        }
        let query = request.uri().query().unwrap_or_default();
        if let (Some(region), Some(signed)) =
            (&self.region, signed_region(request.headers(), query))
            && *region != signed
        {
            return Ok(wrong_region(region, &signed));
        }
        let deletes = request.method() == Method::POST && has_parameter(query, "delete");
        ignore_malformed_range(request.headers_mut());

        let (mut parts, body) = request.into_parts();
        self.quirks.change(&mut parts);
        let body = match deletes {
            true => match checked_list(&parts.headers, body).await {
                Ok(list) => match self.quirks.refuse_list(&list) {
                    Some(refusal) => return Ok(refusal),
                    None => Body::from(list),
                },
                Err(error) => return Ok(respond::from_s3(error)),
            },
            false => Body::http_body(body),
        };
        let own = is_own(&parts.headers) && parts.method == Method::GET;
        let mut answer = self.s3.call(http::Request::from_parts(parts, body)).await?;
        self.quirks.change_answer(own, &mut answer);
        Ok(answer)
    }
}

fn reset(link: &Link) -> HttpError {
    link.reset();
    HttpError::new("an injected fault resets the connection".into())
}

fn wrong_region(region: &str, signed: &str) -> Response<Body> {
    let message = format!(
        "The authorization header is malformed; the region '{signed}' is wrong; expecting '{region}'"
    );
    respond::error(
        StatusCode::BAD_REQUEST,
        "AuthorizationHeaderMalformed",
        &message,
        &[("Region", region)],
    )
}

/// RFC 9110 has a server ignore a `Range` that it does not understand, and Amazon S3 does; `s3s`
/// refuses it. One that is signed must stay, or the signature would not match.
fn ignore_malformed_range(headers: &mut HeaderMap) {
    let is_malformed = |range: &http::HeaderValue| {
        range
            .to_str()
            .map_or(true, |range| Range::parse(range).is_err())
    };
    let is_signed = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok()?.split_once("SignedHeaders="))
        .and_then(|(_, rest)| rest.split(',').next())
        .is_some_and(|names| names.split(';').any(|name| name.trim() == "range"));
    if !is_signed && headers.get(header::RANGE).is_some_and(is_malformed) {
        headers.remove(header::RANGE);
    }
}

/// Removes what would have `s3s` look for a key.
fn forget_signature<B>(request: &mut http::Request<B>) {
    request.headers_mut().remove(header::AUTHORIZATION);
    let uri = request.uri();
    let query = uri.query().unwrap_or_default();
    if !has_parameter(query, "X-Amz-Signature") {
        return;
    }
    let kept: Vec<_> = query
        .split('&')
        .filter(|pair| !pair.starts_with("X-Amz-"))
        .collect();
    let target = format!("{}?{}", uri.path(), kept.join("&"));
    if let Ok(target) = PathAndQuery::try_from(target) {
        let mut parts = uri.clone().into_parts();
        parts.path_and_query = Some(target);
        if let Ok(uri) = Uri::from_parts(parts) {
            *request.uri_mut() = uri;
        }
    }
}

fn has_parameter(query: &str, name: &str) -> bool {
    query
        .split('&')
        .any(|pair| pair.split('=').next() == Some(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forgets_presigned_queries() {
        let target = "/b/k%20?X-Amz-Date=1&a=b&X-Amz-Signature=2&delete";
        let mut request = http::Request::get(target)
            .header("authorization", "x")
            .body(())
            .unwrap();
        forget_signature(&mut request);
        assert_eq!(request.uri(), "/b/k%20?a=b&delete");
        assert!(request.headers().is_empty());
    }

    #[test]
    fn keeps_good_and_signed_ranges() {
        let cases = [
            ("bytes=0-1", "", true),
            ("bytes=5-2", "", false),
            ("bytes=0-1,3-4", "", false),
            ("lines=1-2", "", false),
            (
                "lines=1-2",
                "X Credential=a, SignedHeaders=host;range, Signature=b",
                true,
            ),
            (
                "lines=1-2",
                "X Credential=a, SignedHeaders=host, Signature=b",
                false,
            ),
        ];
        for (range, authorization, stays) in cases {
            let mut headers = HeaderMap::new();
            headers.insert("range", range.parse().unwrap());
            headers.insert("authorization", authorization.parse().unwrap());
            ignore_malformed_range(&mut headers);
            assert_eq!(
                headers.contains_key("range"),
                stays,
                "{range} {authorization}"
            );
        }
    }
}
