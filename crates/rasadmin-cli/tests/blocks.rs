//! Blocks by command, while the DLL goes on deciding.
#![allow(clippy::unwrap_used)]

#[path = "support/server.rs"]
mod server;
mod support;

use rasadmin_engine::effect::Usage;
use rasadmin_engine::event::ConnectionEvent;
use rasadmin_recorder::Verdict;
use serde_json::{Value, json};
use server::calls::{self, With};
use server::{Server, now};

/// The connection of a client that claims a computer name. Its address does not matter.
fn claims(user: &str, handle: u64, computer: &str) -> ConnectionEvent {
    calls::connection(handle, user).with(|e| e.computer = computer.into())
}

fn is_refused(server: &Server, event: &ConnectionEvent) -> bool {
    server.recorder.accept_connection(event, now()) != Verdict::Accept
}

fn blocks(server: &Server) -> Vec<Value> {
    server.run(&["blocks", "--json"]).ends(0).json().as_array().unwrap().clone()
}

#[test]
fn a_user_who_is_blocked_is_refused_at_the_next_call_until_the_block_is_lifted() {
    let server = Server::new();
    assert!(server.asks("alice", "VPN2-1"));
    let block = ["block", "ALICÉ", "--reason", "left the company", "--yes"];
    server.run(&block).ends(0).prints(r"CORP\ALICE is blocked on VPN1 until it is lifted: new connections are refused");
    for user in ["alice", r"corp\Alice", "alicé"] {
        assert!(!server.asks(user, "VPN2-1") && is_refused(&server, &claims(user, 9, "PC")), "{user}");
    }
    assert!(!is_refused(&server, &claims(r"PARTNER\alice", 8, "PC")));
    let shown = blocks(&server);
    assert_eq!(shown.len(), 1);
    let expected = json!({ "server": "VPN1", "kind": "user", "domain": "CORP", "name": "ALICE", "until": null });
    for (key, value) in expected.as_object().unwrap() {
        assert_eq!(&shown[0][key], value, "{key}");
    }
    assert_eq!((&shown[0]["reason"], shown[0]["by"].is_string()), (&"left the company".into(), true));
    let unblock = ["unblock", "alice", "--reason", "back again", "--yes"];
    server.run(&unblock).ends(0).prints(r"CORP\ALICE is no longer blocked on VPN1");
    assert!(!is_refused(&server, &claims("alice", 10, "PC")));
    server.run(&["unblock", "alice", "--yes"]).ends(1).prints(r"CORP\ALICE is not blocked on VPN1");
    server.run(&["blocks"]).ends(0).prints("nobody is blocked on VPN1");
    let journal = server.run(&["journal", "show", "--user", "alice", "--all"]).ends(0).stdout;
    let by = shown[0]["by"].as_str().unwrap();
    // The column of users has the name; the text must not repeat it.
    let lines: Vec<&str> = journal.lines().filter(|line| line.contains("block  ")).collect();
    let user = format!("  {:<24}  ", r"CORP\ALICE");
    assert!(lines[0].ends_with(&format!("{user}blocked by {by} until it is lifted: left the company")), "{journal}");
    assert!(lines[1].ends_with(&format!("{user}unblocked by {by}: back again")), "{journal}");
    server.run(&["journal", "check"]).ends(0).prints("no fault found");
}

#[test]
fn without_a_service_a_session_that_is_connected_stays_and_is_named() {
    let server = Server::new();
    server.connects("alice", 1, "VPN2-1");
    let told = server.run(&["block", "alice", "--until", "8h", "--yes"]).ends(0);
    let told = told.prints("session 1 (since 20").prints(") stays connected: ").prints("start the service: ");
    assert!(told.stdout.contains(" (UTC): new connections are refused"), "{}", told.stdout);
    assert_eq!(server.recorder.look(|state| state.live_count()), 1);
    // RRAS asks again: then it is over.
    let again = Server::connection("alice", 1, Usage::default());
    assert_ne!(server.recorder.reauthenticate(&again, now()), Verdict::Accept);
    let told = server.run(&["block", "--claimed-computer", "laptop", "--yes"]).ends(0);
    told.prints("session 1 (since").prints("a client chooses the name that it claims");
    assert!(blocks(&server)[0]["until"].is_string());
}

