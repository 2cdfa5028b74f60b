//! What a rule has decided lately.

use crate::pages::asked;
use crate::parts;
use jiff::tz::TimeZone;
use maud::{Markup, html};
use rasadmin_answers::show::grouped;
use rasadmin_ledger::report::{Cut, Hits, Reader};
use rasadmin_policy::Millis;
use rasadmin_policy::config::Config;
use rasadmin_policy::rules::Described;

/// How many days "lately" has.
pub const DAYS: i64 = 30;

/// What a rule has decided, and which active sessions it was to end.
pub struct Matched {
    hits: Hits,
    cut: Option<Cut>,
    since: Millis,
}

/// What each rule has decided, and the default.
pub fn read(reader: &Reader, config: &Config, now: Millis) -> Result<Vec<Matched>, rasadmin_ledger::Error> {
    let since = now.saturating_sub(DAYS * 86_400_000);
    let cut = reader.cut_by_rules(since)?;
    let rules = config.rules.names().map(Some).chain([None]);
    rules
        .map(|rule| {
            let cut = cut.iter().find(|cut| rule == Some(cut.rule.as_str())).cloned();
            Ok(Matched { hits: reader.hits(rule, since)?, cut, since })
        })
        .collect()
}

impl Matched {
    /// The counts, the last match, or that there is none.
    pub fn content(&self, rule: &Described<'_>, now: Millis, zone: &TimeZone) -> Markup {
        let Hits { allowed, denied, last } = &self.hits;
        let lately = last.is_some_and(|(_, time)| time >= self.since);
        let decisions = |outcome: &str, count: u64| {
            let fields =
                [("rule", rule.rule.unwrap_or("(default)")), ("outcome", outcome), ("since", &self.from(zone))];
            html! { a href=(asked::address("/decisions", &fields)) { (grouped(count)) } }
        };
        html! {
            @if rule.keeps.is_some() { p.muted { "It decides nothing, so it has no matches here." } }
            @else {
                @if *allowed > 0 { p { "allowed " (decisions("any", *allowed)) } }
                @if *denied > 0 { p { "denied " (decisions("denied", *denied)) } }
                @if let Some(cut) = &self.cut { @if cut.sessions > 0 { p { (grouped(cut.sessions)) " active sessions to end" } } }
                @match (last, &self.cut) {
                    (Some((id, time)), _) => {
                        @if !lately { p { span.tag.warn { "no match in " (DAYS) " days" } } }
                        p.muted { "last " a href={ "/decisions/" (id) } { (parts::short_time(*time, now, zone)) } }
                    }
                    (None, Some(cut)) => {
                        @if cut.last < self.since { p { span.tag.warn { "no match in " (DAYS) " days" } } }
                        p.muted { "last " (parts::short_time(cut.last, now, zone)) }
                    }
                    (None, None) => p { span.tag.warn title="the ledger has no decision of it" { "never matched" } },
                }
            }
        }
    }

    fn from(&self, zone: &TimeZone) -> String {
        asked::moment_text(self.since, zone)
    }
}
