//! Where records are kept: what the engine asks of it.

use crate::record::Record;
use crate::state::State;
use std::time::Instant;

/// Why a record could not be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Away {
    /// Which kind.
    pub kind: AwayKind,
    /// What happened, for people.
    pub message: String,
}

/// Kinds of absence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AwayKind {
    /// The file or its folder is not there, or something else stands in its place.
    Missing,
    /// Another process held it beyond the deadline.
    Locked,
    /// It may not be written.
    ReadOnly,
    /// The disk is full.
    Full,
    /// It is no ledger, or damaged.
    Corrupt,
    /// It belongs to another platform, a newer version, or a network drive.
    Foreign,
    /// Anything else.
    Other,
}

impl AwayKind {
    /// As messages name it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Locked => "locked",
            Self::ReadOnly => "read-only",
            Self::Full => "full",
            Self::Corrupt => "corrupt",
            Self::Foreign => "foreign",
            Self::Other => "other",
        }
    }
}

impl std::fmt::Display for Away {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Away {}

/// The records of one server, in order, shared by several processes.
pub trait Journal {
    /// One call. Nobody else appends meanwhile: `state` is brought up to date with what others have appended, `decide`
    /// looks at it and makes a record, the record is appended and then applied to `state`. If `decide` makes none, nothing
    /// is appended. A record that [`is_durable`](Record::is_durable) is on disk when this returns. Waiting for others ends
    /// at the deadline.
    ///
    /// # Errors
    ///
    /// If nothing was appended: then `state` holds what others have appended, at most.
    fn call(
        &mut self,
        state: &mut State,
        deadline: Instant,
        decide: &mut dyn FnMut(&State) -> Option<Record>,
    ) -> Result<Option<Record>, Away>;
}
