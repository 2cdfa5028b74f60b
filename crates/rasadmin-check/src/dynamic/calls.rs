//! Checks that call every function with unusual arguments. A DLL that fails one crashes the process; if all calls return,
//! it passes.

use super::arguments::*;
use super::loaded::LoadedDll;
use super::progress::{ChildResult, Line};
use crate::check::Check;
use mprapi::abi::{AUTH_VALIDATION_EX, ERROR_NOT_FOUND, MPRAPI_OBJECT_HEADER, RAS_CONNECTION_3};
use mprapi::contract::ArgumentType;
use mprapi::{FunctionId, FunctionSet};
use rasadmin_host::dll::Returned;
use rasadmin_host::invoke::Arg;
use std::mem::offset_of;
use std::time::Duration;

/// The number of calls with random bytes for each function.
const RANDOM_ROUNDS: usize = 64;
/// The answer of a pre-authentication function that lets a client in (ALLOW_NO_AUTH).
const ALLOW_NO_AUTHENTICATION: u32 = 1;
/// How often an address is requested and released: more often than Microsoft's sample has addresses.
const RELEASE_ROUNDS: u32 = 600;

/// The result if every call returned.
fn passed(calls: usize, functions: usize) -> ChildResult {
    match functions {
        0 => ChildResult::pass("it has no function to which this applies"),
        _ => ChildResult::pass(format!("{functions} functions, {calls} calls")),
    }
}

/// A call that takes no longer than this is not slow.
pub(super) const SLOW: Duration = Duration::from_millis(50);
/// A call that takes longer than this is too slow.
pub(super) const TOO_SLOW: Duration = Duration::from_secs(1);
/// The number of functions whose slow calls are repeated.
const REPEATED: usize = 3;

/// Makes one ordinary call of each function, and reports those that take long.
pub(super) fn ordinary(dll: &mut LoadedDll<'_>) -> ChildResult {
    let functions = dll.functions();
    let mut slow = 0;
    for (n, &id) in functions.iter().enumerate() {
        if !dll.in_time() {
            return dll.late(n, functions.len(), "functions");
        }
        let mut took = dll.call(id, "", &mut ordinary_call(id, 1)).map_or(Duration::ZERO, |returned| returned.took);
        if took > SLOW {
            // A busy computer makes one call slow, but hardly all of them: the quickest counts.
            let repeat = if slow >= REPEATED { 0 } else { 4 };
            for user in 2..2 + repeat {
                if took <= SLOW || !dll.in_time() || took > TOO_SLOW && user > 2 {
                    break;
                }
                let again = dll.call(id, "", &mut ordinary_call(id, user));
                took = took.min(again.map_or(took, |returned: Returned| returned.took));
            }
        }
        if took > SLOW {
            slow += 1;
            dll.progress.write(&Line::Slow { function: id.name().into(), milliseconds: took.as_millis() as u64 });
        }
    }
    passed(functions.len(), functions.len())
}

/// Plays two sessions with ordinary calls: a pointer that was kept in the first is used in the second at the latest.
pub(super) fn two_sessions(dll: &mut LoadedDll<'_>) -> ChildResult {
    let functions = dll.functions();
    for user in 1..=2 {
        for (n, &id) in functions.iter().enumerate() {
            if !dll.in_time() {
                return dll.late((user as usize - 1) * functions.len() + n, 2 * functions.len(), "calls");
            }
            dll.call(id, "", &mut ordinary_call(id, user));
        }
    }
    // A thread of the DLL's own may have kept a pointer, too.
    std::thread::sleep(Duration::from_millis(50));
    passed(2 * functions.len(), functions.len())
}

/// Whether the check is about the end of this argument.
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

/// Calls each function once for each argument that `which` selects and each replacement that `replace` returns for it. The
/// replacements come with a description.
fn each_argument(
    dll: &mut LoadedDll<'_>,
    which: impl Fn(ArgumentType) -> bool,
    replace: impl Fn(ArgumentType) -> Vec<(String, Arg)>,
) -> ChildResult {
    let (mut calls, mut functions) = (0, FunctionSet::EMPTY);
    let of_function = |id: FunctionId| id.row().arguments.iter().enumerate().filter(|(_, a)| which(a.ty));
    let planned = || {
        let arguments = dll.functions().into_iter().flat_map(of_function);
        arguments.map(|(_, argument)| replace(argument.ty).len()).sum::<usize>()
    };
    let planned = planned();
    for id in dll.functions() {
        for (index, argument) in of_function(id) {
            for (detail, arg) in replace(argument.ty) {
                if !dll.in_time() {
                    return dll.late(calls, planned, "calls");
                }
                dll.call(id, &detail, &mut with_one(id.row(), index, arg));
                calls += 1;
                functions.insert(id);
            }
        }
    }
    passed(calls, functions.len())
}

