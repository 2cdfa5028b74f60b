//! What a list is limited to: the same words for every command.

use crate::here::Place;
use crate::times;
use clap::Args;
use rasadmin_ledger::report::{Filter, UserFilter};
use rasadmin_policy::Name;

/// Which rows.
#[derive(Args, Clone, Debug, Default)]
pub struct Select {
    /// Of this user: `alice` (in any domain), `CORP\alice`, `alice@corp.example`
    #[arg(long, value_name = "USER")]
    pub user: Option<String>,
    /// On this RRAS server
    #[arg(long, value_name = "NAME")]
    pub server: Option<String>,
    /// Since when: `2026-11-23`, `2026-11-23 09:00`, `today`, `yesterday`, or how long ago: `90m`, `12h`, `7d`
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    /// Until when (not included)
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
}

impl Select {
    /// As the ledger is asked.
    pub fn filter(&self, place: &Place, limit: Option<u32>) -> Result<Filter, String> {
        let now = times::now();
        let zone = &place.config.zone;
        let time = |text: &Option<String>| text.as_deref().map(|text| times::parse(text, zone, now)).transpose();
        Ok(Filter {
            user: self.user.as_deref().map(|user| who(user, place)).transpose()?,
            server: self.server.as_deref().map(Name::new),
            since: time(&self.since)?,
            until: time(&self.until)?,
            limit,
        })
    }
}

/// A user as he was typed.
pub fn who(user: &str, place: &Place) -> Result<UserFilter, String> {
    UserFilter::typed(user, &place.config.domains).ok_or_else(|| {
        format!("`{user}` is not a valid user name: write `alice`, `CORP\\alice`, `alice@corp.example` or `host/pc7`")
    })
}

/// Prints a value for programs.
pub fn print_json(value: &impl serde::Serialize) -> Result<u8, String> {
    let text = serde_json::to_string_pretty(value).map_err(|e| format!("the result cannot be written as JSON: {e}"))?;
    println!("{text}");
    Ok(0)
}

/// The name of a user as it is shown: the identity, else what RRAS passed.
pub fn user_shown(domain: Option<&Name>, name: Option<&Name>, user_name: &Name) -> String {
    match (domain, name) {
        (Some(domain), Some(name)) if domain.is_empty() => name.to_string(),
        (Some(domain), Some(name)) => format!("{domain}\\{name}"),
        _ if user_name.is_empty() => "(no name)".to_owned(),
        _ => user_name.to_string(),
    }
}
