//! Builds rules one after the other.

use super::condition::{Kind, ListId};
use super::dates::{Span, Spans};
use super::decide::{Default, Rule, Rules};
use super::hours::{Stretch, Week};
use super::index::Builder;
use super::names::{NamePattern, Names};
use super::networks::Networks;
use super::{
    Action, Fault, GroupId, Groups, IfAbsent, Limit, Needs, Period, UserPattern, WhenExceeded, WhenUnrecorded,
};
use crate::addresses::PoolId;
use crate::{InterfaceType, Quarantine, Tunnel};
use ipnet::IpNet;
use jiff::tz::TimeZone;

/// A condition. The [`RulesBuilder`] makes those on users and groups, for the rule that is added next.
#[derive(Debug)]
pub struct Condition(Kind);

impl Condition {
    /// The tunnel is one of these.
    pub fn tunnels(tunnels: &[Tunnel]) -> Self {
        Self(Kind::Tunnels(bits(tunnels.iter().map(|&tunnel| tunnel as u8))))
    }

    /// The quarantine state is one of these.
    pub fn quarantine(states: &[Quarantine]) -> Self {
        Self(Kind::Quarantine(bits(states.iter().map(|&state| state as u8))))
    }

    /// The interface's type is one of these.
    pub fn interface_types(types: &[InterfaceType]) -> Self {
        Self(Kind::Interfaces(bits(types.iter().map(|&kind| kind as u8))))
    }

    /// The time is in one of these stretches, in the rules' time zone.
    pub fn hours(stretches: &[Stretch]) -> Self {
        Self(Kind::Hours(Week::new(stretches)))
    }

    /// The time is in one of these spans.
    pub fn dates(spans: impl IntoIterator<Item = Span>) -> Self {
        Self(Kind::Dates(Spans::new(spans)))
    }

    /// The client's public address is in one of these networks.
    pub fn source_networks(networks: impl IntoIterator<Item = IpNet>) -> Self {
        Self(Kind::Sources(Networks::new(networks)))
    }

    /// The port is one of these.
    pub fn ports(names: impl IntoIterator<Item = NamePattern>) -> Self {
        Self(Kind::Ports(Names::new(names)))
    }

    /// The RRAS server is one of these.
    pub fn servers(names: impl IntoIterator<Item = NamePattern>) -> Self {
        Self(Kind::Servers(Names::new(names)))
    }

    /// The remote computer is one of these.
    pub fn remote_computers(names: impl IntoIterator<Item = NamePattern>) -> Self {
        Self(Kind::Computers(Names::new(names)))
    }

    /// The number of the user's other live sessions is within the limit.
    pub fn user_sessions(limit: Limit) -> Self {
        Self(Kind::UserSessions(limit))
    }

    /// The number of the group's other live sessions is within the limit.
    pub fn group_sessions(group: GroupId, limit: Limit) -> Self {
        Self(Kind::GroupSessions(group, limit))
    }

    /// The user's connect time in the period, in seconds, is within the limit.
    pub fn connect_time(period: Period, limit: Limit) -> Self {
        Self(Kind::ConnectTime(period, limit))
    }

    /// The octets that the user has received and sent in the period are within the limit.
    pub fn octets(period: Period, limit: Limit) -> Self {
        Self(Kind::Octets(period, limit))
    }

    /// The session has lasted so many seconds.
    pub fn session_time(limit: Limit) -> Self {
        Self(Kind::SessionTime(limit))
    }

    /// Its name.
    pub fn field(&self) -> &'static str {
        self.0.field()
    }

    /// Does it depend on a count?
    pub fn counts(&self) -> bool {
        self.0.counts()
    }

    /// Is what it asks for known when RRAS asks for the client's address? Only such conditions can choose a pool.
    pub fn is_known_at_address_time(&self) -> bool {
        self.0.known_at_address_time()
    }
}

fn bits(values: impl Iterator<Item = u8>) -> u8 {
    values.fold(0, |bits, value| bits | 1 << value)
}

/// A rule to add.
#[derive(Debug)]
pub struct NewRule {
    /// Its name.
    pub name: String,
    /// The reason, for people.
    pub reason: Option<String>,
    /// What it decides.
    pub action: Action,
    /// Is a connection accepted that it allows but that cannot be recorded? `None` if the configuration decides.
    pub when_unrecorded: Option<WhenUnrecorded>,
    /// What it does if its limit for the user's sessions is exceeded. Only a rule that denies can have one.
    pub when_exceeded: WhenExceeded,
    /// Does it hold for live sessions too? After so many seconds. Only a rule that denies can have this.
    pub active: Option<u64>,
    /// How its conditions treat absent facts.
    pub if_absent: IfAbsent,
    /// Its conditions, each with the text of what it asks for. All must hold.
    pub conditions: Vec<(Condition, String)>,
    /// The pools for users whom it allows: IPv4, IPv6.
    pub pools: [Option<PoolId>; 2],
}

