//! `[[user]]`: who may log in.

use std::collections::BTreeSet;

use orlop::{
    Access, Grant, Location, Rights,
    serve::{PasswordHash, User, Users},
};

use super::{Error, section::Section};

/// Reads all users.
pub(super) fn read(sections: Vec<Section<'_>>) -> Result<Users, Error> {
    let mut names = BTreeSet::new();
    let mut users = Vec::new();
    for section in sections {
        users.push(user(section, &mut names)?);
    }
    Ok(users.into_iter().collect())
}

fn user(mut section: Section<'_>, names: &mut BTreeSet<String>) -> Result<User, Error> {
    let name = section.text("name")?;
    let name = section.required("name", name)?;
    let password: Option<PasswordHash> = section.parsed("password")?;
    let password = section.required("password", password)?;
    let grants = section.sections("allow")?;
    let grants = grants
        .into_iter()
        .map(grant)
        .collect::<Result<Vec<_>, _>>()?;
    if !names.insert(name.clone()) {
        return Err(section.error_at("name", format!("there are two users called `{name}`")));
    }
    let user = User::new(name, password, Access::of(grants))
        .map_err(|error| section.error_at("name", error.to_string()))?;
    section.finish()?;
    Ok(user)
}

fn grant(mut section: Section<'_>) -> Result<Grant, Error> {
    let path = section.text("path")?;
    let path = section.required("path", path)?;
    let path = path.parse::<Location>().map_err(|_| {
        section.error_at(
            "path",
            "not a clean path: write it as in /a/b, without empty, `.` or `..` segments",
        )
    })?;
    let rights: Option<Rights> = section.parsed("rights")?;
    let rights = section.required("rights", rights)?;
    section.finish()?;
    Ok(Grant {
        path: path.path,
        rights,
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path as File;

    use orlop::Path;

    use super::*;
    use crate::config::Config;

    const HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQxMjM0NTY$WVvCMsqu3Q1LyHmP2FlSTsf1PKUoS6qDwQdDRwzzHIA";

    fn parse(text: &str) -> Result<Users, String> {
        let text = text.replace("HASH", HASH);
        let config = Config::parse(File::new("f"), text);
        config
            .map(|config| config.users)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn users_and_their_rights() {
        let users = parse(
            r#"
[[user]]
name = "ann"
password = "HASH"
allow = [
    { path = "/", rights = "read" },
    { path = "/a/b/", rights = "write" },
    { path = "/a/b/c", rights = "none" },
]

[[user]]
name = "nobody"
password = "HASH"
"#,
        )
        .unwrap();
        let rights = |name: &str, path: &str| {
            let user = users.named(name).unwrap();
            user.access().rights(&Path::parse(path).unwrap())
        };
        assert_eq!(rights("ann", "x"), Rights::Read);
        assert_eq!(rights("ann", "a/b/x"), Rights::Write);
        assert_eq!(rights("ann", "a/b/c"), Rights::Nothing);
        assert_eq!(rights("nobody", ""), Rights::Nothing);
        assert!(users.named("bob").is_none());
    }

    #[test]
    fn what_is_wrong_is_named() {
        let ann = "[[user]]\nname = 'ann'\npassword = 'HASH'\n";
        for (text, expected) in [
            (
                "[[user]]\npassword = 'HASH'".to_owned(),
                "f:1: user.name: is missing",
            ),
            (
                "[[user]]\nname = 'ann'".to_owned(),
                "f:1: user.password: is missing",
            ),
            (
                "[[user]]\nname = 'ann'\npassword = 'hush'".to_owned(),
                "f:3: user.password: is no Argon2id hash (`$argon2id$…`): run `orlop hash-password`, and write what it prints",
            ),
            (
                format!("{ann}{ann}"),
                "f:5: user.name: there are two users called `ann`",
            ),
            (
                "[[user]]\nname = 'a:b'\npassword = 'HASH'".to_owned(),
                "f:2: user.name: a user's name has 1 to 128 bytes, and no colon and no control character",
            ),
            (
                format!("{ann}alow = []"),
                "f:4: user.alow: unknown key; did you mean `allow`?",
            ),
            (
                format!("{ann}allow = 'all'"),
                "f:4: user.allow: must be a list of sections: write `[[user.allow]]`",
            ),
            (
                format!("{ann}allow = [{{ path = '/a' }}]"),
                "f:4: user.allow.rights: is missing",
            ),
            (
                format!("{ann}allow = [{{ path = '/a/../b', rights = 'read' }}]"),
                "f:4: user.allow.path: not a clean path: write it as in /a/b, without empty, `.` or `..` segments",
            ),
            (
                format!("{ann}allow = [{{ path = '/a', rights = 'all' }}]"),
                "f:4: user.allow.rights: must be \"read\", \"write\" or \"none\"",
            ),
            (
                format!("{ann}allow = [{{ path = '/a', right = 'read' }}]"),
                "f:4: user.allow.rights: is missing",
            ),
        ] {
            assert_eq!(parse(&text).unwrap_err(), expected, "{text}");
        }
    }
}
