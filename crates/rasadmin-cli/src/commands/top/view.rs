//! The screen as lines.

use crate::filter::user_shown;
use crate::format::{count, grouped};
use crate::style::Tone;
use crate::table::{self, Column, name, number, printable, text, truncate_to_width};
use crate::times;
use jiff::tz::TimeZone;
use rasadmin_ledger::report::Overview;
use std::time::Duration;

/// The room there is. `None`: as much as it takes.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    pub width: Option<usize>,
    pub height: Option<usize>,
}

/// At most so many denials, so that there is room for sessions.
const DENIALS: usize = 6;

/// The lines above the last one. `dead`: nothing runs that would notice the end of a session.
pub fn lines(overview: &Overview, dead: bool, zone: &TimeZone, size: Size, colours: bool) -> Vec<String> {
    let fit = |line: &str| match size.width {
        Some(width) => truncate_to_width(&printable(line), width),
        None => printable(line).into_owned(),
    };
    let mut lines = Vec::new();
    let time = times::show(overview.time, zone);
    let live = grouped(overview.live_sessions);
    let (tone, now) = match dead && overview.live_sessions > 0 {
        true => (Tone::Bad, format!("{live} open, but Remote Access does not run: see `rasadmin status`")),
        false => (Tone::Good, format!("{live} connected")),
    };
    lines.push(tone.paint(fit(&format!("{time}  {now}")), colours));
    let (began, ended) = (count(overview.began, "session") + " began", format!("{} ended", overview.ended));
    let denied = if overview.denied > 0 { Tone::Notable } else { Tone::Quiet };
    lines.push(denied.paint(fit(&format!("last hour  {began}, {ended}, {} denied", overview.denied)), colours));
    let (received, sent) = (times::octets(overview.input_octets), times::octets(overview.output_octets));
    lines.push(fit(&format!("           {received} received, {sent} sent by the server in those that ended")));
    let mut pools: Vec<_> = overview.pools.iter().collect();
    pools.sort_by(|a, b| b.percent().total_cmp(&a.percent()));
    let nearly_full = pools.iter().any(|pool| pool.is_nearly_full());
    let pools: Vec<_> = pools
        .iter()
        .map(|pool| format!("{} {} of {} ({:.0} %)", pool.name, grouped(pool.held), grouped(pool.size), pool.percent()))
        .collect();
    if !pools.is_empty() {
        let tone = if nearly_full { Tone::Bad } else { Tone::Quiet };
        lines.push(tone.paint(fit(&format!("pools      {}", pools.join(", "))), colours));
    }
    let denied = denials(overview, zone, size.width);
    // The last line, and an empty one and a title above each list.
    let reserved = 1 + if denied.is_empty() { 0 } else { denied.len() + 2 } + 2;
    let room = size.height.map_or(usize::MAX, |height| height.saturating_sub(lines.len() + reserved));
    let mut live = sessions(overview, zone, size.width, room);
    if live.is_empty() {
        live.push("  nobody".to_owned());
    }
    lines.extend([String::new(), "Connected now, the latest first".to_owned()]);
    lines.extend(live);
    if !denied.is_empty() {
        lines.extend([String::new(), "Denied, the latest first".to_owned()]);
        lines.extend(denied);
    }
    lines
}

/// The bottom of a live screen.
pub fn last_line(problem: Option<String>, every: Duration, zone: &TimeZone, width: usize) -> String {
    let line = match problem {
        Some(problem) => format!("q quits; not up to date: {problem}"),
        None => format!("q quits; every {} s; {}", every.as_secs(), times::zone_name(zone)),
    };
    // A line as wide as the terminal would move it up.
    truncate_to_width(&printable(&line), width - 1)
}

/// A table's lines.
fn table_lines(columns: &[Column], rows: Vec<Vec<String>>, width: Option<usize>) -> Vec<String> {
    if rows.is_empty() {
        return Vec::new();
    }
    let (table, _) = table::render(columns, rows, width);
    table.lines().map(|line| line.trim_end().to_owned()).collect()
}

