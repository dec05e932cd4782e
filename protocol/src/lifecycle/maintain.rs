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

pub(super) async fn maintain(pass: &Pass<'_>, shard: Shard, secrets: &[SecretId], moved: bool) -> Answer {
    let mut tally = pass.tally();
    if !secrets.is_empty() {
        some(pass, secrets, moved, &mut tally).await;
    } else if let Err(error) = all(pass, shard, &mut tally).await {
        let what_to_do = format!("where this lasts, look at the log of request {}", pass.caller.request_id);
        tally.fail();
        tally.find(finding(Code::NotDone, "", told(&error), what_to_do));
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
    if !row.arn.is_empty() {
        tally.knows(&row);
    }
    for finding in findings {
        tally.find(finding);
    }
    if eventful {
        tally.row(row);
    }
}

/// Looks after secrets that were named.
async fn some(pass: &Pass<'_>, secrets: &[SecretId], moved: bool, tally: &mut Tally<'_>) {
    let tend_in_time =
        |secret: SecretId| async move { if pass.has_time() { Some(one(pass, &secret, moved).await) } else { None } };
    let mut left = 0;
    let mut tended = iter(secrets.to_vec()).map(tend_in_time).buffer_unordered(AT_ONCE);
    while let Some(tended) = tended.next().await {
        match tended {
            Some(tended) => add(tally, tended),
            None => left += 1,
        }
    }
    if left > 0 {
        let say = format!("the time was up, and {left} of the {} secrets that were named were not looked at", secrets.len());
        tally.find(finding(Code::Unfinished, "", say, "nothing: the next pass over all secrets looks after them"));
    }
}

/// One that cannot be looked after is refused: it was asked for by name, and nothing was done.
async fn one(pass: &Pass<'_>, secret: &SecretId, moved: bool) -> Tended {
    let refused = |name: &str, say: String, what_to_do: String| Tended {
        findings: vec![finding(Code::Refused, name, say, what_to_do)],
        ..Tended::default()
    };
    let description = match pass.hand(secret).describe().await {
        Ok(description) => description,
        Err(error) => return refused(secret.as_str(), told(&error), pass.after(&error, secret.as_str())),
    };
    let name = description.name.as_str();
    if !pass.manages(&description) {
        if moved {
            return Tended::default();
        }
        let say = "another function rotates this secret, or none does".to_owned();
        return refused(name, say, pass.command_that_lists());
    }
    if description.deleted {
        let restore = format!("aws secretsmanager restore-secret --secret-id {name}");
        return refused(name, "the secret is scheduled for deletion".to_owned(), restore);
    }
    tend(pass, description).await
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
