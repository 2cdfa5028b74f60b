//! What the address of a change, or its form, has.

use super::kind::Kind;
use super::reason;
use crate::fault::Fault;
use crate::pages::asked;
use crate::parts;
use rasadmin_policy::Millis;
use serde::Deserialize;

const MINUTE: Millis = 60_000;

/// How long a user who was disconnected is kept away.
const KEPT_AWAY: Millis = 15 * MINUTE;

/// How long a block lasts: the word in the form, for people, and the time. `None`: until it is lifted.
pub const LENGTHS: [(&str, &str, Option<Millis>); 4] = [
    ("15m", "15 minutes", Some(KEPT_AWAY)),
    ("8h", "8 hours", Some(8 * 60 * MINUTE)),
    ("7d", "7 days", Some(7 * 24 * 60 * MINUTE)),
    ("lifted", "until it is lifted", None),
];

/// The fields as they come.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Fields {
    /// A session: its number.
    pub session: String,
    /// A user: `CORP\ALICE`.
    pub user: String,
    /// A claimed computer name.
    pub computer: String,
    /// An address.
    pub address: String,
    /// The form's token.
    pub once: String,
    reason: String,
    length: String,
    keep_away: String,
    force: String,
}

/// When a block ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Until {
    /// So long after it has begun.
    After(Millis),
    /// At this time.
    At(Millis),
    /// When it is lifted.
    #[default]
    Lifted,
}

impl Until {
    /// The time, if it begins now.
    pub const fn at(self, now: Millis) -> Option<Millis> {
        match self {
            Self::After(length) => Some(now.saturating_add(length)),
            Self::At(time) => Some(time),
            Self::Lifted => None,
        }
    }
}

/// How the change is made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct How {
    /// The reason.
    pub reason: Option<String>,
    /// When the block ends, if there is one.
    pub ends: Until,
    /// Are the users of the sessions kept away?
    pub keep_away: bool,
    /// Is the address released even if a live session has it?
    pub force: bool,
}

impl Fields {
    /// Fields of which one, with this name, says whom or what the change is about.
    pub fn naming(field: &str, value: &str) -> Self {
        let of = |name: &str| if name == field { value.to_owned() } else { String::new() };
        let (session, user, computer, address) = (of("session"), of("user"), of("computer"), of("address"));
        Self { session, user, computer, address, ..Self::default() }
    }

    /// The page of whom or what the form is about: its address, and its name.
    pub fn page(&self) -> (String, &'static str) {
        if let Some(session) = asked::given(&self.session) {
            (format!("/sessions/{}", parts::encoded(session)), "the session")
        } else if let Some(user) = asked::given(&self.user) {
            (format!("/users/{}", parts::encoded(user)), "the user")
        } else if self.address.is_empty() {
            ("/blocks".to_owned(), "the blocks")
        } else {
            ("/addresses".to_owned(), "the addresses")
        }
    }

    /// How the change is made, as the form says.
    ///
    /// # Errors
    /// If a field is not valid.
    pub fn asked(&self, kind: Kind) -> Result<How, Fault> {
        let words = LENGTHS.map(|(word, _, length)| (word, length));
        let ends = match kind {
            Kind::Block if self.length.is_empty() => {
                return Err(Fault::bad_request("the form does not say how long the block lasts", "choose one"));
            }
            Kind::Block => {
                asked::word("length of a block", &self.length, &words)?.1.map_or(Until::Lifted, Until::After)
            }
            _ => Until::After(KEPT_AWAY),
        };
        let (keep_away, force) = (!self.keep_away.is_empty(), !self.force.is_empty());
        Ok(How { reason: Some(reason::one_line(&self.reason)?), ends, keep_away, force })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_needs_a_length_that_the_form_has() {
        let fields = || Fields { reason: "why".to_owned(), ..Fields::default() };
        let of = |length: &str| Fields { length: length.to_owned(), ..fields() }.asked(Kind::Block);
        assert_eq!(of("15m").map(|how| how.ends), Ok(Until::After(900_000)));
        assert_eq!(of("lifted").map(|how| how.ends), Ok(Until::Lifted));
        for wrong in ["", "9h", "forever"] {
            assert!(of(wrong).is_err(), "{wrong}");
        }
        let how = How { ends: Until::After(KEPT_AWAY), reason: Some("why".to_owned()), ..How::default() };
        assert_eq!(fields().asked(Kind::Disconnect), Ok(how));
    }

    #[test]
    fn a_block_ends_after_a_time_or_at_a_time_or_when_it_is_lifted() {
        assert_eq!((Until::After(7).at(100), Until::At(7).at(100), Until::Lifted.at(100)), (Some(107), Some(7), None));
    }
}
