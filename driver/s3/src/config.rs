//! The configuration as an operator writes it. Its comments are the descriptions in the JSON Schema.

mod provider;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    profile::{Addressing, ChecksumHeaders, KeyRule, PayloadHash, SessionToken},
    size::ByteSize,
};

/// A bucket of Amazon S3 or of a service that speaks like it.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// The kind of service: sets the options that are not given to what suits it. Without it, the
    /// endpoint's host tells.
    #[schemars(schema_with = "provider::schema")]
    #[serde(default)]
    pub(crate) provider: Option<String>,

    /// The name of the bucket.
    #[schemars(title = "Bucket", length(min = 1))]
    pub(crate) bucket: String,

    /// The address of the service, such as `s3.eu-west-1.amazonaws.com` or `http://127.0.0.1:9000`.
    /// https unless it begins with `http://`. The bucket's name may be in it, in the host or at the
    /// end of the path. Not needed where provider and region tell.
    #[schemars(title = "Endpoint", extend("format" = "orlop-endpoint"))]
    #[serde(default)]
    pub(crate) endpoint: String,

    /// The region to sign for. Empty: the endpoint's host tells, or the provider's usual one is taken.
    #[schemars(title = "Region")]
    #[serde(default)]
    pub(crate) region: String,

    /// The access key's id. Empty, with an empty secret: a public bucket, asked without a signature.
    #[schemars(title = "Access key ID")]
    #[serde(default)]
    pub(crate) access_key_id: String,

    /// The secret that belongs to the access key.
    #[schemars(title = "Secret access key", extend("writeOnly" = true))]
    #[serde(default)]
    pub(crate) secret_access_key: String,

    /// The third part of temporary credentials.
    #[schemars(title = "Session token", extend("writeOnly" = true))]
    #[serde(default)]
    pub(crate) session_token: String,

    /// When the temporary credentials end, such as `2026-11-24T18:00:00Z`. Links do not outlive it.
    #[schemars(title = "Session token expires")]
    #[serde(default)]
    pub(crate) session_token_expires: String,

    /// A host of your own, such as a CDN, that download links point to. It may have a scheme and a path.
    #[schemars(title = "Custom host", extend("format" = "orlop-endpoint"))]
    #[serde(default)]
    pub(crate) custom_host: String,

    /// Sign the links to the custom host. Without it they are plain URLs, for a host that serves the
    /// bucket to anyone or signs by itself.
    #[schemars(title = "Sign links to the custom host")]
    #[serde(default)]
    pub(crate) enable_custom_host_presign: bool,

    /// Leave the bucket's name out of the path of links to the custom host, for a host that stands for
    /// the bucket already.
    #[schemars(title = "Remove bucket from custom host links")]
    #[serde(default)]
    pub(crate) remove_bucket: bool,

    /// How long download links are good, in hours; at most a week.
    #[schemars(title = "Link expiry (hours)", extend("exclusiveMinimum" = 0, "maximum" = 168))]
    #[serde(default = "default_sign_url_expire")]
    pub(crate) sign_url_expire: f64,

    /// The name of the empty file that keeps an otherwise empty folder. Empty: an object named like the
    /// folder with a `/` behind keeps it.
    #[schemars(title = "Placeholder", regex(pattern = "^[^/]*$"))]
    #[serde(default)]
    pub(crate) placeholder: String,

    /// Put the bucket's name into the path (true) or the host (false). Not given: as suits the provider.
    #[schemars(title = "Force path style", with = "bool")]
    #[serde(default)]
    pub(crate) force_path_style: Option<bool>,

    /// Where the bucket's name goes: into the path, into the host, or nowhere, for an endpoint that is a
    /// domain of your own and stands for the bucket. Says all that `force_path_style` says, and more.
    #[schemars(title = "Addressing", with = "Addressing")]
    #[serde(default)]
    pub(crate) addressing: Option<Addressing>,

    /// The list call to use. Not given: as suits the provider.
    #[schemars(title = "List version", with = "ListVersion")]
    #[serde(default)]
    pub(crate) list_object_version: Option<ListVersion>,

    /// Give links the file's name in the old form too, for clients that do not know `filename*`.
    #[schemars(title = "Add file name to disposition")]
    #[serde(default)]
    pub(crate) add_filename_to_disposition: bool,

    /// The size of the parts of a large upload: from `part_min` to 5 GiB. Larger files get larger parts
    /// if there would be too many. Each part in flight is held by the host.
    #[schemars(title = "Part size")]
    #[serde(default = "default_part_size")]
    pub(crate) part_size: ByteSize,

    /// Files of this size and more are uploaded in parts; at most 5 GiB.
    #[schemars(title = "Multipart threshold")]
    #[serde(default = "default_part_size")]
    pub(crate) multipart_threshold: ByteSize,

    /// Parts of one upload in flight at once.
    #[schemars(title = "Upload concurrency", range(min = 1, max = 64))]
    #[serde(default = "default_upload_concurrency")]
    pub(crate) upload_concurrency: u32,

    /// The size of the parts in which the service copies a large file: from `part_min` to 5 GiB.
    #[schemars(title = "Copy part size")]
    #[serde(default = "default_copy_part_size")]
    pub(crate) copy_part_size: ByteSize,

    /// Copies in flight at once, of files in a folder or of parts of a large file.
    #[schemars(title = "Copy concurrency", range(min = 1, max = 64))]
    #[serde(default = "default_copy_concurrency")]
    pub(crate) copy_concurrency: u32,

    /// The storage class of new objects, such as `STANDARD_IA`. Empty: the bucket's own.
    #[schemars(title = "Storage class", regex(pattern = "^[!-~]*$"))]
    #[serde(default)]
    pub(crate) storage_class: String,

    /// How the service encrypts new objects. Not given: as the bucket does.
    #[schemars(title = "Server-side encryption", with = "Encryption")]
    #[serde(default)]
    pub(crate) server_side_encryption: Option<Encryption>,

    /// The key for `aws:kms`. Empty: the account's own.
    #[schemars(title = "KMS key", regex(pattern = "^[!-~]*$"))]
    #[serde(default)]
    pub(crate) sse_kms_key_id: String,

    /// Abort uploads in parts that nobody finished for this many hours. 0 leaves them alone.
    #[schemars(title = "Abandoned uploads after (hours)", range(min = 0, max = 8760))]
    #[serde(default)]
    pub(crate) abandoned_uploads_after: u32,

    /// Keys in one DeleteObjects; 0 deletes one by one. Not given: as suits the provider.
    #[schemars(title = "Delete batch", range(min = 0, max = 1000), with = "u32")]
    #[serde(default)]
    pub(crate) delete_batch_max: Option<u32>,

    /// The largest object that the service copies in one call. Not given: as suits the provider.
    #[schemars(title = "Largest copy in one call", with = "ByteSize")]
    #[serde(default)]
    pub(crate) copy_max: Option<ByteSize>,

    /// Whether the service copies large objects in parts (UploadPartCopy). Not given: as suits the provider.
    #[schemars(title = "Copies in parts", with = "bool")]
    #[serde(default)]
    pub(crate) upload_part_copy: Option<bool>,

    /// The smallest part that the service takes. Not given: as suits the provider.
    #[schemars(title = "Smallest part", with = "ByteSize")]
    #[serde(default)]
    pub(crate) part_min: Option<ByteSize>,

    /// The most parts of one upload. Not given: as suits the provider.
    #[schemars(title = "Most parts", range(min = 1, max = 10_000), with = "u32")]
    #[serde(default)]
    pub(crate) parts_max: Option<u32>,

    /// Whether all parts must have one size. Not given: as suits the provider.
    #[schemars(title = "Equal parts", with = "bool")]
    #[serde(default)]
    pub(crate) equal_parts: Option<bool>,

    /// Ask for listings with encoded keys (`encoding-type=url`). Not given: as suits the provider.
    #[schemars(title = "Encoded listings", with = "bool")]
    #[serde(default)]
    pub(crate) list_url_encode: Option<bool>,

    /// Whether listings begin with the key that they were to begin behind. Not given: as suits the provider.
    #[schemars(title = "Inclusive listings", with = "bool")]
    #[serde(default)]
    pub(crate) list_start_inclusive: Option<bool>,

    /// How uploads are hashed. Not given: as suits the provider.
    #[schemars(title = "Payload hash", with = "PayloadHash")]
    #[serde(default)]
    pub(crate) payload_hash: Option<PayloadHash>,

    /// Checksums beside `Content-MD5`. Not given: as suits the provider.
    #[schemars(title = "Checksums", with = "ChecksumHeaders")]
    #[serde(default)]
    pub(crate) checksum_headers: Option<ChecksumHeaders>,

    /// Whether uploads carry `Content-MD5`. Not given: as suits the provider.
    #[schemars(title = "Content-MD5", with = "bool")]
    #[serde(default)]
    pub(crate) content_md5: Option<bool>,

    /// Whether an object's ETag is its MD5. Then it shows what arrived, where no digest goes along with an upload.
    /// Not given: as suits the provider.
    #[schemars(title = "ETag is MD5", with = "bool")]
    #[serde(default)]
    pub(crate) etag_is_md5: Option<bool>,

    /// Whether the ETag of an object that was uploaded in parts is made of the MD5s of the parts, as Amazon
    /// makes it. Not given: as suits the provider.
    #[schemars(title = "Standard multipart ETag", with = "bool")]
    #[serde(default)]
    pub(crate) multipart_etag_standard: Option<bool>,

    /// Whether the service honours `If-None-Match` and `If-Match` on uploads. Not given: as suits the provider.
    #[schemars(title = "Conditional uploads", with = "bool")]
    #[serde(default)]
    pub(crate) conditional_put: Option<bool>,

    /// The longest life that the service gives links, in hours. Not given: as suits the provider.
    #[schemars(title = "Longest link (hours)", extend("exclusiveMinimum" = 0, "maximum" = 168), with = "f64")]
    #[serde(default)]
    pub(crate) presign_max: Option<f64>,

    /// Whether signed links work on a custom host. Not given: as suits the provider.
    #[schemars(title = "Signed links on a custom host", with = "bool")]
    #[serde(default)]
    pub(crate) presign_custom_domain: Option<bool>,

    /// Refuse to speak http with the service's own hosts. Not given: as suits the provider.
    #[schemars(title = "https only", with = "bool")]
    #[serde(default)]
    pub(crate) https_only: Option<bool>,

    /// Whether browsers save what they get from the service's own domain. Only `check` speaks of it. Not given: as
    /// suits the provider.
    #[schemars(title = "Forced download", with = "bool")]
    #[serde(default)]
    pub(crate) forced_download: Option<bool>,

    /// Whether the service knows temporary credentials. Not given: as suits the provider.
    #[schemars(title = "Temporary credentials", with = "SessionToken")]
    #[serde(default)]
    pub(crate) session_tokens: Option<SessionToken>,

    /// Names that the service does not take, and that are refused here before it is asked; `[]` for none. Not
    /// given: as suits the provider.
    #[schemars(title = "Names not taken", with = "Vec<KeyRule>")]
    #[serde(default)]
    pub(crate) key_rules: Option<Vec<KeyRule>>,

    /// Put a bucket with dots in its name into the path on https. Not given: as suits the provider.
    #[schemars(title = "Dotted bucket in path", with = "bool")]
    #[serde(default)]
    pub(crate) dotted_bucket_in_path: Option<bool>,
}