#[test]
fn a_stolen_computer_is_blocked_by_its_account_and_by_its_name() {
    let server = Server::new();
    let account = ["block", "--computer-account", "host/pc7", "--reason", "stolen", "--yes"];
    server.run(&account).ends(0).prints(r"CORP\PC7$ is blocked").prints("device tunnels");
    server
        .run(&["block", "--claimed-computer", "Laptop-7", "--yes"])
        .ends(0)
        .prints("the claimed computer name LAPTOP-7");
    assert!(is_refused(&server, &claims("PC7$", 1, "")) && is_refused(&server, &claims("host/pc7", 2, "")));
    assert!(is_refused(&server, &claims("bob", 3, "LAPTOP-7")) && !is_refused(&server, &claims("bob", 4, "LAPTOP-8")));
    let journal = server.run(&["journal", "show"]).ends(0).stdout;
    assert!(journal.contains("the claimed computer name LAPTOP-7: blocked by "), "{journal}");
    let kinds: Vec<_> = blocks(&server).iter().map(|of| of["kind"].clone()).collect();
    assert_eq!(kinds, ["computer-account", "claimed-computer"]);
    let table = server.run(&["blocks"]).ends(0).stdout;
    assert!(table.contains("blocked") && table.contains("it is lifted") && table.contains("stolen"), "{table}");
    server.run(&["unblock", "--claimed-computer", "LAPTOP-7", "--yes"]).ends(0);
    server.run(&["unblock", "pc7$", "--yes"]).ends(0);
    assert_eq!(blocks(&server), [json!(null); 0]);
}

#[test]
fn blocking_again_replaces_the_block_and_says_so() {
    let server = Server::new();
    server.run(&["block", "alice", "--yes"]).ends(0);
    let again = server.run(&["block", "alice", "--until", "2099-12-01", "--reason", "second", "--yes"]).ends(0);
    again
        .prints("until 2099-12-01 00:00:00 (UTC)")
        .prints("this replaces the block since 20")
        .prints("until it is lifted");
    let shown = blocks(&server);
    assert_eq!((shown.len(), &shown[0]["until"]), (1, &"2099-12-01T00:00:00Z".into()));
    server.run(&["user", "alice"]).ends(0).prints("until 2099-12-01 00:00:00: second");
}

#[test]
fn nothing_is_changed_if_the_arguments_are_wrong_or_nobody_confirms() {
    let server = Server::new();
    server.run(&["block", "alice", "--until", "2020-01-01", "--yes"]).ends(2).complains("is not in the future");
    for far in ["99999999d", "9999-12-31"] {
        let told = server.run(&["block", "alice", "--until", far, "--yes"]).ends(2);
        told.complains(&format!("`{far}` is more than 100 years away; leave --until out for no end"));
    }
    server.run(&["block", "alice", "--reason", &"x".repeat(201), "--yes"]).ends(2).complains("201 characters");
    server.run(&["block", "alice", "--reason", " ", "--yes"]).ends(2).complains("the reason is empty");
    server.run(&["block", "--yes"]).ends(2);
    server.run(&["block", "alice", "--claimed-computer", "PC", "--yes"]).ends(2);
    server.run(&["block", r"CORP\*", "--yes"]).ends(2).complains("is a pattern");
    let question = server.run(&["block", "alice"]).ends(2);
    question.complains(r"Block CORP\ALICE on VPN1 until it is lifted?").complains("add --yes");
    // This ledger is not made from that journal.
    let other = Server::new();
    let theirs = other.path("journal");
    let block = ["block", "alice", "--yes", "--journal", theirs.to_str().unwrap()];
    server.run(&block).ends(2).complains("this ledger is made from another journal");
    assert_eq!((blocks(&server), blocks(&other)), (Vec::new(), Vec::new()));
    server.run(&["block", "alice", "--yes"]).ends(0);
    server.run(&["unblock", "alice"]).ends(2).complains(r"Lift the block of CORP\ALICE on VPN1, since 20");
    assert_eq!(blocks(&server).len(), 1);
}

