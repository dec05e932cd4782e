//! Going back to an earlier credential: a rotation that copies it into a new version, tested as strictly as
//! any.

use std::time::Duration;

use crate::error::ErrorType;
use crate::label::{Label, VersionId};
use crate::name::SecretId;
use crate::operations::Operation;
use crate::operations::answer::Answer;
use crate::operations::commands::{put_right, quoted, replace, rotate, switch_on};
use crate::operations::pass::{Pass, not_done, row_of, told};
use crate::ports::{Description, LabelMove, StoreErrorKind, Which};
use crate::rotation::rehearse_return;
use crate::session::{SecretSession, is_condemned, venue_of};
use crate::wrong::{self, Wrong};

/// Less than this before the invocation's end, no rollback is begun: its label could not be taken off again
/// where that fails.
const TIME_TO_BEGIN: Duration = Duration::from_secs(10);

/// Why an operation is not begun.
pub(crate) struct Refusal {
    pub(crate) say: String,
    pub(crate) what_to_do: String,
}

impl Refusal {
    pub(crate) fn new(say: impl Into<String>, what_to_do: impl Into<String>) -> Self {
        Self {
            say: say.into(),
            what_to_do: what_to_do.into(),
        }
    }
}

impl From<crate::Error> for Refusal {
    fn from(error: crate::Error) -> Self {
        Self::new(
            told(&error),
            "put right what the message names, where it names something; then ask again",
        )
    }
}

pub(crate) async fn rollback(pass: &Pass<'_>, secret: &SecretId, version: Option<&VersionId>) -> Answer {
    let session = pass.session(secret);
    let description = match session.describe().await {
        Ok(description) => description,
        Err(error) => {
            let Refusal { say, what_to_do } = error.into();
            return pass.refusal(secret.as_str(), say, what_to_do);
        }
    };
    let begun = async {
        let version = wanted(pass, &description, version)?;
        begin(pass, &session, &description, &version).await
    };
    if let Err(Refusal { say, what_to_do }) = begun.await {
        if wrong::is(Wrong::RollbackLabelLeft) {
            return pass.refusal(description.name.as_str(), say, what_to_do);
        }
        return not_done(pass, &session, &description, say, what_to_do);
    }
    let mut builder = pass.builder();
    builder.count("rollbacks", 1);
    builder.row(row_of(&session, &description));
    builder.answer(false)
}

/// The version to go back to: the one that is named, or that was current last.
fn wanted(
    pass: &Pass<'_>,
    description: &Description,
    version: Option<&VersionId>,
) -> Result<VersionId, Refusal> {
    if !pass.manages(description) {
        return Err(Refusal::new(
            "another function rotates this secret, or none does",
            pass.command_that_lists(),
        ));
    }
    match version {
        Some(version) if description.versions.contains_key(version) => Ok(version.clone()),
        Some(version) => {
            let say = format!("version {version} bears no label: nobody knows whether its key is alive");
            let name = description.name.as_str();
            let offer = format!(
                "if its key is known to be good: aws secretsmanager update-secret-version-stage --secret-id \
                 {name} --version-stage {} --move-to-version-id {}; then: {}",
                Label::candidate(),
                quoted(version.as_str()),
                rotate(name)
            );
            Err(Refusal::new(say, offer))
        }
        None => description.holder(&Label::previous()).cloned().ok_or_else(|| {
            Refusal::new(
                "the secret has no AWSPREVIOUS version to go back to",
                rotate(description.name.as_str()),
            )
        }),
    }
}

