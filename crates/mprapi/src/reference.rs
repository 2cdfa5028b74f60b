//! Generates the reference page from the table.

use crate::contract::{Direction, Evidence, FUNCTIONS, Function, Returns};

/// The text of docs/functions.md, generated from the table. A test compares the file with it.
pub fn reference_page() -> String {
    let mut page = String::from(
        "# The functions of a RAS administration DLL\n\n\
         Generated from the table in `crates/mprapi/src/contract.rs` (`cargo xtask bless`).\n\n\
         Every function is `extern \"system\"` (APIENTRY) and exported by its undecorated name. A DWORD status of 0 \
         (NO_ERROR) is success; a BOOL of TRUE accepts. No argument may be null, but a DLL should survive one that \
         is.\n\n\
         | function | arguments | returns | pointer in the callbacks table | requirement | never overlaps | evidence |\n\
         |---|---|---|---|---|---|---|\n",
    );
    for function in FUNCTIONS {
        page.push_str(&row(function));
    }
    page
}

fn row(function: &Function) -> String {
    let arguments: Vec<_> = function
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
    let returns = match function.returns {
        Returns::Status => "DWORD status",
        Returns::Verdict => "BOOL",
        Returns::Nothing => "nothing",
        Returns::PreAuthentication => "DWORD: 1 admits without authentication",
    };
    let evidence = match function.evidence {
        Evidence::Documented => {
            format!("[documented](https://learn.microsoft.com/windows/win32/api/mprapi/{})", function.source)
        }
        Evidence::Metadata => format!("metadata ({})", function.source),
    };
    format!(
        "| {}{} | {} | {returns} | {} | {:?} | {:?} | {evidence} |\n",
        function.name,
        if function.exported { "" } else { " (callbacks table only)" },
        if arguments.is_empty() { "none".to_owned() } else { arguments.join("; ") },
        function.field.unwrap_or("-"),
        function.group,
        function.serial,
    )
}
