//! The four steps that Secrets Manager calls, one file each, and what they share. What they share extends one
//! `Run`: `base`, `standing`, `wanted` and `wrong` need one another through its methods alone.

mod authority;
mod base;
mod create;
mod evidence;
mod finish;
mod giving_up;
mod issue;
mod judge;
mod keep;
mod offer;
mod often;
mod rehearsal;
mod run;
mod set;
mod standing;
mod test;
mod wanted;
mod wrong;

use std::collections::BTreeSet;

use secrecy::SecretString;
use serde::Serialize;

use crate::bounds::LAST_MOMENT;
use crate::error::Error;
use crate::label::VersionId;
use crate::name::SecretId;
use crate::ports::Ports;
use crate::secret::Address;
use crate::session::{Changes, Known};
pub(crate) use issue::{NONE_PURGED_BELOW, settled};
pub(crate) use rehearsal::{Issuing, Rehearsal, rehearse, rehearse_return, rehearse_without_current};
use run::Run;

/// The oldest age at which a key that was issued and not stored may still be stored by a living run.
pub use crate::bounds::UNSETTLED;
pub use crate::session::Caller;
pub use crate::step::Step;

/// Performs one step of a rotation.
///
/// # Errors
/// An [`Error`] that says what happened and what to do. A step that failed may be called again, and any later
/// step too: every repetition and overlap converges.
pub async fn rotate(
    ports: Ports<'_>,
    caller: &Caller,
    settings: &RotationSettings,
    request: &StepRequest,
) -> Result<Done, Error> {
    let (changes, known) = (Changes::default(), Known::default());
    let run = Run::new(ports, caller, settings, request, (&changes, &known));
    run.session
        .must_have_left(LAST_MOMENT)
        .map_err(|error| error.at(request.step, request.secret.name()))?;
    let done = match request.step {
        Step::Create => create::create(&run).await,
        Step::Set => set::set(&run).await,
        Step::Test => test::test(&run).await,
        Step::Finish => finish::finish(&run).await,
    };
    done.map_err(|error| error.at(request.step, request.secret.name()))
}

/// What Secrets Manager asks for.
#[derive(Clone, Debug)]
pub struct StepRequest {
    /// The step.
    pub step: Step,
    /// The secret.
    pub secret: SecretId,
    /// The ClientRequestToken: the id of the version that the rotation builds.
    pub token: VersionId,
    /// The RotationToken, which goes to PutSecretValue and nowhere else.
    pub rotation_token: Option<SecretString>,
}

/// What the function's configuration says to the protocol.
#[derive(Clone, Debug, Default)]
pub struct RotationSettings {
    /// The addresses the function's own calls leave from; every bound key must allow them.
    pub egress: BTreeSet<Address>,
}

/// What a step that succeeded did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Done {
    /// The token is AWSCURRENT already: the rotation is over.
    AlreadyCurrent,
    /// createSecret: a key was issued and stored.
    Issued,
    /// createSecret: a credential that a person offered was stored.
    Copied,
    /// createSecret: the token has its value already.
    AlreadyStored,
    /// setSecret: the venue agrees with what is stored.
    Agreed,
    /// testSecret: the pending credential does what it must, and can't do what it must not.
    Proven,
    /// testSecret: consumers hold the key already, and asking it could shut them out: nothing was asked.
    NotAsked,
    /// finishSecret: the pending version is AWSCURRENT now.
    Promoted,
}
