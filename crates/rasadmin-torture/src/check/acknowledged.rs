//! What was acknowledged, and is it in the ledger?

use super::{Before, Check, Seen};
use crate::notes::{Done, Note};
use crate::plan::Kill;
use crate::worker::POOL;
use mprapi::FunctionId as F;
use rusqlite::ToSql;
use std::collections::HashMap;

impl Check<'_> {
    fn lost_unless(&mut self, there: i64, acknowledged: usize, what: &str) {
        let there = usize::try_from(there).unwrap_or(0);
        if there < acknowledged {
            self.found.lost.push(format!("{what}: {acknowledged} acknowledged, {there} in the ledger"));
        }
    }

    /// Everything that the notes acknowledge, in the rows of `self.instance`.
    pub(super) fn notes(&mut self, kill: Kill, notes: &[Note]) -> rusqlite::Result<Seen> {
        let mut seen = Seen::default();
        let mut held: HashMap<(bool, u64), String> = HashMap::new();
        let mut pending: Vec<(i64, u64)> = Vec::new();
        let mut tally = Tally::default();
        let mut refused = 0;
        for note in notes {
            let Note::Done(function, done) = note else { continue };
            let ipv6 = matches!(function, F::GetIpv6AddressForUser | F::ReleaseIpv6AddressForUser);
            let family = if ipv6 { 6 } else { 4 };
            match function {
                F::GetIpAddressForUser | F::GetIpv6AddressForUser => {
                    tally.stage(if ipv6 { "ipv6-address" } else { "ipv4-address" });
                    if !ipv6 {
                        pending.clear();
                    }
                    if done.result != 0 {
                        refused += 1;
                        continue;
                    }
                    seen.addresses += 1;
                    pending.push((family, done.number));
                    tally.lease(family, done);
                    if let Some(other) = held.insert((ipv6, done.number), done.port.clone()) {
                        let what = format!("{} was given to {} while {other} held it", done.number, done.port);
                        self.found.double.push(what);
                    }
                }
                F::ReleaseIpAddress | F::ReleaseIpv6AddressForUser => {
                    held.remove(&(ipv6, done.number));
                    tally.release(family, done);
                }
                F::AcceptNewConnectionEx => {
                    tally.stage("connection");
                    seen.accepts += 1;
                    self.accepted(done, &pending)?;
                }
                F::AcceptNewLink => {
                    tally.stage("link");
                    *tally.links.entry((done.handle, done.port.clone())).or_default() += 1;
                    self.must_accept(done, "link");
                }
                F::LinkHangupNotification => {
                    *tally.ended_links.entry((done.handle, done.port.clone())).or_default() += 1;
                }
                F::ConnectionHangupNotificationEx => {
                    seen.hangups += 1;
                    self.hung_up(done)?;
                }
                F::AcceptReauthenticationEx => {
                    tally.stage("reauthentication");
                    self.must_accept(done, "reauthentication");
                }
                F::AcceptTunnelEndpointChangeEx => {
                    tally.stage("endpoint-change");
                    self.must_accept(done, "endpoint change");
                }
                _ => {}
            }
        }
        // Only who asks for one more than there are is refused.
        let right = if kill == Kill::Fill { 1 } else { 0 };
        if refused != right || (kill == Kill::Fill && seen.accepts != POOL) {
            let accepts = seen.accepts;
            self.found.leaked.push(format!("{refused} refused an address, {accepts} accepted: the pool was exhausted"));
        }
        self.tally(&tally)?;
        Ok(seen)
    }

    fn must_accept(&mut self, done: &Done, what: &str) {
        if done.result == 0 {
            self.found.broken.push(format!("a {what} was rejected: {done:?}"));
        }
    }

    fn accepted(&mut self, done: &Done, addresses: &[(i64, u64)]) -> rusqlite::Result<()> {
        self.must_accept(done, "connection");
        let sql = "SELECT count(*) FROM sessions WHERE instance = ?1 AND id > ?2 AND handle = ?3 AND user_name = ?4";
        let here = (self.instance, self.before.session);
        let there = self.count(sql, (here.0, here.1, done.handle.cast_signed(), &done.user))?;
        self.lost_unless(there, 1, &format!("the accept of handle {}, {}", done.handle, done.user));
        if there > 1 {
            self.found.double.push(format!("handle {} has {there} sessions", done.handle));
        }
        for (family, number) in addresses {
            let sql = "SELECT count(*) FROM leases JOIN sessions ON leases.session = sessions.id
                       WHERE sessions.instance = ?1 AND sessions.id > ?2 AND handle = ?3 AND family = ?4
                       AND number = ?5";
            let there = self.count(sql, (here.0, here.1, done.handle.cast_signed(), family, number.cast_signed()))?;
            self.lost_unless(there, 1, &format!("the address {number} of handle {}", done.handle));
        }
        Ok(())
    }

    fn hung_up(&mut self, done: &Done) -> rusqlite::Result<()> {
        // RRAS's duration counts, but for no longer than the session lasted: of two clocks, so to the second.
        let sql = "SELECT count(*) FROM sessions
                   WHERE instance = ?1 AND id > ?2 AND handle = ?3 AND closed_by = 'hangup'
                   AND acct_session_time BETWEEN min(?4, (acct_stop_time - acct_start_time) / 1000 - 1) AND ?4
                   AND acct_input_octets = ?5 AND acct_output_octets = ?6";
        let [seconds, received, sent] = done.used;
        let values: [&dyn ToSql; 6] =
            [&self.instance, &self.before.session, &done.handle.cast_signed(), &seconds, &received, &sent];
        let there = self.count(sql, values)?;
        self.lost_unless(there, 1, &format!("the hangup of handle {}", done.handle));
        Ok(())
    }

    fn tally(&mut self, tally: &Tally) -> rusqlite::Result<()> {
        let Before { session, lease, decision, .. } = *self.before;
        let instance = self.instance;
        for ((family, number, port, user), n) in &tally.leases {
            let sql = "SELECT count(*) FROM leases WHERE instance = ?1 AND id > ?2 AND family = ?3 AND number = ?4
                       AND port = ?5 AND user_name = ?6";
            let there = self.count(sql, (instance, lease, family, number.cast_signed(), port, user))?;
            self.lost_unless(there, *n, &format!("the lease of {number} on {port} by {user}"));
        }
        for ((family, number, port), n) in &tally.released {
            let sql = "SELECT count(*) FROM leases WHERE instance = ?1 AND id > ?2 AND family = ?3 AND number = ?4
                       AND port = ?5 AND ended_by = 'release'";
            let there = self.count(sql, (instance, lease, family, number.cast_signed(), port))?;
            self.lost_unless(there, *n, &format!("the release of {number} on {port}"));
        }
        let of = "SELECT count(*) FROM links JOIN sessions ON links.session = sessions.id
                  WHERE sessions.instance = ?1 AND sessions.id > ?2 AND handle = ?3 AND links.nas_port_id = ?4";
        for (links, sql, what) in [
            (&tally.links, of.to_owned(), "a link"),
            (&tally.ended_links, format!("{of} AND stop IS NOT NULL"), "a link's end"),
        ] {
            for ((handle, port), n) in links {
                let there = self.count(&sql, (instance, session, handle.cast_signed(), port))?;
                self.lost_unless(there, *n, &format!("{what} of handle {handle} on {port}"));
            }
        }
        for (stage, n) in &tally.stages {
            let sql = "SELECT count(*) FROM decisions WHERE instance = ?1 AND id > ?2 AND stage = ?3";
            let there = self.count(sql, (instance, decision, stage))?;
            self.lost_unless(there, *n, &format!("decisions at stage {stage}"));
            // The call in flight may be there, and no more.
            if there > *n as i64 + 1 {
                self.found.double.push(format!("stage {stage}: {there} decisions for {n} calls"));
            }
        }
        Ok(())
    }
}

/// What a round acknowledged, counted.
#[derive(Default)]
struct Tally {
    leases: HashMap<(i64, u64, String, String), usize>,
    released: HashMap<(i64, u64, String), usize>,
    links: HashMap<(u64, String), usize>,
    ended_links: HashMap<(u64, String), usize>,
    stages: HashMap<&'static str, usize>,
}

impl Tally {
    fn stage(&mut self, stage: &'static str) {
        *self.stages.entry(stage).or_default() += 1;
    }

    fn lease(&mut self, family: i64, done: &Done) {
        *self.leases.entry((family, done.number, done.port.clone(), done.user.clone())).or_default() += 1;
    }

    fn release(&mut self, family: i64, done: &Done) {
        *self.released.entry((family, done.number, done.port.clone())).or_default() += 1;
    }
}
