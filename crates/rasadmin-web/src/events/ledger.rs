//! Whether the ledger has changed since the last look.

use super::lock;
use rasadmin_ledger::report::{Reader, Version};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// The ledger, as the last look saw it.
#[derive(Default)]
pub struct Followed(Mutex<State>);

#[derive(Default)]
struct State {
    path: PathBuf,
    seen: Seen,
}

#[derive(Default)]
enum Seen {
    #[default]
    Nothing,
    Unreadable,
    Ledger(Box<Reader>, Version),
}

impl Followed {
    /// Whether the ledger of this name is not what it was at the last look. The first look is a change; so is one at which
    /// it can be read no more, or again.
    pub fn changed(&self, path: &Path) -> bool {
        let mut state = lock(&self.0);
        if state.path != path {
            *state = State { path: path.to_owned(), seen: Seen::Nothing };
        }
        if let Seen::Ledger(reader, before) = &mut state.seen
            && let Ok(now) = reader.version()
            && !now.needs_new_reader(before)
        {
            return std::mem::replace(before, now) != now;
        }
        let was_unreadable = matches!(state.seen, Seen::Unreadable);
        let opened = Reader::open(path).and_then(|reader| Ok((reader.version()?, Box::new(reader))));
        state.seen = opened.map_or(Seen::Unreadable, |(version, reader)| Seen::Ledger(reader, version));
        !(was_unreadable && matches!(state.seen, Seen::Unreadable))
    }

    /// Closes the ledger: on Windows a file that is open cannot be moved.
    pub fn close(&self) {
        *lock(&self.0) = State::default();
    }
}
