//! Who may change something.

use crate::fault::Fault;
use crate::visitor::{Role, Visitor};
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::Response;
use std::ops::Deref;

/// A visitor who may change something. Only [`require`] makes one, so a handler that takes it cannot forget the check.
#[derive(Clone, Debug)]
pub struct Operator(Visitor);

impl Deref for Operator {
    type Target = Visitor;

    fn deref(&self) -> &Visitor {
        &self.0
    }
}

/// Lets operators through, and refuses everybody else.
///
/// # Errors
/// If the visitor may only look.
pub async fn require(mut request: Request, next: Next) -> Result<Response, Fault> {
    let visitor = request.extensions().get::<Visitor>().filter(|visitor| visitor.role == Role::Operator);
    let operator = Operator(visitor.cloned().ok_or_else(viewer)?);
    request.extensions_mut().insert(operator);
    Ok(next.run(request).await)
}

fn viewer() -> Fault {
    Fault {
        status: StatusCode::FORBIDDEN,
        what: "you may look, but change nothing: your role is viewer".to_owned(),
        remedy:
            "ask an operator; an administrator gives the role with `rasadmin dashboard user add NAME --role operator`"
                .to_owned(),
    }
}
