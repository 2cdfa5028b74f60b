//! Reads the lines that say which result a session must have.

use crate::expectation::Expectation;
use crate::outcome::OutcomeKind;
use crate::scenario::line::Line;
use crate::scenario::values::{address, identifier};

/// Reads `expect SESSION WORD key=value…`. `known` returns whether a session connects above.
pub(super) fn read(number: usize, mut line: Line<'_>, known: &dyn Fn(&str) -> bool) -> Result<Expectation, String> {
    let session = line.word("the session's label")?;
    let word = line.word("accepted, addressed, refused, rejected, denied or cut")?;
    let kind = OutcomeKind::ALL.into_iter().find(|kind| kind.name() == word).ok_or_else(|| {
        format!("a session cannot become `{word}`: expected accepted, addressed, refused, rejected, denied or cut")
    })?;
    let differs_from = line.key("address-differs-from").map(str::to_owned);
    for session in [Some(session), differs_from.as_deref()].into_iter().flatten() {
        if !known(session) {
            return Err(format!("no session `{session}` has connected above"));
        }
    }
    let expectation = Expectation {
        line: number,
        session: session.to_owned(),
        kind,
        address: line.key("address").map(address).transpose()?,
        differs_from,
        identifier: line.key("identifier").map(identifier).transpose()?,
        port: line.key("port").map(str::to_owned),
        error: line
            .key("error")
            .map(|text| text.parse().map_err(|_| format!("`{text}` is not a valid error number")))
            .transpose()?,
    };
    line.end()?;
    Ok(expectation)
}
