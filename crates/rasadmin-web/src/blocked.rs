//! Who is blocked, also for a process that may not read the journal: the service lists its blocks.

use crate::app::App;
use crate::pages::user::limits::Known;
use rasadmin_engine::State;
use rasadmin_engine::effect::{Block, BlockSubject};
use rasadmin_policy::{Millis, Name};
use rasadmin_service::blocks_in_force::BlocksInForce;

/// What is known of the blocks.
pub enum Blocks {
    /// They are in the state, which was read from the journal.
    InState,
    /// The journal cannot be read, for this reason; the service lists these.
    Listed(BlocksInForce, String),
    /// Neither is known, for this reason.
    Unknown(String),
}

impl Blocks {
    /// Asks the service if the journal could not be read. The server is that of the service then, if the configuration
    /// names none.
    pub fn read(app: &App, known: &Known, server: &mut Name) -> Self {
        let Known::Not(why) = known else { return Self::InState };
        let Ok(Some(mut listed)) = app.source.blocks() else { return Self::Unknown(why.clone()) };
        if server.is_empty() {
            *server = listed.server.clone();
        } else if !listed.server.is_empty() && server.folded() != listed.server.folded() {
            // As for a journal of another server: its blocks are not in force here.
            listed.blocks.clear();
            listed.more = 0;
        }
        Self::Listed(listed, why.clone())
    }

    /// A subject's block that is in force now.
    ///
    /// # Errors
    /// If it is not known whether there is one: the reason.
    pub fn of(&self, subject: &BlockSubject, state: &State, now: Millis) -> Result<Option<Block>, String> {
        match self {
            Self::InState => Ok(state.block(subject, now).cloned()),
            Self::Unknown(why) => Err(why.clone()),
            Self::Listed(listed, why) => {
                let block = listed.blocks.iter().find(|block| block.subject == *subject && block.is_in_force(now));
                match block {
                    None if listed.more > 0 => {
                        let (some, all) = (listed.blocks.len(), listed.blocks.len() + listed.more);
                        Err(format!("{why}, and the service lists only {some} of {all} blocks"))
                    }
                    block => Ok(block.cloned()),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rasadmin_policy::Identity;

    /// A service of an earlier version lists only some.
    #[test]
    fn a_list_that_is_not_whole_says_nothing_of_others() {
        let subject = |name| BlockSubject::User(Identity { domain: Name::new("CORP"), name: Name::new(name) });
        let block = Block { subject: subject("ALICE"), since: 1, until: None, reason: None, by: None };
        let listed = BlocksInForce { blocks: vec![block.clone()], more: 2, ..BlocksInForce::default() };
        let blocks = Blocks::Listed(listed, "it is closed".to_owned());
        let of = |name| blocks.of(&subject(name), &State::default(), 5);
        assert_eq!(of("ALICE"), Ok(Some(block)));
        assert_eq!(of("BOB"), Err("it is closed, and the service lists only 1 of 3 blocks".to_owned()));
    }
}
