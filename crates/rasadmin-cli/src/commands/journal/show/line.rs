//! A record as a line.

use crate::block_subject::shown;
use crate::times;
use jiff::tz::TimeZone;
use rasadmin_engine::effect::{
    Block, BlockSubject, DisconnectDecided, Disconnecting, EarlierBlock, Effect, Enforcement, Forgetting,
};
use rasadmin_engine::event::BeginBlock;
use rasadmin_engine::{Answer, Decision, Event, Id, Identity, Millis, Name, Record};
use rasadmin_ledger::report::UserFilter;
use rasadmin_policy::addresses::{Address, Family, text};
use rasadmin_policy::config::Config;
use std::collections::HashMap;

/// Above the lines.
pub const HEADER: &str =
    "  record  time                 event             user                      decision, answer, changes";

/// Makes lines. Links and hangups do not name their user; their session does, which began earlier.
pub struct Lines<'c> {
    config: &'c Config,
    zone: &'c TimeZone,
    filter: Option<UserFilter>,
    users: HashMap<Id, Identity>,
}

impl<'c> Lines<'c> {
    /// `zone`: that of the times. `filter`: only this user.
    pub fn new(config: &'c Config, zone: &'c TimeZone, filter: Option<UserFilter>) -> Self {
        Self { config, zone, filter, users: HashMap::new() }
    }

    /// The line of a record; None if it is another user's.
    pub fn record(&mut self, number: u64, payload: &[u8]) -> Option<String> {
        let decoded = match rasadmin_recorder::decode(payload) {
            Ok(decoded) => decoded,
            Err(_) if self.filter.is_some() => return None,
            Err(_) => return Some(format!("{number:>8}  it cannot be read: it is damaged, or from a newer version")),
        };
        let record = decoded.record;
        let user = self.user(&record);
        for effect in &record.effects {
            match effect {
                Effect::SessionBegan(began) => {
                    self.users.extend(began.user.clone().map(|user| (began.session, user)));
                }
                Effect::SessionEnded(ended) => drop(self.users.remove(&ended.session)),
                _ => {}
            }
        }
        if self.filter.as_ref().is_some_and(|filter| !user.as_ref().is_some_and(|user| matches(filter, user))) {
            return None;
        }
        let user = user.map(|user| user.to_string()).or_else(|| record.event.user_name().map(ToString::to_string));
        let time = times::show(record.at.time, self.zone);
        let mut parts = outcome(&record);
        parts.extend(record.effects.iter().filter_map(|effect| change(effect, &record.event, self.zone)));
        if decoded.unknown > 0 {
            parts.push(format!("{} from a newer version", crate::format::count(decoded.unknown, "part")));
        }
        if let Event::CloseSession { by, reason, .. } | Event::ReleaseAddress { by, reason, .. } = &record.event
            && (by.is_some() || reason.is_some())
        {
            let by = by.as_deref().unwrap_or("somebody");
            parts.push(format!("by {by}{}", given(reason.as_deref())));
        }
        if record.late {
            parts.push("written late".to_owned());
        }
        let (event, user) = (event(&record.event), user.unwrap_or_default());
        Some(format!("{number:>8}  {time}  {event:<16}  {user:<24}  {}", parts.join("; ")))
    }

    fn user(&self, record: &Record) -> Option<Identity> {
        let decided = record.decision.as_ref().and_then(|decision| decision.facts.user.known().cloned());
        let of_session = || record.session.and_then(|session| self.users.get(&session)).cloned();
        let domain = match &record.event {
            Event::Connection(event)
            | Event::Hangup(event)
            | Event::Reauthentication(event)
            | Event::EndpointChange(event) => event.domain.clone(),
            _ => Name::default(),
        };
        let named = || record.event.user_name().and_then(|name| self.config.domains.identity(name, &domain));
        let administrators = match &record.event {
            Event::Block(block) => Some(block.user.clone()),
            Event::BeginBlock(BeginBlock { subject: BlockSubject::User(user), .. })
            | Event::EndBlock { subject: BlockSubject::User(user), .. } => Some(user.clone()),
            Event::Forget { user, .. } => user.clone(),
            _ => None,
        };
        decided.or_else(of_session).or_else(named).or(administrators)
    }
}