#[test]
fn a_name_that_was_never_seen_is_pointed_out() {
    let server = Server::new();
    server.connects("alice", 1, "VPN2-1");
    server.run(&["block", "alcie", "--yes"]).ends(0).complains(r"no connection of CORP\ALCIE");
    server.run(&["block", r"PARTNER\alice", "--yes"]).ends(0).complains(r"but of CORP\ALICE: check the domain");
    server.run(&["block", "alice@mail.example", "--yes"]).ends(0).complains("does not list `MAIL.EXAMPLE`");
    let known = server.run(&["block", "alice", "--yes"]).ends(0);
    assert_eq!(known.stderr, "");
}

/// What commands say about a block while it is in force, and afterwards.
#[test]
fn every_command_says_blocked_and_why() {
    let server = Server::new();
    server.connects("bob", 1, "VPN2-2");
    server.run(&["block", "alice", "--reason", "stolen", "--yes"]).ends(0);
    assert!(!server.asks("alice", "VPN2-1"));
    let why = "the user is blocked: stolen";
    let now = server.run(&["explain", "--user", "alice"]).ends(1);
    let now = now.prints("would be denied").prints(&format!("denied before any rule: {why}"));
    now.prints("(1 rule not evaluated; --all shows them)");
    let all = server.run(&["explain", "--user", "alice", "--all"]).ends(1);
    all.prints("without the block: allowed by the default").prints("> (default)  allows");
    let json = server.run(&["explain", "--user", "alice", "--json"]).ends(1).json();
    assert_eq!((&json["allowed"], &json["stages"][0]["refused"]), (&json!(false), &json!(why)));
    let decisions = server.run(&["decisions", "--rejected", "--json"]).ends(0).json();
    let (id, refusal, reason) = (&decisions[0]["id"], &decisions[0]["refusal"], &decisions[0]["reason"]);
    assert_eq!((refusal, reason), (&json!("blocked"), &json!(why)));
    server.run(&["decisions", "--rejected"]).ends(0).prints("(blocked)").prints(why);
    // What the list prints instead of a rule can be asked for.
    for (rule, user) in [("(blocked)", "ALICE"), ("(Default)", "BOB")] {
        let of = server.run(&["decisions", "--rule", rule, "--json"]).ends(0).json();
        let users: Vec<_> = of.as_array().unwrap().iter().map(|of| of["name"].clone()).collect();
        assert!(!users.is_empty() && users.iter().all(|of| of == user), "{rule}: {users:?}");
    }
    let past = server.run(&["explain", "--decision", &id.to_string()]).ends(0);
    past.prints(&format!("denied before any rule: {why}"));
    let past = server.run(&["explain", "--decision", &id.to_string(), "--json"]).ends(0).json();
    assert_eq!((&past[0]["agrees"], &past[0]["overruled"]), (&json!(true), &json!(true)));
    server.run(&["report", "--by", "rule"]).ends(0).prints("(blocked)");
    server.run(&["user", "alice"]).ends(0).prints("until it is lifted: stolen").prints("(blocked)");
    server
        .run(&["status"])
        .prints("1 block is in force: see `rasadmin blocks`")
        .prints("by rules and blocks: 1 blocked");
    assert_eq!(server.run(&["status", "--json"]).json()["blocks"], 1);
}

/// No configuration would have let them in, so a candidate changes nothing about them.
#[test]
fn a_replay_leaves_out_who_was_blocked() {
    let server = Server::new();
    server.connects("bob", 1, "VPN2-2");
    server.hangs_up("bob", 1);
    server.run(&["block", "alice", "--yes"]).ends(0);
    assert!(!server.asks("alice", "VPN2-1"));
    let config = server.path("rasadmin.toml");
    let ledger = server.path("rasadmin.db");
    server.run(&["ledger", "update"]).ends(0);
    let replay = ["replay", "--config", config.to_str().unwrap(), "--ledger", ledger.to_str().unwrap(), "--json"];
    let replayed = server.run(&replay).ends(0).json();
    assert_eq!(
        (&replayed["report"]["attempts"], &replayed["report"]["refused_then"]),
        (&json!(1), &json!(0)),
        "{replayed:#}"
    );
}

