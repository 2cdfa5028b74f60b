//! Conditions of rules, and their evaluation. The same code decides and explains.

use super::dates::Spans;
use super::hours::{Week, minute_of_week};
use super::index::Bits;
use super::names::Names;
use super::networks::Networks;
use super::truth::Limit;
use super::{GroupId, GroupSet, IfAbsent, Needs, Period, RuleCounts, Truth};
use crate::{Fact, Facts, Name};
use jiff::civil::DateTime;
use std::net::IpAddr;

/// A condition. Lists of users and of groups are looked up once for all rules, by their numbers: see [`Seen`].
#[derive(Debug)]
pub(super) enum Kind {
    Users(ListId),
    NotUsers(ListId),
    Groups(ListId),
    NotGroups(ListId),
    /// A bit for each value.
    Tunnels(u8),
    Quarantine(u8),
    Interfaces(u8),
    Hours(Week),
    Dates(Spans),
    Sources(Networks),
    Ports(Names),
    Servers(Names),
    Computers(Names),
    UserSessions(Limit),
    GroupSessions(GroupId, Limit),
    ConnectTime(Period, Limit),
    Octets(Period, Limit),
    SessionTime(Limit),
}

/// A rule's list of users or of groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ListId(pub u32);

/// The facts, prepared once for all rules: folded, looked up, converted.
#[derive(Debug)]
pub(super) struct Seen<'a> {
    pub facts: &'a Facts,
    pub groups: &'a GroupSet,
    pub last: bool,
    pub source: Fact<IpAddr>,
    minute: u16,
    server: Name,
    port: Fact<Name>,
    computer: Fact<Name>,
    /// The lists that name the user, or one of the user's groups.
    lists: Bits,
}

impl<'a> Seen<'a> {
    pub(super) fn new(facts: &'a Facts, groups: &'a GroupSet, last: bool, clock: DateTime, lists: Bits) -> Self {
        let fold = |name: &Fact<Name>| match name {
            Fact::Known(name) => Fact::Known(name.folded()),
            Fact::NotYetKnown => Fact::NotYetKnown,
            Fact::Absent => Fact::Absent,
        };
        Self {
            facts,
            groups,
            last,
            source: facts.source.clone().map(|address| address.to_canonical()),
            minute: minute_of_week(clock),
            server: facts.server.folded(),
            port: fold(&facts.port),
            computer: fold(&facts.computer),
            lists,
        }
    }

    /// Does a rule's list name the user, or one of the user's groups?
    fn is_listed(&self, list: ListId) -> bool {
        self.lists.contains(list.0 as usize)
    }
}

impl Kind {
    /// Does it depend on a count?
    pub(super) fn counts(&self) -> bool {
        self.counts_sessions() || matches!(self, Self::ConnectTime(..) | Self::Octets(..) | Self::SessionTime(_))
    }

    /// Does it depend on the number of other sessions?
    pub(super) fn counts_sessions(&self) -> bool {
        matches!(self, Self::UserSessions(_) | Self::GroupSessions(..))
    }

    /// Can it begin to hold only because time passes or octets flow?
    pub(super) fn is_about_time(&self) -> bool {
        matches!(
            self,
            Self::Hours(_) | Self::Dates(_) | Self::SessionTime(_) | Self::ConnectTime(..) | Self::Octets(..)
        )
    }

    /// Is it known when RRAS asks for the client's address?
    pub(super) fn known_at_address_time(&self) -> bool {
        match self {
            Self::Users(_) | Self::NotUsers(_) | Self::Groups(_) | Self::NotGroups(_) => true,
            Self::Hours(_) | Self::Dates(_) | Self::Ports(_) | Self::Servers(_) => true,
            Self::UserSessions(_) | Self::GroupSessions(..) | Self::ConnectTime(..) | Self::Octets(..) => true,
            Self::SessionTime(_) => true,
            Self::Tunnels(_) | Self::Quarantine(_) | Self::Interfaces(_) | Self::Sources(_) | Self::Computers(_) => {
                false
            }
        }
    }

