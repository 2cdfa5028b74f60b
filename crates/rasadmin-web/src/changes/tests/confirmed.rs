//! Only what the page showed is done: something else has come in between, and the form is refused.

use super::dashboard::{Dashboard, Page, posted};
use super::*;

impl Dashboard {
    /// A form that is open in anna's browser, as it is sent with these fields more.
    fn opens(&self, address: &str, more: &[(&'static str, &'static str)]) -> impl Fn() -> Page {
        let (action, mut fields) = self.get(address).is(StatusCode::OK).form();
        fields.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        move || {
            let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            self.post(&action, &fields)
        }
    }

    /// Nothing was done, and the page asks again: its form, sent with these fields more.
    #[track_caller]
    fn asks_again(&self, page: Page, differences: &[&str], more: &[(&str, &str)]) -> Page {
        let page = page.is(StatusCode::CONFLICT);
        page.says("Nothing was done");
        for line in differences {
            page.says(line);
        }
        let (action, fields) = page.form();
        let fields = fields.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        self.post(&action, &fields.chain(more.iter().copied()).collect::<Vec<_>>())
    }

    /// Bob's session 3 ends. The address that it had.
    fn bob_leaves(&self) -> String {
        let given = self.address_of_bob();
        self.scene.end(3, "bob", "VPN0-3", &given);
        given
    }

    fn address_of_bob(&self) -> String {
        let state = self.scene.present();
        let bob = state.by_handle(3).unwrap().id;
        let number = state.leases_of(bob).next().unwrap().address.number;
        std::net::Ipv4Addr::from_bits(u32::try_from(number).unwrap()).to_string()
    }

    /// Otto, who is an operator too, does something meanwhile.
    fn otto_does(&self, address: &str, more: &[(&str, &str)]) {
        let otto = |request| self.send("otto", Role::Operator, request);
        let (action, fields) = otto(Request::get(address).body(Body::empty()).unwrap()).is(StatusCode::OK).form();
        let fields = fields.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let begun = otto(posted(&action, &fields.chain(more.iter().copied()).collect::<Vec<_>>()));
        let begun = begun.is(StatusCode::SEE_OTHER);
        otto(Request::get(&begun.location).body(Body::empty()).unwrap()).is(StatusCode::OK);
    }

    /// The events of the journal that somebody asked for.
    fn asked_for(&self) -> usize {
        let is_asked = |event: &Event| {
            matches!(
                event,
                Event::BeginBlock(_)
                    | Event::EndBlock { .. }
                    | Event::ReleaseAddress { .. }
                    | Event::CloseSession { .. }
            )
        };
        self.scene.records().iter().filter(|record| is_asked(&record.event)).count()
    }
}

#[test]
fn an_address_that_another_user_holds_meanwhile_is_not_released() {
    let dashboard = Dashboard::new();
    let address = dashboard.address_of_bob();
    let page = format!("/change/release?address={address}");
    let send = dashboard.opens(&page, &[("force", "yes")]);
    dashboard.bob_leaves();
    let taken = (10..20).any(|handle| {
        dashboard.scene.begin(handle, "dave", &format!("VPN0-{handle}")).is_ok_and(|given| given == address)
    });
    assert!(taken, "dave does not get {address}");
    // The ledger is behind: what counts is the journal.
    let says = [r"The address is held by CORP\DAVE meanwhile, and no longer by CORP\BOB", r"held by CORP\DAVE?"];
    let again = dashboard.asks_again(send(), &says, &[]).is(StatusCode::SEE_OTHER);
    assert_eq!(dashboard.asked_for(), 0);
    dashboard.get(&again.location).says(r"belongs to a live session of CORP\DAVE");
    dashboard.catch_up();
    let again = dashboard.asks_again(send(), &says, &[("force", "yes")]).is(StatusCode::SEE_OTHER);
    dashboard.get(&again.location).says(&format!(r"{address} is free: it was held by CORP\DAVE"));
}

#[test]
fn an_address_whose_user_leaves_and_comes_back_is_not_released() {
    let dashboard = Dashboard::new();
    let address = dashboard.address_of_bob();
    let page = format!("/change/release?address={address}");
    let send = dashboard.opens(&page, &[("force", "yes")]);
    dashboard.scene.wait(60);
    dashboard.bob_leaves();
    let gone = send().is(StatusCode::CONFLICT);
    gone.says("there is nothing to release: nothing was done");
    assert_eq!(dashboard.scene.begin(4, "bob", "VPN0-3"), Ok(address));
    dashboard.asks_again(send(), &[r"CORP\BOB has got the address again"], &[]).is(StatusCode::SEE_OTHER);
}

#[test]
fn a_session_that_was_not_shown_is_not_disconnected() {
    let dashboard = Dashboard::new();
    let all = dashboard.opens("/change/disconnect?user=bob", &[]);
    let one = dashboard.opens("/change/disconnect?session=1", &[]);
    let kept_away = dashboard.opens("/change/disconnect?session=1", &[("keep_away", "15m")]);
    dashboard.bob_leaves();
    dashboard.scene.begin(5, "bob", "VPN0-5").unwrap();
    dashboard.scene.begin(6, "alice", "VPN0-6").unwrap();
    dashboard.catch_up();
    let says =
        [r"Ended meanwhile: session 3 of CORP\BOB", r"Not on the page that you confirmed: session 4 of CORP\BOB"];
    let again = dashboard.asks_again(all(), &says, &[]).is(StatusCode::SEE_OTHER);
    dashboard.get(&again.location).says("Nobody was disconnected").says("disconnecting is switched off");
    // The user's other sessions matter only if they are disconnected too.
    one().is(StatusCode::SEE_OTHER);
    let says = [r"Not on the page that you confirmed: session 5 of CORP\ALICE", "2 other sessions of the user"];
    dashboard.asks_again(kept_away(), &says, &[]).is(StatusCode::SEE_OTHER);
    assert_eq!(dashboard.asked_for(), 0, "nobody is blocked by the form that was refused");
}