/// Puts each argument of a kind in turn before an inaccessible page.
pub(super) fn reads_past(dll: &mut LoadedDll<'_>, check: Check) -> ChildResult {
    each_argument(
        dll,
        |ty| concerns(check, ty),
        |ty| {
            let detail = format!("with {} ending at an inaccessible page", name(ty));
            vec![(detail, guarded(&super::arguments::ordinary(ty, 1)))]
        },
    )
}

/// `RAS_PORT_0`, or the argument's name if the type's name says nothing.
pub(super) fn name(ty: ArgumentType) -> &'static str {
    match ty.c_type().strip_suffix(" *") {
        Some("WCHAR" | "DWORD" | "BOOL" | "IN6_ADDR") | None => ty.label(),
        Some(structure) => structure,
    }
}

/// Passes null for each pointer in turn, then for all of them.
pub(super) fn null_pointers(dll: &mut LoadedDll<'_>) -> ChildResult {
    let (mut calls, functions) = (0, dll.functions());
    let planned: usize = functions.iter().map(|id| id.row().arguments.len() + 1).sum();
    for &id in &functions {
        let row = id.row();
        for (index, argument) in row.arguments.iter().enumerate() {
            if !dll.in_time() {
                return dll.late(calls, planned, "calls");
            }
            let detail = format!("with a null {}", argument.ty.label());
            dll.call(id, &detail, &mut with_one(row, index, Arg::Null));
            calls += 1;
        }
        let mut all: Vec<_> = row.arguments.iter().map(|_| Arg::Null).collect();
        dll.call(id, "with null pointers only", &mut all);
        calls += 1;
    }
    passed(calls, functions.len())
}

/// Fills each array with letters and no terminator: first the array alone, then everything after it, too.
pub(super) fn unterminated(dll: &mut LoadedDll<'_>) -> ChildResult {
    const LETTER: u16 = b'A' as u16;
    let fill = |bytes: &mut [u8]| {
        for pair in bytes.chunks_exact_mut(2) {
            pair.copy_from_slice(&LETTER.to_le_bytes());
        }
    };
    each_argument(
        dll,
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
                all.push((format!("{detail} and no zero after it"), guarded(&to_the_end)));
            }
            all
        },
    )
}

/// Passes a user name of 64 KiB.
pub(super) fn long_name(dll: &mut LoadedDll<'_>) -> ChildResult {
    let units = vec![u16::from(b'u'); 32 * 1024];
    each_argument(
        dll,
        |ty| ty == ArgumentType::UserName,
        |_| vec![("with a user name of 64 KiB".into(), Arg::units(&units))],
    )
}

