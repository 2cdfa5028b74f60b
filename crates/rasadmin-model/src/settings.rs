//! The configuration of a run: drawn, written as a file, and evaluated by brute force.

use crate::people::{DENIED_NETWORK, LISTED, PEOPLE, identity};
use crate::random::Random;
use crate::switches::Switches;
use rasadmin_engine::Identity;
use rasadmin_engine::addresses::Family;
use rasadmin_policy::addresses::text::show;
use std::fmt::Write;

/// The server's own address on the tunnels.
pub const SERVER_ADDRESS: u64 = 0x0a08_0001;

/// The first address of RRAS's own pool.
pub const RRAS_POOL: u64 = 0x0a08_0002;

/// The number of addresses in RRAS's own pool.
pub const RRAS_POOL_SIZE: u64 = 24;

/// The users that a group or rule names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Members {
    /// Everyone in a domain.
    Domain(&'static str),
    /// These users, by domain and name.
    These(Vec<(&'static str, &'static str)>),
}

/// A group.
#[derive(Clone, Debug)]
pub struct Group {
    /// Its name.
    pub name: &'static str,
    /// Its members.
    pub members: Members,
    /// Its pools, by family.
    pub pools: [Option<usize>; 2],
}

/// A pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pool {
    /// Its name.
    pub name: String,
    /// The address family.
    pub family: Family,
    /// The first number.
    pub first: u64,
    /// The last one.
    pub last: u64,
    /// The pool that serves after it.
    pub next: Option<usize>,
    /// RRAS's offer is kept when it is exhausted.
    pub keeps_offer: bool,
}

/// A reservation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reservation {
    /// The person, an index of `PEOPLE`.
    pub person: usize,
    /// The address family.
    pub family: Family,
    /// The number.
    pub number: u64,
}

/// How sessions are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reconnect {
    /// A session from the same computer is replaced.
    SameComputer,
    /// A session from the same public address is replaced.
    SameEndpoint,
    /// No session is replaced.
    Strict,
}

/// A configuration.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Groups, in the file's order.
    pub groups: Vec<Group>,
    /// Pools.
    pub pools: Vec<Pool>,
    /// The pools of other users, by family.
    pub default_pools: [Option<usize>; 2],
    /// Reservations.
    pub reservations: Vec<Reservation>,
    /// A user whose reservation is held gets nothing else.
    pub reservation_held_refuses: bool,
    /// A user gets the same address again.
    pub sticky: bool,
    /// How sessions are counted.
    pub reconnect: Reconnect,
    /// Users who are denied.
    pub denied: Option<Members>,
    /// Connections from [`DENIED_NETWORK`] are denied.
    pub denies_network: bool,
    /// PPTP is denied.
    pub denies_pptp: bool,
    /// Connections in quarantine are denied.
    pub denies_quarantine: bool,
    /// A user may have fewer sessions than this.
    pub user_limit: Option<u32>,
    /// The users of a group may have fewer than this together.
    pub group_limit: Option<(usize, u32)>,
    /// A user's limit in seconds per day.
    pub day_seconds: Option<u64>,
    /// A user's limit in octets per day.
    pub day_octets: Option<u64>,
    /// Users are denied when they cannot be recorded.
    pub refuses_unrecorded: bool,
}

impl Members {
    /// Is this user named?
    pub fn has(&self, user: &Identity) -> bool {
        match self {
            Self::Domain(domain) => user.domain.as_str() == *domain,
            Self::These(all) => all.iter().any(|&(domain, name)| identity(domain, name) == *user),
        }
    }

    fn write(&self) -> String {
        match self {
            Self::Domain(domain) => format!(r"'{domain}\*'"),
            Self::These(all) => {
                let all: Vec<_> = all.iter().map(|(domain, name)| format!(r"'{domain}\{name}'")).collect();
                all.join(", ")
            }
        }
    }

    fn draw(random: &mut Random) -> Self {
        match random.below(4) {
            0 => Self::Domain("CORP"),
            1 => Self::Domain("PARTNER"),
            _ => {
                let first = random.below(PEOPLE.len());
                let second = (first + 1 + random.below(PEOPLE.len() - 1)) % PEOPLE.len();
                let name = |person: usize| (PEOPLE[person].domain, PEOPLE[person].name);
                Self::These(vec![name(first), name(second)])
            }
        }
    }
}

impl Settings {
    /// Draws the settings of a run.
    pub fn draw(switches: &Switches, random: &mut Random) -> Self {
        let pools = pools(switches, random);
        let mut one_of = |of: usize| random.below(of) == 0;
        let v6 = pools.iter().position(|pool| pool.family == Family::Ipv6).filter(|_| one_of(2));
        let default_pools = [one_of(2).then_some(0), v6];
        let mut settings = Self {
            groups: Vec::new(),
            pools,
            default_pools,
            reservations: Vec::new(),
            reservation_held_refuses: one_of(4),
            sticky: !one_of(4),
            reconnect: match (one_of(2), one_of(2)) {
                (true, _) => Reconnect::SameComputer,
                (false, true) => Reconnect::SameEndpoint,
                (false, false) => Reconnect::Strict,
            },
            denied: None,
            denies_network: one_of(2),
            denies_pptp: one_of(3),
            denies_quarantine: one_of(2),
            user_limit: None,
            group_limit: None,
            day_seconds: None,
            day_octets: None,
            refuses_unrecorded: false,
        };
        settings.draw_groups(random);
        settings.draw_limits(random);
        settings.refuses_unrecorded = switches.unavailable && random.below(3) == 0;
        settings
    }

