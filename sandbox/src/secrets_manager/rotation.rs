//! A rotation that is open, and the invocations of the function that it asks for.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::Sensitive;
use super::random::Random;

/// A rotation between its beginning and its success, its failure for good, or its end by hand.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(
    clippy::struct_field_names,
    reason = "`RotationToken` is AWS's word, and not the `token`"
)]
pub struct Rotation {
    pub(super) token: String,
    pub(super) rotation_token: Option<Sensitive>,
    pub(super) test_only: bool,
    pub(super) step: Step,
    pub(super) replay: u32,
    pub(super) not_before: Timestamp,
    pub(super) in_flight: Option<InFlight>,
}

impl Rotation {
    pub(super) fn new(
        token: String,
        test_only: bool,
        rotation_token: Option<Sensitive>,
        now: Timestamp,
    ) -> Self {
        let step = if test_only {
            Step::TestSecret
        } else {
            Step::CreateSecret
        };
        Self {
            token,
            rotation_token,
            test_only,
            step,
            replay: 0,
            not_before: now,
            in_flight: None,
        }
    }

    /// The version that it builds.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// The `RotationToken` of its events, where they carry one.
    pub fn rotation_token(&self) -> Option<&Sensitive> {
        self.rotation_token.as_ref()
    }

    /// The step that runs, or is next.
    pub fn step(&self) -> Step {
        self.step
    }

    /// How many times it was begun again after a failure.
    pub fn replay(&self) -> u32 {
        self.replay
    }

    /// Whether it is AWS's dry run: testSecret alone, on a copy of the current value.
    pub fn is_test(&self) -> bool {
        self.test_only
    }

    /// When its next invocation may be made, or when a running one will have taken too long.
    pub(super) fn acts_at(&self, patience: SignedDuration) -> Timestamp {
        self.in_flight
            .map_or(self.not_before, |flight| flight.since + patience)
    }
}

/// An invocation whose outcome isn't known yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct InFlight {
    pub(super) id: u64,
    pub(super) since: Timestamp,
}

/// One call of the rotation function that the service makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invocation {
    pub(super) id: u64,
    /// The step.
    pub step: Step,
    /// The secret's full ARN.
    pub secret_arn: String,
    /// The `ClientRequestToken`: the version that the rotation builds.
    pub token: String,
    /// The `RotationToken`, where the event carries one.
    pub rotation_token: Option<Sensitive>,
    /// The function to invoke, where the secret names one.
    pub lambda_arn: Option<String>,
    /// How many times the rotation was begun again before this.
    pub replay: u32,
}

impl Invocation {
    /// The event that the function receives. It holds the `RotationToken` in clear.
    pub fn event(&self) -> serde_json::Value {
        #[derive(Serialize)]
        #[serde(rename_all = "PascalCase")]
        struct Event<'a> {
            step: &'a str,
            secret_id: &'a str,
            client_request_token: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            rotation_token: Option<&'a Sensitive>,
        }
        let event = Event {
            step: self.step.as_str(),
            secret_id: &self.secret_arn,
            client_request_token: &self.token,
            rotation_token: self.rotation_token.as_ref(),
        };
        // Strings alone always have a JSON form.
        serde_json::to_value(event).unwrap_or_default()
    }
}

/// A step of a rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Make the new credential and store it.
    CreateSecret,
    /// Make the other side accept it.
    SetSecret,
    /// Prove that it works.
    TestSecret,
    /// Make it current.
    FinishSecret,
}

impl Step {
    /// The step's name in the event.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CreateSecret => "createSecret",
            Self::SetSecret => "setSecret",
            Self::TestSecret => "testSecret",
            Self::FinishSecret => "finishSecret",
        }
    }

    /// The step after this one.
    pub(super) fn next(self) -> Option<Self> {
        match self {
            Self::CreateSecret => Some(Self::SetSecret),
            Self::SetSecret => Some(Self::TestSecret),
            Self::TestSecret => Some(Self::FinishSecret),
            Self::FinishSecret => None,
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A `RotationToken` in the form that the API reference demands: 36 to 256 letters, digits and hyphens.
pub(super) fn new_rotation_token(random: &mut Random) -> Sensitive {
    Sensitive::new(random.uuid())
}
