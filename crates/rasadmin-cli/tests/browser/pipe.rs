//! The two pipes to the browser.

use serde_json::Value;
use std::io::{self, BufRead, BufReader, Write};
use std::process::{ChildStdin, ChildStdout};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Instant;

pub struct Pipe {
    to: ChildStdin,
    from: Receiver<Value>,
}

impl Pipe {
    pub fn new(to: ChildStdin, from: ChildStdout) -> Self {
        let (sender, receiver) = channel();
        std::thread::spawn(move || {
            let (mut from, mut message) = (BufReader::new(from), Vec::new());
            while from.read_until(0, &mut message).is_ok_and(|read| read > 0) && message.pop() == Some(0) {
                let Ok(value) = serde_json::from_slice(&message) else { return };
                if sender.send(value).is_err() {
                    return;
                }
                message.clear();
            }
        });
        Self { to, from: receiver }
    }

    pub fn send(&mut self, message: &Value) -> io::Result<()> {
        let mut bytes = message.to_string().into_bytes();
        bytes.push(0);
        self.to.write_all(&bytes)
    }

    /// The next message; None at the deadline, and an error if the browser has ended.
    pub fn receive(&self, deadline: Instant) -> Result<Option<Value>, ()> {
        match self.from.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(message) => Ok(Some(message)),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err(()),
        }
    }
}
