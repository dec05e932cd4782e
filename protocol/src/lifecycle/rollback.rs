//! Going back to an earlier credential: a rotation that copies it into a new version, tested as strictly as any.

use std::time::Duration;

use super::Operation;
use super::answer::{Answer, Row};
use super::checking::{put_right, rotate};
use super::pass::Pass;
use super::tending::account_in;
use crate::hand::{Hand, is_condemned, venue_of};
use crate::label::{Label, VersionId};
use crate::name::SecretId;
use crate::ports::{Description, LabelMove, Signer, StoreErrorKind, Which, Whose};
use crate::secret::SecretValue;
use crate::wrong::{self, Wrong};

/// Less than this before the invocation's end, no rollback is begun: its label could not be taken off again where that fails.
const TIME_TO_BEGIN: Duration = Duration::from_secs(10);

/// Why there is no rollback.
pub(super) struct Refusal {
    pub(super) say: String,
    pub(super) what_to_do: String,
}

impl Refusal {
    fn new(say: impl Into<String>, what_to_do: impl Into<String>) -> Self {
        Self { say: say.into(), what_to_do: what_to_do.into() }
    }
}

impl From<crate::Error> for Refusal {
    fn from(error: crate::Error) -> Self {
        Self::new(format!("{}: {}", error.error_type, error.problem), "try again, unless the message says otherwise")
    }
}

pub(super) async fn rollback(pass: &Pass<'_>, secret: &SecretId, version: Option<&VersionId>) -> Answer {
    let hand = pass.hand(secret);
    let result = async {
        let description = hand.describe().await?;
        if !pass.manages(&description) {
            return Err(Refusal::new("another function rotates this secret, or none does", "name a secret of this function's"));
        }
        let version = match version {
            Some(version) if description.versions.contains_key(version) => version.clone(),
            Some(version) => {
                let say = format!("version {version} bears no label: nobody knows whether its key is alive");
                return Err(Refusal::new(say, "label it CANDIDATE if its key is known to be good; then rotate"));
            }
            None => description.holder(&Label::previous()).cloned().ok_or_else(|| {
                Refusal::new("the secret has no AWSPREVIOUS version to go back to", rotate(description.name.as_str()))
            })?,
        };
        begin(pass, &hand, &description, &version).await?;
        Ok((description, version))
    };
    match result.await {
        Ok((description, version)) => {
            let name = description.name.as_str().to_owned();
            let did = vec![
                format!("labelled version {version} ROLLBACK"),
                "began a rotation that copies its credential into a new version".to_owned(),
            ];
            let row = Row { secret: name, arn: description.arn.clone(), did, ..Row::default() };
            let mut tally = pass.tally();
            tally.count("rollbacks", 1);
            tally.row(row);
            tally.answer(false)
        }
        Err(Refusal { say, what_to_do }) => pass.refusal(secret.name().as_str(), say, what_to_do),
    }
}

/// Labels a version ROLLBACK and begins the rotation that copies it.
pub(super) async fn begin(
    pass: &Pass<'_>,
    hand: &Hand<'_>,
    description: &Description,
    version: &VersionId,
) -> Result<(), Refusal> {
    examine(pass, hand, description, version).await?;
    // Time for the label, the rotation's beginning, and to take the label off again.
    hand.must_have_left(TIME_TO_BEGIN)?;
    let label = Label::rollback();
    let from = description.holder(&label).cloned();
    if from.as_ref() != Some(version) {
        hand.move_label(LabelMove { label: label.clone(), to: Some(version.clone()), from }, version).await?;
    }
    let Err(error) = hand.begin_rotation(pass.fleet).await? else { return Ok(()) };
    let name = description.name.as_str();
    if error.kind == StoreErrorKind::UnknownOutcome {
        let say = format!("version {version} is labelled ROLLBACK, and nobody knows whether a rotation began: {error}");
        return Err(Refusal::new(say, rotate(name)));
    }
    // Left there, the next rotation on the schedule would go back, long after anybody remembers why.
    let say = match hand.remove_label(label, version).await {
        Ok(()) => format!("no rotation could be begun, and ROLLBACK was taken off again: {error}"),
        Err(_) => format!("no rotation could be begun, and version {version} is still labelled ROLLBACK: {error}"),
    };
    Err(Refusal::new(say, rotate(name)))
}

