//! Who was refused today, and why.

use super::facts::{Facts, Mark};
use super::recorded::Recorded;
use crate::format::count;
use rasadmin_ledger::report::{DecidedBy, Refused, refusal_in_words};
use std::cmp::Reverse;

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
        let some = by_cause(&some);
        let mut causes: Vec<String> =
            some.iter().take(NAMED).map(|(cause, times)| format!("{times} {cause}")).collect();
        if some.len() > NAMED {
            let rest: u64 = some.iter().skip(NAMED).map(|(_, times)| times).sum();
            causes.push(format!("{rest} for other reasons"));
        }
        let text = format!("{} today {what}: {}", count(times, "refusal"), causes.join(", "));
        facts.add(mark, "refused", format!("{text}; see `rasadmin decisions --rejected --since today`"));
    }
    if all.is_empty() {
        facts.add(Mark::Ok, "refused", "nobody today");
    }
}

/// How often each cause refused, the most frequent first.
fn by_cause(some: &[&Refused]) -> Vec<(String, u64)> {
    let mut causes: Vec<(String, u64)> = Vec::new();
    for one in some {
        let cause = cause(one);
        match causes.iter_mut().find(|(of, _)| *of == cause) {
            Some((_, times)) => *times += one.times,
            None => causes.push((cause, one.times)),
        }
    }
    causes.sort_by_key(|(_, times)| Reverse(*times));
    causes
}

fn cause(one: &Refused) -> String {
    match (&one.refusal, &one.rule) {
        // The reason is the administrator's own, and each block may have another.
        (Some(kind), _) if kind == "blocked" => refusal_in_words(kind).to_owned(),
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
    fn blocks_count_together_whatever_their_reasons() {
        let blocked = |reason: Option<&str>, times| Refused {
            reason: reason.map(str::to_owned),
            ..one(None, Some("blocked"), times)
        };
        let all =
            [one(Some("no PPTP"), None, 3), blocked(Some("stolen"), 2), blocked(Some("left"), 2), blocked(None, 1)];
        let text = told(&all).1;
        assert!(text.contains("8 refusals today by rules and blocks: 5 blocked, 3 `no PPTP`;"), "{text}");
    }

    #[test]
    fn the_most_frequent_causes_are_named() {
        let all: Vec<_> = ["a", "b", "c", "d", "e"].iter().map(|rule| one(Some(rule), None, 2)).collect();
        assert!(told(&all).1.contains(": 2 `a`, 2 `b`, 2 `c`, 4 for other reasons;"), "{}", told(&all).1);
    }
}
