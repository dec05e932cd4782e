//! What a person does at Secrets Manager.

use protocol::label::VersionId;
use protocol::name::SecretId;
use protocol::secret::KeyForm;

use super::{LABELS, Stage, WITHOUT_ACCOUNT, WITHOUT_MASTER, by_hand};
use crate::in_process::{BOT_ADDRESS, FUNCTION_ADDRESS, OTHER_SUB, PARENT, SUB, World};
use crate::secrets_manager::{
    self, AWSCURRENT, AWSPENDING, PutSecretValue, Secret, Sensitive, UpdateSecretVersionStage,
};
use crate::venue::{Credential, Ips, KeyId, KeySecret, Model, Settings, Uid};

impl Stage {
    pub(super) fn on_secret(
        &self,
        secret: usize,
        act: impl FnOnce(&mut secrets_manager::Model, String, jiff::Timestamp) -> bool,
    ) -> Option<()> {
        let id = self.secrets[secret].as_str().to_owned();
        self.world
            .secrets_manager(|model, now| act(model, id, now))
            .then_some(())
    }

    pub(super) fn put(&mut self, secret: usize, how: usize) -> Option<()> {
        let document = self.documents[secret];
        let elsewhere = || Settings {
            ips: Ips::only([BOT_ADDRESS]),
            ..by_hand(self.world.kind(), "bound elsewhere")
        };
        let value = match how % 16 {
            0 => self.current_text(secret)?,
            1 => "not a value".to_owned(),
            2 => self.value(document, OTHER_SUB, OTHER_SUB)?,
            3 => self.value(document, OTHER_SUB, SUB)?,
            8 => self.value(WITHOUT_MASTER, SUB, SUB)?,
            9 => self.value(WITHOUT_ACCOUNT, SUB, SUB)?,
            10 => self.value(document, SUB, OTHER_SUB)?,
            11 => self.value_with(document, elsewhere(), SUB, SUB)?,
            12 => self.value_with(document, elsewhere(), OTHER_SUB, SUB)?,
            13 => without(
                &self.current_text(secret)?,
                &["masterarn", "subaccount", "rotation"],
            )?,
            14 => self.with_wrong_secret(document)?,
            15 => self.value(&self.with_other_words(document), SUB, SUB)?,
            5 if self.world.kind().forms.contains(&KeyForm::Pair) => {
                let other = ["hmac", "ed25519"][usize::from(how & 64 != 0)];
                let document =
                    document.replace(r#""policy":{"#, &format!(r#""policy":{{"key_type":"{other}","#));
                self.value(&document, SUB, SUB)?
            }
            _ => self.value(document, SUB, SUB)?,
        };
        self.store(secret, None, value, AWSCURRENT)
    }

    pub(super) fn current_text(&self, secret: usize) -> Option<String> {
        self.look(secret, |secret| {
            let current = secret.versions().get(secret.holder(AWSCURRENT)?)?;
            current.value()?.text().map(str::to_owned)
        })
    }

    /// A value whose policy has words that this venue does not grant.
    fn with_other_words(&self, document: &str) -> String {
        let words = self.world.kind().not_granted.map(|word| format!("\"{word}\""));
        document.replace("<words>", &words.join(","))
    }

    /// A value whose secret was mistyped, of a key on another account than it says.
    fn with_wrong_secret(&self, document: &str) -> Option<String> {
        let key = self
            .world
            .venue(|model, now| {
                model.create_key_by_hand(OTHER_SUB, by_hand(self.world.kind(), "mistyped"), now)
            })
            .ok()?;
        let mistyped = Credential {
            secret: KeySecret::from("mistyped-by-somebody-in-a-hurry-0000"),
            ..key
        };
        Some(self.world.filled_in(document, &mistyped, SUB))
    }

    pub(super) fn offer(&mut self, secret: usize, how: usize) -> Option<()> {
        let account = if how % 4 == 3 { OTHER_SUB } else { SUB };
        // Where there are two forms of keys, some take the wrong one.
        let other_form = how % 4 == 2 && self.world.kind().forms.contains(&KeyForm::Pair);
        let turn = |model: &mut Model| model.knobs.pairs_by_hand ^= other_form;
        self.world.venue(|model, _| turn(model));
        let value = self.value(self.documents[secret], account, account);
        self.world.venue(|model, _| turn(model));
        self.store(secret, None, value?, "CANDIDATE")
    }

    /// Where only a person makes keys, one is offered before a rotation begins.
    pub(super) fn supply(&mut self, secret: usize) {
        if self.world.kind().is_supplied() && !self.look(secret, is_offered) {
            // Where there is no room for another key, there is none.
            let _ = self.offer(secret, 0);
        }
    }

    pub(super) fn put_pending(&mut self, secret: usize, how: usize) -> Option<()> {
        let value = self.value(self.documents[secret], SUB, SUB)?;
        let version = if how.is_multiple_of(2) {
            self.pending(secret)
        } else {
            None
        };
        self.store(secret, version, value, AWSPENDING)
    }

    /// A value with a new key of an account, which it says is of another.
    pub(super) fn value(&self, document: &str, account: Uid, said: Uid) -> Option<String> {
        self.value_with(
            document,
            by_hand(self.world.kind(), "made by hand"),
            account,
            said,
        )
    }

    fn value_with(&self, document: &str, settings: Settings, account: Uid, said: Uid) -> Option<String> {
        let key = self
            .world
            .venue(|model, now| model.create_key_by_hand(account, settings, now))
            .ok()?;
        Some(self.world.filled_in(document, &key, said))
    }

    pub(super) fn store(
        &mut self,
        secret: usize,
        version: Option<VersionId>,
        value: String,
        label: &str,
    ) -> Option<()> {
        let version = version.map_or_else(
            || format!("{:016x}-stored-by-one-hand", self.world.chance()),
            |id| id.to_string(),
        );
        let request = PutSecretValue {
            secret_id: self.secrets[secret].as_str().to_owned(),
            client_request_token: Some(version),
            secret_string: Some(Sensitive::new(value)),
            version_stages: Some(vec![label.to_owned()]),
            ..PutSecretValue::default()
        };
        self.world
            .secrets_manager(|model, now| model.put_secret_value(&request, now))
            .ok()
            .map(drop)
    }

    pub(super) fn label(&mut self, secret: usize, label: &str, to: Option<VersionId>) -> Option<()> {
        let from = self.look(secret, |secret| secret.holder(label).map(str::to_owned));
        if to.is_none() && from.is_none() {
            return None;
        }
        let request = UpdateSecretVersionStage {
            secret_id: self.secrets[secret].as_str().to_owned(),
            version_stage: label.to_owned(),
            remove_from_version_id: from,
            move_to_version_id: to.map(|version| version.to_string()),
        };
        self.world
            .secrets_manager(|model, now| model.update_secret_version_stage(&request, now))
            .ok()
            .map(drop)
    }

    pub(super) fn unlabel(&mut self, secret: usize, how: usize) -> Option<()> {
        let oldest = |secret: &Secret| {
            secret
                .labels()
                .keys()
                .find(|label| label.starts_with("REPLACED-"))
                .cloned()
        };
        match LABELS.get(1 + how % 5) {
            Some(label) => self.label(secret, label, None),
            None => self.label(secret, &self.look(secret, oldest)?, None),
        }
    }

    pub(super) fn fill_labels(&mut self, secret: usize, but: usize) -> Option<()> {
        let current =
            VersionId::new(self.look(secret, |secret| secret.holder(AWSCURRENT).map(str::to_owned))?);
        let free = 20_usize
            .checked_sub(self.look(secret, |secret| secret.labels().len()))?
            .checked_sub(but)?;
        (0..free).try_for_each(|nth| self.label(secret, &format!("NOTE-{nth}"), Some(current.clone())))
    }

    pub(super) fn switch_on(&mut self, secret: usize) -> Option<()> {
        if self.look(secret, Secret::rotation_is_enabled) {
            return None;
        }
        drop(self.world.try_begin_rotation_of(&self.secrets[secret]));
        Some(())
    }

    pub(super) fn rotate_master(&mut self, how: usize) -> Option<()> {
        let master_arn = self.world.master_arn().to_owned();
        let text = self.world.of(&SecretId::parse(&master_arn).ok()?, |secret| {
            let current = secret.versions().get(secret.holder(AWSCURRENT)?)?;
            current.value()?.text().map(str::to_owned)
        })?;
        let mut document: serde_json::Value = serde_json::from_str(&text).ok()?;
        let old = KeyId::from(document["api_key"].as_str()?);
        (document["api_key"], document["api_secret"]) = ("<key>".into(), "<secret>".into());
        if document["passphrase"].is_string() {
            document["passphrase"] = "<passphrase>".into();
        }
        let ips = Ips::only([FUNCTION_ADDRESS]);
        let new = self
            .world
            .venue(|model, now| model.add_master_key(PARENT, ips, now))
            .ok()?;
        let value = self.world.filled_in(&document.to_string(), &new, PARENT);
        let request = PutSecretValue {
            secret_id: master_arn,
            client_request_token: Some(format!("{:016x}-stored-by-one-hand", self.world.chance())),
            secret_string: Some(Sensitive::new(value)),
            ..PutSecretValue::default()
        };
        let delete = |world: &World| world.venue(|model, now| model.delete_key_by_hand(&old, now)).ok();
        // Some delete the old key first.
        if how.is_multiple_of(2) {
            delete(&self.world);
        }
        self.world
            .secrets_manager(|model, now| model.put_secret_value(&request, now))
            .ok()?;
        if how % 2 == 1 {
            delete(&self.world);
        }
        Some(())
    }
}

/// Whether a person offers a key.
pub(in crate::simulation) fn is_offered(secret: &Secret) -> bool {
    ["CANDIDATE", "ROLLBACK"]
        .into_iter()
        .any(|label| secret.holder(label).is_some())
}

/// A value that lacks these fields.
fn without(text: &str, fields: &[&str]) -> Option<String> {
    let mut document: serde_json::Value = serde_json::from_str(text).ok()?;
    let object = document.as_object_mut()?;
    for field in fields {
        object.remove(*field);
    }
    Some(document.to_string())
}
