//! Why the loader refuses a DLL, and what to do about it.

use super::incident::sentence;
use crate::finding::Problem;

/// Windows' error codes for which the cause and the remedy are known.
const MOD_NOT_FOUND: u32 = 126;
const PROC_NOT_FOUND: u32 = 127;
const INVALID_EXE_SIGNATURE: u32 = 191;
const EXE_MARKED_INVALID: u32 = 192;
const BAD_EXE_FORMAT: u32 = 193;
const INVALID_IMAGE_HASH: u32 = 577;
const NOACCESS: u32 = 998;
const DLL_INIT_FAILED: u32 = 1114;
const SXS_CANT_GEN_ACTCTX: u32 = 14001;

/// The problem of a DLL that cannot be loaded, with the system's own message.
pub(super) fn problem(code: u32, message: &str) -> Problem {
    let event = if (INVALID_EXE_SIGNATURE..=BAD_EXE_FORMAT).contains(&code) { 20204 } else { 20113 };
    let (cause, remedy) = match code {
        MOD_NOT_FOUND => (
            "A DLL that it depends on was not found.",
            "Install what it depends on in System32, or link it statically.",
        ),
        PROC_NOT_FOUND => (
            "It imports a function that a DLL it depends on does not have.",
            "Link it with the version of that DLL that the server has, and import no function that is newer than the \
             server's Windows.",
        ),
        INVALID_EXE_SIGNATURE | EXE_MARKED_INVALID | BAD_EXE_FORMAT => (
            "It is not a valid image for this process: it is damaged, for another processor, or no DLL at all.",
            "Copy the file again, and build it as a 64-bit DLL for x86-64.",
        ),
        INVALID_IMAGE_HASH => (
            "Windows demands a signature that it can verify, and the file has none, or has been changed since it was \
             signed.",
            "Sign the DLL with a certificate that this computer trusts, after its last change. If a policy of this \
             computer (App Control, or the mitigation options of svchost.exe) demands the signature, ask who set it.",
        ),
        NOACCESS => (
            "Its start-up code accessed memory that is not its own: DllMain, the constructor of a global object, or a \
             TLS callback.",
            "Run the start-up code under a debugger. Do as little as possible in it, and the rest in the initialise \
             function.",
        ),
        DLL_INIT_FAILED => (
            "Its DllMain, or that of a DLL that it depends on, returned FALSE.",
            "Find out why DllMain fails. Better, let it return TRUE, and report errors from the initialise function: \
             its code tells what is wrong.",
        ),
        SXS_CANT_GEN_ACTCTX => (
            "Its manifest demands a side-by-side assembly that is not installed, usually a Visual C++ runtime.",
            "Install that runtime, or link it statically and remove the dependency from the manifest.",
        ),
        _ => (
            "The system's loader refuses it.",
            "Look up the error code: `net helpmsg` and the code show its text. Event 20113 has the same code.",
        ),
    };
    Problem::of_dll(
        format!("{cause} The system says: {}", sentence(message)),
        format!("Event {event}, and the Remote Access service does not start."),
        remedy,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// "Install what it depends on" helps against a missing DLL only.
    #[test]
    fn every_code_has_its_own_remedy() {
        let codes = [126, 127, 193, 577, 998, 1114, 14001, 5];
        let problems = codes.map(|code| problem(code, "no"));
        for (n, one) in problems.iter().enumerate() {
            assert_eq!(one.remedy.contains("depends on in System32"), codes[n] == 126, "{}", codes[n]);
            assert!(one.cause.ends_with("The system says: no."), "{}", one.cause);
            assert!(problems[..n].iter().all(|other| other.remedy != one.remedy), "{}", codes[n]);
        }
        assert!(problem(577, "").cause.contains("signature"));
        assert!(problem(998, "").cause.contains("start-up code accessed memory"));
        assert!(problem(1114, "").cause.contains("returned FALSE"));
        assert!(problem(193, "").effect.contains("20204") && problem(577, "").effect.contains("20113"));
    }
}
