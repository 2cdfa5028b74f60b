//! Sums over a period: by user, group, tunnel, day or rule.

use super::filter::Filter;
use super::sessions::SessionRow;
use super::{DecidedBy, Direction, OctetsAre, Progress, Reader, rfc3339_or_null};
use crate::sqlite::{ColumnError, Row};
use crate::value::values;
use crate::{Error, queries};
use jiff::tz::TimeZone;
use rasadmin_engine::Millis;
use rasadmin_engine::config::Config;
use rasadmin_engine::rules::{days_between, period_dates};
use rasadmin_engine::{Facts, Identity, Name};
use rasadmin_policy::timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// A day, in milliseconds.
const DAY: Millis = 86_400_000;

/// What a report is grouped by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum GroupBy {
    User,
    /// The groups of the configuration. A user of several groups counts in each.
    Group,
    Tunnel,
    /// Days.
    Day,
    /// The rule that decided last.
    Rule,
}

/// A row of a report: sums over the sessions of one user, group, tunnel, day or rule in a period.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Total {
    /// The user, group, tunnel, day or rule. Null stands for the sessions that have none. If the DLL itself denied, the
    /// kind of its refusal: `exhausted`, `blocked` and so on.
    pub key: Option<String>,
    /// In a report by rule, what decided. Null in the others.
    pub decided_by: Option<DecidedBy>,
    /// The number of sessions that were connected in the period.
    pub sessions: u64,
    /// The number of different users.
    pub users: u64,
    /// The time connected within the period, in seconds. Live sessions count until now, and sessions without an end
    /// until they were last seen: if there are some of these, it is a lower bound.
    #[serde(rename = "connected_seconds")]
    pub seconds: u64,
    /// The number of sessions whose end is not in the log that they were imported from.
    pub without_end: u64,
    /// Octets from the users, of the sessions that ended in the period.
    #[serde(rename = "acct_input_octets")]
    pub input_octets: u64,
    /// Octets to the users, of the sessions that ended in the period.
    #[serde(rename = "acct_output_octets")]
    pub output_octets: u64,
    /// True if the octets are a lower bound: a 32-bit counter may have wrapped in one of the sessions, or the octets of
    /// one are not known.
    pub octets_are_lower_bound: bool,
    /// The number of sessions that were connected in the period, are no longer live, and whose octets are not known. They
    /// count even if they ended after the period.
    pub without_octets: u64,
    /// What is known of the octets from the users.
    #[serde(skip)]
    pub input: Direction,
    /// What is known of the octets to the users.
    #[serde(skip)]
    pub output: Direction,
    /// The number of imported sessions that a restart ended, at the latest.
    #[serde(skip)]
    pub ended_at_latest: u64,
    /// The number of sessions whose end nobody saw, so that their time is an estimate.
    pub estimated: u64,
    /// The number of attempts that were denied, by rasadmin or (in imported logs) by NPS, and of live sessions that were
    /// cut.
    pub denied: u64,
}

/// What a user has used in a period, as quotas count it. Live sessions are not included.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct UsageRow {
    /// The user's domain in upper case, as `[domains]` maps it.
    pub domain: Name,
    /// The user's name in upper case, without the domain.
    pub name: Name,
    /// The first day of the period in the configured time zone, such as `2026-11-23`.
    pub from: String,
    /// The time connected, in seconds. A session is split at midnight.
    #[serde(rename = "connected_seconds")]
    pub seconds: u64,
    /// Octets from the user, of the sessions that ended in the period.
    #[serde(rename = "acct_input_octets")]
    pub input_octets: u64,
    /// Octets to the user, of the sessions that ended in the period.
    #[serde(rename = "acct_output_octets")]
    pub output_octets: u64,
    /// The number of sessions.
    pub sessions: u64,
}

