//! Detects the format of a file.

use super::{civil, odbc};

/// The formats of RRAS's and NPS's logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// Database-compatible: one line of quoted fields for each record.
    Odbc,
    /// DTS compliant: `<Event>` elements.
    Dts,
    /// IAS (legacy).
    Ias,
}

impl Format {
    /// The name in the ledger.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Odbc => "odbc",
            Self::Dts => "dts",
            Self::Ias => "ias",
        }
    }
}

/// Detects the format from one line; `None` if the line does not tell.
pub fn format_of(line: &str) -> Option<Format> {
    let line = line.trim();
    if line.starts_with('<') {
        return Some(Format::Dts);
    }
    let mut first = Vec::new();
    // A damaged end of the line does not matter here.
    let _ = odbc::fields(line, |at, text| {
        if at < 6 {
            first.push(text.to_owned())
        }
        if at < 6 { Ok(()) } else { Err(String::new()) }
    });
    let [_, _, date, time, fifth, ..] = &first[..] else { return None };
    civil::date_time(date, time)?;
    Some(if fifth.parse::<u32>().is_ok() { Format::Odbc } else { Format::Ias })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_is_detected_from_a_line() {
        let cases = [
            (r#""CPU123","RAS",06/18/2024,14:45:48,4,"u",,"#, Some(Format::Odbc)),
            ("CPU123,RAS,06/18/2024,14:45:48,4", Some(Format::Odbc)),
            ("<Event><Timestamp", Some(Format::Dts)),
            ("<?xml version=\"1.0\"?>", Some(Format::Dts)),
            ("172.31.230.187,rajeshp,02/09/2000,23:18:00,IAS,RAJESHP2,6,2", Some(Format::Ias)),
            ("", None),
            ("time,user,address", None),
            ("2024-06-18 14:45:48 4 hello", None),
        ];
        for (line, format) in cases {
            assert_eq!(format_of(line), format, "{line}");
        }
    }
}
