//! Every statement of the ledger, by its name: the only ones that a [`Database`](crate::sqlite::Database) runs.
//!
//! Their text is SQL that SQLite and PostgreSQL both speak. What only SQLite knows is in [`sqlite_only`], each with its
//! reason. Keep to what both have:
//!
//! - Parameters have names, `:server`. PostgreSQL has numbers instead, in the order in which they come first. It takes a
//!   parameter's type from what stands beside it where it comes first: in `:from - 1000` that is a number of 32 bits, and
//!   in `:server IS NULL` nothing.
//! - So a condition that may be left out is `(server = :server OR :server IS NULL)`, in this order. No index serves it:
//!   where one should, there is a second query. A time that has no limit is compared with the least or the greatest
//!   number.
//! - `+time >= :since` keeps SQLite from using the index of `time` where another one finds fewer rows.
//! - Sums are cast to BIGINT: PostgreSQL's are decimals. No limit is the greatest number: `LIMIT -1` is SQLite's,
//!   `LIMIT NULL` PostgreSQL's.
//! - Truth is 1 or 0 in a column. What a query returns is a BIGINT or a TEXT, and never the outcome of a comparison.
//! - Case is folded with `lower` on both sides. JSON is read and written by the program, not by the database.

/// Declares statements, and the list of them. The text may have several parts: they are joined.
macro_rules! queries {
    ($($(#[$about:meta])* $name:ident = $($part:expr),+;)*) => {
        $($(#[$about])* pub(crate) const $name: Query = Query { name: stringify!($name), text: concat!($($part),+) };)*
        #[cfg(test)]
        pub(super) const ALL: &[Query] = &[$($name),*];
    };
}

/// Declares the parts, and the list of all their statements.
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

parts!(checks, decisions, forget, instances, journals, leases, links, sessions, usage);
pub(crate) mod sqlite_only;

/// A statement that SQLite and PostgreSQL both understand. Only this module and its parts can make one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Query {
    name: &'static str,
    text: &'static str,
}

/// Only what is declared in this module is a statement.
mod declared {
    pub trait Declared {}
}

/// What a database runs.
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
