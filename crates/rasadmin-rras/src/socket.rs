//! RRAS over a socket, so that what asks RRAS can be tested where there is none. It is for tests: it does not ask who the
//! other side is.
//!
//! A client connects for each question and sends one line of JSON, such as `"connections"` or `{"ports":7}`. The answer is
//! one line: `{"answer":...}` or `{"failure":...}`. A line that ends without its line end is not an answer.
//!
//! The stand-in for mprapi.dll asks too, with a line that begins with the name of a function; see `stand_in`.

mod address;
mod stand_in;

pub use address::{Address, Listener};

use crate::{Connection, ConnectionHandle, Error, Failure, Instance, Operation, Port, PortHandle, Rras};
use address::Stream;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::sync::Arc;

/// The longest line. 65,536 connections with long names are shorter.
const LONGEST: u64 = 256 << 20;
/// The longest question.
const LONGEST_QUESTION: u64 = 4096;

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Question {
    Instance,
    Connections,
    Connection(ConnectionHandle),
    Ports(ConnectionHandle),
    Port(PortHandle),
    Disconnect(PortHandle),
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Answer<T> {
    Answer(T),
    Failure(Failure),
}

/// The RRAS on the other side of a socket.
///
/// It waits as long as the other side does: use it in a [`Watched`](crate::Watched).
#[derive(Clone, Debug)]
pub struct Socket {
    address: Address,
}

impl Socket {
    /// The socket with this address. It is opened for each question.
    pub const fn new(address: Address) -> Self {
        Self { address }
    }

    fn ask<T: DeserializeOwned>(&self, operation: Operation, question: &Question) -> Result<T, Error> {
        let answer = self.line(question).and_then(|line| match serde_json::from_str(&line) {
            Ok(Answer::Answer(answer)) => Ok(answer),
            Ok(Answer::Failure(failure)) => Err(failure),
            Err(e) => Err(Failure::Malformed(format!("what came over {} does not answer: {e}", self.address))),
        });
        answer.map_err(|failure| failure.of(operation))
    }

    /// The line that answers a question.
    fn line(&self, question: &Question) -> Result<String, Failure> {
        let unreachable = |what: &str| Failure::Unreachable(format!("{}: {what}", self.address));
        let connected = self.address.connect();
        let stream = connected.map_err(|e| unreachable(&format!("{e}; nothing answers for RRAS there")))?;
        let failed = |e: io::Error| unreachable(&e.to_string());
        send(&stream, question).map_err(failed)?;
        let mut line = String::new();
        BufReader::new((&stream).take(LONGEST)).read_line(&mut line).map_err(failed)?;
        if line.ends_with('\n') { Ok(line) } else { Err(unreachable("the answer ended early; nothing of it is used")) }
    }
}

impl Rras for Socket {
    fn instance(&self) -> Result<Option<Instance>, Error> {
        self.ask(Operation::Instance, &Question::Instance)
    }

    fn connections(&self) -> Result<Vec<Connection>, Error> {
        self.ask(Operation::Connections, &Question::Connections)
    }

    fn connection(&self, handle: ConnectionHandle) -> Result<Connection, Error> {
        self.ask(Operation::Connection, &Question::Connection(handle))
    }

    fn ports(&self, connection: ConnectionHandle) -> Result<Vec<Port>, Error> {
        self.ask(Operation::Ports, &Question::Ports(connection))
    }

    fn port(&self, handle: PortHandle) -> Result<Port, Error> {
        self.ask(Operation::Port, &Question::Port(handle))
    }

    fn disconnect(&self, port: PortHandle) -> Result<(), Error> {
        self.ask(Operation::Disconnect, &Question::Disconnect(port))
    }
}

/// Answers the questions that come over a socket, until the listener fails. Each client has a thread of its own, so one
/// that is silent delays no other; `rras` orders the calls itself.
///
/// # Errors
/// That of the listener, or if the system has no thread left.
pub fn serve(listener: &Listener, rras: &Arc<dyn Rras>) -> io::Result<()> {
    loop {
        let (stream, rras) = (listener.accept()?, Arc::clone(rras));
        std::thread::Builder::new().spawn(move || answer(&stream, &*rras))?;
    }
}

/// Answers the lines of one client until it hangs up.
fn answer(stream: &Stream, rras: &dyn Rras) -> io::Result<()> {
    let mut questions = BufReader::new(stream);
    loop {
        let mut line = Vec::new();
        questions.by_ref().take(LONGEST_QUESTION).read_until(b'\n', &mut line)?;
        if line.is_empty() {
            return Ok(());
        }
        if let Some(script) = str::from_utf8(&line).ok().and_then(|line| stand_in::script(line, rras)) {
            // The end of the connection is the end of the script.
            return (&mut &*stream).write_all(script.as_bytes());
        }
        let Ok(question) = serde_json::from_slice(&line) else {
            let failure = Failure::Unsupported("the other side does not know this question".into());
            // What follows may be the rest of the line.
            return send(stream, &Answer::<()>::Failure(failure));
        };
        match question {
            Question::Instance => reply(stream, rras.instance()),
            Question::Connections => reply(stream, rras.connections()),
            Question::Connection(handle) => reply(stream, rras.connection(handle)),
            Question::Ports(connection) => reply(stream, rras.ports(connection)),
            Question::Port(handle) => reply(stream, rras.port(handle)),
            Question::Disconnect(port) => reply(stream, rras.disconnect(port)),
        }?;
    }
}

fn reply<T: Serialize>(to: &Stream, result: Result<T, Error>) -> io::Result<()> {
    let answer = match result {
        Ok(answer) => Answer::Answer(answer),
        Err(error) => Answer::Failure(error.failure),
    };
    send(to, &answer)
}

/// Writes one line.
fn send(mut to: &Stream, value: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    to.write_all(&line)
}
