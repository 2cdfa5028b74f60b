//! Checks that call every function with arguments of some kind. A DLL that fails such a check takes the process with
//! it: to come back is to pass.

use super::arguments::*;
use super::child::Session;
use super::progress::ChildResult;
use crate::check::Check;
use mprapi::FunctionId;
use mprapi::abi::{AUTH_VALIDATION_EX, ERROR_NOT_FOUND, MPRAPI_OBJECT_HEADER, RAS_CONNECTION_3};
use mprapi::contract::ArgumentType;
use rasadmin_host::invoke::Arg;
use std::mem::offset_of;

/// How many calls with random bytes each function gets.
const RANDOM_ROUNDS: usize = 64;
/// How often an address is asked for and given back: more often than Microsoft's sample has addresses.
const RELEASE_ROUNDS: u32 = 600;

fn survived(calls: usize, functions: usize) -> ChildResult {
    match functions {
        0 => ChildResult::pass("it has no function that this concerns"),
        _ => ChildResult::pass(format!("{functions} functions, {calls} calls")),
    }
}

/// One ordinary call of each.
pub(super) fn ordinary(session: &mut Session<'_>) -> ChildResult {
    let functions = session.functions();
    for &id in &functions {
        session.call(id, "", &mut ordinary_call(id, 1));
    }
    survived(functions.len(), functions.len())
}

/// Is the end of this argument what the check looks at?
fn concerns(check: Check, ty: ArgumentType) -> bool {
    use ArgumentType as A;
    match check {
        Check::ReadsPastConnectionEx => matches!(ty, A::ConnectionEx | A::AuthValidation),
        Check::ReadsPastConnection => matches!(ty, A::Connection0 | A::Connection1 | A::Connection2 | A::Connection3),
        Check::ReadsPastPort => matches!(ty, A::Port0 | A::Port1),
        Check::ReadsPastName => matches!(ty, A::UserName | A::PortName),
        Check::ReadsPastAddress => matches!(ty, A::Ipv4Address | A::Ipv6Address | A::NotifyRelease),
        _ => false,
    }
}

/// Calls each function with each argument that `which` picks replaced by each of `replace`'s.
fn each_argument(
    session: &mut Session<'_>,
    which: impl Fn(ArgumentType) -> bool,
    replace: impl Fn(ArgumentType) -> Vec<(String, Arg)>,
) -> ChildResult {
    let (mut calls, mut functions) = (0, 0);
    for id in session.functions() {
        let row = id.row();
        let before = calls;
        for (index, argument) in row.arguments.iter().enumerate().filter(|(_, a)| which(a.ty)) {
            for (detail, arg) in replace(argument.ty) {
                session.call(id, &detail, &mut with_one(row, index, arg));
                calls += 1;
            }
        }
        functions += usize::from(calls > before);
    }
    survived(calls, functions)
}

/// Each argument of a kind in turn at an inaccessible page.
pub(super) fn reads_past(session: &mut Session<'_>, check: Check) -> ChildResult {
    each_argument(
        session,
        |ty| concerns(check, ty),
        |ty| {
            let detail = format!("with {} ending at an inaccessible page", name(ty));
            vec![(detail, guarded(&super::arguments::ordinary(ty, 1)))]
        },
    )
}

/// `RAS_PORT_0`, or the argument's name where the type says nothing.
fn name(ty: ArgumentType) -> &'static str {
    match ty.c_type().strip_suffix(" *") {
        Some("WCHAR" | "DWORD" | "BOOL" | "IN6_ADDR") | None => ty.label(),
        Some(structure) => structure,
    }
}

/// Each pointer null in turn, then all of them.
pub(super) fn null_pointers(session: &mut Session<'_>) -> ChildResult {
    let (mut calls, functions) = (0, session.functions());
    for &id in &functions {
        let row = id.row();
        for (index, argument) in row.arguments.iter().enumerate() {
            let detail = format!("with a null {}", argument.ty.label());
            session.call(id, &detail, &mut with_one(row, index, Arg::Null));
            calls += 1;
        }
        let mut all: Vec<_> = row.arguments.iter().map(|_| Arg::Null).collect();
        session.call(id, "with null pointers only", &mut all);
        calls += 1;
    }
    survived(calls, functions.len())
}

