//! One secret in one invocation: what a step of a rotation or an operation may read of it and do with it.
//!
//! | what | file |
//! | --- | --- |
//! | time, and reads of the secret | here |
//! | effects, each with its audit line | `effects` |
//! | what the staging labels say, and the stamps among them | `stamps` |
//! | what was changed, for the answer | `changes` |
//! | giving up a pending version | `giving_up` |
//! | the venue, the account and who may ask about its keys | `access` |
//! | what a master may be asked to do for a secret | `scope` |
//! | errors of the ports in the words of an invocation's | `errors` |

mod access;
mod changes;
mod effects;
mod errors;
mod giving_up;
mod known;
mod scope;
mod stamps;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::audit::Order;
use crate::bounds::LONGEST_RUN;
use crate::error::{Error, ErrorType};
use crate::name::SecretId;
use crate::ports::{Description, ListedVersion, Ports, StoredValue, Which};
use crate::secret::AccountId;
use crate::task::Task;
use crate::wrong::{self, Wrong};

pub(crate) use access::{
    AccountAccess, Master, has_master, master_at, master_id, master_in, master_of, read_master, venue_of,
};
pub(crate) use changes::Changes;
pub(crate) use effects::{About, ORDER_TAG, Tried};
pub(crate) use errors::{store_class, store_error, venue_class, venue_error};
pub(crate) use known::{Identity, Known};
pub(crate) use scope::Act;
pub(crate) use stamps::{has_stamp, is_condemned, must_fit, unstamped_previous, was_current};

/// Who is acting.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The ARN the function was invoked by, qualified or not.
    pub function_arn: String,
    /// The invocation's request id.
    pub request_id: String,
}

/// See the [module](self).
#[derive(Clone, Copy)]
pub(crate) struct SecretSession<'a> {
    pub(crate) ports: Ports<'a>,
    pub(crate) caller: &'a Caller,
    pub(crate) task: Task,
    pub(crate) secret: &'a SecretId,
    /// The person's order that it acts on.
    pub(crate) order: Option<&'a Order>,
    /// Where its effects are noted.
    pub(crate) changes: &'a Changes,
    /// What is known of the secrets it is about.
    pub(crate) known: &'a Known,
}

impl SecretSession<'_> {
    pub(crate) fn now(&self) -> Timestamp {
        self.ports.time.now()
    }

    /// What is left of the invocation, by the wall clock: a process that was frozen sees here how late it is.
    pub(crate) fn time_left(&self) -> Duration {
        if wrong::is(Wrong::ThawedGoesOn) {
            return LONGEST_RUN;
        }
        let left = self.ports.time.deadline().duration_since(self.now());
        Duration::try_from(left.max(SignedDuration::ZERO)).unwrap_or_default()
    }

    /// # Errors
    /// DEADLINE_NEAR when less than `needed` is left.
    pub(crate) fn must_have_left(&self, needed: Duration) -> Result<(), Error> {
        let left = self.time_left();
        if left >= needed {
            return Ok(());
        }
        let problem = format!(
            "only {:.1} s of the invocation are left, too little to begin a change: nothing more was done, \
             and the step can be repeated. If this recurs, raise the function's Timeout",
            left.as_secs_f32()
        );
        Err(Error::new(ErrorType::DeadlineNear, problem))
    }

    /// Notes the account that the secret stands for.
    pub(crate) fn stands_for(&self, account: &AccountId) {
        self.known.stands_for(self.secret.name().as_str(), account);
    }

    /// What this invocation has changed of the secret, or may have.
    pub(crate) fn changed(&self) -> Vec<String> {
        self.changes.of(self.secret)
    }

    // Reads.

    pub(crate) async fn describe(&self) -> Result<Description, Error> {
        let description = self
            .ports
            .store
            .describe(self.secret)
            .await
            .map_err(|error| store_error(&error))?;
        self.known.has_arn(description.name.as_str(), &description.arn);
        if let Some(pending) = description.pending()
            && (description.is_current(pending) || was_current(&description, pending))
        {
            self.known.saw_current(description.name.as_str(), pending);
        }
        Ok(description)
    }

    pub(crate) async fn versions(&self) -> Result<Vec<ListedVersion>, Error> {
        self.ports
            .store
            .versions(self.secret)
            .await
            .map_err(|error| store_error(&error))
    }

    pub(crate) async fn read(&self, which: Which<'_>) -> Result<Option<StoredValue>, Error> {
        self.ports
            .store
            .read(self.secret, which)
            .await
            .map_err(|error| store_error(&error))
    }
}
