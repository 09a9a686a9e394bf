use std::time::UNIX_EPOCH;

use aws_credential_types::Credentials as AwsCredentials;
use aws_sigv4::{
    http_request::{
        PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SignatureLocation,
        SigningSettings, UriPathNormalizationMode, sign,
    },
    sign::v4,
};
use proptest::prelude::*;

use super::*;
use crate::{
    endpoint::{Address, Endpoint},
    profile::Addressing,
};

/// 2013-05-24T00:00:00Z, when the examples of the S3 documentation were signed.
const EXAMPLE: Duration = Duration::from_secs(1_369_353_600);
/// 2015-08-30T12:36:00Z, when the cases of the AWS test suite were signed.
const SUITE: Duration = Duration::from_secs(1_440_938_160);

fn signer(id: &str, secret: &str, token: Option<&str>) -> Signer {
    Signer::new(Credentials {
        access_key_id: id.to_owned(),
        secret_access_key: secret.to_owned(),
        session_token: token.map(str::to_owned),
        expires: None,
    })
}

fn example_signer() -> Signer {
    signer(
        "AKIAIOSFODNN7EXAMPLE",
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        None,
    )
}

fn site(endpoint: &str, bucket: &str, region: &str) -> Site {
    let endpoint = Endpoint::parse("endpoint", endpoint).unwrap();
    Site {
        address: Address::of_bucket(&endpoint, &endpoint.host, bucket, Addressing::VirtualHost),
        region: region.to_owned(),
    }
}

#[test]
fn examples_of_the_s3_documentation() {
    let site = site("s3.amazonaws.com", "examplebucket", "us-east-1");
    let hello = hex(&Sha256::digest("Welcome to Amazon S3."));
    type Pairs = &'static [(&'static str, &'static str)];
    let cases: [(&str, &str, Pairs, Pairs, &str, &str); 4] = [
        (
            "GET",
            "test.txt",
            &[],
            &[("range", "bytes=0-9")],
            EMPTY_PAYLOAD,
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
        ),
        (
            "PUT",
            "test$file.text",
            &[],
            &[
                ("date", "Fri, 24 May 2013 00:00:00 GMT"),
                ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
            ],
            &hello,
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
        ),
        (
            "GET",
            "",
            &[("lifecycle", "")],
            &[],
            EMPTY_PAYLOAD,
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
        ),
        (
            "GET",
            "",
            &[("prefix", "J"), ("max-keys", "2")],
            &[],
            EMPTY_PAYLOAD,
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
        ),
    ];
    for (method, key, query, headers, payload, signature) in cases {
        let path = site.address.path(Some(key));
        let request = Unsigned {
            method,
            site: &site,
            path: &path,
            query,
            headers,
        };
        let added = example_signer().headers(&request, payload, UNIX_EPOCH + EXAMPLE);
        let (_, authorization) = added
            .iter()
            .find(|(name, _)| *name == "authorization")
            .unwrap();
        assert!(
            authorization.ends_with(&format!("Signature={signature}")),
            "{method} {key}"
        );
        assert!(authorization.contains(
            "Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, SignedHeaders="
        ));
    }
}

#[test]
fn the_presigned_example_of_the_s3_documentation() {
    let site = site("s3.amazonaws.com", "examplebucket", "us-east-1");
    let path = site.address.path(Some("test.txt"));
    let request = Unsigned {
        method: "GET",
        site: &site,
        path: &path,
        query: &[],
        headers: &[],
    };
    let url = example_signer().url(&request, Duration::from_secs(86_400), UNIX_EPOCH + EXAMPLE);
    assert_eq!(
        url,
        "https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256\
         &X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request\
         &X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host\
         &X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
    );
}

