//! Whatever a DLL does to its process, `host run` and `host replay` say which DLL did what in which function, and end with
//! the documented exit code.
#![allow(clippy::unwrap_used)]

mod support;

use serde_json::Value;
use std::path::PathBuf;
use support::{rasadmin, rasadmin_with, words};

/// A copy of a good DLL that does to its process what a script says.
struct Bad {
    folder: tempfile::TempDir,
    dll: PathBuf,
}

const DAY: &str = "server-address 10.20.0.1\npool 10.20.0.2-10.20.0.9\n\
                   08:00:00 connect a user=alice tunnel=sstp from=203.0.113.1 until=17:00:00\n\
                   09:00:00 connect b user=bob tunnel=ikev2 from=203.0.113.2 until=16:00:00\n";

impl Bad {
    fn new(script: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let dll = folder.path().join(format!("bad{}", std::env::consts::DLL_SUFFIX));
        std::fs::copy(support::fixtures().join(format!("good-rev2{}", std::env::consts::DLL_SUFFIX)), &dll).unwrap();
        std::fs::write(folder.path().join(format!("bad{}.script", std::env::consts::DLL_SUFFIX)), script).unwrap();
        std::fs::write(folder.path().join("day.scenario"), DAY).unwrap();
        Self { folder, dll }
    }

    fn day(&self) -> PathBuf {
        self.folder.path().join("day.scenario")
    }

    fn run(&self, more: &[&str]) -> support::Ran {
        let mut run = words([&"host", &"run", &"--deadline", &"2", &"--dll", &self.dll, &self.day()]);
        run.extend(more.iter().map(Into::into));
        rasadmin(run)
    }

    /// What it did, as `--json` has it.
    fn died(&self, more: &[&str]) -> Value {
        let mut json = vec!["--json"];
        json.extend(more);
        self.run(&json).ends(3).json()
    }
}

/// What happens, the kind in the answer, and a part of the message natively and on Windows.
const WAYS: &[(&str, &str, &str, &str)] = &[
    ("exit", "exit", "exit code 5", "exit code 5"),
    ("terminate", "exit", "exit code 6", "exit code 6"),
    ("end-thread", "thread", "its thread ended", "its thread ended"),
    ("null", "exception", "segmentation fault (SIGSEGV): it used a null pointer", "it wrote through a null pointer"),
    ("divide", "exception", "division by zero (SIGFPE)", "integer division by zero (0xC0000094)"),
    ("breakpoint", "exception", "breakpoint (SIGTRAP)", "breakpoint (0x80000003)"),
    ("hang", "hung", "it did not return within 2 s", "it did not return within 2 s"),
];

#[test]
fn each_way_to_end_the_process_is_told() {
    for (action, kind, native, windows) in WAYS {
        let bad = Bad::new(&format!("MprAdminAcceptNewLink do={action} port=VPN0-1\n"));
        let json = bad.died(&[]);
        let died = &json["died"];
        let message = died["message"].as_str().unwrap();
        assert_eq!((&died["kind"], &died["function"]), (&(*kind).into(), &"MprAdminAcceptNewLink".into()), "{action}");
        assert!(message.contains(if cfg!(windows) { windows } else { native }), "{action}: {message}");
        assert_eq!((&died["line"], &died["session"]), (&3.into(), &"a".into()), "{action}");
        assert!(died["dll"].as_str().unwrap().contains("bad"), "{action}: {died}");
        assert_eq!((&json["started"], &json["of_events"]), (&true.into(), &4.into()), "{action}");
    }
}

/// Wine ends the thread where Windows raises an exception.
#[test]
fn a_stack_overflow_is_told() {
    let died = Bad::new("MprAdminAcceptNewLink do=overflow\n").died(&[]);
    let (kind, message) = (&died["died"]["kind"], died["died"]["message"].as_str().unwrap());
    assert!(kind == "exception" || cfg!(windows) && kind == "thread", "{died}");
    assert!(message.contains("stack overflow"), "{message}");
}

