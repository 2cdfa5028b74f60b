//! `judge` on traces that the host makes: under each assumption it must find what was assumed.
#![allow(clippy::unwrap_used)]

mod support;

use rasadmin_host::assumptions::{Assumption, Assumptions};
use rasadmin_host::judge::{Judgement, POINTS, Verdict, judge};
use rasadmin_host::runner::{RunOptions, run};
use rasadmin_host::scenario::Scenario;
use rasadmin_host::{Options, Service};
use rasadmin_trace::{Call, Header, read_trace};
use std::collections::BTreeSet;
use std::fs::File;
use support::Dll;

/// A day on which every assumption shows: two DLLs, of which the second rejects a connection and a first link.
const DAY: &str = r"server-address 10.20.0.1
pool 10.20.0.2-10.20.0.9
08:00:00 connect a user=CORP\alice tunnel=sstp from=203.0.113.1 ipv6 until=09:00:00 received=5G
08:02:00 connect b user=bob@corp.example tunnel=ikev2 from=203.0.113.3 computer=LAPTOP ipv6 until=10:00:00
08:03:00 connect no-connection user=CORP\mallory tunnel=sstp from=203.0.113.4
08:04:00 connect no-link user=CORP\trudy tunnel=sstp from=203.0.113.5 port=VPN0-99
08:10:00 link a
10:30:00 connect c user=CORP\carol tunnel=l2tp from=203.0.113.6 until=11:00:00
11:30:00 connect d user=CORP\dave tunnel=sstp from=203.0.113.6 until=12:00:00
";

struct Traced {
    header: Header,
    calls: Vec<Call>,
}

impl Traced {
    fn judged(&self) -> Vec<Judgement> {
        judge(&self.header, &self.calls)
    }

    #[track_caller]
    fn point(&self, name: &str) -> Judgement {
        self.judged().into_iter().find(|j| j.point.name == name).unwrap_or_else(|| panic!("no point {name}"))
    }

    #[track_caller]
    fn is(&self, name: &str, verdict: Verdict) {
        let judgement = self.point(name);
        assert_eq!(judgement.verdict(), verdict, "{name}: {:#?}", judgement.seen);
    }
}

fn traced(dlls: &[&Dll], day: &str, assumptions: Assumptions) -> Traced {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("day.trace");
    let scenario = Scenario::parse("day", day).unwrap();
    let mut options = Options::new(scenario.pool.clone());
    options.trace = Some(Box::new(File::create(&path).unwrap()));
    options.assumptions = assumptions;
    let paths: Vec<_> = dlls.iter().map(|dll| dll.path.clone()).collect();
    if let Ok(service) = Service::start(&paths, options) {
        run(&service, &scenario, RunOptions::threads(1));
        service.stop().unwrap().trace.unwrap();
    }
    let (header, calls) = read_trace(&path).unwrap();
    Traced { header, calls }
}

/// The second of two DLLs. It knows no user in the link call, so it is the port of one that decides.
fn rejecting() -> Dll {
    Dll::scripted(
        "good-rev2",
        "MprAdminAcceptNewConnectionEx reject user=CORP\\mallory\n\
         MprAdminAcceptNewConnectionEx reject user=mallory\n\
         MprAdminAcceptNewLink reject port=VPN0-99\n",
    )
}

/// The first of two DLLs. It gives each user an address, so that an offer of 0.0.0.0 is enough.
fn assigning() -> Dll {
    let users = ["CORP\\alice", "bob@corp.example", "CORP\\mallory", "CORP\\trudy", "CORP\\carol", "CORP\\dave"];
    let lines = users.iter().enumerate().map(|(at, user)| {
        let bare = user.trim_start_matches("CORP\\").trim_end_matches("@corp.example");
        let line = |user| format!("MprAdminGetIpAddressForUser address=10.20.1.{} notify=1 user={user}\n", at + 1);
        line(*user) + &line(bare)
    });
    Dll::scripted("good-rev2", &lines.collect::<String>())
}

fn day(assumptions: Assumptions) -> Traced {
    traced(&[&assigning(), &rejecting()], DAY, assumptions)
}

#[test]
fn each_assumption_is_found_in_a_trace_made_under_it() {
    for &assumption in Assumption::ALL {
        for (index, value) in assumption.values().iter().enumerate() {
            let mut assumptions = Assumptions::default();
            assert!(assumptions.set(assumption, value));
            let trace = day(assumptions);
            let about: Vec<_> = trace.judged().into_iter().filter(|j| j.point.assumption == Some(assumption)).collect();
            assert!(!about.is_empty(), "no point judges {}", assumption.name());
            for judgement in about {
                let told = format!("{}={value}, {}: {:#?}", assumption.name(), judgement.point.name, judgement.seen);
                assert_eq!(judgement.values(), [*value], "{told}");
                let expected = if index == 0 { Verdict::Confirmed } else { Verdict::Contradicted };
                assert_eq!(judgement.verdict(), expected, "{told}");
                let calls = judgement.seen.iter().flat_map(|seen| &seen.examples).flat_map(|example| &example.calls);
                assert!(calls.clone().count() > 0 && calls.clone().all(|&c| c <= trace.calls.len() as u64), "{told}");
            }
        }
    }
}

