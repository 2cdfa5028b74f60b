//! Reservations: of the configuration, and of a file in which each line has a user and an address.

use super::Mistake;
use super::file::{At, File};
use super::fitness::unfit;
use crate::addresses::{Address, Family, Reservation, text};
use crate::rules::{Fault, parse_exact};
use crate::shorten::shortened;
use crate::{Domains, Identity, Name};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::net::Ipv4Addr;

/// A reservation as it is written.
#[derive(Clone, Copy, Debug, Default)]
struct Entry<'a> {
    user: &'a str,
    address: Option<&'a str>,
    identifier: Option<&'a str>,
    server: Option<&'a str>,
}

/// A part of a reservation that can be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    User,
    Address,
    Identifier,
}

/// The reservations so far.
#[derive(Debug, Default)]
pub(super) struct Reservations {
    pub by_user: HashMap<Identity, Vec<Reservation>>,
    pub reserved: BTreeSet<Address>,
    /// What the configuration itself reserves, if nobody must learn what its file does.
    pub own: Option<BTreeSet<Address>>,
    /// The server's own addresses.
    pub server: BTreeSet<Ipv4Addr>,
    /// For which servers an address is reserved. An entry is made for each reservation, so that many of one address cost
    /// no more than as many of different ones.
    holders: HashSet<(Address, Option<Name>)>,
    /// For which servers a user has a reservation.
    users: HashSet<(Identity, Option<Name>)>,
    /// How many lines of files there are.
    lines: usize,
}

/// The limit for the lines of a file. RRAS waits while they are compiled.
const MAX_LINES: usize = 100_000;

impl Reservations {
    /// Adds the reservations that are in the configuration itself.
    pub fn of_configuration(&mut self, file: &File, domains: &Domains, mistakes: &mut Vec<Mistake>) {
        let text = |text: &'_ Option<At<String>>| text.as_ref().map(|text| text.get_ref().clone());
        for reservation in file.reservations.iter().map(At::get_ref) {
            let [address, identifier, server] =
                [&reservation.address, &reservation.identifier, &reservation.server].map(text);
            let entry = Entry {
                user: reservation.user.get_ref(),
                address: address.as_deref(),
                identifier: identifier.as_deref(),
                server: server.as_deref(),
            };
            for (part, (what, help)) in self.add(&entry, domains) {
                let place = match part {
                    Part::User => None,
                    Part::Address => reservation.address.as_ref(),
                    Part::Identifier => reservation.identifier.as_ref(),
                };
                mistakes.push(Mistake::at(place.unwrap_or(&reservation.user).span(), what, help));
            }
        }
    }

    /// Adds a reservation, and returns what is wrong with it.
    fn add(&mut self, entry: &Entry<'_>, domains: &Domains) -> Vec<(Part, Fault)> {
        let mut faults = Vec::new();
        let mut wrong = |part, what: String, help: &str| faults.push((part, (what, help.to_owned())));
        let server = entry.server.map(|server| Name::new(server).folded());
        let user = match parse_exact(entry.user, domains) {
            Ok(user) => Some(user),
            Err((what, help)) => {
                wrong(Part::User, what, &help);
                None
            }
        };
        if entry.address.is_none() && entry.identifier.is_none() {
            let what = "a reservation needs an `address` or an `identifier`, or both";
            wrong(Part::User, what.to_owned(), "write address = \"10.20.16.9\"");
        }
        let mut numbers = [None, None];
        let given = [(entry.address, Family::Ipv4, Part::Address), (entry.identifier, Family::Ipv6, Part::Identifier)];
        for (at, (text, family, part)) in given.into_iter().enumerate() {
            let Some(text) = text else { continue };
            let number = match text::parse_address(text, family) {
                Ok(number) => number,
                Err((what, help)) => {
                    wrong(part, what, &help);
                    continue;
                }
            };
            numbers[at] = Some(number);
            let address = Address { family, number };
            let others = !self.reserved.insert(address);
            if let Some((what, _)) = unfit(&self.server, family, number, number) {
                wrong(part, what, "reserve another one");
            }
            // Without a server it is reserved on all.
            let of_all = self.holders.contains(&(address, None));
            let of_same = !self.holders.insert((address, server.clone()));
            if others && (of_all || of_same || server.is_none()) {
                wrong(part, format!("{text} is reserved twice"), "an address can be reserved for one user only");
            }
        }
        let Some(user) = user else { return faults };
        if !self.users.insert((user.clone(), server.clone())) {
            let what = format!("`{}` already has a reservation", shortened(entry.user));
            wrong(Part::User, what, "put both addresses into one reservation, or name different servers");
        }
        self.by_user.entry(user).or_default().push(Reservation { server, ipv4: numbers[0], ipv6: numbers[1] });
        faults
    }

