//! Each condition by itself.

use crate::world::*;
use rasadmin_policy::config::file::Period;
use rasadmin_policy::rules::{Count, RuleCounts, Used};
use rasadmin_policy::{Fact, Facts, InterfaceType, Quarantine, Stage, Tunnel};

#[test]
fn users_are_matched_by_domain_and_name() {
    let exact = rule("action = 'allow'\nusers = ['alice', 'PARTNER\\bob', 'host/pc7']");
    for (user, yes) in [
        ("alice", true),
        ("CORP\\ALICE", true),
        ("alice@corp.example", true),
        ("PARTNER\\alice", false),
        ("PARTNER\\bob", true),
        ("bob", false),
        ("host/PC7.corp.example", true),
        ("pc7", false),
    ] {
        assert_eq!(exact.allows_user(user), yes, "{user}");
    }
    let domain = rule("action = 'allow'\nusers = ['corp.example\\*']");
    assert!(domain.allows_user("anybody") && domain.allows_user("host/pc9") && !domain.allows_user("PARTNER\\x"));
    let developers = rule("action = 'allow'\nusers = ['CORP\\dev*', 'CORP\\dev-ops-*', 'CORP\\z*']");
    for (user, yes) in [
        ("dev", true),
        ("Dév-ops-7", true),
        ("developer@corp.example", true),
        ("host/dev7", true),
        ("de", false),
        ("PARTNER\\dev1", false),
        ("dew", false),
    ] {
        assert_eq!(developers.allows_user(user), yes, "{user}");
    }
    let computers = rule("action = 'allow'\nusers = ['CORP\\*$']");
    assert!(computers.allows_user("host/pc9") && computers.allows_user("pc9.corp.example"));
    assert!(!computers.allows_user("pc9") && !computers.allows_user("PARTNER\\pc9$"));
    let all_computers = rule("action = 'allow'\nusers = ['host/*']");
    assert!(all_computers.allows_user("PARTNER\\pc9$") && !all_computers.allows_user("PARTNER\\pc9"));
    let anyone = rule("action = 'allow'\nusers = ['*']");
    assert!(anyone.allows_user("PARTNER\\x"));
    assert!(!anyone.allows(&Facts { user: Fact::Absent, ..full() }));
    assert!(!anyone.allows(&Facts { user: Fact::NotYetKnown, ..full() }));
}

#[test]
fn groups_are_matched_by_membership() {
    let world = world(
        "[groups.sales]\nusers = ['alice']\n[groups.partners]\nusers = ['PARTNER\\*']\n\
         [[rules]]\nname = 'r'\naction = 'allow'\ngroups = ['sales', 'partners']",
    );
    assert!(world.allows_user("alice") && world.allows_user("PARTNER\\alice"));
    assert!(!world.allows_user("bob") && !world.allows_user("OTHER\\alice"));
}

/// Nobody knows whom a name with a separator too many means, so it may be an exception: a rule that allows does not let
/// it in, and a rule that denies does.
#[test]
fn a_name_that_cannot_be_placed_may_be_an_exception() {
    let groups = "[groups.g]\nusers = ['bob', 'PARTNER\\*']\n";
    for exception in ["not_users = ['bob', 'PARTNER\\*']", "not_groups = ['g']"] {
        let allow = world(&format!(
            "{groups}[[rules]]\nname = 'r'\naction = 'allow'\nusers = ['*']\n{exception}\nif_absent = 'match'"
        ));
        let deny = world(&format!(
            "{groups}[[rules]]\nname = 'r'\naction = 'deny'\n{exception}\n[[rules]]\nname = 'rest'\naction = 'allow'"
        ));
        for odd in ["x@CORP\\bob", "CORP\\x\\bob", "bob@corp.example@mail.example", "bob@", "PARTNER/x/bob"] {
            assert!(!allow.allows_user(odd) && !deny.allows_user(odd), "{odd} {exception}");
        }
        assert!(allow.allows_user("alice") && !deny.allows_user("alice"));
        assert!(!allow.allows_user("bob") && deny.allows_user("bob"));
    }
    // An exception for everyone is one for such names too.
    let deny =
        world("[[rules]]\nname = 'r'\naction = 'deny'\nnot_users = ['*']\n[[rules]]\nname = 'rest'\naction = 'allow'");
    assert!(deny.allows_user("a@b@c"));
}

