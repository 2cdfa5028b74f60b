//! What an administrator should know about records that were ingested.

use super::IngestSummary;

impl IngestSummary {
    /// Each in a sentence without a full stop.
    pub fn warnings(&self) -> Vec<String> {
        let mut all = Vec::new();
        if self.reread {
            all.push(
                "the ledger did not match the journal, because one of them was restored, copied or replaced, or the \
                 journal has lost records: the journal was read again from its oldest record; nothing counts twice"
                    .to_owned(),
            );
        }
        if self.gaps > 0 {
            let gaps = count(self.gaps, "gap");
            all.push(format!(
                "records are missing from the journal ({gaps}): what happened then is not in the ledger; `rasadmin \
                 journal check` says which records are missing"
            ));
        }
        if self.unreadable > 0 {
            let records = count(self.unreadable, "record");
            all.push(format!(
                "{records} could not be read: left out; `rasadmin journal check` says which, and what to do"
            ));
        }
        if self.unknown > 0 {
            let parts = count(self.unknown, "part");
            all.push(format!(
                "a newer rasadmin.dll has written {parts} of records that this program does not know, and that are not \
                 in the ledger now; use the rasadmin that came with that DLL"
            ));
        }
        if let Some(error) = &self.cursor_not_written {
            let hint = error.kind.remedy().map(|hint| format!("; {hint}")).unwrap_or_default();
            all.push(format!(
                "the position of the ledger could not be written into the journal's folder, so old files stay there: \
                 {error}{hint}"
            ));
        }
        all
    }
}

fn count(number: u64, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_says_what_to_do() {
        assert!(IngestSummary { records: 7, ..IngestSummary::default() }.warnings().is_empty());
        let brought = IngestSummary { reread: true, gaps: 2, unreadable: 1, unknown: 3, ..IngestSummary::default() };
        let all = brought.warnings();
        assert_eq!(all.len(), 4, "{all:#?}");
        assert!(all[1].contains("2 gaps") && all[1].contains("rasadmin journal check"), "{}", all[1]);
        assert!(all[2].starts_with("1 record could not be read"), "{}", all[2]);
    }
}
