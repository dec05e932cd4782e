//! The reconciler: for every secret of a shard, whatever rotations left to do.

pub(crate) mod current;
pub(crate) mod orphans;
pub(crate) mod rejected_current;
mod secret;
pub(crate) mod tags;
pub(crate) mod visit;

use futures_util::StreamExt;
use futures_util::stream::iter;

use crate::error::Error;
use crate::name::SecretId;
use crate::operations::answer::builder::AnswerBuilder;
use crate::operations::answer::{Answer, Code};
use crate::operations::maintain::secret::visit_secret;
use crate::operations::maintain::visit::VisitReport;
use crate::operations::pass::secret_pages::{SecretPages, Shard};
use crate::operations::pass::{Pass, finding, told};
use crate::ports::Description;

/// How many secrets are looked after at once.
const AT_ONCE: usize = 8;

pub(crate) async fn maintain(pass: &Pass<'_>, shard: Shard, secrets: &[SecretId], moved: bool) -> Answer {
    let mut builder = pass.builder();
    if !secrets.is_empty() {
        some(pass, secrets, moved, &mut builder).await;
    } else if let Err(error) = all(pass, shard, &mut builder).await {
        let what_to_do = format!(
            "where this lasts, look at the log of request {}",
            pass.caller.request_id
        );
        builder.fail();
        builder.find(finding(Code::NotDone, "", told(&error), what_to_do));
    }
    builder.answer(pass.is_dry_run())
}

/// Adds what came of one secret to the answer.
pub(crate) fn add(builder: &mut AnswerBuilder<'_>, report: VisitReport) {
    let eventful = report.is_eventful();
    let VisitReport {
        row,
        findings,
        counts,
        ..
    } = report;
    for (what, count) in counts {
        builder.count(what, count);
    }
    if !row.arn.is_empty() {
        builder.knows(&row);
    }
    for finding in findings {
        builder.find(finding);
    }
    if eventful {
        builder.row(row);
    }
}

/// Looks after secrets that were named.
async fn some(pass: &Pass<'_>, secrets: &[SecretId], moved: bool, builder: &mut AnswerBuilder<'_>) {
    let tend_in_time = |secret: SecretId| async move {
        if pass.has_time() {
            Some(one(pass, &secret, moved).await)
        } else {
            None
        }
    };
    let mut left = 0;
    let mut report = iter(secrets.to_vec()).map(tend_in_time).buffer_unordered(AT_ONCE);
    while let Some(report) = report.next().await {
        match report {
            Some(report) => add(builder, report),
            None => left += 1,
        }
    }
    if left > 0 {
        let say = format!(
            "the time was up, and {left} of the {} secrets that were named were not looked at",
            secrets.len()
        );
        builder.find(finding(
            Code::Unfinished,
            "",
            say,
            "nothing: the next pass over all secrets looks after them",
        ));
    }
}

/// One that cannot be looked after is refused: it was asked for by name, and nothing was done.
async fn one(pass: &Pass<'_>, secret: &SecretId, moved: bool) -> VisitReport {
    let refused = |name: &str, say: String, what_to_do: String| VisitReport {
        findings: vec![finding(Code::Refused, name, say, what_to_do)],
        ..VisitReport::default()
    };
    let description = match pass.session(secret).describe().await {
        Ok(description) => description,
        Err(error) => return refused(secret.as_str(), told(&error), pass.after(&error, secret.as_str())),
    };
    let name = description.name.as_str();
    if !pass.manages(&description) {
        if moved {
            return VisitReport::default();
        }
        let say = "another function rotates this secret, or none does".to_owned();
        return refused(name, say, pass.command_that_lists());
    }
    if description.deleted {
        let restore = format!("aws secretsmanager restore-secret --secret-id {name}");
        return refused(name, "the secret is scheduled for deletion".to_owned(), restore);
    }
    visit_secret(pass, description).await
}

async fn all(pass: &Pass<'_>, shard: Shard, builder: &mut AnswerBuilder<'_>) -> Result<(), Error> {
    let (mut walk, secrets) = SecretPages::round(pass, shard, pass.ports.time.random()).await?;
    let mut begun = 0_u64;
    while let Some(page) = walk.next(pass).await? {
        let tend_in_time = |secret: Description| async move {
            if pass.has_time() {
                Some(visit_secret(pass, secret).await)
            } else {
                None
            }
        };
        let mut left = false;
        let mut report = iter(page).map(tend_in_time).buffer_unordered(AT_ONCE);
        while let Some(report) = report.next().await {
            match report {
                Some(report) => {
                    begun += 1;
                    add(builder, report);
                }
                None => left = true,
            }
        }
        if left || (!pass.has_time() && begun < secrets) {
            let say = format!(
                "the time was up after {begun} of the {secrets} secrets of shard {shard}: the next pass \
                 begins elsewhere"
            );
            let what_to_do =
                "where this recurs, split the schedule into more shards, or raise the function's Timeout";
            builder.find(finding(Code::Unfinished, "", say, what_to_do));
            return Ok(());
        }
    }
    Ok(())
}
