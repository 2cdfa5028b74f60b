//! Whether a page is sound as it is, in the forms in which people see it.

use crate::browser::{Page, axe};
use crate::dashboard::pictures;
use std::path::Path;

/// What a page may cost, with its style sheet, script and icon.
const OCTETS: u64 = 150_000;

/// How much a page may move while it is loaded, as browsers count it.
const SHIFT: f64 = 0.1;

/// What is wrong with a page that was just opened: what it says, asks for, costs, and how it looks at this width.
pub fn faults(page: &mut Page<'_>, address: &str, axe: &str) -> Vec<String> {
    page.wait_for("main");
    let mut faults = page.errors();
    // The browser itself has such addresses, for the icons of its form elements.
    let inside = |url: &String| url.starts_with(&format!("{address}/")) || url.starts_with("data:");
    let leaves = page.requests().into_iter().filter(|url| !inside(url));
    faults.extend(leaves.map(|url| format!("it asks for {url}")));
    let octets = page.octets();
    if octets > OCTETS {
        faults.push(format!("it has {octets} octets, and may have {OCTETS}"));
    }
    let (wider, out) = page.overhang();
    if wider > 0 {
        faults.push(format!("it is {wider} px wider than the window: {out:?}"));
    }
    let shift = page.shift();
    if shift >= SHIFT {
        faults.push(format!("it moves while it is loaded: {shift:.3}"));
    }
    faults.extend(page.repeated_ids().into_iter().map(|id| format!("two elements have the id {id}")));
    faults.extend(page.barriers(axe));
    faults
}

/// What is wrong with the page as it is: for people who cannot see it, on a phone, on a large screen, in the dark.
pub fn is_sound(page: &mut Page<'_>) {
    let mut faults = page.errors();
    for (scheme, width) in [("light", 1440), ("light", 3840), ("dark", 360)] {
        page.scheme(scheme);
        page.viewport(width, 900);
        faults.extend(page.barriers(&axe()));
        let (wider, out) = page.overhang();
        if wider > 0 {
            faults.push(format!("it is {wider} px wider than the window: {out:?}"));
        }
    }
    if let Some(folder) = pictures() {
        take_pictures(page, &folder);
    }
    faults.extend(page.repeated_ids().into_iter().map(|id| format!("two elements have the id {id}")));
    assert_eq!(faults, <[String; 0]>::default(), "{}", page.text("location.pathname"));
    page.viewport(1440, 900);
}

/// Pictures of the page, for people who want to look at it.
fn take_pictures(page: &mut Page<'_>, folder: &Path) {
    let path = page.text("location.pathname");
    let name: Vec<_> = path.split('/').filter(|part| part.bytes().all(|byte| byte.is_ascii_lowercase())).collect();
    for (width, scheme) in [(390, "dark"), (1440, "light")] {
        page.viewport(width, 900);
        page.scheme(scheme);
        std::fs::write(
            folder.join(format!("{}-{scheme}-{width}.webp", name.join("-").trim_matches('-'))),
            page.screenshot(100_000),
        )
        .unwrap();
    }
}
