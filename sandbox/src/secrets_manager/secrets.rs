//! All secrets of the account, and how an operation finds the one it is about.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::secret::Secret;
use super::{Error, ErrorKind};

/// The secrets. A clone shares each of them until one of the two changes it.
#[derive(Clone, Debug, Default)]
pub(super) struct Secrets {
    by_arn: BTreeMap<Arc<str>, Arc<Secret>>,
    /// How often any of them was to be changed.
    editions: u64,
}

impl Secrets {
    /// In the order of their ARNs.
    pub(super) fn all(&self) -> impl Iterator<Item = &Secret> {
        self.by_arn.values().map(Arc::as_ref)
    }

    /// Those of the account itself, which names find and lists show.
    pub(super) fn own(&self) -> impl Iterator<Item = &Secret> {
        self.all().filter(|secret| !secret.is_elsewhere)
    }

    /// By name, full ARN, or ARN without the hyphen and six characters at its end.
    pub(super) fn find(&self, id: &str) -> Option<&Secret> {
        if let Some(secret) = self.by_arn.get(id) {
            return Some(secret);
        }
        self.own()
            .find(|secret| secret.name == id || partial_arn(&secret.arn) == Some(id))
    }

    pub(super) fn named(&self, name: &str) -> Option<&Secret> {
        self.own().find(|secret| secret.name == name)
    }

    /// By full ARN, to change it.
    pub(super) fn get_mut(&mut self, arn: &str) -> Option<&mut Secret> {
        let secret = self.by_arn.get_mut(arn).map(Arc::make_mut)?;
        self.editions += 1;
        secret.edition = self.editions;
        Some(secret)
    }

    /// The secret, marked for deletion or not.
    pub(super) fn must_be(&self, id: &str) -> Result<&Secret, Error> {
        if id.is_empty() {
            return Err(Error::new(
                ErrorKind::Validation,
                "1 validation error detected: Value null at 'secretId' failed to satisfy constraint: Member \
                 must not be null",
            ));
        }
        self.find(id).ok_or_else(Error::not_found)
    }

    /// The same, to change it.
    pub(super) fn find_mut(&mut self, id: &str) -> Result<&mut Secret, Error> {
        let arn = self.must_be(id)?.arn.clone();
        self.get_mut(&arn).ok_or_else(Error::not_found)
    }

    /// The secret, unless it is marked for deletion.
    pub(super) fn live(&self, id: &str) -> Result<&Secret, Error> {
        let secret = self.must_be(id)?;
        if secret.deletion.is_some() {
            Err(Error::deleted())
        } else {
            Ok(secret)
        }
    }

    /// The same, to change it.
    pub(super) fn live_mut(&mut self, id: &str) -> Result<&mut Secret, Error> {
        self.live(id)?;
        self.find_mut(id)
    }

    pub(super) fn insert(&mut self, secret: Secret) {
        self.by_arn.insert(secret.arn.as_str().into(), Arc::new(secret));
    }

    /// Removes for good what was marked for deletion and whose window is over. AWS says "some time after".
    pub(super) fn purge(&mut self, now: Timestamp) {
        let stays = |secret: &Secret| secret.deletion.is_none_or(|(_, due)| now < due);
        // Every call comes by here, and hardly one finds anything to remove.
        if !self.all().all(stays) {
            self.by_arn.retain(|_, secret| stays(secret));
        }
    }
}

fn partial_arn(arn: &str) -> Option<&str> {
    arn.len().checked_sub(7).and_then(|end| arn.get(..end))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{T0, model_with};
    use super::super::{DescribeSecret, ListSecrets, Seed};
    use super::*;

    #[test]
    fn a_secret_is_found_by_name_arn_and_arn_without_suffix() {
        let (model, arn) = model_with("prod/bybit/main");
        let partial = arn.get(..arn.len() - 7).unwrap();
        for id in ["prod/bybit/main", arn.as_str(), partial] {
            assert_eq!(model.secret(id).unwrap().arn(), arn, "{id}");
        }
        assert!(model.secret("prod/bybit").is_none());
        assert!(model.secret("").is_none());
    }

    #[test]
    fn a_secret_of_another_account_answers_to_its_full_arn_alone() {
        let (mut model, _) = model_with("a");
        let seed = Seed {
            name: "theirs".into(),
            owner: Some("210987654321".into()),
            ..Seed::default()
        };
        let arn = model.seed(seed, T0).unwrap();
        assert!(arn.contains(":210987654321:"), "{arn}");
        assert!(model.secret(&arn).is_some());
        for id in ["theirs", arn.get(..arn.len() - 7).unwrap()] {
            assert!(model.secret(id).is_none(), "{id}");
        }
        let page = model.list_secrets(&ListSecrets::default(), T0).unwrap();
        let listed: Vec<&str> = page
            .secret_list
            .iter()
            .map(|secret| secret.name.as_str())
            .collect();
        assert_eq!(listed, ["a"]);
    }

    #[test]
    fn a_request_without_a_secret_is_refused() {
        let (mut model, _) = model_with("a");
        let error = model.describe_secret(&DescribeSecret::default(), T0).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Validation);
    }
}
