//! What a person does at the venue, and how the world around it changes.

use super::{Stage, by_hand};
use crate::in_process::{BOT_ADDRESS, ELSEWHERE, FUNCTION_ADDRESS, SUB};
use crate::secrets_manager::{Replica, ReplicaStatus};
use crate::venue::{self, Ips, KeyId, Permissions};

impl Stage {
    /// The keys of the sub-account, the youngest first: most of what matters is about those.
    pub(super) fn keys(&self) -> Vec<venue::KeyTruth> {
        let mut keys = self.world.live_keys();
        keys.reverse();
        keys
    }

    pub(super) fn edit_key(&mut self, which: usize, how: usize) -> Option<()> {
        let keys = self.keys();
        let key = keys.get(which.checked_rem(keys.len())?)?;
        let mut settings = key.settings.clone();
        let kind = self.world.kind();
        let with = |more| Permissions::of(&[kind.usual, &[more]].concat());
        match how % 5 {
            0 => settings.permissions = with(kind.funds),
            1 => settings.permissions = with(kind.unknown),
            2 => settings.permissions = Permissions::of(kind.less),
            3 => settings.ips = Ips::Any,
            _ if how / 5 % 2 == 1 => settings.ips = Ips::only([BOT_ADDRESS, FUNCTION_ADDRESS, ELSEWHERE]),
            _ => settings.ips = Ips::only([BOT_ADDRESS]),
        }
        self.world
            .venue(|model, now| model.edit_key_by_hand(&key.key, settings, now))
            .ok()
    }

    pub(super) fn delete_key(&mut self, how: usize) -> Option<()> {
        let keys = self.keys();
        let key = keys.get(how.checked_rem(keys.len())?)?;
        self.world
            .venue(|model, now| model.delete_key_by_hand(&key.key, now))
            .ok()
    }

    pub(super) fn fill_slots(&mut self, but: usize) -> Option<()> {
        let kind = self.world.kind();
        let free = kind
            .slots
            .checked_sub(self.world.live_keys().len())
            .filter(|free| *free > but)?;
        for _ in but..free {
            self.world
                .venue(|model, now| model.create_key_by_hand(SUB, by_hand(kind, "filler"), now))
                .ok()?;
        }
        Some(())
    }

    pub(super) fn free_slots(&mut self) -> Option<()> {
        let fillers: Vec<KeyId> = self
            .keys()
            .into_iter()
            .filter(|key| key.settings.note == "filler")
            .map(|key| key.key)
            .collect();
        fillers.first()?;
        for key in fillers {
            self.world
                .venue(|model, now| model.delete_key_by_hand(&key, now))
                .ok()?;
        }
        Some(())
    }

    pub(super) fn venue_ways(&mut self, how: usize) {
        let kind = self.world.kind();
        self.world.venue(|model, _| {
            let delay = |choice: usize| kind.delays[choice % 3];
            model.knobs.new_key_delay = delay(how);
            model.knobs.deletion_delay = delay(how / 3);
            model.knobs.edit_delay = delay(how / 9);
            model.knobs.listings_lag = how / 27 % 2 == 1;
            model.knobs.wrong_host = how / 54 % 6 == 5;
        });
    }

    pub(super) fn replica(&mut self, secret: usize, how: usize) -> Option<()> {
        let status = [
            ReplicaStatus::InSync,
            ReplicaStatus::InProgress,
            ReplicaStatus::Failed,
        ][how % 3];
        self.on_secret(secret, |model, id, _| {
            let replica = Replica {
                region: "eu-west-1".to_owned(),
                status,
                status_message: None,
            };
            model.set_replicas(&id, vec![replica]).is_ok()
        })
    }
}
