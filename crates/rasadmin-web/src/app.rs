//! The routes.

use crate::events::{self, Events};
use crate::fault::Fault;
use crate::{Source, api, assets, in_frame, layout, pages};
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use std::sync::Arc;

/// What every page may use.
pub struct App {
    /// Where the facts come from.
    pub source: Source,
    /// What tells browsers that the ledger has changed.
    pub events: Arc<Events>,
}

/// The application, as handlers get it.
pub type Shared = State<Arc<App>>;

impl App {
    /// The routes of all pages. They do not ask who the visitor is: `security` does, around all of them.
    pub fn routes(self: Arc<Self>) -> Router {
        let routes = Router::new()
            .route("/", get(pages::now::page))
            .route("/assets/{name}", get(assets::serve))
            .route("/addresses", get(pages::addresses::page))
            .route("/blocks", get(pages::blocks::page))
            .route("/rules", get(pages::rules::page))
            .route("/rules/explain", get(pages::rules::explain::page))
            .merge(pages::rules::what_if::routes())
            .route("/reports", get(pages::reports::page))
            .route("/reports.csv", get(pages::reports::csv))
            .route("/decisions", get(pages::decisions::page))
            .route("/decisions/{number}", get(pages::decision::page))
            .route("/sessions", get(pages::sessions::page))
            .route("/sessions/{session}", get(pages::session::page))
            .route("/users", get(pages::users::page))
            .route("/users/{user}", get(pages::user::page))
            .route("/events", get(events::stream))
            .merge(api::routes())
            .fallback(missing)
            .with_state(self.clone());
        in_frame::faults(routes, self)
    }

    /// Makes a page from the ledger. The work is done on a thread that may wait.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn work<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Self) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let turn = self.source.turn().await?;
        let app = self.clone();
        // Also if nobody waits for the answer any more, it is one of those that are made at once.
        tokio::task::spawn_blocking(move || turn.work(|| work(&app))).await?
    }
}

async fn missing() -> Fault {
    let remedy = "go to a page by its name above".to_owned();
    Fault { remedy, ..Fault::not_found("there is no page at this address") }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let mut answer = (self.status, layout::fault(&self)).into_response();
        // A visitor gets it in the frame of the other pages: see `in_frame`.
        answer.extensions_mut().insert(self);
        answer
    }
}
