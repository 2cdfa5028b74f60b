//! Every warning about a valid configuration has its message: where, the line, and what to do.
#![allow(clippy::unwrap_used)]

mod support;

use rasadmin_policy::config::parse;
use std::fmt::Write;
use std::path::Path;
use support::computer;

const ALLOW: &str = "default.action = \"allow\"\n";
const GROUP: &str = "[groups.g]\nusers = ['alice']\n";
const DENY: &str = "default.action = \"deny\"\n";

fn rule(name: &str, action: &str, conditions: &str) -> String {
    format!("[[rules]]\nname = \"{name}\"\naction = \"{action}\"\n{conditions}\n")
}

/// Two rules of a file that allows by default.
fn two(first: &str, second: &str) -> String {
    format!("time_zone = \"UTC\"\n{ALLOW}{}{}", rule("a", "deny", first), rule("b", "allow", second))
}

fn warnings(text: &str) -> String {
    let mut members = |name: &str| {
        Ok(match name {
            "none.txt" | "none2.txt" => "# nobody yet\n\n",
            "csv.txt" => "alice\nbob, carol\ndave;erin\n",
            _ => "alice\n",
        }
        .to_owned())
    };
    let config = parse("/f/rasadmin.toml", text, Path::new("/f"), &mut members);
    config.unwrap_or_else(|errors| panic!("{errors}\n{text}")).warnings(&computer(&[])).to_string()
}

