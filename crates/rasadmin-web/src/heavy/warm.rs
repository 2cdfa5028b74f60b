//! What the first visitor would wait for is made when the dashboard starts: the pages as they are without a form filled in.

use super::{AskedUsers, USERS};
use crate::app::App;
use crate::pages::{now, reports};
use rasadmin_ledger::report::{GroupBy, UserOrder};
use std::time::Duration;

/// How long one of them may take before the next one begins to wait for its turn.
const LONGEST: Duration = Duration::from_secs(600);

/// Makes them, one after the other, until `stopped` says so. If the ledger cannot be read, the pages say why.
pub fn warm(app: &App, stopped: impl Fn() -> bool) {
    let users = |order| {
        let asked = AskedUsers { order, part: None, after: None, limit: USERS };
        drop(app.source.users(asked, LONGEST));
    };
    let steps: [&dyn Fn(); 4] = [
        &|| now::warm(app),
        &|| {
            if let Some((from, to)) = reports::this_month(app) {
                drop(app.source.sums(GroupBy::User, from, to, LONGEST));
            }
        },
        &|| users(UserOrder::Sessions),
        &|| users(UserOrder::Name),
    ];
    for step in steps {
        if stopped() {
            return;
        }
        step();
    }
}
