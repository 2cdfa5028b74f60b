//! What each user has used, according to the calls.

use crate::product::Engine;
use crate::reported::Use;
use crate::rras::Number;
use crate::world::World;
use rasadmin_engine::Stamp;

impl<E: Engine + ?Sized> World<'_, E> {
    pub(super) fn count_hangup(&mut self, of: Number, usage: rasadmin_engine::effect::Usage, at: Stamp) {
        let reported = &mut self.connections[of].reported;
        if reported.counted {
            return;
        }
        reported.counted = true;
        let elapsed = at.seconds_since(reported.began);
        let seconds = usage.seconds.min(elapsed);
        // It may have been closed with an estimate before this was written, and be forgotten by now. Then the estimate
        // remains.
        let closed = reported.closed.map_or(0, |closed| closed.since(reported.began.mono) / 1000);
        // If it was closed before, it is uncertain how much of its hangup is believed; so is a duration of zero.
        let sure = !reported.superseded && !reported.lapsed && usage.seconds > 0;
        let octets = usage.input_octets + usage.output_octets;
        let least = |all: u64| if sure { all } else { 0 };
        let used = Use {
            seconds: (least(seconds).saturating_sub(1), seconds.max(if sure { 0 } else { elapsed.max(closed) }) + 1),
            octets: (if reported.superseded || reported.lapsed { 0 } else { octets }, octets),
            stop: at.time,
        };
        let person = self.connections[of].person;
        self.uses[person].push(used);
    }

    /// A session whose end was never reported counts at most until now.
    pub fn count_estimate(&mut self, of: Number, at: Stamp) {
        let reported = &mut self.connections[of].reported;
        if reported.session.is_none() || reported.counted || reported.over || reported.refused {
            return;
        }
        reported.counted = true;
        let elapsed = at.seconds_since(reported.began) + 1;
        let person = self.connections[of].person;
        self.uses[person].push(Use { seconds: (0, elapsed), octets: (0, 0), stop: at.time });
    }
}
