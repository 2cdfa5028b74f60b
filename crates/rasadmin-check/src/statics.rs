//! The checks that read the file without loading it.

mod exports;
mod forwards;
mod imports;
mod kind;
mod libraries;
mod names;
mod policy;
pub(crate) mod requirements;
mod system_dlls;

pub(crate) use exports::stops_start as exports_stop_start;

use crate::check::{Check, Kind};
use crate::finding::{Finding, Outcome, Problem};
use crate::image::Image;
use crate::options::Options;
use mprapi::{FunctionId, FunctionSet, Profile};
use std::path::Path;

/// What the static checks look at.
pub(crate) struct Subject<'a> {
    pub image: &'a Image,
    pub path: &'a Path,
    /// The functions of the contract that Windows found when it loaded the DLL, if it did.
    pub seen: Option<FunctionSet>,
    /// The profile whose failures are failures. Those of other profiles are warnings.
    pub deciding: Profile,
}

impl Subject<'_> {
    /// The functions of the contract that RRAS finds by name. What Windows found decides over what the file says.
    pub fn functions(&self) -> FunctionSet {
        self.seen.unwrap_or_else(|| {
            let missing = |id| forwards::of(self.image, id).is_some_and(|to| forwards::look_up(self, to).is_missing());
            self.image.functions().iter().filter(|&id| !missing(id)).collect()
        })
    }
}

/// Runs every static check. `functions` are those that RRAS finds ([`Subject::functions`]).
pub(crate) fn run(subject: &Subject<'_>, functions: FunctionSet, options: &Options) -> Vec<Finding> {
    let Subject { image, deciding, .. } = *subject;
    let mut findings = vec![kind::machine(image)];
    if image.no_image.is_some() {
        let others = Check::ALL.iter().filter(|check| check.kind() == Kind::Static).skip(1);
        findings.extend(others.map(|&check| Finding::skipped(check, "the file is not a DLL")));
        return findings;
    }
    findings.extend([
        kind::native_code(image),
        kind::signature_demanded(image),
        policy::check(image, options),
        relocations(image),
    ]);
    findings.extend(names::run(image, functions, deciding));
    findings.push(forwards::check(subject, functions));
    findings.push(exports::targets(subject, functions));
    findings.push(requirements::address_pairs(functions, deciding));
    for profile in [Profile::Shipping, Profile::Documented, Profile::Nt4] {
        findings.push(requirements::profile(functions, profile, deciding));
    }
    findings.push(ikev2(functions));
    findings.push(imports::forbidden(image));
    findings.push(imports::dependents(subject));
    findings.push(imports::delay_loads(subject));
    findings
}

/// Checks that a 64-bit image has no 32-bit relocations. GNU ld before 2.41 writes them for the offsets of thread-local
/// variables, which must not change.
fn relocations(image: &Image) -> Finding {
    let check = Check::Relocations;
    if image.short_relocations == 0 {
        return Finding::pass(check, "it has no 32-bit relocations");
    }
    let (outcome, when) = if image.placed_anywhere {
        (Outcome::Fail, "Windows loads it at any address (DYNAMIC_BASE)")
    } else {
        (Outcome::Warning, "Windows moves it only if its preferred base is taken")
    };
    Finding::problem(
        check,
        outcome,
        format!("the loader changes {} of its 32-bit values when it moves the image", image.short_relocations),
        Problem::of_dll(
            format!("The file has 32-bit base relocations, which cannot hold a 64-bit address. {when}."),
            "Most of these values are offsets of thread-local variables. The first use of one is an access violation \
             in RRAS's process: all VPN users lose their connections.",
            "Link it with GNU ld 2.41 or newer, with lld, or with Microsoft's linker.",
        ),
    )
}

fn ikev2(functions: FunctionSet) -> Finding {
    if functions.contains(FunctionId::InitializeDllEx) {
        return Finding::pass(
            Check::Ikev2,
            "it exports MprAdminInitializeDllEx: RRAS calls it for IKEv2 connections if its table says revision 2",
        );
    }
    Finding::problem(
        Check::Ikev2,
        Outcome::Warning,
        "RRAS never calls it for IKEv2 connections",
        Problem::of_dll(
            "It does not export MprAdminInitializeDllEx, so it counts as revision 1.",
            "For an IKEv2 connection RRAS calls none of its functions: the DLL can neither refuse nor record such \
             users, and they get RRAS's own addresses.",
            "Export MprAdminInitializeDllEx and fill in a revision 2 table, or do not offer IKEv2.",
        ),
    )
}
