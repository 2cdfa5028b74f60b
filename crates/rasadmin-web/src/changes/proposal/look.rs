//! What a change is about, as the ledger and the journal have it.

use super::{Held, What};
use crate::app::App;
use crate::blocked::Blocks;
use crate::changes::fields::Fields;
use crate::changes::subject::{Subject, user_of};
use crate::doubt;
use crate::fault::Fault;
use crate::pages::asked;
use crate::pages::user::limits::{self, Known};
use crate::parts;
use axum::http::StatusCode;
use rasadmin_engine::State;
use rasadmin_engine::effect::{Block, BlockSubject};
use rasadmin_ledger::report::{Filter, SessionRow, UserFilter};
use rasadmin_policy::addresses::Address;
use rasadmin_policy::config::Config;
use rasadmin_policy::{Identity, Millis, Name};
use std::net::IpAddr;
use std::sync::Arc;

/// What all kinds of changes look at.
pub(super) struct Look<'a> {
    pub app: &'a App,
    pub config: &'a Arc<Config>,
    pub state: State,
    pub blocks: Blocks,
    pub own: Name,
    pub now: Millis,
}

impl Look<'_> {
    /// One session is disconnected.
    pub fn disconnect_session(&self, typed: &str) -> Result<What, Fault> {
        let row = self.live_session(typed)?;
        let Some(identity) = row.user() else {
            return Ok(What::Disconnect { sessions: vec![row], user: None, all: false, others: vec![], block: None });
        };
        // A user who cannot be named is disconnected, and not kept away.
        let user = Subject::user(&self.config.domains, &identity).ok();
        let mut others = self.live_of(&identity)?;
        others.retain(|other| other.id != row.id);
        let block = user.as_ref().and_then(|user| self.block_of(user).ok().flatten());
        Ok(What::Disconnect { sessions: vec![row], user, all: false, others, block })
    }

    /// All sessions of a user are disconnected.
    pub fn disconnect_user(&self, fields: &Fields) -> Result<What, Fault> {
        if !fields.computer.is_empty() || asked::given(&fields.user).is_none() {
            return Err(Fault::bad_request(
                "the address names no session and no user",
                "begin at the page of a session",
            ));
        }
        let user = Subject::find(self.app, self.config, fields)?;
        let BlockSubject::User(identity) = &user.of else { return Err(not_connected(&user)) };
        let sessions = self.live_of(identity)?;
        if sessions.is_empty() {
            return Err(not_connected(&user));
        }
        let block = self.block_of(&user).ok().flatten();
        Ok(What::Disconnect { sessions, user: Some(user), all: true, others: vec![], block })
    }

    /// Somebody is blocked.
    pub fn block(&self, fields: &Fields) -> Result<What, Fault> {
        let subject = Subject::find(self.app, self.config, fields)?;
        let sessions = self.sessions_of(&subject)?;
        let (block, doubt) = (self.block_of(&subject).ok().flatten(), self.doubt(&subject)?);
        Ok(What::Block { subject, sessions, block, doubt })
    }

    /// The live sessions that a block concerns: as the journal has them, or else as the ledger has them.
    fn sessions_of(&self, subject: &Subject) -> Result<Vec<SessionRow>, Fault> {
        match (&self.blocks, &subject.of) {
            (Blocks::InState, _) => {}
            // The ledger may be behind, if no service writes it: it does not say that there are no others.
            (Blocks::Unknown(_), _) => return Ok(Vec::new()),
            (Blocks::Listed(..), BlockSubject::User(user)) => return self.live_of(user),
            (Blocks::Listed(..), BlockSubject::ClaimedComputer(name)) => {
                let mut rows = self.own_live(&Filter::default())?;
                rows.retain(|row| row.remote_computer.folded() == *name);
                return Ok(rows);
            }
        }
        let mut live: Vec<_> = self.state.live().filter(|session| session.is_of(&subject.of)).collect();
        live.sort_unstable_by_key(|session| (session.began.mono, session.id));
        let keys: Vec<String> = live.iter().map(|session| session.id.to_string()).collect();
        self.app.source.ledger(|reader| {
            let mut rows = Vec::new();
            for key in &keys {
                rows.extend(reader.session(key)?.ok().flatten());
            }
            Ok(rows)
        })
    }

    /// A block is lifted.
    pub fn unblock(&self, fields: &Fields) -> Result<What, Fault> {
        let subject = Subject::find(self.app, self.config, fields)?;
        let block = self.block_of(&subject);
        if matches!(block, Ok(None)) {
            let what = format!("{} is not blocked", subject.shown());
            return Err(conflict(what, "the page /blocks lists who is blocked"));
        }
        Ok(What::Unblock { subject, block: block.ok().flatten() })
    }

    /// An address is released.
    pub fn release(&self, typed: &str) -> Result<What, Fault> {
        let not_valid = |_| {
            let what = format!("`{}` is not an address", parts::printable(typed));
            Fault::bad_request(what, "choose one on the page of addresses")
        };
        let address: IpAddr = typed.trim().parse().map_err(not_valid)?;
        let held = self.app.source.ledger(|reader| {
            let held = reader.who_had(address, Some(self.now), 10_000)?;
            let held =
                held.into_iter().find(|of| of.ended.is_none() && of.imported.is_none() && self.is_own(&of.server));
            if matches!(self.blocks, Blocks::InState) {
                let lease = self.state.lease_at(Address::from(address));
                let mut held = lease.map(|lease| Held::of_journal(lease, held));
                if let Some(live) = held.as_mut().and_then(|held| held.live.as_mut()) {
                    live.number = reader.session(&live.key)?.ok().flatten().map(|row| row.id);
                }
                return Ok(held);
            }
            let Some(lease) = held else { return Ok(None) };
            let session = lease.session.map(|id| reader.session(&id.to_string())).transpose()?;
            let live = session.and_then(Result::ok).flatten().filter(SessionRow::is_live);
            Ok(Some(Held::of_ledger(lease, live)))
        })?;
        let nothing = || conflict(format!("nobody holds {address} now: there is nothing to release"), "see who had it");
        Ok(What::Release { address, held: Box::new(held.ok_or_else(nothing)?) })
    }

    /// A session that can be changed here.
    pub fn live_session(&self, typed: &str) -> Result<SessionRow, Fault> {
        let missing = || Fault::not_found(format_args!("there is no session `{}`", parts::printable(typed)));
        let found = self.app.source.ledger(|reader| reader.session(typed.trim()))?;
        let row = found.ok().flatten().ok_or_else(missing)?;
        if !row.is_live() || row.imported.is_some() {
            let what = format!("session {} of {} has ended already", row.id, user_of(&row));
            return Err(conflict(what, "see its page, /sessions/".to_owned() + &row.id.to_string()));
        }
        if !self.is_own(&row.nas_identifier) {
            let other = parts::printable(row.nas_identifier.as_str());
            return Err(conflict(format!("session {} is on {other}", row.id), format!("use the dashboard of {other}")));
        }
        Ok(row)
    }

    /// The live sessions of a user on this server, those that began first come first.
    fn live_of(&self, user: &Identity) -> Result<Vec<SessionRow>, Fault> {
        let of = UserFilter { domain: Some(user.domain.clone()), name: user.name.clone() };
        self.own_live(&Filter { user: Some(of), ..Filter::default() })
    }

    /// The live sessions on this server, those that began first come first.
    fn own_live(&self, filter: &Filter) -> Result<Vec<SessionRow>, Fault> {
        let mut rows = self.app.source.ledger(|reader| reader.sessions(filter, true))?;
        rows.retain(|row| row.imported.is_none() && self.is_own(&row.nas_identifier));
        rows.sort_unstable_by_key(|row| (row.acct_start_time, row.id));
        Ok(rows)
    }

    /// A name that nobody has ever used may be mistyped.
    fn doubt(&self, subject: &Subject) -> Result<Option<String>, Fault> {
        match &subject.of {
            BlockSubject::User(user) => doubt::of_user(self.app, user),
            BlockSubject::ClaimedComputer(_) => Ok(None),
        }
    }

    /// The block of a subject.
    ///
    /// # Errors
    /// If it is not known whether there is one: the reason.
    pub fn block_of(&self, subject: &Subject) -> Result<Option<Block>, String> {
        let listed = self.blocks.of(&subject.of, &self.state, self.now);
        // The service's list may not have all blocks. About one user, it knows.
        let (Err(_), BlockSubject::User(user)) = (&listed, &subject.of) else { return listed };
        match limits::of_user(self.app, self.config, user) {
            (_, Known::Not(_)) => listed,
            (in_force, _) => Ok(in_force.block),
        }
    }

    /// Whether the service of this computer has the server's sessions.
    fn is_own(&self, server: &Name) -> bool {
        self.own.is_empty() || server.folded() == self.own.folded()
    }
}

fn not_connected(user: &Subject) -> Fault {
    conflict(format!("{} is not connected", user.shown()), "see the page of the user")
}

fn conflict(what: String, remedy: impl ToString) -> Fault {
    Fault { status: StatusCode::CONFLICT, what, remedy: remedy.to_string() }
}
