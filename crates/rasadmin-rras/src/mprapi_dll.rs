//! This server's RRAS, through mprapi.dll.
//!
//! `library` calls the DLL, `system` calls Windows, and nothing else here is unsafe: what RRAS returned is copied as
//! bytes, `list` puts the parts of a list together, and `structures` reads the bytes.

mod library;
mod list;
mod structures;
mod system;

use crate::{Connection, ConnectionHandle, Error, Failure, Instance, Operation, Port, PortHandle, Rras};
use library::{Library, Server};
use mprapi::abi::{RAS_CONNECTION_EX, RAS_PORT_0};

/// This server's RRAS, asked through mprapi.dll.
///
/// Its calls may hang: use it in a [`Watched`](crate::Watched).
#[derive(Debug)]
pub struct Mprapi {
    library: Library,
    instance: fn() -> Result<Option<Instance>, Failure>,
}

impl Mprapi {
    /// Loads mprapi.dll, which is only searched in System32.
    ///
    /// # Errors
    /// [`Failure::Unsupported`] if the DLL is missing, or lacks a function.
    #[cfg(windows)]
    pub fn system() -> Result<Self, Error> {
        let library = Library::system().map_err(|failure| failure.of(Operation::Instance))?;
        Ok(Self { library, instance: system::remote_access })
    }

    /// Loads a stand-in from any path. `instance` says which instance of RRAS runs; it is asked only if the stand-in
    /// says that one does.
    ///
    /// # Errors
    /// [`Failure::Unsupported`] if it cannot be loaded, or lacks a function.
    #[cfg(feature = "testing")]
    pub fn load(path: &std::path::Path, instance: fn() -> Result<Option<Instance>, Failure>) -> Result<Self, Error> {
        let library = Library::at(path).map_err(|failure| failure.of(Operation::Instance))?;
        Ok(Self { library, instance })
    }

    /// Asks the running RRAS about a connection or a port. Some handles name none, and for INVALID_HANDLE_VALUE RRAS would
    /// list the ports of every connection (R-OUT-11): these are never passed, in whichever width.
    fn ask_about<T>(
        &self,
        operation: Operation,
        handle: u64,
        question: impl FnOnce(&Server<'_>) -> Result<T, Failure>,
    ) -> Result<T, Error> {
        // The lower half is all that RRAS gets (R-OUT-13).
        if matches!(handle as u32, 0 | u32::MAX) {
            return Err(Failure::Gone { code: 0 }.of(operation));
        }
        self.ask(operation, question)
    }

    /// Asks the running RRAS. Each question connects anew, because a connection does not survive a restart of RRAS.
    fn ask<T>(
        &self,
        operation: Operation,
        question: impl FnOnce(&Server<'_>) -> Result<T, Failure>,
    ) -> Result<T, Error> {
        let answer = self.connect().and_then(|server| question(&server));
        answer.map_err(|failure| failure.of(operation))
    }

    /// Connects to the service, which runs. Connecting shows only whether this process has the rights, and without them
    /// the service would seem not to run (R-OUT-7).
    fn connect(&self) -> Result<Server<'_>, Failure> {
        let server = self.library.connect()?;
        if self.library.is_service_running() { Ok(server) } else { Err(Failure::NotRunning) }
    }
}

impl Rras for Mprapi {
    fn instance(&self) -> Result<Option<Instance>, Error> {
        let instance = match self.connect() {
            Ok(_server) => (self.instance)(),
            Err(Failure::NotRunning) => Ok(None),
            Err(failure) => Err(failure),
        };
        instance.map_err(|failure| failure.of(Operation::Instance))
    }

    fn connections(&self) -> Result<Vec<Connection>, Error> {
        self.ask(Operation::Connections, |server| {
            let part = |resume| server.connections(resume);
            list::whole(size_of::<RAS_CONNECTION_EX>(), part, structures::connection, |connection| connection.handle.0)
        })
    }

    fn connection(&self, handle: ConnectionHandle) -> Result<Connection, Error> {
        self.ask_about(Operation::Connection, handle.0, |server| {
            let connection = structures::connection(&server.connection(handle)?)?;
            if connection.handle == handle { Ok(connection) } else { Err(other("connection", handle.0)) }
        })
    }

    fn ports(&self, connection: ConnectionHandle) -> Result<Vec<Port>, Error> {
        self.ask_about(Operation::Ports, connection.0, |server| {
            let part = |resume| server.ports(connection, resume);
            let ports = list::whole(size_of::<RAS_PORT_0>(), part, structures::port, |port| port.handle.0)?;
            let alien = ports.iter().find(|port| port.connection != connection);
            alien.map_or(Ok(()), |port| Err(other("connection of a port", port.connection.0)))?;
            Ok(ports)
        })
    }

    fn port(&self, handle: PortHandle) -> Result<Port, Error> {
        self.ask_about(Operation::Port, handle.0, |server| {
            let port = structures::port(&server.port(handle)?)?;
            if port.handle == handle { Ok(port) } else { Err(other("port", handle.0)) }
        })
    }

    fn disconnect(&self, port: PortHandle) -> Result<(), Error> {
        self.ask_about(Operation::Disconnect, port.0, |server| server.disconnect(port))
    }
}

/// An answer about something else than was asked about.
fn other(what: &str, handle: u64) -> Failure {
    Failure::Malformed(format!("the {what} {handle} is not the one that was asked for"))
}
