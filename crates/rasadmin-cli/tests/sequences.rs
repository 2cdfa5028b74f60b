//! The product is right in every sequence: with events that are late, lost, doubled or overlapping, clocks that are
//! stepped, services that are killed. Each scenario in the folder `sequences` is played to the product through the C ABI.
//! The scenario says what the result of every connection must be; these tests say what the ledger must contain.
#![allow(clippy::unwrap_used)]

mod support;

use rasadmin_host::assumptions::Assumption;
use serde_json::Value;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use support::{product, rasadmin, rasadmin_with, words};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sequences")
}

/// A scenario that was played, and what is wrong with the result.
struct Played {
    kept: tempfile::TempDir,
    /// The host's report.
    day: Value,
    wrong: Vec<String>,
    /// The ledger's answers.
    answers: RefCell<BTreeMap<String, Vec<Value>>>,
}

/// A session that the ledger must contain: times of the scenario's day, octets from and to the client.
struct Expected {
    start: &'static str,
    stop: &'static str,
    octets: (u64, u64),
}

fn expected(start: &'static str, stop: &'static str, octets: (u64, u64)) -> Expected {
    Expected { start, stop, octets }
}

/// A time of the scenario's day as the ledger has it.
fn at(time: &str) -> String {
    format!("2026-11-23T{time}Z")
}

fn seconds(time: &str) -> i64 {
    let parts = time.split(':').map(|part| part.parse::<i64>().unwrap());
    parts.fold(0, |sum, part| sum * 60 + part)
}

/// Plays the scenario of this name, in one process and in two, and checks the ledger.
#[track_caller]
fn sequence(name: &str, check: fn(&mut Played)) {
    let scenario = std::fs::read_to_string(folder().join(format!("{name}.scenario"))).unwrap();
    let mut wrong = Vec::new();
    for processes in ["one", "two"] {
        let mut played = play_text(name, &set(&format!("processes {processes}"), &scenario));
        check(&mut played);
        wrong.extend(played.wrong.iter().map(|wrong| format!("(processes {processes}) {wrong}")));
    }
    assert!(wrong.is_empty(), "{name} is not right:\n  {}", wrong.join("\n  "));
}

/// The scenario with a setting before its first line, which is a comment: lines keep their numbers.
fn set(setting: &str, scenario: &str) -> String {
    assert!(scenario.starts_with('#'), "a scenario begins with a comment that says what it is about");
    format!("{setting} {scenario}")
}

/// Plays a scenario with the configuration of this name, or with the one of all.
fn play_text(name: &str, scenario: &str) -> Played {
    let kept = tempfile::tempdir().unwrap();
    let own = folder().join(format!("{name}.toml"));
    let config = if own.is_file() { own } else { folder().join("base.toml") };
    let written = tempfile::tempdir().unwrap();
    let file = written.path().join(format!("{name}.scenario"));
    std::fs::write(&file, scenario).unwrap();
    let run = [
        &"host" as &dyn AsRef<_>,
        &"run",
        &"--json",
        &"--config",
        &config,
        &"--keep",
        &kept.path(),
        &"--dll",
        &product(),
        &file,
    ];
    let ran = rasadmin(words(run));
    // Any other code says nothing about the product's decisions: the scenario is not valid, or something crashed.
    assert!(matches!(ran.code, Some(0 | 1)), "{name} could not be played: {:?}\n{}", ran.code, ran.stderr);
    let wrong = ran.stderr.lines().map(str::to_owned).collect();
    Played { day: ran.json(), kept, wrong, answers: RefCell::default() }
}

impl Played {
    /// Asks the run's ledger, each question once.
    fn ask(&self, what: &[&str]) -> Vec<Value> {
        let asked = || {
            let config = self.kept.path().join("rasadmin.toml");
            let what = what.iter().chain(&["--json"]);
            let ran = rasadmin_with(what, &[("RASADMIN_CONFIG", config.to_str().unwrap())]);
            assert!(matches!(ran.code, Some(0 | 1)), "{}", ran.stderr);
            ran.json().as_array().unwrap().clone()
        };
        self.answers.borrow_mut().entry(what.join(" ")).or_insert_with(asked).clone()
    }

