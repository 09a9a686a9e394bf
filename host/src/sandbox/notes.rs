//! The import `notes`: what the instances of a volume leave each other.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use super::{bindings::orlop::driver::notes as contract, context::Context};

/// Names that are kept; the contract promises 16.
const NAMES: usize = 64;
/// The longest name, in bytes.
const NAME: usize = 64;
/// The longest text, in bytes.
const TEXT: usize = 1 << 10;

/// The notes of one volume. Clones are the same ones.
#[derive(Clone, Debug, Default)]
pub(crate) struct Notes(Arc<Mutex<HashMap<String, String>>>);

impl Notes {
    fn recall(&self, name: &str) -> Option<String> {
        self.lock().get(name).cloned()
    }

    /// Keeps a note, unless it is one that the contract lets a host forget.
    fn note(&self, name: String, text: String) {
        let mut notes = self.lock();
        let fits = name.len() <= NAME && text.len() <= TEXT;
        if fits && (notes.len() < NAMES || notes.contains_key(&name)) {
            notes.insert(name, text);
        } else {
            // What is known there now is something else than what was noted before.
            notes.remove(&name);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl contract::Host for &mut Context {
    fn recall(&mut self, name: String) -> wasmtime::Result<Option<String>> {
        Ok(self.notes.recall(&name))
    }

    fn note(&mut self, name: String, text: String) -> wasmtime::Result<()> {
        self.notes.note(name, text);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_text_under_a_name_is_kept() {
        let notes = Notes::default();
        let other = notes.clone();
        assert_eq!(notes.recall("a"), None);
        notes.note("a".into(), "1".into());
        other.note("a".into(), "2".into());
        assert_eq!(notes.recall("a").as_deref(), Some("2"));
    }

    #[test]
    fn what_is_too_much_is_forgotten() {
        let notes = Notes::default();
        notes.note("long".into(), "before".into());
        notes.note("long".into(), "x".repeat(TEXT + 1));
        assert_eq!(notes.recall("long"), None);
        notes.note("x".repeat(NAME + 1), "name".into());
        assert_eq!(notes.lock().len(), 0);

        for index in 0..NAMES + 10 {
            notes.note(index.to_string(), "x".repeat(TEXT));
        }
        assert_eq!(notes.lock().len(), NAMES);
        notes.note("0".into(), "again".into());
        assert_eq!(notes.recall("0").as_deref(), Some("again"));
    }
}
