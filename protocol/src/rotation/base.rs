//! The version that a rotation builds on.

use futures_util::future::join;

use super::run::{Run, parse};
use super::standing::TokenState;
use super::wrong::{self, Wrong};
use crate::bounds::{LAST_MOMENT, REREAD, REREAD_PAUSE};
use crate::error::{Error, ErrorType};
use crate::label::VersionId;
use crate::ports::{Description, StoredValue, Which};
use crate::secret::SecretValue;

/// The version that a new one is built on, and the only one it may replace.
pub(super) struct Base {
    pub(super) description: Description,
    pub(super) version: VersionId,
    pub(super) value: SecretValue,
}

impl Base {
    /// Where description and value disagree about what is current, one of the two reads was stale: both are
    /// read again. `None` when that shows the token itself to be current.
    pub(super) async fn agreed(
        run: &Run<'_>,
        mut description: Description,
        mut current: Option<StoredValue>,
    ) -> Result<Option<Self>, Error> {
        let until = run.session.now() + REREAD.min(run.session.time_left().saturating_sub(LAST_MOMENT));
        loop {
            if run.standing(&description)? == TokenState::Current {
                return Ok(None);
            }
            let holder = description.current();
            match current {
                Some(stored) if holder == Some(&stored.version) || wrong::is(Wrong::StaleBase) => {
                    let value = parse(&stored)?;
                    return Ok(Some(Self {
                        version: stored.version,
                        value,
                        description,
                    }));
                }
                None if holder.is_none() => {
                    let problem = "the secret has no current value yet: store a key made by hand first \
                                   (put-secret-value), then rotate";
                    return Err(Error::new(ErrorType::NoCurrentValue, problem));
                }
                None if run.session.now() >= until => {
                    let problem = "the version that is current has no value that could be read: store one \
                                   (put-secret-value), then rotate";
                    return Err(Error::new(ErrorType::NoCurrentValue, problem));
                }
                _ if run.session.now() >= until => {
                    let problem = "two reads of the secret disagree about which version is current: the \
                                   step can be repeated";
                    return Err(Error::new(ErrorType::StoreUnavailable, problem));
                }
                _ => {}
            }
            run.session.ports.time.sleep(REREAD_PAUSE).await;
            let (described, read) = join(run.session.describe(), run.session.read(Which::Current)).await;
            (description, current) = (described?, read?);
        }
    }
}
