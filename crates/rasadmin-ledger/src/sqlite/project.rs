//! The rows that a record makes. The state folds the same effects in memory; here they are kept for people.
//!
//! They are written in the transaction of their record, and so they are there once, as it is.

mod leases;
mod sessions;

use super::statements::Statements;
use crate::Away;
use rasadmin_engine::effect::{EndedBy, InstanceBegan};
use rasadmin_engine::event::ConfigRead;
use rasadmin_engine::state::closing_of;
use rasadmin_engine::{Effect, Id, Name, Record, Refusal, State};
use rusqlite::named_params;

/// A record, and what it was decided on.
struct Projection<'a, 'c> {
    statements: &'a mut Statements<'c>,
    server: &'a Name,
    /// Before the record.
    state: &'a State,
    record: &'a Record,
    /// The row of its decision, once that is written.
    decision: Option<i64>,
}

/// Writes the rows of a record, which is not yet applied to the state.
pub(super) fn project(
    statements: &mut Statements<'_>,
    server: &Name,
    state: &State,
    record: &Record,
) -> Result<(), Away> {
    Projection { statements, server, state, record, decision: None }.all()
}

/// A refusal's kind, as `decisions.refusal` has it.
const fn code(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::ReservationHeld => "reservation-held",
        Refusal::Exhausted { .. } => "exhausted",
        Refusal::Offer { .. } => "offer",
        Refusal::AnothersAddress { .. } => "anothers-address",
        Refusal::Blocked { .. } => "blocked",
        Refusal::LedgerAway { .. } => "ledger-away",
    }
}

impl Projection<'_, '_> {
    fn all(&mut self) -> Result<(), Away> {
        // A lease names its decision, and a decision its session: which of the two is there first.
        let begins = self.record.effects.iter().any(|effect| matches!(effect, Effect::SessionBegan(_)));
        if !begins {
            self.decision()?;
        }
        for effect in &self.record.effects {
            self.effect(effect)?;
        }
        if begins {
            self.decision()?;
        }
        Ok(())
    }

    fn effect(&mut self, effect: &Effect) -> Result<(), Away> {
        match effect {
            Effect::Anomaly(anomaly) => return self.out_of_order(anomaly.what(), &anomaly.details(), 0),
            Effect::Lost { events } => return self.lost(*events),
            Effect::ConfigRead(read) => return self.config(read),
            _ if !self.state.heeds(self.record) => return Ok(()),
            _ => {}
        }
        match effect {
            Effect::InstanceBegan(began) => self.instance(began),
            Effect::SessionBegan(began) => self.session_began(began),
            Effect::SessionEstablished { session, at, port, tunnel } => {
                self.session_established(*session, at.time, port, *tunnel)
            }
            Effect::SourceChanged { session, source } => self.source_changed(*session, source),
            Effect::QuarantineChanged { session, quarantine } => self.quarantine_changed(*session, *quarantine),
            Effect::SessionEnded(ended) => self.session_ended(ended),
            Effect::SessionRevived { session, .. } => self.session_revived(*session),
            Effect::LinkBegan(link) => self.link_began(link),
            Effect::LinkEnded { session, port, at, usage } => self.link_ended(*session, port, at.time, usage),
            Effect::Used { session, user, days } | Effect::InterimUse { session, user, days, .. } => {
                self.used(*session, user, days)
            }
            Effect::LeaseBegan(began) => self.lease_began(began),
            Effect::LeaseTaken { lease, session, user, at, prefix } => {
                self.lease_taken(*lease, *session, user.as_ref(), at.time, prefix.as_deref())
            }
            Effect::LeaseWaits { lease, .. } => self.lease_waits(*lease),
            Effect::LeaseEnded { lease, by, at } => self.lease_ended(*lease, *by, at.time),
            // They matter to what is decided next, and to no report.
            Effect::SessionReplaced { .. }
            | Effect::SessionAlive { .. }
            | Effect::SessionConfirmed { .. }
            | Effect::LeaseHeld { .. }
            | Effect::LeaseReleaseSeen { .. }
            | Effect::LateRelease { .. }
            | Effect::Blocked(_)
            | Effect::Elsewhere(_)
            | Effect::CursorMoved { .. }
            // The rows go by `purge` and `anonymise`, which cause it.
            | Effect::Forgotten { .. }
            | Effect::Anomaly(_)
            | Effect::Lost { .. }
            | Effect::ConfigRead(_) => Ok(()),
        }
    }

