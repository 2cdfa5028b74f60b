//! `rasadmin host judge` on what examples/recorder records, and `rasadmin host assumptions`.
#![allow(clippy::unwrap_used)]

mod support;

use serde_json::Value;
use std::path::{Path, PathBuf};
use support::{Ran, built, rasadmin, rasadmin_with, reject, words};
use tempfile::TempDir;

const DAY: &str = r"server-address 10.20.0.1
pool 10.20.0.2-10.20.0.9
08:00:00 connect a user=CORP\alice tunnel=sstp from=203.0.113.1 computer=ALICEPC ipv6 port=VPN7-42 until=09:00:00
08:02:00 connect b user=bob@corp.example tunnel=ikev2 from=198.51.100.3 computer=LAPTOP until=10:00:00
10:30:00 connect c user=CORP\carol tunnel=l2tp from=203.0.113.6 until=11:00:00
";

/// A trace that the recorder wrote, with other DLLs behind it.
struct Recorded {
    _folder: TempDir,
    trace: PathBuf,
}

impl Recorded {
    fn new(head: &str, behind: &[PathBuf], rejects: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (scenario, trace) = (folder.path().join("day.scenario"), folder.path().join("secret.trace"));
        std::fs::write(&scenario, format!("{head}{DAY}")).unwrap();
        let mut arguments = words([&"host", &"run", &"--dll", &built("recorder")]);
        for dll in behind {
            arguments.extend(words([&"--dll", dll]));
        }
        arguments.push(scenario.into());
        let environment = [("RASADMIN_TRACE", trace.to_str().unwrap()), ("RASADMIN_REJECT", rejects)];
        rasadmin_with(arguments, &environment).ends(0);
        Self { _folder: folder, trace }
    }

    fn judged(&self) -> Ran {
        rasadmin(words([&"host", &"judge", &self.trace])).ends(0)
    }

    fn point(&self, name: &str) -> Value {
        let json = rasadmin(words([&"host", &"judge", &"--json", &self.trace])).ends(0).json();
        let points = json["points"].as_array().unwrap();
        points.iter().find(|point| point["name"] == name).unwrap_or_else(|| panic!("{name}: {json:#}")).clone()
    }

    #[track_caller]
    fn is(&self, name: &str, verdict: &str) {
        let point = self.point(name);
        assert_eq!(point["verdict"], verdict, "{point:#}");
    }
}

#[test]
fn what_the_recorder_records_is_judged() {
    let recorded = Recorded::new("", &[], "");
    let confirmed = [
        "headers",
        "client-address",
        "client-identifier",
        "user-form",
        "ikev2-computer",
        "ikev2-flags",
        "ikev2-link",
        "addresses-first",
        "link-at-once",
        "hangup-order",
        "identifier-half",
        "handles",
        "one-process",
    ];
    for name in confirmed {
        recorded.is(name, "confirmed");
    }
    recorded.is("rejected-connection", "not-seen");
    recorded.is("overlap", "not-seen");
    recorded.is("event-20272", "cannot-show");
    let ran = recorded.judged().prints("secret.trace, ").prints("CONFIRMED").prints("NOT SEEN");
    let ran = ran.prints("client-address (R-STRUCT-10, R-HOST-14)").prints(r"calls 2, 4: CORP\alice");
    ran.prints("A TRACE CANNOT SHOW THIS").prints("Get-WinEvent");
}

/// The recorder accepts everyone, so a rejection shows only in what follows.
#[test]
fn the_recorder_before_a_dll_that_rejects() {
    let [default, nobody] = ["", "assume rejected-connection=nobody\n"];
    Recorded::new(default, &[reject()], "connections").is("rejected-connection", "confirmed");
    let recorded = Recorded::new(nobody, &[reject()], "connections");
    recorded.is("rejected-connection", "contradicted");
    assert_eq!(recorded.point("rejected-connection")["values"], serde_json::json!(["nobody"]));
    // An IKEv2 connection that was rejected says nothing of IKEv2's links.
    recorded.is("ikev2-link", "not-seen");
    let nobody = "assume rejected-first-link=nobody\n";
    Recorded::new(default, &[reject()], "links").is("rejected-first-link", "confirmed");
    Recorded::new(nobody, &[reject()], "links").is("rejected-first-link", "contradicted");
}

#[test]
fn an_anonymous_verdict_has_nothing_of_the_trace_but_numbers() {
    let recorded = Recorded::new("", &[], "");
    let folder = recorded.trace.parent().and_then(Path::file_name).unwrap().to_str().unwrap().to_owned();
    let secrets = [
        "alice",
        "CORP",
        "bob",
        "corp.example",
        "carol",
        "ALICEPC",
        "LAPTOP",
        "203.0.113",
        "198.51.100",
        "10.20.0",
        "VPN7",
        "secret",
        "2001:",
        "::",
        &folder,
    ];
    for json in [false, true] {
        let mut arguments = words([&"host", &"judge", &"--anonymous", &recorded.trace]);
        let mut plain = words([&"host", &"judge", &recorded.trace]);
        if json {
            arguments.push("--json".into());
            plain.push("--json".into());
        }
        let ran = rasadmin(arguments).ends(0);
        for secret in secrets {
            assert!(!ran.stdout.contains(secret), "`{secret}` is in\n{}", ran.stdout);
        }
        // It is the same verdict.
        let verdicts = |text: &str| text.matches("confirmed").count();
        assert_eq!(verdicts(&ran.stdout), verdicts(&rasadmin(plain).ends(0).prints("alice").stdout));
    }
}

#[test]
fn what_is_not_a_trace_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.txt");
    std::fs::write(&path, "dear diary\n").unwrap();
    rasadmin(words([&"host", &"judge", &path])).ends(2).complains("this may not be a trace");
    rasadmin(words([&"host", &"judge", &folder.path().join("missing")])).ends(2).complains("cannot open the trace");
    let header = "{\"trace\":\"rasadmin\",\"version\":1,\"recorder\":\"recorder\",\"dlls\":[\"a\"]}\n";
    std::fs::write(&path, format!("{header}half a line")).unwrap();
    rasadmin(words([&"host", &"judge", &path])).ends(2).complains("notes.txt:2:").complains("two processes");
}

#[test]
fn every_assumption_is_listed_with_its_values_ids_and_evidence() {
    let json = rasadmin(["host", "assumptions", "--json"]).ends(0).json();
    let text = rasadmin(["host", "assumptions"]).ends(0);
    let all = json.as_array().unwrap();
    assert!(all.len() >= 12, "{json:#}");
    for assumption in all {
        let is_text = |value: &Value| value.as_str().is_some_and(|text| text.ends_with('.'));
        assert!(is_text(&assumption["description"]) && is_text(&assumption["evidence"]), "{assumption:#}");
        assert!(assumption["values"].as_array().unwrap().len() > 1);
        for part in ["name", "description", "evidence"] {
            assert!(
                text.stdout.contains(assumption[part].as_str().unwrap()),
                "{part}: {assumption:#}\n{}",
                text.stdout
            );
        }
        for value in assumption["values"].as_array().unwrap() {
            assert!(is_text(&value["description"]), "{value}");
            assert!(text.stdout.contains(value["name"].as_str().unwrap()), "{value}\n{}", text.stdout);
        }
        for id in assumption["ids"].as_array().unwrap() {
            assert!(text.stdout.contains(id.as_str().unwrap()), "{id}\n{}", text.stdout);
        }
    }
}
