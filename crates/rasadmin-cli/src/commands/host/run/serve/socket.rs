//! The socket on which other processes ask for the RRAS of a run.

use crate::error::{CommandError, Kind, Result};
use mprapi::Projection;
use mprapi::guid;
use rasadmin_host::fill::{LinkFacts, Tunnel, frames, wrapped};
use rasadmin_host::outside::{Listed, View};
use rasadmin_policy::{InterfaceType, Name, Quarantine};
use rasadmin_rras::{
    Connection, ConnectionHandle, Counters, Error, Failure, Instance, Operation, Port, PortHandle, PortState, Rras,
    socket::{self, Address, Listener},
};
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// A question, and where its answer goes.
#[derive(Debug)]
enum Question {
    Starts(Sender<Option<u32>>),
    Connections(Sender<Vec<Listed>>),
    Disconnect(u64, Sender<bool>),
}

/// The RRAS of a run. Its answers come from the thread that knows the run.
#[derive(Debug)]
struct OfRun {
    questions: Mutex<Sender<Question>>,
}

/// A socket, and the questions that arrive there.
pub struct Socket {
    address: Address,
    questions: Mutex<Receiver<Question>>,
}

impl Socket {
    /// Listens. From then on, other processes may ask.
    pub fn bind(path: &Path) -> Result<Self> {
        let address = Address::read(path).map_err(|why| CommandError::usage(format!("{}: {why}", path.display())))?;
        let failed = |e: std::io::Error| {
            CommandError::new(Kind::File, format!("cannot listen on {address}: {e}")).hint(match address.path() {
                Some(_) => "if no other run uses this socket, delete it",
                None => "if another program uses this port, choose another one",
            })
        };
        let listener = Listener::bind(&address).map_err(failed)?;
        let (sender, questions) = channel();
        let rras: Arc<dyn Rras> = Arc::new(OfRun { questions: Mutex::new(sender) });
        // It ends with the process.
        let spawned = std::thread::Builder::new().spawn(move || socket::serve(&listener, &rras));
        spawned.map_err(failed)?;
        Ok(Self { address, questions: Mutex::new(questions) })
    }

    /// Answers until the day is over.
    pub fn serve(&self, view: &dyn View) {
        let questions = self.questions.lock().unwrap_or_else(PoisonError::into_inner);
        while !view.is_over() {
            match questions.recv_timeout(Duration::from_millis(20)) {
                Ok(Question::Starts(answer)) => drop(answer.send(view.starts())),
                Ok(Question::Connections(answer)) => drop(answer.send(view.connections())),
                Ok(Question::Disconnect(port, answer)) => drop(answer.send(view.disconnect(port))),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if let Some(path) = self.address.path() {
            let _ = std::fs::remove_file(path);
        }
    }
}

impl OfRun {
    fn ask<T>(
        &self,
        operation: Operation,
        question: impl FnOnce(Sender<T>) -> Question,
    ) -> std::result::Result<T, Error> {
        let (answer, answered) = channel();
        let sent = self.questions.lock().unwrap_or_else(PoisonError::into_inner).send(question(answer));
        // Before the first event of the day and after its last one, nobody answers.
        let over = || Failure::NotRunning.of(operation);
        sent.map_err(|_| over())?;
        answered.recv_timeout(Duration::from_secs(30)).map_err(|_| over())
    }

    fn listed(&self, operation: Operation) -> std::result::Result<Vec<Listed>, Error> {
        let runs = self.ask(operation, Question::Starts)?.is_some();
        if !runs {
            return Err(Failure::NotRunning.of(operation));
        }
        self.ask(operation, Question::Connections)
    }
}

impl Rras for OfRun {
    fn instance(&self) -> std::result::Result<Option<Instance>, Error> {
        let starts = self.ask(Operation::Instance, Question::Starts)?;
        // Each start is an instance of its own; in Windows it has another process.
        let process = std::process::id();
        Ok(starts.map(|starts| Instance { process, created: u64::from(starts) }))
    }

    fn connections(&self) -> std::result::Result<Vec<Connection>, Error> {
        Ok(self.listed(Operation::Connections)?.iter().map(connection).collect())
    }

    fn connection(&self, handle: ConnectionHandle) -> std::result::Result<Connection, Error> {
        let all = self.listed(Operation::Connection)?;
        let found = all.iter().find(|listed| listed.connection.handle == handle.0);
        found.map(connection).ok_or_else(|| Failure::Gone { code: 0 }.of(Operation::Connection))
    }

    fn ports(&self, of: ConnectionHandle) -> std::result::Result<Vec<Port>, Error> {
        let all = self.listed(Operation::Ports)?;
        let found = all.iter().find(|listed| listed.connection.handle == of.0);
        let found = found.ok_or_else(|| Failure::Gone { code: 0 }.of(Operation::Ports))?;
        Ok(found.links.iter().map(port).collect())
    }

    fn port(&self, handle: PortHandle) -> std::result::Result<Port, Error> {
        let all = self.listed(Operation::Port)?;
        let found = all.iter().flat_map(|listed| &listed.links).find(|link| link.port_handle == handle.0);
        found.map(port).ok_or_else(|| Failure::Gone { code: 0 }.of(Operation::Port))
    }

    fn disconnect(&self, port: PortHandle) -> std::result::Result<(), Error> {
        let gone = || Failure::Gone { code: 0 }.of(Operation::Disconnect);
        let done = self.ask(Operation::Disconnect, |answer| Question::Disconnect(port.0, answer))?;
        if done { Ok(()) } else { Err(gone()) }
    }
}

fn connection(listed: &Listed) -> Connection {
    let of = &listed.connection;
    Connection {
        handle: ConnectionHandle(of.handle),
        guid: guid::text(of.guid),
        interface: InterfaceType::from_windows(of.interface_type),
        interface_name: Name::default(),
        user: Name::new(&of.user),
        domain: Name::new(&of.domain),
        computer: Name::new(&of.remote_computer),
        source: Name::new(&of.remote_endpoint),
        ikev2: of.tunnel == Tunnel::Ikev2,
        quarantine: Quarantine::from_windows(of.quarantine),
        seconds: of.duration,
        counters: Counters {
            octets_received: wrapped(of.received),
            octets_transmitted: wrapped(of.sent),
            frames_received: wrapped(frames(of.received)),
            frames_transmitted: wrapped(frames(of.sent)),
        },
        projection: Some(Projection {
            ipv4: of.ipv4.map(|client| [of.server_ipv4, Some(client)]),
            ipv6_identifiers: of.ipv6_identifier.map(|client| [[0; 8], client]),
            ipv6_prefix: of.ipv6_identifier.map(|_| of.ipv6_prefix),
        }),
    }
}

fn port(link: &LinkFacts) -> Port {
    Port {
        handle: PortHandle(link.port_handle),
        connection: ConnectionHandle(link.connection_handle),
        name: Name::new(&link.port),
        device: Name::new(&link.device),
        device_type: Name::new("vpn"),
        state: PortState::Authenticated,
    }
}
