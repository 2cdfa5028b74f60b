//! Would a user get in? The rasadmin service answers: it knows who is connected, and what each user has used.

mod answer;

use crate::app::{App, Shared};
use crate::doubt;
use crate::fault::Fault;
use crate::pages::asked::{self, Asked};
use crate::visitor::Visitor;
use crate::{layout, parts};
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::tz::TimeZone;
use maud::{Markup, html};
use rasadmin_answers::explain::Received;
use rasadmin_pipe::{Connecting, Request};
use rasadmin_policy::Tunnel;
use serde::Deserialize;
use std::str::FromStr;

/// The words of `quarantine`, the usual one first.
const QUARANTINES: [&str; 4] = ["normal", "quarantine", "probation", "not-capable"];

/// The words of `interface`, the usual one first.
const INTERFACES: [&str; 5] = ["client", "home-router", "full-router", "dedicated", "other"];

/// What is asked, as the form sends it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Query {
    user: String,
    domain: String,
    tunnel: String,
    at: String,
    source: String,
    computer: String,
    port: String,
    quarantine: String,
    interface: String,
    offer: String,
    ipv6: String,
}

/// The page.
pub async fn page(
    State(app): Shared,
    Extension(visitor): Extension<Visitor>,
    query: Asked<Query>,
) -> Result<Response, Fault> {
    let query = asked::query(query)?;
    let asked = query.clone();
    let config = app.source.config();
    let (answer, doubt) = app
        .work(move |app| {
            let answer = asked.ask(app);
            let user = answer.as_ref().ok().and_then(|answer| answer.as_ref()?.user());
            // The answer is shown even if the ledger cannot be read.
            let doubt = user.and_then(|user| doubt::of_user(app, user).ok().flatten());
            Ok((answer, doubt))
        })
        .await?;
    let status = answer.as_ref().err().map_or(StatusCode::OK, |fault| fault.status);
    let server = config.server.as_ref().map(ToString::to_string).unwrap_or_default();
    let content = html! {
        h1 { "Would a user get in?" }
        (query.form(&config.zone))
        @match &answer {
            Ok(Some(answer)) => {
                @if let Some(doubt) = &doubt { p.error { (doubt) } }
                (answer::content(&query, answer, &config.zone))
            }
            Ok(None) => p.empty { "The answer says what would happen, stage by stage, and what each rule says. Nothing is changed, and nobody is connected. What you leave out counts as absent." },
            Err(fault) => (unanswered(fault)),
        }
    };
    Ok((status, layout::page(&visitor, &server, "/rules", "Explain", &content)).into_response())
}

/// Why there is no answer, and what to do about it. The form keeps what was typed.
pub(super) fn unanswered(fault: &Fault) -> Markup {
    html! {
        section.attention role="alert" {
            h2 { "There is no answer" }
            p { (parts::commands(&parts::sentence(&fault.what))) "." }
            p.remedy { (parts::remedy(&parts::sentence(&fault.remedy))) "." }
        }
    }
}

impl Query {
    /// Asks the service. None if nothing was asked.
    fn ask(&self, app: &App) -> Result<Option<Received>, Fault> {
        let Some(connecting) = self.connecting(&app.source.config().zone)? else { return Ok(None) };
        Ok(Some(app.source.service(&Request::Explain(connecting))?))
    }

    /// The question. None if no user is named.
    fn connecting(&self, zone: &TimeZone) -> Result<Option<Connecting>, Fault> {
        let Some(user) = asked::given(&self.user) else { return Ok(None) };
        let text = |field: &str| asked::given(field).map(str::to_owned);
        let tunnels = Tunnel::ALL.map(|tunnel| (tunnel.name(), tunnel));
        let tunnel = asked::given(&self.tunnel).map(|tunnel| asked::word("tunnel", tunnel, &tunnels)).transpose()?;
        Ok(Some(Connecting {
            user: user.to_owned(),
            domain: text(&self.domain),
            tunnel: tunnel.map(|(name, _)| name.to_owned()),
            source: address(&self.source, "203.0.113.9 or 2001:db8::9")?,
            computer: text(&self.computer),
            port: text(&self.port),
            at: asked::given(&self.at).map(|at| asked::moment(at, zone)).transpose()?,
            quarantine: Some(word("quarantine state", &self.quarantine, &QUARANTINES)?),
            interface: Some(word("interface", &self.interface, &INTERFACES)?),
            offer: address(&self.offer, "10.20.16.9")?,
            ipv6: asked::given(&self.ipv6).is_some(),
        }))
    }

