//! Calls as a trace records them.

use crate::dll::{AdminDll, Returned};
use crate::invoke::Arg;
use mprapi::FunctionId;
use mprapi::contract::ArgumentType;
use rasadmin_trace::{Buffer, Call};

/// What the arguments of a call point to, as buffers of a trace.
pub fn buffers(function: FunctionId, arguments: &[Arg]) -> Vec<Buffer> {
    function.row().arguments.iter().zip(arguments).map(|(row, argument)| buffer(row.ty, argument)).collect()
}

fn buffer(ty: ArgumentType, argument: &Arg) -> Buffer {
    let Some(bytes) = argument.memory() else {
        return Buffer::Null;
    };
    match ty {
        ArgumentType::UserName | ArgumentType::PortName => {
            let units = bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
            let mut units: Vec<u16> = units.collect();
            units.pop(); // Remove the terminator.
            Buffer::Text(units)
        }
        _ => Buffer::Bytes(bytes.to_vec()),
    }
}

/// The arguments for which a trace has these buffers.
pub fn arguments(buffers: &[Buffer]) -> Vec<Arg> {
    buffers
        .iter()
        .map(|buffer| match buffer {
            Buffer::Null => Arg::Null,
            Buffer::Bytes(bytes) => Arg::bytes(bytes),
            Buffer::Text(units) => Arg::units(units),
            Buffer::Callbacks { .. } => Arg::bytes(&[0; size_of::<mprapi::abi::MPRAPI_ADMIN_DLL_CALLBACKS>()]),
        })
        .collect()
}

/// The arguments that differ from `before`.
pub fn changes(function: FunctionId, before: &[Buffer], arguments: &[Arg]) -> Vec<(ArgumentType, Buffer)> {
    let after = buffers(function, arguments);
    let rows = function.row().arguments.iter();
    rows.zip(before).zip(after).filter(|((_, b), a)| *b != a).map(|((row, _), after)| (row.ty, after)).collect()
}

/// The call that initialised a DLL, as a trace records it. None if the DLL exports no initialise function.
pub fn initialize_call(dll: &AdminDll, index: usize, returned: Returned) -> Option<Call> {
    let exports = dll.exports();
    let function =
        [FunctionId::InitializeDllEx, FunctionId::InitializeDll].into_iter().find(|&id| exports.contains(id))?;
    let (arguments, after) = match dll.table() {
        Some((revision, set)) => (
            vec![Buffer::Callbacks { revision: 0, set: mprapi::FunctionSet::EMPTY }],
            vec![(ArgumentType::Callbacks, Buffer::Callbacks { revision, set })],
        ),
        None => (Vec::new(), Vec::new()),
    };
    Some(Call { function, dll: index, arguments, after, ..call_returning(returned) })
}

/// A call of which only the result and the time taken are set.
pub(crate) fn call_returning(returned: Returned) -> Call {
    Call {
        seq: 0,
        at_us: 0,
        dll: 0,
        function: FunctionId::InitializeDll,
        arguments: Vec::new(),
        result: returned.result,
        after: Vec::new(),
        took_ns: u64::try_from(returned.took.as_nanos()).unwrap_or(u64::MAX),
    }
}
