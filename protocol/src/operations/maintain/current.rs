//! The current key, and what the venue says of it.

use std::sync::Arc;

use futures_util::future::join;
use jiff::{SignedDuration, Timestamp};

use crate::error::Error;
use crate::label::{Label, VersionId};
use crate::marker::Marker;
use crate::operations::answer::Code;
use crate::operations::commands::{put_right, replace, rotate, take_off};
use crate::operations::emergency::unblock::{
    clear_the_way, must_fit_pending, open_rotation, surely_names, take_refused_offers_back,
};
use crate::operations::faults::faults;
use crate::operations::maintain::tags::LAST_ROTATED;
use crate::operations::maintain::visit::{SWITCHED_ON, SecretVisit, account_in};
use crate::operations::pass::with_retries;
use crate::operations::retire::end_of_life::{created_by_us, is_copy, is_ours};
use crate::operations::retire::grace::was_issued_for;
use crate::operations::retire::liveness::{asked, listed, shows_alive};
use crate::ports::{
    Description, ErrorClass, KeyList, KeyState, Signer, StoredValue, Venue, VenueError, Which, Whose,
};
use crate::secret::{AccountId, KeyId, SecretValue};
use crate::session::{AccountAccess, Master, store_error, venue_error, venue_of, was_current};
use crate::task::Operation;

/// So many of the versions that were made next to a certain time are read to find the one that was made then.
const NEAREST: usize = 3;

/// The most keys of ours that are younger than this which nobody has to be asked about.
const MOST_YOUNG_KEYS: usize = 10;
const A_DAY: SignedDuration = SignedDuration::from_hours(24);

/// The current value, with what the venue says of its key.
pub(crate) struct Current {
    pub(crate) version: VersionId,
    pub(crate) value: SecretValue,
    pub(crate) venue: Arc<dyn Venue>,
    pub(crate) state: Result<KeyState, VenueError>,
    /// When it was asked.
    pub(crate) at: Timestamp,
    /// The master credential, which the same host has accepted; with the account's keys, where the account
    /// is known.
    pub(crate) master: Result<(Master, Option<(AccountId, KeyList)>), Error>,
}

/// What it means that the venue rejects the current key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rejection {
    /// Nothing yet: the key is young, or something could not be read.
    Unproven,
    /// Nothing: the host has accepted no other credential.
    Uncontrolled,
    /// The key is dead.
    Dead,
    /// The key is there, and its secret is another.
    Unusable,
    /// It does not work, and nobody knows how old it is.
    OfUnknownAge,
}

impl Current {
    /// The current key, where it is known to be alive.
    pub(crate) fn alive(&self) -> Option<&KeyId> {
        self.state.is_ok().then_some(&self.value.credential.key_id)
    }

    /// Whether the host has accepted a credential of this secret's: the current key, or the master.
    pub(crate) fn has_accepted_one(&self) -> bool {
        self.master.is_ok() || self.alive().is_some()
    }

    /// Whom to ask about the keys of the secret's account, with a list of them; the current key's own answer
    /// is a proof.
    pub(crate) fn access(&self, description: &Description) -> Option<(AccountAccess<'_>, &KeyList)> {
        let (master, Some((account, list))) = self.master.as_ref().ok()? else {
            return None;
        };
        let mut access =
            AccountAccess::new(self.venue.as_ref(), master.clone(), account.clone(), description);
        self.prove(&mut access, list);
        Some((access, list))
    }

    /// Takes the current key's own answer for a proof.
    pub(crate) fn prove(&self, access: &mut AccountAccess<'_>, list: &KeyList) {
        if let Ok(state) = &self.state
            && self.venue.id() == access.venue.id()
        {
            access.take_for_proof(&self.value.credential.key_id, state, list);
        }
    }

    /// The account's keys, as far as they are known.
    pub(crate) fn list(&self) -> Option<&KeyList> {
        self.master.as_ref().ok()?.1.as_ref().map(|(_, list)| list)
    }

    /// The account that the secret stands for, as far as it is known.
    pub(crate) fn account(&self) -> Option<AccountId> {
        stands_for(&self.state, &self.value)
    }
}

