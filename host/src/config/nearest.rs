//! What somebody meant who wrote a name wrong.

/// Describes an unknown key: the nearest right one, or all of them if none is near.
pub(super) fn unknown_key<'a>(key: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    match nearest(key, &known) {
        Some(right) => format!("unknown key; did you mean `{right}`?"),
        None if known.is_empty() => "unknown key; there are none here".to_owned(),
        None => format!("unknown key; the keys here are `{}`", known.join("`, `")),
    }
}

fn nearest<'a>(key: &str, known: &[&'a str]) -> Option<&'a str> {
    let key = key.to_lowercase().replace('-', "_");
    known
        .iter()
        .map(|name| (strsim::damerau_levenshtein(&key, name), *name))
        .filter(|(distance, name)| *distance <= (name.len() / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name() {
        let known = [
            "bucket",
            "endpoint",
            "region",
            "access_key_id",
            "secret_access_key",
        ];
        for (key, right) in [
            ("buket", Some("bucket")),
            ("Bucket", Some("bucket")),
            ("access-key-id", Some("access_key_id")),
            ("acces_key", Some("access_key_id")),
            ("secret_acces_key", Some("secret_access_key")),
            ("host", None),
        ] {
            assert_eq!(nearest(key, &known), right, "{key}");
        }
    }
}