    /// Evaluates it on the facts. For a condition that counts: what it says without the numbers.
    pub(super) fn truth(&self, if_absent: IfAbsent, seen: &Seen<'_>) -> Truth {
        let facts = seen.facts;
        match self {
            Self::Users(list) | Self::Groups(list) => Truth::of(&facts.user, if_absent, |_| seen.is_listed(*list)),
            // A user who cannot be placed may be one of the exceptions.
            Self::NotUsers(list) | Self::NotGroups(list) => match &facts.user {
                Fact::Known(user) if !seen.is_listed(*list) && !user.is_placed() => Truth::Unknown,
                user => Truth::of(user, if_absent, |_| !seen.is_listed(*list)),
            },
            Self::Tunnels(mask) => Truth::of(&facts.tunnel, if_absent, |&tunnel| mask >> tunnel as u8 & 1 == 1),
            Self::Quarantine(mask) => Truth::of(&facts.quarantine, if_absent, |&state| mask >> state as u8 & 1 == 1),
            Self::Interfaces(mask) => Truth::of(&facts.interface, if_absent, |&kind| mask >> kind as u8 & 1 == 1),
            Self::Hours(week) => week.contains(seen.minute).into(),
            Self::Dates(spans) => spans.contain(facts.time.as_second()).into(),
            Self::Sources(networks) => Truth::of(&seen.source, if_absent, |&address| networks.contains(address)),
            Self::Ports(names) => Truth::of(&seen.port, if_absent, |port| names.contains(port)),
            Self::Servers(names) => names.contains(&seen.server).into(),
            Self::Computers(names) => Truth::of(&seen.computer, if_absent, |computer| names.contains(computer)),
            Self::GroupSessions(..) | Self::SessionTime(_) => Truth::Unknown,
            Self::UserSessions(_) | Self::ConnectTime(..) | Self::Octets(..) => match facts.user {
                Fact::Known(_) | Fact::NotYetKnown => Truth::Unknown,
                Fact::Absent => Truth::absent(if_absent),
            },
        }
    }

    /// Does it need a count? Sessions can be counted only for a known user.
    pub(super) fn asks(&self, seen: &Seen<'_>) -> bool {
        match self {
            Self::GroupSessions(..) | Self::SessionTime(_) => true,
            Self::UserSessions(_) | Self::ConnectTime(..) | Self::Octets(..) => seen.facts.user.known().is_some(),
            _ => false,
        }
    }

    /// Evaluates it on the counts, if it [`asks`](Self::asks) for them. `None` if they are missing.
    pub(super) fn counted(&self, counts: &RuleCounts) -> Option<Truth> {
        Some(match *self {
            Self::UserSessions(limit) => limit.holds_for(counts.user_sessions?),
            Self::GroupSessions(group, limit) => limit.holds_for(counts.group(group)?),
            Self::ConnectTime(period, limit) => {
                let seconds = counts.period(period)?.seconds;
                limit.holds(seconds, seconds)
            }
            Self::Octets(period, limit) => {
                let octets = counts.period(period)?.octets;
                limit.holds(octets, octets)
            }
            Self::SessionTime(limit) => limit.holds(counts.session_time, counts.session_time),
            _ => return None,
        })
    }

    /// Adds what must be counted for it.
    pub(super) fn add_to(&self, needs: &mut Needs) {
        match self {
            Self::UserSessions(_) => needs.user_sessions = true,
            Self::GroupSessions(group, _) => drop(needs.groups.insert(*group)),
            Self::ConnectTime(period, _) | Self::Octets(period, _) => drop(needs.periods.insert(*period)),
            Self::SessionTime(_) => needs.session_time = true,
            _ => (),
        }
    }

    /// Its name in the configuration.
    pub(super) const fn field(&self) -> &'static str {
        match self {
            Self::Users(_) => "users",
            Self::NotUsers(_) => "not_users",
            Self::Groups(_) => "groups",
            Self::NotGroups(_) => "not_groups",
            Self::Tunnels(_) => "tunnels",
            Self::Quarantine(_) => "quarantine",
            Self::Interfaces(_) => "interface_types",
            Self::Hours(_) => "hours",
            Self::Dates(_) => "dates",
            Self::Sources(_) => "source_networks",
            Self::Ports(_) => "ports",
            Self::Servers(_) => "servers",
            Self::Computers(_) => "remote_computers",
            Self::UserSessions(_) => "user_sessions",
            Self::GroupSessions(..) => "group_sessions",
            Self::ConnectTime(..) => "connect_time",
            Self::Octets(..) => "octets",
            Self::SessionTime(_) => "session_time",
        }
    }
}
