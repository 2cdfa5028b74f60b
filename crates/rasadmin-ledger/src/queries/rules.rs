//! Statements for what rules have decided.

use super::Query;

/// How many decisions allowed, and how many denied.
macro_rules! counts {
    () => {
        "SELECT CAST(coalesce(sum(CASE WHEN outcome <> 'deny' THEN 1 ELSE 0 END), 0) AS BIGINT),
             CAST(coalesce(sum(CASE WHEN outcome = 'deny' AND refusal IS NULL THEN 1 ELSE 0 END), 0) AS BIGINT)
         FROM decisions WHERE imported IS NULL AND "
    };
}

queries! {
    /// The decisions of a rule since a time. The index has all of it, so no decision itself is read.
    HITS_OF_RULE = counts!(), "rule = :rule AND time >= :since";

    /// The same of the default. What the DLL itself refused is not the default's.
    HITS_OF_DEFAULT = counts!(), "rule IS NULL AND refusal IS NULL AND time >= :since";

    /// The last decision of a rule, also if the DLL itself refused what the rule allowed.
    LAST_HIT_OF_RULE = "SELECT id, time FROM decisions WHERE imported IS NULL AND rule = :rule
         ORDER BY time DESC, id DESC LIMIT 1";

    /// The same of the default.
    LAST_HIT_OF_DEFAULT = "SELECT id, time FROM decisions WHERE imported IS NULL AND rule IS NULL AND refusal IS NULL
         ORDER BY time DESC, id DESC LIMIT 1";

    /// The active sessions that rules were to end: how many since a time, and when the last one.
    CUT_BY_RULES = "SELECT disconnect_rule, CAST(sum(CASE WHEN disconnect_time >= :since THEN 1 ELSE 0 END) AS BIGINT),
             max(disconnect_time)
         FROM sessions WHERE disconnect IS NOT NULL AND disconnect_time >= 0 AND disconnect_rule IS NOT NULL
         GROUP BY disconnect_rule ORDER BY disconnect_rule";
}
