//! Filters for rows.

use crate::value::Value;
use rasadmin_engine::Millis;
use rasadmin_engine::{Domains, Identity, Name};

/// A user as an administrator types it. A bare name means that name in any domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserFilter {
    /// The domain, folded; None for any domain.
    pub domain: Option<Name>,
    /// The name, folded.
    pub name: Name,
}

impl UserFilter {
    /// Parses what was typed; None if it is not a valid user name.
    pub fn typed(text: &str, domains: &Domains) -> Option<Self> {
        let Identity { domain, name } = domains.identity(&Name::new(text), &Name::default())?;
        let bare = !text.contains(['\\', '@', '/']);
        Some(Self { domain: (!bare).then_some(domain), name })
    }
}

/// Conditions on rows. None means no condition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Rows of this user.
    pub user: Option<UserFilter>,
    /// Rows of this server.
    pub server: Option<Name>,
    /// Rows from this time on.
    pub since: Option<Millis>,
    /// Rows before this time.
    pub until: Option<Millis>,
    /// At most so many rows, the latest ones.
    pub limit: Option<u32>,
}

impl Filter {
    /// Is the filter for exactly one user, rather than for a name in any domain? Then an index can be used.
    pub(super) fn is_of_one_user(&self) -> bool {
        self.user.as_ref().is_some_and(|user| user.domain.is_some())
    }

    pub(super) fn domain(&self) -> Option<&Name> {
        self.user.as_ref()?.domain.as_ref()
    }

    pub(super) fn name(&self) -> Option<&Name> {
        self.user.as_ref().map(|user| &user.name)
    }

    /// The values of `:name`, `:domain`, `:server`, `:since` and `:until`.
    pub(super) fn values(&self) -> Vec<(&'static str, Value<'_>)> {
        vec![
            (":name", self.name().into()),
            (":domain", self.domain().into()),
            (":server", self.server.as_ref().into()),
            (":since", self.since.unwrap_or(Millis::MIN).into()),
            (":until", self.until.unwrap_or(Millis::MAX).into()),
        ]
    }

    /// The same values, and `:limit`.
    pub(super) fn limited(&self) -> Vec<(&'static str, Value<'_>)> {
        let mut values = self.values();
        values.push((":limit", self.limit.map_or(i64::MAX, i64::from).into()));
        values
    }
}
