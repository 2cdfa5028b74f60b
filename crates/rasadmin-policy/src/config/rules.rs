//! Compiles the file's rules, with the position of each mistake.

use super::file::{self, At};
use super::list_files::Lists;
use super::{Mistake, asked, dates, hours, lists};
use crate::Domains;
use crate::addresses::PoolId;
use crate::rules::{
    Action, Condition, Fault, GroupId, Groups, Limit, NamePattern, NewDefault, NewRule, Rules, RulesBuilder,
    UserPattern, WhenExceeded, WhenUnrecorded, amounts, lists as written, networks, parse_user,
};
use crate::suggest;
use jiff::tz::TimeZone;
use std::collections::HashSet;
use std::ops::Range;

/// The longest time for which a session stays although a rule denies it, in seconds.
const LONGEST_GRACE: u64 = 86_400;

/// What rules refer to.
pub struct Context<'a> {
    /// The groups.
    pub groups: &'a Groups,
    /// The names of each domain.
    pub domains: &'a Domains,
    /// The time zone of the hours; `None` is UTC.
    pub zone: Option<&'a TimeZone>,
    /// What was compiled from files with lists.
    pub lists: &'a Lists,
    /// The pools.
    pub pools: &'a dyn Fn(&str) -> Option<PoolId>,
}

/// Compiles the file's rules and default, and lists all their mistakes in the order of the file. If there are
/// mistakes, do not use the compiled rules.
pub fn compile(rules: &[At<file::Rule>], default: &file::Default, context: &Context<'_>) -> (Rules, Vec<Mistake>) {
    let mut reader = Reader { context, mistakes: Vec::new(), builder: RulesBuilder::new(context.groups) };
    let mut names = HashSet::new();
    for rule in rules {
        reader.rule(rule.get_ref(), &mut names);
    }
    reader.mistakes.sort_by_key(|mistake| mistake.span.start);
    let default = NewDefault { action: default.action, reason: default.reason.clone() };
    (reader.builder.build(default, context.zone.cloned().unwrap_or(TimeZone::UTC)), reader.mistakes)
}

/// A condition, the text of what it asks for, and its position.
struct Read {
    condition: Condition,
    asked: String,
    span: Range<usize>,
}

/// Makes a condition from a list of users, or of groups.
type UsersCondition = fn(&mut RulesBuilder, Vec<UserPattern>) -> Result<Condition, Fault>;
type GroupsCondition = fn(&mut RulesBuilder, Vec<GroupId>) -> Condition;

/// Reads the rules one after the other.
struct Reader<'a> {
    context: &'a Context<'a>,
    mistakes: Vec<Mistake>,
    builder: RulesBuilder,
}