/// Labels a version ROLLBACK and begins the rotation that copies it.
pub(crate) async fn begin(
    pass: &Pass<'_>,
    session: &SecretSession<'_>,
    description: &Description,
    version: &VersionId,
) -> Result<(), Refusal> {
    examine(pass, session, description, version).await?;
    // Time for the label, the rotation's beginning, and to take the label off again.
    session.must_have_left(TIME_TO_BEGIN)?;
    if wrong::is(Wrong::RollbackMovesCurrent) {
        let change = LabelMove {
            label: Label::current(),
            to: Some(version.clone()),
            from: description.current().cloned(),
        };
        return Ok(session.move_label(change, version).await?);
    }
    let label = Label::rollback();
    let from = description.holder(&label).cloned();
    if from.as_ref() != Some(version) {
        let change = LabelMove {
            label: label.clone(),
            to: Some(version.clone()),
            from,
        };
        session.move_label(change, version).await?;
    }
    let (is_unknown, error) = match session.begin_rotation(pass.fleet, 1).await {
        Ok(Ok(())) => return Ok(()),
        Ok(Err(error)) => (error.kind == StoreErrorKind::UnknownOutcome, error.to_string()),
        Err(error) => (false, error.problem),
    };
    let say = if is_unknown {
        format!("nobody knows whether a rotation began: {error}")
    } else {
        // Left there, the next rotation on the schedule would go back, long after anybody remembers why.
        let taken_off = if wrong::is(Wrong::RollbackLabelLeft) {
            Ok(())
        } else {
            session.remove_label(label, version).await
        };
        match taken_off {
            Ok(()) => format!("no rotation could be begun: {error}"),
            Err(_) => {
                format!("no rotation could be begun, and ROLLBACK is still on version {version}: {error}")
            }
        }
    };
    Err(Refusal::new(say, rotate(description.name.as_str())))
}

/// Whether there is anything against going back to a version.
async fn examine(
    pass: &Pass<'_>,
    session: &SecretSession<'_>,
    description: &Description,
    version: &VersionId,
) -> Result<(), Refusal> {
    let name = description.name.as_str();
    if description.is_current(version) {
        return Err(Refusal::new("that version is the current one", "nothing"));
    }
    if !description.rotation_enabled {
        let say = "rotation is switched off for this secret, so no rotation can be begun";
        return Err(Refusal::new(say, switch_on(name)));
    }
    if let Some(pending) = description.open_rotation() {
        let say = format!("a rotation is in flight: version {pending} is AWSPENDING");
        return Err(Refusal::new(
            say,
            format!(
                "wait until it is over, or give it up: {}",
                pass.command(Operation::Abandon, name)
            ),
        ));
    }
    let unreadable = || {
        Refusal::new(
            format!("version {version} has no value that could be read"),
            rotate(name),
        )
    };
    let stored = session
        .read(Which::Version(version))
        .await?
        .ok_or_else(unreadable)?;
    let value = stored.value().map_err(|error| {
        Refusal::new(
            format!("the value of version {version} cannot be used: {error}"),
            rotate(name),
        )
    })?;
    let key = &value.credential.key_id;
    for (other, labels) in &description.versions {
        let why = match (
            labels.contains(&Label::compromised()),
            is_condemned(description, other),
        ) {
            (true, _) => "COMPROMISED",
            (_, true) => "condemned",
            _ => continue,
        };
        if labels.contains(&Label::current()) || wrong::is(Wrong::RollbackToCondemned) {
            continue;
        }
        let same = other == version
            || session
                .read(Which::Version(other))
                .await?
                .is_some_and(|stored| stored.may_name(key));
        if same {
            let say = format!("{key} is {why}: nobody goes back to it");
            return Err(Refusal::new(say, rotate(name)));
        }
    }
    // What createSecret would say, said before anything is labelled.
    let venue = venue_of(pass.ports, description, &value)?;
    pass.turn(venue.as_ref()).await;
    rehearse_return(*session, &pass.settings.egress, description.clone(), &value)
        .await
        .map_err(|error| {
            let what_to_do = match error.error_type {
                ErrorType::CurrentUnusable
                | ErrorType::KeyUnbound
                | ErrorType::ValueInvalid
                | ErrorType::NoCurrentValue => put_right(name),
                _ => replace(name, venue.as_ref(), &value),
            };
            Refusal::new(
                format!(
                    "{key} of version {version} would not be copied: {}",
                    error.problem
                ),
                what_to_do,
            )
        })
}
