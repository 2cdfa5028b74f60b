//! The pipe as a Unix socket.

mod kernel;

use crate::address::Address;
use crate::caller::Caller;
use crate::error::Error;
use crate::patience::Patience;
use rasadmin_rights::account;
use std::fs::{self, Permissions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::time::Duration;

/// Waits for clients.
pub struct Listener {
    address: Address,
    listener: UnixListener,
    /// The socket's file: its disk and its number.
    file: (u64, u64),
}

/// A connection.
pub struct Stream(UnixStream);

fn error(what: &'static str, address: &Address) -> impl Fn(io::Error) -> Error {
    move |source| Error::Io { what, address: address.clone(), source }
}

impl Listener {
    /// Creates the socket. One that a service has left behind is replaced.
    pub fn bind(address: &Address) -> Result<Self, Error> {
        let path = address.path();
        let failed = error("create", address);
        match fs::symlink_metadata(path) {
            Ok(of) if of.file_type().is_socket() => match UnixStream::connect(path) {
                // Only a socket that nobody listens on refuses.
                Err(e) if e.kind() == ErrorKind::ConnectionRefused => fs::remove_file(path).map_err(&failed)?,
                _ => return Err(Error::Taken(address.clone())),
            },
            Ok(_) => return Err(failed(io::Error::other("something else has its name; move it away"))),
            Err(e) if e.kind() == ErrorKind::NotFound => {}
            Err(e) => return Err(failed(e)),
        }
        let listener = UnixListener::bind(path).map_err(|source| match source.kind() {
            ErrorKind::AddrInUse => Error::Taken(address.clone()),
            _ => failed(source),
        })?;
        // Whoever connects before this is asked who they are too.
        let made = fs::set_permissions(path, Permissions::from_mode(0o600))
            .and_then(|()| listener.set_nonblocking(true))
            .and_then(|()| fs::symlink_metadata(path));
        let of = made.map_err(failed)?;
        Ok(Self { address: address.clone(), listener, file: (of.dev(), of.ino()) })
    }

    /// Waits for a client.
    pub fn accept(&mut self, wait: Duration) -> Result<Option<Stream>, Error> {
        if !self.is_in_place() {
            let gone = io::Error::new(ErrorKind::NotFound, "somebody has removed or replaced it");
            return Err(error("serve", &self.address)(gone));
        }
        let failed = error("accept a client on", &self.address);
        if !kernel::is_readable(&self.listener, wait).map_err(&failed)? {
            return Ok(None);
        }
        match self.listener.accept() {
            Ok((stream, _)) => stream.set_nonblocking(false).map(|()| Some(Stream(stream))).map_err(failed),
            // The client has gone again.
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::ConnectionAborted) => Ok(None),
            Err(e) => Err(failed(e)),
        }
    }

    fn is_in_place(&self) -> bool {
        fs::symlink_metadata(self.address.path()).is_ok_and(|of| (of.dev(), of.ino()) == self.file)
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if self.is_in_place() {
            // It only looks tidier: the next service replaces it.
            let _ = fs::remove_file(self.address.path());
        }
    }
}

impl Stream {
    /// Connects to a service that root or the current user runs.
    pub fn connect(address: &Address, _: &Patience<'_>) -> Result<Self, Error> {
        let stream = UnixStream::connect(address.path()).map_err(|source| match source.kind() {
            ErrorKind::NotFound | ErrorKind::ConnectionRefused => Error::NoService(address.clone()),
            ErrorKind::PermissionDenied => Error::Denied(address.clone()),
            _ => error("open", address)(source),
        })?;
        // Of the process that has made the socket.
        let server = kernel::peer(&stream).map(account::of_user).map_err(error("open", address))?;
        if !server.administrator {
            return Err(Error::Foreign { address: address.clone(), owner: server.name });
        }
        Ok(Self(stream))
    }

    /// Who is on the other side.
    pub fn caller(&self) -> io::Result<Caller> {
        kernel::peer(&self.0).map(|user| account::of_user(user).into())
    }

    /// Reads something; nothing if the other side has closed.
    pub fn read(&mut self, buffer: &mut [u8], patience: &Patience<'_>) -> io::Result<usize> {
        loop {
            self.0.set_read_timeout(Some(patience.next()?))?;
            match self.0.read(buffer) {
                Err(e) if is_nothing_yet(&e) => {}
                done => return done,
            }
        }
    }

    /// Writes all of it.
    pub fn write(&mut self, mut bytes: &[u8], patience: &Patience<'_>) -> io::Result<()> {
        while !bytes.is_empty() {
            self.0.set_write_timeout(Some(patience.next()?))?;
            match self.0.write(bytes) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(some) => bytes = &bytes[some..],
                Err(e) if is_nothing_yet(&e) => {}
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }
}

fn is_nothing_yet(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}
