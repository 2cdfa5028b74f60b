//! `rasadmin disconnect` and `rasadmin block`, beside a service with an RRAS in this process.
#![allow(clippy::unwrap_used)]

#[path = "../../rasadmin-service/tests/support/listed.rs"]
mod listed;
#[path = "support/rras.rs"]
mod rras;
#[path = "support/server.rs"]
mod server;
mod support;

use listed::listed;
use rasadmin_engine::State;
use rasadmin_engine::event::ConnectionEvent;
use rasadmin_policy::Name;
use rasadmin_recorder::{Recorder, Verdict};
use rasadmin_rras::{ConnectionHandle, Instance, Port, PortHandle, PortState, Scripted};
use serde_json::Value;
use server::{calls, now};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;
use support::{Ran, rasadmin_with, until, words};

const CONFIG: &str = r#"
time_zone = "UTC"
default_domain = "CORP"
default.action = "allow"
server.name = "VPN1"
[[rules]]
name = "a second"
action = "deny"
reason = "long enough"
users = ["carol"]
session_time = "1s"
disconnect_active = true
[service.retention]
enabled = false
"#;

/// A service that is killed at the end, however the test ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A server: the DLL's recorder and RRAS are in this process, and RRAS answers on a socket.
struct Server {
    folder: tempfile::TempDir,
    recorder: Arc<Recorder>,
    rras: Scripted,
    over: Arc<AtomicBool>,
    hangups: Option<JoinHandle<()>>,
}

impl Server {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("rasadmin.toml"), CONFIG).unwrap();
        let config = Arc::new(rasadmin_engine::config::load(&folder.path().join("rasadmin.toml")).unwrap());
        let recorder = Arc::new(Recorder::start(config, &Name::new("VPN1"), now()));
        let rras = Scripted::default();
        rras.change(|script| script.instance = Some(Instance { process: 7, created: 1 }));
        let over = Arc::new(AtomicBool::new(false));
        Self { folder, recorder, rras, over, hangups: None }
    }

    fn config(&self) -> PathBuf {
        self.folder.path().join("rasadmin.toml")
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        rasadmin_with(arguments, &[("RASADMIN_CONFIG", self.config().to_str().unwrap())])
    }

    /// A client connects, on a port of its own.
    fn connects(&self, handle: u64, user: &str) {
        let event = calls::connection(handle, user);
        assert_eq!(self.recorder.accept_connection(&event, now()), Verdict::Accept);
        self.rras.change(|script| {
            script.connections.push(listed(&event));
            script.ports.push(port(handle));
        });
    }

    /// Does RRAS report the ends of those that it disconnects?
    fn reports_hangups(&mut self, users: &[(u64, &str)]) {
        let events: Vec<ConnectionEvent> =
            users.iter().map(|(handle, user)| calls::connection(*handle, user)).collect();
        let (rras, recorder, over) = (self.rras.clone(), self.recorder.clone(), self.over.clone());
        self.hangups = Some(std::thread::spawn(move || {
            let mut told = 0;
            while !over.load(Ordering::Relaxed) {
                let disconnected = rras.script().disconnected;
                for port in &disconnected[told..] {
                    let event = events.iter().find(|event| event.handle == port.0 - 1000).unwrap();
                    recorder.hangup(event, now());
                }
                told = disconnected.len();
                std::thread::sleep(Duration::from_millis(10));
            }
        }));
    }

    /// Starts a service, and waits until it answers.
    fn service(&self) -> Running {
        let address = rras::serve(&self.rras);
        let mut command = Command::new(env!("CARGO_BIN_EXE_rasadmin"));
        command.args(words([&"service", &"run", &"--config", &self.config(), &"--rras", &address, &"--speed", &"50"]));
        command.env("RASADMIN_SYSTEM_LOG", "off").stdout(Stdio::null()).stderr(Stdio::null());
        let running = Running(command.spawn().unwrap());
        until(|| self.run(&["metrics"]).code.into(), |code| code == 0);
        running
    }

    fn live(&self) -> usize {
        self.recorder.look(State::live_count)
    }

    fn list(&self) -> Vec<Value> {
        self.run(&["disconnect", "list", "--json"]).ends(0).json().as_array().unwrap().clone()
    }

    fn sessions(&self) -> Vec<Value> {
        self.run(&["sessions", "--json"]).ends(0).json().as_array().unwrap().clone()
    }

    fn is_refused(&self, handle: u64, user: &str) -> bool {
        self.recorder.accept_connection(&calls::connection(handle, user), now()) != Verdict::Accept
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        if let Some(hangups) = self.hangups.take() {
            let _ = hangups.join();
        }
    }
}

