//! What happened: the calls that were made, and the rotation events that the service emitted.

use std::fmt;

use jiff::Timestamp;

use super::ErrorKind;

/// One call that reached the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// When.
    pub at: Timestamp,
    /// Which operation.
    pub operation: Operation,
    /// The secret's name, or what the caller sent where no such secret is there; empty for `ListSecrets`.
    pub secret: String,
    /// Labels, version ids and flags of the request. Never a value or a rotation token.
    pub detail: String,
    /// How it ended.
    pub outcome: Outcome,
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.at, self.operation)?;
        for part in [&self.secret, &self.detail] {
            if !part.is_empty() {
                write!(f, " {part}")?;
            }
        }
        write!(f, " -> {}", self.outcome)
    }
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It took effect, or was answered.
    Done,
    /// It was refused.
    Refused(ErrorKind),
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done => f.write_str("ok"),
            Self::Refused(kind) => kind.fmt(f),
        }
    }
}

/// A rotation event, as `CloudTrail`'s service events name them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// Which.
    pub kind: EventKind,
    /// The secret's ARN.
    pub secret_arn: String,
    /// The version that the rotation was building.
    pub version_id: String,
}

/// The kinds of rotation event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EventKind {
    /// A rotation began.
    RotationStarted,
    /// The new version is current.
    RotationSucceeded,
    /// A pass failed, or the rotation was given up (see [`super::Knobs::events_per_replay`]).
    RotationFailed,
    /// AWSPENDING was taken off a version because a value was put by hand.
    RotationAbandoned,
    /// The test rotation failed.
    TestRotationFailed,
}

impl EventKind {
    /// The event's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RotationStarted => "RotationStarted",
            Self::RotationSucceeded => "RotationSucceeded",
            Self::RotationFailed => "RotationFailed",
            Self::RotationAbandoned => "RotationAbandoned",
            Self::TestRotationFailed => "TestRotationFailed",
        }
    }
}

macro_rules! operations {
    ($($name:ident),+ $(,)?) => {
        /// The operations that the stand-in knows.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Operation {
            $(#[doc = concat!("`", stringify!($name), "`.")] $name,)+
        }

        impl Operation {
            /// The operation's name.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)+ }
            }

            /// The operation of this name.
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $(stringify!($name) => Some(Self::$name),)+ _ => None }
            }
        }
    };
}

operations!(
    CancelRotateSecret,
    CreateSecret,
    DeleteSecret,
    DescribeSecret,
    GetSecretValue,
    ListSecretVersionIds,
    ListSecrets,
    PutSecretValue,
    RestoreSecret,
    RotateSecret,
    TagResource,
    UntagResource,
    UpdateSecret,
    UpdateSecretVersionStage,
);

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// `Name=value` for each that is there.
pub(super) fn detail(parts: &[(&str, Option<&str>)]) -> String {
    let shown: Vec<String> = parts
        .iter()
        .filter_map(|(name, value)| value.map(|value| format!("{name}={value}")))
        .collect();
    shown.join(" ")
}
