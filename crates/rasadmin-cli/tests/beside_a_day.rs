//! The rasadmin service beside a day that the host plays.
#![allow(clippy::unwrap_used)]

#[path = "support/beside.rs"]
mod beside;
mod support;

use beside::Day;
use serde_json::Value;
use std::time::{Duration, Instant};
use support::PATIENCE;

const CONFIG: &str = r#"
time_zone = "UTC"
default_domain = "CORP"
default.action = "allow"
server.name = "VPN1"
[service.retention]
enabled = false
[service.disconnect]
mode = "enforce"
"#;

const RULES: &str = r#"
[[rules]]
name = "quota"
action = "deny"
octets = { at_least = "2 GiB", per = "day" }
users = ["alice"]
disconnect_active = true
[[rules]]
name = "eight minutes"
action = "deny"
users = ["bob", "carol"]
session_time = "8m"
disconnect_active = true
[[rules]]
name = "one at a time"
action = "deny"
users = ["george"]
user_sessions = { at_least = 1 }
"#;

const SERVER: &str = "\
server VPN1
day 2026-11-23T00:00:00Z
server-address 10.20.0.1
pool 10.20.0.2-10.20.0.254
";

fn how_ended(session: &Value) -> [Value; 4] {
    ["acct_terminate_cause", "closed_by", "disconnect", "disconnect_rule"].map(|key| session[key].clone())
}

fn one(all: Vec<Value>) -> Value {
    assert_eq!(all.len(), 1, "{all:#?}");
    all.into_iter().next().unwrap()
}

/// Alice uses up 2 GiB after six minutes, and comes back. Bob stays for too long, and carol does not. Dave sends more than
/// RRAS's counters can show. Erin is blocked, and comes back. George's computer vanishes, and he connects again while RRAS
/// still has his first connection.
const MORNING: &str = "\
08:00:00 connect alice user=alice tunnel=ikev2 from=203.0.113.9 computer=PC-1 received=6871947701 until=08:20:00
08:00:05 connect dave user=dave tunnel=sstp from=203.0.113.4 computer=PC-4 received=6871947701 sent=4294967297 until=08:16:00
08:00:10 connect bob user=bob tunnel=sstp from=203.0.113.5 computer=PC-2 received=1000000 until=08:20:00
08:00:15 connect erin user=erin tunnel=sstp from=203.0.113.7 computer=PC-5 received=1000 until=08:20:00
08:00:20 connect george user=george tunnel=ikev2 from=203.0.113.8 computer=PC-7 received=900000 until=08:18:00
08:05:00 vanish george
08:07:00 connect george-2 user=george tunnel=ikev2 from=198.51.100.8 computer=PC-7 received=1000 until=08:20:00
08:14:00 connect carol user=carol tunnel=sstp from=203.0.113.6 computer=PC-3 received=1000 until=08:20:00
08:17:00 connect alice-2 user=alice tunnel=ikev2 from=203.0.113.9 computer=PC-1 until=08:19:00
08:17:30 connect erin-2 user=erin tunnel=sstp from=203.0.113.7 computer=PC-5 until=08:19:00
08:18:30 connect frank user=frank tunnel=sstp from=203.0.113.3 computer=PC-6 received=5000 until=08:20:00
";

