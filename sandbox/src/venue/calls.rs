//! The log of calls, for a person who watches and for tests that count.

use jiff::Timestamp;

use super::credential::KeyId;
use crate::fault::Fault;

/// One call, without secrets and signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// When it arrived.
    pub at: Timestamp,
    /// The HTTP method.
    pub method: String,
    /// The path, without the query.
    pub path: String,
    /// The caller's key, if there is such a key. The signature may be wrong all the same.
    pub caller: Option<KeyId>,
    /// The venue's code in the answer; nothing where the model was not asked or the answer has none.
    pub code: Option<i64>,
    /// What was done to the call, if a fault was planned for it.
    pub fault: Option<Fault>,
    /// What it was about, in a few words.
    pub detail: String,
}