/// A user in the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct KnownUser {
    /// The user's domain in upper case, as `[domains]` maps it.
    pub domain: Name,
    /// The user's name in upper case, without the domain.
    pub name: Name,
    /// The number of sessions that are connected now.
    pub live_sessions: u64,
    /// The number of all sessions. Connections whose first link was rejected or never came do not count.
    pub sessions: u64,
    /// When the first session began: RFC 3339, UTC. Null if the user has had none.
    #[serde(serialize_with = "rfc3339_or_null")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub first: Option<Millis>,
    /// When the last session ended, or began if it is live: RFC 3339, UTC. Null if the user has had none.
    #[serde(serialize_with = "rfc3339_or_null")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub last: Option<Millis>,
    /// When the user was last denied: RFC 3339, UTC. Null if that never happened.
    #[serde(serialize_with = "rfc3339_or_null")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub last_denied: Option<Millis>,
}

/// Whole seconds from one time to another; 0 if the clock went back.
fn elapsed(start: Millis, stop: Millis) -> u64 {
    u64::try_from((stop - start) / 1000).unwrap_or(0)
}

/// The beginning of a month (`2026-11`) and of the next one, in a time zone; None if the text is not a month.
pub fn month(text: &str, zone: &TimeZone) -> Option<(Millis, Millis)> {
    let first: jiff::civil::Date = format!("{text}-01").parse().ok().filter(|_| text.len() == 7)?;
    let start = |date: jiff::civil::Date| zone.to_timestamp(date.to_datetime(jiff::civil::Time::midnight())).ok();
    let next = first.last_of_month().tomorrow().ok()?;
    Some((start(first)?.as_millisecond(), start(next)?.as_millisecond()))
}

#[derive(Default)]
struct Sum {
    total: Total,
    users: BTreeSet<(String, String)>,
}

/// A row's name, and in a report by rule what decided.
type Key = (Option<DecidedBy>, Option<String>);

/// A row's name in every report but the one by rule.
const fn named(name: Option<String>) -> Key {
    (None, name)
}

/// What decided, by the columns `rule` and `refusal` of a decision.
fn decided(rule: Option<String>, refusal: Option<String>) -> Key {
    (Some(DecidedBy::of(rule.as_deref(), refusal.as_deref())), refusal.or(rule))
}

/// The rows by key, in the order of the keys.
struct Sums<'c> {
    by: GroupBy,
    config: &'c Config,
    /// For days.
    zone: &'c TimeZone,
    rows: BTreeMap<Key, Sum>,
}

