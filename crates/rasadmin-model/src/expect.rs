//! What must be answered, according to what was reported. Limits and use are counted from scratch each time, over all
//! connections.

use crate::people::{DENIED_NETWORK, PEOPLE};
use crate::product::Engine;
use crate::reported::Lives;
use crate::rras::{Connection, Number, Phase};
use crate::settings::{Reconnect, SERVER_ADDRESS};
use crate::switches::Projection;
use crate::world::{Subject, World};
use rasadmin_engine::addresses::{Address, Family, is_reserved_identifier};
use rasadmin_engine::event::Offer;
use rasadmin_engine::{Answer, Event, Identity, Quarantine, Stamp, State, Tunnel};

/// A day in milliseconds.
pub const DAY: i64 = 86_400_000;

/// What must be answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It must be allowed.
    Allow,
    /// It must be denied, for this reason.
    Deny(&'static str),
    /// Either answer is right, given what was reported.
    Either,
}

/// What must be answered, with the address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// Allowed or not.
    pub verdict: Verdict,
    /// The only right address.
    pub exact: Option<u64>,
    /// The pools that may serve; if empty, RRAS's offer must be kept.
    pub chain: Vec<usize>,
    /// Why an exact address is expected.
    pub because: &'static str,
}

impl Expected {
    const fn of(verdict: Verdict) -> Self {
        Self { verdict, exact: None, chain: Vec::new(), because: "" }
    }
}

/// The reasons to deny: certain and possible ones.
#[derive(Default)]
struct Reasons {
    sure: Option<&'static str>,
    perhaps: bool,
}

impl Reasons {
    fn if_so(&mut self, denied: bool, why: &'static str) {
        if denied {
            self.sure = self.sure.or(Some(why));
        }
    }

    /// Compares a number that lies between two bounds with a limit.
    fn if_reached(&mut self, (least, most): (u64, u64), limit: u64, why: &'static str) {
        self.if_so(least >= limit, why);
        self.perhaps |= most >= limit;
    }

    const fn verdict(&self) -> Verdict {
        match (self.sure, self.perhaps) {
            (Some(why), _) => Verdict::Deny(why),
            (None, true) => Verdict::Either,
            (None, false) => Verdict::Allow,
        }
    }
}

