//! {{description}}.
//!
//! RRAS calls these methods for every user of the VPN. Answer at once: while one waits, no other user can connect. The
//! front page of `rasadmin-sdk` has the order of the calls.

use rasadmin_sdk::{AdminDll, Connection, Environment, InitializeError, Link, Verdict, export_admin_dll};

struct Dll;

impl AdminDll for Dll {
    /// If this fails, the Remote Access service does not start: fail only if running without the DLL would be worse.
    fn initialize(_: &Environment) -> Result<Self, InitializeError> {
        Ok(Self)
    }

    /// The DLL is unloaded next: end every thread and close every file.
    fn terminate(&self) {}

    /// A user has authenticated. The connection is made only if every DLL accepts it.
    fn accept_connection(&self, connection: &Connection) -> Verdict {
        if connection.user().eq_ignore_case("guest") {
            return Verdict::reject("guests may not use the VPN");
        }
        Verdict::Accept
    }

    /// A connection has ended. It may also be one that another DLL rejected.
    fn connection_hangup(&self, _connection: &Connection) {}

    /// A link of an accepted connection. Only its device distinguishes SSTP, L2TP and PPTP.
    fn accept_link(&self, _link: &Link) -> Verdict {
        Verdict::Accept
    }

    fn link_hangup(&self, _link: &Link) {}

    /// The quarantine state has changed. A rejection cuts the connection.
    fn accept_reauthentication(&self, _connection: &Connection) -> Verdict {
        Verdict::Accept
    }
}

// To assign addresses too, implement AssignIpv4 or AssignIpv6 and write `export_admin_dll!(Dll, ipv4, ipv6)`.
export_admin_dll!(Dll);
