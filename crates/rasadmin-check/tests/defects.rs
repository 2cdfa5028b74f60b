//! The exact findings for admin DLLs in C and C++ that misuse memory, handles, time or the process (fixtures/defects.h and
//! fixtures/fixture.cpp), and the words that say what they do.
#![allow(clippy::unwrap_used)]

mod common;

use common::{fixtures, found, impatient, report};
use rasadmin_check::{Check, Finding, Options, Outcome, Report};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

struct Defect {
    name: &'static str,
    findings: &'static [(Check, Outcome)],
    /// What the first finding's message, cause, effect or remedy must contain: on every platform, on Linux, on Windows.
    says: [&'static [&'static str]; 3],
}

macro_rules! defects {
    ($($name:literal [$($check:ident $outcome:ident),*] $all:expr, $linux:expr, $windows:expr;)+) => {
        &[$(Defect {
            name: $name,
            findings: &[$((Check::$check, Outcome::$outcome)),*],
            says: [&$all, &$linux, &$windows],
        }),+]
    };
}

#[rustfmt::skip]
const DEFECTS: &[Defect] = defects! {
    // Memory that is not the DLL's.
    "keep-port" [KeepsPointers Fail]
        ["MprAdminLinkHangupNotification: ", "kept a pointer to an argument of an earlier call", "Copy what is needed"], [], [];
    "keep-name" [KeepsPointers Fail] ["MprAdminReleaseIpAddress: "], [], [];
    "keep-table" [UsesTableLater Fail] ["MprAdminAcceptNewLink: ", "kept the pointer to the callbacks table"], [], [];
    "write-past-table" [WritesPastTable Fail]
        ["MprAdminInitializeDllEx writes up to 16 bytes past the end of the callbacks table", "104 bytes"], [], [];
    "write-past-address" [WritesPastArguments Fail]
        ["MprAdminGetIpAddressForUser writes up to 4 bytes past the end of the IPv4 address (4 bytes)", "is a DWORD"], [], [];
    "write-past-notify" [WritesPastArguments Fail]
        ["MprAdminGetIpAddressForUser writes up to 4 bytes past the end of notify_release (4 bytes)", "a BOOL"], [], [];
    "write-past-connection" [WritesPastArguments Fail]
        ["MprAdminAcceptNewConnectionEx writes up to 1 byte past the end of RAS_CONNECTION_EX (1672 bytes); likewise "], [], [];
    "write-before-connection" [WritesBeforeArguments Fail] ["writes up to 1 byte before RAS_CONNECTION_EX"], [], [];
    "write-into-name" [WritesIntoArguments Warning] ["changes RAS_CONNECTION_EX.wszUserName", "another user name"], [], [];
    "write-into-user" [WritesIntoArguments Warning] ["MprAdminGetIpAddressForUser changes the user's name"], [], [];
    "mingw-table" [CallbacksTable Fail]
        ["mingw-w64's mprapi.h, which lacks two of the twelve pointers", "Declare the table with all twelve"], [], [];

    // Ends of the process.
    "heap-damage" [AnswersInTime Crashed]
        ["MprAdminAcceptNewLink: heap corruption", "It damaged the heap", "address sanitizer"], ["double free"], ["0xC0000374"];
    "abort" [AnswersInTime Crashed]
        ["MprAdminAcceptNewLink: ", "It aborted the process", "Return FALSE or an error code"], ["abort (SIGABRT)"], ["exit code 3, as abort() does"];
    "divide" [AnswersInTime Crashed]
        ["division by zero", "It divided an integer by zero", "Check every divisor"], ["SIGFPE"], ["0xC0000094"];
    "stack-overflow" [AnswersInTime Crashed]
        ["stack overflow", "It used up its thread's stack", "End the recursion"], [], ["0xC00000FD"];
    "illegal-instruction" [AnswersInTime Crashed]
        ["illegal instruction", "Build it for the processors of the servers"], ["SIGILL"], ["0xC000001D"];
    "breakpoint" [AnswersInTime Crashed]
        ["breakpoint", "DebugBreak that was left in the code"], ["SIGTRAP"], ["0x80000003"];
    "run-data" [AnswersInTime Crashed]
        ["MprAdminAcceptNewLink: "], ["SIGSEGV"], ["which is not code", "It called an address that has no code"];
    "exit" [AnswersInTime Crashed]
        ["it ended the process with exit code 7", "Never call exit", "RRAS's own process"], [], [];
    "exit-process" [AnswersInTime Crashed]
        ["it ended the process with exit code 0", "Never call exit"], [], [];
    "terminate-process" [AnswersInTime Crashed]
        ["it ended the process with exit code 9", "TerminateProcess"], [], [];
    "exit-thread" [AnswersInTime Crashed]
        ["it ended its thread, as ExitThread does", "RRAS's own thread", "Never call ExitThread"], [], [];
    "delay-load" [AnswersInTime Crashed]
        ["delay-loaded DLL not found (0xC06D007E)", "/DELAYLOAD", "Install that DLL in System32"], [], [];
    "cpp-throw" [AnswersInTime Crashed]
        ["C++ exception that nothing caught", "Catch every exception in each exported function"], [], [];
    "cpp-throw-integer" [AnswersInTime Crashed]
        ["C++ exception that nothing caught"], [], [];
    "cpp-terminate" [AnswersInTime Crashed]
        ["C++ exception that nothing caught", "std::out_of_range"], [], [];
    "dllmain-false" [Initialises Fail] ["error 1114", "returned FALSE", "let it return TRUE"], [], [];
    "dllmain-fault" [Initialises Fail] ["error 998", "start-up code accessed memory"], [], [];

    // Handles, and what the process shares.
    "close-standard" [ForeignHandles Fail] ["MprAdminAcceptNewLink closes the process's standard output"], [], [];
    "close-everything" [AnswersInTime Crashed]
        ["MprAdminAcceptNewLink: it closed files that the process has open", "Close only what the DLL has opened"], [], [];
    "close-twice" [ForeignHandles Fail]
        ["MprAdminConnectionHangupNotificationEx closes a file that the checker has open", "closed twice"], [], [];
    "change-directory" [ProcessState Warning] ["MprAdminAcceptNewLink changes the current directory"], [], [];
    "change-rounding" [ProcessState Warning] ["MprAdminAcceptNewLink changes the floating-point mode"], [], [];
    "change-filter" [ProcessState Warning] ["MprAdminAcceptNewLink changes "], ["(sigaction)"], ["(SetUnhandledExceptionFilter)"];
    "change-error-mode" [ProcessState Warning] ["MprAdminAcceptNewLink changes the error mode"], [], [];
    "write-here" [CurrentDirectory Warning]
        ["it wrote fixture-was-here.txt into the current directory, which is System32 under RRAS"], [], [];

    // Starts.
    "starts-once" [StartsAgain Fail]
        ["the service does not start a second time: MprAdminInitializeDllEx returns 1056", "into the same process"], [], [];
    "lock-file" [StartsAgain Fail]
        ["the service does not start a second time: MprAdminInitializeDllEx returns 1056", "into a new process"], [], [];

    // Who may connect.
    "preauth" [PreAuthentication Warning] ["overrules a later DLL"], [], [];
    "preauth-everybody" [PreAuthentication Fail] ["lets in everybody", "without a password"], [], [];

    "cpp-good" [] [], [], [];
    "cpp-leave-pool" [LoadCycles Fail] ["of memory behind", "__gnu_cxx::__freeres()"], [], [];
};

