//! What of the product reaches the system's own log, from outside: the built DLL, started and called as by RRAS.
//!
//! Elsewhere than on Windows a socket stands in for syslog. Wine's Event Log keeps nothing, but Wine can say what was
//! reported to it: so there the DLL is driven in a process of its own, and what Wine says is read. (On Windows itself the
//! events are in the log Application; here only the driving is tested.)
#![allow(clippy::unwrap_used)]

use mprapi::abi::{RAS_CONNECTION_0, RAS_CONNECTION_1};
use rasadmin_messages::Id;
use std::path::{Path, PathBuf};

/// The DLL beside this test's executable.
fn built() -> PathBuf {
    let name = format!("{}rasadmin{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    let test = std::env::current_exe().unwrap();
    let path = test.ancestors().nth(2).unwrap().join(name);
    assert!(path.is_file(), "{} is missing: run `cargo build --workspace`", path.display());
    path
}

/// The service, as far as it is needed here.
struct Service(libloading::Library);

impl Service {
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

/// An environment variable of this process; no other thread reads it here.
fn set(name: &str, value: &Path) {
    // SAFETY: there is one test in this program, and nothing else of it runs.
    unsafe { std::env::set_var(name, value) };
}

/// What is expected: a message, and something of its text.
type Told = (Id, &'static str);

const ALLOW: &str = "default.action = \"allow\"\n";
const DENY: &str = "default = { action = \"deny\", reason = \"100%1\" }\n";

/// Everything that the DLL itself tells. After each step `look` is called with what must have been told in it.
fn drive(folder: &Path, look: &mut dyn FnMut(&[Told])) {
    let config = folder.join("rasadmin.toml");
    let write = |text: &str| std::fs::write(&config, text).unwrap();
    set("RASADMIN_CONFIG", &config);
    set("RASADMIN_LOG", &folder.join("rasadmin.log"));
    // SAFETY: the product's start-up code is Rust's own.
    let service = Service(unsafe { libloading::Library::new(built()) }.unwrap());

    assert_eq!(service.initialize(), 2);
    look(&[(Id::ConfigNotFound, "RASADMIN_CONFIG names it")]);
    write("default.action = \"dney\"\ndefault.reson = \"x\"\n");
    assert_eq!(service.initialize(), 1610);
    look(&[(Id::ConfigNeverGood, "rasadmin.toml:1:18: `dney` is not known here")]);

    write(ALLOW);
    set("RASADMIN_LOG", folder);
    assert_eq!(service.initialize(), 0);
    look(&[(Id::LogNotOpened, "cannot write the log"), (Id::Started, concat!("rasadmin ", env!("CARGO_PKG_VERSION")))]);
    service.terminate();
    look(&[(Id::Stopped, "rasadmin has stopped")]);
    set("RASADMIN_LOG", &folder.join("rasadmin.log"));

    // The first call of a service looks at the configuration, however soon it comes.
    assert_eq!(service.initialize(), 0);
    write(DENY);
    assert_eq!(service.accept("CORP\\mallory\n2026 100%1"), 0);
    let refused = r"user CORP\MALLORY\n2026 100%1, from -, computer -; rule: (default); reason: 100%1";
    look(&[
        (Id::Started, "rasadmin.db"),
        (Id::ConfigInForce, "has changed, and is in force ("),
        (Id::ConnectionRefused, refused),
    ]);
    service.terminate();
    assert_eq!(service.initialize(), 0);
    write("default.action = \"dney\"\n");
    assert_eq!(service.accept("x"), 0);
    look(&[
        (Id::Stopped, ""),
        (Id::Started, ""),
        (Id::ConfigBroken, "`dney` is not known here"),
        (Id::ConnectionRefused, "user X"),
    ]);
    service.terminate();
    assert_eq!(service.initialize(), 0);
    look(&[(Id::Stopped, ""), (Id::ConfigBrokenAtStart, "`dney` is not known here"), (Id::Started, "")]);
    // What is accepted is no news.
    service.terminate();
    write(ALLOW);
    assert_eq!(service.initialize(), 0);
    assert_eq!(service.accept("CORP\\alice"), 1);
    // More than ten in a second: the rest is counted, at the latest at the end.
    for _ in 0..60 {
        service.accept("CORP\\alice");
    }
    service.terminate();
    look(&[(Id::Stopped, ""), (Id::Started, ""), (Id::Stopped, "")]);
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
    drive(folder.path(), &mut |expected| {
        let mut next = || socket.recv(&mut buffer).ok().map(|n| String::from_utf8(buffer[..n].to_vec()).unwrap());
        let told: Vec<String> = std::iter::from_fn(&mut next).collect();
        assert_eq!(told.len(), expected.len(), "{told:#?}");
        for (line, (id, text)) in told.iter().zip(expected) {
            assert!(line.contains(&format!("]: [{}] ", id.number())) && line.contains(text), "{id:?} {text}: {line}");
        }
    });
    // The log file has the same.
    let log = std::fs::read_to_string(folder.path().join("rasadmin.log")).unwrap();
    assert!(log.contains("WARN  connection refused: user CORP\\MALLORY\\n2026"), "{log}");
    assert!(log.contains("message_id=300\n") && !log.contains("rejected"), "one line a refusal: {log}");
}

#[cfg(windows)]
#[test]
fn what_concerns_an_administrator_reaches_the_event_log() {
    const INSIDE: &str = "RASADMIN_SYSTEM_LOG_INSIDE";
    let mut expected = Vec::new();
    if let Some(folder) = std::env::var_os(INSIDE) {
        return drive(Path::new(&folder), &mut |_| {});
    }
    let folder = tempfile::tempdir().unwrap();
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "what_concerns_an_administrator_reaches_the_event_log", "--nocapture"])
        .env(INSIDE, folder.path())
        .env("WINEDEBUG", "fixme+eventlog,warn+eventlog,trace+eventlog")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stdout));
    let reported: Vec<&str> = said.lines().filter(|line| line.contains("eventlog:ReportEventW")).collect();
    println!("{reported:#?}");
    let own = tempfile::tempdir().unwrap();
    drive(own.path(), &mut |told| expected.extend_from_slice(told));
    panic!("{expected:?}");
}
