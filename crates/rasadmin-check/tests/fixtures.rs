//! The exact findings and verdicts for each of the admin DLLs in C (fixtures/).
#![allow(clippy::unwrap_used)]

mod common;

use common::{STATIC_FIXTURES, fixtures, found, impatient, report};
use mprapi::Profile;
use rasadmin_check::Verdict::{self, DependsOnRun, DependsOnTable, Refused, Starts};
use rasadmin_check::{Check, Kind, Options, Outcome, Report};
use std::path::Path;

/// The findings and verdicts of a fixture, without the warnings of the profile `nt4`.
struct Expected {
    name: &'static str,
    documented: Verdict,
    /// The verdict with its callbacks table, if it has one.
    shipping: Verdict,
    findings: &'static [(Check, Outcome)],
    start: Start,
}

/// How it starts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Start {
    /// By its exports.
    Exports,
    /// With a callbacks table, which only a run shows.
    Table,
    /// By its exports, and it is built for Windows only.
    WindowsOnly,
    /// With a callbacks table, and it is built for Windows only.
    WindowsTable,
}

impl Start {
    fn has_table(self) -> bool {
        matches!(self, Self::Table | Self::WindowsTable)
    }

    fn is_here(self) -> bool {
        cfg!(windows) || matches!(self, Self::Exports | Self::Table)
    }
}

macro_rules! fixtures {
    ($($name:literal $documented:ident $shipping:ident $kind:ident [$($check:ident $outcome:ident),*])+) => {
        &[$(Expected {
            name: $name,
            documented: $documented,
            shipping: $shipping,
            findings: &[$((Check::$check, Outcome::$outcome)),*],
            start: Start::$kind,
        }),+]
    };
}

#[rustfmt::skip]
const FIXTURES: &[Expected] = fixtures! {
    "good-rev1-pair1"     Starts  Starts  Exports     [Ikev2 Warning]
    "good-rev1-pair2"     Starts  Starts  Exports     [Ikev2 Warning]
    "good-rev1-pair3"     Starts  Starts  Exports     [Ikev2 Warning]
    "good-rev1-all"       Starts  Starts  Exports     [Ikev2 Warning]
    "good-rev2"           Starts  Starts  Table       []
    "no-address-rev2"     Starts  Starts  Table       []
    "ipv4-only-rev2"      Starts  Starts  Table       []
    "preauth"             Starts  Starts  Table       [PreAuthentication Warning]
    "ex-only"             Refused Starts  Table       [DocumentedRequirements Warning]
    "half-ipv4"           Refused Refused Exports     [AddressPairs Fail, Ikev2 Warning]
    "half-ipv6"           Refused Refused Exports     [AddressPairs Fail, Ikev2 Warning]
    "no-link-hangup"      Refused Refused Exports     [ShippingRequirements Fail, DocumentedRequirements Warning, Ikev2 Warning]
    "mixed-2-3"           Refused Starts  Exports     [DocumentedRequirements Warning, Ikev2 Warning]
    "no-terminate"        Refused Starts  Exports     [DocumentedRequirements Warning, Ikev2 Warning]
    "no-reauthentication" Refused Starts  Exports     [DocumentedRequirements Warning, Ikev2 Warning]
    "init-5"              Refused Refused Table       [Initialises Fail]
    "revision-9"          Refused Refused Table       [CallbacksTable Fail]
    "revision-1-table"    Refused Refused Table       [CallbacksTable Fail]
    "fault-on-null"       Starts  Starts  Table       [NullPointers Fail]
    "hang-link"           Starts  Starts  Table       [AnswersInTime Fail]
    "leave-thread"        Starts  Starts  Table       [ThreadsAfterTerminate Fail]
    "leak-handle"         Starts  Starts  Table       [HandlesPerCall Fail]
    "overread-connection" Starts  Starts  Table       [ReadsPastConnectionEx Fail]
    "overread-port"       Starts  Starts  Table       [ReadsPastPort Fail]
    "overread-address"    Starts  Starts  Table       [ReadsPastAddress Fail]
    "decorated"           Refused Refused WindowsOnly [DecoratedNames Fail, ShippingRequirements Fail, DocumentedRequirements Warning, Ikev2 Warning]
    "mangled"             Refused Refused WindowsOnly [MangledNames Fail, ShippingRequirements Fail, DocumentedRequirements Warning, Ikev2 Warning]
    "wrong-case"          Refused Refused WindowsOnly [NameCase Fail, ShippingRequirements Fail, DocumentedRequirements Warning, Ikev2 Warning]
    "ordinal-only"        Refused Refused WindowsOnly [OrdinalOnly Fail, ShippingRequirements Fail, DocumentedRequirements Warning, Ikev2 Warning]
    "imports-mpradmin"    Starts  Starts  WindowsTable [ForbiddenImports Warning]
    "32-bit"              Refused Refused WindowsOnly [Machine Fail, Ikev2 Warning]
};

