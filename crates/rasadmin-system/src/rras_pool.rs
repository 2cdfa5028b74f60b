//! RRAS's own static pool of IPv4 addresses, as configured in its console.
//!
//! [MS-RRASM] 2.2.3.4.15: a subkey for each range, with its first and last address.

use std::net::Ipv4Addr;

/// RRAS's key for IPv4, below HKEY_LOCAL_MACHINE.
pub const KEY: &str = r"SYSTEM\CurrentControlSet\Services\RemoteAccess\Parameters\Ip";

/// The ranges of the pool on this machine, both ends included. There are none if RRAS takes its addresses from DHCP, or
/// if this machine has no RRAS. For tests, `instead` is a key of HKEY_CURRENT_USER that takes the place of
/// HKEY_LOCAL_MACHINE.
#[cfg(windows)]
pub fn read(instead: Option<&str>) -> Vec<(Ipv4Addr, Ipv4Addr)> {
    windows::ranges(instead).unwrap_or_default()
}

/// No system but Windows has RRAS.
#[cfg(not(windows))]
pub const fn read(_: Option<&str>) -> Vec<(Ipv4Addr, Ipv4Addr)> {
    Vec::new()
}

/// A range from its two values, which are numbers in host order.
#[cfg(any(windows, test))]
fn range(from: u32, to: u32) -> Option<(Ipv4Addr, Ipv4Addr)> {
    (from != 0 && from <= to).then(|| (Ipv4Addr::from_bits(from), Ipv4Addr::from_bits(to)))
}

#[cfg(windows)]
mod windows {
    use super::{KEY, range};
    use std::net::Ipv4Addr;
    use winreg::RegKey;
    use winreg::enums::{HKEY_CURRENT_USER, HKEY_LOCAL_MACHINE};

    pub(super) fn ranges(instead: Option<&str>) -> Option<Vec<(Ipv4Addr, Ipv4Addr)>> {
        let key = match instead {
            None => RegKey::predef(HKEY_LOCAL_MACHINE).open_subkey(KEY),
            Some(root) => RegKey::predef(HKEY_CURRENT_USER).open_subkey(format!(r"{root}\{KEY}")),
        };
        let key = key.ok()?;
        let dhcp: u32 = key.get_value("UseDhcpAddressing").unwrap_or(0);
        if dhcp == 1 {
            return None;
        }
        let pool = key.open_subkey("StaticAddressPool").ok()?;
        let of = |name: String| {
            let values = pool.open_subkey(name).ok()?;
            let from: u32 = values.get_value("From").ok()?;
            let to: u32 = values.get_value("To").ok()?;
            range(from, to)
        };
        Some(pool.enum_keys().map_while(Result::ok).filter_map(of).collect())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_range_has_its_addresses_in_host_order() {
        let expected = (Ipv4Addr::new(10, 20, 0, 2), Ipv4Addr::new(10, 20, 0, 254));
        assert_eq!(range(0x0a14_0002, 0x0a14_00fe), Some(expected));
        assert_eq!((range(0, 0), range(2, 1)), (None, None));
    }

    #[cfg(windows)]
    #[test]
    fn the_ranges_are_read_from_the_registry() {
        use winreg::RegKey;
        use winreg::enums::HKEY_CURRENT_USER;
        let root = format!(r"Software\rasadmin-pool-{}", std::process::id());
        let user = RegKey::predef(HKEY_CURRENT_USER);
        assert!(read(Some(&root)).is_empty());
        let (key, _) = user.create_subkey(format!(r"{root}\{KEY}")).unwrap();
        assert!(read(Some(&root)).is_empty());
        for (at, from, to) in [(0, 0x0a14_0002_u32, 0x0a14_00fe_u32), (1, 0x0a15_0000, 0x0a15_0001)] {
            let (values, _) = key.create_subkey(format!(r"StaticAddressPool\{at}")).unwrap();
            values.set_value("From", &from).unwrap();
            values.set_value("To", &to).unwrap();
        }
        let expected =
            [(0x0a14_0002, 0x0a14_00fe), (0x0a15_0000, 0x0a15_0001)].map(|(from, to)| range(from, to).unwrap());
        assert_eq!(read(Some(&root)), expected);
        key.set_value("UseDhcpAddressing", &1_u32).unwrap();
        assert!(read(Some(&root)).is_empty());
        user.delete_subkey_all(&root).unwrap();
    }

    #[cfg(not(windows))]
    #[test]
    fn no_other_system_has_one() {
        assert!(read(None).is_empty());
    }
}
