//! What a check works with: a parent account with two sub-accounts, its master key, and a stranger's account.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;
use protocol::label::VersionId;
use protocol::marker::Marker;
use protocol::name::{SecretName, VenueId};
use protocol::ports::{
    ErrorClass, Grant, IssuedKey, KeyList, KeyState, KeyToRevoke, ListedKey, Powers, Signer, Venue,
    VenueError, Whose,
};
use protocol::secret::{AccountId, Addresses, Credential, KeyForm, KeyId, Permission, Permissions, Word};
use secrecy::{ExposeSecret, SecretString};

use super::{Checked, Subject};
use crate::in_process::BOT_ADDRESS;
use crate::in_process::kind::VenueKind;
use crate::venue::{self, Environment, Ips, KeyTruth, Knobs, Model, NoSuch, Settings, Uid};

pub(super) const PARENT: Uid = 71_000_000;
/// The sub-account that keys are issued for.
pub(super) const DESK: Uid = 71_000_001;
/// Another of the same parent.
pub(super) const NEXT_DESK: Uid = 71_000_002;
/// A sub-account of another parent.
pub(super) const STRANGER: Uid = 72_000_001;
/// No account.
pub(super) const NOBODY: Uid = 73_000_001;

const STRANGERS_PARENT: Uid = 72_000_000;

/// See the [module](self).
pub(super) struct Case<'a> {
    pub(super) subject: &'a dyn Subject,
    pub(super) venue: Arc<dyn Venue>,
    pub(super) master: Signer,
    pub(super) account: AccountId,
    markers: AtomicU64,
}

impl<'a> Case<'a> {
    pub(super) fn new(subject: &'a dyn Subject) -> Result<Self, String> {
        let kind = subject.kind();
        let (exchange, master) = by_hand(subject, |model, now| {
            model.knobs = Knobs {
                rate_limits: false,
                ..Knobs::default()
            };
            let open = |model: &mut Model, parent, subs: &[Uid]| {
                model.add_parent_account(parent, Environment::Mainnet);
                subs.iter().try_for_each(|sub| {
                    model.add_sub_account(parent, *sub)?;
                    model.name_account(*sub, &kind.account(*sub))
                })
            };
            open(model, PARENT, &[DESK, NEXT_DESK])?;
            open(model, STRANGERS_PARENT, &[STRANGER])?;
            let master = model.add_master_key(PARENT, Ips::only([subject.address()]), now)?;
            Ok::<_, NoSuch>((model.profile().name, credential(&master)))
        })
        .map_err(|error| error.to_string())?;
        Ok(Self {
            subject,
            venue: subject.venues().venue(&id(exchange, "mainnet")?)?,
            master: signer(Whose::Master, &master),
            account: AccountId::new(kind.account(DESK)),
            markers: AtomicU64::new(1),
        })
    }