/// How abort() ends a process differs by system; a C++ exception has a name on Windows alone.
#[test]
fn an_abort_and_a_cxx_exception_are_told() {
    let died = |action: &str| {
        let json = Bad::new(&format!("MprAdminAcceptNewLink do={action}\n")).died(&[]);
        json["died"]["message"].as_str().unwrap().to_owned()
    };
    let abort = died("abort");
    assert!(abort.contains("abort"), "{abort}");
    if cfg!(windows) {
        let thrown = died("throw");
        assert!(thrown.contains("C++ exception that nothing caught (0xE06D7363)"), "{thrown}");
    }
}

#[test]
fn a_fault_that_the_dll_hides_is_told() {
    let died = Bad::new("MprAdminAcceptNewLink do=swallow\n").died(&[]);
    let message = died["died"]["message"].as_str().unwrap();
    assert!(message.contains("exit code 0"), "{message}");
    // On Windows the fault itself was seen before the DLL's filter.
    assert_eq!(message.contains("null pointer"), cfg!(windows), "{message}");
}

#[test]
fn a_fault_in_a_thread_of_the_dll_is_told() {
    let died = Bad::new("MprAdminAcceptNewLink do=thread-fault\n").died(&[]);
    assert_eq!(died["died"]["place"], "in a thread of its own during MprAdminAcceptNewLink", "{died}");
    assert_eq!(died["died"]["kind"], "exception");
}

#[test]
fn what_happens_while_it_is_loaded_initialised_terminated_and_unloaded_is_told() {
    for (script, step, function, started) in [
        ("load do=hang", "load", Value::Null, false),
        ("load do=exit", "load", Value::Null, false),
        ("MprAdminInitializeDllEx do=null", "call", "MprAdminInitializeDllEx".into(), false),
        ("MprAdminInitializeDllEx do=hang", "call", "MprAdminInitializeDllEx".into(), false),
        ("MprAdminTerminateDll do=hang", "call", "MprAdminTerminateDll".into(), true),
        ("MprAdminTerminateDll do=exit", "call", "MprAdminTerminateDll".into(), true),
        ("unload do=hang", "unload", Value::Null, true),
    ] {
        let json = Bad::new(script).died(&[]);
        let died = &json["died"];
        assert_eq!((&died["step"], &died["function"]), (&step.into(), &function), "{script}: {json}");
        assert_eq!(json["started"], started, "{script}: {json}");
    }
}

#[test]
fn the_report_for_people_says_what_to_do_next() {
    let ran = Bad::new("MprAdminAcceptNewLink do=null port=VPN2-1\n").run(&[]).ends(3);
    let ran = ran.prints("day.scenario: RRAS would have gone down").prints("in MprAdminAcceptNewLink:");
    let ran = ran.prints("It happened at line 4 of the scenario (session b).");
    ran.prints("Until then: 1 of 4 events, 1 accepted, 0 refused.").prints("find out more: rasadmin check");
    let ran = Bad::new("load do=hang").run(&[]).ends(3);
    ran.prints("RRAS would never finish starting").prints("while it was loaded: it did not return");
}

/// The address functions in another process: the day goes on without it, and the report says what became of it.
#[test]
fn the_death_of_the_address_process_is_told() {
    let json = Bad::new("MprAdminGetIpAddressForUser do=null\n").died(&["--two-processes"]);
    let death = &json["deaths"][0];
    assert_eq!(
        (&death["function"], &death["kind"]),
        (&"MprAdminGetIpAddressForUser".into(), &"exception".into()),
        "{json}"
    );
    assert_eq!((&json["refused"], &json["started"]), (&2.into(), &true.into()));
    assert!(json["warnings"][0].as_str().unwrap().contains("a process of the DLLs ended"), "{json}");
    // If it hangs, everything waits.
    let json = Bad::new("MprAdminGetIpAddressForUser do=hang\n").died(&["--two-processes"]);
    assert_eq!((&json["died"]["kind"], &json["died"]["step"]), (&"hung".into(), &"call".into()), "{json}");
}

#[test]
fn what_a_dll_prints_is_not_in_the_report() {
    for more in [&["--json"][..], &["--json", "--two-processes"]] {
        let bad = Bad::new("MprAdminAcceptNewLink do=print\nMprAdminGetIpAddressForUser do=print\n");
        let ran = bad.run(more).ends(0);
        assert_eq!(ran.json()["accepted"], 2);
        ran.complains("the DLLs printed this:").complains("  | printed by the DLL");
    }
    // It may close the standard handles, too.
    let ran = Bad::new("MprAdminAcceptNewLink do=close-handles\n").run(&["--json"]).ends(0);
    assert_eq!(ran.json()["accepted"], 2);
}

