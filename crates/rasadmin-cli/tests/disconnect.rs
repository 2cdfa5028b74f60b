//! `rasadmin disconnect` without a service.
#![allow(clippy::unwrap_used)]

#[path = "support/server.rs"]
mod server;
mod support;

use rasadmin_engine::State;
use rasadmin_recorder::Verdict;
use serde_json::Value;
use server::{CONFIG, Server, calls, now};

/// Such a block would otherwise end much too early.
#[test]
fn a_block_that_lasts_longer_stays() {
    let server = Server::new();
    server.connects("alice", 1, "VPN2-1");
    server.run(&["block", "alice", "--yes"]).ends(0);
    let told = server.run(&["disconnect", "--user", "alice", "--block-for", "15m", "--yes"]).ends(2);
    told.prints(r"CORP\ALICE is blocked on VPN1 already, until it is lifted: that block stays");
    assert_eq!(server.run(&["blocks", "--json"]).ends(0).json()[0]["until"], Value::Null);
}

#[test]
fn without_a_service_nobody_is_disconnected_and_the_block_holds() {
    let server = Server::new();
    server.connects("alice", 1, "VPN2-1");
    let told = server.run(&["disconnect", "--user", "alice", "--yes"]).ends(2);
    let told = told.complains("nobody was disconnected: ").complains("start the service: `");
    assert!(!told.stderr.contains("blocked"), "{}", told.stderr);
    let told = server.run(&["disconnect", "--user", "alice", "--block-for", "15m", "--yes"]).ends(2);
    told.complains(r"nobody was disconnected, but CORP\ALICE is blocked until 20")
        .complains("new connections are refused: ")
        .complains("no rasadmin service answers there");
    assert!(server.recorder.accept_connection(&calls::connection(2, "alice"), now()) != Verdict::Accept);
    assert_eq!(server.recorder.look(State::live_count), 1);
    server.run(&["disconnect", "resume", "a second"]).ends(2).complains("no rasadmin service answers there");
}

#[test]
fn what_was_typed_is_checked_before_anything_is_done() {
    let server = Server::new();
    server.connects("alice", 1, "VPN2-1");
    for (wrong, says) in [
        (&["disconnect"][..], "required"),
        (&["disconnect", "1", "--user", "alice"], "cannot be used with"),
        (&["disconnect", "--user", ""], "not a valid user name"),
        (&["disconnect", "--user", r"CORP\*"], "is a pattern"),
        // Phones send no name: this would be all of them.
        (&["disconnect", "--claimed-computer", ""], "cannot be empty"),
        (&["disconnect", "--user", "alice", "--block-for", "tomorrow"], "is not a length of time"),
        (&["disconnect", "--user", "alice", "--reason", " "], "the reason is empty"),
    ] {
        let told = server.run(&[wrong, &["--yes"]].concat()).ends(2);
        told.complains(says);
    }
    let elsewhere = server.run(&["disconnect", "--user", r"OTHER\alice", "--yes"]).ends(1);
    elsewhere.prints(r"OTHER\ALICE is not connected to VPN1, but `CORP\ALICE`: name the domain too");
    let none = server.run(&["disconnect", "--claimed-computer", "PC", "--yes"]).ends(1);
    none.prints("no client that claims the computer name PC is connected to VPN1");
    assert_eq!(server.recorder.look(State::live_count), 1);
}

/// The journal decides. The ledger only has the numbers.
#[test]
fn a_session_is_found_without_a_ledger() {
    let server = Server::new();
    server.connects("alice", 1, "VPN2-1");
    let key = server.run(&["sessions", "--json"]).ends(0).json()[0]["acct_session_id"].as_str().unwrap().to_owned();
    for file in ["rasadmin.db-wal", "rasadmin.db-shm"] {
        std::fs::remove_file(server.path(file)).ok();
    }
    let ledger = server.path("rasadmin.db");
    std::fs::write(&ledger, "this is not a database".repeat(200)).unwrap();
    let asked = server.run(&["disconnect", &key]).ends(2).prints(&key);
    asked.complains("warning: the ledger cannot be used").complains(r"of CORP\ALICE on VPN1?");
    server.run(&["disconnect", "1"]).ends(2).complains("`1` is not the whole key of a session");
}

#[test]
fn a_rule_must_be_about_live_sessions() {
    let server = Server::new();
    let rule = "[[rules]]\nname = \"no guests\"\naction = \"deny\"\nusers = [\"guest\"]\n";
    std::fs::write(server.path("rasadmin.toml"), format!("{CONFIG}{rule}")).unwrap();
    let unknown = server.run(&["disconnect", "--rule", "nine hours", "--yes"]).ends(2);
    unknown.complains("the configuration has no rule `nine hours`: it has `no guests`");
    let other = server.run(&["disconnect", "--rule", "no guests", "--yes"]).ends(2);
    other.complains("it disconnects nobody").complains("write disconnect_active = true into it");
}