impl Sums<'_> {
    /// A rule that decided nothing has a row too.
    fn new<'c>(by: GroupBy, config: &'c Config, zone: &'c TimeZone) -> Sums<'c> {
        let mut sums = Sums { by, config, zone, rows: BTreeMap::new() };
        if by == GroupBy::Rule {
            let rules = config.rules.names().map(|name| (decided(Some(name.to_owned()), None), Sum::default()));
            sums.rows.extend(rules);
        }
        sums
    }

    fn groups(&self, user: Option<&Identity>) -> Vec<Key> {
        let names: Vec<_> = self.config.groups.names().collect();
        let of = user.map(|user| self.config.groups.of(user)).unwrap_or_default();
        let groups: Vec<_> = of.iter().map(|group| named(names.get(group.0 as usize).map(|&n| n.to_owned()))).collect();
        if groups.is_empty() { vec![named(None)] } else { groups }
    }

    fn row(&mut self, key: Key, user: Option<&Identity>, name: &Name) -> &mut Total {
        let sum = self.rows.entry(key).or_default();
        sum.users.insert(match user {
            Some(user) => (user.domain.as_str().to_owned(), user.name.as_str().to_owned()),
            None => (String::new(), name.as_str().to_owned()),
        });
        &mut sum.total
    }

    fn session(&mut self, session: &SessionRow, rule: Key, from: Millis, to: Millis, now: Millis) {
        // A live session has reached no time that is still to come.
        if session.is_live() && from > now {
            return;
        }
        let user = session.user();
        let stop = session.connected_until(now);
        // The seconds that RRAS counted end at the stop.
        let seconds = session.acct_session_time.unwrap_or_else(|| elapsed(session.acct_start_time, stop));
        let start = stop.saturating_sub(i64::try_from(seconds).unwrap_or(0).saturating_mul(1000));
        let ended_here = !session.is_live() && stop >= from && stop < to;
        let zone = self.zone;
        let keys = match self.by {
            GroupBy::User => {
                vec![named(Some(user.as_ref().map_or_else(|| session.user_name.to_string(), ToString::to_string)))]
            }
            GroupBy::Group => self.groups(user.as_ref()),
            GroupBy::Tunnel => vec![named(session.tunnel_type.clone())],
            GroupBy::Rule => vec![rule],
            GroupBy::Day => Vec::new(),
        };
        let (first, last) = (timestamp(start.max(from)), timestamp(stop.min(to)));
        let mut days: Vec<_> = days_between(first, last, zone).collect();
        if days.is_empty() {
            // The session lasted less than a second.
            days.push((period_dates(rasadmin_engine::config::file::Period::Day, first, zone).0, 0));
        }
        let inside: u64 = days.iter().map(|(_, seconds)| seconds).sum();
        let rows: Vec<(Key, u64, bool)> = match self.by {
            GroupBy::Day => {
                let end = days.len() - 1;
                let days = days.into_iter().enumerate();
                days.map(|(at, (day, seconds))| (named(Some(day)), seconds, ended_here && at == end)).collect()
            }
            _ => keys.into_iter().map(|key| (key, inside, ended_here)).collect(),
        };
        for (key, seconds, ended) in rows {
            let row = self.row(key, user.as_ref(), &session.user_name);
            row.sessions += 1;
            row.seconds += seconds;
            row.estimated += u64::from(session.estimated);
            row.without_end += u64::from(session.last_seen.is_some());
            row.ended_at_latest += u64::from(session.ended_at_latest());
            // The octets of a live session are still to come.
            if !session.is_live() {
                let (input, output) = (session.acct_input_octets, session.acct_output_octets);
                let least = session.octets_are_lower_bound();
                row.input_octets += row.input.add(input, ended, least);
                row.output_octets += row.output.add(output, ended, least);
                row.without_octets += u64::from(input.is_none() || output.is_none());
                row.octets_are_lower_bound |= [row.input, row.output].iter().any(|way| way.are() != OctetsAre::Exact);
            }
        }
    }

    fn finish(self) -> Vec<Total> {
        let rows = self.rows.into_iter();
        rows.map(|((decided_by, key), sum)| Total { key, decided_by, users: sum.users.len() as u64, ..sum.total })
            .collect()
    }
}

impl Reader {
    /// Makes a report from `from` (included) to `to` (not included): one row for each key, in the order of the keys. Days are
    /// those of `zone`. A report by rule has a row for each rule of the configuration.
    pub fn totals(
        &self,
        by: GroupBy,
        from: Millis,
        to: Millis,
        now: Millis,
        config: &Config,
        zone: &TimeZone,
    ) -> Result<Vec<Total>, Error> {
        self.totals_with(by, from, to, now, config, zone, &mut |_, _| {})
    }

    /// The same; `progress` is called with the number of sessions that were read, and that there are.
    #[allow(clippy::too_many_arguments)]
    pub fn totals_with(
        &self,
        by: GroupBy,
        from: Millis,
        to: Millis,
        now: Millis,
        config: &Config,
        zone: &TimeZone,
        progress: Progress<'_>,
    ) -> Result<Vec<Total>, Error> {
        let mut sums = Sums::new(by, config, zone);
        let rules = if by == GroupBy::Rule { self.deciding_rules(from, to)? } else { BTreeMap::new() };
        self.each_summed_in(from, to, progress, &mut |session| {
            let unknown =
                || (Some(if session.imported.is_some() { DecidedBy::Import } else { DecidedBy::Unknown }), None);
            let rule = rules.get(&session.id).map_or_else(unknown, |rule| decided(rule.clone(), None));
            sums.session(&session, rule, from, to, now);
        })?;
        self.database.each(queries::DENIED, values! { from: from, to: to }, |row| {
            let user = match (row.get(1)?, row.get(2)?) {
                (Some(domain), Some(name)) => Some(Identity { domain, name }),
                _ => None,
            };
            let name: Name = row.get(3)?;
            let keys = match by {
                GroupBy::User => vec![named(Some(user.as_ref().map_or_else(|| name.to_string(), ToString::to_string)))],
                GroupBy::Group => sums.groups(user.as_ref()),
                GroupBy::Tunnel => vec![named(tunnel(row, 5)?)],
                GroupBy::Rule if row.get::<Option<String>>(7)?.is_some() => vec![(Some(DecidedBy::Nps), None)],
                GroupBy::Rule => vec![decided(row.get(4)?, row.get(6)?)],
                GroupBy::Day => {
                    let day = rasadmin_engine::config::file::Period::Day;
                    vec![named(Some(period_dates(day, timestamp(row.get(0)?), zone).0))]
                }
            };
            for key in keys {
                sums.row(key, user.as_ref(), &name).denied += 1;
            }
            Ok(())
        })?;
        Ok(sums.finish())
    }

