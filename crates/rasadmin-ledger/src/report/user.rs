//! Everything about one user.

use super::{
    DecisionRow, Filter, KnownUser, LeaseRow, LimitUse, Reader, SessionRow, UserFilter, UserInForce, rfc3339,
    rfc3339_or_null,
};
use crate::Error;
use rasadmin_engine::config::Config;
use rasadmin_engine::effect::Block;
use rasadmin_engine::{Identity, Millis, Name};
use schemars::JsonSchema;
use serde::Serialize;
use std::net::{Ipv4Addr, Ipv6Addr};

/// Everything about one user: what the configuration says, and what the journal and the ledger know.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct UserReport {
    /// The user's domain in upper case, as `[domains]` maps it.
    pub domain: Name,
    /// The user's name in upper case, without the domain.
    pub name: Name,
    /// All of the user's sessions and denials in short. Null if the ledger does not know the user.
    pub known: Option<KnownUser>,
    /// The user's groups in the configuration.
    pub groups: Vec<String>,
    /// The addresses that are reserved for the user.
    pub reservations: Vec<ReservedAddress>,
    /// The rules that name the user or one of the user's groups, in order. Their other conditions may not hold.
    pub rules: Vec<String>,
    /// The limits that concern the user, in the order of the rules, as they would count if the user connected now.
    pub limits: Vec<LimitUse>,
    /// The user's block. Null if there is none.
    pub block: Option<UserBlock>,
    /// Sessions that are connected now, the latest first.
    pub live: Vec<SessionRow>,
    /// Past sessions, the latest first.
    pub past: Vec<SessionRow>,
    /// Whether there are more past sessions than these.
    pub more_past: bool,
    /// The addresses that the user holds now.
    pub leases: Vec<LeaseRow>,
    /// Denials with their reasons, the latest first.
    pub denials: Vec<DecisionRow>,
    /// Whether there are more denials than these.
    pub more_denials: bool,
}

/// The addresses that are reserved for a user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ReservedAddress {
    /// The only server on which they are. Null for all servers.
    pub server: Option<Name>,
    /// The IPv4 address.
    pub ipv4: Option<Ipv4Addr>,
    /// The IPv6 interface identifier, written as the low half of an address: `::a11c:e`.
    pub ipv6: Option<Ipv6Addr>,
}

/// A user who is blocked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct UserBlock {
    /// When it began: RFC 3339, UTC.
    #[serde(serialize_with = "rfc3339")]
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub since: Millis,
    /// When it ends: RFC 3339, UTC. Null if it stays until it is lifted.
    #[serde(serialize_with = "rfc3339_or_null")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub until: Option<Millis>,
    /// The reason.
    pub reason: Option<String>,
    /// The account that asked for it. Null if it is not known.
    pub by: Option<String>,
}

impl From<&Block> for UserBlock {
    fn from(block: &Block) -> Self {
        let Block { since, until, reason, by, .. } = block.clone();
        Self { since, until, reason, by }
    }
}

impl Reader {
    /// Everything about one user. `in_force`: what the journal says about the user.
    ///
    /// `limit`: at most so many past sessions, and so many denials.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn user(
        &self,
        user: &Identity,
        config: &Config,
        in_force: UserInForce,
        limit: Option<u32>,
    ) -> Result<UserReport, Error> {
        let who = UserFilter { domain: Some(user.domain.clone()), name: user.name.clone() };
        // One more than are wanted tells whether there are more.
        let of_user = |limit: Option<usize>| Filter {
            user: Some(who.clone()),
            limit: limit.map(|limit| u32::try_from(limit + 1).unwrap_or(u32::MAX)),
            ..Filter::default()
        };
        let limit = limit.map(|limit| limit as usize);
        let live = self.sessions(&of_user(None), true)?;
        let mut past = self.sessions(&of_user(limit.map(|limit| limit + live.len())), false)?;
        past.retain(|session| !session.is_live());
        let mut denials = self.decisions(&of_user(limit), true, None)?;
        let names: Vec<&str> = config.groups.names().collect();
        let groups = config.groups.of(user);
        let groups = groups.iter().filter_map(|group| names.get(group.0 as usize).map(|&name| name.to_owned()));
        let UserInForce { rules, limits, block } = in_force;
        Ok(UserReport {
            domain: user.domain.clone(),
            name: user.name.clone(),
            known: self.users(&of_user(None))?.pop(),
            groups: groups.collect(),
            reservations: reservations(user, config),
            rules,
            limits,
            block: block.as_ref().map(UserBlock::from),
            live,
            more_past: cut(&mut past, limit),
            past,
            leases: self.live_leases(&of_user(None), None)?,
            more_denials: cut(&mut denials, limit),
            denials,
        })
    }
}

/// Leaves the first rows. Returns whether there were more.
fn cut<T>(rows: &mut Vec<T>, limit: Option<usize>) -> bool {
    let more = limit.is_some_and(|limit| rows.len() > limit);
    rows.truncate(limit.unwrap_or(usize::MAX));
    more
}

fn reservations(user: &Identity, config: &Config) -> Vec<ReservedAddress> {
    let all = config.addresses.reservations.get(user).into_iter().flatten();
    all.map(|of| ReservedAddress {
        server: of.server.clone(),
        ipv4: of.ipv4.and_then(|number| u32::try_from(number).ok()).map(Ipv4Addr::from_bits),
        ipv6: of.ipv6.map(|number| Ipv6Addr::from_bits(number.into())),
    })
    .collect()
}
