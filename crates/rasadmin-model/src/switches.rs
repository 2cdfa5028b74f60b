//! The faults of a run, and its assumption about each unproven fact of RRAS.

use crate::random::Random;

/// Where the addresses of a connection stand in what RRAS tells of it (docs/rras-behaviour.md: contradictory).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Projection {
    /// Nowhere yet when the connection is accepted.
    Empty,
    /// The client's alone.
    Client,
    /// The client's and the server's.
    Both,
}

/// Drawn once a run.
#[derive(Clone, Debug)]
pub struct Switches {
    /// The address functions run in one process, the notifications in another.
    pub two_processes: bool,
    /// Calls overlap where RRAS does not serialise them.
    pub overlap: bool,
    /// Notifications come late and out of order.
    pub disorder: bool,
    /// Notifications are lost.
    pub losses: bool,
    /// Notifications come twice.
    pub doubles: bool,
    /// The journal is away at times.
    pub unavailable: bool,
    /// The service is killed and starts again.
    pub restarts: bool,
    /// The time of day is set forth and back.
    pub clock_steps: bool,
    /// The configuration changes.
    pub reloads: bool,
    /// Connections get further links.
    pub multilink: bool,
    /// IKEv2 connections have link calls.
    pub ikev2_links: bool,
    /// Only its link calls tell that a connection is IKEv2: its flags are zero, and it shows no addresses.
    pub ikev2_unflagged: bool,
    /// Where the addresses stand.
    pub projection: Projection,
    /// Calls carry the connection's GUID.
    pub guids: bool,
    /// No handle is used again.
    pub fresh_handles: bool,
    /// A rejected connection is hung up too.
    pub hangup_of_rejected: bool,
    /// The name's form differs between the address call and the connection's.
    pub forms_differ: bool,
    /// Over IKEv2, the address calls may pass a certificate's name, which resembles the account's in nothing.
    pub certificates: bool,
    /// IPv6 may come up after the connection was accepted.
    pub late_ipv6: bool,
    /// Another admin DLL rejects connections and links that ours accepted.
    pub another_dll: bool,
    /// RRAS's pool has an address back before its release is told.
    pub early_pool: bool,
    /// RRAS's own pool and the configuration's pools overlap.
    pub pools_overlap: bool,
    /// Durations that are told may be nonsense.
    pub implausible_durations: bool,
    /// The machine starts anew with the service: its monotonic clock too.
    pub reboots: bool,
    /// Such a start may follow a power cut: what was not on disk yet is lost.
    pub power_cuts: bool,
}

impl Switches {
    /// Of a run.
    pub fn draw(seed: u64, random: &mut Random) -> Self {
        // What was added later is drawn apart, so that each seed makes the run that it made before.
        let mut apart = Random::new(seed ^ 0x001e_a5ed);
        let mut one_of = |of: usize| random.below(of) == 0;
        // A third of the runs is orderly: there every expectation is exact.
        let orderly = one_of(3);
        let mut fault = |of: usize| one_of(of) && !orderly;
        let (overlap, disorder, losses, doubles) = (fault(2), fault(2), fault(3), fault(3));
        let (unavailable, restarts, clock_steps, implausible_durations) = (fault(4), fault(3), fault(3), fault(2));
        let ikev2_links = one_of(2);
        let projection = match (one_of(3), one_of(2)) {
            (true, _) => Projection::Empty,
            (false, true) => Projection::Client,
            (false, false) => Projection::Both,
        };
        let switches = Self {
            two_processes: one_of(2),
            overlap,
            disorder,
            losses,
            doubles,
            unavailable,
            restarts,
            clock_steps,
            reloads: one_of(3),
            multilink: one_of(2),
            ikev2_links,
            ikev2_unflagged: false,
            projection,
            guids: one_of(2) || one_of(2),
            fresh_handles: false,
            hangup_of_rejected: one_of(2),
            forms_differ: one_of(2),
            certificates: false,
            late_ipv6: one_of(3),
            another_dll: one_of(4),
            early_pool: one_of(2),
            pools_overlap: one_of(2),
            implausible_durations,
            reboots: one_of(2),
            power_cuts: true,
        };
        let unflagged = ikev2_links && projection == Projection::Empty && apart.below(2) == 0;
        let fresh_handles = apart.below(4) == 0;
        let certificates = switches.forms_differ && apart.below(2) == 0;
        Self { ikev2_unflagged: unflagged, fresh_handles, certificates, ..switches }
    }

    /// Without the faults that nobody can cause from outside at an exact moment: the product waits for a locked
    /// journal, looks at its configuration now and then, and does not lose what it has written. Its structures always
    /// say what is IKEv2.
    pub fn of_product(self) -> Self {
        Self { unavailable: false, reloads: false, power_cuts: false, ikev2_unflagged: false, ..self }
    }

    /// Does everything that is told come once, and in order?
    pub const fn is_orderly(&self) -> bool {
        !(self.overlap || self.disorder || self.losses || self.doubles || self.unavailable)
    }
}