impl SecretVisit<'_> {
    /// Judges the current key and whatever its secret shows beside it.
    pub(crate) async fn verify(&mut self, description: &Description, current: &Current) {
        let dead = self.judge(description, current).await;
        let soaked = self.act_on_rejection(description, current, dead).await;
        self.note(soaked);
        self.look_at_master(description, current).await;
        if self.judge_around(description, current).await {
            let begun = self.replace_what_is_leaked(description, current).await;
            self.note(begun);
        }
    }

    /// What is wrong beside the current key itself. Whether it is leaked.
    pub(crate) async fn judge_around(&mut self, description: &Description, current: &Current) -> bool {
        match &current.master {
            Err(_)
                if current.value.master_arn.is_none()
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
                .holder(&Label::compromised())
                .filter(|_| current.value.master_arn.is_some());
            // A mere rotation is refused where a secret had very many versions lately.
            let way = leaked.map_or_else(
                || replace(&self.name, &current.value),
                |leaked| self.order_to_replace(leaked),
            );
            self.find(Code::CompromisedHeld, say, way);
        }
        leaked
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
        let (Some(version), None) = (description.holder(&Label::rollback()), open_rotation(description))
        else {
            return Ok(());
        };
        let stored = with_retries(self.pass, || self.session.read(Which::Version(version))).await?;
        let is_used = stored.is_some_and(|stored| surely_names(&stored, &current.value.credential.key_id));
        if !is_used || description.holder(&Label::current()) != Some(&current.version) {
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
            let value = stored.map(|stored| stored.and_then(|stored| SecretValue::parse(&stored.text).ok()));
            if value.is_ok_and(|value| value.is_none_or(|value| value.master_arn.is_none())) {
                continue;
            }
            return true;
        }
        false
    }

    /// Whether the current key is that of a version labelled COMPROMISED: a rollback has copied it, perhaps.
    async fn is_leaked(&self, description: &Description, current: &Current) -> Result<bool, Error> {
        let Some(version) = description.holder(&Label::compromised()) else {
            return Ok(false);
        };
        if *version == current.version {
            return Ok(true);
        }
        let stored = with_retries(self.pass, || self.session.read(Which::Version(version))).await?;
        let value = stored.and_then(|stored| SecretValue::parse(&stored.text).ok());
        Ok(value.is_some_and(|value| value.credential.key_id == current.value.credential.key_id))
    }

    /// Goes on with an order that was cut off: a leaked key that is current gets a successor.
    async fn replace_what_is_leaked(
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
        if current.value.master_arn.is_some() {
            take_refused_offers_back(self.pass, self.session).await?;
        }
        let now = self.session.describe().await?;
        if open_rotation(&now).is_none() && now.holder(&Label::current()) == Some(&current.version) {
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

    pub(crate) async fn current(&mut self, description: &Description) -> Result<Option<Current>, Error> {
        let Some(StoredValue { version, text }) =
            with_retries(self.pass, || self.session.read(Which::Current)).await?
        else {
            self.find(
                Code::ValueInvalid,
                "the secret has no current value that could be read",
                put_right(&self.name),
            );
            return Ok(None);
        };
        let value = match SecretValue::parse(&text) {
            Ok(value) => value,
            Err(error) => {
                let say = format!("the current value cannot be used: {error}");
                self.find(Code::ValueInvalid, say, put_right(&self.name));
                return Ok(None);
            }
        };
        let venue = venue_of(self.pass.ports, description, &value)?;
        let signer = Signer {
            whose: Whose::Current,
            credential: value.credential.clone(),
        };
        self.pass.turn(venue.as_ref()).await;
        let at = self.pass.now();
        let (state, master) = join(venue.inspect(&signer), self.pass.master(venue.id(), &value)).await;
        if state.is_ok() {
            self.pass.note_accepted(venue.id(), signer.clone());
        }
        let account = stands_for(&state, &value);
        if let Some(account) = &account {
            self.session.stands_for(account);
        }
        let master = match (master, account) {
            (Ok(master), Some(account)) => {
                let access = AccountAccess::new(venue.as_ref(), master.clone(), account.clone(), description);
                listed(self.pass, &access)
                    .await
                    .map(|list| (master, Some((account, list))))
            }
            (Ok(master), None) => {
                self.pass.turn_of(venue.as_ref(), &master).await;
                let accepted = venue
                    .inspect(&master.signer)
                    .await
                    .map_err(|error| venue_error(&error));
                accepted.map(|_| (master, None))
            }
            (Err(error), _) => Err(error),
        };
        Ok(Some(Current {
            version,
            value,
            venue,
            state,
            at,
            master,
        }))
    }

    /// What is wrong with the current key; whether it is definitely dead.
    pub(crate) async fn judge(&mut self, description: &Description, current: &Current) -> bool {
        let Current {
            version,
            value,
            state,
            ..
        } = current;
        let key = &value.credential.key_id;
        if self
            .is_overwritten(description, current)
            .await
            .unwrap_or_else(|error| {
                self.trouble(&error);
                false
            })
        {
            let say = "the current value was not made by this function, though one before it was: a hand, \
                       or infrastructure code that carries the value, put a key back";
            self.find(Code::CurrentOverwritten, say, replace(&self.name, value));
        }
        match state {
            Ok(state) => {
                self.key_at(current.at, version, key, Some(true), "current".to_owned());
                self.findings.extend(faults(self.pass, description, value, state));
                false
            }
            Err(error) if error.class.is_rejection() => {
                let rejection = self
                    .rejection(description, current, error.class)
                    .await
                    .unwrap_or_else(|error| {
                        self.trouble(&error);
                        Rejection::Unproven
                    });
                let alive = match rejection {
                    Rejection::Dead => Some(false),
                    Rejection::Unusable
                    | Rejection::OfUnknownAge
                    | Rejection::Unproven
                    | Rejection::Uncontrolled => None,
                };
                self.key(version, key, alive, format!("current; {error}"));
                if rejection == Rejection::Uncontrolled && value.master_arn.is_none() {
                    let say = format!(
                        "the current key was rejected, and no other credential was accepted by which that \
                         would be proven: {error}"
                    );
                    let what_to_do = format!(
                        "look at the key at the venue; where it is dead: {}",
                        replace(&self.name, value)
                    );
                    self.find(Code::CurrentSuspect, say, what_to_do);
                } else if matches!(rejection, Rejection::Unproven | Rejection::Uncontrolled) {
                    let say = format!("the current key was rejected, which proves nothing yet: {error}");
                    self.find(Code::CurrentUnchecked, say, "nothing: the next pass looks again");
                }
                !matches!(rejection, Rejection::Unproven | Rejection::Uncontrolled)
            }
            Err(error) if error.class == ErrorClass::Denied => {
                self.key(version, key, None, format!("current; {error}"));
                let say = format!("the current key may not be used by this function: {error}");
                let what_to_do = format!(
                    "where its addresses are the reason: {}; else as the venue's words say",
                    replace(&self.name, value)
                );
                self.find(Code::CurrentDenied, say, what_to_do);
                false
            }
            Err(error) => {
                self.key(version, key, None, format!("current; {error}"));
                self.find(
                    Code::CurrentUnchecked,
                    format!("the current key could not be asked: {error}"),
                    "nothing, unless this lasts",
                );
                false
            }
        }
    }

    /// Whether the current value is not one that was built for its version, though this function has built
    /// others: one that was current before, or the very value, which somebody stored again.
    async fn is_overwritten(&self, description: &Description, current: &Current) -> Result<bool, Error> {
        let Current { version, value, .. } = current;
        if is_ours(value, version) {
            // Whoever stores a value chooses its version's id, and what it says of itself: the account's list
            // tells whose the key is.
            let (key, list) = (&value.credential.key_id, current.list());
            let is_shown = list.is_some_and(|list| shows_alive(list, key));
            return Ok(!is_copy(value) && is_shown && !was_issued_for(description, version, key, list));
        }
        if value.rotation.is_some() {
            return Ok(true);
        }
        // A second value that is put there makes the first one AWSPREVIOUS: ours is further back.
        for other in description
            .versions
            .keys()
            .filter(|other| *other != version && was_current(description, other))
        {
            let stored = with_retries(self.pass, || self.session.read(Which::Version(other))).await?;
            let before = stored.and_then(|stored| SecretValue::parse(&stored.text).ok());
            if before.is_some_and(|before| is_ours(&before, other)) {
                return Ok(true);
            }
        }
        // A pass has said it while a label told.
        let is_audit = self.pass.request.operation() == Operation::Audit;
        if is_audit {
            self.was_ours(description).await
        } else {
            Ok(false)
        }
    }

    /// Whether a version that bears no label any more is the one that this function last rotated to, as the
    /// tag of that time says. Anybody may write such a tag, and nobody else such a value.
    async fn was_ours(&self, description: &Description) -> Result<bool, Error> {
        let rotated: Option<Timestamp> = description.tags.get(LAST_ROTATED).and_then(|at| at.parse().ok());
        let Some(rotated) = rotated else { return Ok(false) };
        let mut versions = with_retries(self.pass, || self.session.versions()).await?;
        versions.retain(|version| !description.versions.contains_key(&version.id));
        versions.sort_by_key(|version| version.created_at.map(|at| rotated.duration_since(at).abs()));
        for version in versions
            .iter()
            .filter(|version| version.created_at.is_some())
            .take(NEAREST)
        {
            let stored = with_retries(self.pass, || self.session.read(Which::Version(&version.id))).await?;
            let value = stored.and_then(|stored| SecretValue::parse(&stored.text).ok());
            if value.is_some_and(|value| value.created_at == Some(rotated) && is_ours(&value, &version.id)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// What a rejection of the current key proves, by rule 7: the same host has to have accepted another
    /// credential, and the key has to be so old that everybody at the venue knows it.
    async fn rejection(
        &self,
        description: &Description,
        current: &Current,
        class: ErrorClass,
    ) -> Result<Rejection, Error> {
        let key = &current.value.credential.key_id;
        let account = current
            .master
            .as_ref()
            .ok()
            .and_then(|(_, account)| account.as_ref());
        let listed = account
            .iter()
            .flat_map(|(_, list)| &list.keys)
            .find(|listed| listed.key_id == *key);
        let propagation =
            SignedDuration::try_from(current.venue.facts().propagation).unwrap_or(SignedDuration::MAX);
        let made = match listed {
            Some(listed) => Some(listed.created_at),
            // The account's list tells nothing of it, as of one that was deleted: its value may say since
            // when it was there.
            None if current.master.is_ok() => current.value.created_at,
            None => created_by_us(&current.value, &current.version),
        };
        let stored = if made.is_some() || current.master.is_ok() {
            made
        } else {
            self.stored_at(&current.version).await?
        };
        if stored.is_some_and(|stored| self.pass.now().duration_since(stored) < propagation) {
            return Ok(Rejection::Unproven);
        }
        if current.master.is_err() && !self.is_another_accepted(description, current).await {
            return Ok(Rejection::Uncontrolled);
        }
        Ok(match (made, listed) {
            (_, Some(listed)) if !listed.expired => Rejection::Unusable,
            _ if class == ErrorClass::Mismatched => Rejection::Unusable,
            (Some(_), _) => Rejection::Dead,
            (None, _) => Rejection::OfUnknownAge,
        })
    }

    /// Whether the host accepts another credential now: one of another version's, or one that it has accepted
    /// for another secret.
    async fn is_another_accepted(&self, description: &Description, current: &Current) -> bool {
        let venue = current.venue.as_ref();
        let mut versions: Vec<&VersionId> = description
            .versions
            .keys()
            .filter(|version| **version != current.version)
            .collect();
        versions.sort_by_key(|version| description.holder(&Label::previous()) != Some(*version));
        let mut others = Vec::new();
        for version in versions.into_iter().take(NEAREST) {
            // One that cannot be read is no control; another may be.
            let stored = with_retries(self.pass, || self.session.read(Which::Version(version))).await;
            let Some(value) = stored
                .ok()
                .flatten()
                .and_then(|stored| SecretValue::parse(&stored.text).ok())
            else {
                continue;
            };
            if venue_of(self.pass.ports, description, &value).is_ok_and(|other| other.id() == venue.id()) {
                others.push(Signer {
                    whose: Whose::Replaced,
                    credential: value.credential,
                });
            }
        }
        others.extend(self.pass.accepted_at(venue.id()));
        for other in others
            .iter()
            .filter(|other| other.credential.key_id != current.value.credential.key_id)
        {
            self.pass.turn(venue).await;
            if venue.inspect(other).await.is_ok() {
                return true;
            }
        }
        false
    }

    /// Whether the host that has accepted a credential of this secret's does so still.
    pub(crate) async fn is_one_accepted_still(&self, current: &Current) -> bool {
        match &current.master {
            Ok((master, Some((account, _)))) if current.alive().is_none() => {
                self.pass.turn_of(current.venue.as_ref(), master).await;
                current.venue.list(&master.signer, account).await.is_ok()
            }
            _ => asked(self.pass, current.venue.as_ref(), &current.value)
                .await
                .is_ok(),
        }
    }

    /// When a version was made, at the earliest: its value, and the key in it, may have come later.
    pub(crate) async fn stored_at(&self, version: &VersionId) -> Result<Option<Timestamp>, Error> {
        let versions = with_retries(self.pass, || self.session.versions()).await?;
        Ok(versions
            .into_iter()
            .find(|listed| listed.id == *version)
            .and_then(|listed| listed.created_at))
    }
}

/// The account whose keys are to be looked at: the current key's own, where it answers. A value that names
/// another is found to be wrong, and what was issued on the key's account is looked after all the same.
fn stands_for(state: &Result<KeyState, VenueError>, value: &SecretValue) -> Option<AccountId> {
    state
        .as_ref()
        .ok()
        .map(|state| state.account.clone())
        .or_else(|| account_in(value))
}
