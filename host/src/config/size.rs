//! Numbers of bytes as people write them.

/// What is right where a size is wanted.
pub(super) const EXPECTED: &str =
    "must be a number of bytes or a size such as \"64MiB\" (units: B, kB, MB, GB, KiB, MiB, GiB)";

const UNITS: [(&str, u64); 8] = [
    ("", 1),
    ("b", 1),
    ("kb", 1_000),
    ("mb", 1_000_000),
    ("gb", 1_000_000_000),
    ("kib", 1 << 10),
    ("mib", 1 << 20),
    ("gib", 1 << 30),
];

/// Reads `64MiB`, `1.5 GB`, `512`.
pub(super) fn parse(text: &str) -> Option<u64> {
    let text = text.trim();
    let end = text
        .find(|letter: char| !letter.is_ascii_digit() && letter != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(end)?;
    let unit = unit.trim().to_ascii_lowercase();
    let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit)?;
    if let Ok(whole) = number.parse::<u64>() {
        return whole.checked_mul(*factor);
    }
    let bytes = number.parse::<f64>().ok()? * (*factor as f64);
    // Beyond 2^53 a float no longer counts bytes; nobody writes such a size with a fraction.
    (bytes.is_finite() && (0.0..9e15).contains(&bytes)).then_some(bytes as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        for (text, bytes) in [
            ("0", Some(0)),
            ("512", Some(512)),
            ("512 B", Some(512)),
            ("64MiB", Some(64 << 20)),
            ("64 mib", Some(64 << 20)),
            ("1.5 GB", Some(1_500_000_000)),
            ("2GiB", Some(2 << 30)),
            ("3kB", Some(3000)),
            ("", None),
            ("MiB", None),
            ("64M", None),
            ("-1", None),
            ("1.2.3 MB", None),
            ("99999999999GiB", None),
        ] {
            assert_eq!(parse(text), bytes, "{text:?}");
        }
    }
}