/// The cases of the suite that hold for S3, which normalises no path; its service is called `service` and
/// has no `x-amz-content-sha256`.
#[test]
fn the_aws_test_suite() {
    const UNRESERVED: &str = "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    type Pairs = &'static [(&'static str, &'static str)];
    #[rustfmt::skip]
    let cases: [(&str, &str, &str, Pairs, Pairs, &str); 19] = [
        ("get-vanilla", "GET", "", &[], &[], "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        ("get-vanilla-query-order-key-case", "GET", "", &[("Param2", "value2"), ("Param1", "value1")], &[], "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"),
        ("get-vanilla-query-unreserved", "GET", "", &[(UNRESERVED, UNRESERVED)], &[], "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197"),
        ("get-vanilla-utf8-query", "GET", "", &[("ሴ", "bar")], &[], "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04"),
        ("get-vanilla-empty-query-key", "GET", "", &[("Param1", "value1")], &[], "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb"),
        ("get-unreserved", "GET", UNRESERVED, &[], &[], "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f"),
        ("get-utf8", "GET", "ሴ", &[], &[], "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"),
        ("get-space-unnormalized", "GET", "example space/", &[], &[], "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741"),
        ("get-slash-unnormalized", "GET", "/", &[], &[], "c88bcd3d312d75078c0cd961d6deae3f4c754924b01669efcfcb439fd5e5b76e"),
        ("get-slashes-unnormalized", "GET", "/example//", &[], &[], "87cca117541a147f6df867677d98a7d80dff226d2bfca9e4ffa899665623c7e5"),
        ("get-relative-unnormalized", "GET", "example/..", &[], &[], "eca7ead57bb5aa5c8e28007acd4ff04e1ff9a0ff3b237ec1554a184887ff9282"),
        ("get-relative-relative-unnormalized", "GET", "example1/example2/../..", &[], &[], "dc33e0856fd4baca4d7aa2146c38958283844764f38c74252a333df5e613003b"),
        ("get-slash-dot-slash-unnormalized", "GET", "./", &[], &[], "68714168e6557f8f2de0ef956fc24dc2593a4bd2961f8df51898d8a134695145"),
        ("get-slash-pointless-dot-unnormalized", "GET", "./example", &[], &[], "beb03f223f7deae4146464f06e29eebbee9c8afbe15c290cf07aa8b119e14cff"),
        ("get-header-value-trim", "GET", "", &[], &[("my-header1", " value1"), ("my-header2", "\"a   b   c\"")], "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"),
        ("post-vanilla", "POST", "", &[], &[], "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
        ("post-vanilla-query", "POST", "", &[("Param1", "value1")], &[], "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11"),
        ("post-header-value-case", "POST", "", &[], &[("my-header1", "VALUE1")], "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d"),
        ("get-vanilla-with-session-token", "GET", "", &[], &[("x-amz-security-token", "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267")], "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8"),
    ];
    let signer = signer(
        "AKIDEXAMPLE",
        "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
        None,
    );
    let site = site("amazonaws.com", "example", "us-east-1");
    for (name, method, key, query, extra, signature) in cases {
        let path = site.address.path(Some(key));
        let mut headers = vec![
            ("host", site.address.authority.as_str()),
            ("x-amz-date", "20150830T123600Z"),
        ];
        headers.extend_from_slice(extra);
        headers.sort_unstable();
        let request = Unsigned {
            method,
            site: &site,
            path: &path,
            query,
            headers: &[],
        };
        let mut encoded = String::new();
        push_query(&mut encoded, query);
        let scope = Scope {
            service: "service",
            ..Scope::s3("20150830T123600Z", &site)
        };
        let found = signer.signature(
            &request,
            &encoded,
            &headers,
            EMPTY_PAYLOAD,
            scope,
            UNIX_EPOCH + SUITE,
        );
        assert_eq!(found, signature, "{name}");
    }
}

#[test]
fn the_kept_key_follows_day_and_region() {
    let signer = example_signer();
    for (region, time) in [("a", EXAMPLE), ("b", EXAMPLE), ("b", SUITE), ("a", EXAMPLE)] {
        let site = site("h", "photos", region);
        let path = site.address.path(Some("k"));
        let request = Unsigned {
            method: "GET",
            site: &site,
            path: &path,
            query: &[],
            headers: &[],
        };
        let life = Duration::from_secs(1);
        let now = UNIX_EPOCH + time;
        assert_eq!(
            signer.url(&request, life, now),
            example_signer().url(&request, life, now)
        );
    }
}

/// What `aws-sigv4` by itself makes of the same request: the added headers or the query, sorted.
fn reference(
    request: &Unsigned<'_>,
    credentials: &Credentials,
    payload: SignableBody<'_>,
    life: Option<Duration>,
    now: SystemTime,
) -> Vec<(String, String)> {
    let identity = AwsCredentials::new(
        &credentials.access_key_id,
        &credentials.secret_access_key,
        credentials.session_token.clone(),
        None,
        "test",
    )
    .into();
    let mut settings = SigningSettings::default();
    settings.percent_encoding_mode = PercentEncodingMode::Single;
    settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
    settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    if life.is_some() {
        settings.signature_location = SignatureLocation::QueryParams;
        settings.payload_checksum_kind = PayloadChecksumKind::NoHeader;
        settings.expires_in = life;
    }
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(&request.site.region)
        .name("s3")
        .time(now)
        .settings(settings)
        .build()
        .unwrap()
        .into();
    let mut query = String::new();
    push_query(&mut query, request.query);
    let address = &request.site.address;
    let url = format!(
        "{}{}{}?{query}",
        address.scheme(),
        address.authority,
        request.path
    );
    let signable = SignableRequest::new(
        request.method,
        url,
        request.headers.iter().copied(),
        payload,
    )
    .unwrap();
    let (instructions, _) = sign(signable, &params).unwrap().into_parts();
    let mut added: Vec<_> = match life {
        Some(_) => instructions
            .params()
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.to_string()))
            .collect(),
        None => instructions
            .headers()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
    };
    added.sort();
    added
}

