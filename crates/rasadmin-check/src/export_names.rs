//! Recognises functions of the contract that are exported under names that RRAS does not look up.

use mprapi::FunctionId;

/// What is wrong with a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameError {
    /// It has the calling convention's decoration: `_MprAdminAcceptNewLink@8`.
    Decorated,
    /// MSVC mangled it as C++: `?MprAdminAcceptNewLink@@YAHPEAX0@Z`.
    MangledMsvc,
    /// GCC mangled it as C++, or rustc as Rust: `_Z21MprAdminAcceptNewLinkPvS_`.
    MangledItanium,
    /// Its case is wrong: `mpradminacceptnewlink`.
    WrongCase,
    /// It is the function's name in Windows NT 4.0: `RasAdminAcceptNewConnection`.
    Nt4,
    /// No function has this name, but one has a similar name: `MprAdminReleaseIpAddress2`.
    Unknown,
}

/// The function that a wrong exported name stands for. None if the name is right, or has nothing to do with the contract.
pub fn recognise(export: &str) -> Option<(FunctionId, NameError)> {
    if FunctionId::from_export(export).is_some() {
        return None;
    }
    if let Some(rest) = export.strip_prefix('?') {
        let name = rest.split('@').next().unwrap_or_default();
        return any_case(name).map(|id| (id, NameError::MangledMsvc));
    }
    if let Some(id) = length_prefixed(export) {
        return Some((id, NameError::MangledItanium));
    }
    if let Some(id) = any_case(export) {
        return Some((id, NameError::WrongCase));
    }
    if let Some(id) = any_case(undecorated(export)) {
        return Some((id, NameError::Decorated));
    }
    if let Some(rest) = export.strip_prefix("RasAdmin") {
        return any_case(&format!("{PREFIX}{rest}")).map(|id| (id, NameError::Nt4));
    }
    similar(export).map(|id| (id, NameError::Unknown))
}

/// What every name of the contract begins with.
const PREFIX: &str = "MprAdmin";

/// The function whose name a name is probably meant to be. RRAS's administration functions begin in the same way: a DLL may
/// export such a function for its own purposes.
fn similar(name: &str) -> Option<FunctionId> {
    const MOST_EDITS: usize = 2;
    let key = key(name.strip_prefix(PREFIX)?);
    let distance = |id: &FunctionId| edits(&key, &self::key(&id.name()[PREFIX.len()..]));
    exported().min_by_key(distance).filter(|id| distance(id) <= MOST_EDITS)
}

/// A name without what its variants differ in: `GetIpv4AddressForUserEx` and `GetIpAddress` have the same key.
fn key(name: &str) -> String {
    let mut key = name.to_ascii_lowercase().replace("ipv4", "ip");
    while let Some(shorter) = ["ex", "foruser"]
        .iter()
        .find_map(|end| key.strip_suffix(end))
        .or_else(|| key.strip_suffix(|c: char| c.is_ascii_digit()))
    {
        key.truncate(shorter.len());
    }
    key
}

/// How many letters must be inserted, deleted or replaced to make one text of the other (Levenshtein).
fn edits(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (n, c) in from.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], n + 1);
        for (m, other) in to.iter().enumerate() {
            let replaced = diagonal + usize::from(c != *other);
            diagonal = row[m + 1];
            row[m + 1] = replaced.min(row[m] + 1).min(diagonal + 1);
        }
    }
    row[to.len()]
}

fn exported() -> impl Iterator<Item = FunctionId> {
    FunctionId::all().filter(|id| id.row().exported)
}

fn any_case(name: &str) -> Option<FunctionId> {
    exported().find(|id| id.name().eq_ignore_ascii_case(name))
}

/// The name without `_` or `@` in front and without `@8` or `@@8` at the end.
fn undecorated(name: &str) -> &str {
    let name = name.strip_prefix('_').or_else(|| name.strip_prefix('@')).unwrap_or(name);
    match name.rsplit_once('@') {
        Some((front, bytes)) if !bytes.is_empty() && bytes.bytes().all(|b| b.is_ascii_digit()) => {
            front.strip_suffix('@').unwrap_or(front)
        }
        _ => name,
    }
}