fn options() -> Options {
    Options { cycles: 20, ..impatient() }
}

/// Checks a copy in a folder of its own.
fn checked(path: &Path, options: &Options) -> Report {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join(path.file_name().unwrap());
    std::fs::copy(path, &copy).unwrap_or_else(|e| panic!("fixture {}: {e}", path.display()));
    report(&copy, options)
}

fn text(finding: &Finding) -> String {
    let problem = finding.problem.as_ref().unwrap();
    [&finding.message, &problem.cause, &problem.effect, &problem.remedy].map(String::as_str).join("\n")
}

/// What is wrong with a report, if anything is.
fn mistake(defect: &Defect, report: &Report) -> Option<String> {
    let found: Vec<_> =
        found(report).into_iter().filter(|(check, _)| check.kind() == rasadmin_check::Kind::Dynamic).collect();
    if found != defect.findings {
        return Some(format!("expected {:?}", defect.findings));
    }
    let first = defect.findings.first()?;
    let text = text(report.finding(first.0).unwrap());
    let [all, linux, windows] = defect.says;
    let here = if cfg!(windows) { windows } else { linux };
    let missing: Vec<_> = all.iter().chain(here).filter(|words| !text.contains(**words)).collect();
    (!missing.is_empty()).then(|| format!("does not say {missing:?}"))
}