#[test]
#[cfg_attr(windows, ignore = "it replaces mprapi.dll: `cargo xtask test` runs it, in a Wine prefix")]
fn sessions_end_when_they_should_and_only_then() {
    let mut day = Day::begin(&format!("{CONFIG}{RULES}"), &format!("{SERVER}{MORNING}"));
    let service = day.service();
    let live = ["sessions", "--live", "--json"];
    let of = |sessions: &Value, name: &str| {
        sessions.as_array().into_iter().flatten().find(|session| session["name"] == name).cloned().unwrap_or_default()
    };
    day.play("08:00:40");
    day.until(&live, |live| of(live, "ERIN")["listed"] == true);
    day.run(&["block", "erin", "--reason", "stolen", "--yes"]).ends(0).prints("is disconnected");
    // The quota is used up after 375 seconds, and bob's eight minutes are over at 08:08:10.
    for (time, name) in [("08:06:20", "ALICE"), ("08:08:20", "BOB")] {
        day.play(time);
        day.until(&live, |live| of(live, name).is_null());
    }
    day.play("08:11:00");
    let dave = of(&day.until(&live, |live| of(live, "DAVE")["acct_input_octets"].as_u64() > Some(1 << 32)), "DAVE");
    assert_eq!((&dave["octets_are"], &dave["listed"]), (&"exact".into(), &true.into()));
    assert!(dave["last_heard"].as_str().unwrap().starts_with("2026-11-23T08:"), "{dave:#}");
    // RRAS has both of George's connections; the one with a client is the one that counts.
    day.until(&live, |live| of(live, "GEORGE")["calling_station_id"] == "198.51.100.8");
    // What the DLL has measured.
    let metrics = day.run(&["metrics"]).ends(0).stdout;
    let calls = |of: &str| {
        let line = format!("rasadmin_callback_duration_seconds_count{{callback=\"{of}\"}} ");
        metrics.lines().find_map(|metric| metric.strip_prefix(&line)?.parse::<u64>().ok())
    };
    for callback in ["GetIpAddressForUser", "AcceptNewConnection", "AcceptNewLink"] {
        assert!(calls(callback) >= Some(1), "{callback}: {metrics}");
    }
    // Dave's octets over time: the first ones at 08:06:20 at the latest, because all wait there for a look.
    day.play("08:15:00");
    let over_time = octets_over_time(&day, "DAVE");
    let said = day.end().stderr;
    drop(service);
    assert!(String::from_utf8_lossy(&said).contains("beside it, you can run"));

    let [alice, bob, erin, carol, dave] =
        ["ALICE", "BOB", "ERIN", "CAROL", "DAVE"].map(|name| one(day.sessions_of(name)));
    assert_eq!(how_ended(&alice), ["Session-Timeout", "hangup", "enforced", "quota"].map(Value::from));
    assert_eq!(how_ended(&bob), ["Session-Timeout", "hangup", "enforced", "eight minutes"].map(Value::from));
    assert_eq!(how_ended(&erin)[..3], ["Admin-Reset", "hangup", "enforced"].map(Value::from), "{erin:#}");
    let george = day.sessions_of("GEORGE");
    assert_eq!((george.len(), &george[0]["disconnect"]), (2, &Value::Null), "nobody disconnects a ghost: {george:#?}");
    for untouched in [&carol, &dave, &one(day.sessions_of("FRANK"))] {
        assert_eq!(
            (&untouched["disconnect"], &untouched["closed_by"]),
            (&Value::Null, &"hangup".into()),
            "{untouched:#}"
        );
    }
    // 2 GiB are reached after 375 seconds.
    let octets = alice["acct_input_octets"].as_u64().unwrap();
    assert!((2 << 30..3 << 30).contains(&octets), "{octets}");
    let counted = |session: &Value| ["acct_input_octets", "acct_output_octets"].map(|key| session[key].as_u64());
    assert_eq!((counted(&dave), &dave["octets_are"]), ([Some(6_871_947_701), Some(4_294_967_297)], &"exact".into()));
    let last = over_time.last().unwrap();
    assert!((1..6_871_947_701).contains(&last[1]) && (1..4_294_967_297).contains(&last[2]), "{over_time:?}");
    for two in over_time.windows(2) {
        assert!(two[1][0] - two[0][0] >= 5 * 60_000 && two[0][1] < two[1][1], "{over_time:?}");
    }
    println!(
        "seconds until the end: a quota {}, eight minutes {}, a block {}",
        alice["acct_session_time"], bob["acct_session_time"], erin["acct_session_time"]
    );
    let refused = day.run(&["decisions", "--rejected", "--json"]).ends(0).json();
    let refused = |user: &str, key: &str, value: &str| {
        let mut all = refused.as_array().unwrap().iter();
        assert!(all.any(|one| one["name"] == user && one[key] == value), "{user} {value}: {refused:#}");
    };
    refused("ALICE", "rule", "quota");
    refused("ERIN", "refusal", "blocked");
}

/// At least two rows of a user's octets over time: time, received, sent.
fn octets_over_time(day: &Day, name: &str) -> Vec<[i64; 3]> {
    let ledger = rusqlite::Connection::open(day.kept().join("rasadmin.db")).unwrap();
    let sql = "SELECT time, input_octets, output_octets FROM session_octets
         WHERE session = (SELECT id FROM sessions WHERE name = ?1) ORDER BY time";
    let mut all = ledger.prepare(sql).unwrap();
    let deadline = Instant::now() + PATIENCE;
    loop {
        let rows = all.query_map([name], |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?])).unwrap();
        let rows: Vec<_> = rows.map(Result::unwrap).collect();
        if rows.len() > 1 {
            return rows;
        }
        assert!(Instant::now() < deadline, "{rows:?}\n{}", day.said());
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Twelve clients, each of whom may stay for three minutes. RRAS dies after nine minutes; three of them come back.
fn twelve() -> String {
    let user = |n: u64, at: u64, label: &str, until: &str| {
        let (minute, second) = (at / 60, at % 60);
        format!(
            "08:{minute:02}:{second:02} connect {label}{n} user=user{n} tunnel=sstp from=203.0.113.{n} computer=PC-{n} \
             received=1000 until={until}\n"
        )
    };
    let first: String = (1..=12).map(|n| user(n, n * 15, "first-", "08:20:00")).collect();
    let again: String = (1..=3).map(|n| user(n, 10 * 60 + n, "again-", "08:12:30")).collect();
    format!("{first}08:09:00 kill\n08:09:30 restart\n{again}")
}

