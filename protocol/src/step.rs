//! The four steps by name.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A step of a rotation, spelled as events spell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Step {
    /// Come by a new credential and store it as AWSPENDING.
    #[serde(rename = "createSecret")]
    Create,
    /// Make the venue agree with what is stored.
    #[serde(rename = "setSecret")]
    Set,
    /// Prove the pending credential; changes nothing.
    #[serde(rename = "testSecret")]
    Test,
    /// Promote it.
    #[serde(rename = "finishSecret")]
    Finish,
}

impl Step {
    /// All four, in their order.
    pub const ALL: [Self; 4] = [Self::Create, Self::Set, Self::Test, Self::Finish];

    /// The step as events spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "createSecret",
            Self::Set => "setSecret",
            Self::Test => "testSecret",
            Self::Finish => "finishSecret",
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
