//! What the tests of warnings share.

use rasadmin_policy::config::Computer;
use std::net::Ipv4Addr;

/// A computer at the end of November 2026, whose drive Z: is on the network.
pub fn computer(rras: &[(Ipv4Addr, Ipv4Addr)]) -> Computer<'_> {
    let now = "2026-11-30T12:00:00Z".parse().unwrap();
    Computer { now, rras, is_network_drive: &|letter| letter == 'Z' }
}
