//! RRAS asked by a thread of its own, with a deadline.

use crate::{Connection, ConnectionHandle, Error, Failure, Instance, Operation, Port, PortHandle, Rras};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// An [`Rras`] whose calls do not hang: each gets the deadline, counted from its turn.
///
/// A thread of its own makes the calls, one at a time. A caller waits for its turn, and for its answer until the
/// deadline. After that it gets [`Failure::Hung`], and so does every other caller until the call has returned: nothing
/// more is asked of an RRAS that does not answer. An answer that comes too late is dropped.
///
/// When this value is dropped, the thread ends after the call that it is making.
#[derive(Debug)]
pub struct Watched {
    calls: Sender<Call>,
    deadline: Duration,
    /// Held by the caller whose turn it is.
    turn: Mutex<()>,
    /// When the call began that has not returned yet.
    running: Arc<Mutex<Option<Instant>>>,
}

type Call = Box<dyn FnOnce(&dyn Rras) + Send>;

impl Watched {
    /// Starts the thread.
    ///
    /// # Errors
    /// If the system has no thread left.
    pub fn new(rras: impl Rras + 'static, deadline: Duration) -> io::Result<Self> {
        Self::with_thread(rras, deadline, || ())
    }

    /// As [`new`](Self::new). The thread calls `begin` first, such as to say what a panic on it means.
    ///
    /// # Errors
    /// If the system has no thread left.
    pub fn with_thread(
        rras: impl Rras + 'static,
        deadline: Duration,
        begin: impl FnOnce() + Send + 'static,
    ) -> io::Result<Self> {
        let (calls, to_make) = mpsc::channel::<Call>();
        std::thread::Builder::new().name("RRAS".to_owned()).spawn(move || {
            begin();
            to_make.into_iter().for_each(|call| call(&rras));
        })?;
        Ok(Self { calls, deadline, turn: Mutex::default(), running: Arc::default() })
    }

    fn ask<T: Send + 'static>(
        &self,
        operation: Operation,
        question: impl FnOnce(&dyn Rras) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let _turn = locked(&self.turn);
        let hung = |since| Err(Failure::Hung { since }.of(operation));
        let running = Running::begin(&self.running);
        let (running, since) = match running {
            Ok(begun) => begun,
            Err(since) => return hung(since),
        };
        let (answer, answered) = mpsc::sync_channel(1);
        let call = move |rras: &dyn Rras| {
            let result = catch_unwind(AssertUnwindSafe(|| question(rras)));
            // Before the answer: the caller who gets it may ask the next question.
            drop(running);
            if let Ok(result) = result {
                let _ = answer.send(result); // Nobody waits for it if the deadline has passed.
            }
        };
        let broken = || Failure::Unreachable("the call panicked, which is a bug of rasadmin: report it".into());
        if self.calls.send(Box::new(call)).is_err() {
            return Err(broken().of(operation));
        }
        match answered.recv_timeout(self.deadline) {
            Ok(result) => result,
            Err(RecvTimeoutError::Timeout) => hung(since),
            Err(RecvTimeoutError::Disconnected) => Err(broken().of(operation)),
        }
    }
}

/// The mark of a call that has begun and not returned. It goes with the call, also if that panics.
struct Running(Arc<Mutex<Option<Instant>>>);

impl Running {
    /// Sets the mark, and says when; or says since when it has been set.
    fn begin(mark: &Arc<Mutex<Option<Instant>>>) -> Result<(Self, Instant), Instant> {
        let mut marked = locked(mark);
        match *marked {
            Some(since) => Err(since),
            None => {
                let now = Instant::now();
                *marked = Some(now);
                Ok((Self(Arc::clone(mark)), now))
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        *locked(&self.0) = None;
    }
}

/// What these locks protect is whole at any time.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Rras for Watched {
    fn instance(&self) -> Result<Option<Instance>, Error> {
        self.ask(Operation::Instance, |rras| rras.instance())
    }

    fn connections(&self) -> Result<Vec<Connection>, Error> {
        self.ask(Operation::Connections, |rras| rras.connections())
    }

    fn connection(&self, handle: ConnectionHandle) -> Result<Connection, Error> {
        self.ask(Operation::Connection, move |rras| rras.connection(handle))
    }

    fn ports(&self, connection: ConnectionHandle) -> Result<Vec<Port>, Error> {
        self.ask(Operation::Ports, move |rras| rras.ports(connection))
    }

    fn port(&self, handle: PortHandle) -> Result<Port, Error> {
        self.ask(Operation::Port, move |rras| rras.port(handle))
    }

    fn disconnect(&self, port: PortHandle) -> Result<(), Error> {
        self.ask(Operation::Disconnect, move |rras| rras.disconnect(port))
    }
}
