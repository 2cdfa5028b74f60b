//! A call that hangs delays nothing else, and while it hangs no other is made.
#![allow(clippy::unwrap_used)]

mod support;

use rasadmin_rras::{
    Connection, ConnectionHandle, Error, Failure, Instance, Operation, Port, PortHandle, Rras, Scripted, Watched,
};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use support::{INSTANCE, StandIn, failure};

/// Long enough for any call that does not hang.
const LONG: Duration = Duration::from_secs(600);
const SHORT: Duration = Duration::from_millis(30);

fn running() -> Scripted {
    let rras = Scripted::default();
    rras.change(|script| script.instance = Some(INSTANCE));
    rras
}

/// Asks until there is an answer other than `Hung`.
fn until_it_answers<T>(mut ask: impl FnMut() -> Result<T, Error>) -> Result<T, Error> {
    let began = Instant::now();
    loop {
        match ask() {
            Err(Error { failure: Failure::Hung { .. }, .. }) if began.elapsed() < LONG => {
                std::thread::sleep(Duration::from_millis(5));
            }
            answer => return answer,
        }
    }
}

/// Waits for what another thread does when it gets a processor: a deadline may pass before a call has begun.
fn wait_until(done: impl Fn() -> bool) {
    let began = Instant::now();
    while !done() {
        assert!(began.elapsed() < LONG);
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn since(failure: &Failure) -> Instant {
    match failure {
        Failure::Hung { since } => *since,
        other => panic!("{other:?}"),
    }
}

#[test]
fn answers_and_failures_pass_through() {
    let rras = running();
    let watched = Watched::new(rras.clone(), LONG).unwrap();
    assert_eq!(watched.instance().unwrap(), Some(INSTANCE));
    assert_eq!(watched.connections().unwrap(), []);
    assert_eq!(
        watched.connection(ConnectionHandle(7)).unwrap_err(),
        Failure::Gone { code: 0 }.of(Operation::Connection)
    );
    assert_eq!(watched.ports(ConnectionHandle(7)).unwrap_err(), Failure::Gone { code: 0 }.of(Operation::Ports));
    assert_eq!(watched.port(PortHandle(8)).unwrap_err(), Failure::Gone { code: 0 }.of(Operation::Port));
    assert_eq!(watched.disconnect(PortHandle(8)).unwrap_err(), Failure::Gone { code: 0 }.of(Operation::Disconnect));
    let asked = [
        Operation::Instance,
        Operation::Connections,
        Operation::Connection,
        Operation::Ports,
        Operation::Port,
        Operation::Disconnect,
    ];
    assert_eq!(rras.script().asked, asked);
}

#[test]
fn while_a_call_hangs_no_other_is_made() {
    let rras = running();
    let watched = Watched::new(rras.clone(), SHORT).unwrap();
    rras.change(|script| script.hangs = true);
    let hung = watched.connections().unwrap_err();
    let again = watched.disconnect(PortHandle(8)).unwrap_err();
    assert_eq!((hung.operation, again.operation), (Operation::Connections, Operation::Disconnect));
    assert_eq!(since(&hung.failure), since(&again.failure), "it is the first call that hangs");
    wait_until(|| !rras.script().asked.is_empty());
    assert_eq!(rras.script().asked, [Operation::Connections]);
    rras.change(|script| script.hangs = false);
    assert_eq!(until_it_answers(|| watched.instance()).unwrap(), Some(INSTANCE));
    let asked = rras.script().asked;
    assert!(!asked.contains(&Operation::Disconnect), "what was refused is not made up for later: {asked:?}");
}

#[test]
fn while_mprapi_hangs_no_function_of_it_is_called() {
    let stand_in = StandIn::new("connection handle=1 user=alice\norder MprAdminConnectionEnumEx hang");
    std::fs::write(stand_in.hang_file(), "").unwrap();
    let watched = Watched::new(stand_in.load(), SHORT).unwrap();
    since(&failure(watched.connections()));
    for _ in 0..3 {
        since(&failure(watched.connections()));
        since(&failure(watched.instance()));
    }
    wait_until(|| stand_in.logged("MprAdminConnectionEnumEx") > 0);
    assert_eq!(stand_in.logged("MprAdminIsServiceRunning"), 1);
    assert_eq!(stand_in.logged("MprAdminConnectionEnumEx"), 1);
    std::fs::remove_file(stand_in.hang_file()).unwrap();
    let list = until_it_answers(|| watched.connections()).unwrap();
    assert_eq!(list[0].user.as_str(), "alice");
}

/// Fails a test in which two calls are inside at once, and panics when asked for a port.
#[derive(Debug, Default)]
struct OneAtATime(AtomicUsize);

impl Rras for OneAtATime {
    fn instance(&self) -> Result<Option<Instance>, Error> {
        let before = self.0.fetch_add(1, Ordering::SeqCst);
        std::thread::yield_now();
        let after = self.0.fetch_sub(1, Ordering::SeqCst);
        let alone = (before, after) == (0, 1);
        Ok(alone.then_some(INSTANCE))
    }

    fn connections(&self) -> Result<Vec<Connection>, Error> {
        Err(Failure::Changed.of(Operation::Connections))
    }

    fn connection(&self, _: ConnectionHandle) -> Result<Connection, Error> {
        Err(Failure::Gone { code: 0 }.of(Operation::Connection))
    }

    fn ports(&self, _: ConnectionHandle) -> Result<Vec<Port>, Error> {
        Ok(Vec::new())
    }

    fn port(&self, _: PortHandle) -> Result<Port, Error> {
        panic!("a bug, made for the test");
    }

    fn disconnect(&self, _: PortHandle) -> Result<(), Error> {
        Ok(())
    }
}

#[test]
fn callers_take_turns() {
    let watched = Watched::new(OneAtATime::default(), LONG).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..200).for_each(|_| assert_eq!(watched.instance().unwrap(), Some(INSTANCE))));
        }
    });
}

#[test]
fn a_panic_is_the_error_of_its_caller_alone() {
    let watched = Watched::new(OneAtATime::default(), LONG).unwrap();
    for _ in 0..3 {
        let error = watched.port(PortHandle(1)).unwrap_err();
        let text = "cannot read a port of RRAS: the call panicked, which is a bug of rasadmin: report it";
        assert_eq!(error.to_string(), text);
        assert_eq!(watched.instance().unwrap(), Some(INSTANCE));
    }
}
