//! RRAS over a socket.
#![allow(clippy::unwrap_used)]

mod support;

use rasadmin_policy::{InterfaceType, Name, Quarantine};
use rasadmin_rras::{
    Connection, ConnectionHandle, Counters, Failure, Operation, Port, PortHandle, PortState, Projection, Rras,
    Scripted, Socket, Watched,
    socket::{self, Address, Listener},
};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};
use support::{INSTANCE, failure};

fn alice() -> Connection {
    Connection {
        handle: ConnectionHandle(0xffff_ffff_0000_0007),
        guid: Some("04030201-0605-0807-090a-0b0c0d0e0f10".into()),
        interface: InterfaceType::Client,
        interface_name: Name::default(),
        user: Name::from_utf16(&[0x61, 0xd800, 0x0a]),
        domain: Name::new("CORP"),
        computer: Name::new("LAPTOP-7"),
        source: Name::new("203.0.113.9"),
        ikev2: true,
        quarantine: Some(Quarantine::NotCapable),
        seconds: 9,
        counters: Counters {
            octets_received: u32::MAX,
            octets_transmitted: 1,
            frames_received: 2,
            frames_transmitted: 3,
        },
        projection: Some(Projection {
            ipv4: Some([None, Some([10, 0, 0, 9].into())]),
            ipv6_identifiers: Some([[1; 8], [2; 8]]),
            ipv6_prefix: None,
        }),
    }
}

fn port() -> Port {
    Port {
        handle: PortHandle(8),
        connection: alice().handle,
        name: Name::new("VPN0-1"),
        device: Name::new("WAN Miniport (IKEv2)"),
        device_type: Name::new("vpn"),
        state: PortState::Other(-1),
    }
}

/// An RRAS in memory behind a socket.
fn served() -> (Scripted, Address) {
    served_at(&Address::Port(([127, 0, 0, 1], 0).into()))
}

fn served_at(address: &Address) -> (Scripted, Address) {
    let rras = Scripted::default();
    rras.change(|script| {
        (script.instance, script.connections, script.ports) = (Some(INSTANCE), vec![alice()], vec![port()]);
    });
    let listener = Listener::bind(address).unwrap();
    let address = listener.address().unwrap();
    let behind: Arc<dyn Rras> = Arc::new(rras.clone());
    std::thread::spawn(move || socket::serve(&listener, &behind));
    (rras, address)
}

fn socket() -> (TcpListener, Socket) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = Address::Port(listener.local_addr().unwrap());
    (listener, Socket::new(address))
}

/// A socket whose other side reads a question and answers it with these bytes.
fn answering(answer: &'static [u8]) -> Socket {
    let (listener, socket) = socket();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        BufReader::new(&stream).read_line(&mut String::new()).unwrap();
        stream.write_all(answer).unwrap();
    });
    socket
}

#[test]
fn everything_arrives_as_it_is() {
    let (rras, address) = served();
    everything_arrives(&rras, &Socket::new(address));
}

#[cfg(unix)]
#[test]
fn everything_arrives_over_a_unix_socket() {
    let folder = tempfile::tempdir().unwrap();
    let path = Address::Path(folder.path().join("rras"));
    let (rras, address) = served_at(&path);
    assert_eq!(address, path);
    everything_arrives(&rras, &Socket::new(address));
}

fn everything_arrives(rras: &Scripted, socket: &Socket) {
    assert_eq!(socket.instance().unwrap(), Some(INSTANCE));
    assert_eq!(socket.connections().unwrap(), [alice()]);
    assert_eq!(socket.connection(alice().handle).unwrap(), alice());
    assert_eq!(socket.ports(alice().handle).unwrap(), [port()]);
    assert_eq!(socket.port(PortHandle(8)).unwrap(), port());
    socket.disconnect(PortHandle(8)).unwrap();
    assert_eq!(rras.script().disconnected, [PortHandle(8)]);
    assert_eq!(socket.connections().unwrap(), [], "its last port was disconnected");
    rras.change(|script| script.instance = None);
    assert_eq!(socket.instance().unwrap(), None);
    assert_eq!(failure(socket.connections()), Failure::NotRunning);
}

