//! The static checks: their findings in DLLs that are built byte by byte, on every platform, and files that are not
//! libraries.
#![allow(clippy::unwrap_used)]

mod common;

use common::pe::Dll;
use common::{found, misbehave, options};
use mprapi::Profile;
use rasadmin_check::{Check, Options, Outcome, Report, Verdict, check};
use std::path::Path;

const REVISION_1: [&str; 7] = [
    "MprAdminInitializeDll",
    "MprAdminTerminateDll",
    "MprAdminAcceptNewLink",
    "MprAdminLinkHangupNotification",
    "MprAdminAcceptReauthentication",
    "MprAdminAcceptNewConnection2",
    "MprAdminConnectionHangupNotification2",
];

fn with(more: &[&'static str]) -> Vec<&'static str> {
    [&REVISION_1[..], more].concat()
}

fn static_only() -> Options {
    Options { static_only: true, ..options() }
}

fn check_dll(dll: &Dll<'_>) -> Report {
    check_as(dll, None)
}

fn check_as(dll: &Dll<'_>, profile: Option<Profile>) -> Report {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.dll");
    std::fs::write(&path, dll.build()).unwrap();
    let options = Options { profile, ..static_only() };
    check(&path, &options).unwrap_or_else(|e| panic!("{e}"))
}

/// The findings about a DLL with these exports, without the IKEv2 and NT 4 warnings.
fn findings(exports: &[&str]) -> Vec<(Check, Outcome)> {
    let report = check_dll(&Dll { exports, ..Dll::default() });
    interesting(&report)
}

fn interesting(report: &Report) -> Vec<(Check, Outcome)> {
    let usual = [Check::Ikev2, Check::Nt4Requirements];
    found(report).into_iter().filter(|(check, _)| !usual.contains(check)).collect()
}

#[test]
fn a_revision_1_dll_passes_and_is_warned_of_ikev2() {
    let exports = with(&["MprAdminGetIpAddressForUser", "MprAdminReleaseIpAddress", "DllMain"]);
    let report = check_dll(&Dll {
        exports: &exports,
        imports: &[("KERNEL32.dll", &["Sleep"]), ("api-ms-win-crt-heap-l1-1-0.dll", &["free"])],
        ..Dll::default()
    });
    assert_eq!(found(&report), [(Check::Ikev2, Outcome::Warning)], "{}", report.render(100, false));
    assert_eq!(report.exit_code(), 0);
    assert!(report.profiles.iter().all(|p| p.verdict == Verdict::DependsOnRun));
    assert_eq!((report.facts.revision, report.facts.ikev2), (Some(1), Some(false)));
    assert_eq!((report.facts.exports.len(), report.facts.other_exports), (9, 1));
}

#[test]
fn an_exporter_of_initialize_ex_depends_on_its_table() {
    let exports = ["MprAdminInitializeDllEx"];
    let report = check_dll(&Dll { exports: &exports, ..Dll::default() });
    let shipping = report.profile(Profile::Shipping).unwrap();
    assert_eq!((shipping.verdict, shipping.decides), (Verdict::DependsOnTable, true));
    assert_eq!(report.profile(Profile::Documented).unwrap().verdict, Verdict::Refused);
    assert_eq!(interesting(&report), [(Check::DocumentedRequirements, Outcome::Warning)]);
    assert_eq!((report.facts.revision, report.facts.ikev2), (None, None));
    assert_eq!(report.exit_code(), 0);
}

#[test]
fn the_profile_decides() {
    let without_terminate: Vec<_> = REVISION_1.into_iter().filter(|n| *n != "MprAdminTerminateDll").collect();
    let dll = Dll { exports: &without_terminate, ..Dll::default() };
    for (profile, outcome, code) in [
        (None, Outcome::Warning, 0),
        (Some(Profile::Shipping), Outcome::Warning, 0),
        (Some(Profile::Documented), Outcome::Fail, 1),
    ] {
        let report = check_as(&dll, profile);
        assert_eq!(report.finding(Check::DocumentedRequirements).unwrap().outcome, outcome);
        assert_eq!(report.exit_code(), code, "{profile:?}");
    }
    let nt4 = check_as(&dll, Some(Profile::Nt4));
    let message = &nt4.finding(Check::Nt4Requirements).unwrap().message;
    assert!(message.contains("MprAdminGetIpAddressForUser is missing"), "{message}");
    assert_eq!(nt4.exit_code(), 1);
}

#[test]
fn required_dynamic_checks_must_run() {
    let dll = Dll { exports: &REVISION_1, ..Dll::default() };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.dll");
    std::fs::write(&path, dll.build()).unwrap();
    let options = Options { require_dynamic: true, ..static_only() };
    let report = check(&path, &options).unwrap();
    assert_eq!(report.exit_code(), 1);
    assert!(report.headline().contains("--require-dynamic"), "{}", report.headline());
}

#[test]
fn half_pairs() {
    let fails = [(Check::AddressPairs, Outcome::Fail)];
    assert_eq!(findings(&with(&["MprAdminGetIpAddressForUser"])), fails);
    assert_eq!(findings(&with(&["MprAdminReleaseIpv6AddressForUser"])), fails);
    // Shipping Windows looks only at the table.
    assert_eq!(
        findings(&with(&["MprAdminInitializeDllEx", "MprAdminGetIpAddressForUser"])),
        [(Check::AddressPairs, Outcome::Warning)]
    );
}

/// REVISION_1, with another name for AcceptNewLink.
fn renamed(name: &'static str) -> Vec<&'static str> {
    REVISION_1.into_iter().map(|n| if n == "MprAdminAcceptNewLink" { name } else { n }).collect()
}

#[test]
fn wrong_names_are_recognised() {
    for (name, check) in [
        ("_MprAdminAcceptNewLink@8", Check::DecoratedNames),
        ("?MprAdminAcceptNewLink@@YAHPEAX0@Z", Check::MangledNames),
        ("_Z21MprAdminAcceptNewLinkPvS_", Check::MangledNames),
        ("MPRADMINACCEPTNEWLINK", Check::NameCase),
    ] {
        let report = check_dll(&Dll { exports: &renamed(name), ..Dll::default() });
        assert_eq!(
            interesting(&report),
            [
                (check, Outcome::Fail),
                (Check::ShippingRequirements, Outcome::Fail),
                (Check::DocumentedRequirements, Outcome::Warning)
            ]
        );
        let finding = report.finding(check).unwrap();
        assert_eq!(finding.message, format!("MprAdminAcceptNewLink is exported as {name}"));
        assert!(finding.problem.as_ref().unwrap().remedy.len() > 20);
        // If the right name is exported, too, a wrong one does no harm.
        assert_eq!(findings(&with(&[name])), []);
    }
}

#[test]
fn exports_without_names() {
    let report = check_dll(&Dll { unnamed: 7, ..Dll::default() });
    assert!(interesting(&report).contains(&(Check::OrdinalOnly, Outcome::Fail)));
    // Private exports without a name do no harm if the required functions have names.
    let report = check_dll(&Dll { exports: &REVISION_1, unnamed: 7, ..Dll::default() });
    assert_eq!(interesting(&report), []);
}

#[test]
fn functions_that_no_callback_may_call() {
    let report = check_dll(&Dll {
        exports: &REVISION_1,
        imports: &[("MPRAPI.dll", &["MprAdminPortDisconnect", "MprConfigServerConnect"])],
        ..Dll::default()
    });
    assert_eq!(interesting(&report), [(Check::ForbiddenImports, Outcome::Warning)]);
    let message = &report.finding(Check::ForbiddenImports).unwrap().message;
    assert_eq!(message, "it imports MprAdminPortDisconnect");
}

#[test]
fn a_dll_beside_it_is_not_found_by_the_loader() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.dll");
    let dll = Dll {
        exports: &REVISION_1,
        imports: &[("KERNEL32.dll", &["Sleep"]), ("Vendor.dll", &["Help"])],
        ..Dll::default()
    };
    std::fs::write(&path, dll.build()).unwrap();
    let outcome = || {
        let report = check(&path, &static_only()).unwrap();
        let finding = report.finding(Check::Dependents).unwrap().clone();
        assert!(finding.message.starts_with("it needs Vendor.dll"), "{}", finding.message);
        (finding.outcome, report.exit_code())
    };
    // On Windows, the checker looks into System32. On other platforms it cannot know.
    let unknown = if cfg!(windows) { (Outcome::Fail, 1) } else { (Outcome::Warning, 0) };
    assert_eq!(outcome(), unknown);
    std::fs::write(folder.path().join("vendor.dll"), "").unwrap();
    assert_eq!(outcome(), (Outcome::Fail, 1));
}

#[test]
fn a_dll_for_another_machine_fails_by_every_profile() {
    for machine in [0x014c, 0xaa64, 0x01c4] {
        let report = check_dll(&Dll { machine, exports: &REVISION_1, ..Dll::default() });
        assert!(interesting(&report).contains(&(Check::Machine, Outcome::Fail)), "{machine:x}");
        assert!(report.profiles.iter().all(|p| p.verdict == Verdict::Refused));
        assert_eq!(report.exit_code(), 1);
    }
    let report = check_dll(&Dll { library: false, exports: &REVISION_1, ..Dll::default() });
    assert_eq!(report.finding(Check::Machine).unwrap().message, "it is a program, not a DLL");
}

/// GNU ld 2.40 writes 32-bit relocations for the offsets of thread-local variables.
#[test]
fn a_dll_that_breaks_when_it_is_moved_fails() {
    let moved = |relocations, placed_anywhere| {
        let report = check_dll(&Dll { exports: &REVISION_1, relocations, placed_anywhere, ..Dll::default() });
        let message = report.finding(Check::Relocations).unwrap().message.clone();
        (interesting(&report), report.exit_code(), message)
    };
    let (found, code, message) = moved(&[10, 3, 3, 0], true);
    assert_eq!((found, code), (vec![(Check::Relocations, Outcome::Fail)], 1));
    assert!(message.contains("2 of its 32-bit values"), "{message}");
    let (found, code, _) = moved(&[3, 0], false);
    assert_eq!((found, code), (vec![(Check::Relocations, Outcome::Warning)], 0));
    let (found, code, _) = moved(&[10, 10, 0, 0], true);
    assert_eq!((found, code), (vec![], 0));
}

/// On Windows the checker loads the file.
#[cfg(not(windows))]
#[test]
fn off_windows_the_report_says_how_to_run_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a b.dll");
    let dll = Dll { exports: &REVISION_1, ..Dll::default() };
    std::fs::write(&path, dll.build()).unwrap();
    let report = check(&path, &options()).unwrap();
    let command = report.not_run.as_ref().unwrap().command.as_ref().unwrap();
    assert_eq!(command, &format!("wine target/windows/rasadmin.exe check '{}'", path.display()));
    assert_eq!(report.exit_code(), 0);
    assert!(report.render(200, false).contains(command.as_str()));
}

/// What is wrong with a file. Asserts that the error is one line.
fn refused(path: &Path) -> String {
    let error = check(path, &options()).expect_err(&path.display().to_string());
    let line = error.to_string();
    assert!(!line.contains('\n'), "{line}");
    assert!(!error.remedy.is_empty());
    error.what
}

/// RRAS's answer to such files is known, so they get a report.
#[test]
fn files_that_the_loader_takes_for_no_image() {
    let folder = tempfile::tempdir().unwrap();
    let whole = Dll { exports: &REVISION_1, ..Dll::default() }.build();
    let mut dos = vec![0; 0x100];
    dos[..2].copy_from_slice(b"MZ");
    dos[0x3c] = 0x80;
    for (name, bytes, what) in [
        ("empty.dll", &b""[..], "it is empty"),
        ("text.dll", b"[VPN]\nserver=x\n", "it is not a library"),
        ("cut.dll", &whole[..700], "it is truncated: a Windows DLL of 700 bytes"),
        ("cut-elf.dll", b"\x7fELF\x02\x01\x01", "it is truncated: an ELF library of 7 bytes"),
        ("dos.dll", &dos, "it is a program for DOS or 16-bit Windows, or damaged"),
    ] {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let report = check(&path, &options()).unwrap();
        assert_eq!(found(&report), [(Check::Machine, Outcome::Fail)], "{name}");
        let machine = report.finding(Check::Machine).unwrap();
        assert_eq!(machine.message, what);
        let effect = &machine.problem.as_ref().unwrap().effect;
        assert!(effect.contains("193") && effect.contains("20204"), "{effect}");
        assert!(report.profiles.iter().all(|p| p.verdict == Verdict::Refused && p.reasons == [what]));
        assert_eq!(report.exit_code(), 1);
        assert!(report.headline().contains("would NOT start"), "{}", report.headline());
        assert_eq!((report.facts.format, report.facts.revision), ("none", None));
    }
}

#[test]
fn what_says_nothing_about_an_admin_dll_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(refused(&folder.path().join("nope.dll")), "the file does not exist");
    assert_eq!(refused(folder.path()), "it is a directory");
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    // An ELF header that says 64-bit, little-endian, and a machine that does not run these tests.
    let mut elf = b"\x7fELF\x02\x01\x01".to_vec();
    elf.resize(64, 0);
    elf[16] = 3;
    elf[18] = 0xf3;
    assert!(refused(&file("riscv.so", &elf)).contains("for ELF machine 243, and this machine is"));
    elf[4] = 1;
    assert!(refused(&file("32.so", &elf)).contains("for a 32-bit machine"));
    // The exports' table lies outside the sections.
    let mut damaged = Dll { exports: &REVISION_1, ..Dll::default() }.build();
    let directory = 0x40 + 24 + 112;
    damaged[directory..directory + 4].copy_from_slice(&0x7fff_0000u32.to_le_bytes());
    assert_eq!(refused(&file("damaged.dll", &damaged)), "it is damaged: its table of exports cannot be read");
}

