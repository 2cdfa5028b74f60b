//! Which indexes SQLite uses.

use crate::queries::{self, Query, Statement};
use rusqlite::Connection;

fn plan(query: Query) -> Vec<String> {
    let ledger = Connection::open_in_memory().unwrap();
    ledger.execute_batch(include_str!("../schema.sql")).unwrap();
    let mut statement = ledger.prepare(&format!("EXPLAIN QUERY PLAN {}", query.text())).unwrap();
    let rows = statement.raw_query().mapped(|row| row.get(3));
    rows.map(Result::unwrap).collect()
}

#[test]
fn questions_of_people_have_an_index() {
    let cases: [(Query, &[&str]); 32] = [
        (queries::SESSIONS, &["SEARCH sessions USING INDEX sessions_start"]),
        (queries::SESSIONS_OF_USER, &["SEARCH sessions USING INDEX sessions_user (domain=? AND name=? AND acct_start"]),
        (queries::LIVE_SESSIONS, &["SCAN sessions USING INDEX sessions_live"]),
        (queries::SESSION_PAGE, &["SEARCH sessions USING INDEX sessions_start"]),
        (
            queries::SESSION_PAGE_OF_USER,
            &["SEARCH sessions USING INDEX sessions_user (domain=? AND name=? AND acct_start"],
        ),
        (
            queries::SESSION_PAGE_OF_NAME,
            &["SEARCH sessions USING INDEX sessions_user (domain=? AND name=? AND acct_start"],
        ),
        (queries::LIVE_SESSION_PAGE, &["SCAN sessions USING INDEX sessions_live"]),
        (queries::LINKS_OF_SESSION, &["SEARCH links USING INDEX sqlite_autoindex_links_1 (session=?)"]),
        (queries::OCTETS_OF_SESSION, &["SEARCH session_octets USING PRIMARY KEY (session=?)"]),
        (queries::LEASES_OF_SESSION, &["SEARCH leases USING INDEX leases_session (session=?)"]),
        (
            queries::SESSIONS_IN_PERIOD,
            &[
                "SEARCH sessions USING INDEX sessions_start (acct_start_time>? AND acct_start_time<?)",
                "SEARCH sessions USING INDEX sessions_long",
                "SCAN sessions USING INDEX sessions_live",
            ],
        ),
        (
            queries::ATTEMPTS_IN_PERIOD,
            &[
                "SEARCH sessions USING INDEX sessions_start (acct_start_time>? AND acct_start_time<?)",
                "SEARCH sessions USING INDEX sessions_long",
                "SCAN sessions USING INDEX sessions_live",
                "SEARCH decisions USING INDEX decisions_denied",
            ],
        ),
        (
            queries::DISCONNECTS,
            &["SEARCH sessions USING INDEX sessions_disconnect (disconnect_time>? AND disconnect_time<?)"],
        ),
        (queries::SESSIONS_AFTER, &["SEARCH sessions USING INDEX sessions_start"]),
        (
            queries::WHO_HAD,
            &[
                "SEARCH leases USING INDEX leases_address",
                "SEARCH sessions USING INDEX sessions_imported_address (framed_ip_address=?)",
            ],
        ),
        (queries::USAGE_OF_USER, &["SEARCH use USING INDEX use_user (domain=? AND name=? AND day>? AND day<?)"]),
        (queries::REFUSED, &["SEARCH decisions USING INDEX decisions_denied (time>? AND time<?)"]),
        (queries::DENIALS, &["SEARCH decisions USING INDEX decisions_denied"]),
        (queries::DECISIONS_OF_USER, &["SEARCH decisions USING INDEX decisions_user (name=? AND time>? AND time<?)"]),
        (queries::DENIALS_OF_USER, &["SEARCH decisions USING INDEX decisions_user (name=? AND time>? AND time<?)"]),
        (queries::DECISION_PAGE, &["SEARCH decisions USING INTEGER PRIMARY KEY (rowid<?)"]),
        (queries::DENIAL_PAGE, &["SEARCH decisions USING INDEX decisions_denied"]),
        (
            queries::DECISION_PAGE_OF_USER,
            &["SEARCH decisions USING INDEX decisions_user (name=? AND time>? AND time<?)"],
        ),
        (queries::DECISIONS_OF_LOGS, &["SEARCH decisions USING INDEX decisions_imported"]),
        (
            queries::KNOWN_USER,
            &[
                "SEARCH sessions USING INDEX sessions_user (domain=? AND name=? AND acct_start",
                "SEARCH decisions USING INDEX decisions_denied_user (name=? AND domain=? AND time>? AND time<?)",
            ],
        ),
        (queries::USE_OF_USER_PURGED, &["SEARCH use USING INDEX use_user (domain=? AND name=? AND day<?)"]),
        (queries::LINKS_OF_USER_PURGED, &["SEARCH sessions USING INDEX sessions_user (domain=? AND name=?)"]),
        (queries::OCTETS_OF_USER_PURGED, &["SEARCH sessions USING INDEX sessions_user (domain=? AND name=?)"]),
        (queries::SESSIONS_OF_USER_PURGED, &["SEARCH sessions USING INDEX sessions_user (domain=? AND name=?)"]),
        (queries::PAST_SESSIONS_OF_USER, &["SEARCH sessions USING INDEX sessions_user (domain=? AND name=?)"]),
        (
            queries::SESSIONS_BEFORE_RESTART,
            &[
                "SEARCH sessions USING INDEX sessions_no_end (acct_start_time<?)",
                "SEARCH sessions USING INDEX sessions_start (acct_start_time>? AND acct_start_time<?)",
                "SEARCH sessions USING INDEX sessions_long (acct_stop_time>?)",
            ],
        ),
        (queries::LIVE_LEASES, &["SCAN leases USING INDEX leases_live"]),
    ];
    assert_planned(&cases);
}

