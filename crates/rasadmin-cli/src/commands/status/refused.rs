//! Who was refused today, and why.

use super::facts::{Facts, Mark};
use super::recorded::Recorded;
use crate::format::count;
use rasadmin_ledger::report::{DecidedBy, Refused, refusal_in_words};

/// How many causes are named.
const NAMED: usize = 3;

/// Today's refusals. What the rules and blocks refuse is what the administrator wants, and is worth a look; what else
/// the DLL itself refuses is a fault of the configuration or of the server.
pub fn check(facts: &mut Facts, recorded: &Recorded) -> Vec<Refused> {
    report(facts, &recorded.refused);
    recorded.refused.clone()
}

fn report(facts: &mut Facts, all: &[Refused]) {
    let is_wanted = |one: &&Refused| one.decided_by != DecidedBy::Dll || one.refusal.as_deref() == Some("blocked");
    let (wanted, own): (Vec<&Refused>, Vec<&Refused>) = all.iter().partition(is_wanted);
    let blocks = wanted.iter().any(|one| one.refusal.is_some());
    let wanted_by = if blocks { "by rules and blocks" } else { "by the rules" };
    for (mark, what, some) in [(Mark::Attention, "by the DLL itself", own), (Mark::Notice, wanted_by, wanted)] {
        if some.is_empty() {
            continue;
        }
        let times: u64 = some.iter().map(|one| one.times).sum();
        let mut causes: Vec<String> =
            some.iter().take(NAMED).map(|one| format!("{} {}", one.times, cause(one))).collect();
        if some.len() > NAMED {
            let rest: u64 = some.iter().skip(NAMED).map(|one| one.times).sum();
            causes.push(format!("{rest} for other reasons"));
        }
        let text = format!("{} today {what}: {}", count(times, "refusal"), causes.join(", "));
        facts.add(mark, "refused", format!("{text}; see `rasadmin decisions --rejected --since today`"));
    }
    if all.is_empty() {
        facts.add(Mark::Ok, "refused", "nobody today");
    }
}

fn cause(one: &Refused) -> String {
    match (&one.refusal, &one.rule) {
        (Some(kind), _) => {
            let reason = one.reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
            format!("{}{reason}", refusal_in_words(kind))
        }
        (None, Some(rule)) => format!("`{rule}`"),
        (None, None) => "by default".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(rule: Option<&str>, refusal: Option<&str>, times: u64) -> Refused {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let decided_by = DecidedBy::of(rule, refusal);
        Refused { decided_by, rule: owned(rule), refusal: owned(refusal), reason: None, times, last: 0 }
    }

    fn told(all: &[Refused]) -> (bool, String) {
        let mut facts = Facts::default();
        report(&mut facts, all);
        (facts.need_attention(), facts.text(None, false))
    }

    #[test]
    fn rules_that_refuse_are_a_notice_and_the_dll_needs_attention() {
        let (attention, text) = told(&[one(Some("no PPTP"), None, 7), one(None, None, 1)]);
        assert!(!attention && text.contains("notice     refused        8 refusals today by the rules"), "{text}");
        assert!(text.contains(": 7 `no PPTP`, 1 by default; see `rasadmin decisions"), "{text}");
        let (attention, text) = told(&[one(None, Some("exhausted"), 1)]);
        assert!(attention && text.contains("1 refusal today by the DLL itself: 1 pool exhausted;"), "{text}");
        let (attention, text) = told(&[one(None, Some("blocked"), 3), one(Some("no PPTP"), None, 1)]);
        assert!(!attention && text.contains("4 refusals today by rules and blocks: 3 blocked, 1 `no PPTP`;"), "{text}");
        assert!(told(&[]).1.contains("nobody today"));
    }

    #[test]
    fn the_most_frequent_causes_are_named() {
        let all: Vec<_> = ["a", "b", "c", "d", "e"].iter().map(|rule| one(Some(rule), None, 2)).collect();
        assert!(told(&all).1.contains(": 2 `a`, 2 `b`, 2 `c`, 4 for other reasons;"), "{}", told(&all).1);
    }
}
