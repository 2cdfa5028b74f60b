//! Whether a connection is accepted that cannot be recorded: the rules return it with their decision.

use crate::world::*;
use rasadmin_policy::Stage;
use rasadmin_policy::config::file::WhenUnrecorded;
use rasadmin_policy::rules::RuleCounts;

/// What the ruling says, at the first event.
fn ruled(text: &str) -> (bool, Option<WhenUnrecorded>) {
    let world = world(text);
    let ruling = world.decide(Stage::Ipv4Address, &early(), &RuleCounts::default());
    (ruling.allow, ruling.when_unrecorded)
}

#[test]
fn the_deciding_rule_says_it_and_no_other() {
    let rule = |name: &str, lines: &str| format!("[[rules]]\nname = '{name}'\n{lines}\n");
    let other = rule("other", "action = 'allow'\nusers = ['bob']\nwhen_unrecorded = 'allow'");
    let later = rule("later", "action = 'allow'\nwhen_unrecorded = 'allow'");
    let with = |lines: &str| ruled(&format!("{other}{}{later}", rule("r", &format!("users = ['alice']\n{lines}"))));
    assert_eq!(with("action = 'allow'\nwhen_unrecorded = 'deny'"), (true, Some(WhenUnrecorded::Deny)));
    assert_eq!(with("action = 'allow'\nwhen_unrecorded = 'allow'"), (true, Some(WhenUnrecorded::Allow)));
    assert_eq!(with("action = 'allow'"), (true, None));
    assert_eq!(with("action = 'deny'"), (false, None));
    // One that allows for now says it too.
    let for_now = "action = 'allow'\nremote_computers = ['PC*']\nwhen_unrecorded = 'deny'";
    assert_eq!(with(for_now), (true, Some(WhenUnrecorded::Deny)));
}

#[test]
fn the_default_says_nothing_of_its_own() {
    assert_eq!(ruled("[default]\naction = 'allow'"), (true, None));
    assert_eq!(ruled("[default]\naction = 'deny'"), (false, None));
}