    /// Records a difference from what must be.
    fn must<T: PartialEq + std::fmt::Debug>(&mut self, what: &str, found: T, wanted: T) {
        if found != wanted {
            self.wrong.push(format!("{what}: expected {wanted:?}, found {found:?}"));
        }
    }

    fn must_be(&mut self, what: &str, is: bool) {
        if !is {
            self.wrong.push(format!("it is not so: {what}"));
        }
    }

    /// The user's sessions, the earliest first.
    fn sessions(&self, user: &str) -> Vec<Value> {
        let mut sessions = self.ask(&["sessions", "--limit", "0"]);
        sessions.retain(|session| session["name"] == user);
        sessions.sort_by_key(|session| session["id"].as_i64());
        sessions
    }

    /// The user has had these sessions, each ended by its own hangup, and was billed for them.
    fn had_sessions(&mut self, user: &str, all: &[Expected]) {
        self.had_sessions_billed(user, all, all.iter().map(|one| seconds(one.stop) - seconds(one.start)).sum());
    }

    /// The same; these seconds count for quotas.
    fn had_sessions_billed(&mut self, user: &str, all: &[Expected], seconds_billed: i64) {
        let sessions = self.sessions(user);
        self.must(&format!("sessions of {user}"), sessions.len(), all.len());
        for (session, expected) in sessions.iter().zip(all) {
            let about = |what: &str| format!("{what} of {user}'s session of {}", expected.start);
            let text = |key: &str| session[key].as_str().unwrap_or_default().to_owned();
            self.must(&about("start"), text("acct_start_time"), at(expected.start));
            self.must(&about("stop"), text("acct_stop_time"), at(expected.stop));
            self.must(&about("end"), text("closed_by"), "hangup".to_owned());
            let lasted = seconds(expected.stop) - seconds(expected.start);
            self.must(&about("seconds"), session["acct_session_time"].as_i64(), Some(lasted));
            let octets = (session["acct_input_octets"].as_u64(), session["acct_output_octets"].as_u64());
            self.must(&about("octets"), octets, (Some(expected.octets.0), Some(expected.octets.1)));
        }
        let billed = self.usage(user);
        self.must(&format!("seconds billed to {user}"), billed.0, seconds_billed);
        let octets = all.iter().map(|one| i64::try_from(one.octets.0 + one.octets.1).unwrap()).sum();
        self.must(&format!("octets billed to {user}"), billed.1, octets);
    }

    /// Seconds and octets that the user is billed.
    fn usage(&self, user: &str) -> (i64, i64) {
        let rows = self.ask(&["usage", "--per", "day"]);
        let of = |key: &str| -> i64 {
            rows.iter().filter(|row| row["name"] == user).map(|row| row[key].as_i64().unwrap_or(0)).sum()
        };
        (of("connected_seconds"), of("acct_input_octets") + of("acct_output_octets"))
    }

    /// Who had the address, in order: user, from when, until when.
    fn leases(&self, address: &str) -> Vec<(String, String, String)> {
        let mut leases = self.ask(&["who-had", address, "--limit", "1000"]);
        leases.sort_by_key(|lease| lease["id"].as_i64());
        let text = |lease: &Value, key: &str| lease[key].as_str().unwrap_or_default().to_owned();
        let row = |lease: &Value| {
            let user = format!("{}\\{}", text(lease, "domain"), text(lease, "name"));
            (user, text(lease, "began"), text(lease, "ended"))
        };
        leases.iter().map(row).collect()
    }

    /// The address that a session of the scenario got.
    fn address(&self, session: &str) -> String {
        let outcomes = self.day["outcomes"].as_array().unwrap();
        let outcome = outcomes.iter().find(|outcome| outcome["session"] == session);
        outcome.and_then(|outcome| outcome["ipv4"].as_str()).unwrap_or("0.0.0.0").to_owned()
    }