    /// The same question with a tunnel.
    fn with_tunnel(&self, tunnel: &str) -> String {
        let fields = [
            ("user", &*self.user),
            ("domain", &self.domain),
            ("tunnel", tunnel),
            ("at", &self.at),
            ("source", &self.source),
            ("computer", &self.computer),
            ("port", &self.port),
            ("quarantine", &self.quarantine),
            ("interface", &self.interface),
            ("offer", &self.offer),
            ("ipv6", &self.ipv6),
        ];
        asked::address("/rules/explain", &fields.map(|(name, value)| (name, value.trim())))
    }

    fn form(&self, zone: &TimeZone) -> Markup {
        let more = [&self.domain, &self.port, &self.quarantine, &self.interface, &self.offer, &self.ipv6];
        let usual = ["", QUARANTINES[0], INTERFACES[0]];
        let is_more = more.iter().any(|field| !usual.contains(&field.trim()));
        html! {
            form.card.question method="get" action="/rules/explain" {
                h2.sr { "The question" }
                div.filter {
                    label { "User" input type="text" name="user" value=(self.user.trim()) placeholder="alice, CORP\\alice" required maxlength="256" autocomplete="off" spellcheck="false" autofocus[self.user.is_empty()]; }
                    label { "Tunnel" select name="tunnel" {
                        option value="" { "each of them" }
                        @for tunnel in Tunnel::ALL { option value=(tunnel.name()) selected[self.tunnel.trim() == tunnel.name()] { (tunnel.name()) } }
                    } }
                    label { "At, in " (zone.iana_name().unwrap_or("UTC")) " (empty: now)" input type="datetime-local" name="at" value=(self.at.trim()); }
                    label { "From, public address" input type="text" name="source" value=(self.source.trim()) placeholder="203.0.113.9" maxlength="64" autocomplete="off" spellcheck="false"; }
                    label { "Computer" input type="text" name="computer" value=(self.computer.trim()) placeholder="LAPTOP-7" maxlength="256" autocomplete="off" spellcheck="false"; }
                }
                details open[is_more] {
                    summary { "More about the connection" }
                    div.filter {
                        label { "Logon domain" input type="text" name="domain" value=(self.domain.trim()) maxlength="256" autocomplete="off" spellcheck="false"; }
                        label { "Port" input type="text" name="port" value=(self.port.trim()) placeholder="VPN2-127" maxlength="256" autocomplete="off" spellcheck="false"; }
                        (select("Quarantine", "quarantine", &self.quarantine, &QUARANTINES))
                        (select("Interface", "interface", &self.interface, &INTERFACES))
                        label { "RRAS would offer" input type="text" name="offer" value=(self.offer.trim()) placeholder="10.20.16.9" maxlength="64" autocomplete="off" spellcheck="false"; }
                        label.check { input type="checkbox" name="ipv6" value="1" checked[!self.ipv6.is_empty()]; "IPv6 too" }
                    }
                }
                button type="submit" { "Explain" }
            }
        }
    }
}

fn select(title: &str, name: &str, value: &str, words: &[&str]) -> Markup {
    html! {
        label { (title) select name=(name) {
            @for word in words { option value=(word) selected[value.trim() == *word] { (word) } }
        } }
    }
}

fn address<T: FromStr>(text: &str, example: &str) -> Result<Option<T>, Fault> {
    let not_an_address = |text: &str| {
        let what = format!("`{}` is not an address", parts::printable(text));
        Fault::bad_request(what, format_args!("write one like {example}, or leave it out"))
    };
    asked::given(text).map(|text| text.parse().map_err(|_| not_an_address(text))).transpose()
}

fn word(what: &str, asked: &str, words: &[&'static str]) -> Result<String, Fault> {
    let words: Vec<_> = words.iter().map(|word| (*word, ())).collect();
    Ok(asked::word(what, asked, &words)?.0.to_owned())
}
