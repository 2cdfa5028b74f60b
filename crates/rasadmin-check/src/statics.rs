//! The checks that read the file without loading it.

mod exports;
mod imports;
pub(crate) mod requirements;
mod system_dlls;

use crate::check::Check;
use crate::finding::{Finding, Outcome, Problem};
use crate::image::{Format, Image};
use mprapi::{FunctionId, Profile};
use std::path::Path;

/// Runs every static check. A failure under the profile `deciding` is a failure; under the other profiles it is a warning.
pub(crate) fn run(image: &Image, path: &Path, deciding: Profile) -> Vec<Finding> {
    let mut findings = vec![machine(image), relocations(image)];
    findings.extend(exports::run(image, deciding));
    findings.push(requirements::address_pairs(image, deciding));
    for profile in [Profile::Shipping, Profile::Documented, Profile::Nt4] {
        findings.push(requirements::profile(image, profile, deciding));
    }
    findings.push(ikev2(image));
    findings.push(imports::forbidden(image));
    findings.push(imports::dependents(image, path));
    findings
}

fn machine(image: &Image) -> Finding {
    let kind = if image.library { "library" } else { "program" };
    if !image.right_machine() {
        let message = if image.library {
            format!("it is a DLL for {}, not for x86-64", image.machine)
        } else {
            "it is a program, not a DLL".to_owned()
        };
        return Finding::problem(
            Check::Machine,
            Outcome::Fail,
            message,
            Problem::of_dll(
                format!("The file's header says {}-bit, {}, {kind}.", image.bits, image.machine),
                "RRAS is a 64-bit process: loading fails with error 193 (event 20204), and the Remote Access service \
                 does not start.",
                "Build it as a 64-bit DLL for x86-64.",
            ),
        );
    }
    let message = match image.format {
        Format::Pe => "a 64-bit DLL for x86-64".to_owned(),
        Format::Elf => {
            format!("a native library for {}: fine for tests here, but RRAS loads only Windows DLLs", image.machine)
        }
    };
    Finding::pass(Check::Machine, message)
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

fn ikev2(image: &Image) -> Finding {
    if image.functions().contains(FunctionId::InitializeDllEx) {
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
