//! `rasadmin host`: the office day through the product and through a DLL that rejects.
#![allow(clippy::unwrap_used)]

mod support;

use support::{built, office_day, product, rasadmin, rasadmin_with, reject, words};

#[test]
fn bad_input_is_one_line_with_exit_2() {
    let product = product();
    let day = office_day();
    let bad = |what: Vec<std::ffi::OsString>, message: &str| {
        let ran = rasadmin(what).ends(2).complains(message);
        assert_eq!(ran.stderr.trim_end().lines().count(), 1, "{}", ran.stderr);
        assert!(ran.stdout.is_empty());
    };
    bad(words([&"host", &"run", &"--dll", &product, &"no/such.scenario"]), "cannot read the scenario");
    bad(words([&"host", &"run", &"--dll", &"no/such.dll", &day]), "such.dll: the file does not exist");
    bad(words([&"host", &"run", &"--dll", &support::root(), &day]), "it is a directory");
    bad(words([&"host", &"replay", &"--dll", &product, &day]), "expected a trace's header");
    bad(words([&"host", &"replay", &"--dll", &product, &"no/such.trace"]), "cannot open the trace");
    let folder = tempfile::tempdir().unwrap();
    let scenario = folder.path().join("bad.scenario");
    std::fs::write(&scenario, "server VPN1\n08:00:00 conect a\n").unwrap();
    bad(words([&"host", &"run", &"--dll", &product, &scenario]), "bad.scenario:2: there is no verb `conect`");
}

#[test]
fn a_leading_space_in_the_list_is_warned_of() {
    let list = format!("{}; other.dll", product().display());
    let ran = rasadmin(words([&"host", &"run", &"--dll-path", &list, &office_day()])).ends(0);
    ran.complains("RRAS never loads `other.dll`");
}

#[test]
fn a_service_that_would_not_start_ends_with_1() {
    let ran = rasadmin(words([&"host", &"run", &"--dll-path", &"/no/such.dll", &office_day()])).ends(1);
    let ran = ran.complains("RRAS would not start (error 126, event 20113)");
    ran.complains("rasadmin check");
    let ran = rasadmin(words([&"host", &"run", &"--json", &"--dll-path", &"/no/such.dll", &office_day()])).ends(1);
    assert_eq!(ran.json()["failure"]["event"], 20113);
}

/// Windows loads a program in its own way. The host and the checker say so in the same words.
#[test]
fn a_program_in_the_place_of_a_dll_is_named() {
    let program = support::fixtures().with_file_name("windows").join("program-without-exports.dll");
    let (what, effect) =
        ("it is a program, not a DLL", "Windows loads a program in the place of a DLL without the DLLs");
    let ran = rasadmin(words([&"host", &"run", &"--dll", &program, &office_day()]));
    if cfg!(windows) {
        ran.ends(1).complains(&format!("{what}. {effect}")).complains("RRAS would not start");
    } else {
        ran.ends(2).complains("a Windows DLL runs only on Windows or under Wine");
    }
    let check = rasadmin(words([&"check", &"--static-only", &program])).ends(1);
    check.prints(&format!("FAIL  machine: {what}")).prints(effect);
}

/// A DLL that reads past an argument crashes its process. The report names the DLL, the function and the argument.
#[test]
fn an_over_read_names_the_function_and_the_argument() {
    let suffix = std::env::consts::DLL_SUFFIX;
    for (fixture, function, argument) in [
        ("overread-connection", "MprAdminAcceptNewConnectionEx", "connection"),
        ("overread-port", "MprAdminAcceptNewLink", "port0"),
    ] {
        let dll = support::fixtures().join(format!("{fixture}{suffix}"));
        let ran = rasadmin(words([&"host", &"run", &"--json", &"--dll", &dll, &office_day()])).ends(3);
        let died = &ran.json()["died"];
        assert_eq!((&died["kind"], &died["function"]), (&"exception".into(), &function.into()), "{died}");
        assert_eq!(died["argument"], argument, "{died}");
        assert!(died["dll"].as_str().unwrap().contains(fixture), "{died}");
    }
}

