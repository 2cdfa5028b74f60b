//! From the file's rules to compiled ones.

use super::decide::{Default, Rule, Rules};
use super::groups::no_pool;
use super::index::Builder;
use super::read::Read;
use super::{Groups, Needs};
use crate::Domains;
use crate::addresses::PoolId;
use crate::config::Mistake;
use crate::config::file::{self, Action, At, WhenLedgerUnavailable};
use jiff::tz::TimeZone;
use std::collections::HashSet;
use std::ops::Range;

/// What rules refer to.
pub struct Context<'a> {
    /// The groups.
    pub groups: &'a Groups,
    /// Which names mean which domain.
    pub domains: &'a Domains,
    /// The zone of the hours; None is UTC.
    pub zone: Option<&'a TimeZone>,
    /// The pools.
    pub pools: &'a dyn Fn(&str) -> Option<PoolId>,
}

impl Rules {
    /// From the file's rules and default, with every fault that they have, in the order of the file. With faults the
    /// compiled rules are not to be used.
    pub fn compile(rules: &[At<file::Rule>], default: &file::Default, context: &Context<'_>) -> (Self, Vec<Mistake>) {
        let mut compiler = Compiler {
            context,
            mistakes: Vec::new(),
            users: Builder::default(),
            by_group: context.groups.names().map(|_| Vec::new()).collect(),
            needs: Needs::default(),
        };
        let mut names = HashSet::new();
        let compiled = (0..).zip(rules).map(|(at, rule)| compiler.rule(at, rule.get_ref(), &mut names)).collect();
        let when_away = default.when_ledger_unavailable.as_ref();
        if let Some(skip) = when_away.filter(|when| *when.get_ref() == WhenLedgerUnavailable::Skip) {
            let what = "the default cannot be skipped: nothing comes after it";
            compiler.mistakes.push(Mistake::at(skip.span(), what, "write \"allow\" or \"deny\""));
        }
        compiler.mistakes.sort_by_key(|mistake| mistake.span.start);
        let rules = Self {
            rules: compiled,
            default: Default {
                action: default.action,
                reason: default.reason.clone(),
                when_away: when_away.map(|when| *when.get_ref()),
            },
            users: compiler.users.build(),
            by_group: compiler.by_group.into_iter().map(Vec::into_boxed_slice).collect(),
            group_names: context.groups.names().map(str::to_owned).collect(),
            zone: context.zone.cloned().unwrap_or(TimeZone::UTC),
            needs: compiler.needs,
        };
        (rules, compiler.mistakes)
    }
}

/// The rules at work.
pub(super) struct Compiler<'a> {
    pub context: &'a Context<'a>,
    pub mistakes: Vec<Mistake>,
    pub users: Builder,
    pub by_group: Vec<Vec<u32>>,
    pub needs: Needs,
}

impl Compiler<'_> {
    pub fn wrong(&mut self, span: Range<usize>, what: impl Into<String>, help: impl Into<String>) {
        self.mistakes.push(Mistake::at(span, what, help));
    }

    fn rule(&mut self, at: u32, rule: &file::Rule, names: &mut HashSet<String>) -> Rule {
        let name = rule.name.get_ref();
        if name.trim().is_empty() {
            self.wrong(rule.name.span(), "a rule's name is empty", "name it: the ledger and every message say it");
        } else if !names.insert(name.to_lowercase()) {
            self.wrong(rule.name.span(), format!("there are two rules `{name}`"), "give each its own name");
        }
        let mut read = self.plain(at, rule);
        let counting = read.len();
        self.counting(rule, &mut read);
        if counting < read.len() && rule.when_ledger_unavailable.is_none() {
            self.wrong(
                rule.name.span(),
                format!("the rule `{name}` counts, and does not say what holds while the ledger is away"),
                "write `when_ledger_unavailable = \"allow\"`, \"deny\" or \"skip\"",
            );
        }
        let pools = [&rule.pool, &rule.ipv6_pool].map(|pool| self.pool(rule, pool.as_ref(), &read));
        let (conditions, asked) =
            read.into_iter().map(|read| (read.condition, read.asked)).unzip::<_, _, Vec<_>, Vec<_>>();
        Rule {
            name: name.clone(),
            reason: rule.reason.clone(),
            action: rule.action,
            when_away: rule.when_ledger_unavailable,
            if_absent: rule.if_absent,
            conditions: conditions.into(),
            counting,
            asked: asked.into(),
            pools,
        }
    }

    fn pool(&mut self, rule: &file::Rule, pool: Option<&At<String>>, read: &[Read]) -> Option<PoolId> {
        let pool = pool?;
        if rule.action == Action::Deny {
            self.wrong(pool.span(), "a rule that denies gives no pool", "leave the pool out");
        }
        for late in read.iter().filter(|read| !read.condition.known_at_address_time()) {
            let what = format!("a rule with a pool cannot ask for `{}`", late.condition.field());
            let help = "RRAS asks for the address before that is known: leave one of the two out; users, groups, ports, \
                        servers, hours, user_sessions, group_sessions, connect_time and octets are known then";
            // A rule with two pools says it once.
            if !self.mistakes.iter().any(|known| known.span == late.span && known.what == what) {
                self.wrong(late.span.clone(), what, help);
            }
        }
        let found = (self.context.pools)(pool.get_ref());
        if found.is_none() {
            self.mistakes.push(no_pool(pool.span(), pool.get_ref()));
        }
        found
    }
}
