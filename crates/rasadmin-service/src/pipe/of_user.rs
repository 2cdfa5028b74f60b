//! What is in force for one user.

use super::explain::{self, OneAtATime};
use super::names;
use crate::settings::Settings;
use crate::user_in_force::OfUser;
use rasadmin_engine::{Identity, Name, Stamp};
use rasadmin_ledger::report::{InForce, UserInForce};
use rasadmin_pipe::{Refusal, Why};
use rasadmin_policy::config::Config;
use serde_json::Value;
use std::sync::Arc;

/// The limits and the block of a user, as an [`OfUser`].
pub(super) fn answer(
    settings: &Settings,
    config: &Arc<Config>,
    now: Stamp,
    (domain, name): (&str, &str),
    one: &OneAtATime,
) -> Result<Value, Refusal> {
    names::check("domain", domain)?;
    names::check("user's name", name)?;
    if name.is_empty() {
        return Err(Refusal::new(Why::Invalid, "the user's name is empty"));
    }
    let [domain, name] = [domain, name].map(|of| Name::from_stored(of.to_owned()));
    let user = Identity { domain, name };
    let _answering = one.begin()?;
    let (server, state, in_part) = explain::present(settings, config)?;
    let at = explain::on_clocks(now, state.last(), now.time);
    let in_force = UserInForce::of(&user, &InForce { config, state: &state, server: &server, at });
    serde_json::to_value(OfUser { in_force, in_part }).map_err(|error| Refusal::new(Why::Bug, error))
}
