//! How examples/c-minimal answers, as `cargo xtask fixtures` builds it.
#![allow(clippy::unwrap_used)]

mod support;

use rasadmin_host::runner::{RunOptions, run};
use rasadmin_host::scenario::Scenario;
use rasadmin_host::{Options, Service};

const DAY: &str = r"server-address 10.20.0.1
pool 10.20.0.2-10.20.0.9
08:00:00 connect plain user=visitor tunnel=sstp from=203.0.113.1 until=09:00:00
08:00:01 connect domain user=CORP\Visitor tunnel=ikev2 from=203.0.113.1 until=09:00:00
08:00:02 connect upn user=visitor@corp.example tunnel=l2tp from=203.0.113.1 until=09:00:00
08:00:03 connect longer user=visitors tunnel=ikev2 from=203.0.113.1 until=09:00:00
08:00:04 connect shorter user=CORP\visit tunnel=sstp from=203.0.113.1 until=09:00:00
08:00:05 connect computer user=host/visitor tunnel=ikev2 from=203.0.113.1 until=09:00:00
08:30:00 reauthenticate longer quarantine=normal
";

#[test]
fn it_refuses_one_account_in_every_form_of_its_name() {
    let path = support::fixtures().join(format!("c-minimal{}", std::env::consts::DLL_SUFFIX));
    let scenario = Scenario::parse("day", DAY).unwrap();
    let service = Service::start(&[path], Options::new(scenario.pool.clone())).unwrap_or_else(|f| panic!("{f}"));
    let day = run(&service, &scenario, RunOptions::threads(1));
    service.stop().unwrap();
    let refused: Vec<_> = day.outcomes.iter().filter(|o| o.refused.is_some()).map(|o| o.session.as_str()).collect();
    assert_eq!(refused, ["plain", "domain", "upn"]);
    assert_eq!((day.reauthentications.accepted, day.reauthentications.rejected), (1, 0));
}