impl<E: Engine + ?Sized> World<'_, E> {
    /// The identity of a connection, according to its own calls.
    pub fn identity(&self, of: Number) -> Identity {
        PEOPLE[self.connections[of].person].identity()
    }

    /// What must be answered to an event.
    pub fn expect(&self, member: usize, subject: &Subject, event: &Event, now: Stamp) -> Expected {
        let state = &self.product.members[member].state;
        // Without the journal, any answer is possible.
        if self.switches.unavailable {
            return Expected::of(Verdict::Either);
        }
        match (subject, event) {
            (&Subject::Address(of, family, _), Event::Address(event)) => {
                self.expect_address(state, of, family, event.offer, now)
            }
            (&Subject::Accept(of), _) => Expected::of(self.expect_accept(state, of, now)),
            (&Subject::Link(of, _), _) => Expected::of(self.expect_link(state, of, now, None, None)),
            (&Subject::Reauthenticate(of, quarantine), _) => {
                Expected::of(self.expect_link(state, of, now, Some(quarantine), None))
            }
            (Subject::Move(of, source), _) => Expected::of(self.expect_link(state, *of, now, None, Some(source))),
            _ => Expected::of(Verdict::Either),
        }
    }

    /// Is its session live? If what was reported leaves it open, the product's own view counts.
    pub fn is_live(&self, state: &State, of: Number) -> bool {
        let reported = &self.connections[of].reported;
        match reported.lives() {
            Lives::Must => true,
            Lives::No => false,
            Lives::May => reported.session.is_some_and(|id| state.session(id).is_some()),
        }
    }

    /// Does a call of one connection prove that another is over, because its handle or GUID starts again?
    fn ends(&self, newer: Number, older: Number) -> bool {
        let (new, old) = (&self.connections[newer], &self.connections[older]);
        let handle = new.handle == old.handle || (new.guid.is_some() && new.guid == old.guid);
        // An address call does not carry them.
        new.reported.session.is_none() && new.phase == Phase::Connecting && handle
    }

    /// Could it prove that, because its port starts again? It may also be a protocol that comes up late.
    fn may_end(&self, newer: Number, older: Number) -> bool {
        let (new, old) = (&self.connections[newer], &self.connections[older]);
        let on_port = old.reported.links.iter().any(|(port, _)| new.ports.contains(port));
        let same = old.person == new.person || self.identity(older) == new.spelling.asker;
        let linked = on_port && (old.reported.links.len() == 1 || same);
        linked || (!old.reported.established && new.ports.contains(&old.port))
    }

    /// The other sessions that count, each with whether that is certain.
    fn others<'a>(&'a self, state: &'a State, except: Number) -> impl Iterator<Item = (Number, bool)> + 'a {
        let counts = move |&of: &Number| {
            of != except && !self.connections[of].reported.replaced && !self.ends(except, of) && self.is_live(state, of)
        };
        let sure = move |of: Number| self.connections[of].reported.lives() == Lives::Must && !self.may_end(except, of);
        self.active.iter().copied().filter(counts).map(move |of| (of, sure(of)))
    }

    /// The sessions of which a new connection replaces one, each with whether that is certain.
    pub fn candidates(&self, state: &State, of: Number) -> Vec<(Number, bool)> {
        let new = &self.connections[of];
        let same = |c: &Connection| c.reported.source == new.device.source;
        // Certainly, possibly, or not at all.
        let replaces = |c: &Connection| match self.settings.reconnect {
            Reconnect::Strict => None,
            Reconnect::SameEndpoint => same(c).then_some(true),
            Reconnect::SameComputer if new.device.computer.is_empty() => {
                // A session with a name and a new connection without one: is it the same client by another tunnel?
                let known = self.is_flagged(c) || (c.is_ikev2() && c.reported.established);
                (self.is_flagged(new) && same(c)).then_some(known && c.device.computer.is_empty())
            }
            Reconnect::SameComputer => (c.device.computer == new.device.computer).then_some(true),
        };
        let fits = |(other, sure): (Number, bool)| {
            let c = &self.connections[other];
            (c.person == new.person).then(|| replaces(c)).flatten().map(|also| (other, sure && also))
        };
        self.others(state, of).filter_map(fits).collect()
    }

    /// How many of the other sessions belong to some users: the least and the most.
    fn count(&self, state: &State, except: Number, fits: impl Fn(&Identity) -> bool) -> (u64, u64) {
        let all = self.others(state, except).filter(|&(of, _)| fits(&self.identity(of)));
        all.fold((0, 0), |(least, most), (_, sure)| (least + u64::from(sure), most + 1))
    }

    /// A user's seconds and octets today: the least and the most. A session never counts itself.
    pub fn used_today(&self, user: &Identity, except: Option<Number>, now: Stamp) -> [(u64, u64); 2] {
        let mut sums = [(0, 0), (0, 0)];
        let mut add = |at: usize, (least, most): (u64, u64)| {
            sums[at].0 += least;
            sums[at].1 += most;
        };
        let Some(person) = PEOPLE.iter().position(|person| person.identity() == *user) else { return sums };
        for used in &self.uses[person] {
            let (seconds, octets) = self.of_today(used, now);
            add(0, seconds);
            add(1, octets);
        }
        // Looks have counted octets of sessions that may still be live.
        for &of in self.active.iter().filter(|&&of| Some(of) != except && self.identity(of) == *user) {
            // The call of a protocol that comes up late may be taken for that session's own, which does not count.
            let sure = except.is_none_or(|own| !self.may_end(own, of));
            for used in &self.connections[of].reported.seen {
                let (least, most) = self.of_today(used, now).1;
                add(1, (if sure { least } else { 0 }, most));
            }
        }
        let Some(own) = except else { return sums };
        let today = u64::try_from(now.time.rem_euclid(DAY) / 1000).unwrap_or(0);
        for &of in self.active.iter().filter(|&&of| of != own && self.identity(of) == *user) {
            let reported = &self.connections[of].reported;
            if reported.session.is_none() || reported.counted || reported.over {
                continue;
            }
            let elapsed = now.seconds_since(reported.began);
            let sure = reported.lives() == Lives::Must
                && !reported.replaced
                && !self.switches.clock_steps
                && !self.may_end(own, of);
            let least = if sure { elapsed.min(today).saturating_sub(2) } else { 0 };
            // A session that was closed and whose hangup may still come counts at most until now.
            add(0, (least, elapsed + 1));
        }
        sums
    }

    fn of_today(&self, used: &crate::reported::Use, now: Stamp) -> ((u64, u64), (u64, u64)) {
        if self.switches.clock_steps {
            return ((0, used.seconds.1), (0, used.octets.1));
        }
        let midnight = now.time - now.time.rem_euclid(DAY);
        if used.stop < midnight - 2_000 {
            return ((0, 0), (0, 0));
        }
        let since = u64::try_from((used.stop - midnight).max(0) / 1000).unwrap_or(0);
        let near = used.stop < midnight + 2_000;
        let seconds = (used.seconds.0.min(since).saturating_sub(1), used.seconds.1.min(since + 2));
        (seconds, (if near { 0 } else { used.octets.0 }, used.octets.1))
    }

    /// Checks both limits. `counted` subtracts the sessions that a new connection replaces.
    fn limits(
        &self,
        reasons: &mut Reasons,
        state: &State,
        user: &Identity,
        of: Number,
        counted: impl Fn((u64, u64)) -> (u64, u64),
    ) {
        if let Some(limit) = self.settings.user_limit {
            let count = self.count(state, of, |other| other == user);
            reasons.if_reached(counted(count), limit.into(), "the user's limit");
        }
        if let Some((group, limit)) = self.settings.group_limit {
            let members = &self.settings.groups[group].members;
            if members.has(user) {
                let count = self.count(state, of, |other| members.has(other));
                reasons.if_reached(counted(count), limit.into(), "the group's limit");
            }
        }
    }

    fn quotas(&self, reasons: &mut Reasons, user: &Identity, of: Number, now: Stamp) {
        if self.settings.day_seconds.is_none() && self.settings.day_octets.is_none() {
            return;
        }
        let [seconds, octets] = self.used_today(user, Some(of), now);
        if let Some(limit) = self.settings.day_seconds {
            reasons.if_reached(seconds, limit, "the day's time");
        }
        if let Some(limit) = self.settings.day_octets {
            reasons.if_reached(octets, limit, "the day's octets");
        }
    }

    fn denied_user(&self, user: &Identity) -> bool {
        self.settings.denied.as_ref().is_some_and(|denied| denied.has(user))
    }

    fn expect_address(&self, state: &State, of: Number, family: Family, offer: Offer, now: Stamp) -> Expected {
        let asker = &self.connections[of].spelling.asker;
        let has_session = self.connections[of].reported.session.is_some();
        let mut reasons = Reasons::default();
        reasons.if_so(self.denied_user(asker), "the user is denied");
        reasons.if_so(self.is_user_blocked(asker, now.time), "the user is blocked");
        // What it will replace is not yet known, and the call may or may not be recognised as its session's own.
        let strict = self.settings.reconnect == Reconnect::Strict && !has_session;
        let count = |(least, most): (u64, u64)| {
            (if strict { least } else { least.saturating_sub(2) }, most + u64::from(has_session))
        };
        self.limits(&mut reasons, state, asker, of, count);
        self.quotas(&mut reasons, asker, of, now);
        // Without a link and without addresses, nothing proves that the call belongs to its own session, whose time
        // then counts.
        let reported = &self.connections[of].reported;
        if has_session && reported.links.is_empty() && !self.is_projected() {
            let [seconds, _] = self.used_today(asker, Some(of), now);
            let most = seconds.1 + now.seconds_since(reported.began) + 1;
            reasons.perhaps |= self.settings.day_seconds.is_some_and(|limit| most >= limit);
        }
        let mut expected = Expected::of(reasons.verdict());
        if matches!(expected.verdict, Verdict::Deny(_)) {
            return expected;
        }
        if let Offer::HighHalf(_) = offer {
            // The offer is kept as it is, whatever else would serve.
            return expected;
        }
        self.expect_which(state, of, family, offer, &mut expected);
        expected
    }

    /// The expected address, if the rules allow the user.
    fn expect_which(&self, state: &State, of: Number, family: Family, offer: Offer, expected: &mut Expected) {
        let c = &self.connections[of];
        let asker = &c.spelling.asker;
        let free = |number: u64| state.lease_at(Address { family, number }).is_none();
        let mut deny = |sure: bool, why| {
            if sure && expected.verdict == Verdict::Allow {
                expected.verdict = Verdict::Deny(why);
            } else if !sure {
                expected.verdict = Verdict::Either;
            }
        };
        if let Some(reserved) = self.settings.reservation(asker, family) {
            if free(reserved) {
                expected.exact = Some(reserved);
                expected.because = "it is reserved for the user";
                expected.chain = self.settings.chain(Some(asker), family);
                return;
            }
            // The port's own old lease may hold it, and end by this very call.
            expected.chain = self.settings.chain(Some(asker), family);
            return deny(false, "");
        }
        let chain = self.settings.chain(Some(asker), family);
        if let Some(&first) = chain.first() {
            let last = self.last_had.get(&(asker.clone(), family)).and_then(|had| had.0);
            // Another lease of the user may end by this very call, and then be the last one.
            let others = self.active.iter().map(|&other| (other, &self.connections[other])).any(|(number, other)| {
                let Some(lease) = other.reported.leases[family.index()].filter(|lease| lease.alive) else {
                    return false;
                };
                let same = PEOPLE[other.person].identity() == *asker || other.spelling.asker == *asker;
                // It may look like a lease that a session of this user, on the same port, negotiated again.
                let perhaps = lease.shared && !lease.had && other.spelling.asker.name == asker.name;
                // A lease that no session was seen with may have waited long enough.
                let ends = other.reported.lives() != Lives::Must || !lease.had || self.may_end(of, number);
                perhaps || (same && ends)
            });
            let sticky = self.settings.sticky && !others;
            let again = last.filter(|&number| sticky && self.settings.gives(first, number) && free(number));
            expected.exact = again;
            expected.because = "the user had it last";
            expected.chain = chain;
            return;
        }
        let number = match offer {
            Offer::Number(number) => number,
            Offer::Nothing | Offer::HighHalf(_) => return deny(true, "there is no pool, and no offer"),
        };
        let unusable = family == Family::Ipv6 && is_reserved_identifier(number);
        let others = self.settings.reserved_for(family, number).is_some_and(|owner| owner != *asker);
        if unusable || others {
            return deny(true, "the offer is reserved for another user or for no host");
        }
        expected.exact = Some(number);
        expected.because = "RRAS's offer is kept where there is no pool";
    }

    fn expect_accept(&self, state: &State, of: Number, now: Stamp) -> Verdict {
        let c = &self.connections[of];
        let user = self.identity(of);
        let mut reasons = Reasons::default();
        reasons.if_so(self.denied_user(&user), "the user is denied");
        reasons.if_so(self.is_connection_blocked(of, now.time), "the user or the computer is blocked");
        self.facts(&mut reasons, c, &c.device.source, c.quarantine);
        let candidates = self.candidates(state, of);
        let (one, sure) = (u64::from(!candidates.is_empty()), u64::from(candidates.iter().any(|&(_, sure)| sure)));
        let count = |(least, most): (u64, u64)| (least.saturating_sub(one), most.saturating_sub(sure));
        self.limits(&mut reasons, state, &user, of, count);
        self.quotas(&mut reasons, &user, of, now);
        self.address_of_another_user(&mut reasons, of);
        reasons.verdict()
    }

    /// An address that was given to a name that turned out to mean another user.
    fn address_of_another_user(&self, reasons: &mut Reasons, of: Number) {
        let c = &self.connections[of];
        let user = self.identity(of);
        if c.spelling.asker == user && !self.switches.reloads {
            return;
        }
        // Then only the port tells which addresses it was given.
        let empty = self.switches.projection == Projection::Empty || c.held.iter().all(Option::is_none);
        for family in [Family::Ipv4, Family::Ipv6] {
            let at = family.index();
            let wrong = |number: u64| {
                let reserved = self.settings.reserved_for(family, number).is_some_and(|owner| owner != user);
                let pool = self.settings.pool_of(family, number);
                (reserved, pool.is_some_and(|pool| !self.settings.chain(Some(&user), family).contains(&pool)))
            };
            if let Some(lease) = c.reported.leases[at] {
                let (reserved, wrong_pool) = wrong(lease.number);
                if reserved || wrong_pool {
                    let sure =
                        !empty && !self.switches.reloads && !lease.kept && (reserved || c.spelling.asker != user);
                    reasons.if_so(sure, "the address belongs to another user");
                    reasons.perhaps = true;
                }
            }
            // An earlier attempt with the same name may have left a lease on the port, which looks like its own.
            let left = self.active.iter().map(|&other| &self.connections[other]).filter(|other| {
                empty && other.asked_on[at] == c.port && other.spelling.early.folded() == c.spelling.early.folded()
            });
            let mut left = left.filter_map(|other| other.reported.leases[at]).filter(|lease| lease.alive);
            reasons.perhaps |= left.any(|lease| matches!(wrong(lease.number), (true, _) | (_, true)));
        }
    }

    fn facts(&self, reasons: &mut Reasons, c: &Connection, source: &str, quarantine: Quarantine) {
        let bad = source.starts_with(DENIED_NETWORK.1);
        reasons.if_so(self.settings.denies_network && bad, "the network is denied");
        let bad = quarantine == Quarantine::Quarantine;
        reasons.if_so(self.settings.denies_quarantine && bad, "it is in quarantine");
        let known = c.is_ikev2() || c.phase == Phase::Linking || c.reported.established;
        reasons.if_so(self.settings.denies_pptp && known && c.tunnel == Tunnel::Pptp, "PPTP is denied");
        // No link of it is on record, so its tunnel is unknown.
        reasons.perhaps |= self.settings.denies_pptp && c.reported.adopted && !c.reported.established;
    }

    /// The verdict on a link, a reauthentication or an endpoint change. A live session does not count itself.
    fn expect_link(
        &self,
        state: &State,
        of: Number,
        now: Stamp,
        quarantine: Option<Quarantine>,
        source: Option<&str>,
    ) -> Verdict {
        let c = &self.connections[of];
        if c.reported.lives() == Lives::No {
            return Verdict::Either;
        }
        let user = self.identity(of);
        let mut reasons = Reasons::default();
        reasons.if_so(self.denied_user(&user), "the user is denied");
        reasons.if_so(self.is_connection_blocked(of, now.time), "the user or the computer is blocked");
        let source = source.unwrap_or(&c.reported.source);
        self.facts(&mut reasons, c, source, quarantine.unwrap_or(c.quarantine));
        self.limits(&mut reasons, state, &user, of, |count| count);
        self.quotas(&mut reasons, &user, of, now);
        // The first link may decide which user the address belongs to.
        if !c.reported.established {
            let mut late = Reasons::default();
            self.address_of_another_user(&mut late, of);
            reasons.perhaps |= late.perhaps;
        }
        reasons.verdict()
    }

    /// Compares an answer with what is expected.
    pub fn compare(&mut self, member: usize, subject: &Subject, expected: &Expected, answer: &Answer) {
        let refused = *answer == Answer::Reject;
        match expected.verdict {
            Verdict::Deny(why) if !refused => {
                self.found(
                    "as reported: a user who must be refused is refused",
                    format!("{subject:?}: {why}, but {answer:?}"),
                );
            }
            Verdict::Allow if refused => match subject {
                Subject::Address(_, family, offer) => {
                    let (family, offer) = (*family, *offer);
                    self.compare_exhausted(member, family, offer, expected, subject);
                }
                _ => self.found(
                    "as reported: a user who may connect is not refused",
                    format!("{subject:?}: {}", self.why()),
                ),
            },
            _ => {}
        }
        if let (&Subject::Address(of, family, offer), Answer::Address(given)) = (subject, answer) {
            self.compare_address(of, family, offer, expected, given.number);
        }
    }

    fn why(&self) -> String {
        let decision = self.product.journal.last().and_then(|record| record.decision.as_ref());
        decision.map_or_else(String::new, |d| format!("refused by rule {:?}: {:?} {:?}", d.rule, d.why(), d.counted))
    }

    /// Checks a refusal for lack of an address: is there really none?
    fn compare_exhausted(
        &mut self,
        member: usize,
        family: Family,
        offer: Option<u64>,
        expected: &Expected,
        subject: &Subject,
    ) {
        let state = &self.product.members[member].state;
        let free = |&number: &u64| state.lease_at(Address { family, number }).is_none();
        let settings = &self.settings;
        let all = |&pool: &usize| settings.pools[pool].first..=settings.pools[pool].last;
        let numbers = expected.chain.iter().flat_map(|pool| all(pool).filter(|&number| settings.gives(*pool, number)));
        let left = numbers.into_iter().find(free);
        let keeps = expected.chain.first().is_some_and(|&first| self.settings.pools[first].keeps_offer);
        let offer_left = offer.filter(|_| keeps && expected.chain.len() == 1);
        let offered = offer_left.filter(|&n| self.settings.reserved_for(family, n).is_none());
        let offered = offered.filter(|&number| !(family == Family::Ipv6 && is_reserved_identifier(number)));
        let exact = expected.exact.filter(|_| left.is_none());
        if let Some(number) = left.or(exact).or(offered) {
            let why = self.why();
            self.found(
                "as reported: a user who may connect is not refused",
                format!("{subject:?}: {number:#x} is free. {why}"),
            );
        }
    }

    fn compare_address(&mut self, of: Number, family: Family, offer: Option<u64>, expected: &Expected, number: u64) {
        let what = format!("#{of} is given {number:#x} ({family:?}, offer {offer:?})");
        if family == Family::Ipv4 && (number == SERVER_ADDRESS || number == 0) {
            return self.found("always: no user gets the server's own address", what);
        }
        if family == Family::Ipv6 && is_reserved_identifier(number) {
            return self.found("always: no user gets a reserved identifier", what);
        }
        let asker = self.connections[of].spelling.asker.clone();
        if self.settings.reserved_for(family, number).is_some_and(|owner| owner != asker) && !self.switches.unavailable
        {
            return self.found("always: no other user gets a reserved address", what);
        }
        if self.switches.unavailable {
            return;
        }
        if let Some(exact) = expected.exact.filter(|&exact| exact != number) {
            return self.found(
                "as reported: the user gets the right address",
                format!("{what}, not {exact:#x}: {}", expected.because),
            );
        }
        let pooled = expected.chain.iter().any(|&pool| self.settings.gives(pool, number));
        let kept = offer == Some(number);
        let reserved = self.settings.reservation(&asker, family) == Some(number);
        if !pooled && !kept && !reserved {
            self.found("as reported: the address is from the user's pool", what);
        }
    }
}
