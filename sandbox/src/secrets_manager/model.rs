//! The model's state, and what a test or a person may set by hand.

use jiff::Timestamp;

use super::journal::{Call, Event, EventKind, Operation, Outcome};
use super::random::Random;
use super::request::Tag;
use super::secret::{Secret, Version};
use super::secrets::Secrets;
use super::{AWSCURRENT, Error, ErrorKind, Knobs, Replica, RotationRules, SecretValue};

/// Secrets Manager in one account and region. The operations are methods of their own names; each takes the
/// time.
#[derive(Clone, Debug)]
pub struct Model {
    pub(super) knobs: Knobs,
    pub(super) place: Place,
    pub(super) secrets: Secrets,
    pub(super) random: Random,
    pub(super) next_invocation: u64,
    /// Whether calls and events are noted.
    notes: bool,
    calls: Vec<Call>,
    events: Vec<Event>,
}

impl Model {
    /// An empty account. The seed decides ARN suffixes, tokens and ids.
    pub fn new(seed: u64, knobs: Knobs) -> Self {
        Self::at(Place::default(), seed, knobs)
    }

    /// An empty account somewhere else.
    pub fn at(place: Place, seed: u64, knobs: Knobs) -> Self {
        Self {
            knobs,
            place,
            secrets: Secrets::default(),
            random: Random::new(seed),
            next_invocation: 0,
            notes: true,
            calls: Vec::new(),
            events: Vec::new(),
        }
    }

    /// The knobs, to turn.
    pub fn knobs_mut(&mut self) -> &mut Knobs {
        &mut self.knobs
    }

    /// Sets up a secret without logging a call, rotation included, and answers its ARN. Unlike
    /// `RotateSecret`, it can turn rotation on without a function's ARN and runs nothing.
    pub fn seed(&mut self, seed: Seed, now: Timestamp) -> Result<String, Error> {
        if self.secrets.named(&seed.name).is_some() {
            return Err(Error::new(
                ErrorKind::ResourceExists,
                format!(
                    "The operation failed because the secret {} already exists.",
                    seed.name
                ),
            ));
        }
        let arn = self.new_arn(&seed.name, seed.owner.as_deref());
        let mut secret = Secret::new(arn.clone(), seed.name, now);
        secret.is_elsewhere = seed.owner.is_some();
        secret.tags = seed.tags.into_iter().map(|tag| (tag.key, tag.value)).collect();
        if let Some(value) = seed.value {
            let id = seed.version_id.unwrap_or_else(|| self.random.uuid());
            secret.add_version(&id, Version::new(Some(value), now), &[AWSCURRENT.to_owned()], now)?;
        }
        if let Some(rotation) = seed.rotation {
            if let Some(rules) = &rotation.rules {
                rules.check()?;
            }
            secret.rotation_enabled = Some(true);
            secret.rotation_lambda_arn = rotation.lambda_arn;
            secret.rotation_rules = rotation.rules;
        }
        self.secrets.insert(secret);
        Ok(arn)
    }

    /// A secret, by name or ARN, to look at; marked for deletion or not.
    pub fn secret(&self, id: &str) -> Option<&Secret> {
        self.secrets.find(id)
    }

    /// All secrets in the order of their ARNs.
    pub fn secrets(&self) -> impl Iterator<Item = &Secret> {
        self.secrets.all()
    }

    /// Sets the state of a secret's replicas by hand.
    pub fn set_replicas(&mut self, id: &str, replicas: Vec<Replica>) -> Result<(), Error> {
        self.secrets.find_mut(id)?.replicas = replicas;
        Ok(())
    }

    /// Makes the key that protects a secret's values unusable, or usable again.
    pub fn set_key_usable(&mut self, id: &str, usable: bool) -> Result<(), Error> {
        self.secrets.find_mut(id)?.key_usable = usable;
        Ok(())
    }

    /// The calls since the last [`Self::take_calls`].
    pub fn calls(&self) -> &[Call] {
        &self.calls
    }

    /// The calls so far, and an empty log from here on.
    pub fn take_calls(&mut self) -> Vec<Call> {
        std::mem::take(&mut self.calls)
    }

    /// Notes neither calls nor events from here on, for worlds in which nobody asks for them.
    pub fn note_nothing(&mut self) {
        self.notes = false;
    }

    /// The rotation events since the last [`Self::take_events`].
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// The rotation events so far, and an empty list from here on.
    pub fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    /// Logs a call that was refused before the model saw it, by an injected fault for one.
    pub fn log_refused(&mut self, operation: Operation, secret_id: &str, kind: ErrorKind, now: Timestamp) {
        self.log(operation, secret_id, String::new, Outcome::Refused(kind), now);
    }

