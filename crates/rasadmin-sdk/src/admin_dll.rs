//! The traits that an admin DLL implements.

use crate::address::{AddressRequest, Assignment, InterfaceId, Refusal};
use crate::calls_inside::CallsInside;
use crate::connection::Connection;
use crate::initialize::{Environment, InitializeError};
use crate::link::Link;
use crate::pre_authentication::PreAuthentication;
use std::borrow::Cow;
use std::net::{Ipv4Addr, Ipv6Addr};

/// The answer to a connection, a link, a reauthentication or an endpoint change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Accept.
    Accept,
    /// Reject, for this reason. The reason goes to the log; leave it empty if the DLL logs it itself. RRAS does not get it.
    Reject(Cow<'static, str>),
}

impl Verdict {
    /// A rejection for this reason.
    pub fn reject(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::Reject(reason.into())
    }
}

/// An admin DLL. Every required function of the contract is a required method.
///
/// All methods take `&self`. Calls may overlap, except within two groups: accept and hangup of connections, and the address
/// functions. RRAS waits for every answer, so answer quickly. Never call a RAS administration function, such as
/// MprAdminConnectionEnum, from a method: it does not return.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an admin DLL",
    label = "implement `rasadmin_sdk::AdminDll` for it"
)]
pub trait AdminDll: Send + Sync + Sized + 'static {
    /// Called when RRAS loads the DLL (MprAdminInitializeDllEx, MprAdminInitializeDll).
    ///
    /// # Errors
    /// An error keeps the Remote Access service from starting.
    fn initialize(environment: &Environment) -> Result<Self, InitializeError>;

    /// Called before RRAS unloads the DLL (MprAdminTerminateDll). No call is inside, and none follows. When this returns, no
    /// thread of the DLL may still run.
    fn terminate(&self);

    /// Called instead of [`terminate`](Self::terminate) if calls are still inside: they have not returned within five
    /// seconds, or one of them has called MprAdminTerminateDll itself.
    ///
    /// The calls go on, and use this value and everything else that they were using. So do not shut down anything that
    /// they share, such as a library's global state, and do not wait for a lock that they may hold. The log stays open for
    /// them. The DLL stays in memory until the process ends, unless the loader refuses that
    /// ([`CallsInside::kept_in_memory`]).
    ///
    /// The default logs an error and calls [`terminate`](Self::terminate).
    fn terminate_among_calls(&self, calls: &CallsInside) {
        tracing::error!("terminated while calls are inside: {calls}");
        self.terminate();
    }

    /// Decides whether a user who has authenticated may connect.
    fn accept_connection(&self, connection: &Connection) -> Verdict;

    /// Called when a connection has ended. It may be one that was rejected, or one that the DLL does not know.
    fn connection_hangup(&self, connection: &Connection);

    /// Decides whether a connection may have this link. The first link follows the connection at once.
    fn accept_link(&self, link: &Link) -> Verdict;

    /// Called when a link has ended.
    fn link_hangup(&self, link: &Link);

    /// Decides whether the connection may continue after its quarantine state has changed.
    fn accept_reauthentication(&self, connection: &Connection) -> Verdict;

    /// An IKEv2 client has changed to another address (MOBIKE). Accepts unless implemented.
    fn accept_endpoint_change(&self, connection: &Connection) -> Verdict {
        let _ = connection;
        Verdict::Accept
    }
}

/// The IPv4 address functions: `export_admin_dll!(MyDll, ipv4)`. RRAS uses those of the first DLL of its list that has them.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not assign IPv4 addresses",
    label = "`ipv4` was named: implement `rasadmin_sdk::AssignIpv4`, or leave `ipv4` out"
)]
pub trait AssignIpv4: AdminDll {
    /// Chooses the client's address: RRAS's offer, or another.
    ///
    /// # Errors
    /// An error ends the connection.
    fn assign_ipv4(&self, request: &AddressRequest<Ipv4Addr>) -> Result<Assignment<Ipv4Addr>, Refusal>;

    /// Called when the client gives the address back: once, if the assignment asked for it, and also if RRAS refused the
    /// address.
    fn release_ipv4(&self, request: &AddressRequest<Ipv4Addr>);
}

/// The IPv6 address functions: `export_admin_dll!(MyDll, ipv6)`. RRAS owns the prefix, and the DLL may choose the interface
/// identifier.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not assign IPv6 interface identifiers",
    label = "`ipv6` was named: implement `rasadmin_sdk::AssignIpv6`, or leave `ipv6` out"
)]
pub trait AssignIpv6: AdminDll {
    /// Chooses the client's interface identifier: RRAS's offer, or another.
    ///
    /// # Errors
    /// An error ends the connection.
    fn assign_ipv6(&self, request: &AddressRequest<Ipv6Addr>) -> Result<Assignment<InterfaceId>, Refusal>;

    /// Called when the client gives the identifier back, as [`AssignIpv4::release_ipv4`].
    fn release_ipv6(&self, request: &AddressRequest<Ipv6Addr>);
}

/// Pre-authentication of SSTP clients: `export_admin_dll!(MyDll, pre_authentication)`.
///
/// Without it, the pointer in the callbacks table stays null. Nearly every DLL should leave it so: a wrong `true` opens the
/// VPN to anyone, and a `false` overrules another vendor's DLL.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not validate pre-authenticated connections",
    label = "`pre_authentication` was named: implement `rasadmin_sdk::ValidatePreAuthenticated`, or leave it out"
)]
pub trait ValidatePreAuthenticated: AdminDll {
    /// Whether this SSTP client may connect without PPP authentication.
    fn admit_without_authentication(&self, client: &PreAuthentication) -> bool;
}
