//! Groups of users.

use super::index::{Builder, UserIndex};
use super::{Fault, GroupId, UserPattern, parse_user};
use crate::addresses::PoolId;
use crate::{Domains, Identity, Name};
use std::collections::HashMap;

/// Who is in which group. A [`GroupId`] is a group's place in the file: the first is 0.
#[derive(Debug, Default)]
pub struct Groups {
    groups: Vec<Compiled>,
    by_name: HashMap<String, GroupId>,
    members: UserIndex,
}

#[derive(Debug)]
struct Compiled {
    name: String,
    /// IPv4, IPv6.
    pools: [Option<PoolId>; 2],
}

/// The groups in which a user is, in the order of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupSet(Vec<GroupId>);

impl GroupSet {
    /// Is this group one of them?
    pub fn contains(&self, group: GroupId) -> bool {
        self.0.binary_search(&group).is_ok()
    }

    /// Each of them, in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = GroupId> + '_ {
        self.0.iter().copied()
    }

    /// Is the user in none?
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<GroupId> for GroupSet {
    fn from_iter<I: IntoIterator<Item = GroupId>>(groups: I) -> Self {
        let mut groups: Vec<_> = groups.into_iter().collect();
        groups.sort_unstable();
        groups.dedup();
        Self(groups)
    }
}

/// Groups being made, one after the other: a [`GroupId`] is a group's place among them.
#[derive(Debug, Default)]
pub struct GroupsBuilder {
    groups: Groups,
    members: Builder,
    /// What stood for the domain in the line before, and whom that line named: a list has a million lines of one domain.
    before: Option<(String, Identity)>,
}

impl GroupsBuilder {
    /// Begins the next group, with its pools: IPv4, IPv6.
    pub fn group(&mut self, name: &str, pools: [Option<PoolId>; 2]) -> GroupId {
        let id = GroupId(self.groups.groups.len() as u32);
        self.groups.by_name.insert(name.to_owned(), id);
        self.groups.groups.push(Compiled { name: name.to_owned(), pools });
        id
    }

    /// Adds whom a text means ([`parse_user`]) to the group that was begun last.
    ///
    /// # Errors
    ///
    /// What is wrong with the text, and what would be right.
    pub fn member(&mut self, text: &str, domains: &Domains) -> Result<(), Fault> {
        let Some(group) = (self.groups.groups.len() as u32).checked_sub(1) else { return Ok(()) };
        let plain = plain(text);
        if let (Some((domain, name)), Some((before, user))) = (plain, &mut self.before)
            && domain == before
        {
            user.name = Name::plain(name);
            return self.members.add_exact(user, group);
        }
        match parse_user(text, domains)? {
            UserPattern::Exact(user) => {
                self.members.add_exact(&user, group)?;
                self.before = plain.map(|(domain, _)| (domain.to_owned(), user));
                Ok(())
            }
            pattern => self.members.add(pattern, group),
        }
    }

    /// All of them.
    pub fn build(self) -> Groups {
        Groups { members: self.members.build(), ..self.groups }
    }
}

/// `CORP\alice`, `alice@corp.example` or `alice` in ASCII, with nothing about it that needs a second look: what stands
/// for the domain, with its separator, and the name.
fn plain(text: &str) -> Option<(&str, &str)> {
    let usual = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let (mut separator, mut dots) = (None, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'\\' | b'@' if separator.is_none() => separator = Some((at, byte)),
            b'.' => dots = true,
            _ if usual(byte) => {}
            _ => return None,
        }
    }
    let (domain, name) = match separator {
        Some((at, b'@')) => (&text[at..], &text[..at]),
        Some((at, _)) => (&text[..=at], &text[at + 1..]),
        // It may be a computer's DNS name.
        None if dots => return None,
        None => ("", text),
    };
    (!name.is_empty() && domain.len() != 1).then_some((domain, name))
}

impl Groups {
    /// The group of a name.
    pub fn id(&self, name: &str) -> Option<GroupId> {
        self.by_name.get(name).copied()
    }

    /// A group's name; empty if there is no such group.
    pub fn name(&self, group: GroupId) -> &str {
        self.groups.get(group.0 as usize).map_or("", |group| &group.name)
    }

    /// All names, in the order of the file.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.groups.iter().map(|group| group.name.as_str())
    }

    /// A group's pools: IPv4, IPv6.
    pub fn pools(&self, group: GroupId) -> (Option<PoolId>, Option<PoolId>) {
        let [ipv4, ipv6] = self.groups.get(group.0 as usize).map_or([None; 2], |group| group.pools);
        (ipv4, ipv6)
    }

    /// The groups in which a user is.
    pub fn of(&self, user: &Identity) -> GroupSet {
        self.members.of(user).flatten().map(|&id| GroupId(id)).collect()
    }
}