    /// The rule that finally accepted each session of a period.
    fn deciding_rules(&self, from: Millis, to: Millis) -> Result<BTreeMap<i64, Option<String>>, Error> {
        let mut last = BTreeMap::<i64, (i64, Option<String>)>::new();
        self.database.each(
            queries::LET_IN,
            values! { from: from, to: to, day_before: from.saturating_sub(DAY) },
            |row| {
                let (session, rule, decision) = (row.get(0)?, row.get(1)?, row.get(2)?);
                if last.get(&session).is_none_or(|(earlier, _)| *earlier < decision) {
                    last.insert(session, (decision, rule));
                }
                Ok(())
            },
        )?;
        Ok(last.into_iter().map(|(session, (_, rule))| (session, rule)).collect())
    }

    /// What users have used between two days (both included): one row for each user and period. `period_start` returns
    /// the first day of the period of a day.
    pub fn usage(
        &self,
        filter: &Filter,
        first: &str,
        last: &str,
        period_start: &dyn Fn(&str) -> String,
    ) -> Result<Vec<UsageRow>, Error> {
        let mut all = Vec::<UsageRow>::new();
        // The sessions of the current sum. A session of several days counts once.
        let mut sessions = BTreeSet::new();
        let query = if filter.is_of_one_user() { queries::USAGE_OF_USER } else { queries::USAGE };
        let wanted = values! { name: filter.name(), domain: filter.domain(), first: first, last: last };
        self.database.each(query, wanted, |row| {
            let next = UsageRow {
                domain: row.get(0)?,
                name: row.get(1)?,
                from: period_start(&row.get::<String>(2)?),
                seconds: row.get(3)?,
                input_octets: row.get(4)?,
                output_octets: row.get(5)?,
                sessions: 1,
            };
            let session: String = row.get(6)?;
            match all.last_mut() {
                Some(last) if (&last.domain, &last.name, &last.from) == (&next.domain, &next.name, &next.from) => {
                    last.seconds += next.seconds;
                    last.input_octets += next.input_octets;
                    last.output_octets += next.output_octets;
                    sessions.insert(session);
                    last.sessions = sessions.len() as u64;
                }
                _ => {
                    sessions = BTreeSet::from([session]);
                    all.push(next);
                }
            }
            Ok(())
        })?;
        Ok(all)
    }

    /// The users that the ledger knows, by name.
    pub fn users(&self, filter: &Filter) -> Result<Vec<KnownUser>, Error> {
        let query = if filter.is_of_one_user() { queries::KNOWN_USER } else { queries::KNOWN_USERS };
        self.database.all(query, &filter.values(), KnownUser::read)
    }
}

impl KnownUser {
    pub(super) fn read(row: &Row<'_>) -> Result<Self, ColumnError> {
        Ok(Self {
            domain: row.get(0)?,
            name: row.get(1)?,
            live_sessions: row.get(2)?,
            sessions: row.get(3)?,
            first: row.get(4)?,
            last: row.get(5)?,
            last_denied: row.get(6)?,
        })
    }
}

/// The tunnel in a column of facts.
fn tunnel(row: &Row<'_>, at: usize) -> Result<Option<String>, ColumnError> {
    let facts: Facts = serde_json::from_str(&row.get::<String>(at)?).map_err(|e| ColumnError::new(at, e))?;
    Ok(facts.tunnel.known().map(|tunnel| tunnel.name().to_owned()))
}
