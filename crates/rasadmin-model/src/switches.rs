//! The faults of a run, and how it reads each unproven point of RRAS's behaviour.

use crate::random::Random;

/// Which addresses RRAS passes with a connection (docs/rras-behaviour.md: contradictory).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Projection {
    /// None yet when the connection is accepted.
    Empty,
    /// The client's alone.
    Client,
    /// The client's and the server's.
    Both,
}

/// The switches of a run, drawn once.
#[derive(Clone, Debug)]
pub struct Switches {
    /// The address functions run in one process, the notifications in another.
    pub two_processes: bool,
    /// Calls overlap if RRAS does not serialise them.
    pub overlap: bool,
    /// Notifications come late and out of order.
    pub disorder: bool,
    /// Notifications are lost.
    pub losses: bool,
    /// Notifications come twice.
    pub doubles: bool,
    /// The journal cannot be written at times.
    pub unavailable: bool,
    /// The service is killed and starts again.
    pub restarts: bool,
    /// The time of day is set forward and back.
    pub clock_steps: bool,
    /// The configuration changes.
    pub reloads: bool,
    /// Commands block users and computers.
    pub blocks: bool,
    /// The service looks at RRAS's connections.
    pub looks: bool,
    /// Some accepts never reach the journal, although they were answered.
    pub lost_accepts: bool,
    /// Connections get further links.
    pub multilink: bool,
    /// IKEv2 connections have link calls.
    pub ikev2_links: bool,
    /// Only link calls show that a connection is IKEv2: its flags are zero, and it shows no addresses.
    pub ikev2_unflagged: bool,
    /// Which addresses RRAS passes.
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
    /// An address is back in RRAS's pool before its release is reported.
    pub early_pool: bool,
    /// RRAS's own pool and the configuration's pools overlap.
    pub pools_overlap: bool,
    /// Reported durations may be nonsense.
    pub implausible_durations: bool,
    /// The machine restarts with the service, and so does its monotonic clock.
    pub reboots: bool,
    /// A restart may follow a power failure: what was not on disk yet is lost.
    pub power_cuts: bool,
}

impl Switches {
    /// Draws the switches of a run.
    pub fn draw(seed: u64, random: &mut Random) -> Self {
        // Later additions are drawn separately, so that each seed makes the same run as before.
        let mut apart = Random::new(seed ^ 0x001e_a5ed);
        let mut one_of = |of: usize| random.below(of) == 0;
        // A third of the runs are orderly. In these, every expectation is exact.
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
            blocks: false,
            looks: false,
            lost_accepts: false,
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
        let blocks = apart.below(3) == 0;
        let looks = apart.below(2) == 0;
        // A connection without a GUID is not adopted: it cannot be told from the next one with its handle.
        let lost_accepts = looks && switches.guids && !orderly && !unavailable && apart.below(3) == 0;
        let unflagged = Self { ikev2_unflagged: unflagged, fresh_handles, certificates, blocks, ..switches };
        Self { looks, lost_accepts, ..unflagged }
    }

    /// Removes the faults that cannot be caused from outside at an exact moment: the product waits for a locked
    /// journal, checks its configuration from time to time, and does not lose what it has written. Its structures
    /// always say what is IKEv2, and no commands and no looks run beside it.
    pub fn of_product(self) -> Self {
        let outside = Self { unavailable: false, reloads: false, blocks: false, power_cuts: false, ..self };
        Self { ikev2_unflagged: false, ..outside }.without_looks()
    }

    /// Without the service that looks at RRAS's connections.
    pub fn without_looks(self) -> Self {
        Self { looks: false, lost_accepts: false, ..self }
    }

    /// Is everything reported once, and in order?
    pub const fn is_orderly(&self) -> bool {
        !(self.overlap || self.disorder || self.losses || self.doubles || self.unavailable)
    }
}