#[test]
fn users_and_groups_can_be_excepted() {
    let world = world(
        "[groups.sales]\nusers = ['alice']\n[groups.partners]\nusers = ['PARTNER\\*']\n\
         [[rules]]\nname = 'r'\naction = 'allow'\nusers = ['*']\nnot_users = ['CORP\\svc-*', 'CORP\\*$', 'bob']\n\
         not_groups = ['sales', 'partners']",
    );
    for (user, yes) in [
        ("carol", true),
        ("bob", false),
        ("corp.example\\BOB", false),
        ("svc-backup", false),
        ("host/pc9.corp.example", false),
        ("OTHER\\pc9$", true),
        ("alice", false),
        ("PARTNER\\carol", false),
        ("OTHER\\alice", true),
    ] {
        assert_eq!(world.allows_user(user), yes, "{user}");
    }
    // Who is not known is not known to be none of them; a user without a name is none only if the rule says so.
    let excepted = rule("action = 'allow'\nnot_users = ['bob']");
    let unknown = Facts { user: Fact::NotYetKnown, ..early() };
    let early = excepted.decide(Stage::Ipv4Address, &unknown, &RuleCounts::default());
    assert!(early.allow && early.for_now);
    assert!(!excepted.allows(&Facts { user: Fact::NotYetKnown, ..full() }));
    assert!(!excepted.allows(&Facts { user: Fact::Absent, ..full() }));
    let said = rule("action = 'allow'\nif_absent = 'match'\nnot_users = ['bob']");
    assert!(said.allows(&Facts { user: Fact::Absent, ..full() }));
}

#[test]
fn values_are_matched() {
    let tunnels = rule("action = 'allow'\ntunnels = ['IKEv2', 'PPTP']");
    for (tunnel, yes) in [(Tunnel::Ikev2, true), (Tunnel::Pptp, true), (Tunnel::Sstp, false), (Tunnel::L2tp, false)] {
        assert_eq!(tunnels.allows(&Facts { tunnel: Fact::Known(tunnel), ..full() }), yes, "{tunnel:?}");
    }
    let quarantine = rule("action = 'allow'\nquarantine = ['normal', 'not-capable']");
    for (state, yes) in [
        (Quarantine::Normal, true),
        (Quarantine::NotCapable, true),
        (Quarantine::Quarantine, false),
        (Quarantine::Probation, false),
    ] {
        assert_eq!(quarantine.allows(&Facts { quarantine: Fact::Known(state), ..full() }), yes, "{state:?}");
    }
    let interfaces = rule("action = 'allow'\ninterface_types = ['full-router', 'other']");
    for (kind, yes) in [
        (InterfaceType::FullRouter, true),
        (InterfaceType::Other, true),
        (InterfaceType::Client, false),
        (InterfaceType::HomeRouter, false),
        (InterfaceType::Dedicated, false),
    ] {
        assert_eq!(interfaces.allows(&Facts { interface: Fact::Known(kind), ..full() }), yes, "{kind:?}");
    }
}

#[test]
fn sources_are_matched_and_a_mapped_one_counts_as_ipv4() {
    let world = rule("action = 'allow'\nsource_networks = ['203.0.113.0/24', '2001:db8::/32', '192.0.2.1']");
    for (source, yes) in [
        ("203.0.113.255", true),
        ("203.0.114.0", false),
        ("::ffff:203.0.113.9", true),
        ("::ffff:203.0.114.9", false),
        ("2001:db8::1", true),
        ("2001:db9::1", false),
        ("192.0.2.1", true),
        ("192.0.2.2", false),
    ] {
        assert_eq!(world.allows(&Facts { source: Fact::Known(source.parse().unwrap()), ..full() }), yes, "{source}");
    }
}

#[test]
fn names_are_matched_without_case() {
    let ports = rule("action = 'allow'\nports = ['vpn2-*', 'COM1']");
    for (port, yes) in [("VPN2-7", true), ("com1", true), ("COM10", false), ("VPN3-7", false)] {
        assert_eq!(ports.allows(&Facts { port: Fact::Known(port.into()), ..full() }), yes, "{port}");
    }
    let servers = rule("action = 'allow'\nservers = ['vpn0*']");
    assert!(servers.allows(&full()) && !servers.allows(&Facts { server: "VPN11".into(), ..full() }));
    let computers = rule("action = 'allow'\nremote_computers = ['laptop-*', 'büro']");
    for (computer, yes) in [("LAPTOP-1", true), ("BÜRO", true), ("PC", false)] {
        assert_eq!(computers.allows(&Facts { computer: Fact::Known(computer.into()), ..full() }), yes, "{computer}");
    }
}

