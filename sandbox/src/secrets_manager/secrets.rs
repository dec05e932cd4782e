//! All secrets of the account, and how an operation finds the one it is about.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::secret::Secret;
use super::{Error, ErrorKind};

/// The secrets by ARN.
#[derive(Clone, Debug, Default)]
pub(super) struct Secrets(pub(super) BTreeMap<String, Secret>);

impl Secrets {
    /// By name, full ARN, or ARN without the hyphen and six characters at its end.
    pub(super) fn find(&self, id: &str) -> Option<&Secret> {
        if let Some(secret) = self.0.get(id) {
            return Some(secret);
        }
        self.0.values().find(|secret| secret.name == id || partial_arn(&secret.arn) == Some(id))
    }

    pub(super) fn named(&self, name: &str) -> Option<&Secret> {
        self.0.values().find(|secret| secret.name == name)
    }

    /// The secret, marked for deletion or not.
    pub(super) fn find_mut(&mut self, id: &str) -> Result<&mut Secret, Error> {
        if id.is_empty() {
            return Err(Error::new(
                ErrorKind::Validation,
                "1 validation error detected: Value null at 'secretId' failed to satisfy constraint: Member must not be \
                 null",
            ));
        }
        let arn = self.find(id).map(|secret| secret.arn.clone());
        arn.and_then(|arn| self.0.get_mut(&arn)).ok_or_else(Error::not_found)
    }

    /// The secret, unless it is marked for deletion.
    pub(super) fn live_mut(&mut self, id: &str) -> Result<&mut Secret, Error> {
        let secret = self.find_mut(id)?;
        if secret.deletion.is_some() { Err(Error::deleted()) } else { Ok(secret) }
    }

    pub(super) fn insert(&mut self, secret: Secret) {
        self.0.insert(secret.arn.clone(), secret);
    }

    /// Removes for good what was marked for deletion and whose window is over. AWS says "some time after".
    pub(super) fn purge(&mut self, now: Timestamp) {
        self.0.retain(|_, secret| secret.deletion.is_none_or(|(_, due)| now < due));
    }
}

fn partial_arn(arn: &str) -> Option<&str> {
    arn.len().checked_sub(7).and_then(|end| arn.get(..end))
}

#[cfg(test)]
mod tests {
    use super::super::DescribeSecret;
    use super::super::testing::{T0, model_with};
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
    fn a_request_without_a_secret_is_refused() {
        let (mut model, _) = model_with("a");
        let error = model.describe_secret(&DescribeSecret::default(), T0).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Validation);
    }
}