    /// Somebody had the session's address for that time, and nobody else within it.
    fn had_address(&mut self, session: &str, user: &str, began: &str, ended: &str) {
        let address = self.address(session);
        let leases = self.leases(&address);
        let (began, ended) = (at(began), at(ended));
        let overlapping = leases.iter().filter(|(_, from, to)| *from < ended && (to.is_empty() || *to > began));
        let overlapping: Vec<_> = overlapping.cloned().collect();
        self.must(&format!("leases of {address}, {session}'s"), overlapping, vec![(user.to_owned(), began, ended)]);
    }

    fn outcomes(&self, became: &str) -> usize {
        self.day["outcomes"].as_array().unwrap().iter().filter(|outcome| outcome["became"] == became).count()
    }
}

/// A test for each scenario, named after it, and their list.
macro_rules! sequences {
    ($($name:ident: $check:expr;)+) => {
        $(
            #[test]
            fn $name() {
                sequence(&stringify!($name).replace('_', "-"), $check);
            }
        )+

        const ALL: &[&str] = &[$(stringify!($name)),+];
    };
}

/// The hour that most sessions last.
const HOUR: (&str, &str) = ("08:00:00", "09:00:00");

sequences! {
    a_port_used_again_while_its_session_lives_on_another: |played| {
        played.had_sessions("A", &[expected(HOUR.0, HOUR.1, (1000, 2000))]);
        played.had_sessions("B", &[expected("08:03:00", "09:30:00", (1, 2))]);
        played.had_address("a", r"CORP\A", HOUR.0, HOUR.1);
    };
    a_late_link_hangup_of_an_old_connection: |played| {
        played.had_sessions("OLD", &[expected("08:00:00", "08:30:00", (0, 0))]);
        played.had_sessions("NEW", &[expected("08:31:00", "10:00:00", (1000, 2000))]);
        played.had_address("new", r"CORP\NEW", "08:31:00", "10:00:00");
    };
    a_locked_journal_while_ports_are_used_again: |played| {
        played.had_sessions("A", &[expected("08:00:00", "08:11:00", (1000, 2000))]);
        played.had_sessions("B", &[expected("08:12:00", "08:15:00", (3, 4))]);
        played.had_sessions("C", &[expected("08:16:00", "09:16:00", (5, 6))]);
        played.had_sessions("D", &[expected("08:40:00", "09:40:00", (7, 8))]);
        played.had_address("c", r"CORP\C", "08:16:00", "09:16:00");
        played.had_address("d", r"CORP\D", "08:40:00", "09:40:00");
    };
    a_late_hangup_of_a_handle_that_repeats: |played| {
        played.had_sessions("B", &[expected("08:31:00", "10:00:00", (1000, 2000))]);
        played.had_address("b", r"CORP\B", "08:31:00", "10:00:00");
    };
    a_reauthentication_after_the_end_changes_nothing: |played| {
        played.had_sessions("A", &[expected(HOUR.0, HOUR.1, (1000, 2000))]);
        played.had_sessions("B", &[expected("09:10:00", "10:10:00", (1, 2))]);
    };
    an_ikev2_client_without_a_computer_name_comes_back: |played| {
        let bobs = played.sessions("BOB").len();
        played.must("sessions of bob", bobs, 2);
    };
    a_ghosts_late_hangup_ends_only_the_ghost: |played| {
        let sessions = [expected("08:00:00", "08:40:00", (1000, 2000)), expected("08:30:00", "09:30:00", (1, 2))];
        // The laptop was back at 08:30: half an hour of the ghost counts, and the hour of the other session.
        played.had_sessions_billed("ALICE", &sessions, 90 * 60);
    };
    another_set_of_groups_refuses_nobody: |played| {
        let bob = played.sessions("BOB");
        played.must("bob's domain", bob.first().map(|session| session["domain"].clone()), Some("PARTNER".into()));
    };
    an_address_that_is_another_s_is_refused: |played| {
        let partners = played.sessions("BOB").len();
        played.must("sessions of PARTNER", partners, 0);
    };
    two_devices_drop_and_return: |played| {
        let alices = played.sessions("ALICE").len();
        played.must("sessions of alice", alices, 4);
    };
    a_group_drops_and_returns_one_by_one: |played| {
        let all = played.ask(&["sessions", "--limit", "0"]).len();
        played.must("sessions", all, 6);
    };
    one_newcomer_replaces_one_session: |played| {
        let alices = played.sessions("ALICE").len();
        played.must("sessions of alice", alices, 3);
    };
    a_clock_that_was_ahead_bills_nothing: |played| {
        // The monotonic clock, which cannot be set, says how long they lasted.
        for (user, octets) in [("A", 3000), ("B", 3)] {
            let usage = played.usage(user);
            played.must(&format!("billed to {user}"), usage, (3600, octets));
            let session = played.sessions(user).remove(0);
            played.must(&format!("seconds of {user}"), session["acct_session_time"].as_i64(), Some(3600));
            played.must(&format!("end of {user}"), session["closed_by"].as_str(), Some("hangup"));
        }
    };
    a_clock_that_was_ahead_in_an_earlier_life: |played| {
        // The last sign of life was B's connection, ten minutes after A's. They end when the service starts again, so A's
        // start is counted back from there.
        let usage = [played.usage("A").0, played.usage("B").0];
        played.must("seconds billed", usage, [600, 0]);
        let sessions = [played.sessions("A"), played.sessions("B")].concat();
        let times = |session: &Value| (session["acct_start_time"].clone(), session["acct_stop_time"].clone());
        let row = |from: &str, to: &str| (at(from).into(), at(to).into());
        let found: Vec<(Value, Value)> = sessions.iter().map(times).collect();
        played.must("start and stop", found, vec![row("08:00:04", "08:10:04"), row("08:10:04", "08:10:04")]);
        played.had_sessions("C", &[expected("08:20:00", "09:20:00", (1, 2))]);
    };
    a_clock_that_was_ahead_closes_nothing_in_the_future: |played| {
        let usage = played.usage("A").0;
        played.must("seconds billed to A", usage, 1199);
        let stop = played.sessions("A")[0]["acct_stop_time"].clone();
        played.must("A's stop, when B came", stop, at("08:20:00").into());
        played.had_sessions("B", &[expected("08:20:00", "09:20:00", (1, 2))]);
    };
    a_clock_set_back_holds_no_address: |played| {
        let sessions = played.sessions("B").len();
        played.must("sessions of B", sessions, 1);
    };
    a_clock_set_back_holds_no_session: |played| {
        let sessions = played.sessions("ALICE");
        played.must("sessions of alice", sessions.len(), 2);
    };
    a_duration_of_all_ones_bills_no_more_than_was: |played| {
        played.had_sessions("A", &[expected(HOUR.0, HOUR.1, (1000, 2000))]);
        let days = played.ask(&["usage", "--per", "day"]).len();
        played.must("days of use", days, 1);
    };
    an_ipv6_offer_of_zeros_is_no_offer: |played| {
        let released = played.day["addresses"]["ipv6_released"].clone();
        played.must("identifiers released", released, 2.into());
    };
    a_reserved_identifier_is_not_kept: |played| {
        let sessions = played.sessions("A").len() + played.sessions("B").len();
        played.must("sessions with a reserved identifier", sessions, 0);
    };
    a_high_half_alone_asks_the_rules: |played| {
        let decisions = played.ask(&["decisions", "--limit", "0"]);
        played.must_be("the rules were asked", decisions.iter().any(|decision| decision["stage"] == "ipv6-address"));
    };
    the_lease_follows_the_connections_identity: |played| {
        let leases = played.leases("10.20.16.1");
        let partner = |from: &str, to: &str| (r"PARTNER\ALICE".to_owned(), at(from), at(to));
        let expected = vec![partner("08:00:00", "09:00:00"), partner("10:10:00", "11:00:00")];
        played.must("who had 10.20.16.1", leases, expected);
        played.had_address("corp", r"CORP\ALICE", "09:10:00", "10:00:00");
        let domains: Vec<_> = played.sessions("ALICE").iter().map(|session| session["domain"].clone()).collect();
        played.must("domains of the sessions", domains, vec!["PARTNER".into(), "CORP".into(), "PARTNER".into()]);
    };
    ikev2_without_a_link_keeps_session_and_address: |played| {
        played.had_sessions("BOB", &[expected("08:00:00", "10:00:00", (1000, 2000))]);
        played.had_address("bob", r"CORP\BOB", "08:00:00", "10:00:00");
    };
    a_late_link_revives_a_session_never_established: |played| {
        played.had_sessions("A", &[expected(HOUR.0, HOUR.1, (1000, 2000))]);
        played.had_address("a", r"CORP\A", HOUR.0, HOUR.1);
    };
    a_link_revives_a_session_whose_links_were_gone: |played| {
        played.had_sessions("A", &[expected(HOUR.0, HOUR.1, (1000, 2000))]);
        played.had_address("a", r"CORP\A", HOUR.0, HOUR.1);
    };
    a_hangup_after_the_links_are_gone_still_counts: |played| {
        played.had_sessions("A", &[expected(HOUR.0, HOUR.1, (1000, 2000))]);
    };
    the_address_of_a_closed_session_goes_to_nobody: |played| {
        let users: Vec<_> = played.leases("10.20.16.1").into_iter().map(|(user, ..)| user).collect();
        played.must("who had the address", users, [r"CORP\A", r"CORP\Y", r"CORP\LAST"].map(str::to_owned).to_vec());
    };
    an_offer_that_an_old_lease_holds: |played| {
        let leases = played.leases("10.20.0.5");
        let row = |user: &str, from: &str, to: &str| (user.to_owned(), at(from), at(to));
        let expected = vec![
            row(r"CORP\A", "08:00:00", "08:40:00"),
            row(r"CORP\B", "08:40:00", "09:40:00"),
            row(r"CORP\C", "09:40:00", "10:30:00"),
        ];
        played.must("who had the address", leases, expected);
    };
    one_lost_release_shifts_none_of_the_later_ones: |played| {
        let leases = played.leases("10.20.16.1");
        let row = |from: &str, to: &str| (r"CORP\A".to_owned(), at(from), at(to));
        let expected = vec![row("08:00:00", "09:00:00"), row("09:00:00", "09:30:00"), row("10:00:00", "10:30:00")];
        played.must("leases", leases, expected);
    };
    an_offer_of_the_servers_own_address_is_no_offer: |played| {
        let leases = played.leases("10.20.0.1").len();
        played.must("leases of the server's own address", leases, 0);
    };
    an_offer_of_the_servers_own_address_is_refused_without_a_pool: |played| {
        let leases = played.leases("10.20.0.1").len();
        played.must("leases of the server's own address", leases, 0);
    };
    one_claimed_computer_name_holds_one_session_at_a_time: |played| {
        let cut = played.outcomes("cut");
        played.must("sessions that were cut", cut, 1);
    };
    a_hangup_that_comes_twice_counts_once: |played| {
        played.had_sessions("A", &[expected(HOUR.0, HOUR.1, (1000, 2000))]);
        played.had_sessions("B", &[expected("09:10:00", "10:10:00", (1, 2))]);
        played.had_address("b", r"CORP\B", "09:10:00", "10:10:00");
    };
    a_late_release_frees_no_newer_lease: |played| {
        played.had_address("b", r"CORP\B", "08:40:00", "10:00:00");
    };
    a_killed_service_leaves_no_ghosts: |played| {
        played.had_sessions("B", &[expected("09:10:00", "10:10:00", (1, 2))]);
        let ghost = played.sessions("A").remove(0);
        // The last sign of the service's life: X was refused then.
        played.must("the ghost's stop", ghost["acct_stop_time"].clone(), at("08:30:00").into());
        played.must("the ghost's cause", ghost["acct_terminate_cause"].as_str(), Some("NAS-Reboot"));
        played.must("is it estimated?", ghost["estimated"].as_bool(), Some(true));
    };
    two_at_once_and_one_place: |played| {
        let accepted = played.outcomes("accepted");
        played.must("accepted", accepted, 1);
    };
    a_spelling_escapes_no_deny_rule: |played| {
        let (accepted, sessions) = (played.outcomes("accepted"), played.ask(&["sessions", "--limit", "0"]).len());
        played.must("sessions that were accepted", (accepted, sessions), (3, 3));
    };
    a_local_account_is_compared_by_upper_case_only: |played| {
        let accented = played.sessions("JOSÉ");
        played.must("sessions of josé", accented.len(), 0);
        let domains: Vec<_> = played.sessions("JOSE").iter().map(|session| session["domain"].clone()).collect();
        played.must("domains of jose", domains, vec!["VPN1".into(), "VPN1".into(), "CORP".into()]);
    };
    a_name_that_looks_escaped_is_another_user: |played| {
        let domains = |user: &str| -> Vec<Value> {
            played.sessions(user).iter().map(|session| session["domain"].clone()).collect()
        };
        let found = [domains("BOB"), domains("U{BOB"), domains("U{5C}BOB")];
        let expected = [vec!["CORP", "PARTNER"], vec!["PARTNER", "CORP"], vec!["PARTNER"]];
        played.must("domains by name", found, expected.map(|all| all.into_iter().map(Value::from).collect()));
        played.had_address("bob", r"CORP\BOB", "08:03:00", "12:00:00");
    };
    a_plain_day: plain_day;
}

