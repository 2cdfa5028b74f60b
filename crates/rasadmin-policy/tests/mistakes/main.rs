//! Every mistake of a configuration has its own message: where, the line, and what would be right.
#![allow(clippy::unwrap_used)]

mod meant;

use rasadmin_policy::config::ConfigErrors;
use std::fmt::Write;
use std::path::Path;

const GOOD: &str = "default.action = \"deny\"\n";

/// Each with a name and the file's text.
fn cases() -> Vec<(&'static str, String)> {
    let with = |text: &str| format!("{GOOD}{text}");
    let rule = |text: &str| format!("{GOOD}[[rules]]\nname = \"r\"\naction = \"allow\"\n{text}\n");
    let zoned = |text: &str| format!("time_zone = \"UTC\"\n{}", rule(text));
    let pool = |text: &str| format!("{GOOD}[pools.p]\n{text}\n");
    let reservation = |text: &str| format!("{GOOD}default_domain = \"CORP\"\n[[reservations]]\n{text}\n");
    vec![
        // The file.
        ("empty file", String::new()),
        ("no default action", "[default]\nreason = \"x\"\n".into()),
        ("not TOML", "default.action = \"deny\"\nthis is not TOML\n".into()),
        ("unclosed text", "default.action = \"deny\n".into()),
        ("a key twice", "default.action = \"deny\"\ndefault.action = \"allow\"\n".into()),
        ("a table twice", with("[server]\n[server]\n")),
        ("unknown key", with("sever = 1\n")),
        ("unknown key, nothing near", with("frobnicate = 1\n")),
        ("unknown action", "default.action = \"reject\"\n".into()),
        ("unknown action, nearly right", "default.action = \"alow\"\n".into()),
        ("action of the wrong type", "default.action = true\n".into()),
        (
            "several at once",
            "defualt.action = \"deny\"\ntime_zone = 5\n[server]\nnme = \"x\"\n[[rules]]\nname = 7\n".into(),
        ),
        ("hostile text", with("\"a\\u001b[31m\\u202e\" = 1\n")),
        // What people write who do not know TOML.
        ("backslash in double quotes", with("groups.g.users = [\"CORP\\user\"]\n")),
        ("backslash that is an escape", with("groups.g.users = [\"CORP\\\\a\", \"CORP\\bob\"]\n")),
        ("backslash that hides the quote", with("groups.g.users = [\"CORP\\\"]\n")),
        ("path in double quotes", with("ledger.path = \"C:\\data\\x.db\"\n")),
        ("path with a tab", with("ledger.path = \"C:\\temp\\new.db\"\n")),
        ("members file with a tab", with("groups.g.members_file = \"C:\\temp\\new.txt\"\n")),
        ("typographic quotes", with("groups.g.users = [\u{201c}alice\u{201d}, \u{201c}bob\u{201d}]\n")),
        ("typographic quote in a comment", with("groups.g.users = [alice] # \u{201c}\n")),
        ("one bracket", with("[rules]\nname = \"r\"\naction = \"deny\"\n")),
        (
            "one bracket, twice",
            with("[rules]\nname = \"r\"\naction = \"deny\"\n[rules]\nname = \"s\"\naction = \"deny\"\n"),
        ),
        ("one bracket, once", with("[rules]\nname = \"r\"\naction = \"deny\"\n[[rules]]\nname = \"s\"\n")),
        ("two brackets", with("[[pools.p]]\naddresses = [\"10.1.0.0/24\"]\n")),
        ("a group that is a list", with("groups.staff = ['alice']\n")),
        ("one number of sessions", rule("user_sessions = 2")),
        ("one number of a group's sessions", rule("group_sessions = 40")),
        ("one amount of time", zoned("connect_time = \"8h\"")),
        ("one amount of octets", zoned("octets = \"10 GB\"")),
        ("a text for a list", rule("tunnels = \"SSTP\"")),
        ("hours that are a number", zoned("hours = 8")),
        ("hours in other words", zoned("hours = \"office hours\"")),
        ("a time that is none, in a text", zoned("hours = \"mon-fri 08:00-25:00\"")),
        ("zone below a table", "default.action = \"deny\"\n[pools.p] # ours\ntime_zone = \"UTC\"\n".into()),
        (
            "default below a rule",
            "[[rules]]\nname = \"r\"\naction = \"deny\"\ntunnels = [\"PPTP\"]\ndefault.action = \"deny\"\n".into(),
        ),
        ("default domain below the domains", with("[domains]\nCORP = []\ndefault_domain = \"CORP\"\n")),
        (
            "key of another table",
            with("reconnect = \"strict\"\n[default]\nmembers_file = \"x\"\n")
                .replace("default.action = \"deny\"\n", ""),
        ),
        // Server, zone, domains.
        ("server's name empty", with("server.name = \" \"\n")),
        ("server's address", with("server.addresses = [\"10.0.0\"]\n")),
        ("time zone", with("time_zone = \"Europe/Berln\"\n")),
        ("Windows' time zone", with("time_zone = \"W. Europe Standard Time\"\n")),
        ("alias of two domains", with("[domains]\nA = [\"x.example\"]\nB = [\"X.EXAMPLE\"]\n")),
        ("domain's name", with("[domains]\n'CORP\\x' = []\n")),
        ("default domain", with("default_domain = \"a@b\"\n")),
        ("domains of the wrong type", with("[domains]\nCORP = \"corp.example\"\n")),
        // Groups.
        ("group's user", with("groups.g.users = ['CORP\\']\n")),
        ("group's pattern", with("groups.g.users = ['CORP\\a*b']\n")),
        ("group's empty user", with("groups.g.users = [\"\"]\n")),
        ("group's pool", with("groups.g.pool = \"p\"\n")),
        (
            "group's pool of the other family",
            with("groups.g.pool = \"six\"\n[pools.six]\nidentifiers = [\"::1-::9\"]\n"),
        ),
        ("members file missing", with("groups.g.members_file = \"none.txt\"\n")),
        ("members file's line", with("default_domain = \"CORP\"\ngroups.g.members_file = \"bad.txt\"\n")),
        ("group's unknown key", with("groups.g.user = [\"alice\"]\n")),
        // Rules.
        ("rule without a name", with("[[rules]]\naction = \"deny\"\n")),
        ("rule without an action", with("[[rules]]\nname = \"r\"\n")),
        ("rule's name empty", with("[[rules]]\nname = \"\"\naction = \"deny\"\ntunnels = [\"PPTP\"]\n")),
        (
            "rule's name twice",
            with(
                "[[rules]]\nname = \"r\"\naction = \"deny\"\ntunnels = [\"PPTP\"]\n[[rules]]\nname = \"R\"\naction = \"deny\"\n",
            ),
        ),
        (
            "rule without a condition, not the last",
            with("[[rules]]\nname = \"a\"\naction = \"deny\"\n[[rules]]\nname = \"b\"\naction = \"allow\"\n"),
        ),
        ("unknown key of a rule", rule("group = [\"staff\"]")),
        ("unknown tunnel", rule("tunnels = [\"WireGuard\"]")),
        ("tunnel in small letters", rule("tunnels = [\"sstp\"]")),
        ("no tunnels", rule("tunnels = []")),
        (
            "unknown group",
            format!(
                "{GOOD}groups.staff.users = [\"a\"]\n[[rules]]\nname = \"r\"\naction = \"allow\"\ngroups = [\"staf\"]\n"
            ),
        ),
        ("rule's user", rule("users = ['CORP\\a\\b*']")),
        ("network with host bits", rule("source_networks = [\"203.0.113.9/24\"]")),
        ("no network", rule("source_networks = [\"office\"]")),
        ("hours without a zone", rule("hours = [{ from = \"08:00\" }]")),
        ("hours that are none", format!("time_zone = \"UTC\"\n{}", rule("hours = [{ from = \"25:00\" }]"))),
        (
            "hours of no length",
            format!("time_zone = \"UTC\"\n{}", rule("hours = [{ from = \"08:00\", to = \"08:00\" }]")),
        ),
        ("dates without a zone", rule("dates = \"2026-12-24\"")),
        ("a date in other words", zoned("dates = \"24.12.2026\"")),
        ("dates among the hours", zoned("hours = { dates = [\"2026-12-24\"] }")),
        ("unknown day", format!("time_zone = \"UTC\"\n{}", rule("hours = [{ days = [\"mo\"] }]"))),
        ("port with a star inside", rule("ports = [\"VPN*-1\"]")),
        ("quarantine", rule("quarantine = [\"quarantined\"]")),
        ("interface type", rule("interface_types = [\"router\"]")),
        ("if_absent", rule("if_absent = true")),
        ("two bounds", rule("user_sessions = { at_least = 1, below = 2 }")),
        ("no bound", rule("user_sessions = {}")),
        ("negative", rule("user_sessions = { at_least = -1 }")),
        ("group_sessions of an unknown group", rule("group_sessions = { group = \"g\", at_least = 1 }")),
        ("period", zoned("connect_time = { per = \"year\", at_least = \"8h\" }")),
        ("no period", zoned("octets = { at_least = \"1 GiB\" }")),
        ("duration", zoned("connect_time = { per = \"day\", at_least = \"8 hours\" }")),
        ("octets", zoned("octets = { per = \"day\", at_least = \"1 Gbit\" }")),
        ("octets beyond counting", zoned("octets = { per = \"day\", at_least = \"99999999999 TiB\" }")),
        ("when_unrecorded", rule("when_unrecorded = \"skip\"")),
        ("when_unrecorded of the wrong type", rule("when_unrecorded = true")),
        (
            "when_unrecorded of a rule that denies",
            with("[[rules]]\nname = \"r\"\naction = \"deny\"\nusers = [\"a\"]\nwhen_unrecorded = \"deny\"\n"),
        ),
        ("when_unrecorded of the default", "default = { action = \"allow\", when_unrecorded = \"deny\" }\n".into()),
        (
            "a rule named like what is no rule",
            format!("{GOOD}[[rules]]\nname = \"(default)\"\naction = \"allow\"\nusers = ['A\\b']\n"),
        ),
        ("a rule's unknown pool", rule("users = [\"a\"]\npool = \"p\"")),
        (
            "a rule's mistyped pool",
            rule(
                "users = [\"a\"]\npool = \"offise\"\nipv6_pool = \"x\"\n[pools.office]\naddresses = [\"10.1.0.0/24\"]",
            ),
        ),
        (
            "pool of a rule that denies",
            format!(
                "{GOOD}[[rules]]\nname = \"r\"\naction = \"deny\"\nusers = [\"a\"]\npool = \"p\"\n[pools.p]\naddresses = [\"10.1.0.0/24\"]\n"
            ),
        ),
        (
            "pool bound to what is not yet known",
            format!(
                "{GOOD}[[rules]]\nname = \"r\"\naction = \"allow\"\ntunnels = [\"SSTP\"]\npool = \"p\"\n[pools.p]\naddresses = [\"10.1.0.0/24\"]\n"
            ),
        ),
        // Pools.
        ("pool without addresses", pool("exclude = []")),
        ("pool of both families", pool("addresses = [\"10.1.0.0/24\"]\nidentifiers = [\"::1-::9\"]")),
        ("no address", pool("addresses = [\"10.1.0\"]")),
        ("host bits", pool("addresses = [\"10.1.0.7/24\"]")),
        ("too large", pool("addresses = [\"0.0.0.0/0\"]")),
        ("no prefix length", pool("addresses = [\"10.1.0.0/33\"]")),
        ("range backwards", pool("addresses = [\"10.1.0.9-10.1.0.1\"]")),
        ("overlap within", pool("addresses = [\"10.1.0.0/24\", \"10.1.0.100-10.1.1.5\"]")),
        ("overlap of two", format!("{}[pools.q]\naddresses = [\"10.1.0.7\"]\n", pool("addresses = [\"10.1.0.0/24\"]"))),
        ("exclusion of what is not in it", pool("addresses = [\"10.1.0.0/24\"]\nexclude = [\"10.2.0.1\"]")),
        (
            "nothing left",
            pool(
                "addresses = [\"10.1.0.1\"]\nexclude = [\"10.1.0.1\"]\n[pools.q]\naddresses = [\"10.2.0.1\"]\n[[reservations]]\nuser = \"a\"\naddress = \"10.2.0.1\"",
            ),
        ),
        ("loopback", pool("addresses = [\"127.0.0.0/24\"]")),
        ("link-local", pool("addresses = [\"169.254.1.1\"]")),
        ("multicast", pool("addresses = [\"224.0.0.1-239.1.1.1\"]")),
        ("broadcast", pool("addresses = [\"255.255.255.255\"]")),
        ("this network", pool("addresses = [\"0.0.0.1\"]")),
        (
            "the server's own address",
            format!("server.addresses = [\"10.1.0.1\"]\n{}", pool("addresses = [\"10.1.0.0/24\"]")),
        ),
        ("identifier zero", pool("identifiers = [\"::-::5\"]")),
        ("reserved identifiers", pool("identifiers = [\"::fdff:ffff:ffff:ff80\"]")),
        ("identifier with a prefix", pool("identifiers = [\"2001:db8::7\"]")),
        ("next unknown", pool("addresses = [\"10.1.0.0/24\"]\nnext = \"q\"")),
        ("next in a circle", pool("addresses = [\"10.1.0.0/24\"]\nnext = \"p\"")),
        (
            "next that leads into a circle of others",
            format!(
                "{}[pools.q]\naddresses = [\"10.2.0.0/24\"]\nnext = \"r\"\n[pools.r]\naddresses = [\"10.3.0.0/24\"]\nnext = \"q\"\n",
                pool("addresses = [\"10.1.0.0/24\"]\nnext = \"q\"")
            ),
        ),
        (
            "next of the other family",
            format!("{}[pools.q]\nidentifiers = [\"::1-::9\"]\n", pool("addresses = [\"10.1.0.0/24\"]\nnext = \"q\"")),
        ),
        ("when_exhausted", pool("addresses = [\"10.1.0.0/24\"]\nwhen_exhausted = \"deny\"")),
        ("default pool unknown", with("addresses.pool = \"p\"\n")),
        // Reservations.
        ("reservation for nobody", reservation("address = \"10.1.0.1\"")),
        ("reservation of nothing", reservation("user = \"alice\"")),
        ("reservation for a pattern", reservation("user = 'CORP\\*'\naddress = \"10.1.0.1\"")),
        ("reservation of no address", reservation("user = \"alice\"\naddress = \"ten\"")),
        (
            "reserved for two",
            reservation(
                "user = \"alice\"\naddress = \"10.1.0.1\"\n[[reservations]]\nuser = \"bob\"\naddress = \"10.1.0.1\"",
            ),
        ),
        (
            "reserved for two on overlapping servers",
            reservation(
                "user = \"alice\"\naddress = \"10.1.0.1\"\nserver = \"VPN1\"\n[[reservations]]\nuser = \"bob\"\naddress = \"10.1.0.1\"",
            ),
        ),
        (
            "two reservations of one user",
            reservation(
                "user = \"alice\"\naddress = \"10.1.0.1\"\n[[reservations]]\nuser = 'CORP\\ALICE'\naddress = \"10.1.0.2\"",
            ),
        ),
        (
            "reservation of the server's address",
            format!("server.addresses = [\"10.1.0.1\"]\n{}", reservation("user = \"alice\"\naddress = \"10.1.0.1\"")),
        ),
        // Limits, addresses, journal, ledger.
        ("reconnect", with("limits.reconnect = \"same-pc\"\n")),
        ("sticky", with("addresses.sticky = \"yes\"\n")),
        ("reservation_held", with("addresses.reservation_held = \"deny\"\n")),
        ("network drive", with("ledger.path = '\\\\nas\\share\\ledger.db'\n")),
        ("ledger's path empty", with("ledger.path = \"\"\n")),
        ("journal on a network drive", with("journal.folder = '\\\\nas\\share\\journal'\n")),
        ("journal's folder empty", with("journal.folder = \"\"\n")),
        ("durability", with("journal.durability = \"none\"\n")),
        ("deadline", with("journal.deadline_ms = 5\n")),
        ("deadline of the wrong type", with("journal.deadline_ms = \"2s\"\n")),
        ("a duty that does not exist", with("[service.folow]\nenabled = false\n")),
        ("a duty that is not a table", with("service.follow = false\n")),
        ("retention for less than a day", with("service.retention.sessions = \"12h\"\n")),
        ("retention for two hundred years", with("service.retention.decisions = \"73050d\"\n")),
        ("retention in other words", with("service.retention.segments = \"a week\"\n")),
        ("retention at no time of day", with("service.retention.at = \"24:00\"\n")),
        ("backups without a path", with("service.retention.backups = \"\"\n")),
        ("backups with a control character", with("service.retention.backups = \"C:\\u0007\"\n")),
        ("a dashboard at no address", with("dashboard.listen = \"8600\"\n")),
        ("a dashboard for other computers", with("dashboard.listen = \"0.0.0.0:8600\"\n")),
        ("a dashboard with a name that is an address", with("dashboard.names = [\"vpn1\", \"10.0.0.1\"]\n")),
        ("a certificate without a key", with("dashboard.certificate = \"vpn1.pem\"\n")),
        ("a key without a certificate", with("dashboard.key = \"vpn1.key\"\n")),
        ("a certificate at no path", with("dashboard.certificate = \"\"\ndashboard.key = \"vpn1.key\"\n")),
        (
            "two ways to encrypt",
            with("[dashboard]\ncertificate = \"a\"\nkey = \"b\"\nself_signed = true\ninsecure = false\n"),
        ),
        ("too many backups", with("service.retention.keep = 1001\n")),
        ("a monitor that is not a table", with("service.monitor = false\n")),
        ("a pipe that is not a table", with("service.pipe = false\n")),
        ("metrics without a path", with("service.metrics.file = \"\"\n")),
        ("metrics in a file that no collector reads", with("service.metrics.file = \"metrics.txt\"\n")),
        ("the journal's when_unrecorded", with("journal.when_unrecorded = \"refuse\"\n")),
    ]
}

