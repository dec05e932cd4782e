//! What a person orders in a world.

use protocol::label::VersionId;
use protocol::name::SecretId;
use protocol::operations::{Answer, Form, Mode, OperationRequest, Order, Shard};

use super::world::World;
use crate::report::fingerprint as shown;
use crate::venue::KeyId;

/// A person says that the key of a version, or of the current one, is leaked.
pub fn break_glass(secret: &SecretId, version: Option<&VersionId>, mode: Mode) -> OperationRequest {
    let order = Order {
        reason: "seen in a public log".to_owned(),
        incident: "INC-7".to_owned(),
    };
    OperationRequest::BreakGlass {
        secret: secret.clone(),
        version: version.cloned(),
        mode,
        fingerprint: None,
        no_successor: false,
        order,
    }
}

/// The same order, naming the key.
///
/// # Panics
/// When it is another request, or this is no key id.
#[must_use]
pub fn naming(mut order: OperationRequest, key: &KeyId) -> OperationRequest {
    let OperationRequest::BreakGlass { fingerprint, .. } = &mut order else {
        panic!("only an order about a leaked key names it");
    };
    *fingerprint = Some(shown(key.as_str()).parse().expect("a key id has a fingerprint"));
    order
}

/// The same order, whoever gives it wanting no successor.
///
/// # Panics
/// When it is another request.
#[must_use]
pub fn without_a_successor(mut order: OperationRequest) -> OperationRequest {
    let OperationRequest::BreakGlass { no_successor, .. } = &mut order else {
        panic!("only an order about a leaked key says so");
    };
    *no_successor = true;
    order
}

/// A pass over a part of all secrets; in a dry run it says what it would do, and does nothing.
pub fn maintain(shard: Shard, dry_run: bool) -> OperationRequest {
    OperationRequest::Maintain {
        shard,
        secrets: Vec::new(),
        moved: false,
        dry_run,
    }
}

/// An audit of everything, or of one secret, in this form.
pub fn audit(secret: Option<&SecretId>, form: Form) -> OperationRequest {
    OperationRequest::Audit {
        shard: Shard::ALL,
        secret: secret.cloned(),
        fingerprint: None,
        after: None,
        form,
    }
}

impl World {
    /// Gives the secret's open rotation up.
    ///
    /// # Panics
    /// As [`World::operate`].
    pub fn abandon(&self) -> Answer {
        self.operate(OperationRequest::Abandon {
            secret: self.secret().clone(),
        })
    }

    /// Orders the secret's way back: to this version, or to the one before.
    ///
    /// # Panics
    /// As [`World::operate`].
    pub fn roll_back(&self, version: Option<&VersionId>) -> Answer {
        self.operate(OperationRequest::Rollback {
            secret: self.secret().clone(),
            version: version.cloned(),
        })
    }

    /// One pass over all secrets.
    ///
    /// # Panics
    /// As [`World::operate`].
    pub fn maintain(&self) -> Answer {
        self.operate(maintain(Shard::ALL, false))
    }

    /// A pass over all secrets that says what it would do, and does nothing.
    ///
    /// # Panics
    /// As [`World::operate`].
    pub fn maintain_dry(&self) -> Answer {
        self.operate(maintain(Shard::ALL, true))
    }

    /// A pass over a part of all secrets, such as `1/4`.
    ///
    /// # Panics
    /// As [`World::operate`], and when it is no part.
    pub fn maintain_shard(&self, shard: &str) -> Answer {
        self.operate(maintain(shard.parse().expect("a shard"), false))
    }
}