/// RRAS's current directory is System32.
#[test]
fn a_dll_gets_an_empty_current_directory() {
    let bad = Bad::new("MprAdminAcceptNewLink do=write-file\n");
    let ran = bad.run(&[]).ends(0);
    ran.complains("the DLLs wrote into the current directory").complains("left-behind.txt");
    // A relative path in the list is not looked up in the user's folder.
    let list = format!("bad{}", std::env::consts::DLL_SUFFIX);
    let run = words([&"host", &"run", &"--dll-path", &list, &bad.day()]);
    let ran = support::rasadmin_in(bad.folder.path(), run).ends(1);
    ran.complains("error 126").complains("write the full path");
}

#[test]
fn a_replay_tells_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("day.trace");
    let good = Bad::new("");
    let record = words([&"host", &"run", &"--dll", &good.dll, &"--trace", &trace, &good.day()]);
    rasadmin(record).ends(0);
    for (action, kind) in [("exit", "exit"), ("hang", "hung"), ("null", "exception")] {
        let bad = Bad::new(&format!("MprAdminAcceptNewConnectionEx do={action}\n"));
        let replay = words([&"host", &"replay", &"--json", &"--deadline", &"2", &"--dll", &bad.dll, &trace]);
        let json = rasadmin(replay).ends(3).json();
        let died = &json["died"];
        assert_eq!(
            (&died["kind"], &died["function"]),
            (&kind.into(), &"MprAdminAcceptNewConnectionEx".into()),
            "{action}: {json}"
        );
        assert!(json["calls"].as_u64().unwrap() > 1, "{json}");
    }
    let bad = Bad::new("MprAdminAcceptNewConnectionEx do=null\n");
    let ran = rasadmin(words([&"host", &"replay", &"--dll", &bad.dll, &trace])).ends(3);
    ran.prints("could not take the replay to its end").prints("MprAdminAcceptNewConnectionEx:");
}

/// The trace has every call before the one that ended the process.
#[test]
fn the_trace_of_a_run_that_died_can_be_replayed() {
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("day.trace");
    let bad = Bad::new("MprAdminAcceptNewLink do=exit port=VPN2-1\n");
    let name = trace.to_string_lossy();
    bad.run(&["--trace", &name]).ends(3).prints("the calls before it:");
    let good = Bad::new("");
    rasadmin(words([&"host", &"replay", &"--dll", &good.dll, &trace])).ends(0).prints("identical");
}

/// A process of the address functions, or one that was restarted, ends well when the main one has died. That is not the end
/// of the run.
#[test]
fn the_end_of_another_process_is_not_taken_for_the_end_of_the_run() {
    for action in ["null", "exit"] {
        let bad = Bad::new(&format!("MprAdminAcceptNewLink do={action}\n"));
        assert_eq!(bad.died(&["--two-processes"])["died"]["function"], "MprAdminAcceptNewLink", "{action}");
    }
    // The process before the restart is not the last one.
    let bad = Bad::new("");
    let day = format!("{DAY}10:00:00 restart\n11:00:00 connect c user=carol tunnel=sstp from=203.0.113.3\n");
    std::fs::write(bad.day(), day).unwrap();
    assert_eq!(bad.run(&["--json"]).ends(0).json()["accepted"], 3);
}

/// In another process, too, the line of the scenario is known.
#[test]
fn a_hang_in_the_address_process_has_its_line() {
    let json = Bad::new("MprAdminGetIpAddressForUser do=hang user=bob\n").died(&["--two-processes"]);
    assert_eq!((&json["died"]["line"], &json["died"]["session"]), (&4.into(), &"b".into()), "{json}");
    let json = Bad::new("MprAdminGetIpAddressForUser do=exit user=bob\n").died(&["--two-processes"]);
    assert_eq!(json["deaths"][0]["line"], 4, "{json}");
}

