//! Makes a change, and says what came of it, in the words of the commands.

use super::fields::How;
use super::outcome::Outcome;
use super::proposal::{Proposal, What};
use super::service::{Unanswered, change};
use super::subject::{Subject, user_of};
use crate::app::App;
use crate::fault::Fault;
use crate::parts;
use axum::http::StatusCode;
use rasadmin_answers::show;
use rasadmin_engine::effect::Block;
use rasadmin_engine::state::MAX_BLOCKS;
use rasadmin_ledger::report::SessionRow;
use rasadmin_pipe::{Blocked, Disconnected, Released, Request};
use rasadmin_policy::Millis;
use std::collections::HashMap;

/// How many sessions one request names.
const AT_ONCE: usize = 500;

/// One change.
struct Applying<'a> {
    app: &'a App,
    proposal: &'a Proposal,
    how: &'a How,
    visitor: &'a str,
    outcome: Outcome,
}

/// Makes the change in the name of a visitor.
pub fn apply(app: &App, proposal: &Proposal, how: &How, visitor: &str) -> Outcome {
    let outcome = Outcome { title: proposal.title(), done: true, back: proposal.back(), ..Outcome::default() };
    let mut applying = Applying { app, proposal, how, visitor, outcome };
    match &proposal.what {
        What::Disconnect { sessions, user, others, block, .. } => {
            applying.disconnect(sessions, user.as_ref(), others, block.as_ref());
        }
        What::Block { subject, sessions, block, .. } => applying.block(subject, sessions, block.as_ref()),
        What::Unblock { subject, .. } => applying.unblock(subject),
        What::Release { address, held } => {
            let asked = Request::Release { address: *address, force: how.force, reason: how.reason.clone() };
            let who = held.who();
            match applying.ask(asked) {
                Ok(Released::Released) => applying.outcome.changed(format!("{address} is free: it was held by {who}")),
                Ok(Released::WasFree) => applying.outcome.did(format!("{address} has been released in the meantime")),
                Ok(Released::InUse) => applying.refuse(
                    format!(
                        "{address} belongs to a live session of {who}, and is not released: disconnect the session first"
                    ),
                    "disconnect the session, or release the address although it is in use: `force`",
                ),
                Err(unanswered) => applying.unanswered(
                    unanswered,
                    "the address is still held",
                    "it is not known whether the address was released",
                ),
            }
        }
        What::Close { session } => {
            let asked = Request::Close { session: session.acct_session_id.clone(), reason: how.reason.clone() };
            let it = format!("session {} of {}", session.id, user_of(session));
            match applying.ask(asked) {
                Ok(true) => applying.outcome.changed(format!("{it} is closed, and its addresses are free")),
                Ok(false) => applying.outcome.did(format!("{it} has ended in the meantime")),
                Err(unanswered) => applying.unanswered(
                    unanswered,
                    "the session still counts",
                    "it is not known whether the session was closed",
                ),
            }
        }
    }
    applying.outcome
}

