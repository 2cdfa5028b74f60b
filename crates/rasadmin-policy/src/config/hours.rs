//! Reads hours as the file spells them.

use super::Mistake;
use super::file::{At, Hours};
use crate::rules::Fault;
use crate::rules::hours::{DAY, Stretch};
use crate::shorten::shortened;
use std::ops::Range;

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// Reads the file's stretches. `whole` is the position of the list, because a stretch has no position.
pub(super) fn stretches(hours: &[Hours], whole: &Range<usize>, mistakes: &mut Vec<Mistake>) -> Vec<Stretch> {
    let mut stretches = Vec::with_capacity(hours.len());
    for hours in hours {
        let days = days(hours.days.as_ref(), mistakes);
        let from = hours.from.as_ref().map_or(Some(0), |text| read(text, DAY - 1, mistakes));
        let to = hours.to.as_ref().map_or(Some(DAY), |text| read(text, DAY, mistakes));
        let (Some(from), Some(to)) = (from, to) else { continue };
        if from == to {
            let place = hours.to.as_ref().or(hours.from.as_ref()).map_or(whole.clone(), At::span);
            mistakes.push(Mistake::at(
                place,
                "these hours end when they begin",
                "leave `from` and `to` out for the whole day, or write `to = \"24:00\"`",
            ));
            continue;
        }
        stretches.push(Stretch { days, from, to });
    }
    stretches
}

fn read(text: &At<String>, last: u16, mistakes: &mut Vec<Mistake>) -> Option<u16> {
    match time(text.get_ref(), last) {
        Ok(minute) => Some(minute),
        Err((what, help)) => {
            mistakes.push(Mistake::at(text.span(), what, help));
            None
        }
    }
}