/// The sessions that fit, with the number of the others.
fn sessions(overview: &Overview, zone: &TimeZone, width: Option<usize>, room: usize) -> Vec<String> {
    let all = usize::try_from(overview.live_sessions).unwrap_or(usize::MAX).max(overview.live.len());
    // The heading takes a line, and so does the number of the others.
    let shown = if all < room { overview.live.len() } else { overview.live.len().min(room.saturating_sub(2)) };
    let columns = [
        number("session", 3),
        text("began", 1),
        name("user", 0),
        text("tunnel", 2),
        text("address", 0),
        text("from", 4),
        text("computer", 5),
        number("connected", 0),
    ];
    let rows = overview.live.iter().take(shown).map(|session| {
        vec![
            session.id.to_string(),
            times::show(session.acct_start_time, zone),
            user_shown(session.domain.as_ref(), session.name.as_ref(), &session.user_name),
            session.tunnel_type.clone().unwrap_or_default(),
            session.framed_ip_address.clone().or_else(|| session.framed_interface_id.clone()).unwrap_or_default(),
            session.calling_station_id.clone(),
            session.remote_computer.to_string(),
            times::between(session.acct_start_time, overview.time),
        ]
    });
    let mut lines = table_lines(&columns, rows.collect(), width);
    if shown < all {
        let rest = format!("  and {} more: `rasadmin sessions --live`", grouped((all - shown) as u64));
        lines.push(truncate_to_width(&rest, width.unwrap_or(usize::MAX)));
    }
    lines
}

fn denials(overview: &Overview, zone: &TimeZone, width: Option<usize>) -> Vec<String> {
    let columns = [text("time", 0), name("user", 0), text("by", 0), text("because", 1), text("from", 2)];
    let rows = overview.denials.iter().take(DENIALS).map(|denial| {
        vec![
            times::show(denial.time, zone),
            user_shown(denial.domain.as_ref(), denial.name.as_ref(), &denial.user_name),
            denial.decided_by().into_owned(),
            denial.reason.clone().unwrap_or_default(),
            denial.facts.source.known().map(ToString::to_string).unwrap_or_default(),
        ]
    });
    table_lines(&columns, rows.collect(), width)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rasadmin_ledger::report::{PoolUse, SessionRow};
    use rasadmin_policy::Name;
    use rasadmin_text::width_of;

    fn overview(live: u64) -> Overview {
        let session = |id: u64| SessionRow {
            id: id.cast_signed(),
            user_name: Name::new(&format!("CORP\\somebody with a long name {id}\u{1b}[2J")),
            framed_ip_address: Some("10.20.16.9".to_owned()),
            ..SessionRow::default()
        };
        Overview {
            time: 7_200_000,
            since: 3_600_000,
            live_sessions: live,
            began: 1,
            ended: 2,
            denied: 0,
            input_octets: 0,
            output_octets: 0,
            pools: vec![PoolUse { name: "staff".to_owned(), family: 4, size: 253, held: live }],
            live: (0..live.min(50)).map(session).collect(),
            denials: Vec::new(),
        }
    }

    #[test]
    fn the_screen_fits_and_says_how_many_are_not_on_it() {
        for (width, height) in [(80, 24), (120, 50), (40, 12)] {
            for live in [0, 1, 10, 20, 200] {
                let size = Size { width: Some(width), height: Some(height) };
                let lines = lines(&overview(live), false, &TimeZone::UTC, size, false);
                let text = lines.join("\n");
                assert!(lines.len() < height, "{width} {height} {live}:\n{text}");
                assert!(lines.iter().all(|line| width_of(line) <= width), "{width} {height} {live}:\n{text}");
                let rows = lines.iter().filter(|line| line.contains("10.20.16.9")).count() as u64;
                let rest = format!("and {} more: `", live - rows);
                assert_eq!(text.contains(&rest), rows < live, "{width} {height} {live}:\n{text}");
                assert!(!text.contains('\u{1b}'), "{text}");
            }
        }
        let size = Size { width: None, height: None };
        let whole = lines(&overview(3), false, &TimeZone::UTC, size, false).join("\n");
        assert!(
            whole.starts_with("1970-01-01 02:00:00  3 connected\nlast hour  1 session began, 2 ended, 0 denied"),
            "{whole}"
        );
        let dead = |live| lines(&overview(live), true, &TimeZone::UTC, size, false).join("\n");
        assert!(dead(3).contains("3 open, but Remote Access does not run"), "{}", dead(3));
        assert!(dead(0).contains("0 connected"), "{}", dead(0));
        assert!(whole.contains("pools      staff 3 of 253 (1 %)"), "{whole}");
    }

    #[test]
    fn the_last_line_says_how_to_quit_and_what_is_wrong() {
        let every = Duration::from_secs(2);
        assert_eq!(last_line(None, every, &TimeZone::UTC, 80), "q quits; every 2 s; times: UTC");
        let problem = Some("the ledger is locked, and so it goes on".to_owned());
        let line = last_line(problem, every, &TimeZone::UTC, 40);
        assert!(line.starts_with("q quits; not up to date: the ledger") && width_of(&line) < 40, "{line}");
    }
}