/// The journal decides. The ledger only tells more about it.
#[test]
fn a_ledger_that_is_damaged_stops_no_block() {
    let server = Server::new();
    server.connects("alice", 1, "VPN2-1");
    server.run(&["ledger", "update"]).ends(0);
    let ledger = server.path("rasadmin.db");
    for file in ["rasadmin.db-wal", "rasadmin.db-shm"] {
        std::fs::remove_file(server.path(file)).ok();
    }
    std::fs::write(&ledger, "this is not a database".repeat(200)).unwrap();
    let told = server.run(&["block", "alice", "--yes"]).ends(0);
    let told = told.complains("warning: the ledger cannot be used: ").complains("rasadmin.db");
    let told = told.prints(r"CORP\ALICE is blocked on VPN1 until it is lifted").prints(" stays connected: ");
    assert_eq!(told.stderr.matches("warning: ").count(), 1, "{}", told.stderr);
    assert!(is_refused(&server, &claims("alice", 9, "PC")));
    let told = server.run(&["unblock", "alice", "--yes"]).ends(0).complains("warning: the ledger cannot be used: ");
    told.prints(r"CORP\ALICE is no longer blocked on VPN1");
    assert!(!is_refused(&server, &claims("alice", 9, "PC")));
    // A new one is made from the journal.
    std::fs::remove_file(&ledger).unwrap();
    server.run(&["block", "alice", "--yes"]).ends(0).prints("1 (since 20");
}

#[test]
fn before_the_first_start_the_journal_is_what_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("rasadmin.toml");
    std::fs::write(&config, server::CONFIG).unwrap();
    for command in ["block", "unblock"] {
        let told = support::rasadmin([command, "alice", "--yes", "--config", config.to_str().unwrap()]).ends(2);
        let told = told.complains("nothing was ever recorded here").complains("start Remote Access");
        assert!(!told.stderr.contains("ledger"), "{}", told.stderr);
    }
}

/// A command's own record is not a call of RRAS.
#[test]
fn status_tells_the_age_of_rras_last_call() {
    let server = Server::new();
    server.run(&["block", "alice", "--yes"]).ends(0);
    server.run(&["status"]).prints(", RRAS's last call ");
}

#[test]
fn a_long_reason_or_name_costs_no_column() {
    let server = Server::new();
    server.run(&["block", &"n".repeat(100), "--reason", &"why ".repeat(40), "--yes"]).ends(0);
    let config = server.path("rasadmin.toml");
    let shown = |columns| {
        let environment = [("RASADMIN_CONFIG", config.to_str().unwrap()), ("COLUMNS", columns)];
        support::rasadmin_with(["blocks"], &environment).ends(0).stdout
    };
    for columns in ["120", "115"] {
        let table = shown(columns);
        let mut lines = table.lines();
        let header: Vec<&str> = lines.next().unwrap().split_whitespace().collect();
        assert_eq!(header, ["blocked", "since", "until", "reason", "by"], "{table}");
        let row = lines.next().unwrap();
        assert!(row.contains(r"CORP\NNNN") && row.contains("why w") && row.contains("it is lifted"), "{table}");
        assert!(row.chars().count() <= columns.parse().unwrap(), "{table}");
    }
    assert!(shown("").contains("why ".repeat(40).trim_end()), "without a width, nothing is cut");
}

#[test]
fn a_reason_cannot_break_a_line() {
    let server = Server::new();
    for reason in ["a\nb", "a\u{1b}[31mb"] {
        server.run(&["block", "alice", "--reason", reason, "--yes"]).ends(2).complains("write one line");
    }
    server.run(&["block", "alice", "--reason", "b\u{202e}c", "--yes"]).ends(0);
    for command in [&["blocks"][..], &["user", "alice"], &["explain", "--user", "alice"], &["journal", "show"]] {
        let printed = server.run(command).stdout;
        assert!(!printed.contains('\u{202e}') && printed.contains(r"b\u{202e}c"), "{command:?}: {printed}");
    }
}