#[test]
fn an_absent_fact_holds_only_if_the_rule_says_so() {
    let conditions = [
        "users = ['alice']",
        "not_users = ['bob']",
        "not_groups = ['g']",
        "tunnels = ['SSTP']",
        "source_networks = ['203.0.113.0/24']",
        "ports = ['VPN2-*']",
        "remote_computers = ['*']",
        "quarantine = ['normal']",
        "interface_types = ['client']",
        "user_sessions = { below = 1 }",
    ];
    let absent = Facts {
        user: Fact::Absent,
        port: Fact::Absent,
        tunnel: Fact::Absent,
        source: Fact::Absent,
        computer: Fact::Absent,
        quarantine: Fact::Absent,
        interface: Fact::Absent,
        ..full()
    };
    for condition in conditions {
        let rule = |more: &str| rule(&format!("action = 'allow'\n{more}{condition}\n[groups.g]\nusers = ['bob']"));
        assert!(rule("").allows(&full()), "{condition}");
        assert!(!rule("").allows(&absent), "{condition}");
        assert!(rule("if_absent = 'match'\n").allows(&absent), "{condition}");
    }
}

#[test]
fn sessions_are_counted_as_ranges() {
    let at_least = rule("action = 'deny'\nuser_sessions = { at_least = 2 }");
    let below = rule("action = 'allow'\nuser_sessions = { below = 2 }");
    for (min, max, denied, allowed) in
        [(0, 1, false, true), (2, 2, true, false), (5, 9, true, false), (1, 2, true, false), (0, 5, true, false)]
    {
        let counts = RuleCounts { user_sessions: Some(Count { min, max }), ..RuleCounts::default() };
        let (denies, allows) = (
            at_least.decide(Stage::Link, &full(), &counts).rule.is_some(),
            below.decide(Stage::Link, &full(), &counts).rule.is_some(),
        );
        // Between the two numbers it is unknown, which at the last stage denies.
        assert_eq!((denies, allows), (denied, allowed), "{min} to {max}");
        let early = below.decide(Stage::Ipv4Address, &early(), &counts);
        assert_eq!((early.allow, early.for_now), (min < 2, min < 2 && max >= 2), "{min} to {max}");
    }
}

#[test]
fn the_short_form_counts_the_new_session_too() {
    let deny = rule("action = 'deny'\nmax_user_sessions = 2");
    let allow = rule("action = 'allow'\nmax_user_sessions = 2");
    for (others, full_up) in [(0, false), (1, false), (2, true), (3, true)] {
        let counts = RuleCounts { user_sessions: Some(Count { min: others, max: others }), ..RuleCounts::default() };
        assert_eq!(deny.decide(Stage::Link, &full(), &counts).rule.is_some(), full_up, "{others} others");
        assert_eq!(allow.decide(Stage::Link, &full(), &counts).allow, !full_up, "{others} others");
    }
    let explained = deny.rules.explain(Stage::Link, &full(), &Default::default(), &RuleCounts::default());
    let condition = &explained[0].conditions[0];
    assert_eq!((condition.field, condition.asked), ("user_sessions", "at least 2"));
}

#[test]
fn groups_sessions_time_and_octets_are_counted() {
    let world = world(
        "[groups.kiosk]\nusers = ['kiosk']\n\
         [[rules]]\nname = 'sessions'\naction = 'deny'\ngroup_sessions = { group = 'kiosk', at_least = 3 }\n\
         [[rules]]\nname = 'time'\naction = 'deny'\nconnect_time = { per = 'week', at_least = '1h 30m' }\n\
         [[rules]]\nname = 'octets'\naction = 'allow'\noctets = { per = 'month', below = '1 KiB' }\n",
    );
    let kiosk = world.groups.id("kiosk").unwrap();
    for (sessions, seconds, octets, by) in [
        (3, 0, 0, Some("sessions")),
        (2, 5_400, 0, Some("time")),
        (2, 5_399, 1_023, Some("octets")),
        (0, 0, 1_024, None),
    ] {
        let counts = RuleCounts {
            groups: vec![(kiosk, Count { min: sessions, max: sessions })],
            used: vec![(Period::Week, Used { seconds, octets: 0 }), (Period::Month, Used { seconds: 0, octets })],
            ..RuleCounts::default()
        };
        assert_eq!(world.decide(Stage::Link, &full(), &counts).rule, by);
    }
}

#[test]
fn what_was_not_asked_for_is_unknown_and_noticed_by_tests() {
    let world = rule("action = 'allow'\noctets = { per = 'day', below = '1 MB' }");
    let decide = || world.decide(Stage::Link, &full(), &RuleCounts::default()).allow;
    if cfg!(debug_assertions) {
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(decide)).is_err());
    } else {
        assert!(!decide());
    }
}
