//! The reconciler: for every secret of a shard, whatever rotations left to do.

use futures_util::StreamExt;
use futures_util::stream::iter;

use super::answer::{Answer, Code};
use super::pass::{Pass, finding, told};
use super::tally::Tally;
use super::tending::{Tended, tend};
use super::walk::{Shard, Walk};
use crate::error::Error;
use crate::name::SecretId;
use crate::ports::Description;

/// How many secrets are looked after at once.
const AT_ONCE: usize = 8;

pub(super) async fn maintain(pass: &Pass<'_>, shard: Shard, secrets: &[SecretId]) -> Answer {
    let mut tally = pass.tally();
    if secrets.is_empty()
        && let Err(error) = all(pass, shard, &mut tally).await
    {
        let what_to_do = format!("where this lasts, look at the log of request {}", pass.caller.request_id);
        tally.fail();
        tally.find(finding(Code::NotDone, "", told(&error), what_to_do));
    }
    for (place, secret) in secrets.iter().enumerate() {
        if !pass.has_time() && place > 0 {
            let say = format!("the time was up after {place} of the {} secrets that were named", secrets.len());
            tally.find(finding(Code::Unfinished, "", say, "nothing: the next pass over all secrets looks after the others"));
            break;
        }
        if let Err(error) = one(pass, secret, &mut tally).await {
            // It was asked for by name: nothing was done.
            let name = secret.name();
            tally.fail();
            tally.find(finding(Code::Refused, name.as_str(), told(&error), pass.after(&error, name.as_str())));
        }
    }
    tally.answer(pass.is_dry_run())
}

/// Adds what came of one secret to the answer.
pub(super) fn add(tally: &mut Tally<'_>, tended: Tended) {
    let eventful = tended.is_eventful();
    let Tended { row, findings, counts } = tended;
    for (what, count) in counts {
        tally.count(what, count);
    }
    tally.knows(&row);
    for finding in findings {
        tally.find(finding);
    }
    if eventful {
        tally.row(row);
    }
}

async fn one(pass: &Pass<'_>, secret: &SecretId, tally: &mut Tally<'_>) -> Result<(), Error> {
    let description = pass.hand(secret).describe().await?;
    if !pass.manages(&description) {
        let say = "another function rotates this secret, or none does";
        tally.find(finding(Code::Refused, description.name.as_str(), say, pass.command_that_lists()));
        return Ok(());
    }
    if description.deleted {
        let restore = format!("aws secretsmanager restore-secret --secret-id {}", description.name.as_str());
        tally.find(finding(Code::Refused, description.name.as_str(), "the secret is scheduled for deletion", restore));
        return Ok(());
    }
    add(tally, tend(pass, description).await);
    Ok(())
}

async fn all(pass: &Pass<'_>, shard: Shard, tally: &mut Tally<'_>) -> Result<(), Error> {
    let (mut walk, secrets) = Walk::round(pass, shard, pass.ports.time.random()).await?;
    let mut begun = 0_u64;
    while let Some(page) = walk.next(pass).await? {
        let tend_in_time =
            |secret: Description| async move { if pass.has_time() { Some(tend(pass, secret).await) } else { None } };
        let mut left = false;
        let mut tended = iter(page).map(tend_in_time).buffer_unordered(AT_ONCE);
        while let Some(tended) = tended.next().await {
            match tended {
                Some(tended) => {
                    begun += 1;
                    add(tally, tended);
                }
                None => left = true,
            }
        }
        if left || (!pass.has_time() && begun < secrets) {
            let say = format!(
                "the time was up after {begun} of the {secrets} secrets of shard {shard}: the next pass begins elsewhere"
            );
            let what_to_do = "where this recurs, split the schedule into more shards, or raise the function's Timeout";
            tally.find(finding(Code::Unfinished, "", say, what_to_do));
            return Ok(());
        }
    }
    Ok(())
}
