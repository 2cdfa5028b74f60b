//! The catalogue of the product's messages: everything that an administrator may have to act on. Each message has a
//! number that never changes.
//!
//! [`Message::emit`] emits a message as a `tracing` event. Its field `message_id` is the number; its other fields are
//! the inserts, in order. A log file writes the text. A listener for `message_id` can pass number and inserts to the
//! system's log. The catalogue is also the source of docs/messages.md ([`page`]), and of the message table in
//! rasadmin.dll from which the Event Viewer takes the texts ([`table`]).
#![forbid(unsafe_code)]

mod catalogue;
mod page;
mod table;

pub use catalogue::{Id, Message};
pub use page::page;
pub use table::table;

/// How severe a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// No action is needed.
    Information,
    /// An administrator may have to act.
    Warning,
    /// An administrator has to act.
    Error,
}

impl Severity {
    /// The level of its log event.
    pub const fn level(self) -> tracing::Level {
        match self {
            Self::Information => tracing::Level::INFO,
            Self::Warning => tracing::Level::WARN,
            Self::Error => tracing::Level::ERROR,
        }
    }

    /// Its name in texts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Information => "information",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }

    /// Its bits in an event identifier: the two highest.
    const fn bits(self) -> u32 {
        match self {
            Self::Information => 0x4000_0000,
            Self::Warning => 0x8000_0000,
            Self::Error => 0xc000_0000,
        }
    }
}

/// A row of the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The message's number.
    pub id: Id,
    /// How severe it is.
    pub severity: Severity,
    /// Its name, such as `journal-unavailable`.
    pub name: &'static str,
    /// Its text, with the names of its inserts in braces.
    pub text: &'static str,
    /// The names of its inserts, in order: the first is %1.
    pub inserts: &'static [&'static str],
    /// What causes it.
    pub cause: &'static str,
    /// What follows from it.
    pub effect: &'static str,
    /// What the administrator can do.
    pub remedy: &'static str,
}

impl Id {
    /// The number that people see: the Event Viewer's event ID.
    pub const fn number(self) -> u16 {
        self as u16
    }

    /// Finds a message by its number.
    pub fn from_number(number: u64) -> Option<Self> {
        Self::ALL.iter().copied().find(|id| u64::from(id.number()) == number)
    }

    /// The event identifier in the message table: the number with the severity's bits.
    pub fn event(self) -> u32 {
        self.row().severity.bits() | u32::from(self.number())
    }
}

impl Row {
    /// Fills in the text. Missing inserts become empty.
    pub fn fill<S: AsRef<str>>(&self, inserts: &[S]) -> String {
        self.with_inserts(|at| inserts.get(at).map_or_else(String::new, |insert| insert.as_ref().to_owned()))
    }

    /// Replaces each insert in the text.
    fn with_inserts(&self, mut of: impl FnMut(usize) -> String) -> String {
        let mut filled = String::new();
        let mut rest = self.text;
        while let Some((before, name, after)) = next_insert(rest) {
            filled.push_str(before);
            match self.inserts.iter().position(|insert| *insert == name) {
                Some(at) => filled.push_str(&of(at)),
                None => filled.extend(["{", name, "}"]),
            }
            rest = after;
        }
        filled + rest
    }
}

