//! What keeps the Remote Access service from starting without any fault of an admin DLL (R-EVENT-4).

use crate::machine_policy::Obstacle;

/// The key of the value DisabledComponents, below HKEY_LOCAL_MACHINE.
pub const IPV6_KEY: &str = r"SYSTEM\CurrentControlSet\Services\Tcpip6\Parameters";
/// Its value: bits that switch parts of IPv6 off.
pub const IPV6_VALUE: &str = "DisabledComponents";

const IPV6_OFF: Obstacle = Obstacle {
    what: "IPv6 is switched off on this machine",
    cause: "The registry value DisabledComponents (HKLM\\SYSTEM\\CurrentControlSet\\Services\\Tcpip6\\Parameters) says so.",
    effect: "This is known to keep the Remote Access service from starting (event 7024 of the Service Control Manager), \
             with or without an admin DLL.",
    remedy: "If Remote Access does not start, delete the value or set it to 0x20, which only prefers IPv4, and restart \
             the server.",
};

/// Whether DisabledComponents switches IPv6 off: on tunnels (bit 0) and on all other interfaces (bit 4).
pub fn ipv6_obstacle(disabled_components: Option<u32>) -> Option<&'static Obstacle> {
    const EVERYWHERE: u32 = 0x11;
    disabled_components.filter(|bits| bits & EVERYWHERE == EVERYWHERE).map(|_| &IPV6_OFF)
}

/// DisabledComponents of this machine. For tests, `instead` is a key of HKEY_CURRENT_USER that takes the place of
/// HKEY_LOCAL_MACHINE. No system but Windows has it.
#[cfg(windows)]
pub fn disabled_components(instead: Option<&str>) -> Option<u32> {
    use winreg::RegKey;
    use winreg::enums::{HKEY_CURRENT_USER, HKEY_LOCAL_MACHINE};
    let key = match instead {
        None => RegKey::predef(HKEY_LOCAL_MACHINE).open_subkey(IPV6_KEY),
        Some(root) => RegKey::predef(HKEY_CURRENT_USER).open_subkey(format!(r"{root}\{IPV6_KEY}")),
    };
    key.ok()?.get_value(IPV6_VALUE).ok()
}

/// DisabledComponents of this machine. No system but Windows has it.
#[cfg(not(windows))]
pub const fn disabled_components(_: Option<&str>) -> Option<u32> {
    None
}

/// Event 7024: the Remote Access service ended with an error when it started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartFailure {
    /// When: UTC, as RFC 3339 writes it.
    pub time: String,
    /// The error, as the event has it: a number.
    pub error: String,
}

/// Why that may have been.
pub const KNOWN_CAUSES: &str = "known causes: an admin DLL that is missing or does not load (events 20113 and 20204 of the \
                                source RemoteAccess name it), IPv6 switched off by DisabledComponents, a policy of this \
                                machine";

/// Finds the latest failure of the service in events 7024, as wevtutil prints them: XML, one element per event, the
/// latest first. Texts are localised, so the service is recognised by its key, which the event has as binary data.
#[cfg(any(windows, test))]
fn latest(events: &str) -> Option<StartFailure> {
    // "RemoteAccess" in UTF-16.
    const KEY: &str = "520065006D006F0074006500410063006300650073007300";
    /// The service's name where an event has no binary data. Other languages translate it.
    const NAME: &str = "Routing and Remote Access";
    let between = |text: &str, from: &str, to: &str| {
        let start = text.find(from)? + from.len();
        let end = start + text.get(start..)?.find(to)?;
        text.get(start..end).map(str::to_owned)
    };
    events.split("<Event ").skip(1).find_map(|event| {
        let event = event.replace('"', "'");
        let is_ours = match between(&event, "<Binary>", "</Binary>") {
            Some(key) => key.to_ascii_uppercase().starts_with(KEY),
            None => between(&event, "<Data Name='param1'>", "</Data>").is_some_and(|name| name == NAME),
        };
        let error = between(&event, "<Data Name='param2'>", "</Data>").filter(|_| is_ours)?;
        let time = between(&event, "SystemTime='", "'")?;
        Some(StartFailure { time, error: error.trim_start_matches('%').to_owned() })
    })
}

