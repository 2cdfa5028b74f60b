//! The exact findings in files that the checker understands without running them: admin DLLs in C (fixtures/static/), and
//! what the tests make of them.
#![allow(clippy::unwrap_used)]

mod common;

use common::{STATIC_FIXTURES, fixtures, found, impatient, pe, report};
use mprapi::Profile;
use rasadmin_check::Verdict::{self, DependsOnRun, DependsOnTable, Refused};
use rasadmin_check::{Check, Options, Outcome, Report};

/// What a file says without being run.
struct Expected {
    name: &'static str,
    shipping: Verdict,
    findings: &'static [(Check, Outcome)],
    /// A part of a message.
    says: &'static str,
}

macro_rules! files {
    ($($name:literal $shipping:ident [$($check:ident $outcome:ident),*] $says:literal)+) => {
        &[$(Expected {
            name: $name,
            shipping: $shipping,
            findings: &[$((Check::$check, Outcome::$outcome)),*],
            says: $says,
        }),+]
    };
}

/// The same on every platform. None has MprAdminInitializeDllEx, unless it says DependsOnTable.
#[rustfmt::skip]
const FILES: &[Expected] = files! {
    "forwarded"               Refused        [ForwardedExports Fail, ShippingRequirements Fail, DocumentedRequirements Warning, Ikev2 Warning] "MprAdminAcceptNewLink is forwarded to vendorhelper.MprAdminAcceptNewLink; Windows does not find vendorhelper.dll"
    "forwards-optional"       DependsOnRun   [ForwardedExports Warning, DocumentedRequirements Warning, Ikev2 Warning] "MprAdminAcceptReauthentication is forwarded to vendorhelper.AcceptReauthentication; Windows does not find vendorhelper.dll"
    "forwards-to-itself"      DependsOnRun   [ForwardedExports Warning, Ikev2 Warning] "MprAdminAcceptNewLink is forwarded to forwards-to-itself.OwnAcceptNewLink"
    "forwards-initialise"     DependsOnRun   [ForwardedExports Warning, Ikev2 Warning] "MprAdminInitializeDllEx is forwarded to vendorhelper.InitializeDllEx; Windows does not find vendorhelper.dll"
    "exports-data"            DependsOnRun   [ExportTargets Fail, Ikev2 Warning] "MprAdminAcceptNewLink leads to data (section .data)"
    "exports-data-initialise" Refused        [ExportTargets Fail, Ikev2 Warning] "the Remote Access service ends at once"
    "exports-data-with-table" DependsOnTable [ExportTargets Warning] "RRAS goes by the callbacks table"
    "exports-outside"         DependsOnRun   [ExportTargets Fail, Ikev2 Warning] "MprAdminAcceptNewLink leads to an address outside the DLL"
    "program"                 DependsOnRun   [Machine Fail, Ikev2 Warning] "it is a program, not a DLL"
    "program-without-exports" Refused        [Machine Fail, ShippingRequirements Fail, DocumentedRequirements Warning, Ikev2 Warning] "without the DLLs that it needs"
    "demands-signature"       Refused        [SignatureDemanded Fail, Ikev2 Warning] "error 577"
    "resource-only"           Refused        [NativeCode Fail, ShippingRequirements Fail, DocumentedRequirements Warning, Ikev2 Warning] "it has no code, only data or resources"
    "nt4-names"               Refused        [Nt4Names Fail, ShippingRequirements Fail, DocumentedRequirements Warning, Ikev2 Warning] "MprAdminAcceptNewConnection is exported as RasAdminAcceptNewConnection, and 3 more like it"
    "similar-names"           DependsOnRun   [UnknownNames Warning, Ikev2 Warning] "RRAS knows no MprAdminGetIpAddressForUser2, but MprAdminGetIpAddressForUser, and one more like it"
    "misspelled"              Refused        [UnknownNames Fail, ShippingRequirements Fail, DocumentedRequirements Warning, Ikev2 Warning] "RRAS knows no MprAdminAcceptNewLinks, but MprAdminAcceptNewLink, and one more like it"
};