/// How a service encrypts what it keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
pub(crate) enum Encryption {
    /// With a key of the service's own.
    #[serde(rename = "AES256")]
    Aes256,
    /// With a key of the account's.
    #[serde(rename = "aws:kms")]
    Kms,
}

impl Encryption {
    /// As `x-amz-server-side-encryption` spells it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Aes256 => "AES256",
            Self::Kms => "aws:kms",
        }
    }
}

/// A list call of S3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ListVersion {
    /// ListObjects.
    V1,
    /// ListObjectsV2.
    V2,
}

impl Config {
    /// The JSON Schema (2020-12) of the configuration. It is what `schemars` makes of the types above, which a
    /// test checks; kept as text it costs the component a tenth of its size less.
    pub(crate) const SCHEMA: &str = include_str!("config/schema.json");
}

const fn default_sign_url_expire() -> f64 {
    4.0
}

const fn default_part_size() -> ByteSize {
    ByteSize(16 << 20)
}

const fn default_upload_concurrency() -> u32 {
    4
}

const fn default_copy_part_size() -> ByteSize {
    ByteSize(128 << 20)
}

const fn default_copy_concurrency() -> u32 {
    32
}

#[cfg(test)]
mod tests {
    use schemars::generate::SchemaSettings;
    use serde_json::{Value, json};

