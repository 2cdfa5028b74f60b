//! A rule's conditions, read from the file.

use super::compile::Compiler;
use super::condition::Condition;
use super::hours::Week;
use super::names::Names;
use super::networks::Networks;
use super::truth::Limit;
use super::{Fault, GroupId, Needs, amounts, lists, names, networks, parse_user};
use crate::config::Mistake;
use crate::config::file::{self, At};
use std::ops::Range;

/// A condition with the text of what it asks, and its place.
pub(super) struct Read {
    pub condition: Condition,
    pub asked: String,
    pub span: Range<usize>,
}

impl Compiler<'_> {
    /// The conditions that do not count, the cheap ones first.
    pub(super) fn plain(&mut self, at: u32, rule: &file::Rule) -> Vec<Read> {
        let mut read = Vec::new();
        let mut add = |condition, asked, span| read.push(Read { condition, asked, span });
        let mistakes = &mut self.mistakes;
        let texts =
            |list: &At<Vec<At<String>>>| lists::write(list.get_ref().iter().map(|text| text.get_ref().as_str()));
        if let Some(list) = &rule.users {
            for pattern in lists::read("users", list, mistakes, |user| parse_user(user, self.context.domains)) {
                if let Err((what, help)) = self.users.add(pattern, at) {
                    mistakes.push(Mistake::at(list.span(), what, help));
                }
            }
            add(Condition::Users, texts(list), list.span());
        }
        if let Some(list) = &rule.groups {
            lists::not_empty("groups", list, mistakes);
            for group in list.get_ref() {
                match self.context.groups.id(group.get_ref()) {
                    Some(id) => self.by_group[id.0 as usize].push(at),
                    None => mistakes.push(self.context.groups.unknown(group)),
                }
            }
            add(Condition::Groups, texts(list), list.span());
        }
        if let Some(list) = &rule.tunnels {
            let asked = lists::write(list.get_ref().iter().map(|tunnel| tunnel.name()));
            let mask = lists::mask("tunnels", list, mistakes, |tunnel| tunnel as u8);
            add(Condition::Tunnels(mask), asked, list.span());
        }
        if let Some(list) = &rule.quarantine {
            let mask = lists::mask("quarantine", list, mistakes, |state| state as u8);
            add(Condition::Quarantine(mask), spellings(list.get_ref()), list.span());
        }
        if let Some(list) = &rule.interface_types {
            let mask = lists::mask("interface_types", list, mistakes, |kind| kind as u8);
            add(Condition::Interfaces(mask), spellings(list.get_ref()), list.span());
        }
        if let Some(list) = &rule.hours {
            lists::not_empty("hours", list, mistakes);
            let week = Week::compile(list.get_ref(), &list.span(), mistakes);
            let asked: Vec<_> = list.get_ref().iter().map(stretch).collect();
            add(Condition::Hours(week), lists::write(asked.iter().map(String::as_str)), list.span());
        }
        if let Some(list) = &rule.source_networks {
            let networks = Networks::new(lists::read("source_networks", list, mistakes, |text| networks::parse(text)));
            add(Condition::Sources(networks), texts(list), list.span());
        }
        let mut named = |list: &Option<At<Vec<At<String>>>>, field, condition: fn(Names) -> Condition| {
            if let Some(list) = list {
                let names = Names::new(lists::read(field, list, mistakes, |text| names::parse(text)));
                add(condition(names), texts(list), list.span());
            }
        };
        named(&rule.ports, "ports", Condition::Ports);
        named(&rule.servers, "servers", Condition::Servers);
        named(&rule.remote_computers, "remote_computers", Condition::Computers);
        read
    }

    /// The conditions that count.
    pub(super) fn counting(&mut self, rule: &file::Rule, read: &mut Vec<Read>) {
        let mut add = |needs: &mut Needs, condition: Condition, asked, span| {
            condition.add_to(needs);
            read.push(Read { condition, asked, span });
        };
        if let Some(at) = &rule.user_sessions {
            let limit = self.limit("user_sessions", at, |of| (of.at_least, of.below), |&n| Ok(n.into()));
            let asked = bound(limit, |n| n.to_string());
            add(&mut self.needs, Condition::UserSessions(limit), asked, at.span());
        }
        if let Some(at) = &rule.group_sessions {
            let limit = self.limit("group_sessions", at, |of| (of.at_least, of.below), |&n| Ok(n.into()));
            let group = &at.get_ref().group;
            let asked = format!("{} of {}", bound(limit, |n| n.to_string()), lists::write([group.get_ref().as_str()]));
            let id = self.context.groups.id(group.get_ref()).unwrap_or_else(|| {
                self.mistakes.push(self.context.groups.unknown(group));
                GroupId(u32::MAX)
            });
            add(&mut self.needs, Condition::GroupSessions(id, limit), asked, at.span());
        }
        if let Some(at) = &rule.connect_time {
            let texts = |of: &file::ConnectTime| (of.at_least.clone(), of.below.clone());
            let limit = self.limit("connect_time", at, texts, |text| placed(text, amounts::duration));
            let per = at.get_ref().per;
            let asked = format!("{} per {}", as_written(&at.get_ref().at_least, &at.get_ref().below), period(per));
            add(&mut self.needs, Condition::ConnectTime(per, limit), asked, at.span());
        }
        if let Some(at) = &rule.octets {
            let texts = |of: &file::Octets| (of.at_least.clone(), of.below.clone());
            let limit = self.limit("octets", at, texts, |text| placed(text, amounts::octets));
            let per = at.get_ref().per;
            let asked = format!("{} per {}", as_written(&at.get_ref().at_least, &at.get_ref().below), period(per));
            add(&mut self.needs, Condition::Octets(per, limit), asked, at.span());
        }
    }

    /// One of `at_least` and `below`.
    fn limit<C, T>(
        &mut self,
        field: &str,
        condition: &At<C>,
        bounds: impl Fn(&C) -> (Option<T>, Option<T>),
        number: impl Fn(&T) -> Result<u64, Mistake>,
    ) -> Limit {
        let (read, limit): (_, fn(u64) -> Limit) = match bounds(condition.get_ref()) {
            (Some(from), None) => (number(&from), Limit::AtLeast),
            (None, Some(to)) => (number(&to), Limit::Below),
            (both, _) => {
                let what =
                    if both.is_some() { "both `at_least` and `below`" } else { "neither `at_least` nor `below`" };
                self.wrong(condition.span(), format!("`{field}` has {what}"), "write exactly one of them");
                return Limit::AtLeast(u64::MAX);
            }
        };
        read.map(limit).unwrap_or_else(|mistake| {
            self.mistakes.push(mistake);
            Limit::AtLeast(u64::MAX)
        })
    }
}

