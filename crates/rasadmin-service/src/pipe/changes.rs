//! What clients change: each request is one event in the journal, with the account that asked.

use super::names;
use crate::current::Current;
use crate::monitor::Clock;
use crate::settings::Settings;
use rasadmin_engine::addresses::Address;
use rasadmin_engine::effect::BlockSubject;
use rasadmin_engine::event::BeginBlock;
use rasadmin_engine::state::Holding;
use rasadmin_engine::{Event, Millis, Name, Now, Stamp, State};
use rasadmin_pipe::{Blocked, Caller, Configuration, LONGEST_REASON, Refusal, Released, Subject, Why};
use rasadmin_recorder::admin::AdminJournal;
use serde::Serialize;
use serde_json::Value;
use std::net::IpAddr;
use std::sync::Arc;

/// Where changes go.
pub(crate) struct Changes {
    pub(crate) settings: Arc<Settings>,
    pub(crate) config: Arc<Current>,
    pub(crate) clock: Clock,
}

impl Changes {
    /// The configuration in force, and what is wrong with its file.
    pub(super) fn configuration(&self, fault: Option<String>) -> Result<Value, Refusal> {
        let config = self.config.get();
        let (file, text) = (config.bundle.file.display().to_string(), config.bundle.text.clone());
        answer(Configuration { file, hash: config.hash.clone(), text, fault })
    }

    pub(super) fn block(
        &self,
        subject: &Subject,
        until: Option<Millis>,
        reason: Option<&str>,
        caller: &Caller,
    ) -> Result<Value, Refusal> {
        let (by, reason) = asked(reason, caller)?;
        let asked = BeginBlock { subject: self.subject(subject)?, until, reason, by };
        let blocked = self.record(|state, at| {
            if until.is_some_and(|until| until <= at.time) {
                let what = "the block would end in the past: name a later time";
                return (Err(Refusal::new(Why::Invalid, what)), None);
            }
            if !state.can_block(&asked.subject, at.time) {
                return (Ok(Blocked::Full), None);
            }
            let mut sessions: Vec<String> = state
                .live()
                .filter(|session| session.is_of(&asked.subject))
                .map(|session| session.id.to_string())
                .collect();
            sessions.sort_unstable();
            (Ok(Blocked::InForce { sessions }), Some(Event::BeginBlock(asked)))
        })?;
        answer(blocked?)
    }

    pub(super) fn unblock(&self, subject: &Subject, reason: Option<&str>, caller: &Caller) -> Result<Value, Refusal> {
        let (by, reason) = asked(reason, caller)?;
        let subject = self.subject(subject)?;
        answer(self.record(|state, at| {
            let is_blocked = state.block(&subject, at.time).is_some();
            (is_blocked, is_blocked.then_some(Event::EndBlock { subject, by, reason }))
        })?)
    }

    pub(super) fn close(&self, session: &str, reason: Option<&str>, caller: &Caller) -> Result<Value, Refusal> {
        let (by, reason) = asked(reason, caller)?;
        let session = names::key(session)?;
        answer(self.record(|state, _| {
            let lives = state.session(session).is_some();
            (lives, lives.then_some(Event::CloseSession { session, by, reason }))
        })?)
    }

    pub(super) fn release(
        &self,
        address: IpAddr,
        force: bool,
        reason: Option<&str>,
        caller: &Caller,
    ) -> Result<Value, Refusal> {
        let (by, reason) = asked(reason, caller)?;
        let address = Address::from(address);
        answer(self.record(|state, _| match state.lease_at(address).map(|lease| lease.holding) {
            None => (Released::WasFree, None),
            Some(Holding::Session(_)) if !force => (Released::InUse, None),
            Some(_) => (Released::Released, Some(Event::ReleaseAddress { address, force, by, reason })),
        })?)
    }

    /// Whom a client means.
    fn subject(&self, subject: &Subject) -> Result<BlockSubject, Refusal> {
        let invalid = |what: &str| Refusal::new(Why::Invalid, what);
        let (Subject::User(typed) | Subject::ClaimedComputer(typed)) = subject;
        names::check("name", typed)?;
        match subject {
            Subject::ClaimedComputer(name) if name.is_empty() => Err(invalid("the computer's name is empty")),
            Subject::ClaimedComputer(name) => Ok(BlockSubject::claimed_computer(&Name::new(name))),
            Subject::User(name) if name.contains('*') => Err(invalid("the name is a pattern: name one user")),
            Subject::User(name) => {
                let user = self.config.get().domains.identity(&Name::new(name), &Name::default());
                user.map(BlockSubject::User).ok_or_else(|| invalid("this is not a user's name"))
            }
        }
    }

    /// Records the event that `look` returns for the present state, if it returns one.
    fn record<T>(&self, look: impl FnOnce(&State, Stamp) -> (T, Option<Event>)) -> Result<T, Refusal> {
        let unavailable = |what: String| Refusal::new(Why::Unavailable, what);
        let opened = AdminJournal::open(&self.settings.journal, &self.config.get());
        let opened = opened.map_err(|error| unavailable(error.to_string()))?;
        let never = || unavailable("Remote Access has never started with this journal".to_owned());
        let mut journal = opened.ok_or_else(never)?;
        let at = (self.clock)();
        let random = rasadmin_recorder::random().map_err(|error| unavailable(error.to_string()))?;
        let recorded = journal.record(&Now { at, random }, |state| look(state, at));
        recorded.map_err(|error| unavailable(error.to_string()))?.ok_or_else(never)
    }
}

/// Who asks for a change, and why, as it is recorded.
fn asked(reason: Option<&str>, caller: &Caller) -> Result<(Option<String>, Option<String>), Refusal> {
    one_line(reason)?;
    Ok((Some(caller.account.clone()), reason.map(str::to_owned)))
}

/// Refuses a reason that does not fit into lists.
pub(super) fn one_line(reason: Option<&str>) -> Result<(), Refusal> {
    let fits = |reason: &str| reason.chars().count() <= LONGEST_REASON && !reason.contains(char::is_control);
    if reason.is_none_or(fits) {
        return Ok(());
    }
    Err(Refusal::new(Why::Invalid, format_args!("the reason is not one line of at most {LONGEST_REASON} characters")))
}

fn answer(answer: impl Serialize) -> Result<Value, Refusal> {
    serde_json::to_value(answer).map_err(|error| Refusal::new(Why::Bug, error))
}
