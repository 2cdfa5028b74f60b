//! A change, from the order to the line of the log. Pages and the API share it.

use super::apply;
use super::fields::How;
use super::outcome::Outcome;
use super::proposal::Proposal;
use crate::app::App;
use crate::attempts::{enclosed, shown};
use crate::gate::Gate;
use std::net::IpAddr;
use std::sync::Arc;
use tokio::sync::watch;

/// Who asks for a change.
pub struct Asker {
    /// The name, as the journal has it.
    pub name: String,
    /// Where the request came from.
    pub from: IpAddr,
}

/// Makes the change on a thread that may wait, and sends what came of it. It is finished also if nobody waits any more.
pub fn begin(
    app: Arc<App>,
    gate: Arc<Gate>,
    proposal: Proposal,
    how: How,
    asker: Asker,
    ended: impl FnOnce(Outcome) + Send + 'static,
) {
    tokio::task::spawn_blocking(move || {
        let outcome = apply::apply(&app, &proposal, &how, &asker.name);
        let reason =
            how.reason.as_deref().map(|reason| format!(", reason: `{}`", enclosed(reason))).unwrap_or_default();
        gate.audit(format_args!(
            "change by `{}` from {}: {}{reason}: {}",
            shown(&asker.name),
            asker.from.to_canonical(),
            proposal.what(),
            outcome.in_short()
        ));
        ended(outcome);
    });
}

/// The outcome, if it comes in time.
pub async fn wait(mut ended: watch::Receiver<Option<Arc<Outcome>>>) -> Option<Arc<Outcome>> {
    let outcome = tokio::time::timeout(super::WAIT, ended.wait_for(Option::is_some)).await;
    match outcome {
        Err(_) => None,
        Ok(Ok(outcome)) => outcome.clone(),
        // The thread has ended without an outcome.
        Ok(Err(_)) => Some(Arc::new(Outcome::bug())),
    }
}
