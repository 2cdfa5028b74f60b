//! The frame of every page.

use crate::assets::{ICON, SCRIPT, STYLE};
use crate::fault::Fault;
use crate::parts;
use crate::visitor::Visitor;
use axum::http::StatusCode;
use maud::{DOCTYPE, Markup, html};

/// The sections of the navigation: the address and the name.
const SECTIONS: [(&str, &str); 6] = [
    ("/", "Now"),
    ("/sessions", "Sessions"),
    ("/users", "Users"),
    ("/addresses", "Addresses"),
    ("/rules", "Rules"),
    ("/reports", "Reports"),
];

/// How often a page that cannot be shown yet looks again, in milliseconds.
const LOOK_AGAIN: u32 = 3_000;

/// A page for a visitor. `section` is the address of its place in the navigation.
pub fn page(visitor: &Visitor, server: &str, section: &str, title: &str, content: &Markup) -> Markup {
    frame(title, &visited(visitor, server, section, content))
}

fn visited(visitor: &Visitor, server: &str, section: &str, content: &Markup) -> Markup {
    html! {
        header.top {
            a.skip href="#content" { "Skip to the content" }
            a.brand href="/" { span.mark aria-hidden="true" {} "rasadmin" span.server { (server) } }
            nav aria-label="Sections" {
                @for (address, name) in SECTIONS {
                    a href=(address) aria-current=[(address == section).then_some("page")] { (name) }
                }
            }
            form.visitor method="post" action="/logout" {
                input type="hidden" name="csrf" value=(visitor.csrf);
                span.who { (visitor.name) }
                button.plain type="submit" { "Log out" }
            }
        }
        main #content tabindex="-1" { (content) }
    }
}

/// The same, of something that is still in progress: without its script, the browser loads it again after two seconds.
pub fn unfinished(visitor: &Visitor, server: &str, section: &str, title: &str, content: &Markup) -> Markup {
    with_head(
        title,
        &html! { noscript { meta http-equiv="refresh" content="2"; } },
        &visited(visitor, server, section, content),
    )
}

/// A page without a visitor, such as the login.
pub fn plain(title: &str, content: &Markup) -> Markup {
    frame(
        title,
        &html! {
            header.top { span.brand { span.mark aria-hidden="true" {} "rasadmin" } }
            main #content.narrow tabindex="-1" { (content) }
        },
    )
}

/// What is shown in place of a page that cannot be.
pub fn fault(fault: &Fault) -> Markup {
    let back = html! { p { a href="/" { "Back to the first page" } } };
    plain(heading(fault.status), &html! { (explained(fault)) (back) })
}

/// The same for a visitor, with the navigation. `again`: the address that the script asks again, until there is a page.
/// `asked`: whether a form asked for the page.
pub fn fault_for(
    visitor: &Visitor,
    server: &str,
    section: &str,
    fault: &Fault,
    again: Option<&str>,
    asked: bool,
) -> Markup {
    let every = again.map(|_| LOOK_AGAIN);
    let content = html! {
        section.card.change #live data-live=[again] data-every=[every] data-awaited[again.is_some()] {
            (explained(fault))
            @if again.is_some() { p.muted { "This page looks again by itself." } }
            @if asked && fault.status == StatusCode::BAD_REQUEST { p.muted { "Your browser’s Back button shows the form with what you typed." } }
        }
    };
    let (title, body) = (heading(fault.status), visited(visitor, server, section, &content));
    // Without the script, the browser loads the page again.
    let head = html! { @if again.is_some() { noscript { meta http-equiv="refresh" content="5"; } } };
    with_head(title, &head, &body)
}

fn explained(fault: &Fault) -> Markup {
    html! {
        h1 { (heading(fault.status)) }
        p { (parts::commands(&parts::sentence(&fault.what))) "." }
        p.muted { (parts::remedy(&parts::sentence(&fault.remedy))) "." }
    }
}

/// What a fault is, in a person's words.
const fn heading(status: StatusCode) -> &'static str {
    match status {
        StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY => "Not valid",
        StatusCode::UNAUTHORIZED => "Log in first",
        StatusCode::FORBIDDEN => "Not allowed",
        StatusCode::NOT_FOUND => "Not found",
        StatusCode::METHOD_NOT_ALLOWED | StatusCode::CONFLICT => "Not possible",
        StatusCode::PAYLOAD_TOO_LARGE => "Too long",
        StatusCode::MISDIRECTED_REQUEST => "Not served under this name",
        StatusCode::INTERNAL_SERVER_ERROR => "A bug in rasadmin",
        _ => "Not available now",
    }
}

fn frame(title: &str, body: &Markup) -> Markup {
    with_head(title, &html! {}, body)
}

fn with_head(title: &str, more: &Markup, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · rasadmin" }
                link rel="icon" type="image/svg+xml" href=(ICON.address);
                link rel="stylesheet" href=(STYLE.address);
                script src=(SCRIPT.address) defer {}
                (more)
            }
            body { (body) }
        }
    }
}
