//! What Secrets Manager shows: the rotation, its labels and replicas, the KMS key; and the clients' caches.

use crate::name::{SecretId, unqualified};
use crate::operations::answer::{Code, RotationState};
use crate::operations::commands::{attach, quoted, switch_on};
use crate::operations::plan::Planning;
use crate::operations::schedule::stuck_since;
use crate::operations::{Operation, OperationSettings};
use crate::ports::Description;
use crate::session::{must_fit, unstamped_previous};

/// The KMS key that Secrets Manager uses where none is named: everybody who may write a value may use it.
const ACCOUNTS_OWN_KEY: &str = "alias/aws/secretsmanager";
/// The stamps that a rotation adds, and the label of the version that it builds.
const NEW_LABELS: usize = 3;

impl Planning<'_> {
    pub(super) async fn rotation(&mut self, description: &Description) {
        let name = self.name.clone();
        if description.deleted {
            self.blocker(
                "the secret is scheduled for deletion",
                format!("aws secretsmanager restore-secret --secret-id {name}"),
            );
        }
        if let Some((say, what_to_do)) = self.pass.of_another_account(&description.arn) {
            self.warning(say, what_to_do);
        }
        let ours = &self.pass.settings.rotation_function;
        let attach = attach(&self.pass.settings.rotation_function, &name);
        match &description.rotation_function {
            Some(function) if unqualified(function) != unqualified(ours) => {
                self.blocker(
                    format!("another function rotates this secret: {function}"),
                    attach,
                );
            }
            None => self.warning("no function rotates this secret yet", attach),
            // By its own rules: others would take the place of its schedule.
            Some(_) if !description.rotation_enabled => {
                self.warning("rotation is switched off", switch_on(&name));
            }
            Some(_) => {}
        }
        if let Some(pending) = description.open_rotation() {
            let abandon = self.pass.command(Operation::Abandon, &name);
            match self.stuck(description, pending).await {
                RotationState::Stuck => self.blocker(
                    format!(
                        "a rotation is stuck: version {pending} is AWSPENDING, and would be repeated \
                         instead of a new one"
                    ),
                    abandon,
                ),
                _ => self.blocker(
                    format!("a rotation is in flight: version {pending} is AWSPENDING"),
                    "wait until it is over",
                ),
            }
        }
        let stamps = NEW_LABELS + usize::from(unstamped_previous(description).is_some());
        if let Err(error) = must_fit(description, stamps) {
            self.error(&error);
        }
        for replica in description.replicas.iter().filter(|replica| !replica.in_sync) {
            let say = format!(
                "the replica in {} is not in sync: replaced keys stay alive until it is",
                replica.said()
            );
            self.warning(
                say,
                format!("aws secretsmanager describe-secret --secret-id {name}"),
            );
        }
    }

    async fn stuck(&self, description: &Description, pending: &crate::label::VersionId) -> RotationState {
        let Ok(id) = SecretId::parse(&description.arn) else {
            return RotationState::InFlight;
        };
        match stuck_since(self.pass, &self.pass.session(&id), pending).await {
            Ok(Some(_)) => RotationState::Stuck,
            Ok(None) | Err(_) => RotationState::InFlight,
        }
    }

    /// Who may read a value may perhaps write none. What grants both to the functions' roles names one key.
    pub(super) fn encryption(&mut self, description: &Description) {
        let Some(key) = description
            .kms_key
            .as_deref()
            .filter(|key| !key.ends_with(ACCOUNTS_OWN_KEY))
        else {
            return;
        };
        let granted = self.pass.settings.kms_key.as_deref();
        // Which key an alias stands for, DescribeKey alone tells, which the functions may not call.
        if key.starts_with("alias/") || key.contains(":alias/") {
            let say = format!(
                "the KMS key of the secret is named by its alias {key}: whether the functions' roles are \
                 granted it is not told here"
            );
            let compare = format!(
                "compare KmsKeyArn with: aws kms describe-key --key-id {} --query KeyMetadata.Arn --output \
                 text",
                quoted(key)
            );
            self.find(Code::KmsKeyUntold, say, compare);
            return;
        }
        let is_granted =
            |granted: &str| granted == key || granted.rsplit_once(":key/").is_some_and(|(_, id)| id == key);
        if granted.is_some_and(is_granted) {
            return;
        }
        let other = granted.map_or_else(|| "none".to_owned(), |granted| format!("{granted} alone"));
        let say = format!(
            "the KMS key {key} encrypts the secret, and the functions' roles are granted {other}: whether \
             the rotation function may encrypt with it is not known"
        );
        let what_to_do = format!(
            "deploy with KmsKeyArn set to what this prints: aws kms describe-key --key-id {} --query \
             KeyMetadata.Arn --output text",
            quoted(key)
        );
        self.warning(say, what_to_do);
    }

    /// Whoever has read the replaced key keeps it for as long as its cache does, and once more where one
    /// refresh fails.
    pub(super) fn clients(&mut self) {
        let (grace, cache) = (self.pass.settings.grace, OperationSettings::LONGEST_CLIENT_CACHE);
        if grace < cache * 2 {
            let say = format!(
                "clients keep a value for up to {} s, and the grace is {} s: one that cannot refresh once \
                 is locked out",
                cache.as_secs(),
                grace.as_secs()
            );
            self.warning(
                say,
                "raise GRACE_HOURS in the settings of the operations function, or have clients refresh more \
                 often",
            );
        }
    }
}
