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
    any_case(undecorated(export)).map(|id| (id, NameError::Decorated))
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
