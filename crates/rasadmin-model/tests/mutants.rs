//! The engine with one of the defects that the model was written for: the bounded run must find each.
#![allow(clippy::unwrap_used)]

mod support;

use rasadmin_engine::effect::{ClosedBy, Effect, EndedBy, SessionEnded, Usage};
use rasadmin_engine::event::Offer;
use rasadmin_engine::{Answer, Context, Event, LateEvent, Mono, Now, Record, Scope, Stamp, State, Tunnel};
use rasadmin_model::Engine;
use support::{decided, found_in};

/// Defect 1: a connection that uses the port of another session's first link closes that session, though the link there has ended.
struct PortCloses;

impl Engine for PortCloses {
    fn decide(&self, state: &State, context: &Context<'_>, event: &Event, now: &Now) -> Record {
        let mut record = decided(state, context, event, now);
        let Event::Address(asks) = event else { return record };
        let other = state.live().find(|s| s.port.as_ref() == Some(&asks.port) && s.user_name != asks.user);
        let Some(other) = other.filter(|session| session.established.is_some()) else { return record };
        let ended = SessionEnded {
            session: other.id,
            start: other.began.time,
            at: now.at,
            by: ClosedBy::PortStartedAgain,
            usage: Usage::default(),
            octets_exact: None,
            cause: None,
        };
        let leases = state.leases_of(other.id);
        let leases = leases.map(|l| Effect::LeaseEnded { lease: l.id, by: EndedBy::PortStartedAgain, at: now.at });
        record.effects.splice(0..0, std::iter::once(Effect::SessionEnded(ended)).chain(leases));
        record
    }
}

#[test]
fn defect_1_a_port_closes_the_session_that_left_it() {
    found_in(
        &PortCloses,
        &["always: no event of another connection closes a live session", "always: every connected client has a lease"],
    );
}

/// Defect 2: a link hangup ends the link on the port, whatever its handle.
struct AnyHandle;

impl Engine for AnyHandle {
    fn decide(&self, state: &State, context: &Context<'_>, event: &Event, now: &Now) -> Record {
        let mut bent = event.clone();
        if let Event::LinkHangup(link) = &mut bent
            && let Some(session) = state.on_port(&link.port)
        {
            link.handle = session.handle;
        }
        Record { event: event.clone(), ..decided(state, context, &bent, now) }
    }
}

#[test]
fn defect_2_a_late_link_hangup_ends_a_newer_link() {
    found_in(
        &AnyHandle,
        &[
            "always: no event of another connection closes a live session",
            "as reported: a session lives until its end is reported",
        ],
    );
}

/// Defect 4: an address is refused as soon as the groups differ from those of the name that asked for it.
struct GroupsDiffer;

impl Engine for GroupsDiffer {
    fn decide(&self, state: &State, context: &Context<'_>, event: &Event, now: &Now) -> Record {
        let mut record = decided(state, context, event, now);
        let Event::Connection(connection) = event else { return record };
        let groups = |who: Option<&rasadmin_engine::Identity>| {
            who.map(|who| context.config.groups.of(who).iter().collect::<Vec<_>>()).unwrap_or_default()
        };
        let who = context.config.domains.identity(&connection.user, &connection.domain);
        let mut leases = connection.addresses.iter().filter_map(|&address| state.lease_at(address));
        let differ = leases.any(|lease| lease.user != who && groups(lease.user.as_ref()) != groups(who.as_ref()));
        if differ && record.answer == Answer::Accept {
            record.answer = Answer::Reject;
            record.session = None;
            record.effects.clear();
        }
        record
    }
}

#[test]
fn defect_4_other_groups_refuse_an_address() {
    found_in(&GroupsDiffer, &["as reported: a user who may connect is not refused"]);
}

/// Defect 5: no session stays replaced.
struct NoneReplaced;

impl Engine for NoneReplaced {
    fn decide(&self, state: &State, context: &Context<'_>, event: &Event, now: &Now) -> Record {
        let mut record = decided(state, context, event, now);
        record.effects.retain(|effect| !matches!(effect, Effect::SessionReplaced { .. }));
        record
    }
}

