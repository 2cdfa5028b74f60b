//! Statements for long lists, a page at a time. A page begins after the last row of the page before, so it costs the same
//! wherever it is.

use super::Query;

/// Does the user's name, with its domain, have this part? Not LIKE: a name can have its wildcards.
macro_rules! has_part {
    () => {
        r"(replace(domain || '\' || name, :part, '') <> domain || '\' || name OR :part IS NULL)"
    };
}

queries! {
    /// The names of users who came, or were denied. Each of the two parts has no more than a page.
    USER_NAMES_AFTER = "SELECT domain, name FROM (SELECT DISTINCT domain, name FROM sessions
             WHERE name IS NOT NULL AND (domain, name) > (:domain, :name) AND ", has_part!(), "
             ORDER BY domain, name LIMIT :limit) AS came
         UNION
         SELECT domain, name FROM (SELECT DISTINCT domain, name FROM decisions
             WHERE outcome = 'deny' AND name IS NOT NULL AND (domain, name) > (:domain, :name) AND ", has_part!(), "
             ORDER BY domain, name LIMIT :limit) AS denied
         ORDER BY 1, 2 LIMIT :limit";

    /// Live leases, by address, after one of them.
    LIVE_LEASES_AFTER = "SELECT ", super::leases::columns!(), ", NULL, NULL FROM leases
         WHERE ended IS NULL AND (pool = :pool OR :pool IS NULL)
             AND ((server, family, number, id) > (SELECT server, family, number, id FROM leases WHERE id = :after)
                 OR :after IS NULL)
         ORDER BY server, family, number, id LIMIT :limit";
}
