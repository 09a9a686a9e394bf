//! What all pages have around their content.

use crate::{
    Path,
    serve::{
        assets::{ICON, STYLE},
        door::Door,
        href,
        site::Visit,
    },
};

/// Head and foot of a page.
#[derive(Debug)]
pub(crate) struct Frame<'a> {
    pub(crate) site: &'a str,
    pub(crate) version: &'a str,
    pub(crate) title: String,
    pub(crate) style: String,
    pub(crate) icon: String,
}

impl<'a> Frame<'a> {
    /// The frame of a page with this title.
    pub(crate) fn new(site: &'a Visit, title: &str) -> Self {
        let name = site.options.name.as_str();
        Self {
            site: name,
            version: &site.options.version,
            title: if title.is_empty() {
                name.to_owned()
            } else {
                format!("{title} · {name}")
            },
            style: STYLE.address(),
            icon: ICON.address(),
        }
    }
}

/// A folder on the way from the top to where we are.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Crumb {
    pub(crate) name: String,
    pub(crate) link: String,
}

/// The folders above a path, from the first below the top down.
pub(crate) fn crumbs(path: &Path) -> Vec<Crumb> {
    let mut crumbs = Vec::new();
    let mut above = path.parent();
    while let Some(folder) = above.filter(|folder| !folder.is_root()) {
        crumbs.push(Crumb {
            name: visible(folder.name()),
            link: href::absolute(Door::Page, &folder, true),
        });
        above = folder.parent();
    }
    crumbs.reverse();
    crumbs
}

/// A name with its control characters made visible, since a key may hold any.
pub(crate) fn visible(name: &str) -> String {
    name.chars()
        .map(|letter| match letter {
            // Unicode draws the control characters in a block of their own.
            '\0'..='\x1f' => char::from_u32(0x2400 + u32::from(letter)).unwrap_or(letter),
            '\x7f' => '\u{2421}',
            // These would change the order in which the rest of the name is read.
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
            letter => letter,
        })
        .collect()
}

/// A number of bytes for people, in powers of 1,000 as disks and browsers count.
pub(crate) fn human_size(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["kB", "MB", "GB", "TB", "PB", "EB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    // Rounded before the unit is chosen, so that 999,500 is 1.0 MB, not 1000 kB.
    let mut divisor: u64 = 1000;
    for (index, unit) in UNITS.iter().enumerate() {
        let rounded = |scale: u128| {
            (u128::from(bytes) * scale + u128::from(divisor) / 2) / u128::from(divisor)
        };
        let (tenths, whole) = (rounded(10), rounded(1));
        if tenths < 100 {
            return format!("{}.{} {unit}", tenths / 10, tenths % 10);
        }
        if whole < 1000 || index + 1 == UNITS.len() {
            return format!("{whole} {unit}");
        }
        divisor = divisor.saturating_mul(1000);
    }
    format!("{bytes} B")
}

/// A number with a comma between thousands.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3 + 1);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        for (bytes, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.0 kB"),
            (1049, "1.0 kB"),
            (1050, "1.1 kB"),
            (9_949, "9.9 kB"),
            (9_950, "10 kB"),
            (52_428_800, "52 MB"),
            (999_499, "999 kB"),
            (999_500, "1.0 MB"),
            (1_500_000_000, "1.5 GB"),
            (u64::MAX, "18 EB"),
        ] {
            assert_eq!(human_size(bytes), text, "{bytes}");
        }
        for (number, text) in [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(grouped(number), text);
        }
    }

    #[test]
    fn names_cannot_play_tricks() {
        assert_eq!(visible("a\nb\x7f"), "a\u{240a}b\u{2421}");
        assert_eq!(visible("photo\u{202e}gpj.exe"), "photo\u{fffd}gpj.exe");
        assert_eq!(visible("日本 ü"), "日本 ü");
    }

    #[test]
    fn crumbs_lead_down() {
        let found = crumbs(&Path::parse("d/b c/file").unwrap());
        let crumb = |name: &str, link: &str| Crumb {
            name: name.to_owned(),
            link: link.to_owned(),
        };
        assert_eq!(found, [crumb("d", "/%64/"), crumb("b c", "/%64/b%20c/")]);
        assert_eq!(crumbs(&Path::ROOT), []);
    }
}
