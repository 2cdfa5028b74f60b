//! What each user has used, according to the calls.

use crate::product::Engine;
use crate::reported::Use;
use crate::rras::Number;
use crate::traffic::{Readings, Traffic};
use crate::world::World;
use rasadmin_engine::Stamp;

/// How long the product remembers a session that it has closed, in milliseconds.
const REMEMBERED: u64 = 3_599_000;

impl<E: Engine + ?Sized> World<'_, E> {
    pub(super) fn count_hangup(&mut self, of: Number, seconds: u64, traffic: Traffic, at: Stamp) {
        if self.connections[of].reported.counted {
            return;
        }
        let added = self.check_octets(of, Readings::first(traffic));
        let reported = &mut self.connections[of].reported;
        reported.counted = true;
        let passed = seconds;
        let elapsed = at.seconds_since(reported.began);
        let seconds = passed.min(elapsed);
        // It may have been closed with an estimate before this was written, and be forgotten by now. Then the estimate
        // remains.
        let closed = reported.closed.map_or(0, |closed| closed.since(reported.began.mono) / 1000);
        // If it was closed before, it is uncertain how much of its hangup is believed; so is a duration of zero.
        let remembered = !reported.missed || reported.closed.is_none_or(|closed| at.mono.since(closed) < REMEMBERED);
        let known = !reported.superseded && !reported.lapsed && remembered;
        let sure = known && passed > 0;
        let least = |all: u64| if sure { all } else { 0 };
        // What its client left behind when it came back counts until then.
        let without = if reported.replaced { at.mono.since(reported.replaced_at) } else { 0 };
        let until = at.time.saturating_sub_unsigned(without);
        let most = if reported.replaced { reported.replaced_at.since(reported.began.mono) / 1000 } else { u64::MAX };
        let [counted, elapsed, closed] = [seconds, elapsed, closed].map(|all| all.min(most));
        let seconds = (least(counted).saturating_sub(1), counted.max(if sure { 0 } else { elapsed.max(closed) }) + 1);
        let octets = (if known { added.0 } else { 0 }, added.1);
        let mut used = vec![Use { seconds, octets, stop: until }];
        if without > 0 {
            // The octets count when the hangup comes.
            used[0].octets = (0, 0);
            used.push(Use { seconds: (0, 0), octets, stop: at.time });
        }
        let seen = std::mem::take(&mut reported.seen);
        let person = self.connections[of].person;
        self.uses[person].extend(seen);
        self.uses[person].extend(used);
    }

    /// A session whose end was never reported counts at most until now.
    pub fn count_estimate(&mut self, of: Number, at: Stamp) {
        let reported = &mut self.connections[of].reported;
        if reported.session.is_none() || reported.counted || reported.over || reported.refused {
            return;
        }
        reported.counted = true;
        let elapsed = at.seconds_since(reported.began) + 1;
        let seen = std::mem::take(&mut reported.seen);
        let person = self.connections[of].person;
        self.uses[person].extend(seen);
        self.uses[person].push(Use { seconds: (0, elapsed), octets: (0, 0), stop: at.time });
    }
}
