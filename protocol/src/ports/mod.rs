//! What the protocol needs of the world: a store for secrets, a venue, time, and a journal for what it did.
//! The function implements them over AWS and HTTP, the sandbox over its models.

mod schedule;
mod store;
mod venue;

use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::audit::{FindingRecord, Record};
pub use crate::class::ErrorClass;
pub use crate::ports::schedule::Schedule;
pub use crate::ports::store::{
    Description, Fleet, LabelMove, ListedVersion, Put, Replica, SecretPage, Store, StoreError,
    StoreErrorKind, StoredValue, Which,
};
pub use crate::ports::venue::{
    Asking, Grant, IssuedKey, Issues, KeyList, KeyState, KeyToRevoke, ListedKey, OwnAccount, Powers, Signer,
    ToldAddresses, Venue, VenueError, VenueFacts, Venues, Whose,
};

/// Everything of the world that one invocation may touch.
#[derive(Clone, Copy, Debug)]
pub struct Ports<'a> {
    /// Secrets Manager.
    pub store: &'a dyn Store,
    /// The exchanges.
    pub venues: &'a dyn Venues,
    /// Clock, sleep, randomness and the invocation's deadline.
    pub time: &'a dyn Time,
    /// Where effects are recorded.
    pub journal: &'a dyn Journal,
}

/// Clock, sleep, randomness, and how long this invocation may live.
#[async_trait]
pub trait Time: Send + Sync + Debug {
    /// The wall clock.
    fn now(&self) -> Timestamp;
    /// When the invocation is ended from outside.
    fn deadline(&self) -> Timestamp;
    /// Waits.
    async fn sleep(&self, time: Duration);
    /// Sixty-four random bits.
    fn random(&self) -> u64;
}

/// Takes the audit line of every effect, and the line of every finding.
pub trait Journal: Send + Sync + Debug {
    /// Records one effect, done or failed. Never fails: an audit line must not stop a rescue.
    fn record(&self, record: &Record);
    /// Notes what an operation found.
    fn found(&self, found: &FindingRecord);
}