/// Each decision of a session is recorded before RRAS is asked, so whatever is killed, nobody is asked for twice, and
/// nobody is forgotten.
#[test]
#[cfg_attr(windows, ignore = "it replaces mprapi.dll: `cargo xtask test` runs it, in a Wine prefix")]
fn whoever_dies_in_between_nothing_happens_twice() {
    let rule =
        "[[rules]]\nname = \"three minutes\"\naction = \"deny\"\nsession_time = \"3m\"\ndisconnect_active = true\n";
    let mut day = Day::begin(&format!("{CONFIG}{rule}"), &format!("{SERVER}{}", twelve()));
    let disconnected = || {
        let all = day.run(&["sessions", "--json", "--limit", "0"]).json();
        all.as_array().unwrap().iter().filter(|session| session["closed_by"] == "hangup").count()
    };
    // The first is due after 3 minutes and 15 seconds, the last after six minutes. A service that has just started ends
    // nobody in its first minute.
    let mut killed = 0;
    for (time, least) in [("08:03:25", 1), ("08:04:40", 2), ("08:05:50", 3), ("08:07:10", 12)] {
        let service = day.service();
        day.play(time);
        let deadline = Instant::now() + PATIENCE;
        while disconnected() < least {
            assert!(Instant::now() < deadline, "{} of {least} have ended\n{}", disconnected(), day.said());
        }
        // In the middle of what it does.
        drop(service);
        killed += 1;
    }
    let service = day.service();
    day.play("08:10:10");
    day.until(&["sessions", "--live", "--json"], |live| {
        let live = live.as_array().map_or(&[][..], Vec::as_slice);
        live.len() == 3 && live.iter().all(|session| session["listed"] == true)
    });
    day.end();
    drop(service);

    for n in 1..=12 {
        let sessions = day.sessions_of(&format!("USER{n}"));
        assert_eq!(sessions.len(), if n <= 3 { 2 } else { 1 }, "{sessions:#?}");
        let expected = ["Session-Timeout", "hangup", "enforced", "three minutes"].map(Value::from);
        assert_eq!(how_ended(&sessions[0]), expected, "{:#}", sessions[0]);
        for again in &sessions[1..] {
            assert_eq!((&again["disconnect"], &again["closed_by"]), (&Value::Null, &"hangup".into()), "{again:#}");
        }
    }
    let records = day.run(&["journal", "show", "--json"]).ends(0).stdout;
    let records = records.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let decided = records.filter(|line| line["record"]["event"]["disconnect"].is_object());
    assert_eq!(decided.count(), 12, "each was decided once");
    println!("the service was killed {killed} times");
}

/// A section of the guide, by its title.
fn section<'p>(page: &'p str, title: &str) -> &'p str {
    let found = page.split("\n## ").find(|section| section.starts_with(title));
    found.unwrap_or_else(|| panic!("the guide has no section `{title}`"))
}

/// The blocks of a language, without their fences.
fn blocks<'a>(text: &'a str, language: &str) -> Vec<&'a str> {
    let fence = format!("```{language}\n");
    text.split(&fence).skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

/// The commands of a section, as a shell takes them apart: words, and words in quotes, without the comments.
fn commands(section: &str) -> Vec<Vec<String>> {
    let blocks = ["powershell", "console"].into_iter().flat_map(|language| blocks(section, language));
    let lines = blocks.flat_map(str::lines).filter_map(|line| line.trim_start_matches("$ ").strip_prefix("rasadmin "));
    lines
        .map(|line| {
            let line = line.split(" #").next().unwrap();
            let mut words = Vec::new();
            for (number, part) in line.split(['\'', '"']).enumerate() {
                if number % 2 == 1 {
                    words.push(part.to_owned());
                } else {
                    words.extend(part.split_whitespace().map(str::to_owned));
                }
            }
            words
        })
        .collect()
}

