//! `host run --assume`: unproven behaviour of RRAS can be assumed one way or the other. Also the warnings of the report.
#![allow(clippy::unwrap_used)]

mod support;

use std::path::PathBuf;
use support::{rasadmin, words};

struct Day {
    folder: tempfile::TempDir,
    dll: PathBuf,
}

impl Day {
    /// A fixture that answers as the script says, and a day with an SSTP user and an IKEv2 user.
    fn new(fixture: &str, script: &str, more: &str) -> Self {
        let suffix = std::env::consts::DLL_SUFFIX;
        let folder = tempfile::tempdir().unwrap();
        let dll = folder.path().join(format!("scripted{suffix}"));
        std::fs::copy(support::fixtures().join(format!("{fixture}{suffix}")), &dll).unwrap();
        std::fs::write(folder.path().join(format!("scripted{suffix}.script")), script).unwrap();
        let day = format!(
            "server-address 10.20.0.1\npool 10.20.0.2-10.20.0.9\n\
             08:00:00 connect a user=CORP\\alice tunnel=sstp from=203.0.113.1 pre-auth\n\
             08:01:00 connect b user=CORP\\bob tunnel=ikev2 from=203.0.113.2 computer=PC\n{more}"
        );
        std::fs::write(folder.path().join("day.scenario"), day).unwrap();
        Self { folder, dll }
    }

    fn run(&self, more: &[&str]) -> support::Ran {
        let mut run = words([&"host", &"run", &"--dll", &self.dll, &self.folder.path().join("day.scenario")]);
        run.extend(more.iter().map(Into::into));
        rasadmin(run)
    }
}

/// A DLL that rejects the link of an IKEv2 client. Whether RRAS asks about it is not known.
const REJECTS_THE_IKEV2_LINK: &str = "MprAdminAcceptNewLink reject port=VPN2-1\n";

#[test]
fn an_assumption_changes_the_result_and_is_told() {
    let day = Day::new("good-rev2", REJECTS_THE_IKEV2_LINK, "");
    assert_eq!(day.run(&["--json"]).ends(0).json()["accepted"], 1);
    let json = day.run(&["--json", "--assume", "ikev2-link=not-called"]).ends(0).json();
    assert_eq!((&json["accepted"], &json["assumed"][0]), (&2.into(), &"ikev2-link=not-called".into()));
    let ran = day.run(&["--assume", "ikev2-link=not-called", "--assume", "handles=repeated"]).ends(0);
    ran.prints("assumed of RRAS: ikev2-link=not-called, handles=repeated");
}

#[test]
fn all_of_them_one_at_a_time_show_where_results_differ() {
    let day = Day::new("good-rev2", REJECTS_THE_IKEV2_LINK, "expect b rejected\n");
    let json = day.run(&["--json", "--assume", "all"]).ends(1).json();
    let reading = |assumed: &str| {
        let all = json["readings"].as_array().unwrap();
        all.iter().find(|reading| reading["assumed"] == assumed).unwrap_or_else(|| panic!("{assumed}: {json}")).clone()
    };
    let link = reading("ikev2-link=not-called");
    assert_eq!((&link["exit_code"], &link["differences"][0]["session"]), (&1.into(), &"b".into()), "{link}");
    assert!(link["faults"][0].as_str().unwrap().contains("expected rejected; found accepted"), "{link}");
    let order = reading("hangup-order=releases-first");
    assert_eq!((&order["exit_code"], order["differences"].as_array().unwrap().len()), (&0.into(), 0), "{order}");
    assert_eq!(json["compared_with"]["exit_code"], 0);
    // Every value but the default of every assumption.
    use rasadmin_host::assumptions::Assumption;
    let others: usize = Assumption::ALL.iter().map(|assumption| assumption.values().len() - 1).sum();
    assert_eq!(json["readings"].as_array().unwrap().len(), others);
    let ran = day.run(&["--assume", "all"]).ends(1);
    let ran = ran.prints("day.scenario under").prints("ikev2-link=not-called");
    ran.prints("b: accepted, 10.20.0.3").prints("usually: rejected");
}

#[test]
fn what_cannot_be_assumed_is_told_with_what_can() {
    let day = Day::new("good-rev2", "", "");
    let ran = day.run(&["--assume", "ikev2-links=no"]).ends(2);
    ran.complains("there is no assumption `ikev2-links`").complains("ikev2-link, ");
    day.run(&["--assume", "ikev2-link=no"]).ends(2).complains("`ikev2-link` is called or not-called");
    day.run(&["--assume", "all", "--trace", "t"]).ends(2).complains("leave out --keep and --trace");
}

#[test]
fn whoever_gets_in_without_authentication_is_named() {
    let day = Day::new("preauth", "MprAdminRasValidatePreAuthenticatedConnectionEx status=1\n", "");
    let ran = day.run(&[]).ends(0);
    ran.prints("warning: the pre-authentication callback let in without authentication: CORP\\alice");
    let json = day.run(&["--json"]).ends(0).json();
    assert_eq!(
        (&json["outcomes"][0]["pre_authenticated"], &json["outcomes"][1]["pre_authenticated"]),
        (&true.into(), &false.into())
    );
    let day = Day::new("preauth", "", "");
    assert_eq!(day.run(&["--json"]).ends(0).json()["warnings"].as_array().unwrap().len(), 0);
}

#[test]
fn addresses_that_no_client_can_use_are_named() {
    let script = "MprAdminGetIpAddressForUser address=9.0.20.10 user=CORP\\alice\n\
                  MprAdminGetIpAddressForUser address=0.0.0.0 user=CORP\\bob\n";
    let ran = Day::new("good-rev2", script, "").run(&[]).ends(0);
    let ran = ran.prints("CORP\\alice got 9.0.20.10, which is 10.20.0.9 in the wrong byte order");
    ran.prints("RRAS refused the address 0.0.0.0: no client can have it (1168)");
    let json = Day::new("good-rev2", script, "").run(&["--json"]).ends(0).json();
    assert_eq!(json["addresses"]["ipv4_released_after_refusal"], 1, "{json}");
}
