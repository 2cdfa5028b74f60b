//! Disconnects one client, and nobody else.
//!
//! RRAS knows a port by its handle only. Handles repeat, and a port is used again for the next client. So user, GUID and
//! port are read again just before.

use rasadmin_rras::{Connection, Error, Failure, Rras};

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// RRAS was asked to disconnect it.
    Asked,
    /// The connection does not exist any more, or another client has its handle.
    Gone,
    /// RRAS shows no GUID for it, so the next client with its handle could not be told from it.
    NoGuid,
}

/// Disconnects each port of a connection, as it was listed.
///
/// # Errors
///
/// If RRAS does not answer, or refuses.
pub fn cut(rras: &dyn Rras, listed: &Connection) -> Result<Cut, Error> {
    if listed.guid.is_none() {
        return Ok(Cut::NoGuid);
    }
    let Some(ports) = unless_gone(rras.ports(listed.handle))? else { return Ok(Cut::Gone) };
    let mut cut = Cut::Gone;
    for port in ports {
        let Some(now) = unless_gone(rras.port(port.handle))? else { continue };
        if now.connection != listed.handle {
            continue;
        }
        // This comes last: another client can have both handles.
        let Some(now) = unless_gone(rras.connection(listed.handle))? else { break };
        if (&now.guid, &now.user) != (&listed.guid, &listed.user) {
            break;
        }
        if unless_gone(rras.disconnect(port.handle))?.is_some() {
            cut = Cut::Asked;
        }
    }
    Ok(cut)
}

fn unless_gone<T>(result: Result<T, Error>) -> Result<Option<T>, Error> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if matches!(error.failure, Failure::Gone { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
