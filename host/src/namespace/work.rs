//! Work that is longer than one call, and how far it has come.

use serde::{Deserialize, Serialize};

use super::{Totals, walk::Walk};
use crate::{Kind, Path, Plan};

/// Work on files and trees that is longer than one call: [`Namespace::step`](crate::Namespace::step) does it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Work {
    /// Removes a file, or a directory with all that is in it.
    Remove {
        /// What goes.
        path: Path,
        /// What it is. A file of the same path as a directory is left alone, and the other way round.
        kind: Kind,
    },
    /// Copies a file or a tree: by the driver where both ends are in one mount and it can, through the host
    /// otherwise.
    Copy(Plan),
    /// Moves a file or a tree. A source is removed only after its copy is known to be there.
    Move(Plan),
}

impl Work {
    /// What is copied or moved where; none for a removal.
    pub fn plan(&self) -> Option<&Plan> {
        match self {
            Self::Remove { .. } => None,
            Self::Copy(plan) | Self::Move(plan) => Some(plan),
        }
    }

    /// What is removed, copied or moved.
    pub fn from(&self) -> &Path {
        match self {
            Self::Remove { path, .. } => path,
            Self::Copy(plan) | Self::Move(plan) => &plan.from,
        }
    }

    /// What the source is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Remove { kind, .. } => *kind,
            Self::Copy(plan) | Self::Move(plan) => plan.kind,
        }
    }
}

/// How far some work has come. The default is its beginning.
///
/// Whoever keeps a position after each step can go on from it later, in another process too. The step that
/// was under way is then made again; see [`resumed`](Self::resumed).
#[derive(Clone, Debug, Default)]
pub struct Position {
    pub(super) stage: Stage,
    pub(super) totals: Totals,
    /// Whether the next step may have been made before, wholly or in part.
    pub(super) again: bool,
}

/// What the next step does.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Stage {
    /// Finds out whose work it is, and begins it.
    #[default]
    Start,
    /// The driver goes on with this cursor.
    Driver(String),
    /// The bytes pass through the host.
    Stream(Walk),
    /// Nothing: all is done.
    Done,
}

impl Position {
    /// A position as [`stage`](Self::stage) gave it; none if it is not one.
    pub fn parse(stage: &str, totals: Totals) -> Option<Self> {
        let stage = match stage {
            "" => Stage::Start,
            text => serde_json::from_str(text).ok()?,
        };
        Some(Self {
            stage,
            totals,
            again: false,
        })
    }

    /// The position as text, without the totals: empty at the beginning.
    pub fn stage(&self) -> String {
        if matches!(self.stage, Stage::Start) {
            return String::new();
        }
        // Strings, numbers and lists of them: nothing that JSON cannot hold.
        serde_json::to_string(&self.stage).unwrap_or_default()
    }

    /// The same position, for work that was broken off somewhere behind it: the next step may find what it did
    /// before, and takes that for its own.
    #[must_use]
    pub fn resumed(mut self) -> Self {
        self.again = true;
        self
    }

    /// How much is done.
    pub fn totals(&self) -> Totals {
        self.totals
    }

    /// Whether all is done.
    pub fn is_done(&self) -> bool {
        matches!(self.stage, Stage::Done)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_come_back_as_they_went() {
        let totals = Totals { items: 1, bytes: 2 };
        for stage in [
            Stage::Start,
            Stage::Driver("a \"cursor\"".to_owned()),
            Stage::Stream(Walk::new(true)),
            Stage::Done,
        ] {
            let position = Position {
                stage,
                totals,
                again: false,
            };
            let text = position.stage();
            let back = Position::parse(&text, totals).unwrap();
            assert_eq!(back.stage(), text);
            assert_eq!(back.totals(), totals);
        }
        assert_eq!(Position::default().stage(), "");
        assert!(Position::parse("nonsense", totals).is_none());
    }
}