    pub(super) fn kind(&self) -> &'static VenueKind {
        self.subject.kind()
    }

    pub(super) fn named(&self, account: Uid) -> AccountId {
        AccountId::new(self.kind().account(account))
    }

    pub(super) fn by_hand<T>(&self, act: impl FnOnce(&mut Model, Timestamp) -> T) -> T {
        by_hand(self.subject, act)
    }

    pub(super) fn profile(&self) -> &'static venue::Profile {
        self.by_hand(|model, _| model.profile())
    }

    /// Every key as it truly is.
    pub(super) fn truth(&self) -> Vec<KeyTruth> {
        self.by_hand(|model, _| model.keys())
    }

    /// Whether nothing is done to any key.
    pub(super) fn nothing_changed(&self, before: &[KeyTruth]) -> Checked {
        ensure!(self.truth() == before, "a key was made or changed");
        Ok(())
    }

    // Keys.

    /// A marker that no other key has.
    pub(super) fn marker(&self) -> Marker {
        let arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:prod/desk-AbCdEf";
        let token = VersionId::new("11111111-2222-3333-4444-555555555555");
        Marker::new(arn, &token, self.markers.fetch_add(1, Ordering::Relaxed))
    }

    /// From the caller's address and another.
    pub(super) fn places(&self) -> Addresses {
        only([self.subject.address(), BOT_ADDRESS])
    }

    /// A refusal of a key, as far as this kind of venue explains one.
    pub(super) fn explained(&self, class: ErrorClass) -> ErrorClass {
        if self.kind().explains_refusals {
            class
        } else {
            ErrorClass::Unexplained
        }
    }

    /// The words of the kind's usual policy.
    pub(super) fn usual(&self) -> Grant {
        Grant {
            permissions: words(self.kind().words),
            addresses: self.places(),
            form: KeyForm::Hmac,
        }
    }

    pub(super) async fn issue(&self, grant: &Grant) -> Result<Credential, String> {
        self.issue_as(&self.account, &self.marker(), grant).await
    }

    /// Edits a key of the account, with the passphrase that is shown for its own.
    pub(super) async fn edit(
        &self,
        key: &ListedKey,
        passphrase: Option<&SecretString>,
        grant: &Grant,
    ) -> Result<(), VenueError> {
        let edited = self
            .venue
            .edit(&self.master, &self.account, key, passphrase, grant);
        edited.await
    }

    /// Revokes a key of the account.
    pub(super) async fn revoke(&self, key: impl Into<KeyToRevoke<'_>>) -> Result<(), VenueError> {
        self.venue.revoke(&self.master, &self.account, key.into()).await
    }

    pub(super) async fn issue_as(
        &self,
        account: &AccountId,
        marker: &Marker,
        grant: &Grant,
    ) -> Result<Credential, String> {
        let issued = self.try_issue(account, marker, grant).await;
        let said = |error| format!("no key was issued: {error}");
        issued.map(|issued| issued.credential).map_err(said)
    }

    pub(super) async fn try_issue(
        &self,
        account: &AccountId,
        marker: &Marker,
        grant: &Grant,
    ) -> Result<IssuedKey, VenueError> {
        self.venue.issue(&self.master, account, marker, grant).await
    }

    /// A key as a person makes it on the venue's pages.
    pub(super) fn key_by_hand(&self, account: Uid, settings: Settings) -> Result<Credential, String> {
        let made = self.by_hand(|model, now| model.create_key_by_hand(account, settings, now));
        made.map(|made| credential(&made))
            .map_err(|error| error.to_string())
    }

    /// What a key that was made by hand is called by.
    pub(super) fn credential(&self, key: &venue::KeyId) -> Result<Credential, String> {
        let made = self.by_hand(|model, _| model.credential(key));
        made.map(|made| credential(&made))
            .ok_or_else(|| "there is no such key".to_owned())
    }

    /// The settings of the usual key that a person makes.
    pub(super) fn usual_by_hand(&self) -> Settings {
        self.by_hand_with(self.kind().usual)
    }

    pub(super) fn by_hand_with(&self, powers: venue::Catalogue) -> Settings {
        Settings {
            note: "byhand".to_owned(),
            read_only: false,
            ips: Ips::only([self.subject.address(), BOT_ADDRESS]),
            permissions: venue::Permissions::of(powers),
        }
    }

    pub(super) async fn state(&self, credential: &Credential) -> Result<KeyState, String> {
        let state = self.venue.inspect(&signer(Whose::Pending, credential)).await;
        state.map_err(|error| format!("a key does not answer: {error}"))
    }

    pub(super) async fn list(&self, account: &AccountId) -> Result<KeyList, String> {
        let list = self.venue.list(&self.master, account).await;
        list.map_err(|error| format!("no list came: {error}"))
    }

    pub(super) async fn listed(&self, key: &KeyId) -> Result<ListedKey, String> {
        let list = self.list(&self.account).await?;
        list.key(key)
            .cloned()
            .ok_or_else(|| "a key is not listed".to_owned())
    }

    /// Whether a key is exactly this, by its own word and by the list's.
    pub(super) async fn is_exactly(&self, credential: &Credential, grant: &Grant) -> Checked {
        let state = self.state(credential).await?;
        let listed = self.listed(&credential.key_id).await?;
        holds_exactly(&state.powers, &grant.permissions)?;
        holds_exactly(&listed.powers, &grant.permissions)?;
        let reads = grant.permissions.iter().all(|held| held.word == Word::Read);
        ensure!(
            state.read_only == reads,
            "a key says {} of only reading",
            state.read_only
        );
        ensure!(!state.is_master, "a sub-account's key says that it is a master's");
        let told = self.kind().told_addresses(grant.addresses.clone());
        ensure!(
            state.addresses == told,
            "a key tells {} and not {told}",
            state.addresses
        );
        let (has, asked) = (&listed.addresses, &grant.addresses);
        ensure!(has == asked, "the list has {has} and not {asked}");
        ensure!(!listed.expired, "a new key has expired");
        Ok(())
    }
}