/// The findings without the warning of the profile `nt4`.
fn findings(report: &Report) -> Vec<(Check, Outcome)> {
    found(report).into_iter().filter(|(check, _)| *check != Check::Nt4Requirements).collect()
}

fn verdict(report: &Report, profile: Profile) -> Verdict {
    report.profile(profile).unwrap().verdict
}

/// Checks a copy, because fixtures write their log beside themselves.
fn checked(path: &Path, options: &Options) -> Report {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join(path.file_name().unwrap());
    std::fs::copy(path, &copy).unwrap_or_else(|e| panic!("fixture {}: {e}", path.display()));
    report(&copy, options)
}

/// Windows files, checked statically on every platform.
#[test]
fn what_the_files_say() {
    let folder = fixtures("windows");
    let options = Options { static_only: true, ..impatient() };
    for expected in FIXTURES {
        let report = checked(&folder.join(format!("{}.dll", expected.name)), &options);
        let text = report.render(100, false);
        let from_the_file: Vec<_> =
            expected.findings.iter().copied().filter(|(check, _)| check.kind() == Kind::Static).collect();
        assert_eq!(findings(&report), from_the_file, "{}\n{text}", expected.name);
        let refused = from_the_file.iter().any(|(_, outcome)| outcome.fails());
        let shipping = match (refused, expected.start.has_table()) {
            (true, _) => Refused,
            (false, true) => DependsOnTable,
            (false, false) => DependsOnRun,
        };
        assert_eq!(verdict(&report, Profile::Shipping), shipping, "{}\n{text}", expected.name);
        assert_eq!(report.exit_code(), i32::from(refused), "{}", expected.name);
    }
}

/// The files of this platform, with the dynamic checks.
#[test]
fn what_running_them_shows() {
    let folder = fixtures(if cfg!(windows) { "windows" } else { "native" });
    let failures: Vec<_> = FIXTURES
        .iter()
        .filter(|expected| expected.start.is_here())
        .filter_map(|expected| {
            let path = folder.join(format!("{}{}", expected.name, std::env::consts::DLL_SUFFIX));
            let options = Options { cycles: 40, ..impatient() };
            let report = checked(&path, &options);
            let right = findings(&report) == expected.findings
                && verdict(&report, Profile::Shipping) == expected.shipping
                && verdict(&report, Profile::Documented) == expected.documented
                && report.exit_code() == i32::from(expected.findings.iter().any(|(_, outcome)| outcome.fails()));
            (!right)
                .then(|| format!("{}: expected {:?}\n{}", expected.name, expected.findings, report.render(100, false)))
        })
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// With `--profile documented` that profile decides, and `shipping` only warns.
#[test]
fn the_documented_profile_decides_when_asked() {
    let folder = fixtures("windows");
    for expected in FIXTURES {
        let options = Options { static_only: true, profile: Some(Profile::Documented), ..impatient() };
        let report = checked(&folder.join(format!("{}.dll", expected.name)), &options);
        let by_running = expected.findings.iter().any(|(check, o)| check.kind() == Kind::Dynamic && o.fails());
        let refused = expected.documented == Refused && !by_running;
        assert_eq!(report.exit_code(), i32::from(refused), "{}\n{}", expected.name, report.render(100, false));
    }
}

/// The loader does not find a library beside the DLL.
#[test]
fn a_dependent_beside_the_dll() {
    let windows = fixtures("windows");
    let folder = tempfile::tempdir().unwrap();
    for name in ["missing-dependent.dll", "vendorhelper.dll"] {
        std::fs::copy(windows.join(name), folder.path().join(name)).unwrap();
    }
    let report = report(&folder.path().join("missing-dependent.dll"), &impatient());
    let mut expected = vec![(Check::Dependents, Outcome::Fail)];
    if cfg!(windows) {
        expected.push((Check::Initialises, Outcome::Fail));
        assert_eq!(report.finding(Check::Initialises).unwrap().message, "it cannot be loaded: error 126");
    }
    assert_eq!(findings(&report), expected, "{}", report.render(100, false));
    assert_eq!(verdict(&report, Profile::Shipping), Refused);
}

/// Every fixture of the list is in the table above, in that of defects.rs, or has a test of its own.
#[test]
fn no_fixture_is_forgotten() {
    let folder = fixtures("windows");
    let elsewhere = ["c-minimal", "missing-dependent", "vendorhelper"];
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "dll") {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            let elsewhere = elsewhere.iter().chain(STATIC_FIXTURES).any(|other| *other == name);
            let in_defects = include_str!("defects.rs").contains(&format!("\"{name}\""));
            let known = FIXTURES.iter().any(|f| f.name == name) || in_defects || elsewhere;
            assert!(known, "the table has no line for {name}");
        }
    }
}
