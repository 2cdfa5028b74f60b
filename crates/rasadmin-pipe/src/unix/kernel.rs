//! What std does not have for sockets.
#![allow(unsafe_code)] // The system's own functions for it.

use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// Waits until something can be read, or a client accepted.
pub fn is_readable(socket: &impl AsFd, wait: Duration) -> io::Result<bool> {
    let mut wanted = libc::pollfd { fd: socket.as_fd().as_raw_fd(), events: libc::POLLIN, revents: 0 };
    let millis = i32::try_from(wait.as_millis()).unwrap_or(i32::MAX);
    // SAFETY: one structure, whose descriptor is open as long as it is borrowed.
    match unsafe { libc::poll(&raw mut wanted, 1, millis) } {
        -1 => match io::Error::last_os_error() {
            error if error.kind() == io::ErrorKind::Interrupted => Ok(false),
            error => Err(error),
        },
        ready => Ok(ready > 0),
    }
}

/// The number of the user whose process is on the other side: who has connected, or who has made the socket.
pub fn peer(stream: &UnixStream) -> io::Result<u32> {
    let mut of = libc::ucred { pid: 0, uid: 0, gid: 0 };
    let mut size = size_of::<libc::ucred>() as libc::socklen_t;
    // SAFETY: the descriptor is open as long as it is borrowed; the structure of this option, and its size.
    let known = unsafe {
        libc::getsockopt(stream.as_raw_fd(), libc::SOL_SOCKET, libc::SO_PEERCRED, (&raw mut of).cast(), &raw mut size)
    };
    if known != 0 {
        return Err(io::Error::last_os_error());
    }
    // A short answer would leave zero there, which is root.
    if size as usize != size_of::<libc::ucred>() {
        return Err(io::Error::other("the answer is too short"));
    }
    Ok(of.uid)
}
