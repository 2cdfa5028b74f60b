//! The messages that the built DLL writes to the system's log when it is started and called as by RRAS.
//!
//! On Unix a socket replaces syslog. On Windows the DLL's calls of the Event Log functions are intercepted, because
//! Wine's Event Log stores nothing that could be read, and Windows formats the texts from the DLL's message table.
#![allow(clippy::unwrap_used)]

#[cfg(windows)]
mod event_log;
mod support;

use mprapi::abi::{RAS_CONNECTION_0, RAS_CONNECTION_1};
use rasadmin_messages::Id;
use std::path::Path;
use support::built;

/// The parts of the service that this test needs.
struct Service(libloading::Library);

impl Service {
    fn load() -> Self {
        // SAFETY: the product's start-up code is Rust's own.
        Self(unsafe { libloading::Library::new(built()) }.unwrap())
    }

    fn initialize(&self) -> u32 {
        // SAFETY: the contract's signature.
        unsafe { self.0.get::<unsafe extern "system" fn() -> u32>(b"MprAdminInitializeDll").unwrap()() }
    }

    fn terminate(&self) {
        // SAFETY: the contract's signature.
        assert_eq!(unsafe { self.0.get::<unsafe extern "system" fn() -> u32>(b"MprAdminTerminateDll").unwrap()() }, 0);
    }

    fn accept(&self, user: &str) -> i32 {
        type Accept = unsafe extern "system" fn(*mut RAS_CONNECTION_0, *mut RAS_CONNECTION_1) -> i32;
        let mut connection = RAS_CONNECTION_0::default();
        for (to, unit) in connection.wszUserName.iter_mut().zip(user.encode_utf16()) {
            *to = unit;
        }
        connection.hConnection = std::ptr::without_provenance_mut(7);
        // SAFETY: the contract's signature; both are whole structures.
        unsafe {
            let accept = self.0.get::<Accept>(b"MprAdminAcceptNewConnection").unwrap();
            accept(&mut connection, &mut RAS_CONNECTION_1::default())
        }
    }
}

/// Sets an environment variable of this process.
fn set(name: &str, value: &Path) {
    // SAFETY: no other test of this program reads the environment.
    unsafe { std::env::set_var(name, value) };
}

const ALLOW: &str = "default.action = \"allow\"\n";
const DENY: &str = "default = { action = \"deny\", reason = \"100%1\" }\n";

/// An expected message, with a part of its text.
type Expected<'a> = (Id, &'a str);

/// Windows would read this as one of its own inserts.
const HOSTILE: &str = if cfg!(windows) { "100% 1" } else { "100%1" };

