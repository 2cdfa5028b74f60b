//! The example program, with which the real calls are tried (docs/field-test.md).
#![allow(clippy::unwrap_used)]

mod support;

use std::path::PathBuf;

fn program() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let name = format!("rras{}", std::env::consts::EXE_SUFFIX);
    let program = test.ancestors().nth(2).unwrap().join("examples").join(name);
    assert!(program.is_file(), "{} is missing: `cargo test -p rasadmin-rras` builds it", program.display());
    program
}

/// Windows would look for a DLL in the program's folder first, where anyone may have put one.
#[cfg(windows)]
#[test]
fn an_mprapi_dll_beside_the_program_is_not_loaded() {
    let folder = tempfile::tempdir().unwrap();
    let (here, planted) = (folder.path().join("rras.exe"), folder.path().join("mprapi.dll"));
    std::fs::copy(program(), &here).unwrap();
    std::fs::copy(support::built(), &planted).unwrap();
    let output = std::process::Command::new(&here).arg("look").current_dir(folder.path()).output().unwrap();
    let text = String::from_utf8([&*output.stdout, &*output.stderr].concat()).unwrap();
    assert!(text.contains("instance") || text.contains("error: cannot"), "the program did not start: {output:?}");
    assert!(!folder.path().join("mprapi.dll.log").exists(), "{output:?}");
}

#[cfg(unix)]
#[test]
fn it_shows_what_rras_has_and_disconnects_a_port() {
    use rasadmin_rras::{
        ConnectionHandle, Failure, Operation, PortHandle, Rras, Scripted,
        socket::{self, Address, Listener},
    };
    use std::sync::Arc;
    let stand_in = support::StandIn::new(
        "connection handle=7 user=alice received=5\nport handle=8 connection=7 name=VPN0-1 state=5",
    );
    let (mprapi, rras) = (stand_in.load(), Scripted::default());
    rras.change(|script| {
        script.instance = Some(support::INSTANCE);
        script.connections = mprapi.connections().unwrap();
        script.ports = mprapi.ports(ConnectionHandle(7)).unwrap();
    });
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rras");
    let listener = Listener::bind(&Address::Path(path.clone())).unwrap();
    let behind: Arc<dyn Rras> = Arc::new(rras.clone());
    std::thread::spawn(move || socket::serve(&listener, &behind));
    let run = |arguments: &[&str]| {
        let output = std::process::Command::new(program()).args(arguments).env("RRAS_SOCKET", &path).output().unwrap();
        let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
        (output.status.success(), text)
    };
    let (ok, text) = run(&["look"]);
    assert!(ok, "{text}");
    for part in ["1 connections", r#""user":"alice""#, r#""octets_received":5"#, "the same GUID", r#""name":"VPN0-1""#]
    {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    let gone = || Failure::Gone { code: 906 };
    rras.change(|script| script.failing = vec![(Operation::Connection, gone()), (Operation::Ports, gone())]);
    let (ok, text) = run(&["look"]);
    let why = "the connection or port does not exist any more (error 906); list the connections again";
    assert!(ok, "a client that disconnects meanwhile is not the end: {text}");
    assert!(text.contains(&format!("    read again: cannot read a connection of RRAS: {why}\n")), "{text}");
    assert!(text.ends_with(&format!("    ports: cannot list the ports of a connection of RRAS: {why}\n")), "{text}");
    rras.change(|script| script.failing.clear());
    let (ok, text) = run(&["disconnect", "8"]);
    assert!(ok && text.ends_with("disconnected\n"), "{text}");
    assert_eq!(rras.script().disconnected, [PortHandle(8)]);
    let (ok, text) = run(&["disconnect", "8"]);
    assert!(!ok, "{text}");
    let why = "the connection or port does not exist any more";
    assert_eq!(text, format!("error: cannot read a port of RRAS: {why}; list the connections again\n"));
    rras.change(|script| (script.asked, script.failing) = (Vec::new(), vec![(Operation::Disconnect, gone())]));
    let (ok, text) = run(&["disconnect-unread", "8"]);
    assert!(!ok, "{text}");
    assert_eq!(
        text,
        format!("error: cannot disconnect a port of RRAS: {why} (error 906); list the connections again\n")
    );
    assert_eq!(rras.script().asked, [Operation::Disconnect], "nothing is read before");
    rras.change(|script| script.instance = None);
    let (ok, text) = run(&["look"]);
    assert!(!ok && text.starts_with("instance null\nerror: cannot list RRAS's connections"), "{text}");
}
