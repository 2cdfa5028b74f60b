//! Ends sessions and leases that have waited too long. The next call of any kind does it.

use super::Asking;
use super::draft::Draft;
use super::owner::may_be_same_user;
use crate::Name;
use crate::addresses::Address;
use crate::effect::{ClosedBy, Effect, EndedBy};
use crate::event::Event;
use crate::now::{Mono, Stamp};
use crate::state::{Due, Holding, Lease, Session};

/// How many sessions and leases one call ends at most. The rest waits for the next call.
const AT_ONCE: usize = 64;

/// What an event refers to. That must not expire in the very call that refers to it: on a quiet server, this may be
/// the first call after it was due.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Subject<'e> {
    /// The handle of an existing connection.
    handle: Option<u64>,
    /// The port of a link: a lease that waits there belongs to the link's connection.
    port: Option<&'e Name>,
    /// The user whose connection begins. A lease that waits for this user may belong to it.
    user: Option<&'e Name>,
    addresses: &'e [Address],
    /// The port and the user that a release names. A lease of the same address on another port is not the released
    /// one.
    released: Option<(&'e Name, &'e Name)>,
}

impl<'e> Subject<'e> {
    pub(super) fn of_asking(asking: Asking<'e>) -> Self {
        match asking {
            Asking::Connection(event) => {
                Self { user: Some(&event.user), addresses: &event.addresses, ..Self::default() }
            }
            Asking::Link(event) => Self { handle: Some(event.handle), port: Some(&event.port), ..Self::default() },
            Asking::Reauthentication(event) | Asking::EndpointChange(event) => {
                Self { handle: Some(event.handle), ..Self::default() }
            }
            Asking::Address(_) => Self::default(),
        }
    }

    pub(super) fn of(event: &'e Event) -> Self {
        match event {
            Event::Hangup(event) => Self { handle: Some(event.handle), ..Self::default() },
            Event::LinkHangup(event) => Self { handle: Some(event.handle), ..Self::default() },
            Event::Release(event) => Self {
                addresses: event.address.as_slice(),
                released: Some((&event.port, &event.user)),
                ..Self::default()
            },
            _ => Self::default(),
        }
    }

    fn is(&self, draft: &Draft<'_>, due: Due) -> bool {
        match due {
            Due::Session(id) => {
                self.handle.is_some() && draft.state.session(id).map(|session| session.handle) == self.handle
            }
            Due::Lease(id) => draft.state.lease(id).is_some_and(|lease| {
                let named = self.addresses.contains(&lease.address);
                let its_own =
                    |(port, user): (&Name, &Name)| *port == lease.port && user.folded() == lease.user_name.folded();
                // Only a projection can name a lease that a session had: it no longer waits for a connection.
                let waited_for = self.port == Some(&lease.port)
                    || self.user.is_some_and(|user| user.folded() == lease.user_name.folded());
                (named && self.released.is_none_or(its_own)) || (lease.waits() && waited_for)
            }),
        }
    }
}

/// Ends leases that no connection took, and sessions that have had no link for a minute.
pub(super) fn expire(draft: &mut Draft<'_>, subject: &Subject<'_>) {
    let now = draft.at().mono;
    // A late event ends no session: the session's link may still wait to be recorded by another process.
    let may_end = |due: &Due| !(draft.late && matches!(due, Due::Session(_)));
    let due = draft.state.due(now).filter(may_end).filter(|due| !subject.is(draft, *due));
    let due: Vec<Due> = due.take(AT_ONCE).collect();
    for due in due {
        match due {
            Due::Session(id) => {
                let Some(session) = draft.state.session(id) else { continue };
                let never = session.established.is_none();
                let by = if never { ClosedBy::NeverEstablished } else { ClosedBy::LinksGone };
                draft.close(session, session.unlinked, by, None);
            }
            Due::Lease(id) => {
                if let Some(lease) = draft.state.lease(id) {
                    expire_lease(draft, lease, now);
                }
            }
        }
    }
}

fn expire_lease(draft: &mut Draft<'_>, lease: &Lease, now: Mono) {
    match lease.holding {
        // Until then, an accept may still take the lease.
        Holding::Waiting(Some(until)) if all_was_heard(draft, until) => match negotiated_again(draft, lease) {
            Some(session) => draft.take_lease(lease, session.id, session.user.as_ref(), None),
            // Wait for its release or its port's next use. The name cannot decide: a bare name may belong to another
            // domain, and a certificate's name may differ entirely from the account name.
            None if draft.state.some_may_have_any_address() => {
                draft.add(Effect::LeaseHeld { lease: lease.id, until: None });
            }
            None => draft.end_lease(lease, EndedBy::NeverAccepted),
        },
        Holding::Ended(_, Some(until)) if until <= now => draft.end_lease(lease, EndedBy::SessionClosed),
        _ => {}
    }
}

/// The user's live session on the port: no new connection came, because this one negotiated its address again.
fn negotiated_again<'a>(draft: &Draft<'a>, lease: &Lease) -> Option<&'a Session> {
    let earlier = |began: Stamp| began.mono <= lease.began.mono;
    let linked = draft.on_port(&lease.port).filter(|(_, link)| earlier(link.began)).map(|(session, _)| session);
    // A session that never had a link (IKEv2 may have none) is found by its lease's port.
    let unlinked = || {
        let all = draft.leases_on(&lease.port).into_iter().filter_map(|other| match other.holding {
            Holding::Session(id) => draft.state.session(id).filter(|_| draft.lives(id)),
            _ => None,
        });
        let mut unlinked = all.filter(|session| session.established.is_none() && earlier(session.began));
        unlinked.next()
    };
    let session = linked.or_else(unlinked)?;
    may_be_same_user(draft, session, &lease.user_name, lease.user.as_ref()).then_some(session)
}

/// Has every accept been processed that could have taken the lease? Another process may receive the notifications, and
/// records what it could not record before it processes the next one.
fn all_was_heard(draft: &Draft<'_>, until: Mono) -> bool {
    draft.state.heard().is_none_or(|(process, heard)| process == draft.context.process || heard >= until)
}
