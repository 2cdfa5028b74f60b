//! What would happen to a user who connected, with each tunnel.

use rasadmin_engine::State;
use rasadmin_engine::explain::{Question, StageExplained, explain_each};
use rasadmin_policy::config::Config;
use rasadmin_policy::{Name, Tunnel};
use std::sync::Arc;

/// What would happen with a tunnel.
#[derive(Debug)]
pub struct WithTunnel<'c> {
    /// The tunnel.
    pub tunnel: Tunnel,
    /// The stages, up to the first that ends the connection.
    pub stages: Vec<StageExplained<'c>>,
}

impl WithTunnel<'_> {
    /// Would the connection be accepted?
    pub fn is_allowed(&self) -> bool {
        !self.stages.iter().any(StageExplained::ends)
    }
}

/// Explains a question with its tunnel, or else with each.
pub fn with_tunnels<'c>(config: &'c Arc<Config>, state: &State, question: &Question) -> Vec<WithTunnel<'c>> {
    let tunnels = question.tunnel.map_or_else(|| Tunnel::ALL.to_vec(), |tunnel| vec![tunnel]);
    let each: Vec<_> = tunnels.iter().copied().map(Some).collect();
    let explained = explain_each(config, state, question, &each);
    tunnels.into_iter().zip(explained).map(|(tunnel, stages)| WithTunnel { tunnel, stages }).collect()
}

/// The tunnel whose stages belong to the answer: the first that would be accepted, or else the first.
pub fn shown<'w, 'c>(all: &'w [WithTunnel<'c>]) -> Option<&'w WithTunnel<'c>> {
    all.iter().find(|with| with.is_allowed()).or(all.first())
}

/// What is in force on a server, with its name as the journal has it. `present` is the journal's state, `asked` the
/// server that was asked for or configured. This journal knows nothing about other servers. Without records and a name,
/// it is `otherwise`.
pub fn in_force(present: Option<State>, asked: Option<Name>, otherwise: impl FnOnce() -> Name) -> (Name, State) {
    let Some(state) = present else { return (asked.unwrap_or_else(otherwise), State::new()) };
    let own = state.server().clone();
    // The journal may be examined on another computer than its server.
    match asked.filter(|asked| asked.folded() != own.folded()) {
        Some(other) => (other, State::new()),
        None => (own, state),
    }
}