fn port(handle: u64) -> Port {
    Port {
        handle: PortHandle(1000 + handle),
        connection: ConnectionHandle(handle),
        name: Name::new(&format!("VPN2-{handle}")),
        device: Name::new("WAN Miniport (SSTP)"),
        device_type: Name::new("vpn"),
        state: PortState::Authenticated,
    }
}

/// The number of the user's session.
fn number(server: &Server, user: &str) -> String {
    let of =
        server.sessions().into_iter().find(|session| session["name"] == user && session["domain"] == "CORP").unwrap();
    of["id"].to_string()
}

#[test]
fn a_session_is_disconnected_by_its_number_and_its_end_says_so() {
    let mut server = Server::new();
    server.connects(1, "alice");
    server.connects(2, "bob");
    server.reports_hangups(&[(1, "alice"), (2, "bob")]);
    let _service = server.service();
    let alice = number(&server, "ALICE");
    // Nobody is there to be asked.
    let asked = server.run(&["disconnect", &alice]).ends(2);
    let asked = asked.prints(r"CORP\ALICE").prints("203.0.113.9").prints("--block-for 15m keeps their users away");
    asked.complains(&format!(r"Disconnect session {alice} of CORP\ALICE on VPN1?")).complains("add --yes");
    assert_eq!(server.live(), 2);
    let told = server.run(&["disconnect", &alice, "--reason", "maintenance", "--yes"]).ends(0);
    told.prints(&format!(r"session {alice} of CORP\ALICE "));
    // A slow RRAS is not a failure.
    until(|| server.live().into(), |live| *live == 1);
    let ended = server.sessions().into_iter().find(|session| session["name"] == "ALICE").unwrap();
    assert_eq!(ended["acct_terminate_cause"], "Admin-Reset", "{ended:#}");
    for (key, value) in [("disconnect", "enforced"), ("disconnect_why", "asked"), ("disconnect_reason", "maintenance")]
    {
        assert_eq!(ended[key], value, "{ended:#}");
    }
    assert!(ended["disconnect_by"].is_string(), "{ended:#}");
    let list = server.list();
    assert_eq!((list.len(), &list[0]["acct_session_id"]), (1, &ended["acct_session_id"]));
    server.run(&["disconnect", "list"]).ends(0).prints("asked").prints("disconnected").prints("maintenance");
    server.run(&["disconnect", "list", "--user", "bob"]).ends(0).prints("no session was or would be disconnected");
    server.run(&["disconnect", &alice, "--yes"]).ends(1).prints("has ended already");
    server.run(&["disconnect", "4711", "--yes"]).ends(2).complains("there is no session `4711`");
    server.run(&["disconnect", "--user", "alice", "--yes"]).ends(1).prints(r"CORP\ALICE is not connected to VPN1");
}

