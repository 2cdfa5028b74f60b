//! What a decision costs with 1,000 rules and 10,000 users in groups, the ledger's part aside, and what a look-up in
//! long lists of networks and computers costs. A report: nothing is asserted. `cargo run --release -p rasadmin-policy --example decide_cost`
#![allow(clippy::unwrap_used)]

use rasadmin_policy::config::{Config, parse};
use rasadmin_policy::rules::{GroupSet, RuleCounts};
use rasadmin_policy::{Domains, Fact, Facts, InterfaceType, Quarantine, Stage, Tunnel};
use std::fmt::Write;
use std::hint::black_box;
use std::net::Ipv4Addr;
use std::path::Path;
use std::time::Instant;

const GROUPS: usize = 100;
const USERS: usize = 10_000;
const RULES: usize = 1_000;

fn main() {
    let started = Instant::now();
    let text = configuration();
    let mut members = |name: &str| Ok(members(name.trim_matches(|c: char| !c.is_ascii_digit()).parse().unwrap()));
    let Config { domains, groups, rules, .. } = parse("cost", &text, Path::new("/cost"), &mut members).unwrap();
    println!("{RULES} rules, {USERS} users in {GROUPS} groups, each user in two groups");
    println!("reading and compiling {:.1?}", started.elapsed());

    for (what, user) in [("a user in two groups, no rule matches", "user77"), ("a user whom no group has", "stranger")]
    {
        let facts = facts(&domains, user);
        for stage in [Stage::Ipv4Address, Stage::Link] {
            let facts = if stage == Stage::Link { facts.clone() } else { at_address_time(&facts) };
            let decide = || {
                let in_groups = groups.of(facts.user.known().unwrap());
                let needs = rules.needs_for(stage, black_box(&facts), &in_groups);
                assert!(needs.is_empty(), "{needs:?}");
                rules.decide(stage, black_box(&facts), &in_groups, &RuleCounts::default()).allow
            };
            let alone = || {
                let in_groups = groups.of(facts.user.known().unwrap());
                rules.decide(stage, black_box(&facts), &in_groups, &RuleCounts::default()).allow
            };
            println!(
                "{what}, at {}: groups and decision {:.2} µs; with the question what the ledger must be asked {:.2} µs",
                stage.name(),
                median(alone),
                median(decide)
            );
        }
    }
    lists();
}

/// A rule whose list is in a file: the cost of a decision with it, less that of a decision without.
fn lists() {
    let count = 20_000_u32;
    let networks = |n: u32| format!("{}/24\n", Ipv4Addr::from_bits(0x0b00_0000 + (n << 9)));
    for (what, key, line) in [
        ("networks", "source_networks_file", &networks as &dyn Fn(u32) -> String),
        ("computers", "computers_file", &|n| format!("PC{n}\n")),
    ] {
        let text: String = (0..count).map(line).collect();
        let decide = |conditions: &str| {
            let file =
                format!("default.action = \"allow\"\n[[rules]]\nname = \"r\"\naction = \"deny\"\n{conditions}\n");
            let started = Instant::now();
            let config = parse("cost", &file, Path::new("/cost"), &mut |_| Ok(text.clone())).unwrap();
            let compiled = started.elapsed();
            let facts = facts(&config.domains, "user77");
            let groups = GroupSet::default();
            let decide = || config.rules.decide(Stage::Link, black_box(&facts), &groups, &RuleCounts::default()).allow;
            (median(decide), compiled)
        };
        let (without, _) = decide("tunnels = [\"PPTP\"]");
        let (with, compiled) = decide(&format!("{key} = \"list\""));
        println!("a look-up among {count} {what}: {:.3} µs; reading and compiling {compiled:.1?}", with - without);
    }
}

/// Of 201 blocks of 200 calls, in microseconds a call.
fn median(mut call: impl FnMut() -> bool) -> f64 {
    let mut blocks: Vec<f64> = (0..201)
        .map(|_| {
            let started = Instant::now();
            for _ in 0..200 {
                black_box(call());
            }
            started.elapsed().as_secs_f64() * 1e6 / 200.0
        })
        .collect();
    blocks.sort_by(f64::total_cmp);
    blocks[blocks.len() / 2]
}

/// Every user is in two groups.
fn members(group: usize) -> String {
    let users = (0..USERS).filter(|user| user % GROUPS == group || (user / GROUPS) % GROUPS == group);
    users.map(|user| format!("CORP\\user{user}\n")).collect()
}

/// Rules of every kind, which match this user up to their last condition, or do not concern the user at all.
fn configuration() -> String {
    let mut text =
        "default = { action = \"deny\" }\ndefault_domain = \"CORP\"\ntime_zone = \"Europe/Berlin\"\n".to_owned();
    for group in 0..GROUPS {
        writeln!(text, "[groups.g{group}]\nmembers_file = \"g{group}.txt\"").unwrap();
    }
    for rule in 0..RULES {
        writeln!(text, "[[rules]]\nname = \"rule{rule}\"\naction = \"{}\"", ["allow", "deny"][rule % 2]).unwrap();
        let group = rule % GROUPS;
        let conditions = match rule % 6 {
            0 => format!("groups = [\"g{group}\"]\nports = [\"COM{rule}\", \"LPT*\"]"),
            1 => format!("source_networks = [\"10.{}.{}.0/24\", \"2001:db8::/32\"]", rule / 256, rule % 256),
            2 => format!("users = [\"CORP\\\\other{rule}\", \"PARTNER\\\\*\"]\ntunnels = [\"SSTP\"]"),
            3 => "hours = [{ days = [\"sat\", \"sun\"], from = \"08:00\", to = \"18:00\" }]\ntunnels = [\"IKEv2\"]"
                .into(),
            4 => format!(
                "groups = [\"g{group}\", \"g77\"]\ntunnels = [\"IKEv2\", \"SSTP\"]\nremote_computers = [\"PC{rule}\"]"
            ),
            _ => format!("groups = [\"g{group}\"]\nports = [\"COM*\"]\nuser_sessions = {{ at_least = 2 }}"),
        };
        writeln!(text, "{conditions}").unwrap();
    }
    // So that at address time, too, every rule is walked.
    text.replace("action = \"allow\"", "action = \"deny\"")
}

fn facts(domains: &Domains, user: &str) -> Facts {
    Facts {
        time: "2026-03-25T09:30:00Z".parse().unwrap(),
        server: "VPN01".into(),
        user: Fact::arrived(domains.identity(&user.into(), &"CORP".into())),
        port: Fact::Known("VPN2-127".into()),
        tunnel: Fact::Known(Tunnel::Ikev2),
        source: Fact::Known("203.0.113.77".parse().unwrap()),
        computer: Fact::Known("LAPTOP-7".into()),
        quarantine: Fact::Known(Quarantine::Normal),
        interface: Fact::Known(InterfaceType::Client),
    }
}

fn at_address_time(facts: &Facts) -> Facts {
    Facts {
        tunnel: Fact::NotYetKnown,
        source: Fact::NotYetKnown,
        computer: Fact::NotYetKnown,
        quarantine: Fact::NotYetKnown,
        interface: Fact::NotYetKnown,
        ..facts.clone()
    }
}