#[test]
fn a_trace_of_the_product_replays_identically_and_differs_from_the_rejecting_dll() {
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("day.trace");
    rasadmin(words([&"host", &"run", &"--dll", &product(), &"--trace", &trace, &office_day()])).ends(0);
    let same = rasadmin(words([&"host", &"replay", &"--dll", &product(), &trace])).ends(0);
    same.prints("identical: every answer is as recorded");
    let other = rasadmin(words([&"host", &"replay", &"--dll", &reject(), &trace])).ends(1);
    let other = other.prints("MprAdminAcceptNewConnectionEx (CORP\\");
    other.prints("recorded accepted, now rejected");
}

#[test]
fn the_recorder_writes_a_trace_that_replays() {
    let folder = tempfile::tempdir().unwrap();
    let (own, hosts) = (folder.path().join("own.trace"), folder.path().join("host.trace"));
    let name = own.to_string_lossy().into_owned();
    let recorder = built("recorder");
    let run = words([&"host", &"run", &"--dll", &recorder, &"--trace", &hosts, &office_day()]);
    rasadmin_with(run, &[("RASADMIN_TRACE", &name)]).ends(0);
    // Against the recorder itself: rasadmin.dll refuses another client's address, and the recorder leaves that to RRAS.
    let again = folder.path().join("again.trace").to_string_lossy().into_owned();
    let replay = words([&"host", &"replay", &"--dll", &recorder, &own]);
    rasadmin_with(replay, &[("RASADMIN_TRACE", &again)]).ends(0).prints("identical");
    // The DLL and the host have recorded the same calls.
    let calls = |path| {
        let (_, calls) = rasadmin_trace::read_trace(path).unwrap();
        calls.into_iter().map(|c| (c.function, c.arguments, c.result, c.after)).collect::<Vec<_>>()
    };
    assert_eq!(calls(&own), calls(&hosts));
}

/// A pool of one address. Alice has it when bob comes, twice within a minute.
#[test]
fn a_refusal_of_the_dll_itself_is_not_the_defaults() {
    let folder = tempfile::tempdir().unwrap();
    let (config, day) = (folder.path().join("c.toml"), folder.path().join("day.scenario"));
    let text =
        "default.action = \"allow\"\naddresses.pool = \"one\"\n[pools.one]\naddresses = [\"10.8.0.1-10.8.0.1\"]\n";
    std::fs::write(&config, text).unwrap();
    let text = "server-address 10.20.0.1\npool 10.20.0.2-10.20.0.9\nday 2026-11-23T00:00:00Z\n\
                08:00:00 connect alice user=alice tunnel=sstp from=203.0.113.5 until=17:00:00\n\
                09:00:00 connect bob user=bob tunnel=sstp from=203.0.113.6\n\
                09:00:20 connect bob-2 user=bob tunnel=sstp from=203.0.113.6\n";
    std::fs::write(&day, text).unwrap();
    let run = words([&"host", &"run", &"--each", &"--config", &config, &"--dll", &product(), &day]);
    let told = rasadmin(&run).ends(0);
    let squeezed: Vec<_> =
        told.stdout.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    let has = |text: &str| assert!(squeezed.iter().any(|line| line == text), "{text}: {squeezed:#?}");
    has("denied by times because");
    has("(pool exhausted) 2 the pool `one` is exhausted");
    for (session, port) in [("bob", "-"), ("bob-2", "-")] {
        let line = squeezed.iter().find(|line| line.starts_with(&format!("{session} bob SSTP {port}"))).unwrap();
        assert!(line.ends_with("(pool exhausted)"), "{line}");
    }
    let told = rasadmin(words([&"host", &"run", &"--json", &"--config", &config, &"--dll", &product(), &day])).json();
    let denied = &told["denied"][0];
    assert_eq!((&denied["decided_by"], &denied["rule"]), (&"dll".into(), &serde_json::Value::Null));
    assert_eq!((&denied["refusal"], &denied["times"]), (&"exhausted".into(), &2.into()));
}