/// What a forwarded export leads to is known on Windows.
#[rustfmt::skip]
#[cfg(windows)]
const FORWARDS: &[Expected] = files! {
    "forwards-to-system"        DependsOnRun [ForwardedExports Warning, Ikev2 Warning] "MprAdminAcceptReauthentication is forwarded to kernel32.GetCurrentThreadId"
    "forwards-missing-function" Refused      [ForwardedExports Fail, ShippingRequirements Fail, DocumentedRequirements Warning, Ikev2 Warning] "kernel32.dll exports no such function"
};
#[rustfmt::skip]
#[cfg(not(windows))]
const FORWARDS: &[Expected] = files! {
    "forwards-to-system"        DependsOnRun [ForwardedExports Warning, Ikev2 Warning] "whether Windows' kernel32.dll has that function is not known here"
    "forwards-missing-function" DependsOnRun [ForwardedExports Warning, Ikev2 Warning] "whether Windows' kernel32.dll has that function is not known here"
};

/// DLLs that the tests change first. Unchanged they are like a good DLL.
const CHANGED: [&str; 2] = ["delay-missing", "delay-system"];

fn bytes(name: &str) -> Vec<u8> {
    let path = fixtures("windows").join(format!("{name}.dll"));
    std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Checks a file with these bytes, in a folder with vendorhelper.dll, which the loader does not search.
fn checked(name: &str, bytes: &[u8], options: &Options) -> Report {
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(fixtures("windows").join("vendorhelper.dll"), folder.path().join("vendorhelper.dll")).unwrap();
    let path = folder.path().join(format!("{name}.dll"));
    std::fs::write(&path, bytes).unwrap();
    report(&path, options)
}

fn static_only() -> Options {
    Options { static_only: true, ..impatient() }
}

/// Compares, without the warning of the profile `nt4`.
fn assert_is(report: &Report, expected: &Expected) {
    let text = report.render(1000, false);
    let name = expected.name;
    let findings: Vec<_> = found(report).into_iter().filter(|(check, _)| *check != Check::Nt4Requirements).collect();
    assert_eq!(findings, expected.findings, "{name}\n{text}");
    assert_eq!(report.profile(Profile::Shipping).unwrap().verdict, expected.shipping, "{name}\n{text}");
    assert!(text.contains(expected.says), "{name}: {}\n{text}", expected.says);
    assert_eq!(report.exit_code(), i32::from(findings.iter().any(|(_, o)| o.fails())), "{name}");
}

#[test]
fn what_the_files_say() {
    for expected in FILES.iter().chain(FORWARDS) {
        assert_is(&checked(expected.name, &bytes(expected.name), &static_only()), expected);
    }
    let tables = FILES.iter().chain(FORWARDS).map(|expected| expected.name).chain(CHANGED);
    let mut names: Vec<_> = tables.collect();
    names.sort_unstable();
    assert_eq!(names, STATIC_FIXTURES);
}

#[test]
fn dotnet_assemblies_and_signatures() {
    let good = bytes("good-rev1-pair1");
    let changed = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = good.clone();
        change(&mut bytes);
        bytes
    };
    let demands = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = bytes("demands-signature");
        change(&mut bytes);
        bytes
    };
    #[rustfmt::skip]
    let expected: &[Expected] = files! {
        "assembly"   DependsOnRun [NativeCode Fail, Ikev2 Warning] "it is a .NET assembly without native code"
        "mixed-mode" DependsOnRun [NativeCode Warning, Ikev2 Warning] "it needs the .NET Framework in RRAS's process"
        "signed"     DependsOnRun [Ikev2 Warning] "signature-demanded"
    };
    assert_is(&checked("assembly", &changed(&|bytes| pe::manage(bytes, 1)), &static_only()), &expected[0]);
    assert_is(&checked("mixed-mode", &changed(&|bytes| pe::manage(bytes, 0)), &static_only()), &expected[1]);
    assert_is(&checked("signed", &demands(&pe::sign), &static_only()), &expected[2]);
}

