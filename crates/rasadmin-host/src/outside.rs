//! RRAS as other processes see it while a scenario is played in real time.

use crate::fill::{ConnectionFacts, LinkFacts};
use std::path::Path;

/// What other processes can ask, and how fast the time passes.
pub struct Outside<'a> {
    /// How many seconds of the scenario pass in one second.
    pub speed: u32,
    /// No time passes while this file exists.
    pub pause: Option<&'a Path>,
    /// Answers other processes until the day is over. It runs on a thread of its own.
    pub serve: &'a (dyn Fn(&dyn View) + Sync),
}

/// RRAS during a scenario. An answer waits while a call about the same connection is in progress, as it may in RRAS.
pub trait View: Sync {
    /// How often RRAS has started, if it runs.
    fn starts(&self) -> Option<u32>;

    /// The connections that RRAS has now.
    fn connections(&self) -> Vec<Listed>;

    /// Disconnects the client on a port. False if no connection has the port.
    fn disconnect(&self, port: u64) -> bool;

    /// Is the day over? Then nobody asks any more.
    fn is_over(&self) -> bool;
}

/// A connection that RRAS lists.
#[derive(Clone, Debug)]
pub struct Listed {
    /// The connection, with its traffic so far.
    pub connection: ConnectionFacts,
    /// Its ports. One that never got a link has the port of its address calls.
    pub links: Vec<LinkFacts>,
}