/// The latest failure of the service to start within a week. None if there is none, or if the System log cannot be
/// read.
#[cfg(windows)]
pub fn start_failure() -> Option<StartFailure> {
    use std::io::Read;
    use std::process::{Command, Stdio};
    use std::sync::mpsc;
    use std::time::Duration;
    const QUERY: &str = "*[System[Provider[@Name='Service Control Manager'] and (EventID=7024) and \
                         TimeCreated[timediff(@SystemTime) <= 604800000]]]";
    let tool = std::path::PathBuf::from(std::env::var_os("SystemRoot")?).join(r"System32\wevtutil.exe");
    let mut child = Command::new(tool)
        .args(["qe", "System", &format!("/q:{QUERY}"), "/rd:true", "/c:50", "/f:xml"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let mut stdout = child.stdout.take()?;
    let (done, read) = mpsc::channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        // Nobody waits any more: then this does not matter.
        let _ = stdout.read_to_end(&mut bytes).map(|_| done.send(bytes));
    });
    let bytes = read.recv_timeout(Duration::from_secs(10));
    if bytes.is_err() {
        // It hangs, so the Event Log service does not answer.
        let _ = child.kill();
    }
    let _ = child.wait();
    latest(&String::from_utf8_lossy(&bytes.ok()?))
}

/// The latest failure of the service to start. No system but Windows has it.
#[cfg(not(windows))]
pub const fn start_failure() -> Option<StartFailure> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ipv6_is_off_if_it_is_off_everywhere() {
        let off = |value| ipv6_obstacle(value).is_some();
        for value in [None, Some(0), Some(0x01), Some(0x10), Some(0x20)] {
            assert!(!off(value), "{value:?}");
        }
        for value in [0x11, 0xff, 0xffff_ffff] {
            assert!(off(Some(value)), "{value:x}");
        }
    }

    fn event(time: &str, name: &str, error: &str, binary: &str) -> String {
        format!(
            "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider Name='Service Control \
             Manager'/><EventID Qualifiers='49152'>7024</EventID><TimeCreated SystemTime='{time}'/></System><EventData>\
             <Data Name='param1'>{name}</Data><Data Name='param2'>{error}</Data>{binary}</EventData></Event>\r\n"
        )
    }

    #[test]
    fn the_latest_failure_of_remote_access_is_found_in_any_language() {
        let remote = "<Binary>520065006D006F00740065004100630063006500730073000000</Binary>";
        let other = "<Binary>4D00700073005300760063000000</Binary>";
        let events = event("2026-11-29T08:00:00.0000000Z", "Windows Firewall", "%%5", other)
            + &event("2026-11-28T07:12:00.1234567Z", "Routing und RAS", "%%20205", remote)
            + &event("2026-11-27T07:12:00.1234567Z", "Routing und RAS", "%%193", remote);
        let expected = StartFailure { time: "2026-11-28T07:12:00.1234567Z".to_owned(), error: "20205".to_owned() };
        assert_eq!(latest(&events), Some(expected.clone()));
        assert_eq!(latest(&events.replace('\'', "\"")), Some(expected));
        let english = event("2026-11-28T07:12:00Z", "Routing and Remote Access", "%%2", "");
        assert_eq!(latest(&english).map(|failure| failure.error), Some("2".to_owned()));
    }

    #[test]
    fn what_is_no_such_event_is_left_out() {
        for text in ["", "<Event ", "<Event ><Binary>52", "no events", "<Event ><Data Name='param2'>%%2</Data>"] {
            assert_eq!(latest(text), None, "{text}");
        }
    }

    #[cfg(windows)]
    #[test]
    fn the_value_is_read_from_the_registry() {
        use winreg::RegKey;
        use winreg::enums::HKEY_CURRENT_USER;
        let root = format!(r"Software\rasadmin-ipv6-{}", std::process::id());
        assert_eq!(disabled_components(Some(&root)), None);
        let user = RegKey::predef(HKEY_CURRENT_USER);
        let (key, _) = user.create_subkey(format!(r"{root}\{IPV6_KEY}")).unwrap();
        key.set_value(IPV6_VALUE, &0xff_u32).unwrap();
        assert_eq!(disabled_components(Some(&root)), Some(0xff));
        user.delete_subkey_all(&root).unwrap();
        // The system answers, whatever it says.
        let _ = start_failure();
    }
}