/// An assembly for any machine has the header of a 32-bit DLL, and Windows loads it into a 64-bit process. Neither has
/// exports.
#[test]
fn assemblies_for_any_machine_and_for_32_bits() {
    #[rustfmt::skip]
    let expected: &[Expected] = files! {
        "any"       Refused [NativeCode Fail, ShippingRequirements Fail, DocumentedRequirements Warning, Ikev2 Warning] "it is a .NET assembly without native code"
        "only-32"   Refused [Machine Fail, NativeCode Fail, ShippingRequirements Fail, DocumentedRequirements Warning, Ikev2 Warning] "it is a DLL for x86 (32-bit), not for x86-64"
    };
    for (expected, flags) in expected.iter().zip([1, 3]) {
        let dll = pe::Dll { machine: 0x014c, managed: Some(flags), ..pe::Dll::default() };
        assert_is(&checked(expected.name, &dll.build(), &static_only()), expected);
    }
}

/// The descriptors are in another section than the names. A missing DLL does not keep RRAS from starting.
#[test]
fn delay_loaded_libraries() {
    #[rustfmt::skip]
    let expected: &[Expected] = files! {
        "delay-missing" DependsOnRun [Ikev2 Warning, DelayLoads Warning] "at a first call it loads vendorhelper.dll, which the loader does not find"
        "delay-system"  DependsOnRun [Ikev2 Warning] "delay-loads"
    };
    for expected in expected {
        let report = checked(expected.name, &delaying(expected.name), &static_only());
        assert_is(&report, expected);
        assert!(!report.facts.needs.iter().any(|library| library.contains("vendor")), "{:?}", report.facts.needs);
    }
}

/// GNU ld does not enter the descriptors in the headers.
fn delaying(name: &str) -> Vec<u8> {
    let mut bytes = bytes(name);
    let descriptors = pe::address_of(&bytes, "delay_descriptors");
    pe::set_directory(&mut bytes, 13, descriptors, 64);
    bytes
}

/// A list of everything that is missing would say less.
#[test]
fn a_dll_without_any_function_of_the_contract_is_told_in_one_sentence() {
    for name in ["vendorhelper", "resource-only", "nt4-names"] {
        let report = checked("other", &bytes(name), &static_only());
        for profile in &report.profiles {
            let reasons = ["RRAS finds no function of an admin DLL in it"];
            assert_eq!((profile.verdict, &*profile.reasons), (Refused, &reasons.map(str::to_owned)[..]), "{name}");
        }
        let text = report.render(1000, false);
        assert!(text.contains("0 functions of the contract exported.\n"), "{name}\n{text}");
        assert!(!text.contains("is required, and none is present"), "{name}\n{text}");
    }
}

/// Files that are no DLLs get RRAS's answer.
#[test]
fn texts_and_truncated_dlls() {
    let good = bytes("good-rev2");
    for (name, bytes) in [("empty", &b""[..]), ("text", b"no DLL"), ("half", &good[..good.len() / 2])] {
        let report = checked(name, bytes, &impatient());
        assert_eq!(found(&report), [(Check::Machine, Outcome::Fail)], "{name}");
        assert_eq!(report.exit_code(), 1, "{name}");
        let text = report.render(1000, false);
        assert!(text.contains("error 193 (RRAS writes event 20204)") && !text.contains("ikev2"), "{name}\n{text}");
    }
}

/// If another profile decides, the headline says which.
#[test]
fn the_headline_names_the_profile_that_decides() {
    let headline = |profile| {
        let options = Options { profile, ..static_only() };
        checked("no-terminate", &bytes("no-terminate"), &options).headline()
    };
    let not_known = "whether RRAS would start with it is not known until it runs: 3 warnings.";
    assert_eq!(headline(None), not_known);
    assert_eq!(headline(Some(Profile::Shipping)), not_known);
    let refused = "by the profile documented, RRAS would NOT start with it: 1 check failed, 2 warnings.";
    assert_eq!(headline(Some(Profile::Documented)), refused);
    assert!(headline(Some(Profile::Nt4)).starts_with("by the profile nt4, RRAS would NOT start with it"));
}

