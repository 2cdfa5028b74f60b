//! `rasadmin unblock`.

use super::block::end;
use crate::block_subject::{SubjectArguments, shown};
use crate::confirm::confirm;
use crate::context::{ContextArguments, ZoneArguments};
use crate::error::{Exit, Result};
use crate::output::Output;
use crate::{reason, record, times};
use clap::Args;
use rasadmin_engine::Event;

/// Lift the block of a user or a computer
///
/// From the DLL's next call on, the rules alone decide again. `rasadmin blocks` shows who is blocked. If nobody of this
/// name is blocked, the exit code is 1.
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  rasadmin unblock alice
  rasadmin unblock --computer-account host/pc7.corp.example
  rasadmin unblock --claimed-computer LAPTOP-7")]
pub struct Arguments {
    #[command(flatten)]
    subject: SubjectArguments,
    /// The reason, which is recorded
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    zone: ZoneArguments,
    #[command(flatten)]
    context: ContextArguments,
}

pub fn run(arguments: Arguments, out: &mut Output) -> Result {
    let context = arguments.context.open()?.in_zone(&arguments.zone)?;
    let subject = arguments.subject.subject(&context.config.domains)?;
    let reason = arguments.reason.as_deref().map(reason::one_line).transpose()?;
    let who = shown(&subject);
    let mut tool = record::open(&context)?;
    // It fails before anything is changed if journal and ledger do not belong together.
    let ledger = context.reader_if_usable()?;
    let server = tool.state().server().clone();
    let Some(block) = tool.state().block(&subject, times::now()).cloned() else {
        writeln!(out, "{who} is not blocked on {server}")?;
        return Ok(Exit::No);
    };
    let since = times::show(block.since, &context.zone);
    let question = format!("Lift the block of {who} on {server}, since {since}, {}?", end(block.until, &context));
    confirm(&question, arguments.yes, out)?;
    let by = rasadmin_rights::account_name();
    let lifted = record::record(&mut tool, |state, now| {
        let is_blocked = state.block(&subject, now).is_some();
        (is_blocked, is_blocked.then(|| Event::EndBlock { subject: subject.clone(), by, reason }))
    })?;
    if ledger.is_some() {
        record::bring_in_or_warn(&context);
    }
    if lifted {
        writeln!(out, "{who} is no longer blocked on {server}: the rules decide again")?;
    } else {
        writeln!(out, "the block of {who} has been lifted in the meantime")?;
    }
    Ok(Exit::no_if(!lifted))
}
