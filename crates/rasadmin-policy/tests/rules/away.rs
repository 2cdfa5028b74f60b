//! While the ledger is away.

use crate::world::*;
use rasadmin_policy::{Fact, Facts, Stage};

/// A rule and a default; what is said while the ledger is away: allow, by the rule, by a policy for it.
fn away(action: &str, condition: &str, policy: &str, facts: &Facts, stage: Stage) -> (bool, bool, bool) {
    let policy = if policy.is_empty() { String::new() } else { format!("when_ledger_unavailable = '{policy}'") };
    // The default is the opposite, so that it shows.
    let other = if action == "allow" { "deny" } else { "allow" };
    let world = world(&format!(
        "[[rules]]\nname = 'r'\naction = '{action}'\n{condition}\n{policy}\n[default]\naction = '{other}'"
    ));
    let ruling = world.decide(stage, facts, None);
    (ruling.allow, ruling.rule.is_some(), ruling.ledger_away)
}

#[test]
fn each_policy_decides_as_it_says() {
    let counting = "user_sessions = { at_least = 1 }";
    let plain = "users = ['alice']";
    let other = "users = ['bob']";
    let both = "users = ['alice']\nuser_sessions = { at_least = 1 }";
    for (action, condition, policy, expected) in [
        // A rule that counts: its policy, if its other conditions hold.
        ("allow", counting, "allow", (true, true, true)),
        ("allow", counting, "deny", (false, true, true)),
        ("allow", counting, "skip", (false, false, false)),
        ("deny", counting, "allow", (true, true, true)),
        ("deny", counting, "deny", (false, true, true)),
        ("deny", counting, "skip", (true, false, false)),
        ("deny", both, "deny", (false, true, true)),
        // A rule that does not: its action, unless it states a policy.
        ("allow", plain, "", (true, true, false)),
        ("deny", plain, "", (false, true, false)),
        ("allow", plain, "deny", (false, true, true)),
        ("deny", plain, "allow", (true, true, true)),
        ("allow", plain, "skip", (false, false, false)),
        // A rule whose other conditions do not hold is none of the user's business.
        ("allow", other, "deny", (false, false, false)),
        ("deny", other, "deny", (true, false, false)),
    ] {
        assert_eq!(away(action, condition, policy, &full(), Stage::Link), expected, "{action} {condition} {policy}");
    }
}

#[test]
fn the_policy_is_what_waits_or_allows_for_now() {
    let condition = "remote_computers = ['*']\nuser_sessions = { at_least = 1 }";
    let decide = |action, policy, stage| away(action, condition, policy, &early(), stage);
    // It acts as a deny rule: it waits, and at the last stage it matches.
    assert_eq!(decide("allow", "deny", Stage::Ipv4Address), (false, false, false));
    assert_eq!(decide("allow", "deny", Stage::Link), (false, true, true));
    // It acts as an allow rule: for now, and at the last stage not at all.
    assert_eq!(decide("deny", "allow", Stage::Ipv4Address), (true, true, true));
    assert_eq!(decide("deny", "allow", Stage::Link), (true, false, false));
}

#[test]
fn those_that_count_are_left_out_even_without_a_user() {
    let nobody = Facts { user: Fact::Absent, ..full() };
    let counting = "user_sessions = { at_least = 1 }";
    assert_eq!(away("allow", counting, "deny", &nobody, Stage::Link), (false, true, true));
}

#[test]
fn the_default_has_a_policy_too() {
    for (action, policy, expected) in [
        ("allow", "", (true, false)),
        ("deny", "", (false, false)),
        ("allow", "when_ledger_unavailable = 'deny'", (false, true)),
        ("deny", "when_ledger_unavailable = 'allow'", (true, true)),
    ] {
        let world = world(&format!("[default]\naction = '{action}'\n{policy}"));
        let ruling = world.decide(Stage::Link, &full(), None);
        assert_eq!((ruling.allow, ruling.ledger_away, ruling.rule), (expected.0, expected.1, None));
        let there = world.decide(Stage::Link, &full(), &Default::default());
        assert_eq!((there.allow, there.ledger_away), (action == "allow", false));
    }
}
