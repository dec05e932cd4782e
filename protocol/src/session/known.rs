//! What an invocation has learnt of the secrets that it is about. Log lines mask names: two desks'
//! `prod/<exchange>/***` are told apart by account and ARN.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use crate::label::VersionId;
use crate::name::SecretName;
use crate::secret::{AccountId, may_be_an_account};
use crate::shown::digest;

/// What tells a secret apart from others with the same masked name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Identity {
    /// The first twelve hex digits of the SHA-256 of its ARN.
    pub(crate) arn_digest: Option<String>,
    /// The account that it stands for, as the venue names it.
    pub(crate) account: Option<String>,
}

/// The secrets of one invocation, by name.
#[derive(Debug, Default)]
pub(crate) struct Known {
    identities: Mutex<BTreeMap<String, Identity>>,
    /// The pending versions that were seen to have been current: a later read may be stale, and not show it.
    been_current: Mutex<BTreeSet<(String, VersionId)>>,
}

impl Known {
    /// Notes a secret's ARN, as Secrets Manager gives it.
    pub(crate) fn has_arn(&self, name: &str, arn: &str) {
        let mut known = self.identities.lock().unwrap_or_else(PoisonError::into_inner);
        if known
            .get(name)
            .is_some_and(|identity| identity.arn_digest.is_some())
        {
            return;
        }
        known.entry(name.to_owned()).or_default().arn_digest = Some(digest(arn));
    }

    /// Notes the account that a secret stands for, as its value or its key says. One that is longer than any
    /// id may be something else.
    pub(crate) fn stands_for(&self, name: &str, account: &AccountId) {
        if !may_be_an_account(account.as_str()) {
            return;
        }
        let mut known = self.identities.lock().unwrap_or_else(PoisonError::into_inner);
        known.entry(name.to_owned()).or_default().account = Some(account.to_string());
    }

    /// Notes that a pending version is current, or has been.
    pub(crate) fn saw_current(&self, name: &str, version: &VersionId) {
        let mut been_current = self.been_current.lock().unwrap_or_else(PoisonError::into_inner);
        been_current.insert((name.to_owned(), version.clone()));
    }

    /// Whether a version was seen to be current, or to have been.
    pub(crate) fn has_seen_current(&self, name: &str, version: &VersionId) -> bool {
        let been_current = self.been_current.lock().unwrap_or_else(PoisonError::into_inner);
        been_current.contains(&(name.to_owned(), version.clone()))
    }

    /// What is known of a secret.
    pub(crate) fn of(&self, name: &SecretName) -> Identity {
        self.identities
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(name.as_str())
            .cloned()
            .unwrap_or_default()
    }
}
