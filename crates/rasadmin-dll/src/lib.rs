//! The product: a RAS administration DLL for Windows Routing and Remote Access.
//!
//! For now it accepts everyone, keeps the addresses that RRAS offers, and logs each event. The log is the file named by
//! the environment variable RASADMIN_LOG; without it `%ProgramData%\rasadmin\rasadmin.log`, and
//! `/var/log/rasadmin/rasadmin.log` elsewhere.

use rasadmin_sdk::tracing::info;
use rasadmin_sdk::{
    AddressRequest, AdminDll, AssignIpv4, AssignIpv6, Assignment, Connection, Environment, InitializeError,
    InterfaceId, Link, Refusal, Verdict, export_admin_dll, log,
};
use std::io::Write;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;

struct Product;

fn log_file() -> PathBuf {
    if let Some(path) = std::env::var_os("RASADMIN_LOG") {
        return path.into();
    }
    let folder =
        if cfg!(windows) { std::env::var_os("ProgramData").map(PathBuf::from) } else { Some("/var/log".into()) };
    folder.unwrap_or_else(std::env::temp_dir).join("rasadmin").join("rasadmin.log")
}

/// Logs an event of a connection with what identifies it.
macro_rules! connection_event {
    ($connection:ident, $what:literal) => {{
        let (user, domain, computer) = ($connection.user(), $connection.logon_domain(), $connection.remote_computer());
        let (handle, endpoint) = ($connection.handle(), $connection.remote_endpoint());
        info!(?user, ?domain, ?computer, ?endpoint, handle, $what)
    }};
}

impl AdminDll for Product {
    fn initialize(_: &Environment) -> Result<Self, InitializeError> {
        // A log that cannot be opened must not keep the VPN from starting.
        if let Err(error) = log::open(&log_file()) {
            // Not eprintln!, which panics where nothing can be written.
            let _ = writeln!(std::io::stderr(), "rasadmin: cannot write the log {}: {error}", log_file().display());
        }
        info!(version = env!("CARGO_PKG_VERSION"), "initialised");
        Ok(Self)
    }

    fn terminate(&self) {
        info!("terminated");
    }

    fn accept_connection(&self, connection: &Connection) -> Verdict {
        connection_event!(connection, "connection accepted");
        Verdict::Accept
    }

    fn connection_hangup(&self, connection: &Connection) {
        let (seconds, counters) = (connection.duration_seconds(), connection.counters());
        let (received, transmitted) = (counters.bytes_received, counters.bytes_transmitted);
        info!(user = ?connection.user(), handle = connection.handle(), seconds, received, transmitted, "connection ended");
    }

    fn accept_link(&self, link: &Link) -> Verdict {
        info!(port = ?link.port(), device = ?link.device_name(), handle = link.connection_handle(), "link accepted");
        Verdict::Accept
    }

    fn link_hangup(&self, link: &Link) {
        info!(port = ?link.port(), handle = link.connection_handle(), seconds = link.duration_seconds(), "link ended");
    }

    fn accept_reauthentication(&self, connection: &Connection) -> Verdict {
        info!(user = ?connection.user(), quarantine = ?connection.quarantine(), "reauthentication accepted");
        Verdict::Accept
    }

    fn accept_endpoint_change(&self, connection: &Connection) -> Verdict {
        connection_event!(connection, "endpoint change accepted");
        Verdict::Accept
    }
}

impl AssignIpv4 for Product {
    fn assign_ipv4(&self, request: &AddressRequest<Ipv4Addr>) -> Result<Assignment<Ipv4Addr>, Refusal> {
        let (user, port) = (request.user(), request.port());
        let Some(address) = request.offer() else {
            let offer = request.address();
            return Err(Refusal::new(format!("RRAS offers no usable IPv4 address ({offer}), and there is no pool")));
        };
        info!(?user, ?port, %address, "IPv4 address kept");
        Ok(Assignment::of(address))
    }

    fn release_ipv4(&self, request: &AddressRequest<Ipv4Addr>) {
        info!(user = ?request.user(), port = ?request.port(), address = %request.address(), "IPv4 address released");
    }
}

impl AssignIpv6 for Product {
    fn assign_ipv6(&self, request: &AddressRequest<Ipv6Addr>) -> Result<Assignment<InterfaceId>, Refusal> {
        info!(user = ?request.user(), port = ?request.port(), address = %request.address(), "IPv6 identifier kept");
        Ok(Assignment::of(request.offered_identifier()))
    }

    fn release_ipv6(&self, request: &AddressRequest<Ipv6Addr>) {
        info!(user = ?request.user(), port = ?request.port(), address = %request.address(), "IPv6 identifier released");
    }
}

export_admin_dll!(Product, ipv4, ipv6);
