//! What the page of a change showed. If it is different when the form is sent, nothing is done: an operator confirms what
//! the page showed, and not what came after it.

use super::kind::Kind;
use super::proposal::{Proposal, What};
use super::subject::user_of;
use rasadmin_answers::show;
use rasadmin_engine::effect::Block;
use rasadmin_ledger::report::SessionRow;
use rasadmin_policy::{Millis, Name};
use std::collections::BTreeMap;

/// So many sessions are named.
const NAMED: usize = 5;

/// What the page of a change showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    kind: Kind,
    /// Whom or what the form names.
    named: (&'static str, String),
    /// Its heading.
    title: String,
    /// The sessions that it concerns: their keys, and their names in sentences.
    sessions: BTreeMap<String, String>,
    /// Those that it also concerns if their user is kept away.
    others: BTreeMap<String, String>,
    block: Option<Block>,
    holder: Option<Holder>,
    /// Could the journal be read? `None` if it does not matter.
    is_known: Option<bool>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Holder {
    who: String,
    since: Millis,
    port: Name,
    /// The key of the live session that has the address.
    session: Option<String>,
}

impl Shown {
    /// What the page of this change shows.
    pub fn of(proposal: &Proposal) -> Self {
        let nothing = Self::nothing(proposal.kind(), proposal.named(), proposal.title());
        let is_known = Some(proposal.unknown.is_none());
        match &proposal.what {
            // A block is not on this page: one that lasts longer stays in any case.
            What::Disconnect { sessions, others, .. } => {
                Self { sessions: names(sessions), others: names(others), ..nothing }
            }
            What::Block { sessions, block, .. } => {
                Self { sessions: names(sessions), block: block.clone(), is_known, ..nothing }
            }
            What::Unblock { block, .. } => Self { block: block.clone(), is_known, ..nothing },
            What::Release { held, .. } => {
                let session = held.live.as_ref().map(|live| live.key.clone());
                let holder = Holder { who: held.who(), since: held.began, port: held.port.clone(), session };
                Self { holder: Some(holder), is_known, ..nothing }
            }
            What::Close { session } => Self { sessions: names(std::slice::from_ref(&**session)), ..nothing },
        }
    }

    /// A page that shows no more than its heading.
    pub(super) fn nothing(kind: Kind, named: (&'static str, String), title: String) -> Self {
        let (sessions, others) = (BTreeMap::new(), BTreeMap::new());
        Self { kind, named, title, sessions, others, block: None, holder: None, is_known: None }
    }

    /// What is different in the proposal, in a sentence each, without a full stop. None: the same would be shown again.
    /// `keep_away`: is the user kept away, so that other sessions matter?
    pub fn differences(&self, proposal: &Proposal, keep_away: bool) -> Vec<String> {
        let now = Self::of(proposal);
        if (self.kind, &self.named) != (now.kind, &now.named) {
            return vec![format!("The form belongs to the page of another change: {}", self.title)];
        }
        let mut lines = Vec::new();
        sessions(&mut lines, &self.sessions, &now.sessions);
        if keep_away {
            sessions(&mut lines, &self.others, &now.others);
        }
        lines.extend(self.block(&now, proposal));
        lines.extend(self.holder(&now, proposal));
        match (self.is_known, now.is_known) {
            (Some(true), Some(false)) => lines.push("The journal cannot be read any more".to_owned()),
            (Some(false), Some(true)) => lines.push("The journal can be read now".to_owned()),
            _ => {}
        }
        lines
    }

    fn block(&self, now: &Self, proposal: &Proposal) -> Option<String> {
        let zone = &proposal.zone;
        let ends = |block: &Block| match block.until {
            Some(until) => format!("until {}", show::time(until, zone)),
            None => "until it is lifted".to_owned(),
        };
        let since = |block: &Block| format!("the block since {}, {}", show::time(block.since, zone), ends(block));
        match (&self.block, &now.block) {
            (None, Some(block)) => Some(format!("There is a block meanwhile, {}", ends(block))),
            (Some(block), None) => Some(format!("In force no longer: {}", since(block))),
            (Some(before), Some(block)) if before != block => {
                Some(format!("Another block, {}, has replaced {}", ends(block), since(before)))
            }
            _ => None,
        }
    }

    fn holder(&self, now: &Self, proposal: &Proposal) -> Option<String> {
        let (before, now) = (self.holder.as_ref()?, now.holder.as_ref()?);
        let since = || show::time(now.since, &proposal.zone);
        if before.who != now.who {
            Some(format!("The address is held by {} meanwhile, and no longer by {}", now.who, before.who))
        } else if (before.since, &before.port) != (now.since, &now.port) {
            Some(format!("{} has got the address again, at {}", now.who, since()))
        } else {
            match (&before.session, &now.session) {
                (before, now) if before == now => None,
                (_, None) => Some("The session that had the address has ended".to_owned()),
                (None, Some(_)) => Some("A live session has the address meanwhile".to_owned()),
                (Some(_), Some(_)) => Some("Another session has the address meanwhile".to_owned()),
            }
        }
    }
}

fn names(sessions: &[SessionRow]) -> BTreeMap<String, String> {
    let name = |row: &SessionRow| format!("session {} of {}", row.id, user_of(row));
    sessions.iter().map(|row| (row.acct_session_id.clone(), name(row))).collect()
}

/// Which sessions have ended, and which were not shown.
fn sessions(lines: &mut Vec<String>, before: &BTreeMap<String, String>, now: &BTreeMap<String, String>) {
    let only_in = |one: &BTreeMap<String, String>, other: &BTreeMap<String, String>| {
        let names: Vec<String> =
            one.iter().filter(|(key, _)| !other.contains_key(*key)).map(|(_, name)| name.clone()).collect();
        let more = names.len().saturating_sub(NAMED);
        let all = names[..names.len() - more].join(", ");
        (!names.is_empty()).then(|| if more > 0 { format!("{all}, and {more} more") } else { all })
    };
    lines.extend(only_in(before, now).map(|ended| format!("Ended meanwhile: {ended}")));
    lines.extend(only_in(now, before).map(|new| format!("Not on the page that you confirmed: {new}")));
}