/// A minute of the day, at most `last`.
pub(super) fn time(text: &str, last: u16) -> Result<u16, Fault> {
    let number = |digits: &str, long: bool| {
        let right = digits.len() == 2 || (digits.len() == 1 && !long);
        digits.parse::<u16>().ok().filter(|_| right && digits.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let minute = text
        .split_once(':')
        .and_then(|(hour, minute)| Some((number(hour, false)?, number(minute, true).filter(|&m| m < 60)?)))
        .map(|(hour, minute)| hour * 60 + minute);
    minute.filter(|&minute| minute <= last).ok_or_else(|| {
        let end = if last == DAY { "24:00" } else { "23:59" };
        (
            format!("`{}` is not a valid time of day", shortened(text)),
            format!("write hours and minutes, from `00:00` to `{end}`"),
        )
    })
}

/// Reads the days; every day if there is no list.
fn days(list: Option<&At<Vec<At<String>>>>, mistakes: &mut Vec<Mistake>) -> [bool; 7] {
    let Some(list) = list else { return [true; 7] };
    let mut meant = [false; 7];
    if list.get_ref().is_empty() {
        mistakes.push(Mistake::at(list.span(), "`days` is empty", "name a day, or leave `days` out for every day"));
    }
    for text in list.get_ref() {
        let day = |name: &str| DAYS.iter().position(|day| day.eq_ignore_ascii_case(name));
        let (first, last) = text.get_ref().split_once('-').unwrap_or((text.get_ref(), text.get_ref()));
        let (Some(first), Some(last)) = (day(first), day(last)) else {
            mistakes.push(Mistake::at(
                text.span(),
                format!("there is no day `{}`", shortened(text.get_ref())),
                "write mon, tue, wed, thu, fri, sat, sun, or a range: `mon-fri`",
            ));
            continue;
        };
        // `fri-mon` runs over the end of the week.
        for step in 0..=(last + 7 - first) % 7 {
            meant[(first + step) % 7] = true;
        }
    }
    meant
}

/// How a stretch of the week is written that somebody wrote in another way: `Monday to Friday, 8-18`. `None` if it is
/// written well, or if its meaning is not plain.
pub(super) fn meant(text: &str) -> Option<String> {
    let (mut days, mut times) = (Vec::<String>::new(), Vec::<String>::new());
    // What joins the next part to the one before: a range, or a list.
    let mut range = false;
    for part in parts(text)? {
        match part {
            Part::To => range = true,
            Part::And => {}
            Part::Days(all) if times.is_empty() => match days.last_mut().filter(|_| range) {
                Some(first) if !first.contains('-') && !all.contains(['-', '+']) => {
                    *first = format!("{first}-{all}");
                    range = false;
                }
                Some(_) => return None,
                None => days.push(all),
            },
            Part::Time(time) if times.is_empty() || (times.len() == 1 && range) => {
                times.push(time);
                range = false;
            }
            Part::Days(_) | Part::Time(_) => return None,
        }
    }
    if range || times.len() == 1 || (days.is_empty() && times.is_empty()) {
        return None;
    }
    let meant = [days.join("+"), times.join("-")].into_iter().filter(|part| !part.is_empty());
    let meant = meant.collect::<Vec<_>>().join(" ");
    let [from, to] = [times.first(), times.get(1)].map(|text| text.map_or("00:00", String::as_str));
    let valid = time(from, DAY - 1).is_ok() && time(to, DAY).is_ok();
    (valid && !is_right(text)).then_some(meant)
}

/// Is a text written as `mon-fri 08:00-18:00`?
fn is_right(text: &str) -> bool {
    let (days, times) = text.split_at(text.find(|c: char| c.is_ascii_digit()).unwrap_or(text.len()));
    let is_day = |name: &str| DAYS.iter().any(|day| day.eq_ignore_ascii_case(name));
    let is_range = |days: &str| days.split_once('-').is_none_or(|(_, last)| is_day(last)) && is_day(first_day(days));
    let is_time = |text: &str, last| time(text.trim(), last).is_ok();
    days.split([',', '+', ' ']).filter(|day| !day.is_empty()).all(is_range)
        && (times.is_empty()
            || times.split_once(['-', '–']).is_some_and(|(from, to)| is_time(from, DAY - 1) && is_time(to, DAY)))
}

fn first_day(days: &str) -> &str {
    days.split('-').next().unwrap_or_default()
}

/// A part of hours as people write them.
enum Part {
    Days(String),
    Time(String),
    To,
    And,
}

fn parts(text: &str) -> Option<Vec<Part>> {
    let mut parts = Vec::new();
    let lower = text.to_lowercase();
    let mut rest = lower.trim_start();
    while let Some(c) = rest.chars().next() {
        let is_like = |other: char| {
            if c.is_alphabetic() {
                other.is_alphabetic()
            } else if c.is_ascii_digit() {
                other.is_ascii_digit() || other == ':'
            } else {
                c == '.' && other == '.'
            }
        };
        let end = rest.find(|other| !is_like(other)).unwrap_or(rest.len()).max(c.len_utf8());
        let (word, after) = rest.split_at(end);
        rest = after.trim_start();
        parts.push(match word {
            "-" | "–" | "—" | ".." | "..." | "to" | "until" | "till" | "through" | "bis" => Part::To,
            "," | ";" | "+" | "&" | "and" | "und" | ":" => Part::And,
            "weekdays" | "workdays" => Part::Days("mon-fri".to_owned()),
            "weekend" | "weekends" => Part::Days("sat+sun".to_owned()),
            _ if c.is_ascii_digit() && word.contains(':') => Part::Time(word.to_owned()),
            _ if c.is_ascii_digit() && word.len() <= 2 => Part::Time(format!("{word:0>2}:00")),
            _ => Part::Days(day(word)?.to_owned()),
        });
    }
    Some(parts)
}

/// The day that a word means: `mon`, `monday`, `mondays`.
fn day(word: &str) -> Option<&'static str> {
    const LONG: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    let word = word.strip_suffix('s').filter(|word| word.ends_with("day")).unwrap_or(word);
    let of = |long: &&str| word.len() >= 3 && long.starts_with(word);
    LONG.iter().position(of).and_then(|at| DAYS.get(at)).copied()
}

/// A stretch of the week as the file writes it.
pub(super) fn written(hours: &Hours) -> String {
    let text = |time: &Option<At<String>>, otherwise: &str| {
        time.as_ref().map_or(otherwise.to_owned(), |time| time.get_ref().clone())
    };
    let days = hours.days.as_ref().map_or(String::new(), |days| {
        days.get_ref().iter().map(|day| day.get_ref().as_str()).collect::<Vec<_>>().join("+") + " "
    });
    format!("{days}{}-{}", text(&hours.from, "00:00"), text(&hours.to, "24:00"))
}