#[test]
fn every_defect_is_named() {
    let folder = fixtures(if cfg!(windows) { "windows" } else { "native" });
    let only = std::env::var("RASADMIN_DEFECT").unwrap_or_default();
    let next = AtomicUsize::new(0);
    let work = || {
        let mut mistakes = Vec::new();
        while let Some(defect) = DEFECTS.get(next.fetch_add(1, Ordering::Relaxed)) {
            let path = folder.join(format!("{}{}", defect.name, std::env::consts::DLL_SUFFIX));
            // Some are for Windows only.
            if !path.exists() && cfg!(unix) || !defect.name.contains(&only) {
                continue;
            }
            let report = checked(&path, &options());
            if !only.is_empty() {
                eprintln!("{}", report.render(100, false));
            }
            if let Some(mistake) = mistake(defect, &report) {
                mistakes.push(format!("{}: {mistake}\n{}", defect.name, report.render(100, false)));
            }
        }
        mistakes
    };
    let mistakes: Vec<_> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..2).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    assert!(mistakes.is_empty(), "{}", mistakes.join("\n"));
}

/// On Windows the loader catches the fault, and refuses the DLL.
#[test]
fn a_constructor_that_faults() {
    let folder = fixtures(if cfg!(windows) { "windows" } else { "native" });
    let name = "cpp-constructor";
    let path = folder.join(format!("{name}{}", std::env::consts::DLL_SUFFIX));
    let report = checked(&path, &options());
    let finding = report.finding(Check::Initialises).unwrap();
    let (outcome, message) = match cfg!(windows) {
        true => (Outcome::Fail, "it cannot be loaded: error 998"),
        false => (Outcome::Crashed, "while it was loaded: segmentation fault (SIGSEGV): it used a null pointer"),
    };
    assert_eq!((finding.outcome, finding.message.as_str()), (outcome, message));
    assert!(finding.problem.as_ref().unwrap().cause.contains("accessed memory that is not its own"));
}

/// A DLL that takes its time gets a report in time, and no check that did not run has passed.
#[test]
fn a_slow_dll_is_told_so_in_time() {
    let folder = fixtures(if cfg!(windows) { "windows" } else { "native" });
    let cases = [("slow", Outcome::Warning, "takes 0.0", 12), ("too-slow", Outcome::Fail, "takes 1.", 12)];
    for (name, outcome, message, bound) in cases {
        let path = folder.join(format!("{name}{}", std::env::consts::DLL_SUFFIX));
        let report = checked(&path, &Options { bound: Duration::from_secs(bound), ..options() });
        let text = report.render(100, false);
        assert_eq!(found(&report), [(Check::SlowAnswers, outcome)], "{text}");
        let finding = report.finding(Check::SlowAnswers).unwrap();
        assert!(finding.message.contains("MprAdminAcceptNewLink takes"), "{text}");
        assert!(finding.message.contains(message), "{text}");
        let skipped: Vec<_> = report.findings.iter().filter(|f| f.outcome == Outcome::Skipped).collect();
        assert!(!skipped.is_empty() && skipped.iter().all(|f| f.message.contains("--bound")), "{text}");
        assert!(!report.headline().contains("every check passed"), "{text}");
    }
}
