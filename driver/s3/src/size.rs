//! Numbers of bytes as people write them.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de};

/// A number of bytes: an integer, or a text such as `8MiB` or `5 GB`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct ByteSize(pub(crate) u64);

const UNITS: [(&str, u64); 9] = [
    ("", 1),
    ("B", 1),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
];

impl ByteSize {
    fn parse(text: &str) -> Option<Self> {
        let digits = text.trim_start_matches(|character: char| character.is_ascii_digit());
        let number: u64 = text.strip_suffix(digits)?.parse().ok()?;
        let unit = digits.trim();
        let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit)?;
        number.checked_mul(*factor).map(Self)
    }
}

impl<'de> Deserialize<'de> for ByteSize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written<'a> {
            Number(u64),
            #[serde(borrow)]
            Text(Cow<'a, str>),
        }
        match Written::deserialize(deserializer) {
            Ok(Written::Number(number)) => Ok(Self(number)),
            Ok(Written::Text(text)) => Self::parse(&text).ok_or_else(|| {
                de::Error::custom("not a size: write a number of bytes, or one such as `8MiB`")
            }),
            Err(_) => Err(de::Error::custom(
                "not a size: write a number of bytes, or one such as `8MiB`",
            )),
        }
    }
}

impl JsonSchema for ByteSize {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "ByteSize".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["integer", "string"],
            "minimum": 0,
            "pattern": "^[0-9]+ ?(B|KiB|MiB|GiB|TiB|KB|MB|GB)?$",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_numbers_or_numbers_with_a_unit() {
        let cases = [
            ("8388608", Some(8 << 20)),
            ("\"8MiB\"", Some(8 << 20)),
            ("\"8 MiB\"", Some(8 << 20)),
            ("\"5GB\"", Some(5_000_000_000)),
            ("\"17\"", Some(17)),
            ("\"MiB\"", None),
            ("\"8 miles\"", None),
            ("\"99999999999TiB\"", None),
            ("-1", None),
            ("1.5", None),
            ("true", None),
        ];
        for (json, bytes) in cases {
            let parsed = serde_json::from_str::<ByteSize>(json).ok();
            assert_eq!(parsed.map(|size| size.0), bytes, "{json}");
        }
    }
}
