//! Calls as the trace has them, and the statistics of a run.

use crate::dll::{AdminDll, Returned};
use crate::invoke::Arg;
use mprapi::FunctionId;
use mprapi::contract::ArgumentType;
use rasadmin_trace::{Buffer, Call};
use std::collections::BTreeMap;

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
            units.pop(); // The terminator.
            Buffer::Text(units)
        }
        _ => Buffer::Bytes(bytes.to_vec()),
    }
}

/// Arguments with what a trace's buffers hold.
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

/// The call that initialised a DLL, as a trace has it; None if the DLL exports no initialise function.
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
    Some(Call { function, dll: index, arguments, after, ..blank(returned) })
}

/// A call of which only the result and the time taken are set.
pub(crate) fn blank(returned: Returned) -> Call {
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

/// How long the calls of each function took.
#[derive(Clone, Debug, Default)]
pub struct Statistics(BTreeMap<FunctionId, Vec<u64>>);

/// The times of one function's calls, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// How many calls.
    pub calls: usize,
    /// The median.
    pub p50: u64,
    /// 99 of 100 calls took no longer.
    pub p99: u64,
    /// The longest.
    pub max: u64,
}

impl Statistics {
    pub(crate) fn add(&mut self, function: FunctionId, took_ns: u64) {
        self.0.entry(function).or_default().push(took_ns);
    }

    /// Every call's time, in nanoseconds and in order, by function.
    pub fn each(&self) -> impl Iterator<Item = (FunctionId, &[u64])> {
        self.0.iter().map(|(&function, all)| (function, &all[..]))
    }

    /// The times of every function that was called, in the contract's order.
    pub fn times(&self) -> Vec<(FunctionId, Times)> {
        let of = |all: &Vec<u64>| {
            let mut sorted = all.clone();
            sorted.sort_unstable();
            // The nearest rank: the smallest value that at least this share of the calls did not exceed.
            let rank = |percent: usize| sorted[(sorted.len() * percent).div_ceil(100).max(1) - 1];
            Times { calls: sorted.len(), p50: rank(50), p99: rank(99), max: rank(100) }
        };
        self.0.iter().map(|(&function, all)| (function, of(all))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_nearest_ranks() {
        let mut statistics = Statistics::default();
        for took in (1..=200).rev() {
            statistics.add(FunctionId::AcceptNewLink, took);
        }
        statistics.add(FunctionId::InitializeDll, 7);
        assert_eq!(
            statistics.times(),
            [
                (FunctionId::InitializeDll, Times { calls: 1, p50: 7, p99: 7, max: 7 }),
                (FunctionId::AcceptNewLink, Times { calls: 200, p50: 100, p99: 198, max: 200 }),
            ]
        );
    }
}
