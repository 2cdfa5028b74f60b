//! What people write whose meaning is plain: the message says how to write it.

use crate::GOOD;
use rasadmin_policy::config::Mistake;

/// Each with a name and the file's text.
pub fn cases() -> Vec<(&'static str, String)> {
    let with = |text: &str| format!("{GOOD}{text}");
    let rule = |text: &str| format!("{GOOD}[[rules]]\nname = \"r\"\naction = \"deny\"\n{text}\n");
    let zoned = |text: &str| format!("time_zone = \"UTC\"\n{}", rule(text));
    let hours = |text: &str| zoned(&format!("hours = \"{text}\""));
    vec![
        // The syntax.
        ("an action without quotes", "default.action = deny\n".into()),
        ("a user without quotes", rule("users = [alice, CORP\\bob, 'carol']")),
        ("hours without quotes", zoned("hours = mon-fri 08:00-18:00")),
        ("an amount without quotes", zoned("connect_time = { per = \"day\", at_least = 8h }")),
        ("a colon", with("[[rules]]\nname: \"r\"\naction: deny\n")),
        ("no value", rule("users =")),
        ("a list without an end", with("groups.g.users = [\"alice\",\n[[rules]]\nname = \"r\"\naction = \"deny\"\n")),
        ("a list without an end on its line", with("groups.g.users = ['alice', 'bob'\nserver.name = \"x\"\n")),
        ("a list without a comma", with("groups.g.users = ['alice' 'bob']\n")),
        ("a text without an end in a list", with("groups.g.users = ['alice, 'bob']\n")),
        ("a header without its bracket", with("[server\nname = \"x\"\n")),
        ("a header without one of its brackets", with("[[rules]\nname = \"r\"\n")),
        // Tables and lists of tables.
        ("one rule", with("[rule]\nname = \"r\"\naction = \"deny\"\ngroups = ['none']\n")),
        ("each a rule", with("[[rule]]\nname = \"r\"\naction = \"deny\"\ngroups = ['none']\n")),
        ("rules with names", with("[rules.office]\naction = \"deny\"\ngroups = ['none']\n")),
        ("rules in braces", with("rules = { name = \"r\", action = \"deny\" }\n")),
        ("a list of pools", with("[[pools]]\nname = \"office\"\naddresses = [\"10.1.0.0/33\"]\n")),
        ("a list of groups without names", with("[[groups]]\nusers = ['CORP\\']\n")),
        // Keys.
        ("another word for a key", rule("computers = ['PC1']\nnetworks = ['10.0.0.0/8']\nsessions = 1")),
        ("another word for a key of the file", with("timezone = \"UTC\"\n")),
        ("another word for a key of the file, below a table", with("[server]\ntimezone = \"UTC\"\n")),
        ("a default that is an action", "default = \"allow\"\n".into()),
        ("a default that names an unknown action", "default = \"reject\"\n".into()),
        ("a number in quotes", rule("max_user_sessions = \"1\"")),
        (
            "a limit that no older session can make room for",
            rule("user_sessions = { at_least = 0 }\nwhen_exceeded = \"replace-oldest\""),
        ),
        // Hours, dates, ranges.
        ("hours joined by a word", hours("08:00 to 18:00")),
        ("hours joined by dots", hours("mon-fri 08:00..18:00")),
        ("days joined with blanks", hours("mon - fri")),
        ("days in words", hours("Monday to Friday, 8 - 18")),
        ("days of a table", zoned("hours = { days = [\"mon - fri\", \"Sunday\"], from = \"08:00\" }")),
        ("dates joined by a dash", zoned("dates = [\"2026-12-24 - 2026-12-26\", \"2026-12-24-2026-12-26\"]")),
        ("dates joined by a word", zoned("dates = \"2026-12-05 20:00 to 2026-12-06 02:00\"")),
        ("dates that go backwards in an hour that comes twice", {
            rule("dates = \"2026-10-25 02:45 .. 2026-10-25 02:15\"").replace("[[", "time_zone = \"Europe/Berlin\"\n[[")
        }),
        ("a range joined by dots", with("[pools.p]\naddresses = [\"10.1.0.1..10.1.0.9\", \"10.1.1.1 to 10.1.1.9\"]\n")),
        // Lists in files.
        ("columns in other words", with("addresses.reservations_file = \"words.csv\"\n")),
        ("columns that nobody knows", with("addresses.reservations_file = \"unknown.csv\"\n")),
    ]
}