#[test]
fn failures_arrive_as_they_are() {
    let (rras, address) = served();
    let socket = Socket::new(address);
    let failures = [
        Failure::NotRunning,
        Failure::AccessDenied,
        Failure::OutOfMemory,
        Failure::Unsupported("no \u{1b}[2J".into()),
        Failure::Gone { code: 601 },
        Failure::Failed { function: "MprAdminConnectionEnumEx".into(), code: 1 },
        Failure::Malformed("half".into()),
        Failure::Changed,
        Failure::Unreachable("there".into()),
    ];
    for expected in failures {
        rras.change(|script| script.failing = vec![(Operation::Connections, expected.clone())]);
        let error = socket.connections().unwrap_err();
        assert_eq!(error, expected.of(Operation::Connections));
        assert!(!error.to_string().contains('\u{1b}'), "{error}");
    }
    let ago = Duration::from_secs(5);
    let since = Instant::now().checked_sub(ago).unwrap();
    rras.change(|script| script.failing = vec![(Operation::Connections, Failure::Hung { since })]);
    let Failure::Hung { since: arrived } = failure(socket.connections()) else { panic!() };
    assert!(arrived >= since && arrived.elapsed() >= ago, "{:?}", arrived.elapsed());
}

#[test]
fn an_answer_that_ends_early_is_not_used() {
    for whole_but_for_its_end in [&b"{\"answer\":[]}"[..], b"{\"answer\":[", b""] {
        let socket = answering(whole_but_for_its_end);
        let Failure::Unreachable(what) = failure(socket.connections()) else { panic!() };
        assert!(what.ends_with("the answer ended early; nothing of it is used"), "{what}");
    }
}

#[test]
fn an_answer_to_something_else_is_malformed() {
    for nonsense in
        [&b"\n"[..], b"{\"answer\":7}\n", b"{\"answer\":[{\"handle\":7}]}\n", b"{\"failure\":\"new\"}\n", b"\0\n"]
    {
        let socket = answering(nonsense);
        let failure = failure(socket.connections());
        assert!(matches!(failure, Failure::Malformed(_)), "{failure:?}");
    }
    let socket = answering(b"\xff\n");
    assert!(matches!(failure(socket.connections()), Failure::Unreachable(_)));
}

#[test]
fn a_socket_that_nothing_listens_on_says_so() {
    let (listener, socket) = socket();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    let Failure::Unreachable(what) = failure(socket.instance()) else { panic!() };
    assert!(what.starts_with(&address), "{what}");
    assert!(what.ends_with("nothing answers for RRAS there"), "{what}");
}

/// Root is refused by the missing listener, anyone else by the missing permission: neither is about RRAS's own rights.
#[cfg(unix)]
#[test]
fn a_socket_without_permission_says_which_it_is() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rras");
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o000)).unwrap();
    let Failure::Unreachable(what) = failure(Socket::new(Address::Path(path.clone())).instance()) else { panic!() };
    assert!(what.starts_with(&path.display().to_string()), "{what}");
}

#[test]
fn a_socket_that_does_not_answer_hangs_and_is_left_alone() {
    let (listener, socket) = socket();
    let watched = Watched::new(socket, Duration::from_millis(30)).unwrap();
    for _ in 0..3 {
        assert!(matches!(failure(watched.connections()), Failure::Hung { .. }));
    }
    let (_stream, _) = listener.accept().unwrap();
    listener.set_nonblocking(true).unwrap();
    assert_eq!(listener.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock, "it was asked once");
}

#[test]
fn questions_that_are_not_known_are_refused() {
    let (rras, address) = served();
    #[cfg_attr(not(unix), allow(irrefutable_let_patterns))]
    let Address::Port(port) = address else { panic!() };
    for unknown in [&b"\"reboot\"\n"[..], b"{\"disconnect\":\"all\"}\n", b"\xff\n"] {
        let mut stream = TcpStream::connect(port).unwrap();
        stream.write_all(unknown).unwrap();
        let mut answer = String::new();
        BufReader::new(stream).read_line(&mut answer).unwrap();
        assert_eq!(answer, "{\"failure\":{\"unsupported\":\"the other side does not know this question\"}}\n");
    }
    assert_eq!(rras.script().asked, []);
    assert_eq!(Socket::new(address).connections().unwrap(), [alice()], "it goes on");
}