#[test]
fn defect_5_a_returning_client_replaces_no_session() {
    found_in(
        &NoneReplaced,
        &["as reported: a new connection replaces one session", "as reported: a user who may connect is not refused"],
    );
}

/// Defect 6: waits and durations by the time of day.
struct TimeOfDay;

fn by_time_of_day(at: Stamp) -> Stamp {
    Stamp { mono: Mono(u64::try_from(at.time).unwrap_or(0)), ..at }
}

impl Engine for TimeOfDay {
    fn decide(&self, state: &State, context: &Context<'_>, event: &Event, now: &Now) -> Record {
        decided(state, context, event, &Now { at: by_time_of_day(now.at), ..*now })
    }

    fn decide_late(&self, state: &State, context: &Context<'_>, waited: &LateEvent) -> Record {
        let waited = LateEvent { at: by_time_of_day(waited.at), ..waited.clone() };
        rasadmin_engine::decide_late(state, context, &waited)
    }

    fn stamp(&self, at: Stamp) -> Stamp {
        by_time_of_day(at)
    }
}

#[test]
fn defect_6_waits_and_durations_follow_a_clock_that_is_set() {
    found_in(
        &TimeOfDay,
        &[
            "as reported: use is what the hangups report",
            "always: no event of another connection closes a live session",
            "always: every connected client has a lease",
            "as reported: no lease waits forever",
            "as reported: a session lives until its end is reported",
        ],
    );
}

/// Defect 6, the other half: a duration is believed as it is reported.
struct AnyDuration;

impl Engine for AnyDuration {
    fn decide(&self, state: &State, context: &Context<'_>, event: &Event, now: &Now) -> Record {
        let mut record = decided(state, context, event, now);
        let Event::Hangup(hangup) = event else { return record };
        for effect in &mut record.effects {
            if let Effect::Used { days, .. } = effect
                && let Some(day) = days.last_mut()
            {
                day.seconds = hangup.usage.seconds;
            }
        }
        record
    }
}

#[test]
fn defect_6_a_duration_without_bounds_is_billed() {
    found_in(
        &AnyDuration,
        &["as reported: use is what the hangups report", "as reported: a user who may connect is not refused"],
    );
}

/// Defect 8: a lease stays whose the address call's name was.
struct NameOfTheAddressCall;

impl Engine for NameOfTheAddressCall {
    fn decide(&self, state: &State, context: &Context<'_>, event: &Event, now: &Now) -> Record {
        let mut record = decided(state, context, event, now);
        for effect in &mut record.effects {
            if let Effect::LeaseTaken { lease, user, .. } = effect
                && let Some(lease) = state.lease(*lease)
            {
                user.clone_from(&lease.user);
            }
        }
        record
    }
}

#[test]
fn defect_8_who_had_names_the_wrong_person() {
    found_in(&NameOfTheAddressCall, &["as reported: the user of an address is the user who connected with it"]);
}

/// Defect 9: IKEv2 without a link is closed like any other.
struct EverybodyNeedsALink;

impl Engine for EverybodyNeedsALink {
    fn decide(&self, state: &State, context: &Context<'_>, event: &Event, now: &Now) -> Record {
        let mut record = decided(state, context, event, now);
        for effect in &mut record.effects {
            if let Effect::SessionBegan(began) = effect
                && began.tunnel == Some(Tunnel::Ikev2)
            {
                began.tunnel = None;
            }
        }
        record
    }
}

#[test]
fn defect_9_ikev2_without_a_link_is_closed() {
    found_in(&EverybodyNeedsALink, &["always: no event of another connection closes a live session"]);
}

/// Defect 9, the other half: nothing revives a session.
struct NothingRevives;

impl Engine for NothingRevives {
    fn decide(&self, state: &State, context: &Context<'_>, event: &Event, now: &Now) -> Record {
        let mut record = decided(state, context, event, now);
        record.effects.retain(|effect| !matches!(effect, Effect::SessionRevived { .. }));
        record
    }
}

#[test]
fn defect_9_a_late_link_does_not_revive() {
    found_in(&NothingRevives, &["always: no event of another connection closes a live session"]);
}

