//! Renders the report as text: first the verdict, then each problem with its remedy, then the passed checks in one
//! paragraph.

use crate::check::{Check, Kind};
use crate::finding::{Finding, Outcome};
use crate::report::{Facts, ProfileVerdict, Report, Verdict};
use mprapi::Profile;
use rasadmin_text::{width_of, wrap};
use std::collections::BTreeMap;

const BOLD: &str = "1";
const RED: &str = "1;31";
const YELLOW: &str = "1;33";
const GREEN: &str = "32";

/// Colours words. The text has the same meaning without colour.
pub(crate) struct Paint(pub bool);

impl Paint {
    pub(crate) fn with(&self, code: &str, text: &str) -> String {
        if self.0 && !text.is_empty() { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// Colours the front of a line.
    fn front(&self, code: &str, line: &str, len: usize) -> String {
        match line.split_at_checked(len) {
            Some((front, rest)) => self.with(code, front) + rest,
            None => line.to_owned(),
        }
    }
}

const fn colour(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Pass => GREEN,
        Outcome::Skipped | Outcome::Warning => YELLOW,
        Outcome::Fail | Outcome::Crashed => RED,
    }
}

impl Report {
    /// The report as text, in lines of at most `width` columns (at least 20) that end with a line feed. It has escape
    /// sequences only with `colour`.
    pub fn render(&self, width: usize, colour: bool) -> String {
        let mut text = Text { paint: Paint(colour), width, out: String::new() };
        text.headline(self);
        text.blank();
        text.facts(&self.facts);
        text.blank();
        text.profiles(&self.profiles);
        let mut bad: Vec<_> = self.findings.iter().filter(|f| f.problem.is_some() && !shown_with_profiles(f)).collect();
        // The worst come first; those of one outcome are in the order of the checks.
        bad.sort_by_key(|f| std::cmp::Reverse(f.outcome));
        for finding in bad {
            text.blank();
            text.finding(finding);
        }
        text.blank();
        text.passed(&self.findings);
        text.skipped(self);
        text.out
    }

