//! The `rotation` field: where a value came from, and what was resolved when it was built.

use serde::{Deserialize, Serialize};

use super::{AccountId, Addresses, Permissions};
use crate::label::{Label, VersionId};
use crate::ports::OwnAccount;

/// Written by createSecret into every value it stores; consumers ignore it. Without it a value was not built
/// by us.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// The id of the version this value was built for: its own.
    pub token: VersionId,
    /// How the credential was come by.
    pub source: Source,
    /// For a copied credential, the version it was copied from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copied_from: Option<VersionId>,
    /// The version that was current when this value was built, and the only one it may replace.
    pub based_on: VersionId,
    /// The account at the venue that the secret stands for, as calls name it; its alias where no call does.
    pub account: String,
    /// What a key of the account calls it, where that is another name. All its keys call it so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alias: Option<String>,
    /// What the key was to be allowed, and is held to.
    pub permissions: Permissions,
    /// From where it was to be usable.
    pub ip_allowlist: Addresses,
}

/// How a credential was come by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// Issued at the venue for this version.
    Issued,
    /// Copied from the version that a person labelled CANDIDATE.
    Candidate,
    /// Copied from the version labelled ROLLBACK.
    Rollback,
}

impl Provenance {
    /// The account that was recorded, as calls name it; an alias, which its keys alone call it, only where
    /// that counts as a name.
    pub fn recorded_account(&self, alias_is_name: bool) -> Option<AccountId> {
        let is_name = self.alias.as_ref() != Some(&self.account);
        (is_name || alias_is_name).then(|| AccountId::new(&self.account))
    }

    /// Whether a key that tells this of its account cannot be of the recorded one.
    pub fn is_of_another(&self, own: &OwnAccount) -> bool {
        let alias = self.alias.as_deref().zip(own.alias());
        alias.is_some_and(|(recorded, own)| recorded != own.as_str())
    }
}

impl Source {
    /// The label that a copied credential was found under.
    pub fn label(self) -> Option<Label> {
        match self {
            Self::Issued => None,
            Self::Candidate => Some(Label::candidate()),
            Self::Rollback => Some(Label::rollback()),
        }
    }
}