/// Whether a call is refused with one of these classes, in its signer's name and without a secret word.
pub(super) fn refused<T>(result: Result<T, VenueError>, by: &Signer, classes: &[ErrorClass]) -> Checked {
    let Err(error) = result else {
        return Err("what was to be refused was done".to_owned());
    };
    ensure!(
        classes.contains(&error.class),
        "{:?} and not {classes:?}: {error}",
        error.class
    );
    ensure!(
        error.whose == by.whose,
        "the {:?} key is blamed: {error}",
        error.whose
    );
    let passphrase = by.credential.passphrase.as_ref();
    let hidden = [&by.credential.secret].into_iter().chain(passphrase);
    for hidden in hidden
        .map(ExposeSecret::expose_secret)
        .chain([by.credential.key_id.expose()])
    {
        ensure!(
            !error.say.contains(hidden),
            "an error says a part of a credential"
        );
    }
    Ok(())
}

/// Whether a key may do exactly this. Reading comes with every word.
pub(super) fn holds_exactly(powers: &Powers, asked: &Permissions) -> Checked {
    let (more, less) = (powers.beyond(asked), powers.lacks(asked));
    ensure!(
        more.is_empty() && less.is_empty(),
        "of {asked:?} {less:?} lacks, and {more:?} is more"
    );
    let but_reading = |held: &Permissions| -> BTreeSet<Permission> {
        let held = held.iter().filter(|held| held.word != Word::Read);
        held.cloned().collect()
    };
    let only_reads = but_reading(asked).is_empty();
    let is_same = but_reading(&powers.permissions) == but_reading(asked);
    let has = &powers.permissions;
    ensure!(
        is_same && (!only_reads || has == asked),
        "{has:?} is held in place of {asked:?}"
    );
    Ok(())
}

pub(super) fn id(exchange: &str, environment: &str) -> Result<VenueId, String> {
    let id = SecretName::new("any").venue(Some(exchange), Some(environment));
    id.map_err(|error| error.to_string())
}

pub(super) fn words(words: &[&str]) -> Permissions {
    words.iter().filter_map(|word| word.parse().ok()).collect()
}

pub(super) fn only(addresses: impl IntoIterator<Item = IpAddr>) -> Addresses {
    let addresses = addresses.into_iter().filter_map(|ip| ip.to_string().parse().ok());
    Addresses::Only(addresses.collect())
}

pub(super) fn signer(whose: Whose, credential: &Credential) -> Signer {
    Signer {
        whose,
        credential: credential.clone(),
    }
}

pub(super) fn truth_of(key: &KeyId) -> venue::KeyId {
    venue::KeyId::from(key.expose())
}

fn credential(made: &venue::Credential) -> Credential {
    Credential {
        key_id: KeyId::parse(made.key.as_str()).expect("a model's key id is one"),
        secret: made.secret.expose().into(),
        passphrase: made
            .passphrase
            .as_ref()
            .map(|passphrase| passphrase.expose().into()),
    }
}

fn by_hand<T>(subject: &dyn Subject, act: impl FnOnce(&mut Model, Timestamp) -> T) -> T {
    let (mut act, mut done) = (Some(act), None);
    subject.by_hand(&mut |model, now| done = act.take().map(|act| act(model, now)));
    done.expect("what is to be done by hand is done at once")
}
