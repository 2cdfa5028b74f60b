//! The dashboard in a browser: every page over the office day, from the keyboard, on paper, and with the names that strangers
//! may choose.
#![cfg(unix)] // The browser is a Linux program.
#![allow(clippy::unwrap_used)]

mod browser;
#[allow(dead_code)] // This file uses a part.
#[path = "support/dashboard.rs"]
mod dashboard;
#[path = "support/every_page.rs"]
mod every_page;
#[path = "support/faulty_page.rs"]
mod faulty_page;
#[allow(dead_code)]
#[path = "support/sound.rs"]
mod sound;
mod support;

use browser::{Browser, Page};
use dashboard::Played;
use every_page::every_page;
use support::{office_day, root};

/// The middle of the office day: the most are connected.
const NOON: &str = "13:30:00";

fn office_day_until_noon() -> Played {
    let config = std::fs::read_to_string(root().join("examples/office-day.toml")).unwrap();
    Played::until(NOON, &config, &std::fs::read_to_string(office_day()).unwrap())
}

#[test]
fn every_page_is_sound_in_every_form() {
    let day = office_day_until_noon();
    let (mut dashboard, mut browser) = (day.serve(), Browser::launch());
    let seen = every_page(&mut dashboard, &mut browser, dashboard::pictures().as_deref(), None);
    seen.must_include(&["/", "/sessions", "/users", "/addresses", "/reports", "/sessions/*", "/users/*"]);
    seen.must_include(&["/rules", "/rules/explain", "/rules/what-if"]);
    seen.must_include(&["/decisions", "/decisions/*", "/blocks"]);
    seen.must_include(&[
        "/change/disconnect?session",
        "/change/disconnect?user",
        "/change/close?session",
        "/change/block?user",
        "/change/block?computer",
        "/change/release?address",
    ]);
    seen.must_be_sound();
}

/// From the skip link through the navigation: each section is reached with Tab and opened with Enter.
#[test]
fn everything_is_reached_from_the_keyboard() {
    let day = office_day_until_noon();
    let (mut dashboard, mut browser) = (day.serve(), Browser::launch());
    let mut page = dashboard.visit(&mut browser);
    page.viewport(1440, 900);
    let focus = "document.activeElement";
    let sections = page.eval("[...document.querySelectorAll('header nav a')].map(link => link.getAttribute('href'))");
    let sections: Vec<_> = sections.as_array().unwrap().iter().map(|href| href.as_str().unwrap().to_owned()).collect();
    assert!(sections.len() > 4, "{sections:?}");

    page.press("Tab");
    assert_eq!(page.eval(&format!("{focus}.matches('a.skip')")), true, "the first is the skip link");
    let in_view = format!("(box => box.left >= 0 && box.top >= 0 && box.width > 1)({focus}.getBoundingClientRect())");
    page.wait(&in_view);
    page.press("Enter");
    page.wait(&format!("{focus}.id === 'content'"));
    page.press("Tab");
    let inside = page.eval(&format!("document.getElementById('content').contains({focus})"));
    assert_eq!(inside, true, "the next Tab is in the content: {}", page.eval(&format!("{focus}.outerHTML")));

    for section in &sections {
        page.goto(&dashboard.url("/"));
        let here = format!("{focus}.closest('nav') && {focus}.getAttribute('href') === '{section}'");
        let mut pressed = 0;
        while page.eval(&format!("!!({here})")) != true {
            assert!(pressed < 20, "{section} is not reached: {}", page.eval(&format!("{focus}.outerHTML")));
            page.press("Tab");
            pressed += 1;
        }
        let ring = page
            .eval(&format!("(s => s.outlineStyle !== 'none' || s.boxShadow !== 'none')(getComputedStyle({focus}))"));
        assert_eq!(ring, true, "{section}: where the focus is can be seen");
        page.follows(|page| page.press("Enter"));
        assert_eq!(page.text("location.pathname"), *section);
        assert_eq!(page.text("document.querySelector('nav [aria-current=page]').getAttribute('href')"), *section);
        assert_eq!(page.errors(), <[String; 0]>::default(), "{section}");
    }
}

