//! The configuration as an operator writes it. Its comments are the descriptions in the JSON Schema.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::size::ByteSize;

/// A bucket of Amazon S3 or of a service that speaks like it.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// The kind of service: sets the options that are not given to what suits it. Without it, the
    /// endpoint's host tells.
    #[schemars(title = "Provider", with = "Provider")]
    #[serde(default)]
    pub(crate) provider: Option<Provider>,

    /// The name of the bucket.
    #[schemars(title = "Bucket", length(min = 1))]
    pub(crate) bucket: String,

    /// The address of the service, such as `s3.eu-west-1.amazonaws.com` or `http://127.0.0.1:9000`.
    /// https unless it begins with `http://`. The bucket's name may be in it, in the host or at the
    /// end of the path. Not needed where provider and region tell.
    #[schemars(title = "Endpoint", extend("format" = "orlop-endpoint"))]
    #[serde(default)]
    pub(crate) endpoint: String,

    /// The region to sign for. Empty: the endpoint's host tells, or us-east-1.
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

    /// The list call to use. Not given: as suits the provider.
    #[schemars(title = "List version", with = "ListVersion")]
    #[serde(default)]
    pub(crate) list_object_version: Option<ListVersion>,

    /// Give links the file's name in the old form too, for clients that do not know `filename*`.
    #[schemars(title = "Add file name to disposition")]
    #[serde(default)]
    pub(crate) add_filename_to_disposition: bool,

    /// The size of the parts of a large upload: from 100 KiB to 5 GiB. Larger files get larger parts
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

    /// The size of the parts in which the service copies a large file: from 100 KiB to 5 GiB.
    #[schemars(title = "Copy part size")]
    #[serde(default = "default_copy_part_size")]
    pub(crate) copy_part_size: ByteSize,

    /// Copies in flight at once, of files in a folder or of parts of a large file.
    #[schemars(title = "Copy concurrency", range(min = 1, max = 64))]
    #[serde(default = "default_copy_concurrency")]
    pub(crate) copy_concurrency: u32,
}

/// A kind of service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Provider {
    /// Anything that speaks S3.
    Generic,
    /// Amazon S3.
    Aws,
    /// MinIO and what behaves like it.
    Minio,
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

impl Provider {
    /// All of them, in the order in which a form should offer them.
    #[cfg(test)]
    pub(crate) const ALL: [Self; 3] = [Self::Generic, Self::Aws, Self::Minio];

    /// The name as the option spells it.
    pub(crate) const fn id(self) -> &'static str {
        match self {
            Self::Generic => "generic",
            Self::Aws => "aws",
            Self::Minio => "minio",
        }
    }
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