/// Produces every message that the DLL itself emits. After each step, `look` gets the messages that must have appeared.
fn drive(service: &Service, folder: &Path, look: &mut dyn FnMut(&[Expected<'_>])) {
    let config = folder.join("rasadmin.toml");
    let write = |text: &str| std::fs::write(&config, text).unwrap();
    set("RASADMIN_CONFIG", &config);
    set("RASADMIN_LOG", &folder.join("rasadmin.log"));

    assert_eq!(service.initialize(), 2);
    look(&[(Id::ConfigNotFound, "RASADMIN_CONFIG names it")]);
    write("default.action = \"dney\"\ndefault.reson = \"x\"\n");
    assert_eq!(service.initialize(), 1610);
    look(&[(Id::ConfigNeverGood, "rasadmin.toml:1:18: `dney` is not a valid value")]);

    write(ALLOW);
    set("RASADMIN_LOG", folder);
    assert_eq!(service.initialize(), 0);
    look(&[(Id::LogNotOpened, "cannot write the log"), (Id::Started, concat!("rasadmin ", env!("CARGO_PKG_VERSION")))]);
    service.terminate();
    look(&[(Id::Stopped, "rasadmin has stopped")]);
    set("RASADMIN_LOG", &folder.join("rasadmin.log"));

    // The first call after a start checks the configuration, however soon it comes.
    assert_eq!(service.initialize(), 0);
    write(DENY);
    assert_eq!(service.accept("CORP\\mallory\n2026 100%1"), 0);
    let refused = format!(r"user CORP\MALLORY\n2026 {HOSTILE}, from -, computer -; rule: (default); reason: {HOSTILE}");
    look(&[
        (Id::Started, "journal"),
        (Id::ConfigInForce, "has changed, and is in force ("),
        (Id::ConnectionRefused, &refused),
    ]);
    service.terminate();
    assert_eq!(service.initialize(), 0);
    write("default.action = \"dney\"\n");
    assert_eq!(service.accept("x"), 0);
    look(&[
        (Id::Stopped, ""),
        (Id::Started, ""),
        (Id::ConfigBroken, "`dney` is not a valid value"),
        (Id::ConnectionRefused, "user X"),
    ]);
    service.terminate();
    assert_eq!(service.initialize(), 0);
    look(&[(Id::Stopped, ""), (Id::ConfigBrokenAtStart, "`dney` is not a valid value"), (Id::Started, "")]);
    // Accepted connections are not reported.
    service.terminate();
    write(ALLOW);
    assert_eq!(service.initialize(), 0);
    assert_eq!(service.accept("CORP\\alice"), 1);
    service.terminate();
    look(&[(Id::Stopped, ""), (Id::Started, ""), (Id::Stopped, "")]);
    // A scratch run.
    set("RASADMIN_SYSTEM_LOG", Path::new("off"));
    assert_eq!(service.initialize(), 0);
    service.terminate();
    look(&[]);
}

#[cfg(unix)]
#[test]
fn what_concerns_an_administrator_reaches_syslog() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dev-log");
    let socket = std::os::unix::net::UnixDatagram::bind(&path).unwrap();
    socket.set_nonblocking(true).unwrap();
    set("RASADMIN_SYSTEM_LOG", &path);
    let mut buffer = vec![0; 100_000];
    drive(&Service::load(), folder.path(), &mut |expected| {
        let mut next = || socket.recv(&mut buffer).ok().map(|n| String::from_utf8(buffer[..n].to_vec()).unwrap());
        let reported: Vec<String> = std::iter::from_fn(&mut next).collect();
        assert_eq!(reported.len(), expected.len(), "{reported:#?}");
        for (line, (id, text)) in reported.iter().zip(expected) {
            assert!(line.contains(&format!("]: [{}] ", id.number())) && line.contains(text), "{id:?} {text}: {line}");
        }
    });
    // The log file has the same messages.
    let log = std::fs::read_to_string(folder.path().join("rasadmin.log")).unwrap();
    assert!(log.contains("WARN  connection refused: user CORP\\MALLORY\\n2026"), "{log}");
    assert!(log.contains("message_id=300\n") && !log.contains("rejected"), "one line a refusal: {log}");
}

/// One test at a time: under Wine 8, about one run in 25 crashes if one thread loads a DLL and another its resources
/// only.
#[cfg(windows)]
static ALONE: std::sync::Mutex<()> = std::sync::Mutex::new(());

#[cfg(windows)]
#[test]
fn what_concerns_an_administrator_reaches_the_event_log() {
    let _alone = ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let service = Service::load();
    event_log::catch(&service.0);
    let folder = tempfile::tempdir().unwrap();
    drive(&service, folder.path(), &mut |expected| {
        let mut reported = event_log::reported(&service.0);
        // Wine keeps no protected access lists, so the journal's rights are mended, and that is reported, at each
        // start.
        reported.retain(|event| event.id != Id::JournalMended.event());
        assert_eq!(reported.len(), expected.len(), "{reported:#?}");
        for (event, (id, text)) in reported.iter().zip(expected) {
            let right = event.id == id.event() && event.source == "rasadmin";
            assert!(right && event.text.contains(text), "{id:?} {text}: {event:#?}");
        }
    });
    assert_eq!(event_log::open_sources(), 0, "each start opens one, and each end closes it");
}

/// The Event Viewer loads the DLL for its resources only.
#[cfg(windows)]
#[test]
fn the_dll_has_every_text_and_its_version() {
    let _alone = ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let resources = event_log::Resources::load(&built());
    for id in Id::ALL {
        let text = resources.text(id.event(), None).unwrap_or_default();
        let mut expected = id.row().text.to_owned();
        for (at, name) in id.row().inserts.iter().enumerate() {
            expected = expected.replace(&format!("{{{name}}}"), &format!("%{}", at + 1));
        }
        assert_eq!(text, format!("{expected}\r\n"), "{id:?}");
    }
    assert_eq!(resources.text(0x4000_0001, None), None);
    assert_eq!(event_log::version(&built(), "ProductName").as_deref(), Some("rasadmin"));
    assert_eq!(event_log::version(&built(), "ProductVersion").as_deref(), Some(env!("CARGO_PKG_VERSION")));
    assert_eq!(event_log::version(&built(), "FileVersion").as_deref(), Some(env!("CARGO_PKG_VERSION")));
}