fn matches(filter: &UserFilter, user: &Identity) -> bool {
    filter.name == user.name && filter.domain.as_ref().is_none_or(|domain| *domain == user.domain)
}

/// In place of records that are missing.
pub fn gap(first: u64, last: u64) -> String {
    if first == last {
        format!("{first:>8}  this record is missing: it could not be read")
    } else {
        format!("{first:>8}  records {first} to {last} are missing: they could not be read")
    }
}

fn event(event: &Event) -> &'static str {
    match event {
        Event::Address(asked) if asked.family == Family::Ipv6 => "IPv6 address",
        Event::Address(_) => "IPv4 address",
        Event::Connection(_) => "connection",
        Event::Link(_) => "link",
        Event::Reauthentication(_) => "reauthentication",
        Event::EndpointChange(_) => "endpoint change",
        Event::LinkHangup(_) => "link hangup",
        Event::Hangup(_) => "hangup",
        Event::Release(_) => "release",
        Event::InstanceStarted { .. } => "RRAS started",
        Event::ProcessEnded { .. } => "process ended",
        Event::ConfigRead(_) => "configuration",
        Event::Lost { .. } => "events lost",
        Event::Repeated(_) => "refused again",
        Event::Carried => "carried over",
        Event::ReleaseAddress { .. } => "release by hand",
        Event::CloseSession { .. } => "close by hand",
        Event::Block(_) | Event::BeginBlock(_) => "block",
        Event::EndBlock { .. } => "unblock",
        Event::Disconnect(_) => "disconnect",
        Event::Look(_) => "look",
        Event::RemoteSessions(_) => "elsewhere",
        Event::Forget { how: Forgetting::Purge, .. } => "purge",
        Event::Forget { how: Forgetting::Anonymise, .. } => "anonymise",
    }
}

/// What was decided and answered.
fn outcome(record: &Record) -> Vec<String> {
    let mut parts: Vec<String> = record.decision.iter().map(decision).collect();
    match &record.answer {
        Answer::Address(given) => parts.push(match &record.event {
            Event::Address(asked) => show(Address { family: asked.family, number: given.number }),
            _ => given.number.to_string(),
        }),
        Answer::AsOffered => parts.push("RRAS's offer is kept".to_owned()),
        Answer::Nothing | Answer::Accept | Answer::Reject => {}
    }
    parts
}

fn decision(decision: &Decision) -> String {
    let by = decision.rule.as_ref().map_or_else(|| "the default".to_owned(), |rule| format!("`{rule}`"));
    match (&decision.refusal, decision.allow) {
        (Some(refusal), _) => format!("deny: {refusal}"),
        (None, true) => format!("{} by {by}{}", decision.outcome(), replaced(decision)),
        (None, false) => match &decision.reason {
            Some(reason) => format!("deny by {by}: {reason}"),
            None => format!("deny by {by}"),
        },
    }
}

/// The sessions that are to be disconnected in exchange.
fn replaced(decision: &Decision) -> String {
    match decision.replaces.len() {
        0 => String::new(),
        1 => "; the user's oldest session is to be disconnected".to_owned(),
        more => format!("; the user's {more} oldest sessions are to be disconnected"),
    }
}