/// A sparse file takes no room.
#[test]
fn a_file_of_4_gib_is_refused_without_reading_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("huge.dll");
    std::fs::File::create(&path).and_then(|file| file.set_len(5 << 30)).unwrap();
    assert_eq!(refused(&path), "it has 5 GiB, and no Windows DLL can have 4 GiB");
}

#[cfg(unix)]
#[test]
fn devices_pipes_and_sockets_are_refused_without_opening_them() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe.dll");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    assert_eq!(refused(&pipe), "it is a pipe, not a file");
    let socket = folder.path().join("socket.dll");
    let _listening = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    assert_eq!(refused(&socket), "it is a socket, not a file");
    assert_eq!(refused(Path::new("/dev/zero")), "it is a device, not a file");
}

#[test]
fn a_truncated_native_library_never_causes_a_panic() {
    let whole = std::fs::read(misbehave()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cut");
    let lengths = (0..4096).step_by(13).chain((4096..whole.len()).step_by(whole.len() / 200));
    for len in lengths {
        std::fs::write(&path, &whole[..len]).unwrap();
        if let Ok(report) = check(&path, &static_only())
            && report.facts.format != "none"
        {
            // A Windows DLL may end with debug symbols that the loader never reads.
            assert!(cfg!(windows) && len > whole.len() / 4, "{len} of {}: {}", whole.len(), report.headline());
        }
    }
}