/// Arrays full of letters without a terminator: alone; with everything behind them full of letters too.
pub(super) fn unterminated(session: &mut Session<'_>) -> ChildResult {
    const LETTER: u16 = b'A' as u16;
    let fill = |bytes: &mut [u8]| {
        for pair in bytes.chunks_exact_mut(2) {
            pair.copy_from_slice(&LETTER.to_le_bytes());
        }
    };
    each_argument(
        session,
        |ty| !arrays(ty).is_empty(),
        |ty| {
            let ordinary = super::arguments::ordinary(ty, 1);
            let mut all = Vec::new();
            for array in arrays(ty) {
                let mut alone = ordinary.clone();
                fill(&mut alone[array.offset..array.offset + array.len]);
                let detail = format!("with {}.{} unterminated", name(ty), array.field);
                all.push((detail.clone(), guarded(&alone)));
                let mut to_the_end = ordinary.clone();
                fill(&mut to_the_end[array.offset..]);
                all.push((format!("{detail} and no zero behind it"), guarded(&to_the_end)));
            }
            all
        },
    )
}

/// A user name of 64 KiB.
pub(super) fn long_name(session: &mut Session<'_>) -> ChildResult {
    let units = vec![u16::from(b'u'); 32 * 1024];
    each_argument(
        session,
        |ty| ty == ArgumentType::UserName,
        |_| vec![("with a user name of 64 KiB".into(), Arg::units(&units))],
    )
}

