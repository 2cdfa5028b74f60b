//! The rows of links.

use super::{Projection, RowSource};
use crate::value::values;
use crate::{Error, queries};
use rasadmin_engine::effect::{LinkBegan, Usage};
use rasadmin_engine::state::Link;
use rasadmin_engine::{Id, Millis, Name, Stamp, Tunnel};

/// The key of a link without a known record, within its session.
fn unrecorded(port: &Name, began: Stamp) -> String {
    format!("{} {}", began.mono.0, port.as_str())
}

impl Projection<'_> {
    /// Begins a link. On a second reading the link begins and ends again. An earlier end cannot tell it from the
    /// previous link on the same port, so what that end did to it is corrected here.
    pub(super) fn link_began(&mut self, of: &RowSource<'_>, link: &LinkBegan) -> Result<(), Error> {
        let (session, own, unrecorded) = (link.session, of.effect(), unrecorded(&link.port, link.at));
        let inserted = self.database.run(
            queries::LINK_BEGAN,
            values! {
                link: &own, session: session, server: &self.server, port: &link.port, device: &link.device,
                tunnel: link.tunnel.map(Tunnel::name), start: link.at.time, unrecorded: &unrecorded,
            },
        )?;
        if inserted > 0 {
            self.database.run(queries::LINK_COUNTED, values! { session: session })?;
        } else {
            let these = values! { session: session, link: &own, unrecorded: &unrecorded };
            self.database.run(queries::LINK_REVIVED, these)?;
        }
        self.database.run(
            queries::LINK_OVERTAKEN,
            values! {
                session: session, port: &link.port, start: link.at.time, link: &own, unrecorded: &unrecorded,
            },
        )?;
        Ok(())
    }

    pub(super) fn link_ended(&mut self, session: Id, port: &Name, at: Millis, usage: &Usage) -> Result<(), Error> {
        self.database.run(
            queries::LINK_ENDED,
            values! {
                session: session, port: port, at: at, seconds: usage.seconds, input: usage.input_octets,
                output: usage.output_octets,
            },
        )?;
        Ok(())
    }

    /// Writes a live link of a state whose records are missing.
    pub(super) fn link_from_state(&mut self, session: Id, link: &Link) -> Result<(), Error> {
        let inserted = self.database.run(
            queries::LINK_FROM_STATE,
            values! {
                link: unrecorded(&link.port, link.began), session: session, server: &self.server, port: &link.port,
                start: link.began.time,
            },
        )?;
        if inserted > 0 {
            self.database.run(queries::LINK_COUNTED, values! { session: session })?;
        }
        Ok(())
    }
}
