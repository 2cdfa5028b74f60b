//! Statements for decisions.

use super::Query;

/// The columns in the order in which [`DecisionRow`](crate::report::DecisionRow) reads them.
macro_rules! columns {
    () => {
        "id, time, server, session, stage, domain, name, user_name, outcome, rule, reason, config, facts, counted, refusal,
             groups, repeated, last, imported, reason_code"
    };
}

/// On a server, in a period, by a rule or by what lists show instead of one: `(default)`, `(NPS)`, or the DLL's own
/// refusal.
macro_rules! fits {
    () => {
        "(lower(server) = lower(:server) OR :server IS NULL) AND time >= :since AND time < :until
             AND ((lower(rule) = lower(:rule) AND refusal IS NULL) OR :rule IS NULL OR refusal = :refusal
                 OR (lower(:rule) = '(nps)' AND imported IS NOT NULL)
                 OR (lower(:rule) = '(default)' AND rule IS NULL AND refusal IS NULL AND imported IS NULL))"
    };
}

/// What a search for decisions asks of a row, and what comes after a row of which the latest comes first.
macro_rules! page {
    () => {
        concat!(
            fits!(),
            " AND (outcome = :outcome OR :outcome IS NULL) AND (stage = :stage OR :stage IS NULL)
             AND time <= :before AND (time < :before OR id < :before_id)"
        )
    };
}

/// The decisions that accepted some sessions.
macro_rules! let_in {
    ($sessions:expr) => {
        concat!(
            "SELECT decisions.session, decisions.rule, decisions.id
             FROM sessions JOIN decisions ON decisions.session = +sessions.id
             WHERE stage IN ('connection', 'link') AND outcome <> 'deny' AND ",
            $sessions
        )
    };
}

