//! What an audit says of the accounts that a secret stood for before: no pass looks there any more. Whoever
//! may write the secret writes which accounts its versions name, and takes their labels off. They can neither
//! delete a version nor change one.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::error::ErrorType;
use crate::label::VersionId;
use crate::marker::Marker;
use crate::operations::OperationRequest;
use crate::operations::answer::Code;
use crate::operations::audit::beside::Beside;
use crate::operations::maintain::current::Current;
use crate::operations::maintain::visit::SecretVisit;
use crate::operations::pass::with_retries;
use crate::operations::retire::end_of_life::is_ours;
use crate::operations::retire::liveness::listed;
use crate::ports::{Description, ListedKey, Venue, Which};
use crate::rotation::settled;
use crate::secret::{AccountId, KeyId, SecretValue, Serves};
use crate::session::{AccountAccess, Master, venue_of};
use crate::task::Operation;

/// So many accounts are looked at where the audit is of all secrets. Each takes a call of the master's, for
/// which all its children wait.
const MOST_ACCOUNTS: usize = 4;
/// So many versions without a label are read there, the newest first: Secrets Manager keeps about a hundred,
/// and more only if they were made within 24 hours.
const MOST_VERSIONS: usize = 100;

/// An account that a version names.
struct AccountBefore {
    venue: Arc<dyn Venue>,
    master: Master,
    account: AccountId,
    standing: Standing,
}

/// How much speaks for it that keys were issued for the secret there, the most first. Among equals the newest
/// version comes first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Standing {
    /// A key of the secret has answered from there.
    Answered,
    /// The master serves the secret there, and the version says that it was built here.
    ServedAndBuilt,
    /// The master serves it there.
    Served,
    /// The version says that it was built here.
    Built,
    /// A version names it.
    Named,
}

/// The accounts that were found, and what was left out.
#[derive(Default)]
struct Found {
    accounts: Vec<AccountBefore>,
    unread: usize,
}

/// Whether two masters have one credential.
fn is_same(one: &Master, other: &Master) -> bool {
    one.signer.credential.key_id == other.signer.credential.key_id
}

