//! How the rows of a report look: the same names, marks and CSV wherever people read them.

use crate::show;
use rasadmin_ledger::report::{
    Bound, DECIDED_BY_NPS, DecidedBy, Direction, GroupBy, OctetsAre, Total, refusal_in_words,
};

/// What a row is: `user`, `group`, `tunnel`, `day` or `rule`.
pub const fn title(by: GroupBy) -> &'static str {
    match by {
        GroupBy::User => "user",
        GroupBy::Group => "group",
        GroupBy::Tunnel => "tunnel",
        GroupBy::Day => "day",
        GroupBy::Rule => "rule",
    }
}

/// A row's name, in brackets if no user, group or rule has it.
pub fn row_name(by: GroupBy, total: &Total) -> String {
    let key = total.key.as_deref();
    let words = match (by, total.decided_by, key) {
        (GroupBy::Rule, Some(DecidedBy::Dll), kind) => {
            return format!("({})", refusal_in_words(kind.unwrap_or_default()));
        }
        (_, _, Some(key)) => return key.to_owned(),
        (GroupBy::Rule, Some(DecidedBy::Nps), None) => return DECIDED_BY_NPS.to_owned(),
        (GroupBy::Rule, Some(DecidedBy::Import), None) => "imported",
        (GroupBy::Rule, Some(DecidedBy::Unknown), None) => "no decision recorded",
        (GroupBy::Rule, ..) => "default",
        (GroupBy::User, ..) => "no name",
        (GroupBy::Group, ..) => "no group",
        (GroupBy::Tunnel, ..) => "not known",
        (GroupBy::Day, ..) => "no day",
    };
    format!("({words})")
}

/// The time connected, marked if it is not exact.
pub fn connected(total: &Total) -> String {
    let mark = match total.connected_is() {
        Bound::Exact => "",
        Bound::AtLeast => ">= ",
        Bound::AtMost => "<= ",
        Bound::About => "~",
    };
    format!("{mark}{}", show::duration(total.seconds))
}

/// A sum of octets, marked if it is not exact. `are`: what is known of them.
pub fn octets(octets: u64, are: Direction) -> String {
    match are.are() {
        OctetsAre::Unknown => "not known".to_owned(),
        OctetsAre::LowerBound => format!(">= {}", show::octets(octets)),
        OctetsAre::Exact => show::octets(octets),
    }
}

/// What the marks of these rows mean. CSV has the numbers of the sessions that are not exact.
pub fn marks(totals: &[Total]) -> impl Iterator<Item = &'static str> {
    let connected = |bound| totals.iter().any(|total| total.connected_is() == bound);
    let octets =
        totals.iter().flat_map(|total| [total.input, total.output]).any(|of| of.are() == OctetsAre::LowerBound);
    let lines = [
        (connected(Bound::AtLeast), "connected, >=: a session without an end counts until it was last seen"),
        (
            connected(Bound::AtMost),
            "connected, <=: a session that a restart in its log ended counts until that restart",
        ),
        (connected(Bound::About), "connected, ~: both kinds of sessions, without an end and ended by a restart"),
        (octets, "received and sent, >=: a session without octets counts as 0, or a counter may have wrapped"),
    ];
    lines.into_iter().filter_map(|(applies, line)| applies.then_some(line))
}

/// RFC 4180. A cell that a spreadsheet would take for a formula gets an apostrophe before it.
pub fn csv(by: GroupBy, totals: &[Total]) -> String {
    let mut out = format!(
        "{},sessions,users,connected_seconds,acct_input_octets,acct_output_octets,octets_are,estimated,denied,without_end,without_octets\r\n",
        title(by)
    );
    for total in totals {
        // One word for both directions: the numbers are there too, and are never too high.
        let octets = match (total.input.are(), total.output.are()) {
            (OctetsAre::Unknown, OctetsAre::Unknown) => "unknown",
            (OctetsAre::Exact, OctetsAre::Exact) => "exact",
            _ => "lower bound",
        };
        out += &format!(
            "{},{},{},{},{},{},{octets},{},{},{},{}\r\n",
            cell(&row_name(by, total)),
            total.sessions,
            total.users,
            total.seconds,
            total.input_octets,
            total.output_octets,
            total.estimated,
            total.denied,
            total.without_end,
            total.without_octets
        );
    }
    out
}

fn cell(text: &str) -> String {
    let guard = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_never_a_formula() {
        for hostile in ["=1+1", "+1", "-1", "@sum(A1)", "\t=1", "\r=1"] {
            assert_eq!(cell(hostile), format!("\"'{hostile}\""));
        }
        assert_eq!(cell("CORP\\al\"ice"), "\"CORP\\al\"\"ice\"");
    }

    #[test]
    fn a_time_that_is_not_exact_is_marked() {
        let total =
            |without_end, ended_at_latest| Total { seconds: 60, without_end, ended_at_latest, ..Total::default() };
        let shown = [(0, 0), (1, 0), (0, 1), (1, 1)].map(|(a, b)| connected(&total(a, b)));
        assert_eq!(shown, ["1m 00s", ">= 1m 00s", "<= 1m 00s", "~1m 00s"]);
        assert_eq!(marks(&[total(1, 0), total(1, 1)]).count(), 2);
        assert_eq!(octets(1024, Direction::default()), "1.0 KiB");
    }
}
