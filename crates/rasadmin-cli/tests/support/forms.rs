//! A form, filled in and sent as a person does it.

use crate::browser::Page;
use serde_json::json;

/// Types a text into an empty field.
#[track_caller]
pub fn fill(page: &mut Page<'_>, field: &str, text: &str) {
    page.click(field);
    page.type_text(text);
    assert_eq!(page.text(&format!("{}.value", one(field))), text, "{field}");
}

/// Types a time such as `2026-11-01T18:30` into its parts, as American English has them. A part that is full leads to the next by
/// itself, but a year may have more digits.
#[track_caller]
pub fn fill_time(page: &mut Page<'_>, field: &str, time: &str) {
    let part = |from: usize, to: usize| &time[from..to];
    let hour: u32 = part(11, 13).parse().unwrap();
    let (hour, half) = ((hour + 11) % 12 + 1, if hour < 12 { "a" } else { "p" });
    page.eval(&format!("{}.focus()", one(field)));
    press_each(page, &[part(5, 7), part(8, 10), part(0, 4)].concat());
    page.press("Tab");
    press_each(page, &format!("{hour:02}{}{half}", part(14, 16)));
    assert_eq!(page.text(&format!("{}.value", one(field))), time, "{field}");
}

/// Types a month into its two parts: the first letter of its name, and the year.
#[track_caller]
pub fn fill_month(page: &mut Page<'_>, field: &str, (letter, year): (&str, &str), value: &str) {
    page.eval(&format!("{}.focus()", one(field)));
    press_each(page, letter);
    page.press("Tab");
    press_each(page, year);
    assert_eq!(page.text(&format!("{}.value", one(field))), value, "{field}");
}

/// Chooses an entry of a list: down to it, from the one that is chosen.
#[track_caller]
pub fn choose(page: &mut Page<'_>, field: &str, name: &str) {
    page.eval(&format!("{}.focus()", one(field)));
    let chosen = format!("{}.selectedOptions[0].label", one(field));
    let mut seen = Vec::new();
    while page.text(&chosen) != name {
        seen.push(page.text(&chosen));
        page.press("ArrowDown");
        assert_ne!(page.text(&chosen), seen[seen.len() - 1], "{field} has no {name} among {seen:?}");
    }
}

/// Presses the button of a form, and waits for the page to which it leads.
#[track_caller]
pub fn send(page: &mut Page<'_>, form: &str) {
    page.follows(|page| page.click(&format!("{form} button[type=submit]")));
}

fn press_each(page: &mut Page<'_>, keys: &str) {
    for key in keys.chars() {
        page.press(&key.to_string());
    }
}

fn one(selector: &str) -> String {
    format!("document.querySelector({})", json!(selector))
}