#[test]
fn a_session_that_begins_as_its_user_is_blocked_is_reported() {
    let dashboard = Dashboard::new();
    let mut fields = Fields::default();
    "3".clone_into(&mut fields.session);
    let proposal = Proposal::read(&dashboard.app, Kind::Disconnect, &fields).unwrap();
    dashboard.scene.begin(5, "bob", "VPN0-5").unwrap();
    let how = How { keep_away: true, ..How::default() };
    let outcome = apply::apply(&dashboard.app, &proposal, &how, "anna");
    let line = r"not disconnected, because the page did not show it: 1 newer session of CORP\BOB";
    assert_eq!(outcome.lines.last().map(String::as_str), Some(line), "{outcome:?}");
}

#[test]
fn a_block_that_was_not_shown_is_neither_replaced_nor_lifted() {
    let dashboard = Dashboard::new();
    let blocks = dashboard.opens("/change/block?user=bob", &[("length", "15m"), ("reason", "stolen <laptop>")]);
    dashboard.otto_does("/change/block?user=bob", &[("length", "lifted")]);
    assert_eq!(dashboard.asked_for(), 1);
    let says = ["There is a block meanwhile, until it is lifted", "This replaces the block since"];
    let refused = blocks();
    assert!(refused.html.contains(r#"value="stolen &lt;laptop&gt;""#), "the reason is kept: {}", refused.html);
    let again = dashboard.asks_again(refused, &says, &[("length", "15m")]).is(StatusCode::SEE_OTHER);
    dashboard.get(&again.location).says("This replaces the block since");
    assert_eq!(dashboard.asked_for(), 2);

    let (lifts, lifts_later) =
        (dashboard.opens("/change/unblock?user=bob", &[]), dashboard.opens("/change/unblock?user=bob", &[]));
    dashboard.otto_does("/change/block?user=bob", &[("length", "lifted")]);
    let says = ["Another block, until it is lifted, has replaced the block since"];
    let again = dashboard.asks_again(lifts(), &says, &[]).is(StatusCode::SEE_OTHER);
    dashboard.get(&again.location).says("is no longer blocked");
    assert_eq!(dashboard.asked_for(), 4);
    lifts_later().is(StatusCode::CONFLICT).says(r"CORP\BOB is not blocked: nothing was done");
}

#[test]
fn the_form_of_one_change_does_not_make_another() {
    let dashboard = Dashboard::new();
    let (_, fields) = dashboard.get("/change/disconnect?session=1").form();
    let once = fields.iter().find(|(name, _)| name == "once").unwrap().1.clone();
    for (address, named) in [
        ("/change/disconnect", ("session", "3")),
        ("/change/close", ("session", "1")),
        ("/change/block", ("user", "bob")),
    ] {
        let sent = dashboard.post(address, &[named, ("once", &once), ("length", "8h")]).is(StatusCode::CONFLICT);
        sent.says(r"The form belongs to the page of another change: Disconnect session 1 of CORP\ALICE");
    }
    assert_eq!(dashboard.asked_for(), 0);
}

#[test]
fn what_came_of_a_form_is_shown_after_many_other_pages() {
    let dashboard = Dashboard::new();
    let send = dashboard.opens("/change/block?user=bob", &[("length", "8h")]);
    let begun = send().is(StatusCode::SEE_OTHER);
    let never_sent = dashboard.opens("/change/block?user=alice", &[("length", "8h")]);
    for _ in 0..100 {
        dashboard.get("/change/block?user=bob").is(StatusCode::OK);
    }
    assert_eq!(send().is(StatusCode::SEE_OTHER).location, begun.location);
    let refused = never_sent().is(StatusCode::CONFLICT);
    refused.says("this request changed nothing").says("If the form was sent before, see the user");
    assert!(refused.html.contains(r#"href="/users/CORP%5CALICE""#), "{}", refused.html);
    assert_eq!(dashboard.asked_for(), 1);
}

#[test]
fn every_change_has_a_reason() {
    let dashboard = Dashboard::new();
    let release = format!("/change/release?address={}", dashboard.address_of_bob());
    dashboard.changes("/change/block?user=bob", &[("length", "8h")]);
    for page in [
        "/change/block?user=bob",
        "/change/disconnect?session=1",
        "/change/unblock?user=bob",
        "/change/close?session=1",
        &release,
    ] {
        let (action, fields) = dashboard.get(page).is(StatusCode::OK).form();
        let before = dashboard.scene.records().len();
        let fields = fields.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let fields: Vec<_> = fields.chain([("length", "8h"), ("reason", "  ")]).collect();
        let page = dashboard.post(&action, &fields).is(StatusCode::BAD_REQUEST);
        page.says("The reason is missing").says("nothing was done yet");
        assert_eq!(dashboard.scene.records().len(), before);
    }
}
