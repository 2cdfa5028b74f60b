//! Every fault of rules and groups: at its place, with what would be right.

use crate::world::compiled;

/// The only fault of a rule with these lines: its place in the file as text, what is wrong, what would be right.
fn fault(lines: &str) -> (String, String, String) {
    only(&format!(
        "[groups.sales]\nusers = ['alice']\n[[rules]]\nname = 'r'\n{}{lines}\n",
        if lines.contains("action") { "" } else { "action = 'allow'\n" }
    ))
}

fn only(text: &str) -> (String, String, String) {
    let world = compiled(text);
    let [mistake] = &world.mistakes[..] else { panic!("one fault expected: {:#?}\n{text}", world.mistakes) };
    (world.text[mistake.span.clone()].to_owned(), mistake.what.clone(), mistake.help.clone())
}

#[test]
fn each_mistake_is_reported_at_its_position() {
    let cases: &[(String, &str, &str, &str)] = &[
        ("groups = ['sales', 'saels']".into(), "'saels'", "there is no group `saels`", "did you mean `sales`?"),
        ("groups = ['xyz']".into(), "'xyz'", "there is no group `xyz`", "[groups.xyz]"),
        ("groups = []".into(), "[]", "`groups` is empty", "leave `groups` out"),
        ("users = []".into(), "[]", "`users` is empty", "leave"),
        ("not_users = []".into(), "[]", "`not_users` is empty", "leave"),
        ("not_users = ['al*']".into(), "'al*'", "`al*`", "`CORP\\*`"),
        ("not_groups = []".into(), "[]", "`not_groups` is empty", "leave"),
        ("not_groups = ['saels']".into(), "'saels'", "there is no group `saels`", "did you mean `sales`?"),
        ("users = ['al*']".into(), "'al*'", "`al*`", "`CORP\\*`"),
        ("users = ['']".into(), "''", "a user's name is empty", "`alice`"),
        ("users = ['CORP\\']".into(), "'CORP\\'", "`CORP\\` lacks a name", "`alice`"),
        ("tunnels = []".into(), "[]", "`tunnels` is empty", "leave"),
        ("quarantine = []".into(), "[]", "`quarantine` is empty", "leave"),
        ("interface_types = []".into(), "[]", "`interface_types` is empty", "leave"),
        ("ports = []".into(), "[]", "`ports` is empty", "leave"),
        ("servers = []".into(), "[]", "`servers` is empty", "leave"),
        ("remote_computers = []".into(), "[]", "`remote_computers` is empty", "leave"),
        ("source_networks = []".into(), "[]", "`source_networks` is empty", "leave"),
        ("hours = []".into(), "[]", "`hours` is empty", "leave"),
        ("ports = ['V*1']".into(), "'V*1'", "only at the end", "`VPN2-*`"),
        ("source_networks = ['10.0.0.7/8']".into(), "'10.0.0.7/8'", "`10.0.0.7/8`", "`10.0.0.0/8`"),
        ("source_networks = ['ten']".into(), "'ten'", "is not a valid network", "`203.0.113.0/24`"),
        ("hours = [{ from = '25:00' }]".into(), "'25:00'", "`25:00` is not a valid time of day", "`23:59`"),
        ("hours = [{ from = '24:00' }]".into(), "'24:00'", "`24:00` is not a valid time of day", "`23:59`"),
        ("hours = [{ to = '24:01' }]".into(), "'24:01'", "`24:01` is not a valid time of day", "`24:00`"),
        ("hours = [{ to = '8' }]".into(), "'8'", "`8` is not a valid time of day", "`00:00`"),
        ("hours = [{ to = '08:0' }]".into(), "'08:0'", "`08:0` is not a valid time of day", "`00:00`"),
        ("hours = [{ to = '+8:00' }]".into(), "'+8:00'", "`+8:00` is not a valid time of day", "`00:00`"),
        ("hours = [{ to = '08:60' }]".into(), "'08:60'", "`08:60` is not a valid time of day", "`00:00`"),
        ("hours = [{ from = '08:00', to = '08:00' }]".into(), "'08:00'", "end when they begin", "24:00"),
        ("hours = [{ to = '0:00' }]".into(), "'0:00'", "end when they begin", "24:00"),
        ("hours = [{ days = ['monday'] }]".into(), "'monday'", "there is no day `monday`", "mon, tue, wed"),
        ("hours = [{ days = ['mon-'] }]".into(), "'mon-'", "there is no day `mon-`", "`mon-fri`"),
        ("hours = [{ days = [] }]".into(), "[]", "`days` is empty", "every day"),
        ("dates = []".into(), "[]", "`dates` is empty", "leave"),
        ("dates = ['5.12.2026']".into(), "'5.12.2026'", "`5.12.2026` is not a date", "`2026-12-24`"),
        (
            "dates = ['2026-12-05 20:00 .. 2026-12-06 25:00']".into(),
            "'2026-12-05 20:00 .. 2026-12-06 25:00'",
            "`25:00` is not",
            "24:00",
        ),
        ("dates = ['2026-02-30']".into(), "'2026-02-30'", "is not a date", "write"),
        (
            "dates = ['2026-12-06 .. 2026-12-05']".into(),
            "'2026-12-06 .. 2026-12-05'",
            "does not end after it begins",
            "write",
        ),
        ("dates = ['2026-12-06 10:00']".into(), "'2026-12-06 10:00'", "does not end after it begins", "write"),
        (
            "dates = ['2026-03-29 02:10 .. 2026-03-29 02:20']".into(),
            "'2026-03-29 02:10 .. 2026-03-29 02:20'",
            "the clocks go forward over it",
            "write",
        ),
        ("user_sessions = {}".into(), "{}", "`user_sessions` has neither", "exactly one"),
        (
            "user_sessions = { at_least = 1, below = 2 }".into(),
            "{ at_least = 1, below = 2 }",
            "`user_sessions` has both",
            "exactly one",
        ),
        ("max_user_sessions = 0".into(), "0", "not a limit", "1 or more"),
        (
            "max_user_sessions = 1\nuser_sessions = { at_least = 1 }".into(),
            "1",
            "`max_user_sessions` is short for `user_sessions`",
            "one of the two",
        ),
        (
            "when_exceeded = 'replace-oldest'\nmax_user_sessions = 1".into(),
            "'replace-oldest'",
            "a rule that allows cannot have `when_exceeded`",
            "deny",
        ),
        (
            "action = 'deny'\nwhen_exceeded = 'replace-oldest'\nuser_sessions = { below = 1 }".into(),
            "'replace-oldest'",
            "which this rule does not have",
            "max_user_sessions = 1",
        ),
        ("group_sessions = { group = 'sales' }".into(), "{ group = 'sales' }", "`group_sessions` has neither", "one"),
        ("group_sessions = { group = 'sale', below = 2 }".into(), "'sale'", "no group `sale`", "`sales`?"),
        ("connect_time = { per = 'day', at_least = '8' }".into(), "'8'", "`8` lacks a unit", "`1h 30m`"),
        (
            "octets = { per = 'day', below = '5 apples' }".into(),
            "'5 apples'",
            "`5 apples` is not a valid amount",
            "`100 GiB`",
        ),
        ("octets = { per = 'day', below = '99999 PiB' }".into(), "'99999 PiB'", "is too large", "`100 GiB`"),
        ("action = 'deny'\nwhen_unrecorded = 'allow'".into(), "'allow'", "lets no one in", "leave"),
        ("action = 'deny'\nwhen_unrecorded = 'deny'".into(), "'deny'", "lets no one in", "leave"),
        ("disconnect_active = true".into(), "true", "a rule that allows cannot have `disconnect_active`", "deny"),
        (
            "action = 'deny'\nmax_user_sessions = 1\ndisconnect_active = true".into(),
            "true",
            "does not say which of them has to go",
            "replace-oldest",
        ),
        (
            "action = 'deny'\ngrace = '5m'".into(),
            "'5m'",
            "to which this rule does not apply",
            "disconnect_active = true",
        ),
        ("action = 'deny'\ndisconnect_active = true\ngrace = '25h'".into(), "'25h'", "longer than a day", "`1d`"),
        ("action = 'deny'\ndisconnect_active = true\ngrace = '5'".into(), "'5'", "`5` lacks a unit", "`1h 30m`"),
        ("session_time = '10h'".into(), "'10h'", "a rule that allows cannot have `session_time`", "disconnect_active"),
        ("action = 'deny'\nsession_time = 'long'".into(), "'long'", "not a valid amount of time", "`1h 30m`"),
        ("action = 'deny'\npool = 'office'".into(), "'office'", "denies cannot have a pool", "leave the pool out"),
    ];
    for (lines, place, what, help) in cases {
        let found = fault(lines);
        assert_eq!(found.0, *place, "{lines}: {found:?}");
        assert!(found.1.contains(what) && found.2.contains(help), "{lines}: {found:?}");
        // The style of messages: no full stop, no apology.
        assert!(!found.1.ends_with('.') && !found.2.ends_with('.'), "{found:?}");
    }
}