proptest! {
    #[test]
    fn aws_sigv4_signs_the_same(
        key in "[a-z/ +%?#&=ü☃.~!*'()\\x01]{1,20}",
        value in "[a-zA-Z0-9/ +%&=ü]{0,20}",
        token in proptest::option::of("[a-zA-Z0-9/+=]{1,40}"),
        header in "[a-z0-9;=]{1,3}( [a-z]{1,3}){0,2}",
        seconds in 0_u64..4_000_000_000,
        life in 1_u64..604_800,
    ) {
        let signer = signer("AKIA/EXAMPLE", "secret+/", token.as_deref());
        let site = site("s3.example.com:9000", "photos", "eu-west-1");
        let path = site.address.path(Some(&key));
        let query = [("response-content-disposition", value.as_str()), ("partNumber", "7")];
        let headers = [("content-type", header.as_str())];
        let request = Unsigned {
            method: "PUT",
            site: &site,
            path: &path,
            query: &query,
            headers: &headers,
        };
        let now = UNIX_EPOCH + Duration::from_secs(seconds);

        let mut ours: Vec<_> = signer
            .headers(&request, UNSIGNED_PAYLOAD, now)
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        ours.sort();
        prop_assert_eq!(
            ours,
            reference(&request, &signer.credentials, SignableBody::UnsignedPayload, None, now)
        );

        let life = Duration::from_secs(life);
        let url = signer.url(&request, life, now);
        let mut ours: Vec<_> = url
            .split_once('?')
            .unwrap()
            .1
            .split('&')
            .map(|pair| pair.split_once('=').unwrap())
            .filter(|(name, _)| name.starts_with("X-Amz"))
            .map(|(name, value)| {
                let value = percent_encoding::percent_decode_str(value).decode_utf8().unwrap();
                (name.to_owned(), value.into_owned())
            })
            .collect();
        ours.sort();
        prop_assert_eq!(
            ours,
            reference(&request, &signer.credentials, SignableBody::UnsignedPayload, Some(life), now)
        );
    }
}
