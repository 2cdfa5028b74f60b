//! What an admin DLL must and may do.

use crate::address::{AddressRequest, Assignment, InterfaceId, Refusal};
use crate::{CallsInside, Connection, Environment, InitializeError, Link, PreAuthentication};
use std::borrow::Cow;
use std::net::{Ipv4Addr, Ipv6Addr};

/// The answer to a connection, a link, a reauthentication or an endpoint change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It may stand.
    Accept,
    /// It may not; the reason goes to the log, unless it is empty: then the DLL has told it itself. RRAS is only told
    /// that it may not.
    Reject(Cow<'static, str>),
}

impl Verdict {
    /// A rejection with its reason.
    pub fn reject(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::Reject(reason.into())
    }
}

/// An admin DLL. Every required function of the contract is a required method.
///
/// All methods take `&self`, and calls may overlap, except within two groups: accept and hangup of connections, and the
/// address functions. RRAS waits for every answer, so be quick; and never call a RAS administration function
/// (MprAdminConnectionEnum and the like) from here: it does not return.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an admin DLL",
    label = "implement `rasadmin_sdk::AdminDll` for it"
)]
pub trait AdminDll: Send + Sync + Sized + 'static {
    /// RRAS loads the DLL (MprAdminInitializeDllEx, MprAdminInitializeDll). An error keeps the Remote Access service from
    /// starting.
    fn initialize(environment: &Environment) -> Result<Self, InitializeError>;

    /// RRAS is about to unload the DLL (MprAdminTerminateDll). No call is inside, and none comes any more. No thread of the
    /// DLL may still run afterwards.
    fn terminate(&self);

    /// As [`terminate`](Self::terminate), but calls that were inside have not returned in five seconds, or one of them
    /// calls MprAdminTerminateDll itself. The DLL stays in memory until the process ends, unless the loader refuses
    /// that ([`CallsInside::kept_in_memory`]), so the calls may return whenever they can; until then they use this
    /// value, and whatever else they were using. So do not shut down anything that others use too, such as a library's
    /// global state, and do not wait for a lock that one of them may hold. The log stays open for them.
    ///
    /// Unless implemented it logs an error and calls [`terminate`](Self::terminate).
    fn terminate_among_calls(&self, calls: &CallsInside) {
        tracing::error!("terminated while calls are inside: {calls}");
        self.terminate();
    }

    /// A user has authenticated and connects.
    fn accept_connection(&self, connection: &Connection) -> Verdict;

    /// A connection has ended, its last link with it. It may be one that was rejected, or one never heard of.
    fn connection_hangup(&self, connection: &Connection);

    /// A link of a connection: the first follows the connection at once.
    fn accept_link(&self, link: &Link) -> Verdict;

    /// A link has ended.
    fn link_hangup(&self, link: &Link);

    /// The connection's quarantine state has changed.
    fn accept_reauthentication(&self, connection: &Connection) -> Verdict;

    /// An IKEv2 client has moved to another address (MOBIKE). Accepts unless implemented.
    fn accept_endpoint_change(&self, connection: &Connection) -> Verdict {
        let _ = connection;
        Verdict::Accept
    }
}

/// The IPv4 pair: `export_admin_dll!(MyDll, ipv4)`. RRAS takes the pair from the first DLL of its list that has it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not assign IPv4 addresses",
    label = "`ipv4` was named: implement `rasadmin_sdk::AssignIpv4`, or leave `ipv4` out"
)]
pub trait AssignIpv4: AdminDll {
    /// Chooses the client's address: the offer, or another. An error ends the connection.
    fn assign_ipv4(&self, request: &AddressRequest<Ipv4Addr>) -> Result<Assignment<Ipv4Addr>, Refusal>;

    /// The address is given back. Called once if the assignment asked for it, also when RRAS refused the address.
    fn release_ipv4(&self, request: &AddressRequest<Ipv4Addr>);
}

/// The IPv6 pair: `export_admin_dll!(MyDll, ipv6)`. RRAS owns the prefix; the DLL may choose the interface identifier.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not assign IPv6 interface identifiers",
    label = "`ipv6` was named: implement `rasadmin_sdk::AssignIpv6`, or leave `ipv6` out"
)]
pub trait AssignIpv6: AdminDll {
    /// Chooses the client's interface identifier: the offer, or another. An error ends the connection.
    fn assign_ipv6(&self, request: &AddressRequest<Ipv6Addr>) -> Result<Assignment<InterfaceId>, Refusal>;

    /// The identifier is given back.
    fn release_ipv6(&self, request: &AddressRequest<Ipv6Addr>);
}

/// Pre-authentication of SSTP clients: `export_admin_dll!(MyDll, pre_authentication)`.
///
/// Without it the pointer in the callbacks table stays null, which is what nearly every DLL wants: a wrong `true` opens
/// the VPN, and a `false` overrules another vendor's DLL.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not validate pre-authenticated connections",
    label = "`pre_authentication` was named: implement `rasadmin_sdk::ValidatePreAuthenticated`, or leave it out"
)]
pub trait ValidatePreAuthenticated: AdminDll {
    /// May this SSTP client in without PPP authentication?
    fn admit_without_authentication(&self, client: &PreAuthentication) -> bool;
}