#[test]
fn a_pool_asks_only_for_what_is_known_in_time() {
    for (condition, field) in [
        ("tunnels = ['SSTP']", "tunnels"),
        ("source_networks = ['10.0.0.0/8']", "source_networks"),
        ("remote_computers = ['PC*']", "remote_computers"),
        ("quarantine = ['normal']", "quarantine"),
        ("interface_types = ['client']", "interface_types"),
    ] {
        let (place, what, help) = fault(&format!("{condition}\npool = 'office'\nipv6_pool = 'office6'"));
        assert_eq!(place, condition.split_once(" = ").unwrap().1);
        assert_eq!(what, format!("a rule with a pool cannot ask for `{field}`"));
        assert!(help.contains("before that is known"), "{help}");
    }
    let world = compiled(
        "[groups.sales]\nusers = ['alice']\n[[rules]]\nname = 'r'\naction = 'allow'\npool = 'office'\nusers = ['*']\n\
         groups = ['sales']\nports = ['V*']\nservers = ['a']\nhours = [{ days = ['mon'] }]\n\
         user_sessions = { below = 1 }\ngroup_sessions = { group = 'sales', below = 1 }\n\
         connect_time = { per = 'day', below = '1h' }\noctets = { per = 'day', below = '1 GB' }\n",
    );
    assert_eq!(world.mistakes, []);
}

#[test]
fn names_of_rules_are_unique() {
    let (place, what, _) = only("[[rules]]\nname = 'r'\naction = 'allow'\n[[rules]]\nname = \"r\"\naction = 'deny'\n");
    assert_eq!((&*place, &*what), ("\"r\"", "there are two rules `r`"));
    assert!(only("[[rules]]\nname = ' '\naction = 'allow'\n").1.contains("empty"));
}

#[test]
fn all_mistakes_are_listed_in_the_order_of_the_file() {
    let world = compiled(
        "[[rules]]\nname = 'a'\naction = 'allow'\nports = ['*x']\nusers = ['y*']\n\
         [[rules]]\nname = 'b'\naction = 'allow'\ngroups = ['none']\nuser_sessions = { below = 1 }\n",
    );
    let places: Vec<_> = world.mistakes.iter().map(|mistake| &world.text[mistake.span.clone()]).collect();
    assert_eq!(places, ["'*x'", "'y*'", "'none'"]);
}
