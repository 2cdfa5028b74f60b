//! The table of the functions, and a section for each.

use super::{c, notes};
use crate::contract::{Direction, Evidence, FUNCTIONS, Function, Group, Returns, SerialGroup};
use std::fmt::Write as _;

/// One line per function.
pub(super) fn summary() -> String {
    let mut table = String::from(
        "| function | arguments | returns | pointer in the callbacks table | requirement | never overlaps | evidence |\n\
         |---|---|---|---|---|---|---|\n",
    );
    for function in FUNCTIONS {
        let _ = writeln!(
            table,
            "| [{}](#{}){} | {} | {} | {} | {:?} | {:?} | {} |",
            function.name,
            function.name.to_lowercase(),
            if function.exported { "" } else { " (callbacks table only)" },
            arguments(function, "; "),
            returns(function),
            function.field.unwrap_or("-"),
            function.group,
            function.serial,
            evidence(function),
        );
    }
    table
}

/// A section per function.
pub(super) fn each() -> String {
    let mut text = String::new();
    for function in FUNCTIONS {
        let facts = notes::function(function.id);
        let _ = write!(text, "### {}\n\n```c\n{}\n```\n\n", function.name, c::prototype(function));
        let mut item = |what: &str, fact: &str| {
            let _ = writeln!(text, "- {what}: {fact}");
        };
        item("Called", facts.called);
        item("Arguments", &arguments(function, "; "));
        item("Returns", facts.returns);
        item("Must not", facts.must_not);
        item("Required", required(function.group));
        item("Never overlaps", overlaps(function.serial));
        item("Found by", &found_by(function));
        item("Evidence", &evidence(function));
        text.push('\n');
    }
    text
}

fn found_by(function: &Function) -> String {
    match (function.exported, function.field) {
        (true, None) => "its export".to_owned(),
        (true, Some(field)) => format!("`{field}` in the callbacks table, or its export if the DLL has no table"),
        (false, field) => format!("`{}` in the callbacks table; it is never exported", field.unwrap_or("-")),
    }
}

fn arguments(function: &Function, between: &str) -> String {
    let all: Vec<_> = function
        .arguments
        .iter()
        .map(|argument| {
            let direction = match argument.direction {
                Direction::In => "in",
                Direction::Out => "out",
                Direction::InOut => "in, out",
            };
            format!("{}{} ({direction})", argument.ty.c_type(), argument.ty.label())
        })
        .collect();
    if all.is_empty() { "none".to_owned() } else { all.join(between) }
}

fn returns(function: &Function) -> &'static str {
    match function.returns {
        Returns::Status => "DWORD status",
        Returns::Verdict => "BOOL",
        Returns::Nothing => "nothing",
        Returns::PreAuthentication => "DWORD: 1 admits without authentication",
    }
}

fn required(group: Group) -> &'static str {
    match group {
        Group::Initialize => "by Microsoft's list, this or the other initialise function",
        Group::Always => "yes",
        Group::ConnectionPair => "at least one pair of AcceptNewConnection and ConnectionHangupNotification",
        Group::Reauthentication => "by Microsoft's list, this or the other reauthentication function",
        Group::Ipv4Pair => "no, but both functions of the IPv4 pair or neither",
        Group::Ipv6Pair => "no, but both functions of the IPv6 pair or neither",
        Group::Optional => "no",
    }
}

fn overlaps(group: SerialGroup) -> &'static str {
    match group {
        SerialGroup::LifeCycle => "any other call",
        SerialGroup::Connection => "calls that accept or hang up a connection",
        SerialGroup::Address => "calls of the address functions",
        SerialGroup::Own => "another call of the same function",
    }
}

fn evidence(function: &Function) -> String {
    match function.evidence {
        Evidence::Documented => {
            format!("[documented](https://learn.microsoft.com/windows/win32/api/mprapi/{})", function.source)
        }
        Evidence::Metadata => format!("metadata ({})", function.source),
    }
}