/// Nothing else changes its verdict, except the two statements about the halves of an identifier.
#[test]
fn an_assumption_changes_only_what_is_about_it() {
    let usual: Vec<_> = day(Assumptions::default()).judged().iter().map(Judgement::verdict).collect();
    for &assumption in Assumption::ALL {
        for value in &assumption.values()[1..] {
            let mut assumptions = Assumptions::default();
            assumptions.set(assumption, value);
            for (judgement, usual) in day(assumptions).judged().iter().zip(&usual) {
                let point = judgement.point;
                if point.assumption != Some(assumption) && !point.ids.contains(&"R-HOST-11") {
                    let told = format!("{}={value}, {}: {:#?}", assumption.name(), point.name, judgement.seen);
                    // An identifier of zero shows nothing.
                    let verdict = judgement.verdict();
                    assert!(verdict == *usual || verdict == Verdict::NotSeen, "{verdict:?}, not {usual:?}: {told}");
                }
            }
        }
    }
}

#[test]
fn what_one_good_day_shows() {
    let trace = day(Assumptions::default());
    let confirmed =
        ["headers", "addresses-first", "link-at-once", "own-address-returns", "first-half-is-zero", "handles"];
    for name in confirmed {
        trace.is(name, Verdict::Confirmed);
    }
    for point in POINTS {
        let verdict = trace.point(point.name).verdict();
        assert_eq!(verdict == Verdict::CannotShow, !point.is_in_traces(), "{}", point.name);
        assert!(!matches!(verdict, Verdict::Contradicted | Verdict::Mixed), "{}", point.name);
    }
}

/// A trace of both kinds: a client that names its computer, and one that does not.
#[test]
fn clients_that_differ_are_mixed() {
    let day = "server-address 10.20.0.1
pool 10.20.0.2-10.20.0.9
08:00:00 connect laptop user=a tunnel=ikev2 from=203.0.113.1 computer=LAPTOP until=09:00:00
08:00:01 connect phone user=b tunnel=ikev2 from=203.0.113.2 until=09:00:00
";
    let trace = traced(&[&Dll::good()], day, Assumptions::default());
    trace.is("ikev2-computer", Verdict::Mixed);
    assert_eq!(trace.point("ikev2-computer").values(), ["named", "empty"]);
    // Bare names in both calls prove nothing about the form of a name.
    trace.is("user-form", Verdict::NotSeen);
}

#[test]
fn further_links_and_moves_that_are_rejected() {
    let day = "server-address 10.20.0.1
pool 10.20.0.2-10.20.0.9
08:00:00 connect a user=a tunnel=sstp from=203.0.113.1 until=09:00:00
08:00:01 connect b user=b tunnel=ikev2 from=203.0.113.2 until=09:00:00
08:10:00 link a port=VPN0-99
08:11:00 link a
08:12:00 move b to=203.0.113.9
";
    let script = "MprAdminAcceptNewLink reject port=VPN0-99\nMprAdminAcceptTunnelEndpointChangeEx reject user=b\n";
    let trace = traced(&[&Dll::scripted("good-rev2", script)], day, Assumptions::default());
    trace.is("rejected-further-link", Verdict::Confirmed);
    trace.is("rejected-move", Verdict::Confirmed);
    trace.is("links-last-first", Verdict::Confirmed);
}

#[test]
fn an_ipv6_call_that_fails_ends_the_connection() {
    let day = "server-address 10.20.0.1
pool 10.20.0.2-10.20.0.9
08:00:00 connect a user=a tunnel=sstp from=203.0.113.1 ipv6 until=09:00:00
";
    let dll = Dll::scripted("good-rev2", "MprAdminGetIpv6AddressForUser status=5\n");
    traced(&[&dll], day, Assumptions::default()).is("ipv6-failure-ends", Verdict::Confirmed);
}

#[test]
fn dlls_of_revision_1_and_a_start_that_fails() {
    let day = "server-address 10.20.0.1
pool 10.20.0.2-10.20.0.9
08:00:00 connect a user=a tunnel=sstp from=203.0.113.1 until=09:00:00
08:00:01 connect b user=b tunnel=ikev2 from=203.0.113.2 until=09:00:00
";
    let old = Dll::scripted("good-rev1-pair3", "");
    let trace = traced(&[&old, &Dll::good()], day, Assumptions::default());
    trace.is("old-address-pair", Verdict::Confirmed);
    trace.is("old-ex-exports", Verdict::Confirmed);
    let trace = traced(&[&Dll::good(), &Dll::scripted("init-5", "")], day, Assumptions::default());
    trace.is("failed-start", Verdict::Confirmed);
}

