//! What a page shows in place of figures that are being made.

use crate::chart;
use crate::heavy::Share;
use maud::{Markup, html};

/// How often a browser looks again, in milliseconds.
pub const EVERY: u32 = 1_000;

/// The card. The script fetches it again; without a script the browser loads the page again.
pub fn card(share: Share, address: &str) -> Markup {
    let words = share.words();
    html! {
        section.card {
            h2 { "The figures are being made" }
            p role="status" { "A large ledger takes a while: " (words) ". They are shown here when they are ready." }
            (chart::bar(share.done, share.all.max(1), &words))
            noscript { p { a href=(address) { "Look again" } } }
        }
    }
}
