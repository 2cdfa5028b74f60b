//! A stage of an explanation, as text.

use crate::context::Context;
use crate::times;
use rasadmin_answers::explain::{agrees, describe_address, describe_rules, heading, overruled, verdict};
use rasadmin_engine::explain::StageExplained;
use rasadmin_ledger::report::DecisionRow;
use rasadmin_policy::rules::{Explained, WhenUnrecorded};
use std::fmt::Write;

/// Writes a stage. `past`: the decision that was recorded. `marked`: the sessions that it marks to be disconnected.
/// `all`: also the rules after the one that decides.
pub fn write(
    text: &mut String,
    stage: &StageExplained<'_>,
    past: Option<(&DecisionRow, &Context)>,
    marked: &[String],
    all: bool,
) {
    let overruled = match past {
        Some((decision, _)) => overruled(stage, decision),
        None => stage.ends() && stage.allow,
    };
    let time = past.map(|(decision, context)| times::show(decision.time, &context.zone) + "  ").unwrap_or_default();
    let blocked = block(stage, past.map(|(decision, _)| decision));
    let outcome =
        blocked.as_ref().map_or_else(|| verdict(stage, overruled), |why| format!("denied before any rule: {why}"));
    let _ = writeln!(text, "\n{time}{}: {outcome}", heading(stage.stage));
    let decides = stage.rules.iter().position(|rule| rule.decides).unwrap_or(stage.rules.len());
    let shown = match (all, &blocked) {
        (true, _) => stage.rules.len(),
        (false, Some(_)) => 0,
        (false, None) => (decides + 1).min(stage.rules.len()),
    };
    if blocked.is_some() && all {
        let _ = writeln!(text, "  without the block: {}", verdict(stage, false));
    }
    let width = stage.rules[..shown].iter().map(|rule| name(rule).chars().count()).max().unwrap_or(0).min(40);
    for (rule, says) in stage.rules[..shown].iter().zip(describe_rules(&stage.rules)) {
        let mark = if rule.decides { '>' } else { ' ' };
        let _ = writeln!(text, "  {mark} {:width$}  {says}", name(rule));
    }
    let rest = stage.rules.len() - shown;
    if rest > 0 {
        let noun = crate::format::count(rest, if blocked.is_some() { "rule" } else { "later rule" });
        let _ = writeln!(text, "    ({noun} not evaluated; --all shows them)");
    }
    if !marked.is_empty() {
        let sessions = if marked.len() == 1 { "session" } else { "sessions" };
        let marked = marked.join(", ");
        let _ = writeln!(
            text,
            "  marks {sessions} {marked} to be disconnected (by the rasadmin service, if service.disconnect.mode is \
             \"enforce\")"
        );
    }
    if let Some(address) = &stage.address {
        let _ = writeln!(text, "  address: {}", describe_address(address, stage.stage));
    }
    if blocked.is_some() {
        return;
    }
    if stage.when_unrecorded == Some(WhenUnrecorded::Deny) && stage.allow {
        let _ = writeln!(text, "  while nothing can be recorded: denied");
    }
    if let Some(refusal) = &stage.refusal {
        let _ = writeln!(text, "  but the connection still ends: {refusal}");
    }
    if let Some((decision, _)) = past {
        if overruled {
            let why = decision.reason.as_deref().unwrap_or("for no recorded reason");
            let _ = writeln!(text, "  but it was still denied: {why}");
        } else if !agrees(stage, decision) {
            let rule = decision.rule.as_deref().unwrap_or("(default)");
            let _ = writeln!(text, "  but {} by {rule} was recorded", decision.outcome);
        }
    }
}

/// The block that refuses here, or refused then.
fn block(stage: &StageExplained<'_>, past: Option<&DecisionRow>) -> Option<String> {
    match past {
        Some(recorded) => recorded.is_blocked().then(|| recorded.reason.clone().unwrap_or_default()),
        None => stage.refusal.as_ref().filter(|_| stage.is_blocked()).map(ToString::to_string),
    }
}

fn name(rule: &Explained<'_>) -> String {
    rule.rule.unwrap_or("(default)").to_owned()
}
