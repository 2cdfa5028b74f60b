//! Checks a whole DllPath list: each DLL, and how the DLLs affect each other.

use crate::check::Check;
use crate::check_file::check_with;
use crate::error::CannotCheck;
use crate::options::Options;
use crate::render::Paint;
use crate::report::{Report, Verdict};
use mprapi::FunctionId;
use rasadmin_host::dllpath;
use rasadmin_text::wrap;
use schemars::JsonSchema;
use serde::Serialize;
use std::path::Path;

/// The report about a DllPath list. Serialises to the JSON of `rasadmin check --dll-path LIST --json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ListReport {
    /// The list, as the caller named it.
    pub dll_path: String,
    /// One report for each DLL that RRAS loads, in the list's order.
    pub reports: Vec<Report>,
    /// The DLLs that RRAS never loads, because an entry begins with a space.
    pub never_loaded: Vec<String>,
    /// The DLL whose IPv4 pair is used: the first that has the pair.
    pub ipv4_from: Option<String>,
    /// The DLL whose IPv6 pair is used.
    pub ipv6_from: Option<String>,
    /// Problems of the list itself.
    pub warnings: Vec<String>,
}

/// Checks a DllPath list, split as RRAS splits it. `about_to` is called with each file and check before the check runs.
///
/// # Errors
/// If a DLL of the list cannot be checked.
pub fn check_list(
    list: &str,
    options: &Options,
    about_to: &mut dyn FnMut(&str, Check),
) -> Result<ListReport, CannotCheck> {
    let parsed = dllpath::parse_with_environment(list);
    let mut reports = Vec::new();
    for entry in &parsed.entries {
        reports.push(check_with(Path::new(entry), options, &mut |check| about_to(entry, check))?);
    }
    let mut warnings = Vec::new();
    if let Some(first) = parsed.never_loaded.first() {
        let never: Vec<_> = parsed.never_loaded.iter().map(|entry| entry.trim()).collect();
        warnings.push(format!(
            "The entry \"{first}\" begins with a space: RRAS stops loading there without a message, and never loads {}. \
             Remove the space after the semicolon.",
            never.join(", ")
        ));
    }
    if parsed.entries.is_empty() && parsed.never_loaded.is_empty() {
        warnings.push("The list is empty: RRAS starts without an admin DLL.".into());
    }
    let ipv4_from = winner(&reports, FunctionId::GetIpAddressForUser, "IPv4", &mut warnings);
    let ipv6_from = winner(&reports, FunctionId::GetIpv6AddressForUser, "IPv6", &mut warnings);
    let refused = |r: &&Report| r.profiles.iter().any(|p| p.decides && p.verdict == Verdict::Refused);
    if let Some(refused) = reports.iter().find(refused)
        && reports.len() > 1
    {
        warnings.push(format!(
            "Because RRAS refuses {}, the Remote Access service does not start, even if the other DLLs are good.",
            refused.file
        ));
    }
    Ok(ListReport {
        dll_path: list.to_owned(),
        reports,
        never_loaded: parsed.never_loaded,
        ipv4_from,
        ipv6_from,
        warnings,
    })
}

/// The first DLL that has the address pair. Warns of the pairs of later DLLs, which RRAS ignores.
fn winner(reports: &[Report], get: FunctionId, kind: &str, warnings: &mut Vec<String>) -> Option<String> {
    let has = |report: &&Report| {
        // RRAS looks at the table, if the DLL has one. Without a run, only the exports are known.
        let functions = report.facts.table.as_ref().unwrap_or(&report.facts.exports);
        functions.contains(&get.name())
    };
    let mut with = reports.iter().filter(has);
    let first = with.next()?;
    let ignored: Vec<_> = with.map(|report| report.file.as_str()).collect();
    if !ignored.is_empty() {
        warnings.push(format!("The {kind} pair of {} is used; that of {} is ignored.", first.file, ignored.join(", ")));
    }
    Some(first.file.clone())
}

impl ListReport {
    /// The exit code: 0 if no check failed, 1 if one did. A DLL that RRAS never loads is only a warning, because the service
    /// starts.
    pub fn exit_code(&self) -> i32 {
        i32::from(self.reports.iter().any(|r| r.failed))
    }

    /// The report as pretty JSON.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// The report as text in lines of at most `width` columns: first the list, then each DLL's report.
    pub fn render(&self, width: usize, colour: bool) -> String {
        let paint = Paint(colour);
        let mut out = String::new();
        let mut add = |line: String| {
            out.push_str(&line);
            out.push('\n');
        };
        for (n, report) in self.reports.iter().enumerate() {
            wrap(&format!("{}  ", n + 1), &report.file, width).into_iter().for_each(&mut add);
        }
        for (kind, from) in [("IPv4", &self.ipv4_from), ("IPv6", &self.ipv6_from)] {
            let from = from.as_deref().unwrap_or("RRAS itself: no DLL has the pair");
            wrap(&format!("{kind} addresses from  "), from, width).into_iter().for_each(&mut add);
        }
        for warning in &self.warnings {
            for (n, line) in wrap("warning  ", warning, width).into_iter().enumerate() {
                add(match line.strip_prefix("warning") {
                    Some(rest) if n == 0 => paint.with("1;33", "warning") + rest,
                    _ => line,
                });
            }
        }
        for report in &self.reports {
            out.push('\n');
            out.push_str(&report.render(width, colour));
        }
        out
    }
}
