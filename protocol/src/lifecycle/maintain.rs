//! The reconciler: for every secret of a shard, whatever rotations left to do.

use std::collections::BTreeMap;

use futures_util::StreamExt;
use futures_util::stream::iter;

use super::answer::{Answer, Code};
use super::pass::{Pass, finding};
use super::tending::{Tended, tend};
use super::walk::{Shard, Walk};
use crate::error::Error;
use crate::name::SecretId;
use crate::ports::Description;

/// How many secrets are looked after at once.
const AT_ONCE: usize = 8;

pub(super) async fn maintain(pass: &Pass<'_>, shard: Shard, secret: Option<&SecretId>) -> Answer {
    let mut so_far = Tally::default();
    let done = match secret {
        Some(secret) => one(pass, secret, &mut so_far).await,
        None => all(pass, shard, &mut so_far).await,
    };
    if let Err(error) = done {
        let say = format!("{}: {}", error.error_type, error.problem);
        so_far.findings.push(finding(Code::NotDone, "", say, "nothing, unless this lasts"));
    }
    let Tally { counts, findings, rows } = so_far;
    pass.answer(counts, findings, rows)
}

#[derive(Default)]
struct Tally {
    counts: BTreeMap<&'static str, u64>,
    findings: Vec<super::Finding>,
    rows: Vec<super::Row>,
}

impl Tally {
    fn add(&mut self, tended: Tended) {
        let Tended { row, findings, counts } = tended;
        for (what, count) in counts {
            *self.counts.entry(what).or_default() += count;
        }
        self.findings.extend(findings);
        self.rows.extend(row);
    }
}

async fn one(pass: &Pass<'_>, secret: &SecretId, tally: &mut Tally) -> Result<(), Error> {
    let description = pass.hand(secret).describe().await?;
    if !pass.manages(&description) {
        let say = "another function rotates this secret, or none does";
        tally.findings.push(finding(Code::Refused, description.name.as_str(), say, "name a secret of this function's"));
        return Ok(());
    }
    tally.add(tend(pass, description).await);
    Ok(())
}

async fn all(pass: &Pass<'_>, shard: Shard, tally: &mut Tally) -> Result<(), Error> {
    let mut walk = Walk::new(shard, pass.ports.time.random());
    while let Some(secrets) = walk.next(pass).await? {
        let tend_in_time =
            |secret: Description| async move { if pass.has_time() { Some(tend(pass, secret).await) } else { None } };
        let mut tended = iter(secrets).map(tend_in_time).buffer_unordered(AT_ONCE);
        let mut left = 0_u64;
        while let Some(tended) = tended.next().await {
            match tended {
                Some(tended) => tally.add(tended),
                None => left += 1,
            }
        }
        if left > 0 || !pass.has_time() {
            let say = format!("the time was up with secrets left in shard {shard}: the next pass begins elsewhere");
            let what_to_do = "where this recurs, split the schedule into more shards, or raise the function's Timeout";
            tally.findings.push(finding(Code::Unfinished, "", say, what_to_do));
            return Ok(());
        }
    }
    Ok(())
}