    fn draw_groups(&mut self, random: &mut Random) {
        let v4: Vec<usize> = (0..self.pools.len()).filter(|&at| self.pools[at].family == Family::Ipv4).collect();
        for name in ["g0", "g1", "g2"].into_iter().take(random.below(4)) {
            let pool = (random.below(2) == 0).then(|| v4[random.below(v4.len())]);
            self.groups.push(Group { name, members: Members::draw(random), pools: [pool, None] });
        }
        for _ in 0..random.below(4) {
            let person = random.below(PEOPLE.len());
            let number = match random.below(3) {
                // In a pool (which needs addresses for the other users too) or outside all pools.
                0 => self.pools[0].first + random.below(2) as u64,
                _ => 0x0a14_2000 + person as u64,
            };
            if self.reservations.iter().all(|other| other.person != person && other.number != number) {
                self.reservations.push(Reservation { person, family: Family::Ipv4, number });
            }
        }
    }

    fn draw_limits(&mut self, random: &mut Random) {
        if random.below(4) == 0 {
            self.denied = Some(Members::draw(random));
        }
        if random.below(2) == 0 {
            self.user_limit = Some(1 + random.below(3) as u32);
        }
        if !self.groups.is_empty() && random.below(2) == 0 {
            self.group_limit = Some((random.below(self.groups.len()), 1 + random.below(5) as u32));
        }
        if random.below(3) == 0 {
            self.day_seconds = Some(60 * (1 + random.below(300) as u64));
        }
        if random.below(4) == 0 {
            self.day_octets = Some(1_000_000 * (1 + random.below(100) as u64));
        }
    }

    /// Draws the changed settings that a reload brings.
    pub fn reshape(&self, switches: &Switches, random: &mut Random) -> Self {
        let fresh = Self::draw(switches, random);
        match random.below(3) {
            0 => fresh,
            1 => Self { pools: self.pools.clone(), ..fresh }.with_valid_pools(),
            _ => Self {
                user_limit: fresh.user_limit,
                day_seconds: fresh.day_seconds,
                reconnect: fresh.reconnect,
                denied: fresh.denied,
                ..self.clone()
            },
        }
    }

    /// Removes references to pools that do not exist or are of another family.
    fn with_valid_pools(mut self) -> Self {
        let families: Vec<Family> = self.pools.iter().map(|pool| pool.family).collect();
        let fits = |pool: Option<usize>, family| pool.filter(|&at| families.get(at) == Some(&family));
        let mend = |pools: [Option<usize>; 2]| [fits(pools[0], Family::Ipv4), fits(pools[1], Family::Ipv6)];
        self.default_pools = mend(self.default_pools);
        for group in &mut self.groups {
            group.pools = mend(group.pools);
        }
        self
    }

    /// The text of the configuration file.
    pub fn text(&self) -> String {
        let mut text = String::from("time_zone = \"UTC\"\ndefault_domain = \"CORP\"\n\n[domains]\n");
        for (domain, suffix) in LISTED {
            let _ = writeln!(text, "{domain} = [\"{suffix}\"]"); // To a String: cannot fail, context and below.
        }
        let _ = writeln!(text, "\n[server]\naddresses = [\"{}\"]", show(SERVER_ADDRESS, Family::Ipv4));
        for group in &self.groups {
            let _ = writeln!(text, "\n[groups.{}]\nusers = [{}]", group.name, group.members.write());
            self.write_pools(&mut text, group.pools);
        }
        self.write_rules(&mut text);
        let _ = writeln!(text, "\n[default]\naction = \"allow\"");
        if self.refuses_unrecorded {
            let _ = writeln!(text, "\n[journal]\nwhen_unrecorded = \"deny\"");
        }
        let reconnect = match self.reconnect {
            Reconnect::SameComputer => "same-computer",
            Reconnect::SameEndpoint => "same-endpoint",
            Reconnect::Strict => "strict",
        };
        let _ = writeln!(text, "\n[limits]\nreconnect = \"{reconnect}\"\n\n[addresses]");
        self.write_pools(&mut text, self.default_pools);
        let held = if self.reservation_held_refuses { "refuse" } else { "pool" };
        let _ = writeln!(text, "sticky = {}\nreservation_held = \"{held}\"", self.sticky);
        for pool in &self.pools {
            self.write_pool(&mut text, pool);
        }
        for Reservation { person, family, number } in &self.reservations {
            let (user, number) = (PEOPLE[*person], show(*number, *family));
            let _ =
                writeln!(text, "\n[[reservations]]\nuser = '{}\\{}'\naddress = \"{number}\"", user.domain, user.name);
        }
        text
    }