/// Splits a text at its first `{name}`: what is before it, the name, and what is after it.
fn next_insert(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once('{')?;
    let (name, after) = rest.split_once('}')?;
    Some((before, name, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_message_is_complete_and_its_number_is_its_own() {
        let mut numbers: Vec<_> = Id::ALL.iter().map(|id| id.number()).collect();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), Id::ALL.len());
        for id in Id::ALL {
            let row = id.row();
            assert_eq!(row.id, *id);
            assert_eq!(Id::from_number(id.number().into()), Some(*id));
            let texts = [row.cause, row.effect, row.remedy];
            assert!(texts.iter().all(|text| text.ends_with('.') && !text.contains("  ")), "{id:?}");
            // Lower-case start and no full stop: docs/style-of-messages.md. Per cent signs are the message table's.
            let capitals = row.text.chars().take_while(|c| c.is_uppercase()).count();
            // It may begin with "RRAS is", but not with "The service is".
            assert!(!row.text.is_empty() && capitals != 1, "{id:?}: {}", row.text);
            assert!(!row.text.ends_with('.') && !row.text.contains(['%', '\n']) && !row.text.contains("  "), "{id:?}");
        }
    }

    #[test]
    fn the_inserts_of_a_text_are_its_arguments() {
        for id in Id::ALL {
            let row = id.row();
            let mut named: Vec<&str> = Vec::new();
            let mut rest = row.text;
            while let Some((_, name, after)) = next_insert(rest) {
                named.push(name);
                rest = after;
            }
            // In the order in which they stand, so that %1 comes first.
            assert_eq!(named, row.inserts, "{id:?}");
            let values: Vec<String> = row.inserts.iter().map(|name| format!("<{name}>")).collect();
            assert_eq!(row.fill(&values), row.text.replace('{', "<").replace('}', ">"));
        }
    }

    #[test]
    fn the_inserts_of_a_message_fill_its_text() {
        let message = Message::DutyFailed { duty: &"follow", error: &"the disk is full", remedy: &"make room" };
        assert_eq!(message.inserts(), ["follow", "the disk is full", "make room"]);
        assert_eq!(message.id().row().fill(&message.inserts()), message.to_string());
    }

    /// A number is never used again, and never means something else: a message that is no longer used moves to the
    /// second list.
    #[test]
    fn numbers_stay() {
        let all: Vec<_> = Id::ALL.iter().map(|id| (id.number(), id.row().name)).collect();
        let known = [
            (100, "started"),
            (101, "stopped"),
            (102, "log-not-opened"),
            (103, "bug"),
            (104, "stopped-among-calls"),
            (200, "config-in-force"),
            (201, "config-broken"),
            (202, "config-broken-at-start"),
            (203, "config-not-kept"),
            (204, "config-not-found"),
            (205, "config-never-good"),
            (206, "kept-config-not-used"),
            (300, "connection-refused"),
            (301, "link-refused"),
            (302, "address-refused"),
            (303, "reauthentication-refused"),
            (304, "endpoint-change-refused"),
            (305, "pool-exhausted"),
            (306, "refusals-repeated"),
            (403, "event-lost"),
            (404, "earlier-service-closed"),
            (405, "anomaly"),
            (410, "journal-unavailable"),
            (411, "journal-available"),
            (412, "events-recorded"),
            (413, "journal-mended"),
            (414, "records-not-read"),
            (415, "no-checkpoint"),
            (416, "segment-dropped"),
            (417, "slow-sync"),
            (418, "not-synced"),
            (419, "lost-at-stop"),
            (420, "carried"),
            (421, "low-disk-space"),
            (422, "process-closed"),
            (500, "service-started"),
            (501, "service-stopped"),
            (502, "service-waits"),
            (503, "service-not-started"),
            (510, "duty-failed"),
            (511, "duty-works"),
            (512, "ledger-incomplete"),
            (513, "ledger-damaged"),
            (514, "disk-fills"),
            (515, "sessions-not-listed"),
            (516, "rule-stopped"),
            (517, "rule-resumed"),
            (900, "left-out"),
        ];
        assert_eq!(all, known);
        let retired = [
            (400, "ledger-away"),
            (401, "ledger-back"),
            (402, "spool-replayed"),
            (406, "no-spool"),
            (407, "spool-record-not-understood"),
            (408, "spool-not-deleted"),
        ];
        for (number, name) in retired {
            assert!(all.iter().all(|known| known.0 != number && known.1 != name), "{number} {name} is used again");
        }
    }
}
