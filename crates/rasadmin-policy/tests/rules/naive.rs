//! A second interpreter, straight from the file's types and as plain as can be: the specification in code.

use crate::world::domains;
use jiff::tz::TimeZone;
use rasadmin_policy::config::file::{Action, At, Default, Group, Hours, IfAbsent, Rule, WhenExceeded, WhenUnrecorded};
use rasadmin_policy::rules::{Count, RuleCounts};
use rasadmin_policy::{Fact, Facts, Identity, Name, Stage, Tunnel};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// The answer: allow, rule, for now, whether it is accepted unrecorded, and how many sessions the user keeps if the
/// oldest are replaced.
pub type Answer = (bool, Option<String>, bool, Option<WhenUnrecorded>, Option<u64>);

pub struct Naive<'a> {
    pub rules: &'a [At<Rule>],
    pub default: &'a Default,
    pub groups: &'a BTreeMap<At<String>, Group>,
    pub zone: &'a TimeZone,
    pub stage: Stage,
    pub facts: &'a Facts,
    pub counted: &'a RuleCounts,
}

/// True, false, or None: unknown.
type Kleene = Option<bool>;

impl Naive<'_> {
    pub fn decide(&self) -> Answer {
        let last = match self.stage {
            Stage::Ipv4Address | Stage::Ipv6Address => false,
            Stage::Connection => self.facts.tunnel == Fact::Known(Tunnel::Ikev2),
            Stage::Link | Stage::Reauthentication | Stage::EndpointChange => true,
        };
        let mut keeps: Option<u64> = None;
        for rule in self.rules {
            let rule = rule.get_ref();
            let conditions = self.conditions(rule, true);
            let truth = if conditions.contains(&Some(false)) {
                Some(false)
            } else if conditions.contains(&None) {
                None
            } else {
                Some(true)
            };
            let unrecorded = rule.when_unrecorded.as_ref().map(|when| *when.get_ref());
            let answer =
                |for_now| (rule.action == Action::Allow, Some(rule.name.get_ref().clone()), for_now, unrecorded, keeps);
            let mut counts = Vec::new();
            self.counts(rule, rule.if_absent == IfAbsent::Match, true, &mut counts);
            let exceeded = matches!(self.facts.user, Fact::Known(_)) && counts.iter().all(|count| *count == Some(true));
            let matches = truth == Some(true) || (truth.is_none() && last);
            let replaces = rule.when_exceeded.as_ref().map(At::get_ref) == Some(&WhenExceeded::ReplaceOldest);
            if replaces && exceeded && matches {
                // It steps aside: one session fewer than its limit remains beside the new one.
                let others = u64::from(rule.user_sessions.as_ref().unwrap().get_ref().at_least.unwrap()).checked_sub(1);
                if let Some(others) = others {
                    keeps = Some(keeps.map_or(others, |keeps| keeps.min(others)));
                    continue;
                }
            }
            match (truth, rule.action, last) {
                (Some(true), _, _) => return answer(false),
                (Some(false), _, _) => (),
                (None, Action::Allow, false) => return answer(true),
                (None, Action::Allow, true) => (),
                (None, Action::Deny, false) => (),
                (None, Action::Deny, true) => return answer(false),
            }
        }
        (self.default.action == Action::Allow, None, false, None, keeps)
    }

    /// The rule that ends a live session, and after how many seconds: the first that denies it, if none allows it before.
    pub fn overdue(&self) -> Option<(String, u64)> {
        for rule in self.rules.iter().map(At::get_ref) {
            let active = rule.disconnect_active.as_ref().is_some_and(|active| *active.get_ref());
            if rule.action == Action::Deny && !active {
                continue;
            }
            let conditions = self.conditions(rule, false);
            let (no, unknown) = (conditions.contains(&Some(false)), conditions.contains(&None));
            match (rule.action, no, unknown) {
                (_, true, _) | (Action::Deny, false, true) => (),
                (Action::Allow, false, _) => return None,
                (Action::Deny, false, false) => {
                    let minutes = |text: &At<String>| text.get_ref().strip_suffix('m').unwrap().parse::<u64>().unwrap();
                    let grace = rule.grace.as_ref().map_or(0, |grace| minutes(grace) * 60);
                    return Some((rule.name.get_ref().clone(), grace));
                }
            }
        }
        None
    }

    /// `limits`: also those for sessions, which are about newcomers.
    fn conditions(&self, rule: &Rule, limits: bool) -> Vec<Kleene> {
        let facts = self.facts;
        let absent = rule.if_absent == IfAbsent::Match;
        let mut all = Vec::new();
        fn on<T>(fact: &Fact<T>, absent: bool, holds: impl Fn(&T) -> bool) -> Kleene {
            match fact {
                Fact::Known(value) => Some(holds(value)),
                Fact::NotYetKnown => None,
                Fact::Absent => Some(absent),
            }
        }
        if let Some(users) = &rule.users {
            all.push(on(&facts.user, absent, |user| users.get_ref().iter().any(|text| names(text.get_ref(), user))));
        }
        if let Some(groups) = &rule.groups {
            let holds = |user: &Identity| groups.get_ref().iter().any(|group| self.is_in(group.get_ref(), user));
            all.push(on(&facts.user, absent, holds));
        }
        if let Some(users) = &rule.not_users {
            let excepted = |user: &Identity| users.get_ref().iter().any(|text| names(text.get_ref(), user));
            all.push(if self.is_odd() && !facts.user.known().is_some_and(excepted) {
                None
            } else {
                on(&facts.user, absent, |user| !excepted(user))
            });
        }
        if let Some(groups) = &rule.not_groups {
            let excepted = |user: &Identity| groups.get_ref().iter().any(|group| self.is_in(group.get_ref(), user));
            all.push(if self.is_odd() && !facts.user.known().is_some_and(excepted) {
                None
            } else {
                on(&facts.user, absent, |user| !excepted(user))
            });
        }
        if let Some(tunnels) = &rule.tunnels {
            all.push(on(&facts.tunnel, absent, |tunnel| tunnels.get_ref().contains(tunnel)));
        }
        if let Some(networks) = &rule.source_networks {
            let holds = |source: &IpAddr| {
                let source = match source {
                    IpAddr::V6(six) => six.to_ipv4_mapped().map_or(*source, IpAddr::V4),
                    IpAddr::V4(_) => *source,
                };
                networks.get_ref().iter().any(|text| match text.get_ref().parse::<ipnet::IpNet>() {
                    Ok(network) => network.contains(&source),
                    Err(_) => text.get_ref().parse() == Ok(source),
                })
            };
            all.push(on(&facts.source, absent, holds));
        }
        if let Some(hours) = &rule.hours {
            all.push(Some(hours.get_ref().iter().any(|stretch| self.within(stretch))));
        }
        let matched = |list: &At<Vec<At<String>>>, name: &Name| {
            list.get_ref().iter().any(|text| {
                let (text, name) = (text.get_ref().to_uppercase(), name.as_str().to_uppercase());
                text.strip_suffix('*').map_or(text == name, |prefix| name.starts_with(prefix))
            })
        };
        if let Some(servers) = &rule.servers {
            all.push(Some(matched(servers, &facts.server)));
        }
        if let Some(ports) = &rule.ports {
            all.push(on(&facts.port, absent, |port| matched(ports, port)));
        }
        if let Some(computers) = &rule.remote_computers {
            all.push(on(&facts.computer, absent, |computer| matched(computers, computer)));
        }
        if let Some(states) = &rule.quarantine {
            all.push(on(&facts.quarantine, absent, |state| states.get_ref().contains(state)));
        }
        if let Some(kinds) = &rule.interface_types {
            all.push(on(&facts.interface, absent, |kind| kinds.get_ref().contains(kind)));
        }
        self.counts(rule, absent, limits, &mut all);
        all
    }

    fn counts(&self, rule: &Rule, absent: bool, limits: bool, all: &mut Vec<Kleene>) {
        let mine = |truth: Kleene| match self.facts.user {
            Fact::Known(_) => truth,
            Fact::NotYetKnown => None,
            Fact::Absent => Some(absent),
        };
        if let Some(sessions) = rule.user_sessions.as_ref().filter(|_| limits) {
            let of = sessions.get_ref();
            all.push(mine(range(of.at_least, of.below, self.counted.user_sessions.unwrap())));
        }
        if let Some(sessions) = rule.group_sessions.as_ref().filter(|_| limits) {
            let of = sessions.get_ref();
            // Groups are numbered as in the file; the generator's names are in that order.
            let at = self.groups.keys().position(|name| name == &of.group).unwrap();
            let count = self.counted.groups.iter().find(|(id, _)| id.0 as usize == at).unwrap().1;
            all.push(range(of.at_least, of.below, count));
        }
        if let Some(time) = &rule.connect_time {
            let of = time.get_ref();
            let used = self.counted.used.iter().find(|(period, _)| *period == of.per).unwrap().1.seconds;
            let hours = |text: &At<String>| text.get_ref().strip_suffix('h').unwrap().parse::<u64>().unwrap() * 3_600;
            all.push(mine(Some(exact(of.at_least.as_ref().map(hours), of.below.as_ref().map(hours), used))));
        }
        if let Some(time) = &rule.session_time {
            let hours = time.get_ref().strip_suffix('h').unwrap().parse::<u64>().unwrap();
            all.push(Some(self.counted.session_time >= hours * 3_600));
        }
        if let Some(octets) = &rule.octets {
            let of = octets.get_ref();
            let used = self.counted.used.iter().find(|(period, _)| *period == of.per).unwrap().1.octets;
            let kb = |text: &At<String>| text.get_ref().strip_suffix(" kB").unwrap().parse::<u64>().unwrap() * 1_000;
            all.push(mine(Some(exact(of.at_least.as_ref().map(kb), of.below.as_ref().map(kb), used))));
        }
    }

    /// Does the user's name have a separator too many, so that nobody knows who it is?
    fn is_odd(&self) -> bool {
        let odd = |user: &Identity| user.domain.is_empty() && user.name.as_str().contains(['\\', '/', '@']);
        self.facts.user.known().is_some_and(odd)
    }

    fn is_in(&self, group: &str, user: &Identity) -> bool {
        let (_, group) = self.groups.iter().find(|(name, _)| name.get_ref() == group).unwrap();
        group.users.iter().any(|text| names(text.get_ref(), user))
    }

    fn within(&self, stretch: &Hours) -> bool {
        const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
        let clock = self.zone.to_datetime(self.facts.time);
        let today = clock.weekday().to_monday_zero_offset() as usize;
        let now = (clock.hour(), clock.minute());
        let time = |text: &Option<At<String>>, otherwise: (i8, i8)| {
            text.as_ref().map_or(otherwise, |text| {
                let (hour, minute) = text.get_ref().split_once(':').unwrap();
                (hour.parse().unwrap(), minute.parse().unwrap())
            })
        };
        let (from, to) = (time(&stretch.from, (0, 0)), time(&stretch.to, (24, 0)));
        let meant = |day: usize| {
            stretch.days.as_ref().is_none_or(|days| {
                days.get_ref().iter().any(|text| {
                    let (first, last) = text.get_ref().split_once('-').unwrap_or((text.get_ref(), text.get_ref()));
                    let at = |name| DAYS.iter().position(|day| *day == name).unwrap();
                    let mut step = at(first);
                    loop {
                        if step == day {
                            return true;
                        }
                        if step == at(last) {
                            return false;
                        }
                        step = (step + 1) % 7;
                    }
                })
            })
        };
        if from < to {
            meant(today) && from <= now && now < to
        } else {
            (meant(today) && from <= now) || (meant((today + 6) % 7) && now < to)
        }
    }
}

fn names(text: &str, user: &Identity) -> bool {
    if text == "*" {
        return true;
    }
    let computer = user.name.as_str().ends_with('$');
    if text == "host/*" {
        return computer;
    }
    if let Some(domain) = text.strip_suffix("\\*$") {
        return computer && user.domain.as_str() == domain.to_uppercase();
    }
    if let Some((domain, prefix)) = text.strip_suffix('*').and_then(|text| text.split_once('\\')) {
        return user.domain.as_str() == domain.to_uppercase() && user.name.as_str().starts_with(&prefix.to_uppercase());
    }
    domains().identity(&text.into(), &"".into()).as_ref() == Some(user)
}

fn range(at_least: Option<u32>, below: Option<u32>, Count { min, max }: Count) -> Kleene {
    let possible: Vec<bool> =
        (min..=max).map(|n| at_least.is_none_or(|l| n >= l) && below.is_none_or(|l| n < l)).collect();
    match (possible.contains(&true), possible.contains(&false)) {
        (true, true) => None,
        (holds, _) => Some(holds),
    }
}

fn exact(at_least: Option<u64>, below: Option<u64>, n: u64) -> bool {
    at_least.is_none_or(|l| n >= l) && below.is_none_or(|l| n < l)
}