impl Reader<'_> {
    fn wrong(&mut self, span: Range<usize>, what: impl Into<String>, help: impl Into<String>) {
        self.mistakes.push(Mistake::at(span, what, help));
    }

    fn rule(&mut self, rule: &file::Rule, names: &mut HashSet<String>) {
        let name = rule.name.get_ref();
        if name.trim().is_empty() {
            self.wrong(
                rule.name.span(),
                "a rule's name is empty",
                "give it a name: the ledger and all messages use it",
            );
        } else if name.trim_start().starts_with('(') {
            self.wrong(
                rule.name.span(),
                format!("the name `{name}` begins with a bracket"),
                "begin it with a letter: in lists, `(default)` and the like stand for what is not a rule",
            );
        } else if !names.insert(name.to_lowercase()) {
            self.wrong(rule.name.span(), format!("there are two rules `{name}`"), "give each its own name");
        }
        let mut read = self.users(rule);
        self.connection(rule, &mut read);
        self.counted(rule, &mut read);
        let pools = [&rule.pool, &rule.ipv6_pool].map(|pool| self.pool(rule, pool.as_ref(), &read));
        let when_unrecorded = self.when_unrecorded(rule);
        let when_exceeded = self.when_exceeded(rule);
        let active = self.active(rule);
        self.builder.rule(NewRule {
            name: name.clone(),
            reason: rule.reason.clone(),
            action: rule.action,
            when_unrecorded,
            when_exceeded,
            active,
            if_absent: rule.if_absent,
            conditions: read.into_iter().map(|read| (read.condition, read.asked)).collect(),
            pools,
        });
    }

    /// Reads the conditions on the user, which are the cheapest.
    fn users(&mut self, rule: &file::Rule) -> Vec<Read> {
        let (context, mistakes) = (self.context, &mut self.mistakes);
        let mut all = Vec::new();
        let mut of_users = |field, list: &Option<At<Vec<At<String>>>>, condition: UsersCondition| {
            let Some(list) = list else { return };
            let patterns = lists::read(field, list, mistakes, |user| parse_user(user, context.domains));
            match condition(&mut self.builder, patterns) {
                Ok(condition) => all.push(Read { condition, asked: asked::excepting(field, list), span: list.span() }),
                Err((what, help)) => mistakes.push(Mistake::at(list.span(), what, help)),
            }
        };
        of_users("users", &rule.users, RulesBuilder::users);
        of_users("not_users", &rule.not_users, RulesBuilder::not_users);
        let mut of_groups = |field, list: &Option<At<Vec<At<String>>>>, condition: GroupsCondition| {
            let Some(list) = list else { return };
            lists::not_empty(field, list, mistakes);
            let mut groups = Vec::with_capacity(list.get_ref().len());
            for group in list.get_ref() {
                match context.groups.id(group.get_ref()) {
                    Some(id) => groups.push(id),
                    None => mistakes.push(unknown_group(context.groups, group)),
                }
            }
            let condition = condition(&mut self.builder, groups);
            all.push(Read { condition, asked: asked::excepting(field, list), span: list.span() });
        };
        of_groups("groups", &rule.groups, RulesBuilder::groups);
        of_groups("not_groups", &rule.not_groups, RulesBuilder::not_groups);
        all
    }

    /// Reads the conditions on the connection and the time.
    fn connection(&mut self, rule: &file::Rule, all: &mut Vec<Read>) {
        let (context_lists, mistakes) = (self.context.lists, &mut self.mistakes);
        let mut add = |condition, asked, span| all.push(Read { condition, asked, span });
        if let Some(list) = &rule.tunnels {
            lists::not_empty("tunnels", list, mistakes);
            let asked = written::write(list.get_ref().iter().map(|tunnel| tunnel.name()));
            add(Condition::tunnels(list.get_ref()), asked, list.span());
        }
        if let Some(list) = &rule.quarantine {
            lists::not_empty("quarantine", list, mistakes);
            let asked = asked::joined(list.get_ref().iter().map(|state| state.name()));
            add(Condition::quarantine(list.get_ref()), asked, list.span());
        }
        if let Some(list) = &rule.interface_types {
            lists::not_empty("interface_types", list, mistakes);
            let asked = asked::joined(list.get_ref().iter().map(|kind| kind.name()));
            add(Condition::interface_types(list.get_ref()), asked, list.span());
        }
        if let Some(list) = &rule.hours {
            lists::not_empty("hours", list, mistakes);
            let stretches = hours::stretches(list.get_ref(), &list.span(), mistakes);
            let asked: Vec<_> = list.get_ref().iter().map(hours::written).collect();
            add(Condition::hours(&stretches), written::write(asked.iter().map(String::as_str)), list.span());
        }
        if let Some(list) = &rule.dates {
            // Without a zone this is a mistake, which is listed elsewhere.
            let zone = self.context.zone.cloned().unwrap_or(TimeZone::UTC);
            let spans = lists::read("dates", list, mistakes, |text| dates::parse(text, &zone));
            add(Condition::dates(spans), asked::texts(list), list.span());
        }
        if let Some(span) = place(&rule.source_networks, &rule.source_networks_file) {
            let mut all = listed("source_networks", &rule.source_networks, mistakes, |text| networks::parse(text));
            let file = rule.source_networks_file.as_ref();
            let more = file.map_or(&[][..], |file| context_lists.networks(file.get_ref()));
            all.extend(more);
            let asked = asked::with_file(&rule.source_networks, file, more.len(), "network");
            add(Condition::source_networks(all), asked, span);
        }
        let mut named = |list: &Option<At<Vec<At<String>>>>, field, condition: fn(Vec<NamePattern>) -> Condition| {
            if let Some(list) = list {
                let names = lists::read(field, list, mistakes, |text| NamePattern::parse(text));
                add(condition(names), asked::texts(list), list.span());
            }
        };
        named(&rule.ports, "ports", Condition::ports);
        named(&rule.servers, "servers", Condition::servers);
        if let Some(span) = place(&rule.remote_computers, &rule.computers_file) {
            let mut all = listed("remote_computers", &rule.remote_computers, mistakes, |text| NamePattern::parse(text));
            let file = rule.computers_file.as_ref();
            let more = file.map_or(&[][..], |file| context_lists.computers(file.get_ref()));
            all.extend_from_slice(more);
            let asked = asked::with_file(&rule.remote_computers, file, more.len(), "computer");
            add(Condition::remote_computers(all), asked, span);
        }
    }

    /// Reads the conditions that count.
    fn counted(&mut self, rule: &file::Rule, all: &mut Vec<Read>) {
        let mut add = |condition, asked, span| all.push(Read { condition, asked, span });
        if let Some(at) = &rule.user_sessions {
            let limit = self.limit("user_sessions", at, |of| (of.at_least, of.below), |&n| Ok(n.into()));
            add(Condition::user_sessions(limit), asked::bound(limit), at.span());
        }
        if let Some(at) = &rule.max_user_sessions {
            let limit = self.most_sessions(rule, at);
            add(Condition::user_sessions(limit), asked::bound(limit), at.span());
        }
        if let Some(at) = &rule.group_sessions {
            let limit = self.limit("group_sessions", at, |of| (of.at_least, of.below), |&n| Ok(n.into()));
            let group = &at.get_ref().group;
            let asked = format!("{} of {}", asked::bound(limit), written::write([group.get_ref().as_str()]));
            let id = self.context.groups.id(group.get_ref()).unwrap_or_else(|| {
                self.mistakes.push(unknown_group(self.context.groups, group));
                GroupId(u32::MAX)
            });
            add(Condition::group_sessions(id, limit), asked, at.span());
        }
        if let Some(at) = &rule.connect_time {
            let texts = |of: &file::ConnectTime| (of.at_least.clone(), of.below.clone());
            let limit = self.limit("connect_time", at, texts, |text| placed(text, amounts::duration));
            let per = at.get_ref().per;
            let asked =
                format!("{} per {}", asked::as_written(&at.get_ref().at_least, &at.get_ref().below), per.name());
            add(Condition::connect_time(per, limit), asked, at.span());
        }
        if let Some(at) = &rule.octets {
            let texts = |of: &file::Octets| (of.at_least.clone(), of.below.clone());
            let limit = self.limit("octets", at, texts, |text| placed(text, amounts::octets));
            let per = at.get_ref().per;
            let asked =
                format!("{} per {}", asked::as_written(&at.get_ref().at_least, &at.get_ref().below), per.name());
            add(Condition::octets(per, limit), asked, at.span());
        }
        if let Some(at) = &rule.session_time {
            let seconds = placed(at, amounts::duration);
            if rule.action == Action::Allow {
                let what = "a rule that allows cannot have `session_time`: no session has lasted when it begins";
                self.wrong(at.span(), what, "put it into a rule with action = \"deny\" and disconnect_active = true");
            }
            let limit = Limit::AtLeast(seconds.unwrap_or_else(|mistake| {
                self.mistakes.push(mistake);
                u64::MAX
            }));
            add(Condition::session_time(limit), format!("at least {}", at.get_ref().trim()), at.span());
        }
    }

    /// Reads a limit: either `at_least` or `below`.
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

    /// Reads the short form of a limit for the user's sessions.
    fn most_sessions(&mut self, rule: &file::Rule, most: &At<u32>) -> Limit {
        if *most.get_ref() == 0 {
            let help = "write 1 or more; a rule without it denies every session";
            self.wrong(most.span(), "with no session at all, this is not a limit", help);
        }
        if rule.user_sessions.is_some() {
            let what = "`max_user_sessions` is short for `user_sessions`, which this rule has too";
            self.wrong(most.span(), what, "write one of the two");
        }
        let most = u64::from(*most.get_ref());
        if rule.action == Action::Deny { Limit::AtLeast(most) } else { Limit::Below(most) }
    }

    fn when_exceeded(&mut self, rule: &file::Rule) -> WhenExceeded {
        let Some(when) = &rule.when_exceeded else { return WhenExceeded::Deny };
        let at_least = rule.user_sessions.as_ref().is_some_and(|limit| limit.get_ref().at_least.is_some());
        if rule.action == Action::Allow {
            let what = "a rule that allows cannot have `when_exceeded`: beyond its limit, the next rule decides";
            self.wrong(when.span(), what, "put it into a rule with action = \"deny\"");
        } else if !at_least && rule.max_user_sessions.is_none() {
            let what = "`when_exceeded` is about the limit for the user's sessions, which this rule does not have";
            self.wrong(when.span(), what, "write max_user_sessions = 1, or leave `when_exceeded` out");
        } else if *when.get_ref() == WhenExceeded::ReplaceOldest
            && rule.user_sessions.as_ref().is_some_and(|limit| limit.get_ref().at_least == Some(0))
        {
            let what = "with `at_least = 0`, the new session itself is too many, so no older one can make room for it";
            self.wrong(when.span(), what, "write at_least = 1 or more, or leave `when_exceeded` out");
        }
        *when.get_ref()
    }

    /// Does the rule hold for live sessions too, and after how many seconds?
    fn active(&mut self, rule: &file::Rule) -> Option<u64> {
        let active = rule.disconnect_active.as_ref().filter(|active| *active.get_ref());
        let grace = rule.grace.as_ref().map(|grace| (placed(grace, amounts::duration), grace.span()));
        let Some(active) = active else {
            if let Some((_, span)) = grace {
                let what = "`grace` is about live sessions, to which this rule does not apply";
                self.wrong(span, what, "write disconnect_active = true, or leave `grace` out");
            }
            return None;
        };
        if rule.action == Action::Allow {
            let what = "a rule that allows cannot have `disconnect_active`: it ends no session";
            self.wrong(active.span(), what, "put it into a rule with action = \"deny\"");
        }
        let sessions = rule.user_sessions.is_some() || rule.max_user_sessions.is_some();
        if sessions || rule.group_sessions.is_some() {
            let what = "a limit for sessions cannot have `disconnect_active`: it does not say which of them has to go";
            let help = "leave `disconnect_active` out; when_exceeded = \"replace-oldest\" disconnects the user's oldest session";
            self.wrong(active.span(), what, help);
        }
        match grace {
            Some((Err(mistake), _)) => self.mistakes.push(mistake),
            Some((Ok(seconds), span)) if seconds > LONGEST_GRACE => {
                self.wrong(span, "`grace` is longer than a day", "write `1d` or less");
            }
            Some((Ok(seconds), _)) => return Some(seconds),
            None => {}
        }
        Some(0)
    }

    fn when_unrecorded(&mut self, rule: &file::Rule) -> Option<WhenUnrecorded> {
        let when = rule.when_unrecorded.as_ref()?;
        if rule.action == Action::Deny {
            let what = "a rule that denies cannot have `when_unrecorded`: it lets no one in";
            self.wrong(when.span(), what, "leave `when_unrecorded` out");
        }
        Some(*when.get_ref())
    }

    fn pool(&mut self, rule: &file::Rule, pool: Option<&At<String>>, read: &[Read]) -> Option<PoolId> {
        let pool = pool?;
        if rule.action == Action::Deny {
            self.wrong(pool.span(), "a rule that denies cannot have a pool", "leave the pool out");
        }
        for late in read.iter().filter(|read| !read.condition.is_known_at_address_time()) {
            let what = format!("a rule with a pool cannot ask for `{}`", late.condition.field());
            let help = "RRAS asks for the address before that is known: leave one of the two out; users, groups, ports, \
                        servers, hours, dates, user_sessions, group_sessions, connect_time, octets and session_time are known then";
            // Report it once for a rule with two pools.
            if !self.mistakes.iter().any(|known| known.span == late.span && known.what == what) {
                self.wrong(late.span.clone(), what, help);
            }
        }
        // The address plan reports every unknown pool name.
        (self.context.pools)(pool.get_ref())
    }
}

/// The mistake of an unknown group.
fn unknown_group(groups: &Groups, name: &At<String>) -> Mistake {
    let typed = name.get_ref();
    let help = suggest::help(typed, groups.names(), format!("declare it as `[groups.{typed}]`"));
    Mistake::at(name.span(), format!("there is no group `{typed}`"), help)
}

/// The position of a condition whose list may be in the configuration, in a file, or in both.
fn place(list: &Option<At<Vec<At<String>>>>, file: &Option<At<String>>) -> Option<Range<usize>> {
    list.as_ref().map(At::span).or(file.as_ref().map(At::span))
}

/// The entries in the configuration of a list that may be there.
fn listed<T>(
    field: &str,
    list: &Option<At<Vec<At<String>>>>,
    mistakes: &mut Vec<Mistake>,
    parse: impl Fn(&String) -> Result<T, Fault>,
) -> Vec<T> {
    list.as_ref().map_or_else(Vec::new, |list| lists::read(field, list, mistakes, parse))
}

/// Parses an amount; a mistake gets its position.
fn placed(text: &At<String>, amount: fn(&str) -> Result<u64, Fault>) -> Result<u64, Mistake> {
    amount(text.get_ref()).map_err(|(what, help)| Mistake::at(text.span(), what, help))
}
