//! Every page of the dashboard, found by its links, and what is wrong with it.

use crate::browser::{Browser, Page, axe};
use crate::dashboard::Dashboard;
use crate::sound::faults;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::Path;

/// What a picture may have.
const PICTURE: usize = 100_000;

/// So many different pages are enough.
const MOST: usize = 80;

/// The pages that were seen.
#[derive(Default)]
pub struct Seen {
    /// By their form: an address without what is different for each user or session.
    forms: BTreeSet<String>,
    /// What is wrong.
    faults: Vec<String>,
    /// What a person reads, by the address.
    pub texts: BTreeMap<String, String>,
    /// Elements that no page should have.
    pub strange: Vec<String>,
}

impl Seen {
    #[track_caller]
    pub fn must_include(&self, forms: &[&str]) {
        let missing: Vec<_> = forms.iter().filter(|form| !self.forms.contains(**form)).collect();
        assert!(missing.is_empty(), "no link leads to {missing:?}; there are {:#?}\n{:#?}", self.forms, self.faults);
    }

    #[track_caller]
    pub fn must_be_sound(&self) {
        assert!(self.faults.is_empty(), "{} pages: {:#?}", self.forms.len(), self.faults);
    }
}

/// Opens a page of each form that links lead to, in light and dark, from the width of a phone to that of a large
/// screen; and all whose address begins with `each`.
pub fn every_page(
    dashboard: &mut Dashboard,
    browser: &mut Browser,
    pictures: Option<&Path>,
    each: Option<&str>,
) -> Seen {
    let axe = axe();
    let mut seen = Seen::default();
    let mut page = dashboard.visit(browser);
    let mut waiting = VecDeque::from(["/".to_owned()]);
    while let Some(path) = waiting.pop_front() {
        let form = form(&path);
        let is_wanted = each.is_some_and(|each| path.starts_with(each)) && !seen.texts.contains_key(&path);
        if !seen.forms.insert(form.clone()) && !is_wanted {
            continue;
        }
        assert!(seen.forms.len() <= MOST, "the links do not end: {:#?}", seen.forms);
        let url = dashboard.url(&path);
        for (scheme, width) in [("light", 1600), ("light", 3840), ("dark", 360)] {
            page.viewport(width, 900);
            page.scheme(scheme);
            page.goto(&url);
            let faults = faults(&mut page, &dashboard.address, &axe);
            seen.faults.extend(faults.into_iter().map(|fault| format!("{path} ({scheme}, {width} px): {fault}")));
        }
        // Neither the colours nor the width change with the other.
        page.viewport(1600, 900);
        seen.faults.extend(page.barriers(&axe).into_iter().map(|fault| format!("{path} (dark, 1600 px): {fault}")));
        seen.texts.insert(path.clone(), page.shown());
        seen.strange.extend(strange(&mut page));
        if let Some(folder) = pictures {
            take_pictures(&mut page, &url, folder, &form);
        }
        let links = page.eval("[...document.querySelectorAll('a[href]')].map(link => link.href)");
        for link in links.as_array().unwrap().iter().filter_map(|link| link.as_str()) {
            let Some(inside) = link.strip_prefix(&dashboard.address) else {
                seen.faults.push(format!("{path}: a link leads to {link}"));
                continue;
            };
            let inside = inside.split('#').next().unwrap();
            if !is_file(inside) {
                waiting.push_back(inside.to_owned());
            } else if seen.forms.insert(self::form(inside)) {
                let answer = page.eval(&format!("fetch({link:?}).then(answer => answer.status)"));
                if answer != 200 {
                    seen.faults.push(format!("{path}: {link} answers {answer}"));
                }
            }
        }
    }
    seen
}

/// An address without what is different for each user, session or time: the names of a query stay, its values do not.
fn form(path: &str) -> String {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let mut parts = path.split('/').skip(1);
    let first = parts.next().unwrap_or_default();
    let more: String = parts.map(|part| if is_word(part) { format!("/{part}") } else { "/*".to_owned() }).collect();
    let mut names: Vec<_> =
        query.split('&').filter_map(|pair| pair.split('=').next().filter(|n| !n.is_empty())).collect();
    names.sort_unstable();
    names.dedup();
    let query = if names.is_empty() { String::new() } else { format!("?{}", names.join("&")) };
    format!("/{first}{more}{query}")
}

/// A part of an address that the program has chosen: a name of a user has a backslash, and a number has none.
fn is_word(part: &str) -> bool {
    part.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
}

/// A file that the browser keeps, and does not show.
fn is_file(path: &str) -> bool {
    path.split('?').next().unwrap().ends_with(".csv")
}

/// Elements and attributes that come from no template.
fn strange(page: &mut Page<'_>) -> Vec<String> {
    let found = page.eval(
        "[...document.querySelectorAll('*')].filter(one => ['IMG', 'IFRAME', 'B', 'I', 'STYLE', 'OBJECT'].includes(one.tagName)
            || (one.tagName === 'SCRIPT' && !one.src) || /^javascript:/i.test(one.getAttribute('href') ?? '')
            || [...one.attributes].some(attribute => attribute.name.startsWith('on')))
            .map(one => `${location.pathname}: ${one.outerHTML.slice(0, 200)}`)",
    );
    found.as_array().unwrap().iter().map(|one| one.as_str().unwrap().to_owned()).collect()
}

fn take_pictures(page: &mut Page<'_>, url: &str, folder: &Path, form: &str) {
    let name = form.trim_matches('/').replace(['/', '?', '&'], "-").replace('*', "one");
    let name = if name.is_empty() { "now" } else { &name };
    for width in [390, 1440] {
        for scheme in ["light", "dark"] {
            page.viewport(width, 900);
            page.scheme(scheme);
            page.goto(url);
            page.wait_for("main");
            std::fs::write(folder.join(format!("{name}-{scheme}-{width}.webp")), page.screenshot(PICTURE)).unwrap();
        }
    }
}
