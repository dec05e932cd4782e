//! What is wrong beside the current key: its master, young keys on its account, a way back that waits.

use jiff::SignedDuration;

use crate::error::Error;
use crate::label::{Label, VersionId};
use crate::marker::Marker;
use crate::operations::answer::Code;
use crate::operations::commands::{put_right, replace, rotate, take_off};
use crate::operations::maintain::current::Current;
use crate::operations::maintain::visit::SecretVisit;
use crate::operations::pass::with_retries;
use crate::ports::{Description, KeyList, Which};
use crate::secret::{AccountId, SecretValue};
use crate::session::has_master;
use crate::task::Operation;

/// The most keys of ours that are younger than this which nobody has to be asked about.
const MOST_YOUNG_KEYS: usize = 10;
const A_DAY: SignedDuration = SignedDuration::from_hours(24);

impl SecretVisit<'_> {
    /// What is wrong beside the current key itself. Whether it is leaked.
    pub(crate) async fn judge_around(&mut self, description: &Description, current: &Current) -> bool {
        match &current.master {
            Err(_)
                if !has_master(current.venue.as_ref(), &current.value)
                    && !self.has_had_a_master(description, current).await => {}
            Err(error) => {
                let error = error.clone();
                self.trouble(&error);
            }
            Ok((_, None)) => {
                let say = "the account of the current key is not known, so that its keys cannot be listed: \
                           add `subaccount` to the value";
                self.find(Code::ValueInvalid, say, put_right(&self.name));
            }
            Ok((_, Some((account, list)))) => self.count_young_keys(description, current, account, list),
        }
        let waits = self.look_at_the_way_back(description, current).await;
        self.note(waits);
        let leaked = self
            .is_leaked(description, current)
            .await
            .unwrap_or_else(|error| {
                self.trouble(&error);
                false
            });
        if leaked {
            let say = format!(
                "the leaked key {} is the current one",
                current.value.credential.key_id
            );
            let leaked = description
                .compromised()
                .filter(|_| has_master(current.venue.as_ref(), &current.value));
            // A mere rotation is refused where a secret had very many versions lately.
            let way = leaked.map_or_else(
                || replace(&self.name, current.venue.as_ref(), &current.value),
                |leaked| self.order_to_replace(leaked),
            );
            self.find(Code::CompromisedHeld, say, way);
        }
        leaked
    }

    /// Whether another version names a master: keys may have been issued that only that one can revoke. A key
    /// that was always supplied has none.
    async fn has_had_a_master(&self, description: &Description, current: &Current) -> bool {
        for version in description
            .versions
            .keys()
            .filter(|version| **version != current.version)
        {
            let stored = with_retries(self.pass, || self.session.read(Which::Version(version))).await;
            // One that cannot be read may name one.
            let value = stored.map(|stored| stored.and_then(|stored| stored.value().ok()));
            let has_one = |value: SecretValue| has_master(current.venue.as_ref(), &value);
            if value.is_ok_and(|value| !value.is_some_and(has_one)) {
                continue;
            }
            return true;
        }
        false
    }

    /// Keys that were issued in a loop fill the slots of an account that several secrets share. Said once for
    /// each account.
    fn count_young_keys(
        &mut self,
        description: &Description,
        current: &Current,
        account: &AccountId,
        list: &KeyList,
    ) {
        let since = list.as_of - A_DAY;
        let young: Vec<&Marker> = list
            .keys
            .iter()
            .filter(|key| key.created_at > since)
            .filter_map(|key| key.marker.as_ref())
            .collect();
        if young.len() <= MOST_YOUNG_KEYS
            || !self
                .pass
                .is_news(format!("young keys of {account} at {}", current.venue.id()))
        {
            return;
        }
        let ours = Marker::new(&description.arn, &VersionId::new(""), 0);
        let own = young.iter().filter(|marker| marker.same_secret(&ours)).count();
        let say = format!(
            "{} keys on account {account} that are younger than 24 hours bear markers of this function, \
             {own} of them this secret's",
            young.len()
        );
        let what_to_do = format!(
            "find out what rotates so often: CloudTrail tells who calls RotateSecret and PutSecretValue; \
             the secrets of the account are shown by: {}",
            self.pass.command_that_lists()
        );
        self.find(Code::ManyKeysIssued, say, what_to_do);
    }

    /// ROLLBACK without a rotation: used by one that died before it took the label off, or waiting for the
    /// next one.
    async fn look_at_the_way_back(
        &mut self,
        description: &Description,
        current: &Current,
    ) -> Result<(), Error> {
        let (Some(version), None) = (
            description.holder(&Label::rollback()),
            description.open_rotation(),
        ) else {
            return Ok(());
        };
        let stored = with_retries(self.pass, || self.session.read(Which::Version(version))).await?;
        let is_used = stored.is_some_and(|stored| stored.surely_names(&current.value.credential.key_id));
        if !is_used || !description.is_current(&current.version) {
            let say = format!(
                "version {version} is labelled ROLLBACK, and no rotation is open: the next one goes back to \
                 its key"
            );
            let taken_off = take_off(&self.name, Label::rollback().as_str(), version.as_str());
            self.find(
                Code::RollbackWaits,
                say,
                format!(
                    "{}; or, if nobody means it any more: {taken_off}",
                    rotate(&self.name)
                ),
            );
            return Ok(());
        }
        let what = format!("take ROLLBACK off version {version}: its key is the current one");
        if self.pass.request.operation() == Operation::Maintain && !self.would(&what) {
            self.session.remove_label(Label::rollback(), version).await?;
        }
        Ok(())
    }
}
