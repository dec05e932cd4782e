//! testSecret: prove the pending credential. Changes nothing, anywhere, and does not assume that setSecret
//! ran: Secrets Manager's own dry run calls this step alone, on a copy of the current value.

use futures_util::future::join;

use super::Done;
use super::judge::InUse;
use super::run::{Run, parse};
use super::standing::{TokenState, doomed};
use super::wrong::{self, Wrong};
use crate::error::{Error, ErrorType};
use crate::ports::Which;
use crate::session::venue_of;

pub(super) async fn test(run: &Run<'_>) -> Result<Done, Error> {
    let (description, pending) = join(run.describe(), run.session.read(Which::Version(run.token()))).await;
    let description = description?;
    match run.standing(&description)? {
        TokenState::Current => return Ok(Done::AlreadyCurrent),
        TokenState::Condemned => return Err(doomed("it is condemned")),
        TokenState::Pending => {}
    }
    let value = parse(&run.pending(pending).await?)?;
    if wrong::is(Wrong::DryRunRefused) && wrong::names_the_current_key(run, &value).await? {
        return Err(doomed("it names the key that is current already"));
    }
    if wrong::is(Wrong::TestTidies) {
        run.session.tidy(&description).await;
    }
    let venue = venue_of(run.session.ports, &description, &value)?;
    match run.in_use(venue.as_ref(), &description, &value).await? {
        None => {}
        Some(InUse::Named) => return Ok(Done::NotAsked),
        Some(unreadable @ InUse::Unreadable(_)) => {
            return Err(Error::new(ErrorType::StoreUnavailable, unreadable.to_string()));
        }
    }
    run.prove(venue.as_ref(), &value).await?;
    Ok(Done::Proven)
}