/// How many other sessions a user keeps, if the oldest are replaced instead of denying the new one.
fn keeps(action: Action, when_exceeded: WhenExceeded, conditions: &[Kind]) -> Option<u64> {
    if action != Action::Deny || when_exceeded != WhenExceeded::ReplaceOldest {
        return None;
    }
    let limit = |kind: &Kind| match kind {
        Kind::UserSessions(limit) => limit.exceeded_above(),
        _ => None,
    };
    conditions.iter().filter_map(limit).min()
}

/// What decides if no rule does.
#[derive(Debug)]
pub struct NewDefault {
    /// What it decides.
    pub action: Action,
    /// The reason, for people.
    pub reason: Option<String>,
}

/// Builds rules, in the order in which they are evaluated.
#[derive(Debug)]
pub struct RulesBuilder {
    rules: Vec<Rule>,
    /// The number of the next list of users or of groups.
    next: ListId,
    users: Builder,
    by_group: Vec<Vec<u32>>,
    group_names: Box<[String]>,
    needs: Needs,
}

impl RulesBuilder {
    /// Begins rules for these groups.
    pub fn new(groups: &Groups) -> Self {
        Self {
            rules: Vec::new(),
            next: ListId(0),
            users: Builder::default(),
            by_group: groups.names().map(|_| Vec::new()).collect(),
            group_names: groups.names().map(str::to_owned).collect(),
            needs: Needs::default(),
        }
    }

    fn list(&mut self) -> ListId {
        let list = self.next;
        self.next.0 += 1;
        list
    }

    fn list_of_users(&mut self, patterns: impl IntoIterator<Item = UserPattern>) -> Result<ListId, Fault> {
        let list = self.list();
        patterns.into_iter().try_for_each(|pattern| self.users.add(pattern, list.0))?;
        Ok(list)
    }

    fn list_of_groups(&mut self, groups: impl IntoIterator<Item = GroupId>) -> ListId {
        let list = self.list();
        for group in groups {
            if let Some(lists) = self.by_group.get_mut(group.0 as usize) {
                lists.push(list.0);
            }
        }
        list
    }

    /// A condition of the next rule: the user is one of these.
    ///
    /// # Errors
    ///
    /// The rules name too many domains or patterns.
    pub fn users(&mut self, patterns: impl IntoIterator<Item = UserPattern>) -> Result<Condition, Fault> {
        Ok(Condition(Kind::Users(self.list_of_users(patterns)?)))
    }

    /// A condition of the next rule: the user is none of these.
    ///
    /// # Errors
    ///
    /// The rules name too many domains or patterns.
    pub fn not_users(&mut self, patterns: impl IntoIterator<Item = UserPattern>) -> Result<Condition, Fault> {
        Ok(Condition(Kind::NotUsers(self.list_of_users(patterns)?)))
    }

    /// A condition of the next rule: the user is in one of these groups.
    pub fn groups(&mut self, groups: impl IntoIterator<Item = GroupId>) -> Condition {
        Condition(Kind::Groups(self.list_of_groups(groups)))
    }

    /// A condition of the next rule: the user is in none of these groups.
    pub fn not_groups(&mut self, groups: impl IntoIterator<Item = GroupId>) -> Condition {
        Condition(Kind::NotGroups(self.list_of_groups(groups)))
    }

    /// Adds a rule. Conditions that count are evaluated last, because they cost the most.
    pub fn rule(&mut self, rule: NewRule) {
        let (counting, plain): (Vec<_>, Vec<_>) =
            rule.conditions.into_iter().partition(|(condition, _)| condition.counts());
        let first_counting = plain.len();
        let all = plain.into_iter().chain(counting).map(|(condition, asked)| (condition.0, asked));
        let (conditions, asked): (Vec<_>, Vec<_>) = all.unzip();
        conditions.iter().for_each(|condition| condition.add_to(&mut self.needs));
        self.rules.push(Rule {
            name: rule.name,
            reason: rule.reason,
            action: rule.action,
            when_unrecorded: rule.when_unrecorded,
            keeps: keeps(rule.action, rule.when_exceeded, &conditions),
            active: rule.active.filter(|_| rule.action == Action::Deny),
            if_absent: rule.if_absent,
            conditions: conditions.into(),
            counting: first_counting,
            asked: asked.into(),
            pools: rule.pools,
        });
    }

    /// Builds the rules, with the default and the time zone of the hours.
    pub fn build(self, default: NewDefault, zone: TimeZone) -> Rules {
        Rules {
            rules: self.rules.into(),
            default: Default { action: default.action, reason: default.reason },
            lists: self.next.0 as usize,
            users: self.users.build(),
            by_group: self.by_group.into_iter().map(Vec::into_boxed_slice).collect(),
            group_names: self.group_names,
            zone,
            needs: self.needs,
        }
    }
}
