//! Checks for the kind of file.

use crate::check::Check;
use crate::finding::{Finding, Outcome, Problem};
use crate::image::{Format, Image, Managed};
use rasadmin_host::program::{A_PROGRAM, LOADED_WITHOUT_IMPORTS};

/// What RRAS does with a file that the loader does not accept as an image for its machine.
const NOT_LOADED: &str =
    "Loading fails with error 193 (RRAS writes event 20204), and the Remote Access service does not start.";

pub(super) fn machine(image: &Image) -> Finding {
    let check = Check::Machine;
    if let Some(no_image) = &image.no_image {
        let problem = Problem::of_dll("Windows loads only 64-bit DLLs for x86-64.", NOT_LOADED, no_image.remedy);
        return Finding::problem(check, Outcome::Fail, no_image.what.clone(), problem);
    }
    let kind = if image.library { "library" } else { "program" };
    let header = format!("The file's header says {}-bit, {}, {kind}.", image.bits, image.machine);
    if !image.right_machine() {
        let message = if image.library {
            format!("it is a DLL for {}, not for x86-64", image.machine)
        } else {
            A_PROGRAM.to_owned()
        };
        let remedy = "Build it as a 64-bit DLL for x86-64.";
        let effect = format!("RRAS is a 64-bit process. {NOT_LOADED}");
        return Finding::problem(check, Outcome::Fail, message, Problem::of_dll(header, effect, remedy));
    }
    if !image.library {
        let effect = "If it exports what RRAS requires, RRAS calls it. The first call that uses a function of another \
                      DLL, the C run-time library's too, ends the Remote Access service and every connection.";
        return Finding::problem(
            check,
            Outcome::Fail,
            A_PROGRAM,
            Problem::of_dll(LOADED_WITHOUT_IMPORTS, effect, "Build it as a DLL (with -shared or /DLL)."),
        );
    }
    let message = match (image.format, image.managed) {
        (_, Some(Managed::IlOnly { .. })) => "a .NET assembly".to_owned(),
        (Format::Elf, _) => {
            format!("a native library for {}: fine for tests here, but RRAS loads only Windows DLLs", image.machine)
        }
        _ => "a 64-bit DLL for x86-64".to_owned(),
    };
    Finding::pass(check, message)
}

/// Checks that there is code that RRAS could call.
pub(super) fn native_code(image: &Image) -> Finding {
    let check = Check::NativeCode;
    match image.managed {
        Some(Managed::IlOnly { .. }) => Finding::problem(
            check,
            Outcome::Fail,
            "it is a .NET assembly without native code",
            Problem::of_dll(
                "Its methods exist only for the .NET runtime. A compiler of C# or Visual Basic makes no exports.",
                "RRAS looks functions up by their exported names, finds none, and does not start.",
                "Publish it with Native AOT and [UnmanagedCallersOnly(EntryPoint = \"MprAdmin...\")], or write the \
                 functions in C, C++ or Rust.",
            ),
        ),
        Some(Managed::Mixed) => Finding::problem(
            check,
            Outcome::Warning,
            "it needs the .NET Framework in RRAS's process",
            Problem::of_dll(
                "It has native code and code for the .NET runtime (C++/CLI).",
                "The first call loads the runtime, whose threads and memory stay in RRAS's process after \
                 MprAdminTerminateDll. If it is not installed, the call ends the Remote Access service.",
                "Build it without /clr.",
            ),
        ),
        // GNU ld makes a small section for code even if there is none.
        None if !image.has_code || !image.has_entry_point && !has_exports(image) => {
            let message = "it has no code, only data or resources";
            let cause = "The file has neither exports nor start-up code, or no section of it is executable.";
            let effect = "RRAS finds no function that it could call.";
            let remedy = "Give the path of the DLL that has the functions.";
            Finding::problem(check, Outcome::Fail, message, Problem::of_dll(cause, effect, remedy))
        }
        None => Finding::pass(check, "it has native code"),
    }
}

fn has_exports(image: &Image) -> bool {
    !image.exports.is_empty() || image.unnamed_exports > 0
}

/// Checks that a DLL that demands a valid signature has one.
pub(super) fn signature_demanded(image: &Image) -> Finding {
    let check = Check::SignatureDemanded;
    match (image.demands_signature, image.signed) {
        (false, _) => Finding::pass(check, "it loads without a signature"),
        (true, true) => {
            Finding::pass(check, "it demands a valid signature and has one; whether Windows trusts it shows at loading")
        }
        (true, false) => Finding::problem(
            check,
            Outcome::Fail,
            "it demands a valid signature, and has none",
            Problem::of_dll(
                "It is linked with /INTEGRITYCHECK (FORCE_INTEGRITY), so Windows verifies its signature.",
                "Loading fails with error 577 (RRAS writes event 20113), and the Remote Access service does not start.",
                "Sign it (signtool), or link it without /INTEGRITYCHECK (GNU ld: without --forceinteg).",
            ),
        ),
    }
}