    /// Runs one operation and logs it.
    pub(super) fn logged<T>(
        &mut self,
        operation: Operation,
        secret_id: &str,
        detail: impl FnOnce() -> String,
        now: Timestamp,
        call: impl FnOnce(&mut Self) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.secrets.purge(now);
        let result = call(self);
        let outcome = result
            .as_ref()
            .map_or_else(|error| Outcome::Refused(error.kind), |_| Outcome::Done);
        self.log(operation, secret_id, detail, outcome, now);
        result
    }

    pub(super) fn emit(&mut self, kind: EventKind, secret_arn: &str, version_id: &str, at: Timestamp) {
        if !self.notes {
            return;
        }
        self.events.push(Event {
            at,
            kind,
            secret_arn: secret_arn.to_owned(),
            version_id: version_id.to_owned(),
        });
    }

    /// "The ARN includes the name of the secret followed by six random characters."
    pub(super) fn new_arn(&mut self, name: &str, owner: Option<&str>) -> String {
        let Place { region, account } = &self.place;
        let owner = owner.unwrap_or(account);
        format!(
            "arn:aws:secretsmanager:{region}:{owner}:secret:{name}-{}",
            self.random.arn_suffix()
        )
    }

    fn log(
        &mut self,
        operation: Operation,
        secret_id: &str,
        detail: impl FnOnce() -> String,
        outcome: Outcome,
        at: Timestamp,
    ) {
        if !self.notes {
            return;
        }
        let secret = self
            .secrets
            .find(secret_id)
            .map_or(secret_id, |secret| &secret.name)
            .to_owned();
        self.calls.push(Call {
            at,
            operation,
            secret,
            detail: detail(),
            outcome,
        });
    }
}

/// Which account and region the ARNs name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The region.
    pub region: String,
    /// The account's twelve digits.
    pub account: String,
}

impl Default for Place {
    fn default() -> Self {
        Self {
            region: "us-east-1".to_owned(),
            account: "123456789012".to_owned(),
        }
    }
}

/// A secret to set up with [`Model::seed`].
#[derive(Clone, Debug, Default)]
pub struct Seed {
    /// The name.
    pub name: String,
    /// The current value; none for a secret without a version.
    pub value: Option<SecretValue>,
    /// The current version's id; made up where left out.
    pub version_id: Option<String>,
    /// Tags.
    pub tags: Vec<Tag>,
    /// Rotation, turned on; none for a secret whose rotation was never configured.
    pub rotation: Option<RotationSeed>,
    /// The account that it is of, where that is another, whose resource policy lets this one in: it answers
    /// to its full ARN alone, and no list shows it.
    pub owner: Option<String>,
}

/// The rotation of a secret to set up.
#[derive(Clone, Debug, Default)]
pub struct RotationSeed {
    /// The function's ARN; none where nobody checks it.
    pub lambda_arn: Option<String>,
    /// The schedule; none for rotation by `RotateSecret` alone.
    pub rules: Option<RotationRules>,
}

#[cfg(test)]
mod tests {
    use super::super::testing::{T0, model_with};
    use super::super::{DescribeSecret, Outcome};
    use super::*;

    #[test]
    fn an_unknown_secret_is_not_found_and_logged_as_asked_for() {
        let (mut model, _) = model_with("a");
        let error = model
            .describe_secret(
                &DescribeSecret {
                    secret_id: "b".into(),
                },
                T0,
            )
            .unwrap_err();
        assert_eq!(error.kind, ErrorKind::ResourceNotFound);
        let calls = model.take_calls();
        assert_eq!(calls.len(), 1);
        assert_eq!(calls[0].secret, "b");
        assert_eq!(calls[0].outcome, Outcome::Refused(ErrorKind::ResourceNotFound));
        assert!(model.calls().is_empty());
    }

    #[test]
    fn a_clone_goes_its_own_way_and_one_seed_gives_one_history() {
        let (model, arn) = model_with("a");
        let (mut again, same) = model_with("a");
        assert_eq!(arn, same);
        let mut branch = model.clone();
        branch
            .seed(
                Seed {
                    name: "b".into(),
                    ..Seed::default()
                },
                T0,
            )
            .unwrap();
        assert!(model.secret("b").is_none());
        let b = again
            .seed(
                Seed {
                    name: "b".into(),
                    ..Seed::default()
                },
                T0,
            )
            .unwrap();
        assert_eq!(branch.secret("b").unwrap().arn(), b);
    }

    #[test]
    fn the_models_debug_shows_no_value() {
        let (model, _) = model_with("a");
        assert!(!format!("{model:?}").contains("first-value"));
    }
}
