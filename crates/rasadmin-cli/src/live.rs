//! What the rasadmin service saw of live sessions at its last look.

use crate::times;
use rasadmin_ledger::report::SessionRow;
use rasadmin_service::live_table;
pub use rasadmin_service::seen::{CURRENT, SeenSession};
use std::path::Path;

/// Adds what the service has seen, if a journal is there and the service has looked lately.
pub fn seen(rows: Vec<SessionRow>, journal: Option<&Path>) -> Vec<SeenSession> {
    let now = times::now();
    let table = journal.and_then(live_table::read).filter(|table| now.saturating_sub(table.looked_at) < CURRENT);
    rasadmin_service::seen::seen(rows, &table.unwrap_or_default())
}