/// Whether there is anything against going back to a version.
async fn examine(pass: &Pass<'_>, hand: &Hand<'_>, description: &Description, version: &VersionId) -> Result<(), Refusal> {
    let name = description.name.as_str();
    let (current, pending) = (description.holder(&Label::current()), description.holder(&Label::pending()));
    if current == Some(version) {
        return Err(Refusal::new("that version is the current one", "nothing"));
    }
    if !description.rotation_enabled {
        let attach = format!("aws secretsmanager rotate-secret --secret-id {name} --no-rotate-immediately");
        return Err(Refusal::new("rotation is switched off for this secret, so no rotation can be begun", attach));
    }
    if let Some(pending) = pending.filter(|pending| current != Some(*pending)) {
        let say = format!("a rotation is in flight: version {pending} is AWSPENDING");
        return Err(Refusal::new(
            say,
            format!("wait until it is over, or give it up: {}", pass.command(Operation::Abandon, name)),
        ));
    }
    let unreadable = || Refusal::new(format!("version {version} has no value that could be read"), rotate(name));
    let stored = hand.read(Which::Version(version)).await?.ok_or_else(unreadable)?;
    let value = SecretValue::parse(&stored.text)
        .map_err(|error| Refusal::new(format!("the value of version {version} cannot be used: {error}"), rotate(name)))?;
    let key = &value.credential.key_id;
    for (other, labels) in &description.versions {
        let why = match (labels.contains(&Label::compromised()), is_condemned(description, other)) {
            (true, _) => "COMPROMISED",
            (_, true) => "condemned",
            _ => continue,
        };
        if labels.contains(&Label::current()) || wrong::is(Wrong::RollbackToCondemned) {
            continue;
        }
        let same = other == version
            || hand
                .read(Which::Version(other))
                .await?
                .is_some_and(|stored| SecretValue::parse(&stored.text).map_or(true, |value| value.credential.key_id == *key));
        if same {
            let say = format!("{key} is {why}: nobody goes back to it");
            return Err(Refusal::new(say, rotate(name)));
        }
    }
    let venue = venue_of(pass.ports, description, &value)?;
    let signer = Signer { whose: Whose::Replaced, credential: value.credential.clone() };
    pass.turn(venue.as_ref()).await;
    let state = match venue.inspect(&signer).await {
        Ok(state) => state,
        Err(error) => {
            let say = format!("{key} of version {version} does not answer as it would have to: {error}");
            return Err(Refusal::new(say, rotate(name)));
        }
    };
    if let Some(account) = account_in(&value).filter(|account| *account != state.account) {
        let say = format!("{key} belongs to account {}, and the secret stands for {account}", state.account);
        return Err(Refusal::new(say, rotate(name)));
    }
    // The rotation will hold it to the policy of the current value; this only says early what it would say late.
    let current = hand.read(Which::Current).await?.ok_or_else(unreadable)?;
    let current = SecretValue::parse(&current.text).ok();
    let policy = current.as_ref().map(|value| value.policy.clone()).unwrap_or_default();
    // Without a policy the rotation goes by what the current key may do, which a dead one does not tell.
    if let Some(current) = current.filter(|_| policy.permissions.is_none()) {
        let signer = Signer { whose: Whose::Current, credential: current.credential };
        pass.turn(venue.as_ref()).await;
        if let Err(error) = venue.inspect(&signer).await {
            let say =
                format!("the current key does not answer, and no `policy.permissions` says what its successor may do: {error}");
            return Err(Refusal::new(say, put_right(name)));
        }
    }
    let beyond = match policy.permissions.as_ref() {
        Some(permissions) => state.powers.beyond(permissions),
        None => state.powers.forbidden(),
    };
    if !beyond.is_empty() {
        let say = format!("{key} may do what the policy does not allow: {}", beyond.join(", "));
        return Err(Refusal::new(say, rotate(name)));
    }
    Ok(())
}
