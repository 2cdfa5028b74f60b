//! What the rules say, without a connection: for people who read the configuration.

use super::{Action, Rules, WhenUnrecorded};
use crate::addresses::PoolId;

/// A rule, or the default, as it is evaluated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Described<'c> {
    /// The rule's name; `None` is the default.
    pub rule: Option<&'c str>,
    /// Whether it allows or denies.
    pub action: Action,
    /// Its reason.
    pub reason: Option<&'c str>,
    /// Its conditions, of which all must hold: the name in the configuration, and what it asks for, as text.
    pub conditions: Vec<(&'static str, &'c str)>,
    /// The pools of those whom it allows: IPv4, IPv6.
    pub pools: [Option<PoolId>; 2],
    /// It does not deny: it marks the user's oldest sessions to be disconnected, and leaves so many.
    pub keeps: Option<u64>,
    /// It is evaluated for active sessions too, which it ends after so many seconds of grace.
    pub active: Option<u64>,
    /// Is a connection accepted that it allows but that cannot be recorded? `None` if the configuration decides.
    pub when_unrecorded: Option<WhenUnrecorded>,
}

impl Rules {
    /// Every rule in order, and the default.
    pub fn described(&self) -> Vec<Described<'_>> {
        let rules = self.rules.iter().map(|rule| Described {
            rule: Some(&rule.name),
            action: rule.action,
            reason: rule.reason.as_deref(),
            conditions: rule.conditions.iter().map(|kind| kind.field()).zip(rule.asked.iter().map(|s| &**s)).collect(),
            pools: rule.pools,
            keeps: rule.keeps,
            active: rule.active,
            when_unrecorded: rule.when_unrecorded,
        });
        let default = Described {
            rule: None,
            action: self.default.action,
            reason: self.default.reason.as_deref(),
            conditions: Vec::new(),
            pools: [None; 2],
            keeps: None,
            active: None,
            when_unrecorded: None,
        };
        rules.chain([default]).collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::config;
    use std::path::Path;

    #[test]
    fn each_rule_says_what_it_asks_for_in_the_order_of_its_evaluation() {
        let text = r#"
            default_domain = "CORP"
            time_zone = "UTC"
            default = { action = "deny", reason = "no rule lets you in" }
            [pools.staff]
            addresses = ["10.8.0.0/24"]
            [groups.office]
            users = ["alice"]
            [[rules]]
            name = "no L2TP"
            action = "deny"
            tunnels = ["L2TP", "PPTP"]
            reason = "use SSTP"
            disconnect_active = true
            grace = "5m"
            [[rules]]
            name = "one each"
            action = "deny"
            users = ["*"]
            user_sessions = { at_least = 2 }
            when_exceeded = "replace-oldest"
            [[rules]]
            name = "office"
            action = "allow"
            groups = ["office"]
            pool = "staff"
        "#;
        let config = config::parse("c", text, Path::new("/f"), &mut |_: &str| Err("none".to_owned())).unwrap();
        let [tunnels, one, office, default] = &config.rules.described()[..] else { panic!("four") };
        assert_eq!((tunnels.rule, tunnels.action, tunnels.reason), (Some("no L2TP"), Action::Deny, Some("use SSTP")));
        assert_eq!((&tunnels.conditions[..], tunnels.active), (&[("tunnels", "L2TP, PPTP")][..], Some(300)));
        assert_eq!(one.conditions, [("users", "*"), ("user_sessions", "at least 2")]);
        assert_eq!((one.keeps, one.active), (Some(1), None));
        assert_eq!((office.pools, office.action), ([Some(PoolId(0)), None], Action::Allow));
        assert_eq!((default.rule, default.action), (None, Action::Deny));
        assert_eq!((default.reason, default.conditions.len()), (Some("no rule lets you in"), 0));
    }
}
