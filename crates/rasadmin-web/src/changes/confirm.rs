//! The page that asks before a change.

use super::fields::LENGTHS;
use super::operator::Operator;
use super::proposal::{Held, Proposal, What};
use crate::parts;
use maud::{Markup, html};
use rasadmin_engine::effect::Block;
use rasadmin_ledger::report::SessionRow;
use rasadmin_pipe::LONGEST_REASON;

/// How many sessions are shown.
const SHOWN: usize = 10;

/// Why the page asks again.
#[derive(Default)]
pub struct Again {
    /// What has changed since the page before, in sentences.
    pub differences: Vec<String>,
    /// The reason that was typed there.
    pub reason: Option<String>,
}

/// The page. `once` is the token with which the form can be sent; `again` is empty if the page asks for the first time.
pub fn content(proposal: &Proposal, operator: &Operator, once: &str, again: &Again) -> Markup {
    let (back, _) = proposal.back();
    let (name, value) = proposal.named();
    html! {
        h1 tabindex="-1" autofocus { (parts::printable(&proposal.title())) "?" }
        @if !again.differences.is_empty() {
            section.attention.change role="alert" {
                h2 { "Nothing was done" }
                p { "Since you opened the page, something has changed. Look again, and confirm what is shown now:" }
                ul { @for line in &again.differences { li { (line) "." } } }
            }
        }
        section.card.change {
            h2 { "What happens" }
            (what_happens(proposal))
            form method="post" action={ "/change/" (proposal.kind().name()) } {
                input type="hidden" name="csrf" value=(operator.csrf);
                input type="hidden" name="once" value=(once);
                input type="hidden" name=(name) value=(value);
                (choices(proposal))
                p { label { "Reason"
                    input #reason name="reason" type="text" value=[again.reason.as_ref()] maxlength=(LONGEST_REASON) autocomplete="off" required;
                } }
                p.turn {
                    button.danger[!matches!(proposal.what, What::Unblock { .. })] type="submit" { (verb(&proposal.what)) }
                    a.button.plain href=(back) { "Cancel" }
                }
            }
        }
        (concerned(proposal))
        p.muted.foot { "times: " (proposal.zone.iana_name().unwrap_or("UTC")) "; recorded as asked by " (parts::printable(&operator.name)) ", through the dashboard" }
    }
}

fn verb(what: &What) -> &'static str {
    match what {
        What::Disconnect { .. } => "Disconnect",
        What::Block { .. } => "Block",
        What::Unblock { .. } => "Lift the block",
        What::Release { .. } => "Release",
        What::Close { .. } => "Close",
    }
}

fn what_happens(proposal: &Proposal) -> Markup {
    let on = &proposal.on;
    html! {
        @match &proposal.what {
            What::Disconnect { sessions, .. } => {
                p { "RRAS on " (on) " ends " @if sessions.len() == 1 { "the connection" } @else { "the connections" } ". The client may connect again: Always On clients do so within seconds." }
            }
            What::Block { subject, sessions, block, doubt } => {
                p { (on) " refuses " (subject.shown()) " before any rule, from now on"
                    @if sessions.is_empty() { "." } @else { ", and " (parts::count(sessions.len() as u64, "live session")) " " @if sessions.len() == 1 { "is" } @else { "are" } " disconnected." }
                }
                @if let Some(doubt) = doubt { p.error { (doubt) } }
                @if let Some(caution) = subject.caution() { p.muted { (caution) } }
                @if let Some(block) = block { p { "This replaces the block " (of_block(block, proposal)) "." } }
            }
            What::Unblock { subject, block } => {
                p { "The rules decide again whether " (subject.shown()) " may connect to " (on) "." }
                @if let Some(block) = block { p { "The block: " (of_block(block, proposal)) "." } }
                @if let (None, Some(why)) = (block, &proposal.unknown) { p.muted { "Whether there is a block is not known here: " (parts::printable(why)) "." } }
            }
            What::Release { held, .. } => {
                p { "The lease ends, and the address can be given to another user. Use this if RRAS has forgotten a connection, but the journal has not." }
                @if let Some(live) = &held.live {
                    p.error { @if let Some(number) = live.number { "The live session " a href={ "/sessions/" (number) } { (number) } } @else { "A live session" } " has the address: disconnect it first. RRAS refuses the address to others (error 735) until that connection ends." }
                }
            }
            What::Close { .. } => {
                p { "The journal and the ledger record that the session has ended, with the cause Admin-Reset, and its addresses are free. Use this if it still counts although RRAS no longer has it." }
                p.error { "Nobody is disconnected: RRAS does not learn of it. A user who is still connected stays connected, but no longer counts." }
            }
        }
    }
}