/// Everything that is wrong with a file is reported at once, in the order of its lines: syntax, types, references.
#[test]
fn one_round_finds_every_mistake() {
    let text = "default.action = deny\n\
        timezone = \"Europe/Berln\"\n\
        groups.staff = ['alice', 'CORP\\']\n\
        groups.other = 5\n\
        nonsense\n\
        [[rules]]\n\
        name = \"a\"\n\
        action = \"alow\"\n\
        tunnels = \"SSTP\"\n\
        groups = ['staff', 'other', 'none']\n\
        [[rules]]\n\
        name = \"a\"\n\
        action = \"deny\"\n\
        hours = \"08:00 to 18:00\"\n\
        source_networks = ['10.0.0.0/33']\n";
    let errors = crate::errors(text);
    let found: Vec<(usize, String)> =
        errors.mistakes().iter().map(|mistake| (errors.position(mistake).0, mistake.what.clone())).collect();
    let expected = [
        (1, "`deny` needs quotation marks"),
        (2, "unknown key `timezone`"),
        (2, "there is no time zone `Europe/Berln`"),
        (3, "a list is not valid here"),
        (3, "`CORP\\` lacks a name"),
        (4, "integer `5` is not valid here"),
        (5, "`nonsense` is not a setting"),
        (8, "`alow` is not a valid value"),
        (9, "text \"SSTP\" is not valid here"),
        (10, "there is no group `none`"),
        (12, "there are two rules `a`"),
        (14, "`08:00 to 18:00` is not how hours are written"),
        (15, "`10.0.0.0/33` is not a valid network"),
    ];
    let found: Vec<(usize, &str)> = found.iter().map(|(line, what)| (*line, what.as_str())).collect();
    assert_eq!(found, expected, "{errors}");
}

/// A backslash in double quotes is the most common mistake.
#[test]
fn a_backslash_hides_no_other_mistake() {
    for user in [r"CORP\alice", r"CORP\bob"] {
        let text = format!(
            "default.action = \"alow\"\n[[rules]]\nname = \"a\"\naction = \"deny\"\nusers = [\"{user}\"]\ntunnels = \"SSTP\"\n"
        );
        let errors = crate::errors(&text);
        let lines: Vec<usize> = errors.mistakes().iter().map(|mistake| errors.position(mistake).0).collect();
        assert_eq!(lines, [1, 5, 6], "{errors}");
    }
}

/// A mistake in the syntax does not end the search for others of its kind, nor for unknown tables.
#[test]
fn a_mistake_in_the_syntax_hides_no_other() {
    let rule = "name = \"r\"\naction = deny\n";
    for (text, expected) in [
        ("default_domain: \"CORP\"\ndefault.action = deny\n".to_owned(), &[1, 2][..]),
        (format!("default.action: \"deny\"\nserver.name: VPN1\n[[rules]]\n{rule}"), &[1, 2, 5]),
        (
            format!("default_domain: \"CORP\"\nnonsense\ntime_zone =\ndefault.action = deny\n[[rules]]\n{rule}"),
            &[1, 2, 3, 4, 7],
        ),
        (format!("default.action = \"deny\"\n[rule]\n{rule}"), &[2, 4]),
        (format!("default.action = \"deny\"\n[rules]\n{rule}"), &[2, 4]),
        ("default.action = deny\n[jurnal]\nfolder = \"j\"\n".to_owned(), &[1, 2]),
        ("default.action = \"deny\"\n[jurnal]\ndurability = full\n[frobnicate]\nx = 1\n".to_owned(), &[2, 3, 4]),
    ] {
        let errors = crate::errors(&text);
        let lines: Vec<usize> = errors.mistakes().iter().map(|mistake| errors.position(mistake).0).collect();
        assert_eq!(lines, expected, "{errors}");
    }
}

/// A mistake brings no others that are not there: a list that has no end, for example, makes the rest of the file a part
/// of it.
#[test]
fn a_mistake_that_confuses_the_parser_is_alone() {
    for text in [
        "default.action = \"deny\"\ngroups.g.users = ['alice', 'bob'\n[[rules]]\nname = \"r\"\naction = \"deny\"\n",
        "default.action = \"deny\"\n[[rules]\nname = \"r\"\naction = \"deny\"\nusers = ['a']\n",
        "default.action = \"deny\"\ngroups.g.users = [\"alice]\n[[rules]]\nname = \"r\"\naction = \"deny\"\ngroups = ['g']\n",
        "default.action = \"deny\"\n[[rules]]\nname = \"r\"\naction = \"deny\"\nmax_user_sessions = \"1\"\n\
         when_exceeded = \"replace-oldest\"\n",
        "default.action = \"deny\"\npools.p = 5\ngroups.g = { users = ['a'], pool = 'p' }\n",
    ] {
        let errors = crate::errors(text);
        assert_eq!((errors.mistakes().len(), errors.more()), (1, 0), "{errors}");
    }
}

/// To tell what is meant takes time, so a long text is not a span.
#[test]
fn of_a_long_text_nobody_asks_which_dates_are_meant() {
    for (blanks, guessed) in [(50, true), (100, false)] {
        let dates = format!("2026-12-24{}- 2026-12-26", " ".repeat(blanks));
        let text = format!(
            "default.action = \"deny\"\ntime_zone = \"UTC\"\n[[rules]]\nname = \"r\"\naction = \"deny\"\ndates = \"{dates}\"\n"
        );
        let errors = crate::errors(&text);
        assert_eq!(errors.mistakes()[0].what.contains("has no `..`"), guessed, "{errors}");
    }
}