    use super::*;

    /// With every type written out in its place.
    fn generate() -> String {
        let generator = SchemaSettings::draft2020_12()
            .with(|settings| settings.inline_subschemas = true)
            .into_generator();
        let schema = generator.into_root_schema_for::<Config>();
        serde_json::to_string_pretty(&schema).unwrap() + "\n"
    }

    #[test]
    fn the_schema_is_that_of_the_types() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/config/schema.json");
        if std::env::var_os("UPDATE_SCHEMA").is_some() {
            std::fs::write(path, generate()).unwrap();
        }
        let kept: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let made: Value = serde_json::from_str(&generate()).unwrap();
        assert_eq!(
            kept, made,
            "run this test with UPDATE_SCHEMA=1 and build again"
        );
    }

    #[test]
    fn the_schema_says_what_a_host_must_know() {
        let schema: Value = serde_json::from_str(Config::SCHEMA).unwrap();
        assert_eq!(
            schema["$schema"],
            "https://json-schema.org/draft/2020-12/schema"
        );
        assert_eq!(schema["additionalProperties"], false);
        assert_eq!(schema["required"], json!(["bucket"]));
        assert!(schema.get("$defs").is_none());
        let properties = schema["properties"].as_object().unwrap();
        for (name, property) in properties {
            assert!(
                property["description"].is_string(),
                "{name} has no description"
            );
            assert!(property["title"].is_string(), "{name} has no title");
            let secret = ["secret_access_key", "session_token"].contains(&name.as_str());
            assert_eq!(property["writeOnly"] == true, secret, "{name}");
            let endpoint = ["endpoint", "custom_host"].contains(&name.as_str());
            assert_eq!(property["format"] == "orlop-endpoint", endpoint, "{name}");
        }
        assert_eq!(properties["sign_url_expire"]["default"], 4.0);
        assert_eq!(properties["sign_url_expire"]["maximum"], 168);
        assert_eq!(properties["part_size"]["default"], 16 << 20);
        let providers = properties["provider"]["oneOf"].as_array().unwrap();
        assert_eq!(providers.len(), 17);
        assert_eq!(
            properties["provider"]["x-orlop-endpoints"]["b2"],
            json!(["s3.{region}.backblazeb2.com"])
        );
        assert_eq!(properties["force_path_style"]["type"], "boolean");
        assert_eq!(properties["upload_concurrency"]["minimum"], 1);
        for version in ["v1", "v2"] {
            assert!(
                properties["list_object_version"]
                    .to_string()
                    .contains(version)
            );
        }
    }

    #[test]
    fn unknown_fields_are_refused() {
        let error = serde_json::from_str::<Config>(r#"{"bucket":"b","buket":"c"}"#)
            .err()
            .unwrap();
        assert!(error.to_string().contains("buket"));
    }
}
