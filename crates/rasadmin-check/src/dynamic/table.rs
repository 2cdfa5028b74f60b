//! The findings about a callbacks table.

use crate::check::Check;
use crate::finding::{Finding, Outcome, Problem};
use crate::statics::requirements::{REFUSED, list};
use mprapi::requirements::check_table;
use mprapi::{FunctionId, FunctionSet, Profile, Violation};

/// A callbacks table: its revision, and the functions whose pointers are set.
pub(super) type Table = (u8, FunctionSet);

/// Whether the table was filled in as mingw-w64's mprapi.h declares it: without AcceptTunnelEndpointChangeEx in the middle,
/// so that each pointer after AcceptNewConnectionEx is one place too early. What the DLL meant as
/// ConnectionHangupNotificationEx is then where RRAS looks for AcceptReauthenticationEx, and its own place is empty.
fn is_mingw_table(pointers: FunctionSet) -> bool {
    pointers.contains(FunctionId::AcceptNewConnectionEx)
        && pointers.contains(FunctionId::AcceptReauthenticationEx)
        && !pointers.contains(FunctionId::ConnectionHangupNotificationEx)
        && !pointers.contains(FunctionId::ValidatePreAuthenticatedConnectionEx)
}

/// The finding about the table's content.
pub(super) fn finding((revision, pointers): Table, deciding: Profile) -> Finding {
    let strict = check_table(Profile::Shipping, revision, pointers);
    if strict.is_empty() {
        let message = format!("revision {revision}, {} of its pointers are set", pointers.len());
        return Finding::pass(Check::CallbacksTable, message);
    }
    let decisive = check_table(deciding, revision, pointers);
    let outcome = if decisive.is_empty() { Outcome::Warning } else { Outcome::Fail };
    let problem = if is_mingw_table(pointers) {
        Problem::of_dll(
            "The table has the shape of the one in mingw-w64's mprapi.h, which lacks two of the twelve pointers: \
             lpfnRasAdminAcceptTunnelEndpointChangeEx after lpfnRasAdminAcceptNewConnectionEx, and \
             lpfnRASValidatePreAuthenticatedConnectionEx at the end. So every later pointer is one place too early.",
            REFUSED,
            "Declare the table with all twelve pointers, in the order of Microsoft's mprapi.h (docs/functions.md), or \
             build with the Windows SDK's header.",
        )
    } else {
        Problem::of_dll(
            "MprAdminInitializeDllEx fills in the table, and from then on only the table counts, not the exports.",
            REFUSED,
            "Set revision 2; set both link functions, both Ex connection functions, and both of an address pair or \
             neither.",
        )
    };
    Finding::problem(Check::CallbacksTable, outcome, list(&strict), problem)
}

/// Whether RRAS would call functions of the table.
pub(super) fn is_called((revision, pointers): Table) -> bool {
    check_table(Profile::Shipping, revision, pointers)
        .iter()
        .all(|violation| !matches!(violation, Violation::UnknownRevision(_) | Violation::Revision1InTable))
}

#[cfg(test)]
mod tests {
    use super::*;
    use FunctionId::*;

    #[test]
    fn the_table_of_mingw_is_recognised_by_its_shape() {
        let set = |functions: &[FunctionId]| functions.iter().copied().collect::<FunctionSet>();
        let links = [AcceptNewLink, LinkHangupNotification, TerminateDll, AcceptNewConnectionEx];
        // Reauthentication and hangup, each one place too early; then without reauthentication.
        let both = set(&[&links[..], &[AcceptTunnelEndpointChangeEx, AcceptReauthenticationEx]].concat());
        let hangup_only = set(&[&links[..], &[AcceptReauthenticationEx]].concat());
        for pointers in [both, hangup_only] {
            let finding = finding((2, pointers), Profile::Shipping);
            assert_eq!(finding.outcome, Outcome::Fail);
            assert!(finding.problem.unwrap().cause.contains("mingw-w64"));
        }
        for pointers in [set(&links), set(&[&links[..], &[ConnectionHangupNotificationEx]].concat())] {
            let problem = finding((2, pointers), Profile::Shipping).problem;
            assert!(problem.is_none_or(|problem| !problem.cause.contains("mingw")));
        }
    }
}
