//! What an invocation has learnt of the secrets that it is about. Log lines mask names: two desks'
//! `prod/bybit/***` are told apart by account and ARN.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::name::SecretName;
use crate::secret::{AccountId, LONGEST_ACCOUNT};
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
pub(crate) struct Known(Mutex<BTreeMap<String, Identity>>);

impl Known {
    /// Notes a secret's ARN, as Secrets Manager gives it.
    pub(crate) fn has_arn(&self, name: &str, arn: &str) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
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
        if account.as_str().len() > LONGEST_ACCOUNT {
            return;
        }
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.entry(name.to_owned()).or_default().account = Some(account.to_string());
    }

    /// What is known of a secret.
    pub(crate) fn of(&self, name: &SecretName) -> Identity {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(name.as_str())
            .cloned()
            .unwrap_or_default()
    }
}