    /// The verdict in one sentence.
    pub fn headline(&self) -> String {
        let failures = self.count(Outcome::Fail) + self.count(Outcome::Crashed);
        let warnings = self.count(Outcome::Warning);
        let first = match self.profiles.first().map(|p| p.verdict) {
            Some(Verdict::Refused) => "RRAS would NOT start with it",
            Some(Verdict::DependsOnTable | Verdict::DependsOnRun) => {
                "whether RRAS would start with it is not known until it runs"
            }
            _ if failures > 0 => "RRAS would start with it, but would not be safe",
            _ => "RRAS would start with it",
        };
        let mut counts = Vec::new();
        if failures > 0 {
            counts.push(plural(failures, "check failed", "checks failed"));
        }
        if warnings > 0 {
            counts.push(plural(warnings, "warning", "warnings"));
        }
        if self.failed && failures == 0 {
            counts.push("checks were skipped, and --require-dynamic forbids that".into());
        }
        if counts.is_empty() {
            let not_run = self.not_run.is_some() || self.count(Outcome::Skipped) > 0;
            counts.push(if not_run { "all checks that ran passed" } else { "every check passed" }.into());
        }
        // Another profile than that of current versions decides only because somebody asked for it.
        let by = match self.profiles.first() {
            Some(profile) if profile.profile != Profile::Shipping.name() => {
                format!("by the profile {}, ", profile.profile)
            }
            _ => String::new(),
        };
        format!("{by}{first}: {}.", counts.join(", "))
    }
}

fn plural(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// The reasons for a profile's verdict. Those of the deciding profile are the findings below, and no reason is repeated.
fn reasons(profile: &ProfileVerdict, profiles: &[ProfileVerdict]) -> String {
    if profile.reasons.is_empty() {
        return String::new();
    }
    if profile.decides {
        return match profile.verdict {
            Verdict::Refused => ", for the failures below".into(),
            _ => format!(": {}", profile.reasons.join("; ")),
        };
    }
    // Reasons that the profiles above have in common.
    let above = profiles.iter().take_while(|p| p.profile != profile.profile);
    let Some(like) = above
        .filter(|p| !p.reasons.is_empty() && p.reasons.iter().all(|reason| profile.reasons.contains(reason)))
        .last()
    else {
        return format!(": {}", profile.reasons.join("; "));
    };
    let more: Vec<_> =
        profile.reasons.iter().filter(|reason| !like.reasons.contains(reason)).map(String::as_str).collect();
    if more.is_empty() {
        format!(": as {}", like.profile)
    } else {
        format!(": as {}, and {}", like.profile, more.join("; "))
    }
}

/// Whether a warning only repeats what the table of profiles shows.
fn shown_with_profiles(finding: &Finding) -> bool {
    let of_a_profile =
        matches!(finding.check, Check::ShippingRequirements | Check::DocumentedRequirements | Check::Nt4Requirements);
    of_a_profile && finding.outcome == Outcome::Warning
}

struct Text {
    paint: Paint,
    width: usize,
    out: String,
}

impl Text {
    fn line(&mut self, line: &str) {
        self.out.push_str(line);
        self.out.push('\n');
    }

    fn blank(&mut self) {
        self.line("");
    }

    /// A paragraph whose front is coloured.
    fn painted(&mut self, front: &str, code: &str, text: &str) {
        for (n, line) in wrap(front, text, self.width).iter().enumerate() {
            let len = front.trim_end().len();
            let line = if n == 0 && line.starts_with(front.trim_end()) {
                self.paint.front(code, line, len)
            } else {
                line.clone()
            };
            self.line(&line);
        }
    }

    fn headline(&mut self, report: &Report) {
        let code = match (report.failed, report.count(Outcome::Warning)) {
            (true, _) => RED,
            (false, 0) => GREEN,
            (false, _) => YELLOW,
        };
        let sentence = report.headline();
        let whole = format!("{}: {sentence}", report.file);
        if width_of(&whole) <= self.width {
            let painted = format!("{}: {}", report.file, self.paint.with(code, &sentence));
            self.line(&painted);
        } else {
            for line in wrap("", &format!("{}:", report.file), self.width) {
                self.line(&line);
            }
            for line in wrap("  ", &sentence, self.width) {
                let line = self.paint.with(code, &line);
                self.line(&line);
            }
        }
    }

    fn facts(&mut self, facts: &Facts) {
        if facts.format == "none" {
            return self.painted("  ", BOLD, "Not a DLL.");
        }
        let what = if facts.library { "library" } else { "program" };
        let kind = match facts.format {
            "PE" => format!("{}-bit Windows {what} for {}", facts.bits, facts.machine),
            _ => format!("native {}-bit {what} for {}", facts.bits, facts.machine),
        };
        let exports =
            plural(facts.exports.len(), "function of the contract exported", "functions of the contract exported");
        if facts.exports.is_empty() {
            return self.painted("  ", BOLD, &format!("{kind}; {exports}."));
        }
        let start = match (&facts.table, facts.revision) {
            (Some(table), Some(revision)) => {
                format!("callbacks table of revision {revision} with {}", plural(table.len(), "function", "functions"))
            }
            (None, Some(_)) => "no callbacks table (revision 1)".into(),
            _ => "a callbacks table, not known yet".into(),
        };
        let ikev2 = match facts.ikev2 {
            Some(true) => "called for IKEv2 connections",
            Some(false) => "never called for IKEv2 connections",
            None => "IKEv2 depends on its table",
        };
        self.painted("  ", BOLD, &format!("{kind}; {exports}; {start}; {ikev2}."));
    }

    fn profiles(&mut self, profiles: &[ProfileVerdict]) {
        for profile in profiles {
            let decides = match (profile.decides, profile.verdict) {
                (true, _) => " (decides)",
                (false, Verdict::Refused) => " (only a warning)",
                (false, _) => "",
            };
            let code = match (profile.verdict, profile.decides) {
                (Verdict::Starts, _) => GREEN,
                (Verdict::Refused, true) => RED,
                _ => YELLOW,
            };
            let front = format!("  {:<10}  ", profile.profile);
            let word = profile.verdict.word();
            let text = format!("{word}{decides}{}", reasons(profile, profiles));
            for (n, line) in wrap(&front, &text, self.width).iter().enumerate() {
                let line = match line.split_once(word) {
                    Some((before, after)) if n == 0 => format!("{before}{}{after}", self.paint.with(code, word)),
                    _ => line.clone(),
                };
                self.line(&line);
            }
        }
    }

    fn finding(&mut self, finding: &Finding) {
        let word = finding.outcome.word();
        let id = finding.check.id();
        self.painted(&format!("{word}  "), colour(finding.outcome), &format!("{id}: {}", finding.message));
        let Some(problem) = &finding.problem else { return };
        for (label, text) in [
            ("why", problem.cause.as_str()),
            ("effect", problem.effect.as_str()),
            ("remedy", problem.remedy.as_str()),
            ("blame", problem.culprit.words()),
        ] {
            self.painted(&format!("  {label:<6}  "), BOLD, text);
        }
    }

    fn passed(&mut self, findings: &[Finding]) {
        let ids: Vec<_> = findings.iter().filter(|f| f.outcome == Outcome::Pass).map(|f| f.check.id()).collect();
        if !ids.is_empty() {
            self.painted(&format!("passed ({})  ", ids.len()), GREEN, &ids.join(", "));
        }
    }

    /// Skipped checks, grouped by reason.
    fn skipped(&mut self, report: &Report) {
        if report.facts.format == "none" {
            let front = format!("skipped ({})  ", report.count(Outcome::Skipped));
            return self.painted(&front, YELLOW, "every other check: the file is not a DLL");
        }
        if let Some(not_run) = &report.not_run {
            let skipped =
                report.findings.iter().filter(|f| f.outcome == Outcome::Skipped && f.check.kind() == Kind::Dynamic);
            let front = format!("skipped ({})  ", skipped.count());
            self.painted(&front, YELLOW, &format!("every check that runs the DLL: {}", not_run.why));
            if let Some(command) = &not_run.command {
                self.painted("  to run them  ", BOLD, command);
            }
        }
        let mut reasons: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for finding in &report.findings {
            let reported = report.not_run.is_some() && finding.check.kind() == Kind::Dynamic;
            if finding.outcome == Outcome::Skipped && !reported {
                reasons.entry(&finding.message).or_default().push(finding.check.id());
            }
        }
        for (reason, ids) in reasons {
            let front = format!("skipped ({})  ", ids.len());
            self.painted(&front, YELLOW, &format!("{}: {reason}", ids.join(", ")));
        }
    }
}