/// An amount, or the fault at its place.
fn placed(text: &At<String>, amount: fn(&str) -> Result<u64, Fault>) -> Result<u64, Mistake> {
    amount(text.get_ref()).map_err(|(what, help)| Mistake::at(text.span(), what, help))
}

/// An amount in the file's own words.
fn as_written(at_least: &Option<At<String>>, below: &Option<At<String>>) -> String {
    match (at_least, below) {
        (Some(text), _) => format!("at least {}", text.get_ref().trim()),
        (None, Some(text)) => format!("below {}", text.get_ref().trim()),
        (None, None) => String::new(), // A fault, told already.
    }
}

fn bound(limit: Limit, write: impl Fn(u64) -> String) -> String {
    match limit {
        Limit::AtLeast(n) => format!("at least {}", write(n)),
        Limit::Below(n) => format!("below {}", write(n)),
    }
}

/// A period's name.
pub(super) const fn period(period: file::Period) -> &'static str {
    match period {
        file::Period::Day => "day",
        file::Period::Week => "week",
        file::Period::Month => "month",
    }
}

/// A value as the configuration spells it.
pub(super) fn spelling<T: serde::Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(text)) => text,
        _ => String::new(), // None of those that are written here is anything else.
    }
}

fn spellings<T: serde::Serialize>(values: &[T]) -> String {
    values.iter().map(spelling).collect::<Vec<_>>().join(", ")
}

/// A stretch of the week as it is written.
fn stretch(hours: &file::Hours) -> String {
    let text = |time: &Option<At<String>>, otherwise: &str| {
        time.as_ref().map_or(otherwise.to_owned(), |time| time.get_ref().clone())
    };
    let days = hours.days.as_ref().map_or(String::new(), |days| {
        days.get_ref().iter().map(|day| day.get_ref().as_str()).collect::<Vec<_>>().join("+") + " "
    });
    format!("{days}{}-{}", text(&hours.from, "00:00"), text(&hours.to, "24:00"))
}
