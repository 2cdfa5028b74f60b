//! An RRAS in memory, for tests.

use crate::{Connection, ConnectionHandle, Error, Failure, Instance, Operation, Port, PortHandle, Rras};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// An RRAS in memory. Clones are the same RRAS, so a test keeps one and changes what the other answers.
#[derive(Clone, Debug, Default)]
pub struct Scripted(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    script: Mutex<Script>,
    changed: Condvar,
}

/// What an RRAS in memory answers, and what it was asked.
#[derive(Clone, Debug, Default)]
pub struct Script {
    /// The instance; without one, RRAS does not run.
    pub instance: Option<Instance>,
    /// The connections.
    pub connections: Vec<Connection>,
    /// The ports. Disconnecting one removes it, and with its last port the connection.
    pub ports: Vec<Port>,
    /// Operations that fail.
    pub failing: Vec<(Operation, Failure)>,
    /// Ports that it does not disconnect: it fails with error 31.
    pub refused: Vec<PortHandle>,
    /// While it is set, no call returns.
    pub hangs: bool,
    /// The operations that have begun, in order.
    pub asked: Vec<Operation>,
    /// The ports that were disconnected, in order.
    pub disconnected: Vec<PortHandle>,
}

impl Scripted {
    /// Changes the script. Calls that hang notice it.
    pub fn change(&self, change: impl FnOnce(&mut Script)) {
        change(&mut self.locked());
        self.0.changed.notify_all();
    }

    /// The script as it is now.
    pub fn script(&self) -> Script {
        self.locked().clone()
    }

    fn locked(&self) -> MutexGuard<'_, Script> {
        self.0.script.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a call: it hangs and fails as the script says.
    fn begin(&self, operation: Operation) -> Result<MutexGuard<'_, Script>, Error> {
        let mut script = self.locked();
        script.asked.push(operation);
        let hangs = self.0.changed.wait_while(script, |script| script.hangs);
        let script = hangs.unwrap_or_else(PoisonError::into_inner);
        if let Some((_, failure)) = script.failing.iter().find(|(failing, _)| *failing == operation) {
            return Err(failure.clone().of(operation));
        }
        if script.instance.is_none() && operation != Operation::Instance {
            return Err(Failure::NotRunning.of(operation));
        }
        Ok(script)
    }
}

impl Rras for Scripted {
    fn instance(&self) -> Result<Option<Instance>, Error> {
        Ok(self.begin(Operation::Instance)?.instance)
    }

    fn connections(&self) -> Result<Vec<Connection>, Error> {
        Ok(self.begin(Operation::Connections)?.connections.clone())
    }

    fn connection(&self, handle: ConnectionHandle) -> Result<Connection, Error> {
        let script = self.begin(Operation::Connection)?;
        let found = script.connections.iter().find(|connection| connection.handle == handle);
        found.cloned().ok_or(Failure::Gone { code: 0 }.of(Operation::Connection))
    }

    fn ports(&self, connection: ConnectionHandle) -> Result<Vec<Port>, Error> {
        let script = self.begin(Operation::Ports)?;
        if !script.connections.iter().any(|known| known.handle == connection) {
            return Err(Failure::Gone { code: 0 }.of(Operation::Ports));
        }
        Ok(script.ports.iter().filter(|port| port.connection == connection).cloned().collect())
    }

    fn port(&self, handle: PortHandle) -> Result<Port, Error> {
        let script = self.begin(Operation::Port)?;
        let found = script.ports.iter().find(|port| port.handle == handle);
        found.cloned().ok_or(Failure::Gone { code: 0 }.of(Operation::Port))
    }

    fn disconnect(&self, port: PortHandle) -> Result<(), Error> {
        let mut script = self.begin(Operation::Disconnect)?;
        if script.refused.contains(&port) {
            let function = "MprAdminPortDisconnect".to_owned();
            return Err(Failure::Failed { function, code: 31 }.of(Operation::Disconnect));
        }
        let found = script.ports.iter().position(|known| known.handle == port);
        let Some(place) = found else { return Err(Failure::Gone { code: 0 }.of(Operation::Disconnect)) };
        let connection = script.ports.remove(place).connection;
        script.disconnected.push(port);
        if script.ports.iter().all(|port| port.connection != connection) {
            script.connections.retain(|known| known.handle != connection);
        }
        Ok(())
    }
}