#[test]
fn what_retention_looks_for_has_an_index() {
    assert_planned(&[
        (
            queries::EXPIRED_DECISIONS,
            &["SEARCH decisions USING INDEX sqlite_autoindex_decisions_1 (record>? AND record<?)"],
        ),
        (queries::EXPIRED_REFUSALS, &["SEARCH decisions USING INDEX decisions_imported (time<?)"]),
        (queries::EXPIRED_SESSIONS, &["SEARCH sessions USING INDEX sessions_start"]),
        (queries::LEASES_FROM, &["SEARCH leases USING INTEGER PRIMARY KEY (rowid>?)"]),
        (queries::OCTETS_EXPIRED, &["SEARCH session_octets USING PRIMARY KEY (session=?)"]),
        (queries::LEASES_OF_SESSION_EXPIRED, &["SEARCH leases USING INDEX leases_session (session=?)"]),
        (queries::EXPIRED_USE, &["SEARCH use USING PRIMARY KEY (session<?)"]),
    ]);
}

/// A ledger with a million sessions is read only as far as a page, or as far as a search finds some.
#[test]
fn sorted_lists_use_the_indexes_that_there_are() {
    let by_user = "SEARCH sessions USING INDEX sessions_user ((domain,name,acct_start_time)";
    let of_user = "SEARCH sessions USING INDEX sessions_user (domain=? AND name=? AND acct_start";
    assert_planned(&[
        (queries::SESSION_KEYS, &["SEARCH sessions USING INDEX sessions_start"]),
        (queries::SESSION_KEYS_OF_USER, &[of_user]),
        (queries::SESSION_KEYS_OF_NAME, &[of_user]),
        (queries::LIVE_KEYS, &["SCAN sessions USING INDEX sessions_live"]),
        (queries::SESSIONS_FROM_OLDEST, &["SEARCH sessions USING INDEX sessions_start"]),
        (queries::SESSIONS_BY_USER, &[by_user]),
        (queries::SESSIONS_BY_USER_BACK, &[by_user]),
        (queries::SESSIONS_WITHOUT_USER, &[of_user]),
    ]);
}

/// Sums of a period read its sessions alone, and their decisions.
#[test]
fn sums_read_only_their_period() {
    let begun = "SEARCH sessions USING INDEX sessions_start (acct_start_time>? AND acct_start_time<?)";
    let (long, live) = ("SEARCH sessions USING INDEX sessions_long", "SCAN sessions USING INDEX sessions_live");
    assert_planned(&[
        (queries::SUMMED_IN_PERIOD, &[begun, long, live]),
        (queries::LET_IN, &[begun, long, live, "SEARCH decisions USING INDEX decisions_session (session=?)"]),
        (queries::BEGUN_IN_PERIOD, &["SEARCH sessions USING COVERING INDEX sessions_start"]),
        (queries::USER_SESSIONS, &["SCAN sessions"]),
        (queries::USERS_DENIED, &["SEARCH decisions USING COVERING INDEX decisions_denied_user"]),
    ]);
}

