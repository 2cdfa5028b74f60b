//! The effect of each failed dynamic check, and the remedy.

use crate::check::Check;
use crate::finding::Outcome;

/// Whether the check puts an argument before an inaccessible page.
pub(super) const fn finds_over_reads(check: Check) -> bool {
    matches!(
        check,
        Check::ReadsPastConnectionEx
            | Check::ReadsPastConnection
            | Check::ReadsPastPort
            | Check::ReadsPastName
            | Check::ReadsPastAddress
    )
}

/// Whether the check passes arguments that the SDK's boundary should stop.
pub(super) const fn is_boundary(check: Check) -> bool {
    finds_over_reads(check)
        || matches!(
            check,
            Check::NullPointers
                | Check::UnterminatedArrays
                | Check::LongUserName
                | Check::UnknownHeaders
                | Check::RandomStructures
        )
}

/// Whether the check makes memory inaccessible that the DLL should not use any more.
pub(super) const fn uses_revoked_memory(check: Check) -> bool {
    matches!(check, Check::UsesTableLater | Check::KeepsPointers)
}

/// What a function did that touched memory that is not its own in this check. None for checks with ordinary calls.
pub(super) const fn cause(check: Check) -> Option<&'static str> {
    Some(match check {
        Check::UsesTableLater => {
            "It kept the pointer to the callbacks table, which had been made inaccessible after its initialise function had \
             returned."
        }
        Check::KeepsPointers => {
            "It kept a pointer to an argument of an earlier call, which had been made inaccessible after that call had \
             returned. With the argument left in place, the same calls return."
        }
        Check::LoadCycles => "Code of the DLL was still running, or its memory still in use, when it was unloaded.",
        _ if finds_over_reads(check) => {
            "It accessed memory after the argument's last byte, which had been made inaccessible."
        }
        _ if is_boundary(check) => "It uses a pointer, terminator, length or value of an argument without checking it.",
        _ => return None,
    })
}

/// What the failure or warning means for RRAS.
pub(super) const fn effect(check: Check, outcome: Outcome) -> &'static str {
    match check {
        Check::WritesPastTable => {
            "In RRAS, other data follows the table: it is overwritten, and the Remote Access service fails sooner or later, \
             at a point that has nothing to do with the DLL."
        }
        Check::PreAuthentication => match outcome {
            Outcome::Warning => {
                "RRAS asks the DLLs in order until one does not answer 1: an answer of 0 overrules a later DLL that would \
                 let the client in."
            }
            Outcome::Fail => "Every client that reaches the SSTP port gets into the network, without a password.",
            _ => "A crash ends the Remote Access service. Until the function answers, no SSTP client can connect.",
        },
        Check::SlowAnswers => match outcome {
            Outcome::Fail => "RRAS makes one call at a time: every user who connects waits, and many give up.",
            _ => "RRAS makes one call at a time: when many users connect at once, they wait for each other.",
        },
        Check::UsesTableLater => {
            "RRAS has copied the table by then, and uses the memory for something else: the DLL overwrites that, or the \
             Remote Access service ends."
        }
        Check::KeepsPointers => {
            "RRAS uses or frees the memory after the call: the DLL reads another user's data, overwrites it, or ends the \
             Remote Access service."
        }
        Check::WritesPastArguments | Check::WritesBeforeArguments => {
            "It overwrites memory of RRAS. The Remote Access service fails sooner or later, at a point that has nothing to \
             do with the DLL."
        }
        Check::WritesIntoArguments => {
            "RRAS, and the DLLs after it in DllPath, may go on with what it wrote: another user name, or another port."
        }
        Check::ForeignHandles => {
            "In RRAS, the handle is a file, an event or a socket of the service, or of another DLL: users lose their \
             connections, or the service stands still."
        }
        Check::ProcessState => {
            "RRAS and other services share the process: their code then runs under conditions that it does not expect."
        }
        Check::StartsAgain => {
            "After the first stop, the Remote Access service does not start again (event 20113) until the computer, or the \
             process that it shares, is restarted."
        }
        Check::CurrentDirectory => "The files land among those of Windows, or cannot be written.",
        Check::AnswersInTime => match outcome {
            Outcome::Fail => {
                "RRAS makes one call at a time: while the function does not answer, no other client can connect."
            }
            _ => "The Remote Access service ends, and every connection with it.",
        },
        Check::ReadsPastConnectionEx
        | Check::ReadsPastConnection
        | Check::ReadsPastPort
        | Check::ReadsPastName
        | Check::ReadsPastAddress => {
            "The DLL reads garbage. This works only while the memory after the argument happens to be readable; when it is \
             not, the Remote Access service ends, and every connection with it."
        }
        Check::NullPointers => {
            "RRAS is not documented to pass null, but if it ever does, the Remote Access service ends, and every \
             connection with it."
        }
        Check::UnterminatedArrays | Check::LongUserName => {
            "A name that a client sends may end the Remote Access service, or overwrite its memory."
        }
        Check::UnknownHeaders => "A later Windows with larger structures ends the Remote Access service.",
        Check::RandomStructures => "Damaged data ends the Remote Access service instead of one connection.",
        Check::ReleaseAfterNotify => "Sooner or later no client gets an address.",
        Check::ThreadsAfterTerminate => {
            "RRAS unloads the DLL after MprAdminTerminateDll: a thread that still runs in it ends the service's process."
        }
        Check::HandlesPerCall => "The service's process grows with every session until it must be restarted.",
        Check::LoadCycles => {
            "Every restart of the service in its shared process leaves something behind, until the process must be \
             restarted."
        }
        _ => "RRAS does not get what it expects.",
    }
}