    fn write_pools(&self, text: &mut String, pools: [Option<usize>; 2]) {
        for (key, pool) in ["pool", "ipv6_pool"].into_iter().zip(pools) {
            if let Some(pool) = pool {
                let _ = writeln!(text, "{key} = \"{}\"", self.pools[pool].name);
            }
        }
    }

    fn write_pool(&self, text: &mut String, pool: &Pool) {
        let (first, last) = (show(pool.first, pool.family), show(pool.last, pool.family));
        let key = if pool.family == Family::Ipv4 { "addresses" } else { "identifiers" };
        let _ = writeln!(text, "\n[pools.{}]\n{key} = [\"{first}-{last}\"]", pool.name);
        if let Some(next) = pool.next {
            let _ = writeln!(text, "next = \"{}\"", self.pools[next].name);
        }
        if pool.keeps_offer {
            let _ = writeln!(text, "when_exhausted = \"keep-offer\"");
        }
    }

    fn write_rules(&self, text: &mut String) {
        let mut rule = |name: &str, conditions: &str| {
            let _ = writeln!(text, "\n[[rules]]\nname = \"{name}\"\naction = \"deny\"\n{conditions}");
        };
        if let Some(denied) = &self.denied {
            rule("denied users", &format!("users = [{}]", denied.write()));
        }
        if self.denies_network {
            rule("denied network", &format!("source_networks = [\"{}\"]", DENIED_NETWORK.0));
        }
        if self.denies_pptp {
            rule("no PPTP", "tunnels = [\"PPTP\"]");
        }
        if self.denies_quarantine {
            rule("quarantine", "quarantine = [\"quarantine\"]");
        }
        if let Some(limit) = self.user_limit {
            rule("user limit", &format!("user_sessions = {{ at_least = {limit} }}"));
        }
        if let Some((group, limit)) = self.group_limit {
            let name = self.groups[group].name;
            rule(
                "group limit",
                &format!("groups = [\"{name}\"]\ngroup_sessions = {{ group = \"{name}\", at_least = {limit} }}"),
            );
        }
        if let Some(seconds) = self.day_seconds {
            let minutes = seconds / 60;
            rule("day", &format!("connect_time = {{ per = \"day\", at_least = \"{minutes}m\" }}"));
        }
        if let Some(octets) = self.day_octets {
            rule("octets", &format!("octets = {{ per = \"day\", at_least = \"{octets}\" }}"));
        }
    }

    /// The pools that serve a user, in order. If empty, RRAS's offer is kept.
    pub fn chain(&self, user: Option<&Identity>, family: Family) -> Vec<usize> {
        let own = self.groups.iter().filter(|group| user.is_some_and(|user| group.members.has(user)));
        let first = own.filter_map(|group| group.pools[family.index()]).next();
        let mut next = first.or(self.default_pools[family.index()]);
        let mut chain = Vec::new();
        while let Some(pool) = next.filter(|pool| !chain.contains(pool)) {
            chain.push(pool);
            next = self.pools[pool].next;
        }
        chain
    }

    /// Does a pool give this number? It does not give reserved numbers.
    pub fn gives(&self, pool: usize, number: u64) -> bool {
        let pool = &self.pools[pool];
        (pool.first..=pool.last).contains(&number) && self.reserved_for(pool.family, number).is_none()
    }

    /// The pool that gives this number.
    pub fn pool_of(&self, family: Family, number: u64) -> Option<usize> {
        (0..self.pools.len()).find(|&at| self.pools[at].family == family && self.gives(at, number))
    }

    /// The user for whom a number is reserved.
    pub fn reserved_for(&self, family: Family, number: u64) -> Option<Identity> {
        let of = self.reservations.iter().find(|r| r.family == family && r.number == number)?;
        Some(PEOPLE[of.person].identity())
    }

    /// The number that is reserved for a user.
    pub fn reservation(&self, user: &Identity, family: Family) -> Option<u64> {
        let own = self.reservations.iter().find(|r| r.family == family && PEOPLE[r.person].identity() == *user);
        own.map(|reservation| reservation.number)
    }
}

fn pools(switches: &Switches, random: &mut Random) -> Vec<Pool> {
    // Beside RRAS's own pool, or within it.
    let base = if switches.pools_overlap { RRAS_POOL + 4 } else { 0x0a14_1010 };
    let mut pools = Vec::new();
    let mut first = base + random.below(3) as u64;
    for at in 0..1 + random.below(3) {
        let last = first + 2 + random.below(10) as u64;
        let (name, keeps_offer) = (format!("p{at}"), random.below(3) == 0);
        pools.push(Pool { name, family: Family::Ipv4, first, last, next: None, keeps_offer });
        first = last + 1 + random.below(2) as u64;
    }
    for at in 1..pools.len() {
        if random.below(2) == 0 {
            pools[at - 1].next = Some(at);
        }
    }
    if random.below(2) == 0 {
        let last = 0x1000 + 3 + random.below(12) as u64;
        let (name, family) = ("i0".to_owned(), Family::Ipv6);
        pools.push(Pool { name, family, first: 0x1000, last, next: None, keeps_offer: random.below(3) == 0 });
    }
    pools
}