/// Where a structure's revision, type and size lie, each with its length in bytes.
fn header(ty: ArgumentType) -> &'static [(&'static str, usize, usize)] {
    const HEADER: &[(&str, usize, usize)] = &[
        ("revision", offset_of!(MPRAPI_OBJECT_HEADER, revision), 1),
        ("type", offset_of!(MPRAPI_OBJECT_HEADER, r#type), 1),
        ("size", offset_of!(MPRAPI_OBJECT_HEADER, size), 2),
    ];
    match ty {
        // Both begin with it.
        ArgumentType::ConnectionEx => HEADER,
        ArgumentType::AuthValidation => {
            const { assert!(offset_of!(AUTH_VALIDATION_EX, Header) == 0) };
            HEADER
        }
        ArgumentType::Connection3 => &[
            ("dwVersion", offset_of!(RAS_CONNECTION_3, dwVersion), 4),
            ("dwSize", offset_of!(RAS_CONNECTION_3, dwSize), 4),
        ],
        _ => &[],
    }
}

/// Headers with values that no Windows of today writes. Where a size grows, so does the memory.
pub(super) fn unknown_headers(session: &mut Session<'_>) -> ChildResult {
    each_argument(
        session,
        |ty| !header(ty).is_empty(),
        |ty| {
            let ordinary = super::arguments::ordinary(ty, 1);
            let mut all = Vec::new();
            for &(field, offset, bytes) in header(ty) {
                let len = ordinary.len() as u32;
                let values: &[u32] = if field.ends_with("ize") {
                    &[0, 1, 4, 8, len - 1, len + 1, len + 8, 4096, 65_535]
                } else {
                    &[0, 2, 3, 9, 127, 255]
                };
                for &value in values {
                    let mut changed = ordinary.clone();
                    changed[offset..offset + bytes].copy_from_slice(&value.to_le_bytes()[..bytes]);
                    if field.ends_with("ize") {
                        changed.resize(ordinary.len().max(value as usize).next_multiple_of(8), 0);
                    }
                    all.push((format!("with {}.{field} = {value}", name(ty)), guarded(&changed)));
                }
            }
            all
        },
    )
}

/// Random bytes: in half of the calls all of them, in the others a few among ordinary ones.
pub(super) fn random(session: &mut Session<'_>, seed: u64) -> ChildResult {
    let functions = session.functions();
    let mut random = Random(seed);
    for &id in &functions {
        for round in 0..RANDOM_ROUNDS {
            let mut arguments: Vec<_> =
                id.row().arguments.iter().map(|argument| random_argument(&mut random, argument.ty, round)).collect();
            let detail = format!("with random bytes (seed {seed}, round {round})");
            session.call(id, &detail, &mut arguments);
        }
    }
    match functions.len() {
        0 => survived(0, 0),
        n => ChildResult::pass(format!("{n} functions, {} calls, seed {seed}", n * RANDOM_ROUNDS)),
    }
}

fn random_argument(random: &mut Random, ty: ArgumentType, round: usize) -> Arg {
    if matches!(ty, ArgumentType::UserName | ArgumentType::PortName) {
        // Any units, unpaired surrogates too; a name ends at its first zero.
        let units: Vec<u16> = (0..random.below(300)).map(|_| random.next() as u16).collect();
        return Arg::units(&units);
    }
    let mut bytes = super::arguments::ordinary(ty, round as u32);
    if round.is_multiple_of(2) {
        random.fill(&mut bytes);
    } else {
        for _ in 0..8 {
            let at = random.below(bytes.len());
            bytes[at] = random.next() as u8;
        }
    }
    guarded(&bytes)
}

/// Asks for addresses and gives them back, as often as a small pool would not last if they did not come back.
pub(super) fn release_after_notify(session: &mut Session<'_>) -> ChildResult {
    let pairs = [
        (FunctionId::GetIpAddressForUser, FunctionId::ReleaseIpAddress),
        (FunctionId::GetIpv6AddressForUser, FunctionId::ReleaseIpv6AddressForUser),
    ];
    let mut notes = Vec::new();
    for (get, release) in pairs {
        let there = session.functions();
        if !there.contains(&get) || !there.contains(&release) {
            continue;
        }
        match round_trips(session, get, release) {
            Ok(note) => notes.push(note),
            Err(failed) => return failed,
        }
    }
    if notes.is_empty() { ChildResult::pass("it has no address pair") } else { ChildResult::pass(notes.join("; ")) }
}

fn round_trips(session: &mut Session<'_>, get: FunctionId, release: FunctionId) -> Result<String, ChildResult> {
    let mut released = 0;
    for n in 0..RELEASE_ROUNDS {
        let user = n % 32 + 1;
        let mut arguments = ordinary_call(get, user);
        let code = session.call(get, "", &mut arguments).and_then(|r| r.result).unwrap_or(0);
        if code != 0 && n == 0 {
            return Ok(format!("{get} gave user1 nothing (error {code}): nothing to release"));
        }
        if code != 0 {
            return Err(ChildResult::fail(
                format!("after {n} addresses given and {released} released, {get} gives none (error {code})"),
                "One user at a time was connected: what was released was not used again, or notify_release was not \
                 set although the address was taken.",
            ));
        }
        let width = if get == FunctionId::GetIpAddressForUser { 4 } else { 16 };
        let written = |index: usize, len: usize| {
            let memory = arguments[index].memory().unwrap_or_default();
            memory.get(..len).unwrap_or_default().to_vec()
        };
        let (address, notify) = (written(2, width), written(3, 4));
        if width == 4 && address.iter().all(|&byte| byte == 0) {
            return Err(ChildResult::fail(
                format!("{get} succeeds and gives 0.0.0.0"),
                format!("RRAS treats that as error {ERROR_NOT_FOUND}."),
            ));
        }
        if notify.iter().any(|&byte| byte != 0) {
            let mut arguments = ordinary_call(release, user);
            arguments[2] = slack(&address);
            session.call(release, "", &mut arguments);
            released += 1;
        }
    }
    Ok(format!("{RELEASE_ROUNDS} addresses of {get}, {released} released"))
}