/// What to do about the failure.
pub(super) const fn remedy(check: Check, outcome: Outcome) -> &'static str {
    match check {
        Check::WritesPastTable => {
            "Declare the table as in Microsoft's mprapi.h: the revision and twelve pointers, 104 bytes on 64-bit Windows. \
             Clear no more than sizeof(MPRAPI_ADMIN_DLL_CALLBACKS), and write no other structure there."
        }
        Check::PreAuthentication => {
            "Leave the pointer null, unless this is what the DLL is for. Then answer 1 only to clients that it knows by \
             their AuthInfo."
        }
        Check::SlowAnswers => {
            "Move slow work (network, disk, name resolution) to a thread of the DLL's own, and answer from memory."
        }
        Check::UsesTableLater => "Fill in the table in MprAdminInitializeDllEx, and do not keep the pointer to it.",
        Check::KeepsPointers => "Copy what is needed after the call, for example the handle and the user name.",
        Check::WritesPastArguments => {
            "Write no more than the argument has: an IPv4 address is a DWORD, and notify_release a BOOL, of 4 bytes each; \
             an IPv6 address has 16. Write nothing into the structures."
        }
        Check::WritesBeforeArguments => "Look for a negative index, or a pointer that is counted back too far.",
        Check::WritesIntoArguments => "Copy a structure or name before you change it.",
        Check::ForeignHandles => {
            "Close a handle once, only if it was opened, and set the variable to null afterwards. Leave standard input, \
             output and error alone."
        }
        Check::ProcessState => "Leave it as it is, or put it back before the function returns.",
        Check::StartsAgain => {
            "In MprAdminTerminateDll, undo what the initialise function did: close named objects and ports, and delete \
             lock files and marks of a running instance."
        }
        Check::CurrentDirectory => "Name files by their full paths, in a folder of the DLL's own.",
        Check::AnswersInTime => match outcome {
            Outcome::Fail => {
                "A debugger shows where it waits. Never wait without a time-out, and do not call a RAS administration \
                 function (MprAdmin...) from it."
            }
            _ => "Run the function under a debugger with an ordinary call.",
        },
        Check::ReadsPastConnectionEx
        | Check::ReadsPastConnection
        | Check::ReadsPastPort
        | Check::ReadsPastName
        | Check::ReadsPastAddress => {
            "Read no more than the structure's own size, and a string to its terminator; an IPv4 address and \
             notify_release are 4 bytes, an IPv6 address is 16."
        }
        Check::NullPointers => "Check every pointer first: reject, return an error, or do nothing.",
        Check::UnterminatedArrays => "Read a fixed array to its terminator or to its end, whichever comes first.",
        Check::LongUserName => {
            "Copy no more than fits; refuse a user name of more than 256 characters (UNLEN) with error 87."
        }
        Check::UnknownHeaders => "Check Header.type and Header.size before reading, and read the part you know.",
        Check::RandomStructures => {
            "Check the range of every length, count, enumeration and union arm before you use it."
        }
        Check::ReleaseAfterNotify => {
            "Set notify_release whenever you take an address, and free the address in the release function."
        }
        Check::ThreadsAfterTerminate => "End and join every thread in MprAdminTerminateDll.",
        Check::HandlesPerCall => "Close what a call opens before the call returns, or at the hangup at the latest.",
        Check::LoadCycles => "Free in MprAdminTerminateDll what the initialise function allocated.",
        _ => "See the DLL's documentation.",
    }
}
