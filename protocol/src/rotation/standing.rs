//! What must be true before any step, and where the token stands.

use std::time::Duration;

use futures_util::future::join3;

use super::run::Run;
use super::wrong::{self, Wrong};
use crate::bounds::LAST_MOMENT;
use crate::error::{Error, ErrorType};
use crate::label::{Label, StampKind};
use crate::name::unqualified;
use crate::ports::{Description, StoredValue, Which};
use crate::session::{has_stamp, was_current};

/// How long a step waits before each further look for the label of its token.
const LOOKS_FOR_THE_LABEL: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(4)];

/// Where the token stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenState {
    /// It is AWSCURRENT: the rotation is over.
    Current,
    /// It is AWSPENDING.
    Pending,
    /// It is AWSPENDING and condemned: a run died between the two changes that give it up.
    Condemned,
}

/// What a step that may change something begins with: the secret as it stands, and what the reads of the
/// token's value and of the current one gave.
pub(super) struct Opening {
    pub(super) description: Description,
    pub(super) pending: Result<Option<StoredValue>, Error>,
    pub(super) current: Result<Option<StoredValue>, Error>,
}

impl Run<'_> {
    /// Reads what createSecret and setSecret both need, all at once. `None` when the rotation is over.
    pub(super) async fn open(&self) -> Result<Option<Opening>, Error> {
        let (description, pending, current) = join3(
            self.look(),
            self.session.read(Which::Version(self.token())),
            self.session.read(Which::Current),
        )
        .await;
        let (description, is_later) = description?;
        // All reads have to agree, and one of them be as late as the look: whoever is wrong then was misled
        // each time.
        let current = match &current {
            Ok(Some(first)) if !description.is_current(&first.version) => current,
            _ if is_later => self.session.read(Which::Current).await,
            _ => current,
        };
        match self.standing(&description)? {
            TokenState::Pending => Ok(Some(Opening {
                description,
                pending,
                current,
            })),
            TokenState::Condemned => Err(self.give_up("it is condemned").await),
            TokenState::Current => {
                self.session.tidy(&description).await;
                Ok(None)
            }
        }
    }

    /// The secret, as a step begins. A token's label may be shown some seconds late: it is looked for again.
    pub(super) async fn describe(&self) -> Result<Description, Error> {
        self.look().await.map(|(description, _)| description)
    }

    /// The same, and whether it took more than one look.
    async fn look(&self) -> Result<(Description, bool), Error> {
        let (mut description, mut is_later) = (self.session.describe().await?, false);
        for pause in LOOKS_FOR_THE_LABEL {
            let is_unknown = self
                .standing(&description)
                .is_err_and(|error| error.error_type == ErrorType::VersionUnknown);
            if !is_unknown || self.session.time_left() < pause + LAST_MOMENT {
                break;
            }
            self.session.ports.time.sleep(pause).await;
            (description, is_later) = (self.session.describe().await?, true);
        }
        Ok((description, is_later))
    }

    /// The preconditions of every step.
    ///
    /// # Errors
    /// Which of them does not hold; nothing was changed.
    pub(super) fn standing(&self, description: &Description) -> Result<TokenState, Error> {
        if description.deleted {
            let problem =
                "the secret is scheduled for deletion: restore it (aws secretsmanager restore-secret)";
            return Err(Error::new(ErrorType::SecretDeleted, problem));
        }
        if !description.rotation_enabled {
            let problem = "rotation is switched off for this secret: switch it on with aws secretsmanager \
                           rotate-secret, and with --no-rotate-immediately where it is not to rotate at once";
            return Err(Error::new(ErrorType::RotationDisabled, problem));
        }
        if let Some(function) = &description.rotation_function
            && unqualified(function) != unqualified(&self.session.caller.function_arn)
        {
            let problem = "the secret names another rotation function (RotationLambdaARN) than the one that \
                           was invoked";
            return Err(Error::new(ErrorType::WrongFunction, problem));
        }
        let token = self.token();
        if !description.versions.contains_key(token) {
            let problem = format!(
                "version {token} is none of the secret's labelled versions: begin a rotation with \
                 rotate-secret"
            );
            return Err(Error::new(ErrorType::VersionUnknown, problem));
        }
        let condemned = has_stamp(description, token, StampKind::Condemned);
        match (
            description.is_current(token),
            description.bears(token, &Label::pending()),
        ) {
            (true, _) => Ok(TokenState::Current),
            (false, true) if condemned && !wrong::is(Wrong::CondemnedPromoted) => Ok(TokenState::Condemned),
            (false, true) => Ok(TokenState::Pending),
            (false, false) if condemned => {
                Err(doomed("it was given up by an earlier run, and its log says why"))
            }
            (false, false) if was_current(description, token) => Err(doomed("it has been current already")),
            (false, false) => {
                let problem =
                    format!("version {token} is not AWSPENDING: begin a new rotation with rotate-secret");
                Err(Error::new(ErrorType::VersionNotPending, problem))
            }
        }
    }
}

/// The one error of a version that can never be promoted.
pub(super) fn doomed(reason: &str) -> Error {
    let problem = format!(
        "this pending version can never be promoted: {reason}. Begin a new rotation (aws secretsmanager \
         rotate-secret)"
    );
    Error::new(ErrorType::VersionDoomed, problem)
}
