//! The axes around a chart. The inside is stretched to the width that there is; the words of the axes are not.

use super::rounded;
use maud::{Markup, html};

/// The inside, in the units of its drawing.
pub const WIDTH: f64 = 1000.0;
pub const HEIGHT: f64 = 190.0;
/// What is above it, so that the highest word fits.
const ABOVE: f64 = 10.0;

/// A chart.
pub struct Frame<'a> {
    /// What it is about.
    pub title: &'a str,
    /// The lines across, and their words.
    pub up: Vec<(f64, String)>,
    /// The words below.
    pub along: Vec<(f64, String)>,
    /// What is drawn.
    pub inside: &'a Markup,
}

impl Frame<'_> {
    /// Draws it.
    pub fn draw(&self) -> Markup {
        html! {
            svg.axes role="img" aria-label={ (self.title) ": the table below has the figures" } {
                @for (y, words) in &self.up {
                    line.grid x1="0" x2="100%" y1=(rounded(ABOVE + y)) y2=(rounded(ABOVE + y)) {}
                    text.axis x="-6" y=(rounded(ABOVE + y + 3.5)) text-anchor="end" { (words) }
                }
                @for (at, (x, words)) in self.along.iter().enumerate() {
                    @let anchor = if *x > WIDTH * 0.98 { "end" } else { "middle" };
                    text.axis.minor[at % 2 == 1] x={ (rounded(x / WIDTH * 100.0)) "%" } y=(ABOVE + HEIGHT + 16.0) text-anchor=(anchor) { (words) }
                }
                svg y=(ABOVE) width="100%" height=(HEIGHT) viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } preserveAspectRatio="none" { (self.inside) }
            }
        }
    }
}
