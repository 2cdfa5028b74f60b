//! The effect of each failed dynamic check, and the remedy.

use crate::check::Check;

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

/// What the failure means for RRAS.
pub(super) const fn effect(check: Check) -> &'static str {
    match check {
        Check::AnswersInTime => {
            "RRAS makes one call at a time. While a function does not answer, no other client can connect; a crash ends \
             the Remote Access service."
        }
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
pub(super) const fn remedy(check: Check) -> &'static str {
    match check {
        Check::AnswersInTime => {
            "Run the function under a debugger with an ordinary call. Never wait without a time-out, and do not call a RAS \
             administration function (MprAdmin...) from it."
        }
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
