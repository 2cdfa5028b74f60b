//! The report as text, and as JSON.
#![allow(clippy::unwrap_used)]

mod common;

use common::pe::Dll;
use common::{misbehave, options, report};
use rasadmin_check::{Options, Report, check, check_list};

const EX: [&str; 9] = [
    "MprAdminInitializeDllEx",
    "MprAdminTerminateDll",
    "MprAdminAcceptNewLink",
    "MprAdminLinkHangupNotification",
    "MprAdminAcceptReauthenticationEx",
    "MprAdminAcceptNewConnectionEx",
    "MprAdminConnectionHangupNotificationEx",
    "MprAdminGetIpAddressForUser",
    "MprAdminReleaseIpAddress",
];

/// Compares with tests/snapshots/. The folder is given in full, because under Wine there is no cargo to ask for it.
fn same(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

/// The text of a report, without this machine's paths and this platform's words for a crash.
fn normal(report: &Report, width: usize, colour: bool) -> String {
    let mut report = report.clone();
    report.file = "vendor.dll".into();
    let text = report.render(width, colour);
    text.replace("segmentation fault (SIGSEGV)", "FAULT").replace("access violation (0xC0000005)", "FAULT")
}

fn of(dll: &Dll<'_>) -> Report {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.dll");
    std::fs::write(&path, dll.build()).unwrap();
    let options = Options { static_only: true, ..options() };
    check(&path, &options).unwrap()
}

fn bad() -> Report {
    of(&Dll {
        exports: &["_MprAdminInitializeDll@0", "_MprAdminAcceptNewLink@8", "MprAdminGetIpAddressForUser"],
        imports: &[("mprapi.dll", &["MprAdminConnectionEnum"])],
        ..Dll::default()
    })
}

#[test]
fn not_run() {
    let report = of(&Dll { exports: &EX, ..Dll::default() });
    same("not_run", &normal(&report, 100, false));
}

#[test]
fn failures() {
    same("failures", &normal(&bad(), 100, false));
}

#[test]
fn failures_in_a_narrow_window() {
    same("failures_narrow", &normal(&bad(), 50, false));
}

#[test]
fn failures_in_colour() {
    // Escape sequences made visible.
    same("failures_colour", &normal(&bad(), 100, true).replace('\x1b', "<ESC>"));
}

#[test]
fn colour_adds_nothing_but_escape_sequences() {
    let (plain, mut painted) = (normal(&bad(), 72, false), normal(&bad(), 72, true));
    for code in ["\x1b[1m", "\x1b[32m", "\x1b[1;31m", "\x1b[1;33m", "\x1b[0m"] {
        painted = painted.replace(code, "");
    }
    assert_eq!(plain, painted);
}

#[test]
fn no_line_is_wider_than_the_window() {
    for width in 20..160 {
        for line in normal(&bad(), width, false).lines() {
            assert!(line.chars().count() <= width, "{width}: {line}");
        }
    }
}

#[test]
fn json() {
    let mut report = bad();
    report.file = "vendor.dll".into();
    same("json", &report.to_json());
}

fn misbehaving(how: &str) -> Report {
    let options = Options { cycles: 20, environment: vec![("RASADMIN_MISBEHAVE".into(), how.into())], ..options() };
    let mut report = report(&misbehave(), &options);
    // Only this differs between platforms.
    report.facts.format = "PE";
    report
}

#[test]
fn everything_passed() {
    same("passed", &normal(&misbehaving(""), 100, false));
}

#[test]
fn a_fault() {
    same("fault", &normal(&misbehaving("unterminated"), 100, false));
}

#[test]
fn a_list() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, exports: &[&str]| {
        let path = folder.path().join(name);
        let dll = Dll { exports, ..Dll::default() };
        std::fs::write(&path, dll.build()).unwrap();
        path.to_string_lossy().into_owned()
    };
    let (first, second, third) = (write("a.dll", &EX[..7]), write("b.dll", &EX), write("c.dll", &EX));
    let options = Options { static_only: true, ..options() };
    let list = check_list(&format!("{first};{second};{third}; {first};x.dll"), &options, &mut |_, _| {}).unwrap();
    assert_eq!(list.reports.len(), 3);
    assert_eq!((list.ipv4_from.as_ref(), list.ipv6_from.as_ref()), (Some(&second), None));
    // RRAS does not load the whole list. That is only a warning, because the service starts.
    assert_eq!((list.exit_code(), list.warnings.len()), (0, 2));
    let json: serde_json::Value = serde_json::from_str(&list.to_json()).unwrap();
    assert_eq!(json["never_loaded"][1], "x.dll");
    let head = list.render(1000, false);
    let head =
        head.split("\n\n").next().unwrap().replace(&*folder.path().to_string_lossy(), "").replace(['/', '\\'], "");
    same("list", &head);

    let error = check_list(&format!("{first};nope.dll"), &options, &mut |_, _| {}).unwrap_err();
    assert!(error.to_string().contains("nope.dll: the file does not exist"), "{error}");
    let empty = check_list("", &options, &mut |_, _| {}).unwrap();
    assert_eq!((empty.exit_code(), empty.warnings.len()), (0, 1));
    let good = check_list(&second, &options, &mut |_, _| {}).unwrap();
    assert_eq!((good.exit_code(), good.warnings.len()), (0, 0));
}
