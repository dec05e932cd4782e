//! A leaked key that is the current one: it gets a successor.

use crate::error::Error;
use crate::operations::emergency::unblock::{clear_the_way, must_fit_pending, take_refused_offers_back};
use crate::operations::maintain::current::Current;
use crate::operations::maintain::visit::{SWITCHED_ON, SecretVisit};
use crate::operations::pass::with_retries;
use crate::ports::{Description, Which};
use crate::session::{has_master, store_error};

impl SecretVisit<'_> {
    /// Whether the current key is that of a version labelled COMPROMISED: a rollback has copied it, perhaps.
    pub(super) async fn is_leaked(
        &self,
        description: &Description,
        current: &Current,
    ) -> Result<bool, Error> {
        let Some(version) = description.compromised() else {
            return Ok(false);
        };
        if *version == current.version {
            return Ok(true);
        }
        let stored = with_retries(self.pass, || self.session.read(Which::Version(version))).await?;
        Ok(stored.is_some_and(|stored| stored.surely_names(&current.value.credential.key_id)))
    }

    /// Goes on with an order that was cut off: a leaked key that is current gets a successor.
    pub(super) async fn replace_what_is_leaked(
        &mut self,
        description: &Description,
        current: &Current,
    ) -> Result<(), Error> {
        let what = "begin a rotation: the current key is leaked";
        if self.would(what) {
            return Ok(());
        }
        clear_the_way(
            self.pass,
            self.session,
            description,
            &current.value.credential.key_id,
            true,
        )
        .await?;
        if has_master(current.venue.as_ref(), &current.value) {
            take_refused_offers_back(self.pass, self.session).await?;
        }
        let now = self.session.describe().await?;
        if now.open_rotation().is_none() && now.is_current(&current.version) {
            must_fit_pending(&now)?;
            self.session
                .begin_rotation(self.pass.fleet, 1)
                .await?
                .map_err(|error| store_error(&error))?;
            if !now.rotation_enabled {
                self.did(SWITCHED_ON);
            }
        }
        Ok(())
    }
}
