//! The log of a worker's calls. Each line is written with one write(2), so it survives a kill -9.
//!
//! `> FUNCTION` precedes a call. `< FUNCTION ...` follows it, with what it acknowledged. `! FUNCTION` means that the
//! call was never made, because the process for it was dead.

use mprapi::FunctionId as F;
use mprapi::abi::{RAS_CONNECTION_EX, RAS_PORT_0};
use mprapi::contract::ArgumentType;
use rasadmin_host::dll::Returned;
use rasadmin_trace::Buffer;
use std::mem::offset_of;

/// A line of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallEntry {
    /// A call began.
    Began(F),
    /// The call was never made.
    NeverMade(F),
    /// The call returned.
    Returned(F, CallResult),
}

/// What a returned call acknowledged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallResult {
    /// The user, if the call has one.
    pub user: String,
    /// The port, if the call has one.
    pub port: String,
    /// The connection's handle.
    pub handle: u64,
    /// The address that was assigned or released.
    pub number: u64,
    /// The function's result.
    pub result: u32,
    /// Seconds, octets received, octets sent.
    pub used: [u32; 3],
}

impl CallEntry {
    /// The function that was called.
    pub const fn function(&self) -> F {
        match self {
            Self::Began(function) | Self::NeverMade(function) | Self::Returned(function, _) => *function,
        }
    }

    /// Formats the line, including its end.
    pub fn line(&self) -> String {
        match self {
            Self::Began(function) => format!("> {}\n", function.name()),
            Self::NeverMade(function) => format!("! {}\n", function.name()),
            Self::Returned(function, d) => {
                let or = |text: &str| if text.is_empty() { "-".to_owned() } else { text.to_owned() };
                let [seconds, received, sent] = d.used;
                let (user, port) = (or(&d.user), or(&d.port));
                let CallResult { handle, number, result, .. } = d;
                let function = function.name();
                format!("< {function} {user} {port} {handle} {number} {result} {seconds} {received} {sent}\n")
            }
        }
    }

    /// Parses all entries, and ignores a line that a kill cut short.
    pub fn read_all(text: &str) -> Vec<Self> {
        text.split_inclusive('\n').filter(|line| line.ends_with('\n')).filter_map(Self::parse).collect()
    }

    fn parse(line: &str) -> Option<Self> {
        let parts: Vec<&str> = line.split_whitespace().collect();
        let function = F::from_name(parts.get(1)?)?;
        match (parts[0], &parts[2..]) {
            (">", []) => Some(Self::Began(function)),
            ("!", []) => Some(Self::NeverMade(function)),
            ("<", [user, port, handle, number, result, seconds, received, sent]) => {
                let text = |t: &str| if t == "-" { String::new() } else { t.to_owned() };
                let used = [seconds.parse().ok()?, received.parse().ok()?, sent.parse().ok()?];
                let (handle, number, result) = (handle.parse().ok()?, number.parse().ok()?, result.parse().ok()?);
                Some(Self::Returned(
                    function,
                    CallResult { user: text(user), port: text(port), handle, number, result, used },
                ))
            }
            _ => None,
        }
    }

    /// Makes the entry for a call that returned.
    pub fn of(function: F, arguments: &[Buffer], returned: Returned, changed: &[(ArgumentType, Buffer)]) -> Self {
        if returned.took.is_zero() {
            return Self::NeverMade(function);
        }
        let mut done = CallResult { result: returned.result.unwrap_or(0), ..CallResult::default() };
        for (row, argument) in function.row().arguments.iter().zip(arguments) {
            // What the DLL wrote counts.
            let after = changed.iter().find(|(ty, _)| *ty == row.ty).map_or(argument, |(_, after)| after);
            match (row.ty, after) {
                (ArgumentType::UserName, Buffer::Text(units)) => done.user = String::from_utf16_lossy(units),
                (ArgumentType::PortName, Buffer::Text(units)) => done.port = String::from_utf16_lossy(units),
                (ArgumentType::Ipv4Address, Buffer::Bytes(b)) => done.number = big_endian(b),
                (ArgumentType::Ipv6Address, Buffer::Bytes(b)) => done.number = big_endian(b.get(8..).unwrap_or(&[])),
                (ArgumentType::ConnectionEx, Buffer::Bytes(b)) => {
                    done.handle = little_endian(b, offset_of!(RAS_CONNECTION_EX, hConnection), 8);
                    done.user = wide(b, offset_of!(RAS_CONNECTION_EX, wszUserName));
                    let number = |offset| little_endian(b, offset, 4) as u32;
                    done.used = [
                        number(offset_of!(RAS_CONNECTION_EX, dwConnectDuration)),
                        number(offset_of!(RAS_CONNECTION_EX, dwBytesRcved)),
                        number(offset_of!(RAS_CONNECTION_EX, dwBytesXmited)),
                    ];
                }
                (ArgumentType::Port0, Buffer::Bytes(b)) => {
                    done.handle = little_endian(b, offset_of!(RAS_PORT_0, hConnection), 8);
                    done.port = wide(b, offset_of!(RAS_PORT_0, wszPortName));
                }
                _ => {}
            }
        }
        Self::Returned(function, done)
    }
}

fn big_endian(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

fn little_endian(bytes: &[u8], offset: usize, size: usize) -> u64 {
    bytes.get(offset..offset + size).unwrap_or(&[]).iter().rev().fold(0, |n, byte| n << 8 | u64::from(*byte))
}

fn wide(bytes: &[u8], offset: usize) -> String {
    let units = bytes.get(offset..).unwrap_or(&[]).chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
    String::from_utf16_lossy(&units.take_while(|unit| *unit != 0).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_torn_line_is_none() {
        let done =
            CallResult { user: "CORP\\u1".into(), handle: 7, result: 1, used: [1, 2, 3], ..CallResult::default() };
        let entries = [
            CallEntry::Began(F::AcceptNewLink),
            CallEntry::Returned(F::AcceptNewConnectionEx, done),
            CallEntry::NeverMade(F::TerminateDll),
        ];
        let text: String = entries.iter().map(CallEntry::line).collect();
        assert_eq!(CallEntry::read_all(&text), entries);
        assert_eq!(CallEntry::read_all(&text[..text.len() - 1]), entries[..2]);
    }
}
