//! Functions of the contract under names that RRAS does not look up.

use mprapi::FunctionId;

/// How a name is disguised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disguise {
    /// `_MprAdminAcceptNewLink@8`: the calling convention's decoration.
    Decorated,
    /// `?MprAdminAcceptNewLink@@YAHPEAX0@Z`: C++, as MSVC does it.
    MangledMsvc,
    /// `_Z21MprAdminAcceptNewLinkPvS_`: C++ as GCC does it, or Rust.
    MangledItanium,
    /// `mpradminacceptnewlink`.
    WrongCase,
}

/// The function that an exported name means without saying it right. None if the name is right, or is nothing of ours.
pub fn recognise(export: &str) -> Option<(FunctionId, Disguise)> {
    if FunctionId::from_export(export).is_some() {
        return None;
    }
    if let Some(rest) = export.strip_prefix('?') {
        let name = rest.split('@').next().unwrap_or_default();
        return any_case(name).map(|id| (id, Disguise::MangledMsvc));
    }
    if let Some(id) = length_prefixed(export) {
        return Some((id, Disguise::MangledItanium));
    }
    if let Some(id) = any_case(export) {
        return Some((id, Disguise::WrongCase));
    }
    any_case(undecorated(export)).map(|id| (id, Disguise::Decorated))
}

fn exported() -> impl Iterator<Item = FunctionId> {
    FunctionId::all().filter(|id| id.row().exported)
}

fn any_case(name: &str) -> Option<FunctionId> {
    exported().find(|id| id.name().eq_ignore_ascii_case(name))
}

/// Without `_` or `@` in front and `@8` or `@@8` behind.
fn undecorated(name: &str) -> &str {
    let name = name.strip_prefix('_').or_else(|| name.strip_prefix('@')).unwrap_or(name);
    match name.rsplit_once('@') {
        Some((front, bytes)) if !bytes.is_empty() && bytes.bytes().all(|b| b.is_ascii_digit()) => {
            front.strip_suffix('@').unwrap_or(front)
        }
        _ => name,
    }
}

/// Itanium and Rust manglings write an identifier's length in front of it.
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
    fn disguises_are_recognised() {
        for (name, expected) in [
            ("_MprAdminAcceptNewLink@8", (AcceptNewLink, Disguise::Decorated)),
            ("MprAdminAcceptNewLink@8", (AcceptNewLink, Disguise::Decorated)),
            ("@MprAdminAcceptNewLink@8", (AcceptNewLink, Disguise::Decorated)),
            ("MprAdminAcceptNewLink@@16", (AcceptNewLink, Disguise::Decorated)),
            ("_MprAdminTerminateDll", (TerminateDll, Disguise::Decorated)),
            ("?MprAdminAcceptNewLink@@YAHPEAX0@Z", (AcceptNewLink, Disguise::MangledMsvc)),
            ("_Z21MprAdminAcceptNewLinkPvS_", (AcceptNewLink, Disguise::MangledItanium)),
            (
                "_ZN3dll28MprAdminAcceptNewConnection217h0123456789abcdefE",
                (AcceptNewConnection2, Disguise::MangledItanium),
            ),
            ("_RNvCs1234_3dll20MprAdminTerminateDll", (TerminateDll, Disguise::MangledItanium)),
            ("mpradminacceptnewlink", (AcceptNewLink, Disguise::WrongCase)),
            ("MprAdminReleaseIpV6AddressForUser", (ReleaseIpv6AddressForUser, Disguise::WrongCase)),
        ] {
            assert_eq!(recognise(name), Some(expected), "{name}");
        }
    }

    #[test]
    fn right_names_and_strangers_are_left_alone() {
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
