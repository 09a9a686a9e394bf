//! Passwords, kept as Argon2id hashes.

use std::{fmt, str::FromStr, sync::Arc};

use argon2::{
    Argon2, Params,
    password_hash::{
        PasswordHasher as _, PasswordVerifier as _,
        phc::{self, Output},
    },
};

/// The most memory in KiB that a hash may ask for: whoever sends a password makes the server use it.
const MEMORY_LIMIT: u32 = 1024 * 1024;

/// The most rounds that a hash may ask for.
const ROUNDS_LIMIT: u32 = 64;

/// The longest password that is looked at, in bytes.
pub(crate) const LENGTH_LIMIT: usize = 1024;

/// The Argon2id hash of a password, in the form of a PHC string: `$argon2id$v=19$…`.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash {
    text: Arc<str>,
    parsed: phc::PasswordHash,
}

/// A text is no Argon2id hash of a password, or one that costs too much.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is no Argon2id hash (`$argon2id$…`): run `orlop hash-password`, and write what it prints")]
pub struct NotAHash;

/// Why a password cannot be hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PasswordError {
    /// It is empty.
    #[error("an empty password protects nothing")]
    Empty,
    /// It has more than 1,024 bytes.
    #[error("a password has at most {LENGTH_LIMIT} bytes")]
    TooLong,
    /// The system has no random bytes, or no memory.
    #[error("the system has no memory or no random bytes to hash a password with")]
    System,
}

impl PasswordHash {
    /// Hashes a password, with a salt of its own. Takes tens of milliseconds and 19 MiB.
    ///
    /// # Errors
    /// As [`PasswordError`] tells.
    pub fn of(password: &str) -> Result<Self, PasswordError> {
        if password.is_empty() {
            return Err(PasswordError::Empty);
        }
        if password.len() > LENGTH_LIMIT {
            return Err(PasswordError::TooLong);
        }
        let mut salt = [0; 16];
        getrandom::fill(&mut salt).map_err(|_| PasswordError::System)?;
        let parsed: phc::PasswordHash = Argon2::default()
            .hash_password_with_salt(password.as_bytes(), &salt)
            .map_err(|_| PasswordError::System)?;
        Ok(Self {
            text: parsed.to_string().into(),
            parsed,
        })
    }

    /// The PHC string.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether this is the password. Takes as long as the hash says, so it is no work for an async thread.
    pub(crate) fn matches(&self, password: &[u8]) -> bool {
        password.len() <= LENGTH_LIMIT
            && Argon2::default()
                .verify_password(password, &self.parsed)
                .is_ok()
    }

    /// A hash that takes as long to check as this one, and matches no password.
    pub(crate) fn decoy(&self) -> Self {
        let mut decoy = self.clone();
        let mut output = [0; 32];
        // Without random bytes, it would still take a preimage of zeros to match.
        if getrandom::fill(&mut output).is_err() {
            output = [0; 32];
        }
        decoy.parsed.hash = Output::new(&output).ok();
        decoy
    }
}

impl FromStr for PasswordHash {
    type Err = NotAHash;

    fn from_str(text: &str) -> Result<Self, NotAHash> {
        let parsed = phc::PasswordHash::new(text).map_err(|_| NotAHash)?;
        let params = Params::try_from(&parsed).map_err(|_| NotAHash)?;
        let is_whole = parsed.salt.is_some() && parsed.hash.is_some();
        let is_known = parsed.algorithm.as_str() == "argon2id" && parsed.version == Some(19);
        let is_bounded = params.m_cost() <= MEMORY_LIMIT && params.t_cost() <= ROUNDS_LIMIT;
        if !(is_whole && is_known && is_bounded) {
            return Err(NotAHash);
        }
        Ok(Self {
            text: text.into(),
            parsed,
        })
    }
}

// Hashes can be tried against lists of passwords, so they are no matter for logs.
impl fmt::Debug for PasswordHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PasswordHash")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_matches_its_password_alone() {
        let hash = PasswordHash::of("correct horse").unwrap();
        let read: PasswordHash = hash.as_str().parse().unwrap();
        assert_eq!(read, hash);
        assert!(read.matches(b"correct horse"));
        for wrong in [&b"correct horsf"[..], b"", b"correct horse ", &[b'x'; 2000]] {
            assert!(!read.matches(wrong));
        }
        assert!(!read.decoy().matches(b"correct horse"));
        assert_ne!(PasswordHash::of("correct horse").unwrap(), hash, "a salt");
        assert_eq!(format!("{hash:?}"), "PasswordHash");
    }

    #[test]
    fn passwords_that_cannot_be() {
        assert_eq!(PasswordHash::of(""), Err(PasswordError::Empty));
        let long = "x".repeat(LENGTH_LIMIT + 1);
        assert_eq!(PasswordHash::of(&long), Err(PasswordError::TooLong));
    }

    #[test]
    fn what_is_no_hash() {
        const SALT: &str = "c29tZXNhbHQxMjM0NTY";
        const HASH: &str = "WVvCMsqu3Q1LyHmP2FlSTsf1PKUoS6qDwQdDRwzzHIA";
        let good = format!("$argon2id$v=19$m=19456,t=2,p=1${SALT}${HASH}");
        assert!(good.parse::<PasswordHash>().is_ok());
        for text in [
            String::new(),
            "secret".to_owned(),
            "$2y$10$abcdefghijklmnopqrstuv".to_owned(),
            "$argon2id$".to_owned(),
            "$argon2id$v=19$m=19456,t=2,p=1".to_owned(),
            format!("$argon2id$v=19$m=19456,t=2,p=1${SALT}"),
            format!("$argon2i$v=19$m=19456,t=2,p=1${SALT}${HASH}"),
            format!("$argon2d$v=19$m=19456,t=2,p=1${SALT}${HASH}"),
            format!("$argon2id$v=16$m=19456,t=2,p=1${SALT}${HASH}"),
            format!("$argon2id$v=19$m=4294967295,t=2,p=1${SALT}${HASH}"),
            format!("$argon2id$v=19$m=19456,t=4294967295,p=1${SALT}${HASH}"),
            format!("$argon2id$v=19$m=x,t=2,p=1${SALT}${HASH}"),
            format!("{good} "),
            format!("{good}\n"),
        ] {
            assert_eq!(text.parse::<PasswordHash>(), Err(NotAHash), "{text}");
        }
    }
}
