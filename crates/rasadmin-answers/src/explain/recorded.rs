//! A stage as it is explained, compared with the decision that was recorded.

use rasadmin_engine::explain::StageExplained;
use rasadmin_ledger::report::DecisionRow;

/// Is this what was recorded? What the engine refused is what the rules had allowed; a block comes before the rules.
pub fn agrees(stage: &StageExplained<'_>, recorded: &DecisionRow) -> bool {
    if recorded.is_blocked() {
        return recorded.is_denied();
    }
    if recorded.refusal.is_some() {
        return stage.allow && recorded.is_denied();
    }
    let outcome = match (stage.allow, stage.for_now) {
        (true, true) => "allow for now",
        (true, false) => "allow",
        (false, _) => "deny",
    };
    outcome == recorded.outcome && stage.rule == recorded.rule.as_deref() && stage.reason == recorded.reason.as_deref()
}

/// The denial was the engine's own, and not the rules'.
pub fn overruled(stage: &StageExplained<'_>, recorded: &DecisionRow) -> bool {
    recorded.is_blocked() || (stage.allow && recorded.is_denied())
}