/// What changed, as far as people ask.
fn change(effect: &Effect, event: &Event, zone: &TimeZone) -> Option<String> {
    Some(match effect {
        Effect::InstanceBegan(began) => format!("{} begins anew", began.server),
        Effect::SessionBegan(began) if began.adopted => "session found".to_owned(),
        Effect::SessionBegan(_) => "session begins".to_owned(),
        Effect::SessionEstablished { port, .. } => format!("established on {port}"),
        Effect::SessionReplaced { .. } => "it takes an earlier session's place".to_owned(),
        Effect::SessionAlive { .. } => "it counts again".to_owned(),
        Effect::SourceChanged { source, .. } => format!("from {source}"),
        Effect::QuarantineChanged { quarantine, .. } => {
            format!("quarantine {}", quarantine.map_or("unknown", |state| state.name()))
        }
        Effect::SessionEnded(ended) => format!(
            "session ends ({}) after {}, {} received, {} sent",
            ended.by.name(),
            times::duration(ended.usage.seconds),
            times::octets(ended.usage.input_octets),
            times::octets(ended.usage.output_octets)
        ),
        Effect::DisconnectDecided(decided) => to_disconnect(decided)?,
        Effect::SessionRevived { .. } => "session lives on".to_owned(),
        Effect::LinkBegan(began) => format!("link on {}", began.port),
        Effect::LinkEnded { port, .. } => format!("link on {port} ends"),
        Effect::LeaseBegan(began) => format!("lease begins ({})", began.pool.as_deref().unwrap_or(began.origin.name())),
        Effect::LeaseEnded { by, .. } => format!("lease ends ({})", by.name()),
        Effect::LateRelease { .. } => "the lease had ended already".to_owned(),
        Effect::Blocked(EarlierBlock { until: Some(until), reason, .. }) => {
            blocked(None, Some(*until), reason.as_deref(), zone)
        }
        Effect::Blocked(_) => "the user is let in again".to_owned(),
        Effect::BlockBegan(Block { subject, until, reason, by, .. }) => {
            computer(subject) + &blocked(by.as_deref(), *until, reason.as_deref(), zone)
        }
        Effect::BlockEnded { subject } => {
            let (by, reason) = match event {
                Event::EndBlock { by, reason, .. } => (by.as_deref(), reason.as_deref()),
                _ => (None, None),
            };
            format!("{}unblocked{}{}", computer(subject), by_account(by), given(reason))
        }
        Effect::Anomaly(anomaly) => format!("{}: {}", anomaly.what(), anomaly.details()),
        Effect::ConfigRead(read) => match &read.fault {
            Some(_) => format!("the file is broken; {} stays in force", read.hash),
            None => format!("{}, version {}", read.hash, read.version),
        },
        Effect::Counted(counted) => {
            format!("octets of {}", crate::format::count(counted.sessions.len() as u64, "session"))
        }
        Effect::RefusalRepeated(repeated) => format!("{} more times within a minute", repeated.times),
        Effect::Lost { events } => format!("{} could not be recorded", crate::format::count(*events, "event")),
        // These accompany the others and say nothing more.
        Effect::SessionConfirmed { .. }
        | Effect::LeaseTaken { .. }
        | Effect::LeaseHeld { .. }
        | Effect::LeaseWaits { .. }
        | Effect::LeaseReleaseSeen { .. }
        | Effect::Used { .. }
        | Effect::InterimUse { .. }
        | Effect::UseCarried(_)
        | Effect::RemoteSession(_)
        | Effect::CursorMoved { .. }
        | Effect::Forgotten { .. } => return None,
    })
}

/// What is to happen to a session. The decision that marks one says so itself.
fn to_disconnect(decided: &DisconnectDecided) -> Option<String> {
    let verb = match decided.how {
        Enforcement::Marked => return None,
        Enforcement::Reported => "would be disconnected",
        Enforcement::Enforced => "is disconnected",
    };
    let why = match &decided.why {
        Disconnecting::Rule { rule, .. } => format!("by `{rule}`"),
        Disconnecting::Blocked => "because of a block".to_owned(),
        Disconnecting::Replaced => "because a newer session replaces it".to_owned(),
        Disconnecting::Asked { .. } => "on request".to_owned(),
    };
    let reason = decided.why.reason().map(|reason| format!(": {reason}")).unwrap_or_default();
    Some(format!("{verb} {why}{}{reason}", by_account(decided.by.as_deref())))
}

/// Who it is, if the line's column of users cannot say it.
fn computer(subject: &BlockSubject) -> String {
    match subject {
        BlockSubject::User(_) => String::new(),
        BlockSubject::ClaimedComputer(_) => format!("{}: ", shown(subject)),
    }
}

/// `by`: the account that asked for it.
fn blocked(by: Option<&str>, until: Option<Millis>, reason: Option<&str>, zone: &TimeZone) -> String {
    format!("blocked{} {}{}", by_account(by), times::until(until, zone), given(reason))
}

/// The reason that somebody gave, as the end of a line.
fn given(reason: Option<&str>) -> String {
    reason.map(|reason| format!(": {reason}")).unwrap_or_default()
}

fn by_account(by: Option<&str>) -> String {
    by.map(|by| format!(" by {by}")).unwrap_or_default()
}

fn show(address: Address) -> String {
    text::show(address.number, address.family)
}
