//! Storing the pending value: PutSecretValue is a write-once register, and every attempt's outcome counts.

use secrecy::SecretString;

use super::run::Run;
use super::wrong::{self, Wrong};
use crate::bounds::{ATTEMPTS, REREAD_PAUSE};
use crate::error::{Error, ErrorType};
use crate::ports::{StoreErrorKind, StoredValue, Which};
use crate::secret::{KeyId, SecretValue};
use crate::session::store_error;

/// Where the value went.
pub(super) enum StoreOutcome {
    /// It is the token's value.
    Stored,
    /// The token holds another key.
    Another(StoredValue),
    /// The token holds a value, and it cannot be read yet.
    Unseen,
}

/// The value is not known to be stored.
pub(super) struct NotStored {
    pub(super) error: Error,
    /// Whether it is certain that it is not, nor ever will be.
    pub(super) certainly: bool,
}

impl Run<'_> {
    /// Stores the token's value. Repeats an attempt with the very same bytes where that can help.
    pub(super) async fn keep(&self, text: &SecretString, key: &KeyId) -> Result<StoreOutcome, NotStored> {
        // After one unknown outcome a later refusal does not tell that the value is not there.
        let mut certainly = true;
        let mut pause = REREAD_PAUSE;
        let mut attempt = 1;
        loop {
            let anew = wrong::value_of_attempt(text, attempt);
            let error = match self.put(anew.as_ref().unwrap_or(text), key).await {
                Ok(Ok(())) => return Ok(StoreOutcome::Stored),
                Ok(Err(error)) => error,
                Err(error) => return Err(NotStored { error, certainly }),
            };
            certainly &=
                error.kind != StoreErrorKind::UnknownOutcome || wrong::is(Wrong::UnknownPutIsRefusal);
            match error.kind {
                StoreErrorKind::Exists
                    if wrong::is(Wrong::ExistsIsLoss) || wrong::is(Wrong::ValueAnewAndLost) =>
                {
                    return Err(NotStored {
                        error: store_error(&error),
                        certainly: true,
                    });
                }
                StoreErrorKind::Exists => return self.whose(key).await,
                kind if kind.is_transient() && attempt < ATTEMPTS => {}
                _ => {
                    return Err(NotStored {
                        error: store_error(&error),
                        certainly,
                    });
                }
            }
            self.session.ports.time.sleep(pause).await;
            pause *= 2;
            attempt += 1;
        }
    }

    /// Another value than the one just sent is stored already: whose key is in it?
    async fn whose(&self, key: &KeyId) -> Result<StoreOutcome, NotStored> {
        let unsure = |error| NotStored {
            error,
            certainly: false,
        };
        let stored = match self
            .session
            .read(Which::Version(self.token()))
            .await
            .map_err(unsure)?
        {
            Some(stored) => Some(stored),
            None => self.read_token_patiently().await.map_err(unsure)?,
        };
        let Some(stored) = stored else {
            return Ok(StoreOutcome::Unseen);
        };
        match stored.value() {
            // A person may have put an offered key there by hand: that is not what we built.
            Ok(SecretValue {
                credential,
                rotation: Some(rotation),
                ..
            }) if credential.key_id == *key && rotation.token == *self.token() => Ok(StoreOutcome::Stored),
            Ok(_) => Ok(StoreOutcome::Another(stored)),
            Err(error) => {
                let problem = format!("the pending version holds a value that cannot be read: {error}");
                Err(unsure(Error::new(ErrorType::ValueInvalid, problem)))
            }
        }
    }
}
