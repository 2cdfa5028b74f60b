//! What the profiles require of the exports.

use crate::check::Check;
use crate::finding::{Finding, Outcome, Problem};
use mprapi::requirements::{ExportResult, check_exports};
use mprapi::{FunctionId, FunctionSet, Profile, Violation};

/// What RRAS does with a DLL that its validation refuses.
pub(crate) const REFUSED: &str =
    "RRAS refuses the DLL with error 87 (event 20113), and the Remote Access service does not start.";

/// What is wrong with a file that is not an admin DLL, or whose functions RRAS does not find. A list of all that is missing would
/// say less.
pub(crate) const NO_FUNCTION: &str = "RRAS finds no function of an admin DLL in it";

/// The requirements of a profile that the exports do not meet. Empty if only the callbacks table decides.
pub(crate) fn violations(profile: Profile, functions: FunctionSet) -> Vec<Violation> {
    match check_exports(profile, functions) {
        ExportResult::Decided(violations) => violations,
        ExportResult::DependsOnTable => Vec::new(),
    }
}

/// The check that belongs to a profile.
pub(crate) const fn check_of(profile: Profile) -> Check {
    match profile {
        Profile::Documented => Check::DocumentedRequirements,
        Profile::Shipping => Check::ShippingRequirements,
        Profile::Nt4 => Check::Nt4Requirements,
    }
}

/// Checks that each address pair is whole or absent. Half pairs have this check of their own, regardless of the profile.
pub(super) fn address_pairs(functions: FunctionSet, deciding: Profile) -> Finding {
    let halves = |profile| {
        violations(profile, functions)
            .into_iter()
            .filter(|v| matches!(v, Violation::HalfPair { .. }))
            .collect::<Vec<_>>()
    };
    // `documented` checks every DLL's exports. `shipping` does not if the table decides.
    let found = halves(Profile::Documented);
    let Some(Violation::HalfPair { has, lacks }) = found.first() else {
        let pairs = match (
            functions.contains(FunctionId::GetIpAddressForUser),
            functions.contains(FunctionId::GetIpv6AddressForUser),
        ) {
            (true, true) => "the IPv4 and the IPv6 pair are whole",
            (true, false) => "the IPv4 pair is whole, the IPv6 pair absent",
            (false, true) => "the IPv6 pair is whole, the IPv4 pair absent",
            (false, false) => "no address function is exported",
        };
        return Finding::pass(Check::AddressPairs, pairs);
    };
    let (outcome, effect) = if halves(deciding).is_empty() {
        (
            Outcome::Warning,
            "Shipping Windows Server looks only at the callbacks table, but a tool or an older Windows that looks at the \
             exports refuses the DLL.",
        )
    } else {
        (Outcome::Fail, REFUSED)
    };
    Finding::problem(
        Check::AddressPairs,
        outcome,
        list(&found),
        Problem::of_dll(
            "RRAS calls either both functions of a pair or neither.",
            effect,
            format!("Export {lacks} too, or stop exporting {has}."),
        ),
    )
}

/// Checks the exports against one profile.
pub(super) fn profile(functions: FunctionSet, profile: Profile, deciding: Profile) -> Finding {
    let check = check_of(profile);
    let found = match check_exports(profile, functions) {
        ExportResult::DependsOnTable => {
            return Finding::skipped(
                check,
                "it depends on the callbacks table, which is known only when the DLL runs (callbacks-table)",
            );
        }
        ExportResult::Decided(found) => found,
    };
    let (halves, found): (Vec<_>, Vec<_>) = found.into_iter().partition(|v| matches!(v, Violation::HalfPair { .. }));
    if found.is_empty() {
        let message = match (profile, halves.is_empty()) {
            (_, false) => "all required functions are exported, except for the half pair (address-pairs)",
            (_, true) => "all required functions are exported",
        };
        return Finding::pass(check, message);
    }
    let outcome = if profile == deciding { Outcome::Fail } else { Outcome::Warning };
    let (cause, effect) = match profile {
        Profile::Shipping => ("Shipping Windows Server looks these functions up by name.", REFUSED),
        Profile::Documented => (
            "Microsoft's page \"RAS administration DLL functions\" lists them as required.",
            "According to that page the Remote Access service does not start. Windows versions enforce different parts \
             of it; profile `shipping` has what current ones enforce.",
        ),
        Profile::Nt4 => (
            "Windows NT 4.0 and 2000 require them.",
            "On those versions the service does not start. Later versions do not require this.",
        ),
    };
    if functions.is_empty() {
        let remedy = "Export the functions under their names (docs/functions.md lists them), or give the path of the DLL \
                      that has them.";
        return Finding::problem(check, outcome, NO_FUNCTION, Problem::of_dll(cause, effect, remedy));
    }
    Finding::problem(check, outcome, list(&found), Problem::of_dll(cause, effect, remedy(&found)))
}

/// The violations in one sentence.
pub(crate) fn list(violations: &[Violation]) -> String {
    let texts: Vec<_> = violations.iter().map(ToString::to_string).collect();
    texts.join("; ")
}

fn remedy(violations: &[Violation]) -> String {
    let mut names = Vec::new();
    for violation in violations {
        match violation {
            Violation::NoneOf(ids) => {
                let ids: Vec<_> = ids.iter().map(|id| id.name()).collect();
                names.push(ids.join(" or "));
            }
            Violation::NoConnectionPair => names.push(
                "MprAdminAcceptNewConnection with MprAdminConnectionHangupNotification of the same number (or both Ex)"
                    .to_owned(),
            ),
            Violation::HalfPair { lacks, .. } => names.push(lacks.name().to_owned()),
            Violation::UnknownRevision(_) | Violation::Revision1InTable => {}
        }
    }
    format!("Export {}.", names.join("; "))
}