/// What the host never does, but a server might: calls in another order, and calls about connections of before.
#[test]
fn what_the_host_never_does_is_contradicted() {
    let trace = day(Assumptions::default());
    let header = trace.header.clone();
    let without = |names: &[&str]| {
        let calls = trace.calls.iter().filter(|call| !names.contains(&call.function.name()));
        Traced { header: header.clone(), calls: calls.cloned().collect() }
    };
    without(&["MprAdminAcceptNewConnectionEx"]).is("forgets", Verdict::Contradicted);
    without(&["MprAdminLinkHangupNotification", "MprAdminReleaseIpAddress", "MprAdminReleaseIpv6AddressForUser"])
        .is("hangup-order", Verdict::NotSeen);
    let mut late = Traced { header: header.clone(), calls: trace.calls.clone() };
    late.calls.retain(|call| call.dll == 0);
    let gets = |call: &Call| call.function.name().starts_with("MprAdminGetIp");
    // The address calls of the last user move behind everything that was accepted.
    let get = late.calls.iter().rposition(gets).unwrap();
    let get = late.calls.remove(get);
    let accept = late.calls.iter().rposition(|call| call.function.name().starts_with("MprAdminAcceptNewLink")).unwrap();
    late.calls.insert(accept + 1, get);
    late.is("addresses-first", Verdict::Mixed);
    let other_size = |call: &Call| {
        let mut call = call.clone();
        for buffer in &mut call.arguments {
            if let rasadmin_trace::Buffer::Bytes(bytes) = buffer
                && bytes.len() == 1672
            {
                bytes[2] = 0x90;
            }
        }
        call
    };
    let calls = trace.calls.iter().map(other_size).collect();
    Traced { header, calls }.is("headers", Verdict::Contradicted);
}

/// Every fact that the page marks as unproven is judged, and every id that is judged is on the page. A fact that is found
/// unproven tomorrow cannot be forgotten.
#[test]
fn the_page_and_the_points_agree() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/rras-behaviour.md");
    let mut page = std::fs::read_to_string(&path).unwrap().replace("\r\n", "\n");
    if std::env::var_os("RASADMIN_BLESS").is_some() {
        page = bless(&page);
        std::fs::write(&path, &page).unwrap();
    }
    let (facts, settle) = page.split_once("## How to settle what is unproven").unwrap();
    let mut unproven = BTreeSet::new();
    let mut all = BTreeSet::new();
    for item in facts.split("**R-").skip(1) {
        let (id, text) = item.split_once("**").unwrap();
        // The item ends at a blank line.
        let text = text.split("\n\n").next().unwrap();
        all.insert(format!("R-{id}"));
        if text.to_lowercase().contains("unproven") || id.starts_with("HOST-") {
            unproven.insert(format!("R-{id}"));
        }
    }
    let judged: BTreeSet<_> = POINTS.iter().flat_map(|point| point.ids).map(|&id| id.to_owned()).collect();
    let forgotten: Vec<_> = unproven.difference(&judged).collect();
    assert!(forgotten.is_empty(), "unproven on the page, and no point of judge has it: {forgotten:?}");
    let unknown: Vec<_> = judged.difference(&all).collect();
    assert!(unknown.is_empty(), "judged, but not on the page: {unknown:?}");
    assert!(settle.contains(&table()), "the last section's table is stale: run `cargo xtask bless`");
}

/// The table of the page's last section.
fn table() -> String {
    let mut table = "| point | facts | statement | how to show it |\n|---|---|---|---|\n".to_owned();
    for point in POINTS {
        let not = if point.is_in_traces() { "" } else { "Not in a trace. " };
        let (name, ids, statement, how) = (point.name, point.ids.join(", "), point.statement, point.how);
        table += &format!("| `{name}` | {ids} | {statement} | {not}{how} |\n");
    }
    table
}

/// Writes the table into the page.
fn bless(page: &str) -> String {
    let begin = page.find("| point | facts |").unwrap();
    let end = begin + page[begin..].find("\n\n").unwrap() + 1;
    format!("{}{}{}", &page[..begin], table(), &page[end..])
}

#[test]
fn points_have_names_of_their_own_and_whole_sentences() {
    let names: BTreeSet<_> = POINTS.iter().map(|point| point.name).collect();
    assert_eq!(names.len(), POINTS.len(), "two points have the same name");
    for point in POINTS {
        for text in [point.statement, point.how] {
            assert!(text.ends_with('.') && !text.contains("  "), "{}: {text}", point.name);
        }
    }
}