/// Each statement's plan has lines that begin like this.
fn assert_planned(cases: &[(Query, &[&str])]) {
    for (query, expected) in cases {
        let plan = plan(*query);
        let found = |index: &&&str| plan.iter().any(|line| line.starts_with(**index));
        assert!(expected.iter().all(|index| found(&index)), "{}: {plan:#?}", query.name());
    }
}

/// A page in the order of its index needs no sorting. Otherwise the whole ledger would be read for it.
#[test]
fn pages_and_the_latest_are_read_in_the_order_of_an_index() {
    for query in [
        queries::SESSIONS,
        queries::SESSIONS_OF_USER,
        queries::SESSIONS_AFTER,
        queries::SESSIONS_FROM_OLDEST,
        queries::SESSIONS_BY_USER,
        queries::SESSIONS_BY_USER_BACK,
        queries::SESSIONS_WITHOUT_USER,
        queries::DECISIONS,
        queries::DECISIONS_OF_LOGS,
        queries::DENIALS,
        queries::DECISIONS_OF_USER,
        queries::DENIALS_OF_USER,
        queries::DECISION_PAGE,
        queries::DENIAL_PAGE,
        queries::DECISION_PAGE_OF_USER,
    ] {
        let plan = plan(query);
        assert!(!plan.iter().any(|line| line.contains("TEMP B-TREE")), "{}: {plan:#?}", query.name());
    }
}

/// Only these statements read tables as a whole that grow with every session.
#[test]
fn few_statements_read_a_whole_table() {
    let whole = |line: &String| {
        let mut words = line.split(' ');
        let grows = ["sessions", "links", "leases", "decisions", "use", "session_octets"];
        let some = ["sessions_live", "sessions_imported_address", "leases_live", "links_live"];
        words.next() == Some("SCAN")
            && words.next().is_some_and(|table| grows.contains(&table))
            && !some.iter().any(|index| line.ends_with(index))
    };
    let found: Vec<_> = queries::all().into_iter().filter(|query| plan(*query).iter().any(whole)).collect();
    let names: Vec<_> = found.iter().map(|query| query.name()).collect();
    assert_eq!(
        names,
        [
            // Checks of all that is there.
            "SESSIONS_ENDED_EARLY",
            "CONFIGS_NOT_KEPT",
            "COUNTS",
            // From the end, until there are enough.
            "DECISIONS",
            // Retention, once a day, without a lock for writing.
            "DECISIONS_OF_KEPT_LEASES",
            "EXPIRED_CONFIGS",
            // Purge and anonymise. Also for one user: leases have no index of users, decisions are looked at for what
            // refers to them, and the use of live sessions stays.
            "USE_PURGED",
            "USE_OF_USER_PURGED",
            "LINKS_PURGED",
            "OCTETS_PURGED",
            "SESSIONS_PURGED",
            "LEASES_PURGED",
            "DECISIONS_PURGED",
            "CONFIGS_PURGED",
            "USERS_OF_PAST_DAYS",
            "USE_ANONYMISED",
            "PAST_DECISIONS",
            // Users in the order of a sum.
            "USER_SESSIONS",
            // By the end of a key.
            "SESSIONS_WITH_KEY",
            // Of everybody.
            "USAGE",
        ]
    );
}

/// What rules have decided is counted without reading decisions.
#[test]
fn hits_are_counted_in_an_index_alone() {
    assert_planned(&[
        (queries::HITS_OF_RULE, &["SEARCH decisions USING COVERING INDEX decisions_rule (rule=? AND time>?)"]),
        (queries::HITS_OF_DEFAULT, &["SEARCH decisions USING COVERING INDEX decisions_rule (rule=? AND time>?)"]),
        (queries::LAST_HIT_OF_RULE, &["SEARCH decisions USING COVERING INDEX decisions_rule (rule=?)"]),
        (queries::LAST_HIT_OF_DEFAULT, &["SEARCH decisions USING COVERING INDEX decisions_rule (rule=?)"]),
        (queries::CUT_BY_RULES, &["SEARCH sessions USING INDEX sessions_disconnect (disconnect_time>?)"]),
    ]);
    for query in [queries::LAST_HIT_OF_RULE, queries::LAST_HIT_OF_DEFAULT] {
        assert!(!plan(query).iter().any(|line| line.contains("TEMP B-TREE")), "{}", query.name());
    }
}
