//! Reads hours as the file spells them.

use super::Mistake;
use super::file::{At, Hours};
use crate::rules::Fault;
use crate::rules::hours::{DAY, Stretch};
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
        (format!("`{text}` is not a valid time of day"), format!("write hours and minutes, from `00:00` to `{end}`"))
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
                format!("there is no day `{}`", text.get_ref()),
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