impl SecretVisit<'_> {
    /// The keys that were issued for this secret on accounts that it stood for before. Such an account is one
    /// that another version names, or whose key answers.
    pub(super) async fn look_at_accounts_before(
        &mut self,
        description: &Description,
        current: &Current,
        beside: &[Beside],
    ) {
        // Without a master nothing was issued; an account that is not known is none that the secret has left.
        if current.master.is_err() || current.account().is_none() {
            return;
        }
        // Who holds which key is told where it is not known.
        let Ok(holders) = self.pass.holders().await else {
            return;
        };
        let most = if self.is_audited_alone() {
            usize::MAX
        } else {
            MOST_ACCOUNTS
        };
        let Found { accounts, unread } = self.accounts_before(description, current, beside).await;
        let ours = Marker::new(&description.arn, &VersionId::new(""), 0);
        let mut named: Vec<&KeyId> = beside
            .iter()
            .map(|beside| &beside.value.credential.key_id)
            .collect();
        named.push(&current.value.credential.key_id);
        let (mut looked_at, mut unseen) = (0, 0);
        for before in &accounts {
            if looked_at == most || !self.pass.has_time() {
                break;
            }
            looked_at += 1;
            let AccountBefore { account, .. } = before;
            let access = AccountAccess::new(
                before.venue.as_ref(),
                before.master.clone(),
                account.clone(),
                description,
            );
            let mut list = listed(self.pass, &access).await;
            // The master that an older version names may be gone: its parent has another by now.
            if list.is_err()
                && let Ok((master, _)) = &current.master
                && current.venue.id() == before.venue.id()
                && !is_same(master, &before.master)
            {
                let access = AccountAccess::new(
                    before.venue.as_ref(),
                    master.clone(),
                    account.clone(),
                    description,
                );
                list = match (listed(self.pass, &access).await, list) {
                    (Ok(list), _) => Ok(list),
                    // That one does not know the account proves nothing of another parent's.
                    (Err(_), first) => first,
                };
            }
            let list = match list {
                Ok(list) => list,
                Err(error) if error.error_type == ErrorType::VenueUnavailable => {
                    self.trouble(&error);
                    continue;
                }
                // Nobody was let in to look.
                Err(error) if error.error_type == ErrorType::MasterRefused => {
                    unseen += 1;
                    continue;
                }
                // Another parent's account, as any that is not there, is none that this master lists.
                Err(_) => continue,
            };
            let issued_for_us = |key: &&ListedKey| {
                key.marker
                    .as_ref()
                    .is_some_and(|marker| marker.same_secret(&ours))
            };
            let left: Vec<String> = list
                .keys
                .iter()
                .filter(issued_for_us)
                .filter(|key| !key.expired && settled(key, &list))
                .filter(|key| {
                    !named.contains(&&key.key_id)
                        && !holders.name_on(&key.key_id, account, before.master.serves.as_ref())
                })
                .map(|key| key.key_id.fingerprint())
                .collect();
            if !left.is_empty() {
                let say = format!(
                    "{} keys that were issued for this secret live on account {account}, which it does not \
                     stand for any more, and no labelled version names them: {}",
                    left.len(),
                    left.join(", ")
                );
                self.find(
                    Code::ForeignKeys,
                    say,
                    "delete them at the venue, if nothing uses them",
                );
            }
        }
        self.tell_of_unseen(accounts.len() - looked_at + unseen, unread);
    }

    /// What was left out, and how to have it looked at.
    fn tell_of_unseen(&mut self, accounts: usize, versions: usize) {
        if accounts == 0 && versions == 0 {
            return;
        }
        let say = format!(
            "this secret's versions name {accounts} more accounts that were not looked at, and {versions} \
             versions without labels were not read: keys that were issued for this secret may live there"
        );
        let what_to_do = if self.is_audited_alone() {
            "list the keys of the parent's accounts at the venue, and delete those that nothing uses"
                .to_owned()
        } else {
            let alone = self.pass.command(Operation::Audit, &self.name);
            format!("find out who stores values there; have all of them looked at: {alone}")
        };
        self.find(Code::AccountsUnseen, say, what_to_do);
    }

    /// Whether the audit is of this secret alone: it then has the time to look at everything.
    fn is_audited_alone(&self) -> bool {
        matches!(self.pass.request, OperationRequest::Audit { secret: Some(_), .. })
    }

    /// The accounts that the secret's versions name beside its own, those with most to say for them first.
    async fn accounts_before(
        &mut self,
        description: &Description,
        current: &Current,
        beside: &[Beside],
    ) -> Found {
        let mut found = Found::default();
        // The newest first, the labelled ones among them.
        let mut versions = match with_retries(self.pass, || self.session.versions()).await {
            Ok(versions) => versions,
            Err(error) => {
                self.trouble(&error);
                Vec::new()
            }
        };
        versions.sort_by_key(|version| std::cmp::Reverse(version.created_at));
        let labelled = |version: &VersionId| description.versions.contains_key(version);
        let unlisted = beside
            .iter()
            .map(|beside| &beside.version)
            .filter(|version| !versions.iter().any(|listed| listed.id == **version));
        let mut order: Vec<VersionId> = unlisted.cloned().collect();
        order.extend(versions.into_iter().map(|version| version.id));
        let most = if self.is_audited_alone() {
            usize::MAX
        } else {
            MOST_VERSIONS
        };
        let mut read = 0;
        for version in &order {
            if let Some(beside) = beside.iter().find(|beside| beside.version == *version) {
                let named = [(beside.answered(), true), (beside.value.account(), false)];
                for (account, answered) in named {
                    let Some(account) = account else { continue };
                    self.add(
                        &mut found,
                        (description, current),
                        (version, &beside.value),
                        account,
                        answered,
                    )
                    .await;
                }
                continue;
            }
            if labelled(version) {
                continue;
            }
            if read == most || !self.pass.has_time() {
                found.unread += 1;
                continue;
            }
            read += 1;
            let stored = with_retries(self.pass, || self.session.read(Which::Version(version))).await;
            let Ok(stored) = stored else {
                found.unread += 1;
                continue;
            };
            // What is no value was the base of no key.
            let Some(value) = stored.and_then(|stored| stored.value().ok()) else {
                continue;
            };
            if let Some(account) = value.account() {
                self.add(
                    &mut found,
                    (description, current),
                    (version, &value),
                    account,
                    false,
                )
                .await;
            }
        }
        self.add_served(&mut found, description, current);
        found.accounts.sort_by_key(|account| account.standing);
        // Two parents may call an account alike.
        let place = |venue: &Arc<dyn Venue>, master: &Master, account: &AccountId| {
            (
                venue.id().to_string(),
                master.signer.credential.key_id.fingerprint(),
                account.clone(),
            )
        };
        let mut seen = BTreeSet::new();
        if let (Some(own), Ok((master, _))) = (current.account(), &current.master) {
            seen.insert(place(&current.venue, master, &own));
        }
        found
            .accounts
            .retain(|before| seen.insert(place(&before.venue, &before.master, &before.account)));
        found
    }

    /// Notes an account that a version names. What the version does not say of venue and master is what the
    /// current one says.
    async fn add(
        &self,
        found: &mut Found,
        (description, current): (&Description, &Current),
        (version, value): (&VersionId, &SecretValue),
        account: AccountId,
        answered: bool,
    ) {
        let venue = venue_of(self.pass.ports, description, value).unwrap_or(Arc::clone(&current.venue));
        let theirs = self.pass.master(venue.as_ref(), value).await;
        let master = match (theirs, &current.master) {
            (Ok(master), _) => master,
            (Err(_), Ok((master, _))) if venue.id() == current.venue.id() => master.clone(),
            _ => return,
        };
        let covers = |serves: &Serves| serves.of(&description.name, &account).next().is_some();
        let served = master.serves.as_ref().is_some_and(covers);
        let standing = match (answered, served, is_ours(value, version)) {
            (true, ..) => Standing::Answered,
            (_, true, true) => Standing::ServedAndBuilt,
            (_, true, false) => Standing::Served,
            (_, false, true) => Standing::Built,
            (_, false, false) => Standing::Named,
        };
        found.accounts.push(AccountBefore {
            venue,
            master,
            account,
            standing,
        });
    }

    /// Where there is time for it: those, too, that the master's value names for this secret.
    fn add_served(&self, found: &mut Found, description: &Description, current: &Current) {
        let Ok((master, _)) = &current.master else { return };
        let Some(serves) = master.serves.as_ref().filter(|_| self.is_audited_alone()) else {
            return;
        };
        let accounts = serves.accounts_of(&description.name);
        found.accounts.extend(accounts.map(|account| AccountBefore {
            venue: Arc::clone(&current.venue),
            master: master.clone(),
            account: account.clone(),
            standing: Standing::Served,
        }));
    }
}
