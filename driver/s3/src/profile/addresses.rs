//! Endpoints as patterns: `s3.{region}.example.com`.

const PLACE: &str = "{region}";

/// The first address that fits a region. Regions of China have addresses of their own at some services.
pub(super) fn fill(patterns: &[&str], region: &str) -> Option<String> {
    let is_chinese = region.starts_with("cn-");
    let pattern = patterns
        .iter()
        .find(|pattern| pattern.ends_with(".cn") == is_chinese)
        .or_else(|| patterns.first())?;
    (!region.is_empty() || !pattern.contains(PLACE)).then(|| pattern.replace(PLACE, region))
}

/// The region that a host names, which may have a bucket before it. The pattern that says the most decides.
pub(super) fn region<'h>(patterns: &[&str], host: &'h str) -> Option<&'h str> {
    patterns
        .iter()
        .filter_map(|pattern| Some((pattern.len(), find(pattern, host)?)))
        .max_by_key(|(length, _)| *length)
        .and_then(|(_, region)| region)
}

/// Whether a host is of a pattern, and the region that it names if the pattern has a place for one.
fn find<'h>(pattern: &str, host: &'h str) -> Option<Option<&'h str>> {
    let Some((before, after)) = pattern.split_once(PLACE) else {
        return below(host, pattern).then_some(None);
    };
    let rest = host.strip_suffix(after)?;
    let start = rest.rfind(before)?;
    let (bucket, tail) = rest.split_at_checked(start)?;
    let region = tail.strip_prefix(before)?;
    let is_region = !region.is_empty()
        && region
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    (is_region && (bucket.is_empty() || bucket.ends_with('.'))).then_some(Some(region))
}

fn below(host: &str, name: &str) -> bool {
    host.strip_suffix(name)
        .is_some_and(|bucket| bucket.is_empty() || bucket.ends_with('.'))
}
