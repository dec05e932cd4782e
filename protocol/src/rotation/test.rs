//! testSecret: prove the pending credential. Changes nothing, anywhere, and does not assume that setSecret ran: Secrets Manager's own
//! dry run calls this step alone, on a copy of the current value.

use futures_util::future::join;

use super::Done;
use super::run::{Run, parse};
use super::standing::{Standing, doomed};
use super::wrong::{self, Wrong};
use crate::error::Error;
use crate::hand::venue_of;
use crate::ports::Which;

pub(super) async fn test(run: &Run<'_>) -> Result<Done, Error> {
    let (description, pending) = join(run.describe(), run.hand.read(Which::Version(run.token()))).await;
    let description = description?;
    match run.standing(&description)? {
        Standing::Current => return Ok(Done::AlreadyCurrent),
        Standing::Condemned => return Err(doomed("it is condemned")),
        Standing::Pending => {}
    }
    let value = parse(&run.pending(pending).await?)?;
    if wrong::is(Wrong::DryRunRefused) && wrong::names_the_current_key(run, &value).await? {
        return Err(doomed("it names the key that is current already"));
    }
    if wrong::is(Wrong::TestTidies) {
        run.hand.tidy(&description).await;
    }
    let venue = venue_of(run.hand.ports, &description, &value)?;
    run.prove(venue.as_ref(), &value).await?;
    Ok(Done::Proven)
}
