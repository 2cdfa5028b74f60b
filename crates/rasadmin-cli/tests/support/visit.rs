//! A visit to the dashboard: its pages, once they have all their figures, and what their tables have.

use crate::browser::{Browser, Page, axe};
use crate::dashboard::Dashboard;
use crate::forms;
use crate::sound::faults;
use serde_json::json;

/// The visitor of a dashboard, with what is asked of each page.
pub struct Visit<'b> {
    pub page: Page<'b>,
    address: String,
    axe: String,
}

impl<'b> Visit<'b> {
    pub fn begin(dashboard: &mut Dashboard, browser: &'b mut Browser) -> Self {
        let mut page = dashboard.visit(browser);
        page.viewport(1440, 900);
        Self { page, address: dashboard.address.clone(), axe: axe() }
    }

    pub fn open(&mut self, path: &str) {
        self.page.goto(&format!("{}{path}", self.address));
        self.is_ready();
    }

    /// Waits until figures that take longer are there.
    pub fn is_ready(&mut self) {
        self.page.wait("document.querySelector('main') && !document.querySelector('#live[data-every]')");
    }

    #[track_caller]
    pub fn is_sound(&mut self) {
        let faults = faults(&mut self.page, &self.address, &self.axe);
        assert_eq!(faults, <[String; 0]>::default(), "{}", self.page.text("location.href"));
    }

    /// Clicks the link, and waits for the page.
    #[track_caller]
    pub fn follow(&mut self, link: &str) {
        self.page.follows(|page| page.click(link));
        self.is_ready();
    }

    /// Sends the form. What is shown then must be sound.
    #[track_caller]
    pub fn send(&mut self, form: &str) {
        forms::send(&mut self.page, form);
        self.is_ready();
        self.is_sound();
    }

    /// What is in the column of the table, from top to bottom.
    #[track_caller]
    pub fn column(&mut self, table: &str, head: &str) -> Vec<String> {
        let cells = self.page.eval(&format!(
            "(table => {{ const at = [...table.tHead.rows[0].cells].findIndex(head => head.innerText.trim() === {});
                return [...table.tBodies[0].rows].map(row => row.cells[at].innerText.trim()); }})
                (document.querySelector({}))",
            json!(head),
            json!(format!("{table} table"))
        ));
        cells.as_array().unwrap().iter().map(|cell| cell.as_str().unwrap().to_owned()).collect()
    }

    /// Each cell of the column must be this.
    #[track_caller]
    pub fn all_are(&mut self, table: &str, head: &str, expected: &str) {
        let cells = self.column(table, head);
        assert!(!cells.is_empty() && cells.iter().all(|cell| cell == expected), "{expected}: {cells:?}");
    }
}