/// Since when, until when, by whom, and why.
fn of_block(block: &Block, proposal: &Proposal) -> Markup {
    html! {
        "since " (parts::time(block.since, &proposal.zone)) ", "
        @match block.until { Some(until) => { "until " (parts::time(until, &proposal.zone)) } None => "until it is lifted" }
        @if let Some(by) = &block.by { ", by " (parts::printable(by)) }
        @if let Some(reason) = &block.reason { " (" (parts::printable(reason)) ")" }
    }
}

/// What is chosen in the form.
fn choices(proposal: &Proposal) -> Markup {
    html! {
        @match &proposal.what {
            What::Disconnect { user: Some(user), others, .. } => {
                label.check {
                    input #keep-away name="keep_away" type="checkbox" value="15m" aria-describedby="kept";
                    span { "Keep " (user.shown()) " away for 15 minutes" }
                }
                p.muted #kept { "Recommended: without it, an Always On client is back at once. The user is blocked first"
                    @if !others.is_empty() { ", and " (parts::count(others.len() as u64, "other session")) " of the user " @if others.len() == 1 { "is" } @else { "are" } " disconnected too" }
                    "; a block that lasts longer stays."
                }
            }
            What::Block { .. } => fieldset {
                legend { "The block lasts" }
                @for (at, (word, name, _)) in LENGTHS.iter().enumerate() {
                    label.check { input name="length" type="radio" value=(word) required checked[at == 1]; span { (name) } }
                }
            },
            What::Release { held, .. } if held.live.is_some() => label.check {
                input #force name="force" type="checkbox" value="yes";
                span { "Release it although a live session has it" }
            },
            _ => {}
        }
    }
}

/// Whom it concerns.
fn concerned(proposal: &Proposal) -> Markup {
    match &proposal.what {
        What::Disconnect { sessions, others, all, .. } => html! {
            (table(if *all { "The sessions" } else { "The session" }, sessions, proposal))
            @if !others.is_empty() { (table("Other sessions of the user", others, proposal)) }
        },
        What::Block { sessions, .. } if sessions.is_empty() => html! {
            section.card { h2 { "Live sessions" } p.empty { @if proposal.unknown.is_some() { "Not known here." } @else { "None." } } }
        },
        What::Block { sessions, .. } => table("Live sessions", sessions, proposal),
        What::Close { session } => table("The session", std::slice::from_ref(&**session), proposal),
        What::Release { address, held } => lease(&address.to_string(), held, proposal),
        What::Unblock { .. } => html! {},
    }
}

fn lease(address: &str, held: &Held, proposal: &Proposal) -> Markup {
    let user = held.user.as_ref();
    html! {
        section.card {
            h2 { "The lease" }
            dl.facts {
                dt { "Address" } dd.code { (address) }
                dt { "User" } dd { (parts::user(user.map(|user| &user.domain), user.map(|user| &user.name), &held.user_name)) }
                dt { "Since" } dd { (parts::time(held.began, &proposal.zone)) }
                dt { "Port" } dd { (parts::text(held.port.as_str())) }
                @if let Some(pool) = &held.pool { dt { "Pool" } dd { (parts::printable(pool)) } }
            }
        }
    }
}

fn table(title: &str, sessions: &[SessionRow], proposal: &Proposal) -> Markup {
    html! {
        section.card {
            h2 { (title) }
            div.scroll tabindex="0" role="region" aria-label=(title) { table {
                thead { tr {
                    th.number scope="col" { "session" } th scope="col" { "user" } th scope="col" { "since" }
                    th scope="col" { "address" } th scope="col" { "from" } th scope="col" { "computer" }
                } }
                tbody { @for row in sessions.iter().take(SHOWN) { tr {
                    th.number scope="row" { a href={ "/sessions/" (row.id) } { (row.id) } }
                    td { (parts::user(row.domain.as_ref(), row.name.as_ref(), &row.user_name)) }
                    td { (parts::time(row.acct_start_time, &proposal.zone)) }
                    td.code { (parts::text(row.framed_ip_address.as_deref().or(row.framed_interface_id.as_deref()).unwrap_or_default())) }
                    td.code { (parts::text(&row.calling_station_id)) }
                    td { (parts::text(row.remote_computer.as_str())) }
                } } }
            } }
            @if sessions.len() > SHOWN { p.muted { (sessions.len() - SHOWN) " more" } }
        }
    }
}