/// What a person reads is printed, dark on white; what they would press is not.
#[test]
fn a_report_is_printed_without_what_is_for_the_screen() {
    let day = office_day_until_noon();
    let (mut dashboard, mut browser) = (day.serve(), Browser::launch());
    let mut page = dashboard.visit(&mut browser);
    page.scheme("dark");
    page.goto(&dashboard.url("/reports?by=tunnel"));
    page.wait_for("main table");
    let displayed = |page: &mut Page<'_>, what: &str| {
        let found = page.eval(&format!(
            "[...document.querySelectorAll('{what}')].filter(one => one.checkVisibility()).map(one => one.outerHTML)"
        ));
        found.as_array().unwrap().len()
    };
    let ink = "getComputedStyle(document.querySelector('main table')).color";
    let for_the_screen = ["header nav", "form.filter", "form.visitor", "a.button", "button"];
    for what in for_the_screen {
        assert!(displayed(&mut page, what) > 0, "{what} is on the screen");
    }
    let (rows, light) = (displayed(&mut page, "main tbody tr"), page.text(ink));
    assert!(rows > 2, "{}", page.shown());

    page.medium("print", "dark");
    for what in for_the_screen {
        assert_eq!(displayed(&mut page, what), 0, "{what} is printed");
    }
    assert_eq!(displayed(&mut page, "main tbody tr"), rows);
    assert_eq!(displayed(&mut page, "h1"), 1);
    assert_ne!(page.text(ink), light, "paper is white");
    assert_eq!(
        page.text("getComputedStyle(document.querySelector('main .scroll')).overflow"),
        "visible",
        "nothing is cut"
    );
}

/// Who is on, since when, with which address; which pool is the fullest; who had an address; why was somebody refused.
#[test]
fn the_questions_of_an_administrator_take_a_click_or_two() {
    let (day, mut browser) = (office_day_until_noon(), Browser::launch());
    let mut dashboard = day.serve();
    let mut page = dashboard.visit(&mut browser);
    page.viewport(1440, 900);
    assert_eq!(
        page.text("document.querySelector('.pools .name').textContent"),
        "staff",
        "the fullest pool is the first"
    );
    page.follows(|page| page.click("a.more[href='/sessions?live=1']"));
    let row =
        "[...document.querySelectorAll('tbody tr')].find(row => row.textContent.includes('CORP\\\\DORA')).innerText";
    let row = page.text(row);
    assert!(row.contains("13:26:09") && row.contains("10.20.16.96"), "{row}");
    page.follows(|page| page.click("nav a[href='/addresses']"));
    page.eval("document.querySelector('[name=address]').value = '10.20.16.9'");
    page.eval("document.querySelector('[name=at]').value = '2026-11-23T12:30'");
    page.follows(|page| page.click("#who-had button"));
    let answer = page.text("document.querySelector('.answer p').textContent");
    assert!(answer.contains(r"10.20.16.9 is held by CORP\LIVIA since 2026-11-23 06:35:19"), "{answer}");
    drop(page);

    let config = std::fs::read_to_string(root().join("examples/office-day.toml")).unwrap();
    let evening = Played::until("22:30:00", &config, &std::fs::read_to_string(office_day()).unwrap());
    let mut dashboard = evening.serve();
    let mut page = dashboard.visit(&mut browser);
    page.follows(|page| page.click("a[href^='/decisions?rule=ten']"));
    let row = page.text("document.querySelector('tbody tr').innerText");
    assert!(row.contains(r"CORP\PHILIP") && row.contains("the working-hours agreement"), "{row}");
    page.follows(|page| page.click("tbody a[href^='/decisions/']"));
    assert!(page.shown().contains("wanted at least 10h per day, found 10h 9m 55s this day"), "{}", page.shown());
}

const CONFIG: &str =
    "time_zone = \"UTC\"\ndefault_domain = \"CORP\"\ndefault.action = \"allow\"\nserver.name = \"VPN1\"\n";

