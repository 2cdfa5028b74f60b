//! How many sessions a second the product takes, as `session_cost` writes it into a file.

use crate::Result;
use std::path::Path;

/// Sessions a second, one after the other.
pub struct Rates {
    /// With two syncs a session.
    pub synced: f64,
    /// Without.
    pub unsynced: f64,
}

impl Rates {
    /// Two lines, the synced one first.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
        let rates: Vec<f64> = text.lines().filter_map(|line| line.parse().ok()).collect();
        let [synced, unsynced] = rates[..] else {
            return Err(format!("{}: two rates should be there, not {text:?}", path.display()));
        };
        Ok(Self { synced, unsynced })
    }
}
