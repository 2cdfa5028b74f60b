//! The configuration in force.

use super::facts::{Facts, Mark};
use crate::context;
use rasadmin_policy::config::{self, Config};
use rasadmin_system::places;
use schemars::JsonSchema;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// The configuration.
#[derive(Serialize, JsonSchema)]
pub struct Configuration {
    /// The path of its file.
    file: String,
    /// Whether the file is valid.
    valid: bool,
    /// What is wrong with it, as text; null if it is valid.
    errors: Option<String>,
    /// The hash of the configuration in force: the file's, or that of the last good one; null if there is neither.
    hash: Option<String>,
}

/// The configuration in force, which is the file's or the last good one, with the file's path. `None`: there is no
/// file.
pub fn check(
    facts: &mut Facts,
    places: &config::Locations,
    named: Option<&Path>,
) -> Option<(Configuration, PathBuf, Option<Config>)> {
    let path = match named.map_or_else(|| config::find(places), |path| Ok(path.to_owned())) {
        Ok(path) => path,
        Err(e) => {
            facts.add(
                Mark::Attention,
                "configuration",
                format!("{e}; `rasadmin install` or `rasadmin config new` makes one"),
            );
            return None;
        }
    };
    let shown = path.display();
    let denied = context::may_not_be_read(&path);
    let is_missing = denied.is_none() && !path.exists();
    let missing = format!("{shown}: the file does not exist");
    let (config, errors) = match config::for_computer(&places::server_name()).read(&path) {
        Ok((config, None)) => {
            facts.add(Mark::Ok, "configuration", format!("{shown}, {}", config.hash));
            (Some(config), None)
        }
        Ok((_, Some(errors))) | Err(errors) if denied.is_some() => {
            facts.add(Mark::Attention, "configuration", denied.unwrap_or_default());
            (None, Some(errors.to_string()))
        }
        Ok((kept, Some(errors))) if is_missing => {
            let what = format!("{missing}; the last good one, {}, is in force instead; restore the file", kept.hash);
            facts.add(Mark::Attention, "configuration", what);
            (Some(kept), Some(errors.to_string()))
        }
        Err(errors) if is_missing => {
            let what = match named {
                Some(_) => format!("{missing}: check the path after --config"),
                None => format!("{missing}, and no good one was kept: RRAS will not start; restore the file"),
            };
            facts.add(Mark::Attention, "configuration", what);
            (None, Some(errors.to_string()))
        }
        Ok((kept, Some(errors))) => {
            let what = format!("{shown} is broken; the last good one, {}, is in force instead\n{errors}", kept.hash);
            facts.add(Mark::Attention, "configuration", what);
            (Some(kept), Some(errors.to_string()))
        }
        Err(errors) => {
            let what =
                format!("{shown} is broken, and no good one was kept: RRAS will not start; correct it\n{errors}");
            facts.add(Mark::Attention, "configuration", what);
            (None, Some(errors.to_string()))
        }
    };
    let configuration = Configuration {
        file: path.display().to_string(),
        valid: errors.is_none(),
        errors,
        hash: config.as_ref().map(|config| config.hash.to_string()),
    };
    Some((configuration, path, config))
}