    /// Adds the reservation of a line: `CORP\alice,10.20.16.9`.
    pub fn line(&mut self, text: &str, columns: &mut Columns, domains: &Domains) -> Result<(), Fault> {
        self.lines += 1;
        if self.lines > MAX_LINES {
            let help = "leave out the reservations that nobody needs".to_owned();
            return Err((format!("there are more than {MAX_LINES} lines"), help));
        }
        let fields = fields(text);
        if matches!(columns, Columns::Open) {
            if Column::is_header(&fields) {
                let named = Column::header(&fields);
                *columns = named.as_ref().map_or(Columns::Wrong, |named| Columns::Known(named.clone()));
                return named.map(drop);
            }
            *columns = Columns::Known(Column::ALL.to_vec());
        }
        // The first line explains it. A mistake in each other line would hide those of other files.
        let Columns::Known(columns) = columns else { return Ok(()) };
        if fields.len() > columns.len() {
            return Err((format!("the line has {} columns", fields.len()), Column::HELP.to_owned()));
        }
        let mut entry = Entry::default();
        for (field, column) in fields.iter().zip(columns.iter()).filter(|(field, _)| !field.is_empty()) {
            match column {
                Column::User => entry.user = field,
                Column::Address => entry.address = Some(field),
                Column::Identifier => entry.identifier = Some(field),
                Column::Server => entry.server = Some(field),
            }
        }
        if entry.address.is_none() && entry.identifier.is_none() {
            return Err((format!("`{}` gets no address", shortened(entry.user)), Column::HELP.to_owned()));
        }
        self.add(&entry, domains).into_iter().next().map_or(Ok(()), |(_, fault)| Err(fault))
    }
}

/// The columns of a file.
#[derive(Debug, Default)]
pub(super) enum Columns {
    /// Before the first line.
    #[default]
    Open,
    Known(Vec<Column>),
    /// The first line names unknown columns, so the other lines cannot be understood.
    Wrong,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    User,
    Address,
    Identifier,
    Server,
}

impl Column {
    /// In their order, if the file does not begin with their names.
    const ALL: [Self; 4] = [Self::User, Self::Address, Self::Identifier, Self::Server];

    const HELP: &'static str = "write user,address, or also identifier and server; a first line can name the columns";

    fn of(name: &str) -> Option<Self> {
        let names = ["user", "address", "identifier", "server"];
        let at = names.iter().position(|known| known.eq_ignore_ascii_case(name))?;
        Self::ALL.get(at).copied()
    }

    /// Does a first line name columns? No user and no address is called like a column.
    fn is_header(fields: &[String]) -> bool {
        fields.iter().any(|field| Self::of(field) == Some(Self::User) || Self::meant(field).is_some())
    }

    fn header(names: &[String]) -> Result<Vec<Self>, Fault> {
        let column = |name: &String| {
            Self::of(name).ok_or_else(|| {
                let what = format!("there is no column `{}`; the other lines are not read", shortened(name));
                let columns = "the columns are user, address, identifier and server";
                let meant = Self::meant(name).map_or(columns.to_owned(), |meant| format!("write `{meant}`; {columns}"));
                (what, meant)
            })
        };
        names.iter().map(column).collect()
    }

    /// The column that another word for it stands for: `Username`, `IP address`.
    fn meant(name: &str) -> Option<&'static str> {
        let word: String = name.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect();
        Some(match word.as_str() {
            "username" | "users" | "login" | "account" | "accountname" | "samaccountname" => "user",
            "ip" | "ipv4" | "ipaddress" | "ipv4address" | "framedipaddress" | "addresses" => "address",
            "ipv6" | "ipv6address" | "interfaceid" | "interfaceidentifier" => "identifier",
            "host" | "hostname" | "servername" | "vpnserver" | "nas" => "server",
            _ => return None,
        })
    }
}

/// The fields of a line, separated by commas, semicolons (as Excel writes them in some countries) or tabs. A field may
/// be in double quotes.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let (mut quoted, mut chars) = (false, line.chars().peekable());
    while let Some(c) = chars.next() {
        let Some(field) = fields.last_mut() else { break };
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => field.extend(chars.next()),
            '"' if quoted || field.trim().is_empty() => quoted = !quoted,
            ',' | ';' | '\t' if !quoted => fields.push(String::new()),
            c => field.push(c),
        }
    }
    fields.iter_mut().for_each(|field| *field = field.trim().to_owned());
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_separated_as_spreadsheets_do() {
        assert_eq!(fields(r"CORP\alice,10.1.0.9"), [r"CORP\alice", "10.1.0.9"]);
        assert_eq!(fields(r#" "CORP\a, b" ; 10.1.0.9"#), [r"CORP\a, b", "10.1.0.9"]);
        assert_eq!(fields("a\t\"x \"\"y\"\"\"\t"), ["a", "x \"y\"", ""]);
        assert_eq!(fields("a,,::7"), ["a", "", "::7"]);
    }
}
