//! What a component imports, in words.

/// Groups of imports: what each is for, and how its interfaces' names begin. WASI is linked with nothing
/// behind it, whatever a component imports; clocks, random numbers and the log are all that works.
const GROUPS: [(&str, &[&str]); 5] = [
    ("the contract", &["orlop:driver/"]),
    ("clocks", &["wasi:clocks/"]),
    ("random numbers", &["wasi:random/"]),
    (
        "standard streams, which go to the log",
        &[
            "wasi:cli/stdin",
            "wasi:cli/stdout",
            "wasi:cli/stderr",
            "wasi:cli/terminal",
            "wasi:io/",
        ],
    ),
    (
        "the start and end of a program, without arguments or variables",
        &["wasi:cli/environment", "wasi:cli/exit", "wasi:cli/types"],
    ),
];

/// Imports by what they are for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Grouped<'a> {
    /// The groups that have any, with what they are for.
    pub(super) known: Vec<(&'static str, Vec<&'a str>)>,
    /// All others.
    pub(super) other: Vec<&'a str>,
}

/// Sorts imports into groups.
pub(super) fn group(imports: &[String]) -> Grouped<'_> {
    let belongs =
        |import: &str, prefixes: &[&str]| prefixes.iter().any(|prefix| import.starts_with(prefix));
    let known = GROUPS
        .iter()
        .map(|(purpose, prefixes)| {
            let members = imports.iter().map(String::as_str);
            (
                *purpose,
                members.filter(|import| belongs(import, prefixes)).collect(),
            )
        })
        .filter(|(_, members): &(_, Vec<_>)| !members.is_empty())
        .collect();
    let other = imports
        .iter()
        .map(String::as_str)
        .filter(|import| !GROUPS.iter().any(|(_, prefixes)| belongs(import, prefixes)))
        .collect();
    Grouped { known, other }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockets_and_files_stand_out() {
        let imports = [
            "orlop:driver/http@0.1.0",
            "wasi:clocks/monotonic-clock@0.3.0",
            "wasi:sockets/tcp@0.2.0",
            "wasi:filesystem/types@0.2.0",
        ]
        .map(str::to_owned);
        let grouped = group(&imports);
        assert_eq!(
            grouped.known,
            [
                ("the contract", vec!["orlop:driver/http@0.1.0"]),
                ("clocks", vec!["wasi:clocks/monotonic-clock@0.3.0"]),
            ]
        );
        assert_eq!(
            grouped.other,
            ["wasi:sockets/tcp@0.2.0", "wasi:filesystem/types@0.2.0"]
        );
    }
}