/// Each with a name and the file's text.
fn cases() -> Vec<(&'static str, String)> {
    let allow = |text: &str| format!("{ALLOW}{text}");
    vec![
        // Rules.
        ("deny everyone", allow(&rule("r", "deny", ""))),
        ("deny everyone by a pattern", two("users = [\"*\"]", "tunnels = [\"SSTP\"]")),
        (
            "deny everyone after an allow",
            format!("{DENY}{}{}", rule("a", "allow", "users = ['bob']"), rule("b", "deny", "")),
        ),
        ("allow everyone", format!("{DENY}{}", rule("r", "allow", ""))),
        ("nobody is allowed", DENY.into()),
        ("never reached", two("users = ['CORP\\dev*', 'bob']", "users = ['CORP\\dev7', 'bob']\ntunnels = [\"SSTP\"]")),
        ("a time that is not asked of live sessions", allow(&rule("r", "deny", "session_time = '10h'"))),
        (
            "live sessions that are only reported",
            allow(&rule("r", "deny", "session_time = '10h'\ndisconnect_active = true")),
        ),
        (
            "live sessions that nobody disconnects",
            allow("service.disconnect.enabled = false\n")
                + &rule("r", "deny", "users = ['a']\ndisconnect_active = true"),
        ),
        (
            "a longer time below a shorter one",
            allow("service.disconnect.mode = \"enforce\"\n")
                + &rule("a", "deny", "session_time = '1h'\ndisconnect_active = true")
                + &rule("b", "deny", "session_time = '2h'\ndisconnect_active = true"),
        ),
        ("every session has lasted for no time", allow(&rule("r", "deny", "session_time = '0s'\nusers = ['a']"))),
        ("every hour of the week", two("hours = ['mon-fri 00:00-24:00', 'sat+sun']", "tunnels = [\"SSTP\"]")),
        (
            "every tunnel, and more",
            two("tunnels = ['SSTP', 'IKEv2', 'L2TP', 'PPTP']\ngroups = ['g']\nif_absent = 'match'", "users = ['a']")
                + GROUP,
        ),
        (
            "every state, and every type",
            two(
                "quarantine = ['normal', 'quarantine', 'probation', 'not-capable']\nusers = ['a']\nif_absent = 'match'\n\
                 interface_types = ['client', 'home-router', 'full-router', 'dedicated', 'other']",
                "users = ['b']",
            ),
        ),
        ("no octets", two("users = ['*']\noctets = { per = 'day', at_least = '0' }", "tunnels = ['SSTP']")),
        ("every IPv4 address", two("source_networks = ['0.0.0.0/0']", "tunnels = ['SSTP']")),
        (
            "every address",
            two("source_networks = ['0.0.0.0/0', '::/0']\nusers = ['a']\nif_absent = 'match'", "tunnels = ['SSTP']"),
        ),
        (
            "no time and no octets",
            two(
                "users = ['a']\nconnect_time = { per = 'day', at_least = '0m' }\noctets = { per = 'day', at_least = '0' }",
                "tunnels = ['SSTP']",
            ),
        ),
        ("exceptions for all", two("users = ['A\\b*', 'A\\c']\nnot_users = ['A\\*']", "tunnels = ['SSTP']")),
        ("exceptions for all groups", two("groups = ['g']\nnot_groups = ['g']", "tunnels = ['SSTP']") + GROUP),
        ("dates that are over", two("dates = ['2026-11-29', '2026-10-01 .. 2026-10-03']", "tunnels = ['SSTP']")),
        (
            "nobody is in the only group that is allowed",
            format!("{DENY}{}[groups.g]\nusers = []\n", rule("a", "allow", "groups = ['g']")),
        ),
        (
            "files without an entry",
            format!(
                "addresses.reservations_file = 'none.txt'\n{}",
                two("source_networks_file = 'none.txt'", "users = ['a']\ncomputers_file = 'none2.txt'")
            ),
        ),
        // Domains.
        (
            "a domain that is not listed",
            allow(
                "domains.CORP = ['corp.example']\ngroups.g.users = ['CROP\\alice', 'CROP\\bob', 'eve@mail.example']\n",
            ),
        ),
        // Lists.
        ("nobody in a group", allow("groups.g.users = []\n")),
        ("nobody in a members file", allow("groups.g.members_file = \"none.txt\"\n")),
        ("two users in one text", allow("groups.g.users = [\"alice, bob\"]\n")),
        ("a slash between users", allow(&rule("r", "deny", "not_users = [\"alice/bob\", \"host/pc7\"]"))),
        ("a list in a members file", allow("groups.g.members_file = \"csv.txt\"\n")),
        ("two computers in one text", allow(&rule("r", "deny", "remote_computers = [\"PC1,PC2\"]"))),
        ("a computer with a domain", allow(&rule("r", "deny", "remote_computers = ['CORP\\PC1']"))),
        (
            "a comma in a name",
            allow("[groups.\"a,b\"]\nusers = ['alice']\n[pools.\"x;y\"]\naddresses = [\"10.1.0.0/24\"]\n"),
        ),
        // Addresses and paths.
        ("an empty pool", allow("pools.p.addresses = []\n")),
        (
            "a pool over RRAS's own",
            format!(
                "{ALLOW}server.addresses = [\"10.1.0.1\"]\n[pools.p]\naddresses = [\"10.1.0.0/24\"]\nexclude = [\"10.1.0.1\"]\n"
            ),
        ),
        (
            "network drives",
            allow(
                "ledger.path = 'z:\\x.db'\njournal.folder = 'C:\\j'\nservice.retention.backups = 'Z:/b'\nservice.metrics.file = 'Z:/m.prom'\ngroups.g.members_file = '\\\\?\\Z:\\m.txt'\n",
            ),
        ),
        ("the ledger is the journal", allow("ledger.path = \"./journal\"\n")),
        ("the ledger is the configuration", allow("ledger.path = \"x/../rasadmin.toml\"\n")),
        ("the journal is the configuration", allow("journal.folder = \"rasadmin.toml\"\n")),
        // Settings.
        ("a claimed name", allow(&rule("r", "deny", "max_user_sessions = 1"))),
        (
            "a claimed name, by a key",
            allow(&format!("limits.reconnect = \"same-computer\"\n{}", rule("r", "deny", "max_user_sessions = 1"))),
        ),
        ("unrecorded", allow("journal.when_unrecorded = \"deny\"\n")),
        ("unrecorded, of a rule", allow(&rule("r", "allow", "users = ['a']\nwhen_unrecorded = \"deny\""))),
    ]
}

