//! Who may log in.

use std::{collections::BTreeMap, sync::Arc};

use super::PasswordHash;
use crate::Access;

/// Somebody who may log in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    name: Arc<str>,
    password: PasswordHash,
    access: Access,
}

/// A name that no user can have: it is empty or longer than 128 bytes, or has a colon or a control character.
///
/// HTTP's Basic scheme ends a name at the first colon (RFC 7617 §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a user's name has 1 to 128 bytes, and no colon and no control character")]
pub struct BadName;

impl User {
    /// A user of this name and password who may do this.
    ///
    /// # Errors
    /// [`BadName`] for a name that cannot be.
    pub fn new(
        name: impl Into<Arc<str>>,
        password: PasswordHash,
        access: Access,
    ) -> Result<Self, BadName> {
        let name = name.into();
        if !(1..=128).contains(&name.len()) || name.contains(|c: char| c == ':' || c.is_control()) {
            return Err(BadName);
        }
        Ok(Self {
            name,
            password,
            access,
        })
    }

    /// The name to log in with.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// The hash of the password.
    pub fn password(&self) -> &PasswordHash {
        &self.password
    }

    /// What the user may do.
    pub fn access(&self) -> &Access {
        &self.access
    }
}

/// All who may log in, by name. Clones share it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Users {
    by_name: Arc<BTreeMap<Arc<str>, User>>,
}

impl Users {
    /// The user of this name.
    pub fn named(&self, name: &str) -> Option<&User> {
        self.by_name.get(name)
    }

    /// Whether nobody may log in.
    pub fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }

    /// A hash that takes as long to check as those of the users, and matches nothing.
    pub(crate) fn decoy(&self) -> Option<PasswordHash> {
        let first = self.by_name.values().next();
        first.map(|user| user.password.decoy())
    }
}

/// Of two users with one name, the later holds.
impl FromIterator<User> for Users {
    fn from_iter<T: IntoIterator<Item = User>>(users: T) -> Self {
        let users = users.into_iter();
        Self {
            by_name: Arc::new(users.map(|user| (Arc::clone(&user.name), user)).collect()),
        }
    }
}
