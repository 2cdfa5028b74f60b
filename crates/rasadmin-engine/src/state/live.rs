//! The table of live sessions. A test counts how many of them are visited.

use super::session::Session;
use super::table::{Slot, Table};

#[derive(Clone, Debug, Default)]
pub(super) struct Live(pub Table<Session>);

impl Live {
    pub(super) fn get(&self, slot: Slot) -> Option<&Session> {
        self.0.get(slot).inspect(visited)
    }

    pub(super) fn get_mut(&mut self, slot: Slot) -> Option<&mut Session> {
        self.0.get_mut(slot)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (Slot, &Session)> {
        self.0.iter().inspect(|(_, session)| visited(session))
    }

    /// The sessions in these slots that satisfy a condition.
    pub(super) fn some(
        &self,
        slots: impl Iterator<Item = Slot>,
        is: impl Fn(&Session) -> bool,
    ) -> impl Iterator<Item = (Slot, &Session)> {
        slots
            .filter_map(|slot| Some((slot, self.0.get(slot)?)))
            .filter(move |(_, session)| is(session))
            .inspect(|(_, session)| visited(session))
    }
}

#[cfg(not(test))]
const fn visited(_: &&Session) {}

#[cfg(test)]
fn visited(_: &&Session) {
    tests::VISITED.set(tests::VISITED.get() + 1);
}

/// A decision visits only the sessions that it concerns, however many others are live.
#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::effect::{SessionBegan, Usage};
    use crate::event::{AddressEvent, ConnectionEvent, LinkEvent, Look, Offer};
    use crate::{
        Answer, Context, Effect, Event, Family, Id, Identity, InterfaceType, Mono, Name, Now, Process, Quarantine,
        Record, Stamp, State, Tunnel, config, decide,
    };
    use std::cell::Cell;
    use std::path::Path;
    use std::sync::Arc;

    thread_local! {
        pub(super) static VISITED: Cell<u64> = const { Cell::new(0) };
    }

    /// A server on which `live` users, all of the group, are online.
    struct Server {
        state: State,
        config: Arc<config::Config>,
        name: Name,
        live: u64,
    }

    impl Server {
        /// The group may have this many sessions.
        fn new(live: u64, most: u64) -> Self {
            let text = format!(
                "default_domain = \"CORP\"\ndefault.action = \"allow\"\ngroups.all.users = [\"CORP\\\\*\"]\n\
                 [[rules]]\nname = \"limit\"\naction = \"deny\"\n\
                 group_sessions = {{ group = \"all\", at_least = {most} }}\n"
            );
            let config = Arc::new(config::parse("f", &text, Path::new("."), &mut |_| Err("none".into())).unwrap());
            let mut state = State::new();
            state.derive(&config);
            let mut server = Self { state, config, name: "VPN1".into(), live };
            let effects = (0..live).map(|n| Effect::SessionBegan(Box::new(server.session(n)))).collect();
            let record = server.decide(Event::Look(Look::default()));
            server.state.apply(&Record { effects, ..record });
            assert_eq!(server.state.live_count() as u64, live);
            server
        }

        fn at() -> Stamp {
            Stamp { time: 1_795_424_400_000, mono: Mono(1_000) }
        }

        /// An IKEv2 session, which may have no link.
        fn session(&self, n: u64) -> SessionBegan {
            SessionBegan {
                session: Id(n.into()),
                user: Some(Identity { domain: "CORP".into(), name: Name::new(&format!("U{n}")) }),
                user_name: Name::new(&format!("u{n}")),
                handle: n,
                guid: Some(format!("{n:032x}")),
                computer: "PC".into(),
                source: "203.0.113.9".into(),
                interface: InterfaceType::Client,
                quarantine: Some(Quarantine::Normal),
                tunnel: Some(Tunnel::Ikev2),
                port: Some(Name::new(&format!("VPN2-{n}"))),
                projected: Vec::new(),
                at: Self::at(),
                process: Process(1),
                adopted: false,
            }
        }

        fn decide(&self, event: Event) -> Record {
            let context = Context::new(&self.config, &self.name, Id(1), Process(1));
            decide(&self.state, &context, &event, &Now { at: Self::at(), random: [0xff; 16] })
        }

        /// How many sessions are looked at while a newcomer asks for an address, connects and gets a link.
        fn visited_by_a_newcomer(&mut self, admitted: bool) -> u64 {
            let n = self.live;
            let (user, port) = (Name::new(&format!("u{n}")), Name::new(&format!("VPN2-{n}")));
            let connection = ConnectionEvent {
                handle: n,
                guid: Some(format!("{n:032x}")),
                user: user.clone(),
                domain: Name::default(),
                computer: "PC".into(),
                source: "203.0.113.9".into(),
                interface: InterfaceType::Client,
                ikev2: Some(false),
                quarantine: Some(Quarantine::Normal),
                usage: Usage::default(),
                addresses: Vec::new(),
                prefix: None,
            };
            let device = Name::new("WAN Miniport (SSTP)");
            let usage = Usage::default();
            VISITED.set(0);
            for event in [
                Event::Address(AddressEvent {
                    user,
                    port: port.clone(),
                    family: Family::Ipv4,
                    offer: Offer::Number(0x0a00_0001),
                }),
                Event::Connection(connection),
                Event::Link(LinkEvent { handle: n, port, device, tunnel: Some(Tunnel::Sstp), usage }),
            ] {
                let record = self.decide(event);
                let rejected = record.answer == Answer::Reject;
                assert_eq!(rejected, !admitted, "{record:?}");
                self.state.apply(&record);
                if rejected {
                    break;
                }
            }
            VISITED.get()
        }
    }

    #[test]
    fn a_group_limit_looks_at_as_few_sessions_among_100000_as_among_ten() {
        let visited = |live| {
            let reached = Server::new(live, live).visited_by_a_newcomer(false);
            (reached, Server::new(live, live + 1).visited_by_a_newcomer(true))
        };
        let few = visited(10);
        assert_eq!(visited(100_000), few);
        assert!(few.1 > 0, "nothing was counted");
    }
}