/// What the loader finds decides over what the file says, and the calls show the rest.
#[cfg(windows)]
#[test]
fn what_running_them_shows() {
    use rasadmin_check::Kind;
    use rasadmin_check::Verdict::Starts;
    #[rustfmt::skip]
    let crashes: &[Expected] = files! {
        "exports-data"            Starts  [AnswersInTime Crashed] "MprAdminAcceptNewLink: access violation"
        "exports-data-initialise" Refused [Initialises Crashed] "MprAdminInitializeDll: access violation"
        "exports-outside"         Starts  [AnswersInTime Crashed] "MprAdminAcceptNewLink: access violation"
        "program"                 Refused [Initialises Crashed] "it is a program, not a DLL"
        "delay-missing"           Starts  [AnswersInTime Crashed] "0xC06D007E"
    };
    let options = Options { cycles: 20, ..impatient() };
    let check = |name: &str, bytes: &[u8], from_the_file: Option<&Expected>| {
        let report = checked(name, bytes, &options);
        let text = report.render(1000, false);
        let crash = crashes.iter().find(|crash| crash.name == name);
        let by_kind = |kind| {
            let findings = found(&report).into_iter().filter(move |(check, _)| check.kind() == kind);
            findings.filter(|(check, _)| *check != Check::Nt4Requirements).collect::<Vec<_>>()
        };
        assert_eq!(by_kind(Kind::Dynamic), crash.map_or(&[][..], |crash| crash.findings), "{name}\n{text}");
        if let Some(file) = from_the_file {
            assert_eq!(by_kind(Kind::Static), file.findings, "{name}\n{text}");
        }
        let not_run = from_the_file.map_or(Starts, |file| if file.shipping == Refused { Refused } else { Starts });
        let verdict = report.profile(Profile::Shipping).unwrap().verdict;
        assert_eq!(verdict, crash.map_or(not_run, |crash| crash.shipping), "{name}\n{text}");
        assert!(text.contains(crash.map_or("", |crash| crash.says)), "{name}\n{text}");
    };
    for file in FILES.iter().chain(FORWARDS) {
        check(file.name, &bytes(file.name), Some(file));
    }
    for name in CHANGED {
        check(name, &delaying(name), None);
    }
}

/// A policy of the machine is a warning: the DLL may be meant for another machine.
#[test]
fn policies_of_the_machine() {
    use rasadmin_system::machine_policy::MachinePolicy;
    let with = |svchost, app_control, bytes: &[u8]| {
        let policy = MachinePolicy::from_parts(Some(svchost), Some(app_control));
        let report = checked("x", bytes, &Options { machine_policy: Some(policy), ..static_only() });
        let finding = report.finding(Check::MachinePolicy).unwrap().clone();
        assert_eq!(report.exit_code(), 0);
        (finding.outcome, finding.message)
    };
    let unsigned = bytes("good-rev1-pair1");
    let mut signed = unsigned.clone();
    pe::sign(&mut signed);
    let svchost = (Outcome::Warning, "a policy of this machine lets RRAS load no admin DLL".to_owned());
    assert_eq!(with(1, 0x01, &unsigned), svchost);
    assert_eq!(with(1, 0x01, &signed), svchost);
    let (outcome, message) = with(0, 0x05, &unsigned);
    assert_eq!(
        (outcome, &*message),
        (Outcome::Warning, "the DLL has no signature, and this machine enforces App Control")
    );
    for (app_control, bytes) in [(0x05, &signed), (0x0d, &unsigned), (0x01, &unsigned)] {
        assert_eq!(with(0, app_control, bytes).0, Outcome::Pass, "{app_control:x}");
    }
}
