//! Where a program answers for RRAS.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
#[cfg(unix)]
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
#[cfg(unix)]
use std::path::PathBuf;

/// A place on this computer: a Unix socket, or a TCP port of the loopback interface. Every user of the computer can
/// connect to the port, so it is for tests only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// A Unix socket.
    #[cfg(unix)]
    Path(PathBuf),
    /// A TCP port, such as `127.0.0.1:8601`.
    Port(SocketAddr),
}

impl Address {
    /// Reads an address, as people write it: `127.0.0.1:8601`, or the path of a Unix socket.
    ///
    /// # Errors
    /// What is wrong with it, for people.
    pub fn read(text: &Path) -> Result<Self, String> {
        match text.to_str().and_then(|text| text.parse::<SocketAddr>().ok()) {
            Some(address) if !address.ip().is_loopback() => {
                Err("other computers could connect to this address: write 127.0.0.1 and a port".into())
            }
            Some(address) if address.port() == 0 => Err("name a port, such as 127.0.0.1:8601".into()),
            Some(address) => Ok(Self::Port(address)),
            #[cfg(unix)]
            None => Ok(Self::Path(text.to_owned())),
            #[cfg(not(unix))]
            None => Err("this address is not valid: write 127.0.0.1 and a port, such as 127.0.0.1:8601".into()),
        }
    }

    /// The path of a Unix socket.
    pub fn path(&self) -> Option<&Path> {
        match self {
            #[cfg(unix)]
            Self::Path(path) => Some(path),
            Self::Port(_) => None,
        }
    }

    pub(super) fn connect(&self) -> io::Result<Stream> {
        Ok(match self {
            #[cfg(unix)]
            Self::Path(path) => Stream::Unix(UnixStream::connect(path)?),
            Self::Port(port) => Stream::Tcp(TcpStream::connect(port)?),
        })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            #[cfg(unix)]
            Self::Path(path) => path.display().fmt(f),
            Self::Port(port) => port.fmt(f),
        }
    }
}

/// The other side of an [`Address`].
#[derive(Debug)]
pub enum Listener {
    /// Of a Unix socket.
    #[cfg(unix)]
    Unix(UnixListener),
    /// Of a TCP port.
    Tcp(TcpListener),
}

impl Listener {
    /// Listens. A Unix socket must not exist yet.
    ///
    /// # Errors
    /// That of the operating system.
    pub fn bind(address: &Address) -> io::Result<Self> {
        Ok(match address {
            #[cfg(unix)]
            Address::Path(path) => Self::Unix(UnixListener::bind(path)?),
            Address::Port(port) => Self::Tcp(TcpListener::bind(port)?),
        })
    }

    /// Where it listens, with the port that the system chose if it was asked for port 0.
    ///
    /// # Errors
    /// That of the operating system.
    pub fn address(&self) -> io::Result<Address> {
        Ok(match self {
            #[cfg(unix)]
            Self::Unix(listener) => Address::Path(listener.local_addr()?.as_pathname().unwrap_or(Path::new("")).into()),
            Self::Tcp(listener) => Address::Port(listener.local_addr()?),
        })
    }

    pub(super) fn accept(&self) -> io::Result<Stream> {
        Ok(match self {
            #[cfg(unix)]
            Self::Unix(listener) => Stream::Unix(listener.accept()?.0),
            Self::Tcp(listener) => Stream::Tcp(listener.accept()?.0),
        })
    }
}

/// A connection.
pub(super) enum Stream {
    #[cfg(unix)]
    Unix(UnixStream),
    Tcp(TcpStream),
}

impl Read for &Stream {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        match self {
            #[cfg(unix)]
            Stream::Unix(stream) => (&mut &*stream).read(to),
            Stream::Tcp(stream) => (&mut &*stream).read(to),
        }
    }
}

impl Write for &Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            #[cfg(unix)]
            Stream::Unix(stream) => (&mut &*stream).write(bytes),
            Stream::Tcp(stream) => (&mut &*stream).write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn only_this_computer_can_be_asked() {
        for own in ["127.0.0.1:8601", "127.1.2.3:1", "[::1]:8601"] {
            assert_eq!(Address::read(Path::new(own)).unwrap().to_string(), own);
        }
        for other in ["0.0.0.0:8601", "192.0.2.1:1", "[::]:8601", "127.0.0.1:0"] {
            assert!(Address::read(Path::new(other)).unwrap_err().contains("127.0.0.1"), "{other}");
        }
        let path = Path::new("rras.sock");
        #[cfg(unix)]
        assert_eq!(Address::read(path), Ok(Address::Path(path.to_owned())));
        #[cfg(not(unix))]
        assert!(Address::read(path).unwrap_err().contains("127.0.0.1:8601"));
    }
}
