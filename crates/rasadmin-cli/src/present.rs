//! What is in force on a server now, from its journal. Nothing is locked and nothing is written.

use crate::context::Context;
use crate::error::{Result, WithContext};
use crate::format::count;
use crate::warning;
use rasadmin_recorder::present::{self, Missing, Present};

/// The state according to the journal; `None` if it has no records.
pub fn read(context: &Context) -> Result<Option<Present>> {
    let Some(journal) = &context.journal else { return Ok(None) };
    let present = present::read(journal).context("the journal cannot be read")?;
    for warning in present.iter().flat_map(|present| warnings(&present.missing)) {
        warning!("{warning}");
    }
    Ok(present)
}
/// What the state lacks, so that limits and quotas may be wrong.
pub fn warnings(lacking: &Missing) -> Vec<String> {
    let Missing { records, effects, beginning } = *lacking;
    let mut all = Vec::new();
    if beginning > 0 {
        all.push(format!(
            "the journal begins with record {beginning}, and no checkpoint contains what was before: sessions and use of \
             that time are not counted; restore the journal's folder from a backup, if you have one"
        ));
    }
    if records > 0 {
        let records = count(records, "record");
        all.push(format!(
            "{records} of the journal cannot be read: limits and quotas may be counted wrong; `rasadmin journal check` \
             says which"
        ));
    }
    if effects > 0 {
        let effects = count(effects, "part") + " of records";
        all.push(format!(
            "a newer rasadmin.dll has recorded {effects} that this command does not know: use the command that came with \
             that DLL"
        ));
    }
    all
}