fn members(name: &str) -> Result<String, String> {
    match name {
        "bad.txt" => Ok("# people\nalice\n\nCORP\\\n".into()),
        "words.csv" => Ok("Username;IP address\nCORP\\alice;10.1.0.9\nCORP\\bob;10.1.0.300\n".into()),
        "unknown.csv" => Ok("location,user\nParis,alice\nRome,bob\n".into()),
        _ => Err(format!("the members file `{name}` is not there")),
    }
}

/// The mistakes of a file.
fn errors(text: &str) -> ConfigErrors {
    let parsed = rasadmin_policy::config::parse("rasadmin.toml", text, Path::new("/f"), &mut |n| members(n));
    parsed.err().unwrap_or_else(|| panic!("no mistake:\n{text}"))
}

#[test]
fn every_mistake_has_its_message() {
    let mut all = String::new();
    for (name, text) in cases().into_iter().chain(meant::cases()) {
        let errors = errors(&text);
        assert!(!errors.mistakes().is_empty(), "{name}");
        let _ = writeln!(all, "## {name}\n{errors}\n");
        for width in [80, 120] {
            let fitted = errors.fitted(Some(width));
            let long: Vec<_> = fitted.lines().filter(|line| line.chars().count() > width).collect();
            assert_eq!(long, [""; 0], "{name} at {width} columns");
            // The same words, and the marks below the same characters.
            let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
            assert_eq!(words(&fitted), words(&errors.to_string()), "{name} at {width} columns");
        }
    }
    // A plain file instead of a snapshot of insta, which looks for cargo; there is no cargo under Wine.
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mistakes.txt");
    if std::env::var_os("RASADMIN_BLESS").is_some() {
        std::fs::write(&path, &all).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap().replace("\r\n", "\n");
    for (now, then) in all.split("\n## ").zip(expected.split("\n## ")) {
        assert_eq!(now, then, "tests/mistakes.txt differs: `cargo xtask bless`, and read the diff");
    }
    assert_eq!(all.len(), expected.len());
}

proptest::proptest! {
    /// Whatever is in the file: a configuration or a message, never a panic.
    #[test]
    fn any_text_is_answered(text in "\\PC{0,200}", cut in 0_usize..4000, change in proptest::prelude::any::<u8>()) {
        let _ = rasadmin_policy::config::parse("f", &text, Path::new("/f"), &mut |n| members(n));
        let mut bytes = include_bytes!("../../../../examples/office-day.toml").to_vec();
        let at = cut % bytes.len();
        bytes[at] = change;
        let text = String::from_utf8_lossy(&bytes);
        if let Err(errors) = rasadmin_policy::config::parse("f", &text, Path::new("/f"), &mut |n| members(n)) {
            proptest::prop_assert!(!errors.to_string().is_empty());
        }
        let cut = String::from_utf8_lossy(&bytes[..at]).into_owned();
        let _ = rasadmin_policy::config::parse("f", &cut, Path::new("/f"), &mut |n| members(n));
    }
}
