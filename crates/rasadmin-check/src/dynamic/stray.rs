//! Finds writes around the arguments of ordinary calls, and into those that are only for reading.

use super::arguments::{arrays, ordinary};
use super::calls::name;
use super::loaded::LoadedDll;
use super::progress::ChildResult;
use crate::check::Check;
use mprapi::FunctionId;
use mprapi::contract::ArgumentType;
use rasadmin_host::guarded::Guarded;
use rasadmin_host::invoke::Arg;

/// The bytes before and after an argument that are watched.
const MARGIN: usize = 256;
/// Their value. Zeros would hide the upper half of a small number that is written with too many bytes.
const FILL: u8 = 0xA5;

/// One write that the DLL should not have made.
struct Write {
    check: Check,
    function: FunctionId,
    /// What it did, as in "MprAdminAcceptNewLink " + this.
    what: String,
}

/// Calls each function once, and looks at the memory of its arguments. Returns the results of three checks, that of
/// [`Check::WritesPastArguments`] first.
pub(super) fn stray_writes(dll: &mut LoadedDll<'_>) -> (ChildResult, Vec<(Check, ChildResult)>) {
    let mut writes = Vec::new();
    let functions = dll.functions();
    for (n, &id) in functions.iter().enumerate() {
        if !dll.in_time() {
            let late = || dll.late(n, functions.len(), "functions");
            let others = [Check::WritesBeforeArguments, Check::WritesIntoArguments].map(|check| (check, late()));
            return (late(), others.into());
        }
        one_call(dll, id, &mut writes);
    }
    let result = |check| result(check, &writes, functions.len());
    let others = [Check::WritesBeforeArguments, Check::WritesIntoArguments].map(|check| (check, result(check)));
    (result(Check::WritesPastArguments), others.into())
}

fn one_call(dll: &mut LoadedDll<'_>, function: FunctionId, writes: &mut Vec<Write>) {
    let rows = function.row().arguments;
    let before: Vec<_> = rows.iter().map(|argument| ordinary(argument.ty, 1)).collect();
    let mut arguments: Vec<_> =
        before.iter().map(|bytes| Arg::Memory(Guarded::with_margins(bytes, MARGIN, FILL))).collect();
    dll.call(function, "", &mut arguments);
    for ((argument, row), before) in arguments.iter().zip(rows).zip(&before) {
        let Arg::Memory(memory) = argument else { continue };
        let (front, rest) = memory.margins();
        let name = words(row.ty);
        if let Some(at) = rest.iter().rposition(|&byte| byte != FILL) {
            let what = format!("writes up to {} past the end of {name} ({} bytes)", bytes(at + 1), before.len());
            writes.push(Write { check: Check::WritesPastArguments, function, what });
        }
        if let Some(at) = front.iter().position(|&byte| byte != FILL) {
            let what = format!("writes up to {} before {name}", bytes(MARGIN - at));
            writes.push(Write { check: Check::WritesBeforeArguments, function, what });
        }
        if is_input(row.ty)
            && let Some(at) = memory.bytes().iter().zip(before).position(|(now, before)| now != before)
        {
            let what = format!("changes {}", place(row.ty, name, at));
            writes.push(Write { check: Check::WritesIntoArguments, function, what });
        }
    }
}

/// The argument in words.
fn words(ty: ArgumentType) -> &'static str {
    match ty {
        ArgumentType::UserName => "the user's name",
        ArgumentType::PortName => "the port's name",
        ArgumentType::Ipv4Address => "the IPv4 address",
        ArgumentType::Ipv6Address => "the IPv6 address",
        _ => name(ty),
    }
}

fn bytes(count: usize) -> String {
    format!("{count} byte{}", if count == 1 { "" } else { "s" })
}

/// Whether the DLL is to read the argument only.
fn is_input(ty: ArgumentType) -> bool {
    use ArgumentType as A;
    !matches!(ty, A::Callbacks | A::Ipv4Address | A::Ipv6Address | A::NotifyRelease)
}

/// The field at an offset if it is a string, or the offset.
fn place(ty: ArgumentType, name: &str, offset: usize) -> String {
    match arrays(ty).iter().find(|array| (array.offset..array.offset + array.len).contains(&offset)) {
        Some(array) => format!("{name}.{}", array.field),
        None if matches!(ty, ArgumentType::UserName | ArgumentType::PortName) => name.to_owned(),
        None => format!("{name} at offset {offset}"),
    }
}

fn result(check: Check, writes: &[Write], functions: usize) -> ChildResult {
    let mut of_check = writes.iter().filter(|write| write.check == check);
    let Some(first) = of_check.next() else {
        return ChildResult::pass(format!("{functions} functions"));
    };
    let mut names = vec![first.function.name().to_owned()];
    let mut message = format!("{} {}", first.function, first.what);
    let others: Vec<_> = of_check.map(|write| write.function.name().to_owned()).filter(|n| *n != names[0]).collect();
    if !others.is_empty() {
        message.push_str(&format!("; likewise {}", others.join(", ")));
        names.extend(others);
    }
    let cause = match check {
        Check::WritesIntoArguments => "The call was an ordinary one. Afterwards the argument was not what it had been.",
        _ => "The call was an ordinary one, with marked memory around each argument. Afterwards a mark was gone.",
    };
    ChildResult::Found { serious: check != Check::WritesIntoArguments, message, cause: cause.into(), functions: names }
}