#[test]
fn a_user_who_is_blocked_for_a_while_does_not_come_back() {
    let mut server = Server::new();
    server.connects(1, "alice");
    server.connects(2, "alice");
    server.connects(3, r"PARTNER\alice");
    server.reports_hangups(&[(1, "alice"), (2, "alice"), (3, r"PARTNER\alice")]);
    let _service = server.service();
    // The block is about both of their sessions.
    let one = number(&server, "ALICE");
    let asked = server.run(&["disconnect", &one, "--block-for", "8h"]).ends(2);
    asked.complains(r"Disconnect 2 sessions on VPN1, and block CORP\ALICE for 8h?");
    // The block alone makes the service disconnect them, perhaps before it gets the request. If it is slow, it is still about
    // it when the command has waited long enough.
    let told = server.run(&["disconnect", &one, "--block-for", "8h", "--yes"]);
    assert!(told.code == Some(0) || told.stdout.contains("the service tries again"), "{}{}", told.stdout, told.stderr);
    told.prints(r"CORP\ALICE is blocked on VPN1 until 20").prints(" (UTC): new connections are refused");
    until(|| server.live().into(), |live| *live == 1);
    assert!(server.is_refused(4, "alice") && !server.is_refused(5, r"PARTNER\alice"));
    assert!(server.run(&["blocks", "--json"]).ends(0).json()[0]["until"].is_string());
}

#[test]
fn a_block_disconnects_at_once() {
    let mut server = Server::new();
    server.connects(1, "alice");
    server.connects(2, "bob");
    server.reports_hangups(&[(1, "alice"), (2, "bob")]);
    let _service = server.service();
    let told = server.run(&["block", "alice", "--reason", "stolen", "--yes"]).ends(0);
    told.prints(r"CORP\ALICE is blocked on VPN1").prints(r" of CORP\ALICE ");
    until(|| server.live().into(), |live| *live == 1);
    // The service may have seen the block before it was asked.
    let why = &server.list()[0]["disconnect_why"];
    assert!(why == "asked" || why == "blocked", "{why}");
}

#[test]
fn a_rule_names_sessions_and_reports_them() {
    let mut server = Server::new();
    server.connects(1, "alice");
    server.connects(2, "carol");
    server.reports_hangups(&[(1, "alice"), (2, "carol")]);
    let _service = server.service();
    until(|| server.list().into(), |list| list.as_array().unwrap().iter().any(|one| one["name"] == "CAROL"));
    let reported = &server.list()[0];
    assert_eq!(
        (&reported["disconnect"], &reported["disconnect_rule"], &reported["acct_stop_time"]),
        (&"reported".into(), &"a second".into(), &Value::Null),
        "{reported:#}"
    );
    let table = server.run(&["disconnect", "list"]).ends(0);
    table.prints("rule a second").prints("only reported").prints("live").prints("service.disconnect.mode");
    assert_eq!(server.live(), 2);
    server.run(&["disconnect", "--rule", "a second", "--yes"]).ends(0).prints(r" of CORP\CAROL ");
    until(|| server.live().into(), |live| *live == 1);
    let none = server.run(&["disconnect", "--rule", "a second", "--yes"]).ends(1);
    none.prints("the rule `a second` denies no live session of VPN1 now");
    server.run(&["disconnect", "resume", "a second"]).ends(1).prints("the rule `a second` was not stopped");
    server.run(&["disconnect", "resume", "b"]).ends(1).prints("the configuration has no rule of that name");
}

/// RRAS says that it is done, and lists the connection as before.
#[test]
fn what_rras_does_not_end_or_does_not_know_is_told() {
    let server = Server::new();
    server.connects(1, "alice");
    server.connects(2, "bob");
    server.rras.change(|script| script.connections.retain(|listed| listed.handle != ConnectionHandle(2)));
    let _service = server.service();
    let told = server.run(&["disconnect", "--user", "bob", "--yes"]).ends(1);
    told.prints("is not disconnected: RRAS does not list it; the service tries again");
    let told = server.run(&["disconnect", "--user", "alice", "--yes"]).ends(0);
    told.prints("RRAS was asked to disconnect it, and has not reported its end yet");
    server.run(&["disconnect", "list"]).ends(0).prints("RRAS is asked").prints("live");
}