/// Defect 10: an offer that an old lease holds is refused.
struct OldLeaseWins;

impl Engine for OldLeaseWins {
    fn decide(&self, state: &State, context: &Context<'_>, event: &Event, now: &Now) -> Record {
        let mut record = decided(state, context, event, now);
        let Event::Address(asks) = event else { return record };
        let Offer::Number(number) = asks.offer else { return record };
        let address = rasadmin_engine::addresses::Address { family: asks.family, number };
        let held = state.lease_at(address).is_some_and(|lease| lease.port != asks.port);
        let kept = matches!(&record.answer, Answer::Address(given) if given.number == number);
        if held && kept {
            record.answer = Answer::Reject;
            record.effects.clear();
        }
        record
    }
}

#[test]
fn defect_10_an_old_lease_wins_over_rras_own_offer() {
    found_in(&OldLeaseWins, &["as reported: a user who may connect is not refused"]);
}

/// Defect 10, the other half: a release is credited to the lease whose release is missing, and not to the one that lives.
struct ReleaseOfTheMissing;

impl Engine for ReleaseOfTheMissing {
    fn decide(&self, state: &State, context: &Context<'_>, event: &Event, now: &Now) -> Record {
        let mut record = decided(state, context, event, now);
        let Event::Release(release) = event else { return record };
        let Some(address) = release.address else { return record };
        if let Some(owed) = state.owed(&release.port, address.family) {
            record.effects =
                vec![Effect::LateRelease { port: release.port.clone(), family: address.family, lease: owed.id }];
        }
        record
    }
}

#[test]
fn defect_10_a_lost_release_shifts_each_later_one() {
    found_in(
        &ReleaseOfTheMissing,
        &["as reported: a lease ends with its release", "as reported: the user gets the right address"],
    );
}

/// An address that no connection took ends, unless an IKEv2 session of the user whom the address call named may have it.
struct NameTellsWhoHasIt;

impl Engine for NameTellsWhoHasIt {
    fn decide(&self, state: &State, context: &Context<'_>, event: &Event, now: &Now) -> Record {
        let mut record = decided(state, context, event, now);
        for effect in &mut record.effects {
            if let Effect::LeaseHeld { lease, until: None } = effect
                && let Some(waits) = state.lease(*lease).filter(|lease| lease.waits())
                && !waits.user.iter().flat_map(|user| state.of_user(user)).any(|s| s.tunnel == Some(Tunnel::Ikev2))
            {
                *effect = Effect::LeaseEnded { lease: *lease, by: EndedBy::NeverAccepted, at: now.at };
            }
        }
        record
    }
}

#[test]
fn an_address_that_nothing_shows_is_held_for_any_session_that_may_have_it() {
    found_in(&NameTellsWhoHasIt, &["always: every connected client has a lease"]);
}

/// A connection takes only what was asked for by its user's own name.
struct NamesMustResemble;

impl Engine for NamesMustResemble {
    fn decide(&self, state: &State, context: &Context<'_>, event: &Event, now: &Now) -> Record {
        let mut record = decided(state, context, event, now);
        record.effects.retain(|effect| match effect {
            Effect::LeaseTaken { lease, user, .. } => {
                let name = |user: &rasadmin_engine::Identity| user.name.clone();
                let asked = state.lease(*lease).map(|lease| lease.user.as_ref().map(name));
                asked.is_none_or(|asked| asked == user.as_ref().map(name))
            }
            _ => true,
        });
        record
    }
}

#[test]
fn a_certificates_name_resembles_the_accounts_in_nothing() {
    found_in(
        &NamesMustResemble,
        &["as reported: a lease belongs to its own session", "always: every connected client has a lease"],
    );
}

/// A handle is read as a number that is too short for it.
struct ShortHandles;

impl Engine for ShortHandles {
    fn decide(&self, state: &State, context: &Context<'_>, event: &Event, now: &Now) -> Record {
        let short = |handle: u64| if handle < 0x100 { handle } else { 0x10 };
        let mut bent = event.clone();
        match &mut bent {
            Event::Connection(call) | Event::Hangup(call) | Event::Reauthentication(call) => {
                call.handle = short(call.handle);
            }
            Event::Link(call) | Event::LinkHangup(call) => call.handle = short(call.handle),
            _ => {}
        }
        Record { event: event.clone(), ..decided(state, context, &bent, now) }
    }
}

