//! Which rows are asked for.

use rasadmin_engine::Millis;
use rasadmin_engine::{Domains, Identity, Name};
use rusqlite::ToSql;

/// A user as somebody names him: a bare name means that name in any domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Who {
    /// The domain, folded; None: any.
    pub domain: Option<Name>,
    /// The name, folded.
    pub name: Name,
}

impl Who {
    /// As it was typed; None if it is no user's name.
    pub fn typed(text: &str, domains: &Domains) -> Option<Self> {
        let Identity { domain, name } = domains.identity(&Name::new(text), &Name::default())?;
        let bare = !text.contains(['\\', '@', '/']);
        Some(Self { domain: (!bare).then_some(domain), name })
    }
}

/// Conditions on rows; what is None or false asks for nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Which {
    /// Of this user.
    pub user: Option<Who>,
    /// On this server.
    pub server: Option<Name>,
    /// Not before.
    pub since: Option<Millis>,
    /// Before.
    pub until: Option<Millis>,
    /// At most so many, the latest.
    pub limit: Option<u32>,
}

/// SQL conditions with their values.
#[derive(Default)]
pub(super) struct Conditions {
    sql: Vec<String>,
    values: Vec<Box<dyn ToSql>>,
}

impl Conditions {
    pub fn add(&mut self, sql: &str) {
        self.sql.push(sql.to_owned());
    }

    /// `sql` has one `?`.
    pub fn with(&mut self, sql: &str, value: impl ToSql + 'static) {
        self.values.push(Box::new(value));
        self.sql.push(sql.replacen('?', &format!("?{}", self.values.len()), 1));
    }

    /// Of `which`, on tables with the columns `domain` and `name`.
    pub fn of(which: &Which, server: &str, time: &str) -> Self {
        let mut conditions = Self::default();
        if let Some(user) = &which.user {
            conditions.with("name = ?", user.name.as_str().to_owned());
            if let Some(domain) = &user.domain {
                conditions.with("domain = ?", domain.as_str().to_owned());
            }
        }
        if let Some(name) = &which.server {
            conditions.with(&format!("{server} = ? COLLATE NOCASE"), name.as_str().to_owned());
        }
        if let Some(since) = which.since {
            conditions.with(&format!("{time} >= ?"), since);
        }
        if let Some(until) = which.until {
            conditions.with(&format!("{time} < ?"), until);
        }
        conditions
    }

    /// `WHERE ...`, or nothing.
    pub fn sql(&self) -> String {
        if self.sql.is_empty() { String::new() } else { format!("WHERE {}", self.sql.join(" AND ")) }
    }

    pub fn values(&self) -> Vec<&dyn ToSql> {
        self.values.iter().map(|value| &**value).collect()
    }
}