/// Whatever is long in a configuration: a key, a name, a value. No message repeats it.
#[test]
fn what_is_long_in_a_configuration_is_shortened() {
    let long = "x".repeat(10_000);
    let mut repeated = Vec::new();
    let days = vec!["monday"; 1_000].join(" and ");
    let rule = |line: &str| format!("time_zone = 'UTC'\n[[rules]]\nname = 'r'\naction = 'deny'\n{line}\n");
    for text in [
        format!("{long} = 1"),
        format!("[{long}]\nx = 1"),
        format!("[server]\n{long} = 1"),
        format!("[groups.{long}]\ntime_zone = 'UTC'\nusers = []"),
        format!("service.retention.segments = '{long}'"),
        format!("service.retention.at = '{long}'"),
        format!("time_zone = '{long}'"),
        format!("limits.reconnect = '{long}'"),
        format!("server.addresses = '{long}'"),
        format!("server.addresses = ['{long}']"),
        format!("groups.g = '{long}'"),
        format!("groups.{long} = 5"),
        format!("groups.{long} = ['a']"),
        format!("groups.g.users = '{long}'"),
        format!("groups.g.pool = '{long}'"),
        format!("pools.{long} = true"),
        format!("pools.p.addresses = ['{long}']"),
        format!("[[pools]]\nname = '{long}'\naddresses = []"),
        format!("rules.{long} = {{ action = 'deny' }}"),
        format!("service.follow = '{long}'"),
        format!("journal.deadline_ms = '{long}'"),
        format!("journal.{long} = 1"),
        format!("{long}: 1"),
        format!("{long} ="),
        long.clone(),
        format!("[{long}"),
        format!("server.name = {long}"),
        format!("groups.g.users = [{long}"),
        format!("'{long}' = [1"),
        format!("ledger.path = \"{long}"),
        rule(&format!("groups = ['{long}']")),
        rule(&format!("tunnels = ['{long}']")),
        rule(&format!("tunnels = '{long}'")),
        rule(&format!("hours = '{days}, 8-18'")),
        rule(&format!("hours = '{long}'")),
        rule(&format!("hours = [{{ days = ['{days}'] }}]")),
        rule(&format!("dates = '{long}'")),
        rule(&format!("dates = '2026-12-24{} .. 2026-12-20'", " ".repeat(10_000))),
        rule(&format!("users = ['{long}\\']")),
        rule(&format!("users = ['a*{long}']")),
        rule(&format!("ports = ['a*{long}']")),
        rule(&format!("source_networks = ['{long}']")),
        rule(&format!("octets = {{ per = 'day', at_least = '{long}' }}")),
        rule(&format!("connect_time = {{ per = 'day', at_least = '{long}' }}")),
        rule(&format!("connect_time = '{long}'")),
        rule(&format!("max_user_sessions = '{long}'")),
        rule(&format!("user_sessions = '{long}'")),
        rule(&format!("group_sessions = {{ group = '{long}', at_least = 4 }}")),
        rule(&format!("[[rules]]\nname = '{long}'\naction = 'deny'\npool = '{long}'")),
        format!("[[rules]]\nname = '{long}'\naction = 'deny'\n[[rules]]\nname = '{long}'\naction = 'deny'"),
        format!("[[reservations]]\nuser = '{long}\\'\naddress = '{long}'"),
    ] {
        let errors = crate::errors(&format!("default.action = 'deny'\n{text}\n"));
        let long = |mistake: &&Mistake| mistake.what.len().max(mistake.help.len()) > 700;
        repeated.extend(errors.mistakes().iter().find(long).map(|mistake| {
            let start = |text: &str| text.chars().take(60).collect::<String>();
            (start(&text), start(&mistake.what), start(&mistake.help))
        }));
    }
    assert_eq!(repeated, []);
}

/// Lines of files can be megabytes long. No message repeats one.
#[test]
fn a_long_line_of_a_file_is_shortened() {
    let long = "x".repeat(10_000);
    for (key, line) in [
        ("groups.g.members_file", format!("CORP\\\\{long}")),
        ("rules = [{ name = 'r', action = 'deny', source_networks_file", format!("{long}/24")),
        ("rules = [{ name = 'r', action = 'deny', computers_file", format!("{long}*x")),
        ("addresses.reservations_file", format!("{long}1,10.1.0")),
        ("addresses.reservations_file", format!("alice1,{long}")),
        ("addresses.reservations_file", format!("alice1,,{long}")),
        ("addresses.reservations_file", format!("{long}1,")),
        ("addresses.reservations_file", format!("user,{long}")),
        ("addresses.reservations_file", format!("{long}1,10.1.0.1\n{long}1,10.1.0.2")),
    ] {
        let end = if key.contains('{') { " }]" } else { "" };
        let text = format!("default.action = \"allow\"\n{key} = 'long'{end}\n");
        let parsed = rasadmin_policy::config::parse("f", &text, std::path::Path::new("/f"), &mut |_| Ok(line.clone()));
        let Err(errors) = parsed else { panic!("no mistake: {key}") };
        let longest = errors.mistakes().iter().map(|mistake| mistake.what.len() + mistake.help.len()).max();
        assert!(longest < Some(400), "{key}: {longest:?}");
    }
}
