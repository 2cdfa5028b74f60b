//! Makes the calls of a trace again, to the same or another DLL, and lists the differences in its answers.

use crate::dll::{AdminDll, Returned};
use crate::module::LoadError;
use crate::record;
use mprapi::FunctionId;
use mprapi::contract::{ArgumentType, Returns};
use rasadmin_trace::{Buffer, Call};
use std::fmt;
use std::path::Path;
use std::time::Instant;

/// One difference between the recorded call and its repetition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The call's number in the trace.
    pub seq: u64,
    /// The function.
    pub function: FunctionId,
    /// The user or port that the call concerns. Empty if the call names neither.
    pub subject: String,
    /// What was recorded, and what the DLL returned now.
    pub what: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "call {}: {}", self.seq, self.function)?;
        if !self.subject.is_empty() {
            write!(f, " ({})", self.subject)?;
        }
        write!(f, ": {}", self.what)
    }
}

/// The result of a replay.
#[derive(Clone, Debug, Default)]
pub struct ReplayReport {
    /// The number of calls that were made.
    pub calls: usize,
    /// The number of calls to other DLLs of the trace, which were not made.
    pub skipped: usize,
    /// The differences.
    pub differences: Vec<Difference>,
}

/// Makes the calls to DLL number `dll_index` of the trace again, to the DLL at `path`.
///
/// # Errors
/// If the DLL cannot be loaded or unloaded.
pub fn replay(path: &Path, calls: &[Call], dll_index: usize) -> Result<ReplayReport, LoadError> {
    let mut dll = AdminDll::load(path, 0)?;
    let mut report = ReplayReport::default();
    let recorded = |function: FunctionId| calls.iter().any(|call| call.dll == dll_index && call.function == function);
    // A DLL may have no initialise function to record, and a host that was killed records no terminate.
    if !INITIALIZE.into_iter().any(recorded) {
        dll.initialize();
    }
    for call in calls {
        if call.dll == dll_index {
            report.calls += 1;
            report.differences.extend(replay_call(&mut dll, call));
        } else {
            report.skipped += 1;
        }
    }
    if !recorded(FunctionId::TerminateDll) {
        dll.call(FunctionId::TerminateDll, &mut []);
    }
    dll.unload().map_err(|message| LoadError { code: 0, message })?;
    Ok(report)
}

const INITIALIZE: [FunctionId; 2] = [FunctionId::InitializeDllEx, FunctionId::InitializeDll];

/// Makes a recorded call again and compares the answers.
fn replay_call(dll: &mut AdminDll, call: &Call) -> Vec<Difference> {
    let now = if INITIALIZE.contains(&call.function) {
        let start = Instant::now();
        let returned = Returned { result: Some(dll.initialize()), took: start.elapsed() };
        record::initialize_call(dll, 0, returned).filter(|now| now.function == call.function)
    } else {
        let mut arguments = record::arguments(&call.arguments);
        dll.call(call.function, &mut arguments).map(|returned| Call {
            after: record::changes(call.function, &call.arguments, &arguments),
            result: returned.result,
            ..call.clone()
        })
    };
    let difference = |what| Difference { seq: call.seq, function: call.function, subject: subject(call), what };
    let Some(now) = now else {
        return vec![difference("the DLL does not have the function".to_owned())];
    };
    let mut differences = Vec::new();
    if now.result != call.result {
        let (before, after) = (result(call.function, call.result), result(call.function, now.result));
        differences.push(difference(format!("recorded {before}, now {after}")));
    }
    for argument in call.function.row().arguments {
        let (before, after) = (call.after(argument.ty), now.after(argument.ty));
        if before != after {
            let (before, after) = (text(argument.ty, before), text(argument.ty, after));
            differences.push(difference(format!("{}: recorded {before}, now {after}", argument.ty.label())));
        }
    }
    differences
}

fn result(function: FunctionId, result: Option<u32>) -> String {
    match (function.row().returns, result) {
        (_, None) => "nothing".into(),
        (Returns::Verdict, Some(0)) => "rejected".into(),
        (Returns::Verdict, Some(_)) => "accepted".into(),
        (_, Some(code)) => format!("{code}"),
    }
}

fn text(ty: ArgumentType, buffer: Option<&Buffer>) -> String {
    match buffer {
        None | Some(Buffer::Null) => "null".into(),
        Some(Buffer::Bytes(bytes)) => match (ty, bytes.as_slice()) {
            (ArgumentType::Ipv4Address, &[a, b, c, d]) => format!("{a}.{b}.{c}.{d}"),
            (ArgumentType::NotifyRelease, [0, 0, 0, 0]) => "FALSE".into(),
            (ArgumentType::NotifyRelease, _) => "TRUE".into(),
            (ArgumentType::Ipv6Address, bytes) => match <[u8; 16]>::try_from(bytes) {
                Ok(octets) => std::net::Ipv6Addr::from(octets).to_string(),
                Err(_) => "other bytes".into(),
            },
            _ => "other bytes".into(),
        },
        Some(Buffer::Text(units)) => printable(units),
        Some(Buffer::Callbacks { revision, set }) => format!("revision {revision} with {} pointers", set.len()),
    }
}

/// The user of an address call, or else the user or port in the call's first structure.
fn subject(call: &Call) -> String {
    let rows = call.function.row().arguments.iter();
    for (row, buffer) in rows.zip(&call.arguments) {
        let wide = |offset: usize, units: usize| match buffer {
            Buffer::Bytes(bytes) => bytes.get(offset..offset + units * 2).map(|bytes| {
                let units = bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
                units.take_while(|&unit| unit != 0).collect::<Vec<u16>>()
            }),
            _ => None,
        };
        use mprapi::abi::{RAS_CONNECTION_0, RAS_CONNECTION_EX, RAS_PORT_0};
        use std::mem::offset_of;
        let units = match (row.ty, buffer) {
            (ArgumentType::UserName, Buffer::Text(units)) => Some(units.clone()),
            (ArgumentType::ConnectionEx, _) => wide(offset_of!(RAS_CONNECTION_EX, wszUserName), 257),
            (ArgumentType::Connection0, _) => wide(offset_of!(RAS_CONNECTION_0, wszUserName), 257),
            (ArgumentType::Port0, _) => wide(offset_of!(RAS_PORT_0, wszPortName), 17),
            _ => None,
        };
        if let Some(units) = units {
            return printable(&units);
        }
    }
    String::new()
}

/// A name with its control characters escaped, so that a hostile one cannot forge a line.
fn printable(units: &[u16]) -> String {
    rasadmin_text::printable(&String::from_utf16_lossy(units)).into_owned()
}
