use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials as AwsCredentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SignatureLocation,
    SigningSettings, UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4::SigningParams;
use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use orlop_test_s3::{Credentials, Options, Server};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use tokio::net::TcpStream;

const KEPT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/');
const KEPT_IN_QUERIES: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A server with the bucket `bkt` that does not look at signatures.
pub(crate) async fn server() -> Server {
    Server::start(Options {
        buckets: vec!["bkt".into()],
        min_part_size: 5,
        ..Options::default()
    })
    .await
    .unwrap()
}

/// Percent-encodes a key for a path.
pub(crate) fn path(key: &str) -> String {
    format!("/bkt/{}", utf8_percent_encode(key, KEPT))
}

/// A query of these parameters.
pub(crate) fn query(parameters: &[(&str, &str)]) -> String {
    let encoded = |text| utf8_percent_encode(text, KEPT_IN_QUERIES);
    let pairs: Vec<_> = parameters
        .iter()
        .map(|(name, value)| format!("{name}={}", encoded(value)))
        .collect();
    pairs.join("&")
}

/// Sends requests as they are written: no normalisation, a connection each.
#[derive(Clone)]
pub(crate) struct Client {
    /// Where it connects to.
    host: String,
    /// What the header `Host` says.
    named: String,
    key: Option<Key>,
}

#[derive(Clone)]
struct Key {
    credentials: Credentials,
    region: String,
}

pub(crate) struct Response {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Response {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{:?}", self.body);
        self
    }

    /// Expects an error document.
    #[track_caller]
    pub(crate) fn expect_error(self, status: u16, code: &str) {
        assert_eq!(self.status, status, "{:?}", self.body);
        assert!(
            self.text().contains(&format!("<Code>{code}</Code>")),
            "{}",
            self.text()
        );
    }
}

impl Client {
    pub(crate) fn new(server: &Server) -> Self {
        let host = server
            .endpoint()
            .strip_prefix("http://")
            .unwrap()
            .to_owned();
        Self {
            named: host.clone(),
            host,
            key: None,
        }
    }

    pub(crate) fn signing(server: &Server, credentials: Credentials, region: &str) -> Self {
        Self {
            key: Some(Key {
                credentials,
                region: region.to_owned(),
            }),
            ..Self::new(server)
        }
    }

    /// The same client with another `Host`.
    pub(crate) fn at_host(&self, named: &str) -> Self {
        Self {
            named: named.to_owned(),
            ..self.clone()
        }
    }

    pub(crate) async fn get(&self, target: &str) -> Response {
        self.send(Method::GET, target, &[], "").await
    }

    pub(crate) async fn get_with(&self, target: &str, headers: &[(&str, &str)]) -> Response {
        self.send(Method::GET, target, headers, "").await
    }

    pub(crate) async fn put(&self, target: &str, body: impl Into<Bytes>) -> Response {
        self.send(Method::PUT, target, &[], body).await
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        target: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Response {
        self.try_send(method, target, headers, body).await.unwrap()
    }

    /// An error means that the connection broke.
    pub(crate) async fn try_send(
        &self,
        method: Method,
        target: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> hyper::Result<Response> {
        let mut request = Request::builder()
            .method(method)
            .uri(target)
            .header("host", &self.named);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(body.into()).unwrap();
        if let Some(key) = &self.key {
            self.sign(&mut request, key, SignatureLocation::Headers);
        }
        self.exchange(request).await
    }

    /// Signs one body and sends another of the same length.
    pub(crate) async fn put_forged(
        &self,
        target: &str,
        signed: &'static str,
        sent: &'static str,
    ) -> Response {
        let mut request = Request::put(target)
            .header("host", &self.named)
            .body(Bytes::from(signed))
            .unwrap();
        let key = self.key.as_ref().unwrap();
        self.sign(&mut request, key, SignatureLocation::Headers);
        self.exchange(request.map(|_| Bytes::from(sent)))
            .await
            .unwrap()
    }

    /// A presigned target.
    pub(crate) fn presign(&self, method: Method, target: &str) -> String {
        let mut request = Request::builder()
            .method(method)
            .uri(target)
            .header("host", &self.named)
            .body(Bytes::new())
            .unwrap();
        self.sign(
            &mut request,
            self.key.as_ref().unwrap(),
            SignatureLocation::QueryParams,
        );
        request.uri().path_and_query().unwrap().to_string()
    }

    fn sign(&self, request: &mut Request<Bytes>, key: &Key, location: SignatureLocation) {
        let mut settings = SigningSettings::default();
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        settings.signature_location = location;
        let presigned = location == SignatureLocation::QueryParams;
        settings.expires_in = presigned.then_some(Duration::from_secs(60));
        let Credentials {
            access_key,
            secret_key,
        } = &key.credentials;
        let identity = AwsCredentials::new(access_key, secret_key, None, None, "test").into();
        let params = SigningParams::builder()
            .identity(&identity)
            .region(&key.region)
            .name("s3")
            .time(SystemTime::now())
            .settings(settings)
            .build()
            .unwrap()
            .into();
        let body = match presigned {
            true => SignableBody::UnsignedPayload,
            false => SignableBody::Bytes(request.body()),
        };
        let headers = request
            .headers()
            .iter()
            .map(|(name, value)| (name.as_str(), value.to_str().unwrap()));
        let uri = format!("http://{}{}", self.named, request.uri());
        let signable = SignableRequest::new(request.method().as_str(), uri, headers, body).unwrap();
        let (instructions, _) = sign(signable, &params).unwrap().into_parts();
        instructions.apply_to_request_http1x(request);
    }

    async fn exchange(&self, mut request: Request<Bytes>) -> hyper::Result<Response> {
        let stream = TcpStream::connect(&self.host).await.unwrap();
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let connection = tokio::spawn(connection);
        if request.method() == Method::PUT {
            // `hyper` says nothing of an empty body.
            let length = request.body().len().into();
            request
                .headers_mut()
                .insert(http::header::CONTENT_LENGTH, length);
        }
        let response = sender.send_request(request.map(Full::new)).await?;
        let (parts, body) = response.into_parts();
        let body = body.collect().await?.to_bytes();
        connection.abort();
        Ok(Response {
            status: parts.status,
            headers: parts.headers,
            body,
        })
    }
}
