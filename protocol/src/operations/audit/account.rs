//! What an audit says of the keys on the secret's account.

use crate::label::VersionId;
use crate::marker::Marker;
use crate::operations::answer::{Audited, Code, KeyOnAccount, Slots};
use crate::operations::audit::beside::Beside;
use crate::operations::commands::rotate;
use crate::operations::faults::in_words;
use crate::operations::maintain::current::Current;
use crate::operations::maintain::visit::SecretVisit;
use crate::ports::{Description, ListedKey};
use crate::rotation::settled;
use crate::secret::KeyId;
use crate::task::Operation;
use crate::wrong::{self, Wrong};

/// Fewer free slots than a rotation and its repetition need.
const FEW_SLOTS: usize = 2;

impl SecretVisit<'_> {
    pub(super) async fn look_at_account(
        &mut self,
        description: &Description,
        current: &Current,
        beside: &[Beside],
        audited: &mut Audited,
    ) {
        let Ok((master, Some((account, list)))) = &current.master else {
            return;
        };
        let most = current.venue.facts().most_keys;
        let slots = Slots {
            used: list.keys.len(),
            left: most.map(|most| most.saturating_sub(list.keys.len())),
        };
        audited.slots = Some(slots);
        if slots.left.is_some_and(|left| left < FEW_SLOTS) {
            let say = format!("the account has {} keys, and hardly room for another", slots.used);
            self.find(Code::SlotsLow, say, "delete keys at the venue that nothing uses");
        }
        let holders = match self.pass.holders().await {
            Ok(holders) => holders,
            Err(error) => {
                self.trouble(&error);
                return;
            }
        };
        let key = &current.value.credential.key_id;
        let mut named: Vec<&KeyId> = beside
            .iter()
            .map(|beside| &beside.value.credential.key_id)
            .collect();
        named.push(key);
        let ours = Marker::new(&description.arn, &VersionId::new(""), 0);
        let (mut foreign, mut orphans, mut young, mut forbidden) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for listed in list
            .keys
            .iter()
            .filter(|listed| !listed.expired && !named.contains(&&listed.key_id))
        {
            // Whoever names it, and whatever marker it bears: anybody may write those.
            if !listed.powers.forbidden().is_empty() {
                forbidden.push(listed.key_id.fingerprint());
            }
            if holders.name_on(&listed.key_id, account, master.serves.as_ref()) {
                continue;
            }
            match &listed.marker {
                // A rotation may be about to store it.
                Some(_) if !settled(listed, list) || wrong::is(Wrong::MarkerHides) => {
                    young.push(on_account(listed));
                }
                Some(marker) if marker.same_secret(&ours) => orphans.push(on_account(listed)),
                // Another secret's marker too: whoever controls the account can have written it.
                _ => foreign.push(on_account(listed)),
            }
        }
        if !forbidden.is_empty() {
            let say = format!(
                "keys live on the account that may do what no rotated key may: {}",
                forbidden.join(", ")
            );
            self.find(
                Code::CanMoveFunds,
                say,
                "find out whose they are; delete at the venue what nobody needs",
            );
        }
        if !foreign.is_empty() {
            let shown: Vec<&str> = foreign.iter().map(|key| key.fingerprint.as_str()).collect();
            let say = format!(
                "{} keys live on the account, and no secret that may stand for it names them: {}",
                foreign.len(),
                shown.join(", ")
            );
            self.find(
                Code::ForeignKeys,
                say,
                "find out whose they are; delete at the venue what nobody needs",
            );
        }
        if !orphans.is_empty() {
            let say = format!(
                "{} keys that were issued for this secret and are in no version are alive",
                orphans.len()
            );
            self.find(
                Code::Orphans,
                say,
                self.pass.command(Operation::Maintain, &self.name),
            );
        }
        (audited.foreign_keys, audited.orphans, audited.young_keys) =
            (Some(foreign), Some(orphans), Some(young));
        let elsewhere = self.holders_elsewhere(&current.value.credential).await;
        let mut sharing: Vec<String> = elsewhere.into_iter().map(|(held, _)| held.secret).collect();
        sharing.dedup();
        if !sharing.is_empty() {
            let say = format!(
                "{key} is also the key of {}: it can be revoked for neither while the other holds it",
                sharing.join(", ")
            );
            self.find(
                Code::SharedKey,
                say,
                format!("give each its own key: {}", rotate(&self.name)),
            );
        }
    }
}

fn on_account(listed: &ListedKey) -> KeyOnAccount {
    KeyOnAccount {
        fingerprint: listed.key_id.fingerprint(),
        created_at: listed.created_at,
        powers: in_words(&listed.powers),
        addresses: listed.addresses.to_string(),
    }
}