/// The same sessions, use and leases under every reading of what is unproven.
fn plain_day(played: &mut Played) {
    played.had_sessions("A", &[expected(HOUR.0, HOUR.1, (1000, 2000))]);
    played.had_sessions("B", &[expected("08:10:00", "10:10:00", (3, 4))]);
    played.had_sessions("C", &[expected("08:20:00", "10:20:00", (5, 6))]);
    played.had_sessions("D", &[expected("09:30:00", "10:30:00", (7, 8))]);
    played.had_address("a", r"CORP\A", HOUR.0, HOUR.1);
    played.had_address("b", r"CORP\B", "08:10:00", "10:10:00");
    played.had_address("c", r"CORP\C", "08:20:00", "10:20:00");
    played.had_address("d", r"CORP\D", "09:30:00", "10:30:00");
}

/// As `a_plain_day`, under each assumption but the defaults.
#[test]
fn a_plain_day_is_the_same_under_every_assumption() {
    let scenario = std::fs::read_to_string(folder().join("a-plain-day.scenario")).unwrap();
    let assumptions = Assumption::ALL.iter().flat_map(|assumption| {
        assumption.values()[1..].iter().map(|value| format!("assume {}={value}", assumption.name()))
    });
    let mut faults = Vec::new();
    for setting in assumptions {
        let mut played = play_text("a-plain-day", &set(&setting, &scenario));
        plain_day(&mut played);
        faults.extend(played.wrong.iter().map(|wrong| format!("({setting}) {wrong}")));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// `config check` reports a name that no server can have.
#[test]
fn a_server_name_of_300_characters_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("rasadmin.toml");
    std::fs::write(&config, format!("default.action = \"allow\"\nserver.name = \"{}\"\n", "V".repeat(300))).unwrap();
    rasadmin(words([&"config", &"check", &config])).ends(1).prints("the server's name is longer than 63 characters");
}

#[test]
fn every_scenario_of_the_folder_is_played() {
    let files = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let (scenarios, configurations): (BTreeSet<_>, BTreeSet<_>) =
        files.partition(|name: &String| name.ends_with(".scenario"));
    let names = |files: BTreeSet<String>| -> BTreeSet<String> {
        files.iter().map(|name| name.rsplit_once('.').unwrap().0.to_owned()).collect()
    };
    let (scenarios, configurations) = (names(scenarios), names(configurations));
    let all: BTreeSet<String> = ALL.iter().map(|name| name.replace('_', "-")).collect();
    assert_eq!(scenarios, all);
    let stray: Vec<_> = configurations.iter().filter(|name| !all.contains(*name) && *name != "base").collect();
    assert_eq!(stray, Vec::<&String>::new(), "a configuration has the name of its scenario");
}