/// As a service, it has no input.
#[test]
fn a_dll_that_reads_its_input_does_not_hang() {
    for more in [&["--json"][..], &["--json", "--two-processes"]] {
        let ran =
            Bad::new("MprAdminAcceptNewLink do=read-input\nMprAdminGetIpAddressForUser do=read-input\n").run(more);
        assert_eq!(ran.ends(0).json()["accepted"], 2);
    }
    if cfg!(unix) {
        let good = Bad::new("");
        let run = words([&"host", &"run", &"--dll", &good.dll, &"/dev/stdin"]);
        rasadmin(run).ends(2).complains("write it to a file");
    }
}

#[test]
fn an_exit_code_is_no_exception_and_a_wild_pointer_is_not_null() {
    let died = Bad::new("MprAdminAcceptNewLink do=exit-minus-one\n").died(&[]);
    assert_eq!(died["died"]["kind"], "exit", "{died}");
    let died = Bad::new("MprAdminAcceptNewLink do=wild\n").died(&[]);
    assert_eq!(died["died"]["kind"], "exception", "{died}");
    assert!(!died["died"]["message"].as_str().unwrap().contains("null pointer"), "{died}");
}

#[cfg(unix)]
#[test]
fn a_dll_that_closes_every_file_or_forks_does_not_confuse_the_report() {
    let ran = Bad::new("MprAdminAcceptNewLink do=close-all\n").run(&["--json"]).ends(0);
    assert_eq!(ran.json()["accepted"], 2);
    // The fault of a forked child is not this process's.
    let died = Bad::new("MprAdminAcceptNewLink do=fork-fault\nMprAdminTerminateDll do=hang\n").died(&[]);
    assert_eq!(died["died"]["place"], "in MprAdminTerminateDll", "{died}");
    assert_eq!(died["died"]["exception"], Value::Null, "{died}");
}

/// It would unwind the caller, and the call would look as if it had returned.
#[cfg(unix)]
#[test]
fn an_exception_that_leaves_a_call_is_blamed_on_it() {
    let died = Bad::new("MprAdminAcceptNewLink do=leave-call\n").died(&[]);
    assert_eq!(died["died"]["place"], "in MprAdminAcceptNewLink", "{died}");
    assert!(died["died"]["message"].as_str().unwrap().contains("an exception left the function"), "{died}");
}

/// What the parent passes on is whole, or an error.
#[cfg(unix)]
#[test]
fn an_answer_that_is_lost_is_an_error() {
    let bad = Bad::new("MprAdminTerminateDll do=remove-temporary\n");
    let folder = tempfile::tempdir().unwrap();
    let temporary = folder.path().to_string_lossy();
    let run = words([&"host", &"run", &"--json", &"--dll", &bad.dll, &bad.day()]);
    let ran = rasadmin_with(run, &[("TMPDIR", &*temporary)]).ends(2);
    let ran = ran.complains("the answer of the process of the DLLs is missing");
    assert!(ran.stdout.is_empty());
}

#[cfg(unix)]
#[test]
fn an_interruption_clears_up() {
    let bad = Bad::new("MprAdminAcceptNewLink do=hang\n");
    let folder = tempfile::tempdir().unwrap();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_rasadmin"));
    command.args(["host", "run", "--dll"]).arg(&bad.dll).arg(bad.day()).env("TMPDIR", folder.path());
    let mut child = command.stderr(std::process::Stdio::null()).spawn().unwrap();
    // It hangs once the child of the child has logged the call.
    let log = bad.folder.path().join("bad.so.log");
    while !std::fs::read_to_string(&log).is_ok_and(|log| log.contains("AcceptNewLink")) {
        assert!(child.try_wait().unwrap().is_none());
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let sent = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

/// Which of several DLLs refused is told by name.
#[test]
fn a_refusal_names_the_dll() {
    let (first, second) = (Bad::new(""), Bad::new("MprAdminAcceptNewConnectionEx reject user=alice\n"));
    let run = [&"host" as &dyn AsRef<_>, &"run", &"--json", &"--dll", &first.dll, &"--dll", &second.dll, &first.day()];
    let json = rasadmin_with(words(run), &[]).ends(0).json();
    let (refused, by) = (json["outcomes"][0]["refused"].as_str().unwrap(), &json["outcomes"][0]["refused_by_dll"]);
    assert!(refused.contains(&*second.dll.to_string_lossy()) && refused.ends_with("rejected the connection"));
    assert_eq!(by, 1);
}