/// The evening of "Hours that end sessions". Alice and bob are to be disconnected, the thief has the laptop of carol, dave
/// sends more than RRAS's counters can show, and olga is on call.
const EVENING: &str = "\
21:46:00 connect alice user=alice tunnel=sstp from=203.0.113.1 computer=PC-1 received=1000000 until=22:12:00
21:46:02 connect bob user=bob tunnel=sstp from=203.0.113.2 computer=PC-2 received=1000000 until=22:12:00
21:46:04 connect tunnel user=host/laptop-7.corp.example tunnel=ikev2 from=203.0.113.7 received=1000 until=22:12:00
21:46:06 connect carol user=carol tunnel=sstp from=203.0.113.7 computer=LAPTOP-7 received=1000 until=22:12:00
21:46:08 connect dave user=dave tunnel=sstp from=203.0.113.4 computer=PC-4 received=68719476736 until=22:12:00
21:46:10 connect olga user=olga tunnel=ikev2 from=203.0.113.5 received=1000000 until=22:12:00
";

/// The commands of the guide, in the sections about what only the service can do.
#[test]
#[cfg_attr(windows, ignore = "it replaces mprapi.dll: `cargo xtask test` runs it, in a Wine prefix")]
fn the_guides_commands_do_what_it_says() {
    let page = std::fs::read_to_string(support::root().join("docs/admin-guide.md")).unwrap().replace("\r\n", "\n");
    let night = section(&page, "Hours that end sessions");
    let config = format!("{}\n{}", blocks(&page, "toml")[0], blocks(night, "toml").concat());
    // The guide's time zone.
    let server = SERVER.replace("00:00:00Z", "00:00:00+01:00");
    let mut day = Day::begin(&config, &format!("{server}{EVENING}"));
    let service = day.service();
    let live = ["sessions", "--live", "--json"];
    let live_of = |live: &Value, name: &str| {
        live.as_array().into_iter().flatten().find(|session| session["name"] == name).cloned().unwrap_or_default()
    };
    let run = |words: &[String]| {
        let mut words: Vec<_> = words.iter().map(String::as_str).collect();
        // A person answers the question.
        if matches!(words[0], "disconnect" | "block") && !matches!(words[1], "list") && !words.contains(&"--yes") {
            words.push("--yes");
        }
        day.run(&words)
    };
    day.play("20:48:00");
    let listed = day.until(&live, |live| ["OLGA", "CAROL"].iter().all(|name| live_of(live, name)["listed"] == true));

    let [who] = &commands(section(&page, "Who is really there"))[..] else { panic!("one command") };
    run(who).ends(0).prints("heard").prints(" ago");
    let dave =
        live_of(&day.until(&live, |live| live_of(live, "DAVE")["acct_input_octets"].as_u64() > Some(1 << 32)), "DAVE");
    assert_eq!(dave["octets_are"], "exact", "Traffic of a live session: {dave:#}");
    day.run(&["user", "dave"]).ends(0).prints("GiB");

    let [by_user, by_number, by_rule, list] = &commands(section(&page, "Disconnect someone now"))[..] else {
        panic!("four commands")
    };
    run(by_user).ends(0).prints("CORP\\ALICE is blocked").prints("is disconnected");
    let number = live_of(&listed, "BOB")["id"].to_string();
    let by_number: Vec<_> =
        by_number.iter().map(|word| if word == "241" { number.clone() } else { word.clone() }).collect();
    run(&by_number).ends(0).prints("is disconnected");
    // At this time the rule ends nobody.
    run(by_rule).ends(1).prints("denies no live session");
    // The block, which comes first, may have disconnected alice already.
    run(list).ends(0).prints("CORP\\ALICE").prints("CORP\\BOB");

    let stolen = commands(section(&page, "A stolen laptop"));
    run(&stolen[0]).ends(0).prints("LAPTOP-7$ is disconnected");
    run(&stolen[1]).ends(0).prints("CORP\\CAROL is disconnected");

    // After 22:05, those who are still there are reported, and nobody is disconnected.
    let [reported] = &commands(night)[..] else { panic!("one command") };
    let as_json = [&reported.iter().map(String::as_str).collect::<Vec<_>>()[..], &["--json"]].concat();
    let night = |list: &Value| {
        let of_rule = list.as_array().into_iter().flatten().filter(|session| session["disconnect_rule"] == "night");
        of_rule.map(|session| (session["name"].clone(), session["disconnect"].clone())).collect::<Vec<_>>()
    };
    day.play("21:06:00");
    let reported = night(&day.until(&as_json, |list| !night(list).is_empty()));
    assert_eq!(reported, [("DAVE".into(), "reported".into())], "olga is on call");
    day.end();
    drop(service);
    for (user, octets) in [("DAVE", 68_719_476_736_u64), ("OLGA", 1_000_000)] {
        let session = one(day.sessions_of(user));
        assert_eq!(
            (&session["acct_input_octets"], &session["acct_stop_time"]),
            (&octets.into(), &"2026-11-23T21:12:00Z".into())
        );
    }
}