/// The name, offset and length in bytes of a structure's revision, type and size.
fn header(ty: ArgumentType) -> &'static [(&'static str, usize, usize)] {
    const HEADER: &[(&str, usize, usize)] = &[
        ("revision", offset_of!(MPRAPI_OBJECT_HEADER, revision), 1),
        ("type", offset_of!(MPRAPI_OBJECT_HEADER, r#type), 1),
        ("size", offset_of!(MPRAPI_OBJECT_HEADER, size), 2),
    ];
    match ty {
        // Both structures begin with the header.
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

/// Passes headers with values that no current Windows writes. If a size is larger, so is the memory.
pub(super) fn unknown_headers(dll: &mut LoadedDll<'_>) -> ChildResult {
    each_argument(
        dll,
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

/// Passes random bytes: in half of the calls all bytes are random, in the others a few.
pub(super) fn random(dll: &mut LoadedDll<'_>, seed: u64) -> ChildResult {
    let functions = dll.functions();
    let mut random = Random(seed);
    let mut calls = 0;
    for &id in &functions {
        for round in 0..RANDOM_ROUNDS {
            if !dll.in_time() {
                return dll.late(calls, functions.len() * RANDOM_ROUNDS, "calls");
            }
            calls += 1;
            let mut arguments: Vec<_> =
                id.row().arguments.iter().map(|argument| random_argument(&mut random, argument.ty, round)).collect();
            let detail = format!("with random bytes (seed {seed}, round {round})");
            dll.call(id, &detail, &mut arguments);
        }
    }
    match functions.len() {
        0 => passed(0, 0),
        n => ChildResult::pass(format!("{n} functions, {} calls, seed {seed}", n * RANDOM_ROUNDS)),
    }
}

fn random_argument(random: &mut Random, ty: ArgumentType, round: usize) -> Arg {
    if matches!(ty, ArgumentType::UserName | ArgumentType::PortName) {
        // Any units, including unpaired surrogates. A name ends at its first zero.
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

/// Requests and releases addresses so often that a small pool is exhausted unless released addresses are used again.
pub(super) fn release_after_notify(dll: &mut LoadedDll<'_>) -> ChildResult {
    let pairs = [
        (FunctionId::GetIpAddressForUser, FunctionId::ReleaseIpAddress),
        (FunctionId::GetIpv6AddressForUser, FunctionId::ReleaseIpv6AddressForUser),
    ];
    let mut results = Vec::new();
    for (get, release) in pairs {
        let present = dll.functions();
        if !present.contains(&get) || !present.contains(&release) {
            continue;
        }
        match round_trips(dll, get, release) {
            Ok(result) => results.push(result),
            Err(failed) => return failed,
        }
    }
    if results.is_empty() { ChildResult::pass("it has no address pair") } else { ChildResult::pass(results.join("; ")) }
}

fn round_trips(dll: &mut LoadedDll<'_>, get: FunctionId, release: FunctionId) -> Result<String, ChildResult> {
    let mut released = 0;
    for n in 0..RELEASE_ROUNDS {
        if !dll.in_time() {
            return Err(dll.late(n as usize, RELEASE_ROUNDS as usize, "addresses"));
        }
        let user = n % 32 + 1;
        let mut arguments = ordinary_call(get, user);
        let code = dll.call(get, "", &mut arguments).and_then(|r| r.result).unwrap_or(0);
        if code != 0 && n == 0 {
            return Ok(format!("{get} gave user1 no address (error {code}): nothing to release"));
        }
        if code != 0 {
            return Err(ChildResult::fail(
                format!("after {n} addresses given and {released} released, {get} gives none (error {code})"),
                "Only one user at a time was connected. Either released addresses are not used again, or the DLL took \
                 an address and did not set notify_release.",
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
            arguments[2] = padded(&address);
            dll.call(release, "", &mut arguments);
            released += 1;
        }
    }
    Ok(format!("{RELEASE_ROUNDS} addresses of {get}, {released} released"))
}

/// What strangers may send as AuthInfo: nothing, a zero, small numbers, and random bytes.
fn strangers() -> Vec<Vec<u8>> {
    let mut random = Random(0x5eed);
    let mut all = vec![Vec::new(), vec![0], vec![1; 24]];
    for len in [16, 64, 512] {
        let mut bytes = vec![0; len];
        random.fill(&mut bytes);
        all.push(bytes);
    }
    all
}

/// Asks whether strangers may connect without authentication.
pub(super) fn pre_authentication(dll: &mut LoadedDll<'_>) -> ChildResult {
    let id = FunctionId::ValidatePreAuthenticatedConnectionEx;
    if !dll.functions().contains(&id) {
        return ChildResult::skipped("the function cannot be called (answers-in-time)");
    }
    let all = strangers();
    let mut let_in = 0;
    for (n, info) in all.iter().enumerate() {
        if !dll.in_time() {
            return dll.late(n, all.len(), "calls");
        }
        let mut arguments = [padded(&stranger(info))];
        let answer = dll.call(id, "for a stranger", &mut arguments).and_then(|returned| returned.result);
        let_in += usize::from(answer == Some(ALLOW_NO_AUTHENTICATION));
    }
    let field = id.row().field.unwrap_or(id.name());
    match let_in {
        0 => ChildResult::warn(
            format!("its table sets {field}"),
            format!(
                "RRAS asks the DLL about every SSTP client before authentication. It let in none of {} strangers.",
                all.len()
            ),
        ),
        n => ChildResult::fail(
            format!("{field} lets in {}: it answers 1", if n == all.len() { "everybody" } else { "strangers" }),
            format!(
                "It answered 1 for {n} of {} clients with an unknown name and AuthInfo that is random, empty or plain.",
                all.len()
            ),
        ),
    }
}