#[test]
fn handles_that_never_repeat_are_distinguished() {
    found_in(
        &ShortHandles,
        &[
            "always: every accepted connection has a session",
            "always: no event of another connection closes a live session",
        ],
    );
}

/// A link must be of the tunnel that its connection has shown.
struct FlagsMustTell;

impl Engine for FlagsMustTell {
    fn decide(&self, state: &State, context: &Context<'_>, event: &Event, now: &Now) -> Record {
        let mut record = decided(state, context, event, now);
        let Event::Link(link) = event else { return record };
        let session = state.by_handle(link.handle).filter(|session| session.established.is_none());
        if link.tunnel == Some(Tunnel::Ikev2) && session.is_some_and(|session| session.tunnel.is_none()) {
            record.answer = Answer::Reject;
            record.effects.clear();
        }
        record
    }
}

#[test]
fn ikev2_whose_flags_are_zero_is_known_by_its_link() {
    found_in(&FlagsMustTell, &["as reported: a user who may connect is not refused"]);
}

/// What is carried into another journal lacks what was reported about a lease.
struct ForgetsReleases;

impl Engine for ForgetsReleases {
    fn decide_carried(&self, state: &State, memory: &State, scope: &Scope, context: &Context<'_>, now: &Now) -> Record {
        let mut record = rasadmin_engine::decide_carried(state, memory, scope, context, now);
        record.effects.retain(|effect| !matches!(effect, Effect::LeaseReleaseSeen { .. }));
        record
    }
}

#[test]
fn what_is_carried_is_all_that_memory_has() {
    found_in(&ForgetsReleases, &["state: another journal gets what memory has"]);
}

/// Users who cannot be recorded are let in, whatever the configuration says.
struct LetsInUnrecorded;

impl Engine for LetsInUnrecorded {
    fn decide(&self, state: &State, context: &Context<'_>, event: &Event, now: &Now) -> Record {
        decided(state, &Context { unrecorded: false, ..*context }, event, now)
    }
}

#[test]
fn when_unrecorded_is_heeded() {
    found_in(&LetsInUnrecorded, &["always: no one is let in unrecorded if that is denied"]);
}

/// A block is applied by the process that was there when it was recorded, and by no later one.
struct BlockOfAnInstance;

impl Engine for BlockOfAnInstance {
    fn decide(&self, state: &State, context: &Context<'_>, event: &Event, now: &Now) -> Record {
        let mut record = decided(state, context, event, now);
        if let Event::InstanceStarted { .. } = event {
            let ends = |block: &rasadmin_engine::effect::Block| Effect::BlockEnded { subject: block.subject.clone() };
            record.effects.extend(state.blocks(now.at.time).map(ends));
        }
        record
    }
}

#[test]
fn a_block_that_ends_with_its_instance_is_found() {
    found_in(
        &BlockOfAnInstance,
        &["always: nobody who is blocked gets in", "as reported: a user who must be refused is refused"],
    );
}

/// A user who is let in for now stays in: a block is looked for at the address alone.
struct BlockAtTheAddressAlone;

impl Engine for BlockAtTheAddressAlone {
    fn decide(&self, state: &State, context: &Context<'_>, event: &Event, now: &Now) -> Record {
        if matches!(event, Event::Address(_)) {
            return decided(state, context, event, now);
        }
        let mut unblocked = state.clone();
        let mut record = decided(state, context, &Event::Lost { events: 0 }, now);
        let all: Vec<_> = state.blocks(now.at.time).map(|block| block.subject.clone()).collect();
        record.effects = all.into_iter().map(|subject| Effect::BlockEnded { subject }).collect();
        unblocked.apply(&record);
        decided(&unblocked, context, event, now)
    }
}

#[test]
fn a_block_at_one_stage_alone_is_found() {
    found_in(
        &BlockAtTheAddressAlone,
        &["always: nobody who is blocked gets in", "as reported: a user who must be refused is refused"],
    );
}
