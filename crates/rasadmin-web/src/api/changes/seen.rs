//! What the sender of a request has seen. If that no longer holds, nothing is done.

use crate::changes::{Proposal, What};
use crate::fault::Fault;
use crate::parts;
use axum::http::StatusCode;
use rasadmin_engine::effect::Block;
use rasadmin_ledger::report::SessionRow;
use rasadmin_policy::{Millis, timestamp};
use std::collections::BTreeSet;

/// So many sessions are named.
const NAMED: usize = 5;

/// What the sender has seen. What is left out is not compared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// The keys of the sessions that are disconnected or closed.
    pub sessions: Option<BTreeSet<String>>,
    /// When the block began; or that there is none.
    pub block_since: Option<Option<Millis>>,
    /// When the lease of the address began.
    pub began: Option<Millis>,
}

impl Seen {
    /// Whether it still holds.
    pub fn check(&self, proposal: &Proposal, keep_away: bool) -> Result<(), Fault> {
        let needs_journal = match &proposal.what {
            What::Block { .. } => self.block_since.is_some() || self.sessions.is_some(),
            What::Unblock { .. } => self.block_since.is_some(),
            // These are in the ledger too.
            What::Disconnect { .. } | What::Release { .. } | What::Close { .. } => false,
        };
        if let Some(why) = proposal.unknown.as_ref().filter(|_| needs_journal) {
            let what = format!("`seen` cannot be compared, because {why}: nothing was done");
            return Err(Fault::unavailable(what, "let this process read the journal, or leave `seen` out"));
        }
        let differences = self.differences(proposal, keep_away);
        if differences.is_empty() { Ok(()) } else { Err(changed(&differences)) }
    }

    /// What has changed since, in a sentence each.
    fn differences(&self, proposal: &Proposal, keep_away: bool) -> Vec<String> {
        let mut lines = Vec::new();
        match &proposal.what {
            What::Disconnect { sessions, others, .. } => {
                let others = others.iter().filter(|_| keep_away);
                self.sessions(&mut lines, sessions.iter().chain(others));
            }
            What::Block { sessions, block, .. } => {
                self.sessions(&mut lines, sessions.iter());
                lines.extend(self.block(block.as_ref()));
            }
            What::Unblock { block, .. } => lines.extend(self.block(block.as_ref())),
            What::Release { address, held } => {
                if let Some(began) = self.began.filter(|began| *began != held.began) {
                    let (now, then) = (timestamp(held.began), timestamp(began));
                    lines.push(format!("{address} is held by {} since {now}, and not since {then}", held.who()));
                }
            }
            What::Close { session } => self.sessions(&mut lines, std::iter::once(&**session)),
        }
        lines
    }

    fn sessions<'r>(&self, lines: &mut Vec<String>, now: impl Iterator<Item = &'r SessionRow>) {
        let Some(seen) = &self.sessions else { return };
        let now: BTreeSet<String> = now.map(|row| row.acct_session_id.to_ascii_lowercase()).collect();
        let mut list = |keys: Vec<&String>, what: &str| {
            if !keys.is_empty() {
                let more = keys.len().saturating_sub(NAMED);
                let named: Vec<_> = keys.iter().take(NAMED).map(|key| parts::printable(key)).collect();
                let more = if more > 0 { format!(", and {more} more") } else { String::new() };
                lines.push(format!("{what}: {}{more}", named.join(", ")));
            }
        };
        list(seen.difference(&now).collect(), "`seen` has sessions that are not concerned any more");
        list(now.difference(seen).collect(), "`seen` lacks sessions that are concerned now");
    }

    fn block(&self, now: Option<&Block>) -> Option<String> {
        let seen = self.block_since?;
        match (seen, now) {
            (seen, now) if seen == now.map(|block| block.since) => None,
            (None, Some(block)) => Some(format!("there is a block, since {}", timestamp(block.since))),
            (Some(since), None) => Some(format!("the block since {} is not in force", timestamp(since))),
            (Some(since), Some(block)) => {
                let (now, then) = (timestamp(block.since), timestamp(since));
                Some(format!("the block in force is one since {now}, and not the one since {then}"))
            }
            (None, None) => None,
        }
    }
}

/// That something has changed.
fn changed(differences: &[String]) -> Fault {
    Fault {
        status: StatusCode::CONFLICT,
        what: format!("something has changed since you looked: {}: nothing was done", differences.join("; ")),
        remedy: "look again, and send what you see then in `seen`".to_owned(),
    }
}