    /// A new instance: all that was open on this server has ended.
    fn instance(&mut self, began: &InstanceBegan) -> Result<(), Away> {
        self.statements.run(
            "INSERT INTO instances (server, token, started, last_activity) VALUES (:server, :token, :now, :now)
             ON CONFLICT DO NOTHING",
            named_params! {
                ":server": self.server.as_str(), ":token": began.instance.to_string(), ":now": began.at.time,
            },
        )?;
        let state = self.state;
        for session in state.live() {
            let closing = closing_of(session, began);
            self.session_ended(&closing.ended)?;
            if let Some(user) = &session.user {
                self.used(session.id, user, &closing.days)?;
            }
        }
        for lease in state.leases() {
            self.lease_ended(lease.id, EndedBy::ServiceEnded, began.at.time)?;
        }
        Ok(())
    }

    fn decision(&mut self) -> Result<(), Away> {
        let Some(decision) = &self.record.decision else { return Ok(()) };
        let of_session = self.record.session.and_then(|id| self.state.session(id)).map(|session| &session.user_name);
        let user_name = self.record.event.user_name().or(of_session).map_or("", Name::as_str);
        let user = decision.facts.user.known();
        let json = |e: serde_json::Error| Away { kind: crate::AwayKind::Other, message: e.to_string() };
        let facts = serde_json::to_string(&decision.facts).map_err(json)?;
        let groups = serde_json::to_string(&decision.groups).map_err(json)?;
        let counted = decision.counted.as_ref().map(serde_json::to_string).transpose().map_err(json)?;
        self.statements.run(
            "INSERT INTO decisions (time, server, instance, session, stage, domain, name, user_name, outcome, rule,
                 reason, refusal, config, ledger_away, facts, groups, counted)
             VALUES (:time, :server, coalesce((SELECT id FROM instances WHERE token = :instance), 0),
                 (SELECT id FROM sessions WHERE acct_session_id = :session), :stage, :domain, :name, :user_name, :outcome,
                 :rule, :reason, :refusal, :config, :ledger_away, :facts, :groups, :counted)",
            named_params! {
                ":time": decision.time, ":server": self.server.as_str(),
                ":instance": self.record.instance.to_string(),
                ":session": self.record.session.map(|session| session.to_string()),
                ":stage": decision.stage.name(), ":domain": user.map(|u| u.domain.as_str()),
                ":name": user.map(|u| u.name.as_str()), ":user_name": user_name, ":outcome": decision.outcome(),
                ":rule": decision.rule, ":reason": decision.why(), ":refusal": decision.refusal.as_ref().map(code),
                ":config": decision.config, ":ledger_away": decision.ledger_away, ":facts": facts, ":groups": groups,
                ":counted": counted,
            },
        )?;
        self.decision = Some(self.statements.connection.last_insert_rowid());
        Ok(())
    }

    fn lost(&mut self, events: u64) -> Result<(), Away> {
        self.out_of_order("events were lost while the ledger was away", &events.to_string(), events)
    }

    fn out_of_order(&mut self, what: &str, details: &str, lost: u64) -> Result<(), Away> {
        self.statements.run(
            "INSERT INTO anomalies (time, server, instance, what, details, lost)
             VALUES (:time, :server, coalesce((SELECT id FROM instances WHERE token = :instance), 0), :what, :details,
                 :lost)",
            named_params! {
                ":time": self.record.at.time, ":server": self.server.as_str(),
                ":instance": self.record.instance.to_string(), ":what": what, ":details": details,
                ":lost": i64::try_from(lost).unwrap_or(i64::MAX),
            },
        )?;
        Ok(())
    }

    fn config(&mut self, read: &ConfigRead) -> Result<(), Away> {
        let time = self.record.at.time;
        if let Some(texts) = &read.texts {
            self.statements.run(
                "INSERT INTO configs (hash, first_used, texts) VALUES (:hash, :now, :texts) ON CONFLICT DO NOTHING",
                named_params! { ":hash": read.hash, ":now": time, ":texts": texts },
            )?;
        }
        self.statements.run(
            "INSERT INTO loads (time, server, instance, version, config, fault)
             VALUES (:time, :server, coalesce((SELECT id FROM instances WHERE token = :instance), 0), :version, :config,
                 :fault)",
            named_params! {
                ":time": time, ":server": self.server.as_str(),
                ":instance": self.record.instance.to_string(), ":version": read.version, ":config": read.hash,
                ":fault": read.fault,
            },
        )?;
        Ok(())
    }
}

/// An identifier as the tables have it.
fn key(id: Id) -> String {
    id.to_string()
}
