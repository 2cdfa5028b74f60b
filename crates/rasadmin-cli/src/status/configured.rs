//! The configuration in force.

use super::facts::{Facts, Mark};
use rasadmin_policy::config::{self, Config};
use rasadmin_system::places;
use serde_json::json;
use std::path::{Path, PathBuf};

/// The configuration in force: the file's, or the last good one.
pub fn configuration(
    facts: &mut Facts,
    places: &config::Locations,
    named: Option<&Path>,
) -> Option<(PathBuf, Option<Config>)> {
    let path = match named.map_or_else(|| config::find(places), |path| Ok(path.to_owned())) {
        Ok(path) => path,
        Err(e) => {
            facts.add(Mark::Attention, "configuration", format!("{e}; `rasadmin install` writes one"));
            return None;
        }
    };
    let shown = path.display();
    let (config, errors) = match config::for_computer(&places::server_name()).read(&path) {
        Ok((config, None)) => {
            facts.add(Mark::Ok, "configuration", format!("{shown}, {}", config.hash));
            (Some(config), None)
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
    let hash = config.as_ref().map(|config| &config.hash);
    let data = json!({ "file": path, "valid": errors.is_none(), "errors": errors, "hash": hash });
    facts.data.insert("configuration".into(), data);
    Some((path, config))
}