#[test]
fn every_warning_has_its_message() {
    let mut all = String::new();
    for (name, text) in cases() {
        let warnings = warnings(&text);
        assert!(!warnings.is_empty(), "no warning about `{name}`:\n{text}");
        let _ = writeln!(all, "## {name}\n{warnings}\n");
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/warnings.txt");
    if std::env::var_os("RASADMIN_BLESS").is_some() {
        std::fs::write(&path, &all).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap().replace("\r\n", "\n");
    assert_eq!(all, expected, "tests/warnings.txt differs: `cargo xtask bless`, and read the diff");
}

/// Which pairs of rules are one too many.
#[test]
fn a_rule_is_never_reached_if_another_matches_whenever_it_does() {
    for (first, second, never) in [
        ("users = ['CORP\\*']", "users = ['CORP\\bob', 'CORP\\a*', 'CORP\\*$']", true),
        ("users = ['CORP\\*']", "users = ['CORP\\bob', 'PARTNER\\bob']", false),
        ("users = ['CORP\\*']", "", false),
        ("users = ['host/*']", "users = ['CORP\\*$', 'host/pc7']", true),
        ("users = ['CORP\\*$']", "users = ['CORP\\pc7$', 'CORP\\pc7']", false),
        ("users = ['CORP\\a*']", "users = ['CORP\\ab*', 'CORP\\alice']", true),
        ("users = ['CORP\\ab*']", "users = ['CORP\\a*']", false),
        ("users = ['bob']\ntunnels = [\"SSTP\"]", "users = ['bob']", false),
        ("users = ['bob']", "users = ['bob']\nnot_groups = ['g']", true),
        ("users = ['*']\nnot_users = ['bob']", "users = ['*']\nnot_users = ['bob', 'carol']", true),
        ("users = ['*']\nnot_users = ['bob', 'carol']", "users = ['*']\nnot_users = ['bob']", false),
        ("users = ['*']\nnot_users = ['bob']", "users = ['carol']", false),
        ("users = ['*']\nnot_users = ['CORP\\b*']", "users = ['*']\nnot_users = ['CORP\\bob']", false),
        ("users = ['*']\nnot_users = ['CORP\\bob']", "users = ['*']\nnot_users = ['CORP\\b*']", true),
        ("groups = ['g', 'h']", "groups = ['g']", true),
        ("groups = ['g']", "groups = ['g', 'h']", false),
        ("source_networks = ['10.0.0.0/8']", "source_networks = ['10.1.0.0/16', '10.2.3.4']", true),
        ("source_networks = ['10.1.0.0/16']", "source_networks = ['10.0.0.0/8']", false),
        ("remote_computers = ['pc*']", "remote_computers = ['PC7', 'PCX*']", true),
        ("ports = ['VPN2-1']", "ports = ['VPN2-*']", false),
        ("ports = ['VPN2-*']", "ports = ['VPN2-1']", true),
        ("tunnels = ['SSTP', 'PPTP']", "tunnels = ['PPTP']", true),
        ("hours = 'mon-fri 08:00-18:00'", "hours = ['mon-fri 08:00-18:00']", true),
        ("hours = 'mon-fri 08:00-18:00'", "hours = 'mon 08:00-18:00'", false),
        ("user_sessions = { at_least = 1 }", "user_sessions = { at_least = 2 }", true),
        ("user_sessions = { at_least = 2 }", "user_sessions = { at_least = 1 }", false),
        ("user_sessions = { below = 2 }", "user_sessions = { below = 1 }", true),
        ("user_sessions = { below = 2 }", "user_sessions = { at_least = 1 }", false),
        ("octets = { per = 'day', below = '1 GB' }", "octets = { per = 'day', below = '1 GB' }", true),
        ("octets = { per = 'day', below = '1 GB' }", "octets = { per = 'week', below = '1 GB' }", false),
        ("tunnels = ['SSTP']", "tunnels = ['SSTP']\nif_absent = 'match'", false),
        ("tunnels = ['SSTP']\nif_absent = 'match'", "tunnels = ['SSTP']", true),
    ] {
        let groups = "groups.g.users = ['alice']\ngroups.h.users = ['bob']\nlimits.reconnect = 'strict'\n\
                      default_domain = 'CORP'\ndomains.CORP = []\n";
        let warned = warnings(&format!("{groups}{}", two(first, second)));
        assert_eq!(warned.contains("the rule `b` is never reached"), never, "{first} | {second}: {warned}");
    }
}

#[test]
fn what_is_meant_is_not_warned_about() {
    for text in [
        ALLOW.to_owned(),
        format!("{DENY}{}", rule("r", "allow", "users = ['CORP\\*']")),
        format!("{ALLOW}domains.CORP = ['corp.example']\ngroups.g.users = ['CORP/bob', 'host/pc7', './admin']\n"),
        format!("{ALLOW}groups.g = {{ users = ['alice'], members_file = 'none.txt' }}\n"),
        // None of these holds if what it asks about is absent.
        format!(
            "{ALLOW}{}",
            rule(
                "r",
                "deny",
                "tunnels = ['SSTP', 'IKEv2', 'L2TP', 'PPTP']\nsource_networks = ['0.0.0.0/0', '::/0']\n\
                 quarantine = ['normal', 'quarantine', 'probation', 'not-capable']\n\
                 interface_types = ['client', 'home-router', 'full-router', 'dedicated', 'other']"
            )
        ),
        format!("{ALLOW}server.addresses = ['10.1.0.1']\npools.p.addresses = ['10.2.0.0/24']\n"),
        include_str!("../../../examples/office-day.toml").to_owned(),
    ] {
        let warned = warnings(&text);
        let warned: Vec<_> =
            warned.lines().filter(|line| line.contains("warning") && !line.contains("same-computer")).collect();
        assert_eq!(warned, [""; 0], "{text}");
    }
}

/// The positions are those of the keys, also in a long file; beyond twenty, warnings are counted.
#[test]
fn warnings_have_positions_and_an_end() {
    let text = format!("\u{feff}{ALLOW}{}", (0..30).map(|n| format!("groups.g{n}.users = []\n")).collect::<String>());
    let config = parse("f", &text, Path::new("/f"), &mut |_| Err("none".into())).unwrap();
    let warnings = config.warnings(&computer(&[]));
    assert_eq!((warnings.list().len(), warnings.more()), (20, 10));
    assert_eq!(warnings.position(&warnings.list()[0]), (2, 8));
    assert!(warnings.to_string().ends_with("\nand 10 more"));
}

/// On its server, RRAS's own pool is known.
#[test]
fn a_pool_that_overlaps_rrass_own_is_warned_about() {
    let rras = [("10.1.0.2".parse().unwrap(), "10.1.0.99".parse().unwrap())];
    let warned = |pool: &str| {
        let text = format!("{ALLOW}[pools.p]\n{pool}\n");
        let config = parse("f", &text, Path::new("/f"), &mut |_| Err("none".into())).unwrap();
        config
            .warnings(&computer(&rras))
            .list()
            .iter()
            .map(|warning| warning.what.clone())
            .collect::<Vec<_>>()
            .join("; ")
    };
    let overlap = warned("addresses = [\"10.2.0.0/24\", \"10.1.0.90-10.1.0.200\"]");
    assert_eq!(overlap, "RRAS's own pool has 10.1.0.90 to 10.1.0.99 of `10.1.0.90-10.1.0.200`, too");
    assert_eq!(warned("addresses = [\"10.1.0.0/24\"]\nexclude = [\"10.1.0.1-10.1.0.99\"]"), "");
    assert_eq!(warned("addresses = [\"10.1.0.100-10.1.0.200\"]"), "");
}

/// An allow rule whose port is unknown to the end fails, and the deny rule below it matches.
#[test]
fn a_rule_that_denies_what_a_port_leaves_open_is_reached() {
    let rules = |first: &str, second: &str| {
        let of = |name, action| rule(name, action, "ports = ['VPN2-1']");
        warnings(&format!("{ALLOW}{}{}", of("a", first), of("b", second)))
    };
    for (first, second, never) in
        [("allow", "deny", false), ("allow", "allow", true), ("deny", "allow", true), ("deny", "deny", true)]
    {
        assert_eq!(rules(first, second).contains("the rule `b` is never reached"), never, "{first} {second}");
    }
}

/// A rule above that is only about new connections leaves live sessions to the one below.
#[test]
fn a_rule_for_live_sessions_is_reached_below_one_that_denies_more() {
    let rules = |active: &str| {
        format!("{ALLOW}service.disconnect.mode = \"enforce\"\n")
            + &rule("a", "deny", "users = ['a', 'b']")
            + &rule("b", "deny", &format!("users = ['a']\n{active}"))
    };
    assert_eq!(warnings(&rules("disconnect_active = true")), "");
    assert!(warnings(&rules("")).contains("`b`"), "{}", warnings(&rules("")));
}