/// The function whose name a mangled name has, with its length in front, as Itanium and Rust mangling write it.
fn length_prefixed(mangled: &str) -> Option<FunctionId> {
    if !mangled.starts_with("_Z") && !mangled.starts_with("__Z") && !mangled.starts_with("_R") {
        return None;
    }
    exported().find(|id| {
        let length = id.name().len().to_string();
        mangled.match_indices(id.name()).any(|(at, _)| {
            let front = &mangled[..at];
            let number = front.strip_suffix(&length);
            // `121MprAdmin` is a name of 121 letters, not of 21.
            number.is_some_and(|n| !n.ends_with(|c: char| c.is_ascii_digit()))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use FunctionId::*;

    #[test]
    fn wrong_names_are_recognised() {
        for (name, expected) in [
            ("_MprAdminAcceptNewLink@8", (AcceptNewLink, NameError::Decorated)),
            ("MprAdminAcceptNewLink@8", (AcceptNewLink, NameError::Decorated)),
            ("@MprAdminAcceptNewLink@8", (AcceptNewLink, NameError::Decorated)),
            ("MprAdminAcceptNewLink@@16", (AcceptNewLink, NameError::Decorated)),
            ("_MprAdminTerminateDll", (TerminateDll, NameError::Decorated)),
            ("?MprAdminAcceptNewLink@@YAHPEAX0@Z", (AcceptNewLink, NameError::MangledMsvc)),
            ("_Z21MprAdminAcceptNewLinkPvS_", (AcceptNewLink, NameError::MangledItanium)),
            (
                "_ZN3dll28MprAdminAcceptNewConnection217h0123456789abcdefE",
                (AcceptNewConnection2, NameError::MangledItanium),
            ),
            ("_RNvCs1234_3dll20MprAdminTerminateDll", (TerminateDll, NameError::MangledItanium)),
            ("mpradminacceptnewlink", (AcceptNewLink, NameError::WrongCase)),
            ("MprAdminReleaseIpV6AddressForUser", (ReleaseIpv6AddressForUser, NameError::WrongCase)),
            ("RasAdminAcceptNewConnection", (AcceptNewConnection, NameError::Nt4)),
            ("RasAdminReleaseIpAddress", (ReleaseIpAddress, NameError::Nt4)),
            ("MprAdminReleaseIpAddress2", (ReleaseIpAddress, NameError::Unknown)),
            ("MprAdminReleaseIpAddressForUser", (ReleaseIpAddress, NameError::Unknown)),
            ("MprAdminGetIpAddressForUser2", (GetIpAddressForUser, NameError::Unknown)),
            ("MprAdminGetIpv4AddressForUser", (GetIpAddressForUser, NameError::Unknown)),
            ("MprAdminGetIpv6Address", (GetIpv6AddressForUser, NameError::Unknown)),
            ("MprAdminAcceptReauthentication3", (AcceptReauthentication, NameError::Unknown)),
            ("MprAdminAcceptNewLinks", (AcceptNewLink, NameError::Unknown)),
            ("MprAdminInitialiseDll", (InitializeDll, NameError::Unknown)),
        ] {
            assert_eq!(recognise(name), Some(expected), "{name}");
        }
    }

    #[test]
    fn right_names_and_unrelated_names_are_ignored() {
        for name in [
            "MprAdminAcceptNewLink",
            "DllMain",
            "MprAdminAcceptNewLinkHelper",
            "_Z27MprAdminAcceptNewLinkHelperv",
            "_Z121MprAdminAcceptNewLink",
            // Functions of mprapi.dll and rassapi.dll.
            "MprAdminPortDisconnect",
            "MprAdminConnectionEnumEx",
            "MprAdminConnectionGetInfo",
            "MprAdminGetErrorString",
            "MprAdminGetPDCServer",
            "RasAdminPortEnum",
            // Only the callbacks table has it.
            "MprAdminAcceptTunnelEndpointChangeEx",
            "",
            "?",
            "_",
            "@",
            "@@",
        ] {
            assert_eq!(recognise(name), None, "{name}");
        }
    }
}
