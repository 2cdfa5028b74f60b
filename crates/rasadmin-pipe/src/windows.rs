//! The pipe as a named pipe of Windows.

mod kernel;

use crate::address::Address;
use crate::caller::Caller;
use crate::error::Error;
use crate::patience::Patience;
use kernel::Pipe;
use rasadmin_rights::account::{self, Descriptor};
use rasadmin_rights::dashboard::SID;
use std::io;
use std::os::windows::io::AsHandle;
use std::time::Duration;
use windows_sys::Win32::Foundation::{
    ERROR_ACCESS_DENIED, ERROR_BROKEN_PIPE, ERROR_FILE_NOT_FOUND, ERROR_NO_DATA, ERROR_PIPE_BUSY,
    ERROR_PIPE_NOT_CONNECTED,
};

/// Waits for clients. One instance of the pipe always waits, so that nobody else can take the name.
pub struct Listener {
    address: Address,
    waiting: Pipe,
}

/// A connection.
pub struct Stream(Pipe);

fn error(what: &'static str, address: &Address) -> impl Fn(io::Error) -> Error {
    move |source| Error::Io { what, address: address.clone(), source }
}

fn is(error: &io::Error, code: u32) -> bool {
    error.raw_os_error().and_then(|raw| u32::try_from(raw).ok()) == Some(code)
}

/// The rights to read and write, without the one to create further instances (0x4), with which a reader could serve
/// others in the service's name.
const READ_AND_WRITE: &str = "0x12019b";

/// SYSTEM and the administrators have full control; the service's second process may ask.
fn descriptor() -> io::Result<Descriptor> {
    Descriptor::parse(&format!("O:BAD:P(A;;FA;;;SY)(A;;FA;;;BA)(A;;{READ_AND_WRITE};;;{SID})"))
}

impl Listener {
    /// Creates the pipe.
    pub fn bind(address: &Address) -> Result<Self, Error> {
        let created = descriptor().and_then(|descriptor| Pipe::create(&address.wide(), true, &descriptor));
        match created {
            Ok(waiting) => Ok(Self { address: address.clone(), waiting }),
            // With these errors, Windows refuses to create a first instance if one exists already.
            Err(e) if is(&e, ERROR_ACCESS_DENIED) || is(&e, ERROR_PIPE_BUSY) => Err(Error::Taken(address.clone())),
            Err(e) => Err(error("create", address)(e)),
        }
    }

    /// Waits for a client.
    pub fn accept(&mut self, wait: Duration) -> Result<Option<Stream>, Error> {
        let failed = error("accept a client on", &self.address);
        match self.waiting.accept(&Patience::of(wait)) {
            Ok(()) => {}
            Err(e) if e.kind() == io::ErrorKind::TimedOut => return Ok(None),
            Err(e) if is(&e, ERROR_NO_DATA) => {
                // The client has gone again. What it has sent is not read: nobody waits for an answer.
                self.waiting.disconnect().map_err(failed)?;
                return Ok(None);
            }
            Err(e) => return Err(failed(e)),
        }
        let next = descriptor().and_then(|descriptor| Pipe::create(&self.address.wide(), false, &descriptor));
        Ok(Some(Stream(std::mem::replace(&mut self.waiting, next.map_err(failed)?))))
    }
}

impl Stream {
    /// Connects to a service that SYSTEM, an administrator or the current user runs.
    pub fn connect(address: &Address, patience: &Patience<'_>) -> Result<Self, Error> {
        let name = address.wide();
        let pipe = loop {
            match Pipe::open(&name) {
                Ok(pipe) => break pipe,
                Err(e) if is(&e, ERROR_PIPE_BUSY) => {
                    let wait = patience.next().map_err(|_| Error::TooLate(address.clone()))?;
                    kernel::wait_for_instance(&name, wait);
                }
                Err(e) if is(&e, ERROR_FILE_NOT_FOUND) => return Err(Error::NoService(address.clone())),
                Err(e) if is(&e, ERROR_ACCESS_DENIED) => return Err(Error::Denied(address.clone())),
                Err(e) => return Err(error("open", address)(e)),
            }
        };
        match account::foreign_owner(&pipe.as_handle()).map_err(error("open", address))? {
            None => Ok(Self(pipe)),
            Some(owner) => Err(Error::Foreign { address: address.clone(), owner }),
        }
    }

    /// Who is on the other side. Ask after something was read.
    pub fn caller(&self) -> io::Result<Caller> {
        let token = self.0.client_token()?;
        account::of_token(&token.as_handle()).map(Caller::from)
    }

    /// Reads something; nothing if the other side has closed.
    pub fn read(&mut self, buffer: &mut [u8], patience: &Patience<'_>) -> io::Result<usize> {
        match self.0.read(buffer, patience) {
            Err(e) if is(&e, ERROR_BROKEN_PIPE) || is(&e, ERROR_PIPE_NOT_CONNECTED) => Ok(0),
            done => done,
        }
    }

    /// Writes all of it.
    pub fn write(&mut self, mut bytes: &[u8], patience: &Patience<'_>) -> io::Result<()> {
        while !bytes.is_empty() {
            match self.0.write(bytes, patience)? {
                0 => return Err(io::ErrorKind::WriteZero.into()),
                some => bytes = &bytes[some..],
            }
        }
        Ok(())
    }
}
