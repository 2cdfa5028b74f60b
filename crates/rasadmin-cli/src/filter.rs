//! The options that limit a list: the same for every command.

use crate::context::Context;
use crate::error::{CommandError, Result};
use crate::{times, warning};
use clap::Args;
use rasadmin_ledger::report::{Filter, UserFilter};
use rasadmin_policy::Name;

/// The options.
#[derive(Args, Clone, Debug, Default)]
pub struct FilterArguments {
    /// Only this user: `alice` (in any domain), `CORP\alice`, `alice@corp.example`
    #[arg(long, value_name = "USER")]
    pub user: Option<String>,
    /// Only this RRAS server
    #[arg(long, value_name = "NAME")]
    pub server: Option<String>,
    /// From this time on: `2026-11-23`, `2026-11-23 09:00`, `today`, `yesterday`, or how long ago: `90m`, `12h`, `7d`
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    /// Before this time
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
}

/// How many rows a list has; 0 stands for all.
#[derive(Clone, Copy, Debug)]
pub struct Limit(u32);

/// How many rows a list has. JSON is complete unless a program asks for less, because it may add the rows up.
#[derive(Args, Clone, Copy, Debug)]
pub struct LimitArguments {
    /// Show at most N rows; 0 shows all [default: 100 in a table, all in JSON]
    #[arg(long, value_name = "N")]
    limit: Option<u32>,
}

impl LimitArguments {
    /// As if it was given on the command line.
    pub const fn new(limit: Option<u32>) -> Self {
        Self { limit }
    }

    /// The same for every format.
    pub fn of(self, json: bool) -> Limit {
        Limit(self.limit.unwrap_or(if json { 0 } else { 100 }))
    }
}

impl FilterArguments {
    /// For the ledger's queries.
    pub fn filter(&self, context: &Context, limit: Option<u32>) -> Result<Filter> {
        let now = times::now();
        let zone = &context.zone;
        let time = |text: &Option<String>| text.as_deref().map(|text| times::parse(text, zone, now)).transpose();
        Ok(Filter {
            user: self.user.as_deref().map(|user| user_filter(user, context)).transpose()?,
            server: self.server.as_deref().map(Name::new),
            since: time(&self.since)?,
            until: time(&self.until)?,
            limit,
        })
    }
}

impl Limit {
    /// How many rows to ask for: one more than are shown tells whether there are more.
    pub fn to_ask_for(self) -> Option<u32> {
        (self.0 > 0).then(|| self.0.saturating_add(1))
    }

    /// Leaves the rows that are shown. Returns whether there were more.
    pub fn truncate<T>(self, rows: &mut Vec<T>) -> bool {
        let limit = if self.0 == 0 { usize::MAX } else { self.0 as usize };
        let more = rows.len() > limit;
        rows.truncate(limit);
        more
    }

    /// As [`truncate`](Self::truncate), for rows that are all there: the line that says how to see the others.
    pub fn cut<T>(self, rows: &mut Vec<T>) -> Option<String> {
        let all = rows.len();
        self.truncate(rows).then(|| format!("  the first {} of {all}; --limit 0 shows all", rows.len()))
    }

    /// Tells a program's user that its answer is not complete.
    pub fn warn_if(self, more: bool) {
        if more {
            warning!("these are the latest {}; --limit 0 shows all", self.0);
        }
    }
}

/// A user as typed.
pub fn user_filter(user: &str, context: &Context) -> Result<UserFilter> {
    UserFilter::typed(user, &context.config.domains).ok_or_else(|| {
        CommandError::usage(format!(
            "`{user}` is not a valid user name: write `alice`, `CORP\\alice`, `alice@corp.example` or `host/pc7`"
        ))
    })
}

/// How a user is shown: as the identity, or else by the name that RRAS passed.
pub fn user_shown(domain: Option<&Name>, name: Option<&Name>, user_name: &Name) -> String {
    match (domain, name) {
        (Some(domain), Some(name)) if domain.is_empty() => name.to_string(),
        (Some(domain), Some(name)) => format!("{domain}\\{name}"),
        _ if user_name.is_empty() => "(no name)".to_owned(),
        _ => user_name.to_string(),
    }
}
