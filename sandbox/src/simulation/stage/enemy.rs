//! What one does who may write a secret of their own and means the others harm: PutSecretValue with any
//! labels, UpdateSecretVersionStage, and RotateSecret. They know
//! every key id, and have stolen one credential.

use protocol::label::VersionId;
use protocol::marker::Marker;
use protocol::name::SecretId;
use serde_json::json;

use super::{Stage, WITH_POLICY, by_hand};
use crate::in_process::{OTHER_SUB, SUB};
use crate::secrets_manager::{AWSCURRENT, PutSecretValue, Sensitive, UpdateSecretVersionStage};
use crate::venue::{Credential, KeyId, KeySecret, Passphrase, Permissions, Settings};

/// The name of their secret.
pub(in crate::simulation) const NAME: &str = "prod/bybit/enemy";

/// The labels that they put on what they store, each set for another end.
const LABELS: [&[&str]; 6] = [
    &["AWSCURRENT"],
    &["AWSPENDING"],
    &["CANDIDATE"],
    &["COMPROMISED"],
    &["COMPROMISED", "REVOKE_FIRST"],
    &[
        "REPLACED-20200101T000000Z-00000000",
        "CONDEMNED-20200201T000000Z-00000000",
    ],
];
/// Instead of the last, now and then.
const TO_COME: &[&str] = &["REPLACED-20990101T000000Z-00000000"];

/// See the [module](self).
pub(super) struct Enemy {
    secret: SecretId,
    stolen: Credential,
}

impl Stage {
    /// The secret, and what was stolen before: the second secret's credential of that time.
    fn enemy(&mut self) -> Option<(SecretId, Credential)> {
        if self.enemy.is_none() {
            let value = self.current_text(1)?;
            let stolen = credential(&value)?;
            let own = self
                .world
                .venue(|model, now| {
                    model.create_key_by_hand(OTHER_SUB, by_hand(self.world.kind(), "their own"), now)
                })
                .ok()?;
            let secret = self.world.add_secret(NAME, WITH_POLICY, &own, OTHER_SUB);
            self.enemy = Some(Enemy { secret, stolen });
        }
        self.enemy
            .as_ref()
            .map(|enemy| (enemy.secret.clone(), enemy.stolen.clone()))
    }

    pub(super) fn enemy_acts(&mut self, which: usize, how: usize) -> Option<()> {
        let (secret, stolen) = self.enemy()?;
        if how % 7 == 6 {
            return self.world.try_begin_rotation_of(&secret).ok().map(drop);
        }
        if how % 7 == 5 {
            return self.enemy_hides(&secret, which, how / 7);
        }
        let (what, account, claim) = (how % 6, how / 6 % 2, how / 12 % 3);
        let labels = match which % LABELS.len() {
            5 if how % 5 == 4 => TO_COME,
            which => LABELS[which],
        };
        let credential = match what {
            0 | 1 => stolen,
            2 => known_by_id(credential(&self.current_text(0)?)?.key),
            3 => {
                let keys = self.world.live_keys();
                known_by_id(keys.get(how.checked_rem(keys.len())?)?.key.clone())
            }
            4 => self
                .world
                .venue(|model, now| {
                    model.create_key_by_hand(OTHER_SUB, by_hand(self.world.kind(), "their own"), now)
                })
                .ok()?,
            _ => known_by_id(KeyId::from("a-key-that-nobody-knows")),
        };
        let account = if account == 0 { SUB } else { OTHER_SUB };
        let version = format!("{:016x}-stored-by-the-enemy", self.world.chance());
        let mut value: serde_json::Value =
            serde_json::from_str(&self.world.filled_in(WITH_POLICY, &credential, account)).ok()?;
        if claim > 0 {
            let all = json!(self.world.kind().all_words);
            value["policy"] = json!({"permissions": all, "ip_allowlist": "any"});
        }
        if claim > 1 {
            let based_on = self
                .world
                .of(&secret, |secret| secret.holder(AWSCURRENT).map(str::to_owned))?;
            let permissions = value["policy"]["permissions"].clone();
            (value["created_by"], value["created_at"]) = (
                "exchange-key-rotation".into(),
                self.world.now().to_string().into(),
            );
            value["rotation"] = json!({
                "token": version, "source": "issued", "based_on": based_on,
                "account": self.world.kind().account(account),
                "permissions": permissions, "ip_allowlist": "any",
            });
        }
        // Every fourth time it is no value at all, which nobody can read.
        let text = if how % 4 == 3 {
            "{".to_owned()
        } else {
            value.to_string()
        };
        let request = PutSecretValue {
            secret_id: secret.as_str().to_owned(),
            client_request_token: Some(VersionId::new(version).to_string()),
            secret_string: Some(Sensitive::new(text)),
            version_stages: Some(labels.iter().map(|label| (*label).to_owned()).collect()),
            ..PutSecretValue::default()
        };
        self.world
            .secrets_manager(|model, now| model.put_secret_value(&request, now))
            .ok()
            .map(drop)
    }
}

impl Stage {
    /// They take labels off or move them, or note a key of theirs on the others' account as this function's.
    fn enemy_hides(&mut self, secret: &SecretId, which: usize, how: usize) -> Option<()> {
        if how.is_multiple_of(3) {
            let note = Marker::new(
                secret.as_str(),
                &VersionId::new("of-no-version"),
                self.world.chance(),
            )
            .to_string();
            let kind = self.world.kind();
            let permissions = if how.is_multiple_of(2) {
                Permissions::of(&[kind.funds])
            } else {
                Permissions::of(kind.less)
            };
            let settings = Settings {
                note,
                permissions,
                ..by_hand(kind, "theirs")
            };
            return self
                .world
                .venue(|model, now| model.create_key_by_hand(SUB, settings, now))
                .ok()
                .map(drop);
        }
        let versions = self.world.of(secret, |secret| {
            secret.versions().keys().cloned().collect::<Vec<_>>()
        });
        let version = versions.get(which.checked_rem(versions.len())?)?.clone();
        let labels = self.world.of(secret, |secret| secret.stages_of(&version));
        let change = match labels.get(how.checked_rem(labels.len()).unwrap_or_default()) {
            Some(label) if label != AWSCURRENT && how % 3 == 1 => UpdateSecretVersionStage {
                version_stage: label.clone(),
                move_to_version_id: None,
                remove_from_version_id: Some(version),
                secret_id: secret.as_str().to_owned(),
            },
            _ => UpdateSecretVersionStage {
                version_stage: AWSCURRENT.to_owned(),
                move_to_version_id: Some(version),
                remove_from_version_id: self
                    .world
                    .of(secret, |secret| secret.holder(AWSCURRENT).map(str::to_owned)),
                secret_id: secret.as_str().to_owned(),
            },
        };
        self.world
            .secrets_manager(|model, now| model.update_secret_version_stage(&change, now))
            .ok()
            .map(drop)
    }
}

/// The credential in a value.
fn credential(value: &str) -> Option<Credential> {
    let value: serde_json::Value = serde_json::from_str(value).ok()?;
    Some(Credential {
        key: KeyId::from(value["api_key"].as_str()?),
        secret: KeySecret::from(value["api_secret"].as_str()?),
        passphrase: value["passphrase"].as_str().map(Passphrase::from),
    })
}

/// A key of which no more than the id is known.
fn known_by_id(key: KeyId) -> Credential {
    Credential {
        key,
        secret: KeySecret::from("what-the-enemy-does-not-know-000000"),
        passphrase: None,
    }
}
