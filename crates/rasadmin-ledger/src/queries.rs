//! Every statement of the ledger, by its name. A [`Database`](crate::sqlite::Database) runs no others.
//!
//! The statements are SQL that SQLite and PostgreSQL both understand. Statements that only SQLite understands are in
//! [`sqlite_only`], each with its reason. Keep to what both have:
//!
//! - Parameters have names, `:server`. PostgreSQL numbers them instead, in the order in which they first occur. It
//!   derives a parameter's type from what is next to its first occurrence: in `:from - 1000` that is a 32-bit number,
//!   and in `:server IS NULL` nothing.
//! - So an optional condition is `(server = :server OR :server IS NULL)`, in this order. No index serves such a
//!   condition; if one should, there is a second query. If a time has no limit, it is compared with the least or the
//!   greatest number.
//! - `+time >= :since` keeps SQLite from using the index of `time` if another index finds fewer rows.
//! - Sums are cast to BIGINT, because PostgreSQL's are decimals. To have no limit, use the greatest number, because
//!   `LIMIT -1` is SQLite's and `LIMIT NULL` is PostgreSQL's.
//! - Truth values in a column are 1 or 0. A query returns a BIGINT or a TEXT, never the result of a comparison.
//! - Case is folded with `lower` on both sides. The program reads and writes JSON, not the database.

/// Declares statements, and the list of them. A text can have several parts, which are joined.
macro_rules! queries {
    ($($(#[$about:meta])* $name:ident = $($part:expr),+;)*) => {
        $($(#[$about])* pub(crate) const $name: Query = Query { name: stringify!($name), text: concat!($($part),+) };)*
        #[cfg(test)]
        pub(super) const ALL: &[Query] = &[$($name),*];
    };
}

/// Declares the modules, and the list of all their statements.
macro_rules! parts {
    ($($part:ident),*) => {
        $(mod $part;)*
        $(pub(crate) use $part::*;)*

        /// All statements.
        #[cfg(test)]
        pub(crate) fn all() -> Vec<Query> {
            [$($part::ALL),*].concat()
        }
    };
}

parts!(
    checks, decisions, expire, forget, instances, journals, leases, links, lists, octets, passes, rules, sessions,
    sorted, usage
);
pub(crate) mod sqlite_only;

/// A statement that SQLite and PostgreSQL both understand. Only this module and its submodules can make one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Query {
    name: &'static str,
    text: &'static str,
}

/// Only what is declared in this module is a statement.
mod declared {
    pub trait Declared {}
}

/// A statement that a database can run.
pub(crate) trait Statement: Copy + declared::Declared {
    /// Its name.
    fn name(self) -> &'static str;
    /// Its text, with named parameters.
    fn text(self) -> &'static str;
}

impl declared::Declared for Query {}

impl Statement for Query {
    fn name(self) -> &'static str {
        self.name
    }

    fn text(self) -> &'static str {
        self.text
    }
}