queries! {
    DECIDED = "INSERT INTO decisions (record, time, server, instance, session, stage, domain, name, user_name, outcome,
             rule, reason, refusal, config, facts, groups, counted)
         VALUES (:record, :time, :server, :instance, (SELECT id FROM sessions WHERE acct_session_id = :session), :stage,
             :domain, :name,
             coalesce(:user_name, (SELECT user_name FROM sessions WHERE acct_session_id = :session), ''),
             :outcome, :rule, :reason, :refusal, :config, :facts, :groups, :counted)
         ON CONFLICT (record) DO NOTHING";

    /// Counted with the decision of the first refusal.
    REFUSAL_REPEATED = "UPDATE decisions SET repeated = :times, last = :last WHERE record = :record";

    /// The ledger's own, the latest first.
    DECISIONS = "SELECT ", columns!(), " FROM decisions
         WHERE imported IS NULL AND ", fits!(), "
         ORDER BY id DESC LIMIT :limit";

    /// Imported ones, the latest first: their numbers say when they were imported.
    DECISIONS_OF_LOGS = "SELECT ", columns!(), " FROM decisions
         WHERE imported IS NOT NULL AND ", fits!(), "
         ORDER BY time DESC, id DESC LIMIT :limit";

    /// Denials, the ledger's own and imported ones, the latest first.
    DENIALS = "SELECT ", columns!(), " FROM decisions
         WHERE outcome = 'deny' AND ", fits!(), "
         ORDER BY time DESC, id DESC LIMIT :limit";

    /// Of one user, or of all users with this name, by the index of users: the ledger's own and imported ones, the latest
    /// first.
    DECISIONS_OF_USER = "SELECT ", columns!(), " FROM decisions
         WHERE name = :name AND (domain = :domain OR :domain IS NULL) AND ", fits!(), "
         ORDER BY time DESC, id DESC LIMIT :limit";

    /// The same, only denials.
    DENIALS_OF_USER = "SELECT ", columns!(), " FROM decisions
         WHERE name = :name AND (domain = :domain OR :domain IS NULL) AND outcome = 'deny' AND ", fits!(), "
         ORDER BY time DESC, id DESC LIMIT :limit";

    /// A page of a search, the latest first: the ledger's own and imported ones, in the order in which they came into it.
    DECISION_PAGE = "SELECT ", columns!(), " FROM decisions
         WHERE id < :before_id AND (outcome = :outcome OR :outcome IS NULL) AND (stage = :stage OR :stage IS NULL)
             AND ", fits!(), "
         ORDER BY id DESC LIMIT :limit";

    /// The same of denials, by their index, in the order of time.
    DENIAL_PAGE = "SELECT ", columns!(), " FROM decisions
         WHERE outcome = 'deny' AND ", page!(), "
         ORDER BY time DESC, id DESC LIMIT :limit";

    /// The same of one user, or of all users with this name, by the index of users.
    DECISION_PAGE_OF_USER = "SELECT ", columns!(), " FROM decisions
         WHERE name = :name AND (domain = :domain OR :domain IS NULL) AND ", page!(), "
         ORDER BY time DESC, id DESC LIMIT :limit";

    /// An attempt of another log that NPS refused.
    REFUSAL_IMPORTED = "INSERT INTO decisions (record, time, server, instance, stage, domain, name, user_name, outcome,
             reason, config, facts, groups, counted, imported, reason_code)
         VALUES (:record, :time, :server, 0, :stage, :domain, :name, :user_name, 'deny', :reason, '', :facts, '[]', '{}',
             :source, :code)
         ON CONFLICT (record) DO NOTHING";

    /// Is such an attempt there?
    EXISTING_REFUSAL = "SELECT id FROM decisions WHERE record = :record";

    /// In the order of time, including earlier ones for the session's addresses.
    DECISIONS_OF_SESSION = "SELECT ", columns!(), " FROM decisions WHERE session = :session
         UNION
         SELECT ", columns!(), " FROM decisions WHERE id IN (SELECT decision FROM leases WHERE session = :session)
         ORDER BY id";

    DECISION = "SELECT ", columns!(), " FROM decisions WHERE id = :id";

    /// The last decision and the last lease.
    LAST = "SELECT (SELECT coalesce(max(id), 0) FROM decisions), (SELECT coalesce(max(id), 0) FROM leases)";

    /// After a decision; otherwise as [`REFUSED`].
    REFUSALS = "SELECT CASE WHEN refusal IS NULL THEN rule END, refusal, reason, user_name, repeated FROM decisions WHERE outcome = 'deny' AND id > :after ORDER BY id";

    /// Decisions after a given one that belong to connecting.
    ATTEMPTS = "SELECT user_name, stage, outcome, rule, refusal, repeated FROM decisions
         WHERE id > :after AND stage IN ('ipv4-address', 'ipv6-address', 'connection', 'link') ORDER BY user_name, id";

    /// How often the same rule, or the DLL itself, denied for the same reason in a period. Which rule had allowed what the
    /// DLL refused makes no difference.
    REFUSED = "SELECT CASE WHEN refusal IS NULL THEN rule END, refusal, reason, count(*), max(time) FROM decisions
         WHERE outcome = 'deny' AND imported IS NULL AND time >= :from AND time < :to
         GROUP BY 1, 2, 3 ORDER BY 4 DESC, 1, 2, 3";

    /// Denials in a period, for sums.
    DENIED = "SELECT time, domain, name, user_name, rule, facts, refusal, imported FROM decisions
         WHERE outcome = 'deny' AND time >= :from AND time < :to";

    /// The decisions that accepted the sessions of a period, which are found as in `SESSIONS_IN_PERIOD`. The last of each
    /// session counts. The plus sign has SQLite begin with the sessions: otherwise it reads all decisions.
    LET_IN = let_in!("acct_start_time >= :day_before AND acct_start_time < :to
             AND (acct_stop_time IS NULL OR acct_stop_time >= :from)"), "
         UNION ALL ", let_in!("acct_start_time < :day_before AND acct_stop_time - acct_start_time > 86400000
             AND acct_stop_time >= :from"), "
         UNION ALL ", let_in!("acct_stop_time IS NULL AND +acct_start_time < :day_before");
}