impl Applying<'_> {
    fn ask<T: serde::de::DeserializeOwned>(&self, asked: Request) -> Result<T, Unanswered> {
        change(self.app, self.visitor, asked)
    }

    /// `undone`: what holds if nothing was done; `unsure`: what else to say.
    fn unanswered(&mut self, unanswered: Unanswered, undone: &str, unsure: &str) {
        let Unanswered { why, remedy, undone: is_undone, status } = unanswered;
        let what = format!("{}: {why}", if is_undone { undone } else { unsure });
        self.outcome.refuse(Fault { status, what, remedy: remedy.to_owned() }, is_undone);
        self.outcome.failed(remedy);
    }

    /// The service has answered that it changes nothing as things are.
    fn refuse(&mut self, what: String, remedy: &str) {
        let fault = Fault { status: StatusCode::CONFLICT, what, remedy: remedy.to_owned() };
        self.outcome.refuse(fault, true);
    }

    fn disconnect(
        &mut self,
        sessions: &[SessionRow],
        user: Option<&Subject>,
        others: &[SessionRow],
        block: Option<&Block>,
    ) {
        let Some(user) = user.filter(|_| self.how.keep_away) else {
            self.disconnect_all(&sessions.iter().collect::<Vec<_>>(), "nobody was disconnected");
            return;
        };
        let until = self.how.ends.at(self.app.source.now());
        let lasts = |ends: Millis| until.is_some_and(|until| ends >= until);
        let (who, on) = (user.shown(), &self.proposal.on);
        let mut live = Vec::new();
        if let Some(block) = block.filter(|block| block.until.is_none_or(lasts)) {
            let line = format!("{who} is blocked on {on} already, {}: that block stays", self.ends(block.until));
            self.outcome.did(line);
        } else if let Some(why) = &self.proposal.unknown {
            // A block replaces the one before, which may last longer.
            let what =
                format!("nobody was disconnected: whether {who} is blocked already is not known here, because {why}");
            self.outcome.refuse(Fault::unavailable(what, "let this process read the journal"), true);
            return;
        } else {
            match self.ask(self.begin_block(user, until)) {
                Ok(Blocked::InForce { sessions }) => {
                    live = sessions;
                    let line = format!("{who} is blocked on {on} {}: new connections are refused", self.ends(until));
                    self.outcome.changed(line);
                }
                Ok(Blocked::Full) => return self.full("nobody was disconnected"),
                Err(unanswered) => {
                    let unsure = format!("nobody was disconnected, and it is not known whether {who} is blocked");
                    return self.unanswered(unanswered, "nobody was disconnected or blocked", &unsure);
                }
            }
        }
        // These are the sessions that the page showed, and no others: see `Shown`.
        let both: Vec<_> = sessions.iter().chain(others).collect();
        self.disconnect_all(&both, "nobody was disconnected, but the block holds");
        live.retain(|key| both.iter().all(|row| row.acct_session_id != *key));
        if !live.is_empty() {
            let more = parts::count(live.len() as u64, "newer session");
            self.outcome.failed(format!("not disconnected, because the page did not show it: {more} of {who}"));
        }
    }

    fn block(&mut self, subject: &Subject, sessions: &[SessionRow], replaced: Option<&Block>) {
        let until = self.how.ends.at(self.app.source.now());
        let (who, on) = (subject.shown(), &self.proposal.on);
        match self.ask(self.begin_block(subject, until)) {
            Ok(Blocked::InForce { sessions: keys }) => {
                let line = format!("{who} is blocked on {on} {}: new connections are refused", self.ends(until));
                self.outcome.changed(line);
                if let Some(replaced) = replaced {
                    let since = show::time(replaced.since, &self.proposal.zone);
                    let line = format!("this replaces the block since {since}, {}", self.ends(replaced.until));
                    self.outcome.did(line);
                }
                // All that are live as the block begins, also one that began after the last look at the ledger: a user who
                // is blocked does not stay connected.
                self.disconnect_keys(&keys, sessions, "their sessions stay connected");
            }
            Ok(Blocked::Full) => self.full("nobody was blocked"),
            Err(unanswered) => {
                let unsure = format!("it is not known whether {who} is blocked");
                self.unanswered(unanswered, "nobody was blocked", &unsure);
            }
        }
    }

    fn unblock(&mut self, subject: &Subject) {
        let (who, on) = (subject.shown(), &self.proposal.on);
        match self.ask(Request::Unblock { subject: subject.sent.clone(), reason: self.how.reason.clone() }) {
            Ok(true) => self.outcome.changed(format!("{who} is no longer blocked on {on}: the rules decide again")),
            Ok(false) => self.outcome.did(format!("the block of {who} has been lifted in the meantime")),
            Err(unanswered) => {
                let (undone, unsure) =
                    (format!("{who} is still blocked"), format!("it is not known whether {who} is blocked"));
                self.unanswered(unanswered, &undone, &unsure);
            }
        }
    }

    fn begin_block(&self, subject: &Subject, until: Option<Millis>) -> Request {
        Request::Block { subject: subject.sent.clone(), until, reason: self.how.reason.clone() }
    }

    fn full(&mut self, undone: &str) {
        let remedy = "lift some, or refuse many users with a rule";
        self.refuse(format!("{undone}: there are {MAX_BLOCKS} blocks, and no more are possible"), remedy);
        self.outcome.failed(remedy);
    }

    /// When a block ends, as the end of a sentence.
    fn ends(&self, until: Option<Millis>) -> String {
        let zone = &self.proposal.zone;
        match until {
            None => "until it is lifted".to_owned(),
            Some(until) => format!("until {} ({})", show::time(until, zone), zone.iana_name().unwrap_or("UTC")),
        }
    }

    fn disconnect_all(&mut self, sessions: &[&SessionRow], undone: &str) {
        let keys: Vec<String> = sessions.iter().map(|row| row.acct_session_id.clone()).collect();
        let rows: Vec<SessionRow> = sessions.iter().map(|row| (*row).clone()).collect();
        self.disconnect_keys(&keys, &rows, undone);
    }

    /// Disconnects the sessions with these keys. `undone`: what holds if the service does not.
    fn disconnect_keys(&mut self, keys: &[String], rows: &[SessionRow], undone: &str) {
        let names: HashMap<&str, String> = rows
            .iter()
            .map(|row| (row.acct_session_id.as_str(), format!("session {} of {}", row.id, user_of(row))))
            .collect();
        let name = |key: &str| names.get(key).cloned().unwrap_or_else(|| format!("session {key}"));
        for (at, some) in keys.chunks(AT_ONCE).enumerate() {
            let asked = Request::Disconnect { sessions: some.to_vec(), reason: self.how.reason.clone() };
            match self.ask::<Vec<Disconnected>>(asked) {
                Ok(answers) => {
                    let by_key: HashMap<&str, &Disconnected> =
                        answers.iter().map(|of| (of.session.as_str(), of)).collect();
                    for key in some {
                        self.say(&name(key), by_key.get(key.as_str()).copied());
                    }
                    self.outcome.sessions.extend(answers);
                }
                Err(unanswered) => {
                    let rest = keys.len() - at * AT_ONCE;
                    let unsure = format!("it is not known what became of {}", parts::count(rest as u64, "session"));
                    return self.unanswered(unanswered, undone, &unsure);
                }
            }
        }
    }

    /// What became of a session.
    fn say(&mut self, session: &str, answer: Option<&Disconnected>) {
        match answer.map(|answer| answer.outcome.as_str()) {
            Some("ended") => self.outcome.changed(format!("{session} is disconnected")),
            Some("asked") => self.outcome.changed(format!(
                "{session}: RRAS was asked to disconnect it, and has not reported its end yet; its page shows when it has"
            )),
            Some("not-live") => self.outcome.did(format!("{session} was not connected any more")),
            outcome => {
                let why = answer.and_then(|answer| answer.why.as_deref()).unwrap_or("the service does not say why");
                let again = if outcome == Some("failed") { "; the service tries again" } else { "" };
                self.outcome.failed(format!("{session} is not disconnected: {why}{again}"));
            }
        }
    }
}
