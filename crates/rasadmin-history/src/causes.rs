//! The names of Acct-Terminate-Cause values (RFC 2866) in RADIUS dictionaries.

const NAMES: [&str; 18] = [
    "User-Request",
    "Lost-Carrier",
    "Lost-Service",
    "Idle-Timeout",
    "Session-Timeout",
    "Admin-Reset",
    "Admin-Reboot",
    "Port-Error",
    "NAS-Error",
    "NAS-Request",
    "NAS-Reboot",
    "Port-Unneeded",
    "Port-Preempted",
    "Port-Suspended",
    "Service-Unavailable",
    "Callback",
    "User-Error",
    "Host-Request",
];

/// The name of a cause, or its number if it has no name.
pub fn cause_name(number: u32) -> String {
    let name = usize::try_from(number).ok().and_then(|number| NAMES.get(number.checked_sub(1)?));
    name.map_or_else(|| number.to_string(), |&name| name.to_owned())
}

/// The number of a cause, from what [`cause_name`] returns.
pub fn cause_number(name: &str) -> Option<u32> {
    let known = NAMES.iter().position(|known| *known == name).and_then(|at| u32::try_from(at + 1).ok());
    known.or_else(|| name.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_go_both_ways() {
        for (number, name) in [
            (1, "User-Request"),
            (2, "Lost-Carrier"),
            (4, "Idle-Timeout"),
            (5, "Session-Timeout"),
            (6, "Admin-Reset"),
            (10, "NAS-Request"),
            (11, "NAS-Reboot"),
            (13, "Port-Preempted"),
            (0, "0"),
            (99, "99"),
        ] {
            assert_eq!(cause_name(number), name);
            assert_eq!(cause_number(name), Some(number));
        }
        assert_eq!(cause_number("whatever"), None);
    }
}
