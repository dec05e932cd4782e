//! Giving up a stuck rotation: AWSPENDING comes off, and the key that was issued for it is revoked by the
//! rules.

use crate::label::{Label, VersionId};
use crate::name::SecretId;
use crate::operations::Operation;
use crate::operations::answer::{Answer, Code};
use crate::operations::commands::take_off;
use crate::operations::pass::{Pass, finding, not_done, row_of};
use crate::ports::Which;
use crate::secret::Source;
use crate::session::SecretSession;
use crate::wrong::{self, Wrong};

pub(crate) async fn abandon(pass: &Pass<'_>, secret: &SecretId) -> Answer {
    let session = pass.session(secret);
    let description = match session.describe().await {
        Ok(description) => description,
        Err(error) => {
            return pass.refusal(
                secret.as_str(),
                error.problem.clone(),
                pass.after(&error, secret.as_str()),
            );
        }
    };
    let name = description.name.as_str();
    if !pass.manages(&description) {
        return pass.refusal(
            name,
            "another function rotates this secret, or none does",
            pass.command_that_lists(),
        );
    }
    let Some(pending) = description.open_rotation() else {
        let what_to_do = format!("aws secretsmanager describe-secret --secret-id {name}");
        return pass.refusal(
            name,
            "no rotation is open: no version is AWSPENDING but the current one",
            what_to_do,
        );
    };
    let is_rollback = may_be_a_rollback(&session, pending).await;
    let given_up = session.give_up(pending, "a person abandoned the rotation").await;
    if let Err(error) = given_up.or_else(|error| {
        if wrong::is(Wrong::AbandonClaimed) {
            Ok(())
        } else {
            Err(error)
        }
    }) {
        let again = pass.command(Operation::Abandon, name);
        let say = format!(
            "version {pending} was not given up: {}: {}",
            error.error_type, error.problem
        );
        return if wrong::is(Wrong::AbandonHalfTold) {
            pass.refusal(name, say, again)
        } else {
            not_done(pass, &session, &description, say, again)
        };
    }
    let mut builder = pass.builder();
    builder.count("abandoned", 1);
    // Left there, the next rotation on the schedule would go back, long after anybody remembers why.
    if let Some(version) = description.holder(&Label::rollback()).filter(|_| is_rollback)
        && let Err(error) = session.remove_label(Label::rollback(), version).await
    {
        let say = format!("ROLLBACK is still on version {version}: {}", error.problem);
        builder.fail();
        builder.find(finding(
            Code::NotDone,
            name,
            say,
            take_off(name, Label::rollback().as_str(), version.as_str()),
        ));
    }
    builder.row(row_of(&session, &description));
    builder.answer(false)
}

/// Whether an open rotation was to go back to an earlier credential, or has no value yet that says so.
async fn may_be_a_rollback(session: &SecretSession<'_>, pending: &VersionId) -> bool {
    let stored = session.read(Which::Version(pending)).await.ok().flatten();
    let value = stored.and_then(|stored| stored.value().ok());
    value
        .and_then(|value| value.rotation)
        .is_none_or(|rotation| rotation.source == Source::Rollback)
}
