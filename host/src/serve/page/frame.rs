//! What all pages have around their content.

use crate::{
    Path, Rights,
    serve::{
        assets::{ICON, STYLE},
        caller::Means,
        door::Door,
        href, login,
        site::Visit,
    },
};

/// The tree that pages show: all of it, or what is shared of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ground {
    /// The address of its top, without the slash at its end.
    pub(crate) address: String,
    /// Its top in the namespace.
    pub(crate) root: Path,
    /// Whether it is what a user shares.
    pub(crate) is_share: bool,
}

impl Ground {
    /// The address of its top.
    fn home(&self) -> String {
        format!("{}/", self.address)
    }

    /// What its top is called.
    fn name(&self) -> String {
        if self.is_share {
            visible(self.root.name())
        } else {
            "All files".to_owned()
        }
    }

    /// The address of the page of a folder.
    fn folder(&self, path: &Path) -> String {
        if !self.is_share {
            return href::absolute(Door::Page, path, true);
        }
        let below = path.relative_to(&self.root).unwrap_or_default();
        format!("{}{}", self.address, href::plain(&below, true))
    }

    /// Where a file is downloaded from.
    pub(crate) fn download(&self, path: &Path) -> String {
        if !self.is_share {
            return href::absolute(Door::Download, path, false);
        }
        let below = path.relative_to(&self.root).unwrap_or_default();
        format!("{}{}", self.address, href::plain(&below, false))
    }

    /// The path as those see it who see no more than this.
    pub(crate) fn shown(&self, path: &Path) -> Path {
        path.relative_to(&self.root).unwrap_or_default()
    }
}

/// Head and foot of a page.
#[derive(Debug)]
pub(crate) struct Frame<'a> {
    pub(crate) site: &'a str,
    pub(crate) version: &'a str,
    pub(crate) title: String,
    pub(crate) style: String,
    pub(crate) icon: String,
    /// The address of the top of what is shown, and what that is called.
    pub(crate) home: String,
    pub(crate) home_name: String,
    /// Who is logged in; empty for nobody.
    pub(crate) user: String,
    /// Whether the session can be ended here.
    pub(crate) can_log_out: bool,
    /// Where to log in; empty if there is no need.
    pub(crate) login: String,
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
            home: site.ground.home(),
            home_name: site.ground.name(),
            user: site.caller.name.as_deref().map(visible).unwrap_or_default(),
            can_log_out: site.caller.means == Means::Session,
            login: login(site),
        }
    }
}

/// A caller who is nobody yet, and may not do all, can log in.
fn login(site: &Visit) -> String {
    let is_asked = site.caller.name.is_none()
        && !site.options.users.is_empty()
        && !site.ground.is_share
        && !site.caller.access.covers(&Path::ROOT, Rights::Write);
    if !is_asked {
        String::new()
    } else if site.uri.path().starts_with(login::PATH) {
        login::PATH.to_owned()
    } else {
        login::address(&site.uri)
    }
}

/// A folder on the way from the top to where we are.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Crumb {
    pub(crate) name: String,
    pub(crate) link: String,
}

/// The folders above a path, from the first below the top down.
pub(crate) fn crumbs(ground: &Ground, path: &Path) -> Vec<Crumb> {
    let mut crumbs = Vec::new();
    let mut above = path.parent();
    while let Some(folder) =
        above.filter(|folder| *folder != ground.root && folder.relative_to(&ground.root).is_some())
    {
        crumbs.push(Crumb {
            name: visible(folder.name()),
            link: ground.folder(&folder),
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
        let site = Ground::default();
        let found = crumbs(&site, &Path::parse("d/b c/file").unwrap());
        let crumb = |name: &str, link: &str| Crumb {
            name: name.to_owned(),
            link: link.to_owned(),
        };
        assert_eq!(found, [crumb("d", "/%64/"), crumb("b c", "/%64/b%20c/")]);
        assert_eq!(crumbs(&site, &Path::ROOT), []);
        let share = Ground {
            address: "/s/token".to_owned(),
            root: Path::parse("a/b").unwrap(),
            is_share: true,
        };
        let found = crumbs(&share, &Path::parse("a/b/c d/file").unwrap());
        assert_eq!(found, [crumb("c d", "/s/token/c%20d/")]);
        assert_eq!(crumbs(&share, &share.root), []);
        assert_eq!(crumbs(&share, &Path::parse("a").unwrap()), []);
    }
}