/// What strangers can choose: names of users, domains and computers.
const HOSTILE: [&str; 12] = [
    "<img src=x onerror=alert(1)>",
    "'><script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "' onmouseover='alert(1)",
    "javascript:alert(1)",
    "{{7*7}} ${7*7} %3Cscript%3E",
    "../../login?next=//evil.example",
    "&lt;b&gt; &amp; &#x3c;",
    "\u{202e}nimda\u{202c} \u{200f}\u{2066}x",
    "e\u{301}\u{302}\u{303}\u{304}\u{305}\u{306}\u{307}\u{308} \u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467} \u{65e5}\u{672c}\u{8a9e}",
    "a?b=c&d=e#f",
    "WWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWW\
     WWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWW",
];

fn hostile_day() -> Played {
    let config = format!(
        "{CONFIG}[[rules]]\nname = '<b>no \"L2TP\"</b>'\naction = \"deny\"\ntunnels = [\"L2TP\"]\n\
         reason = \"</td><script>alert('rule')</script>\"\n"
    );
    let settings = "server VPN1\nday 2026-11-23T00:00:00Z\nserver-address 10.20.0.1\npool 10.20.0.2-10.20.0.254\n";
    let scenario = HOSTILE.iter().enumerate().fold(settings.to_owned(), |all, (n, name)| {
        let computer: String = name.chars().take(60).collect();
        let line = |label: &str, tunnel: &str, until: &str| {
            format!(
                "08:00:{n:02} connect {label}{n} user=\"{name}\" domain=\"<i>{n}</i>\" tunnel={tunnel} from=203.0.113.{n} \
                 computer=\"{computer}\" received=1000 {until}\n"
            )
        };
        all + &line("stays", "sstp", "until=12:00:00") + &line("refused", "l2tp", "until=12:00:00")
    });
    Played::until("09:00:00", &config, &scenario)
}

#[test]
fn hostile_names_are_shown_as_text() {
    let day = hostile_day();
    let (mut dashboard, mut browser) = (day.serve(), Browser::launch());
    let seen = every_page(&mut dashboard, &mut browser, None, Some("/users/"));
    seen.must_include(&["/", "/sessions", "/users", "/addresses", "/reports", "/sessions/*", "/users/*"]);
    let users = seen.texts.keys().filter(|path| path.starts_with("/users/")).count();
    assert_eq!(users, HOSTILE.len(), "each has a page: {:#?}", seen.texts.keys());
    // As text they are there, and no element was made of them.
    let text = seen.texts.values().cloned().collect::<Vec<_>>().join("\n").to_lowercase();
    for name in
        ["<img src=x onerror=alert(1)>", "</title><script>alert(1)</script>", "</td><script>alert('rule')</script>"]
    {
        assert!(text.contains(name), "{name}: {text}");
    }
    assert!(!text.contains('\u{202e}'), "marks that turn the text around are escaped");
    assert_eq!(seen.strange, <[String; 0]>::default());
    seen.must_be_sound();
}

/// The tests above find nothing wrong; this one shows that they would.
#[test]
fn what_is_wrong_with_a_page_is_noticed() {
    let address = faulty_page::serve();
    let mut browser = Browser::launch();
    let mut page = browser.page();
    page.viewport(360, 800);
    page.goto(&address);
    page.wait_for("#late");
    let errors = page.errors().join("\n");
    for expected in ["\"bad\" 7", "thrown", "/missing", "a dialog: \"hello\"", "Content Security Policy"] {
        assert!(errors.contains(expected), "{expected}: {errors}");
    }
    assert!(page.requests().iter().any(|url| url.starts_with("http://elsewhere.invalid/")), "{:?}", page.requests());
    assert!(page.octets() > 20_000, "{}", page.octets());
    let barriers = page.barriers(&browser::axe()).join("\n");
    for expected in ["image-alt", "color-contrast"] {
        assert!(barriers.contains(expected), "{expected}: {barriers}");
    }
    let (wider, out) = page.overhang();
    assert!(wider > 600 && out.iter().any(|one| one.contains("wide")), "{wider} {out:?}");
    assert_eq!(page.repeated_ids(), ["twice"]);
    let shift = page.shift();
    assert!(shift > 0.1, "{shift}");
    page.click("#button");
    page.wait("document.title === 'clicked'");
    page.scheme("dark");
    assert_eq!(page.eval("matchMedia('(prefers-color-scheme: dark)').matches"), true);
    assert_eq!(&page.screenshot(100_000)[8..12], b"WEBP");
}
