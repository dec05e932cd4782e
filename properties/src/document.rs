//! Any text as a version's value.

use std::collections::{BTreeMap, BTreeSet};

use protocol::label::VersionId;
use protocol::marker::Marker;
use protocol::rotation::{Done, Step};
use protocol::secret::SecretValue;
use sandbox::in_process::{Failure, SUB, Setup, World};
use sandbox::leak::found;
use sandbox::secrets_manager::AWSCURRENT;
use sandbox::venue::{Credential, KeyId, KeyTruth, Permissions};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use crate::json::{field, fields, string};
use crate::text::{filled_in, headed};

/// Stands for `<hidden>`: a secret that nobody knows but the person who wrote it into the text.
const HIDDEN: &str = "hW7pR2xVn9LkQ4sTzB8mYc3JdF6gEa1UoXi5";
/// Longer texts are left to the tests of the size bound.
const LONGEST: usize = 4096;
/// What a successor has of its own; every other field is foreign.
const OURS: [&str; 8] = [
    "api_key",
    "api_secret",
    "secret",
    "passphrase",
    "api_passphrase",
    "created_at",
    "created_by",
    "rotation",
];

/// A value that a rotation meets is read or refused without being said. A step that fails has changed no key
/// and no value, and no label but those of versions that can never be promoted or offered; a successor keeps
/// every foreign field.
///
/// The first line of the bytes says which version's value the rest is: `current`, `pending`, `candidate`,
/// `rollback`, `compromised` or `master`; that `<key>` is a `marked` one, as if issued for the token, or a
/// `powerful` one; and that the secret's name is `nameless`, telling nothing of exchange and environment.
///
/// # Panics
/// Where that does not hold.
pub fn document(bytes: &[u8]) {
    let (words, text) = headed(bytes);
    let text = String::from_utf8_lossy(text);
    if text.is_empty() || text.len() > LONGEST {
        return;
    }
    read_in_silence(&text);
    let Some(scene) = Scene::set(&words, &text) else {
        return;
    };
    for step in Step::ALL {
        scene.run(step);
    }
    let leaks = scene.leaks();
    assert!(leaks.is_empty(), "{leaks:?} was said");
}

/// The value alone: neither what is read nor the refusal shows what is secret in it.
fn read_in_silence(text: &str) {
    let values = [
        ("<secret>", HIDDEN),
        ("<hidden>", HIDDEN),
        ("<key>", "AbCdEfGhIjKlMnOpQr"),
    ];
    let text = with(text, &values);
    match SecretValue::parse(&SecretString::from(text.as_str())) {
        Ok(value) => {
            let credential = &value.credential;
            let secrets = [Some(&credential.secret), credential.passphrase.as_ref()]
                .into_iter()
                .flatten();
            let secrets = secrets
                .map(ExposeSecret::expose_secret)
                .chain([credential.key_id.expose()]);
            // What is short, or stands twice, may be shown as something else than the secret.
            let secrets: Vec<&str> = secrets
                .filter(|secret| secret.len() >= 16 && text.matches(*secret).count() == 1)
                .collect();
            let said = format!("{value:?} {value:#?}");
            assert!(found(secrets, &said).is_empty(), "a secret was said: {said}");
        }
        Err(error) => {
            let said = format!("{error} {error:?} {error:#?}");
            assert!(found([HIDDEN], &said).is_empty(), "a secret was said: {said}");
        }
    }
}

/// A world with the text in it, and a rotation begun.
struct Scene {
    world: World,
    token: VersionId,
}

/// What must not change.
#[derive(PartialEq, Eq, Debug)]
struct Facts {
    keys: Vec<KeyTruth>,
    values: BTreeMap<VersionId, Option<String>>,
    labels: BTreeMap<VersionId, BTreeSet<String>>,
}

impl Scene {
    fn set(words: &[&str], text: &str) -> Option<Self> {
        let place = ["pending", "candidate", "rollback", "compromised", "master"]
            .into_iter()
            .find(|place| words.contains(place));
        let mut setup = Setup::default();
        if words.contains(&"nameless") {
            setup.name = String::from("my-key");
        }
        match place {
            None => setup.document = with(text, &[("<hidden>", HIDDEN)]),
            Some("master") => setup.master_document = Some(with(text, &[("<hidden>", HIDDEN)])),
            Some(_) => {}
        }
        let world = World::with(setup);
        let powerful = words.contains(&"powerful");
        match place {
            Some("candidate") => put(&world, text, &new_key(&world, "", powerful)?, None, "CANDIDATE"),
            Some("rollback") => put(&world, text, &new_key(&world, "", powerful)?, None, "ROLLBACK"),
            Some("compromised") => {
                let offered = new_key(&world, "", powerful)?;
                put(
                    &world,
                    r#"{"api_key":"<key>","api_secret":"<secret>"}"#,
                    &offered,
                    None,
                    "CANDIDATE",
                );
                put(&world, text, &offered, None, "COMPROMISED");
            }
            _ => {}
        }
        let token = world.begin_rotation();
        if place == Some("pending") {
            let marker = Marker::new(world.secret().as_str(), &token, 7).to_string();
            let note = if words.contains(&"marked") { &marker } else { "" };
            put(
                &world,
                text,
                &new_key(&world, note, powerful)?,
                Some(&token),
                "AWSPENDING",
            );
        }
        Some(Self { world, token })
    }

    fn run(&self, step: Step) {
        let before = self.facts();
        let result = self.world.run(step, &self.token);
        let after = self.facts();
        let world = &self.world;
        assert!(world.alive(world.first_key()), "the current key was killed");
        match result {
            Ok(done) => self.has_done(step, done, &before, &after),
            Err(Failure::Crashed) => panic!("{step} does not come to an end"),
            Err(Failure::Error(error)) => {
                assert_eq!(
                    before.keys, after.keys,
                    "{step} failed and has changed keys: {error}"
                );
                assert_eq!(
                    before.values, after.values,
                    "{step} failed and has changed values: {error}"
                );
                self.has_given_up_at_most(&before, &after);
            }
        }
        if step == Step::Test {
            assert_eq!(before, after, "testSecret has changed something");
        }
    }

    fn has_done(&self, step: Step, done: Done, before: &Facts, after: &Facts) {
        let current = self.world.holder(AWSCURRENT);
        if matches!(done, Done::Issued | Done::Copied) {
            let text = |version: &VersionId| self.world.text(version).unwrap_or_default();
            let (base, built) = (text(&self.world.first_version()), text(&self.token));
            assert_eq!(
                foreign(&base),
                foreign(&built),
                "a foreign field was lost, moved or reworded"
            );
        }
        if done == Done::Promoted {
            assert_eq!(current.as_ref(), Some(&self.token));
            let key = self.world.text(&self.token).and_then(|text| key_in(&text));
            let key = key.and_then(|key| self.world.venue(|model, _| model.key(&key)));
            let key = key.expect("a key that the venue knows was promoted");
            let moves_funds = key
                .settings
                .permissions
                .groups()
                .any(|(group, _)| group == "Wallet");
            assert!(
                !moves_funds && self.world.alive(&key.key),
                "a dead key or one that moves funds was promoted"
            );
        } else {
            assert_eq!(
                current,
                Some(self.world.first_version()),
                "{step} has moved AWSCURRENT"
            );
        }
        let old = before
            .values
            .iter()
            .all(|(version, value)| value.is_none() || after.values.get(version) == Some(value));
        assert!(old, "{step} has changed a value that was there");
    }

    /// A pending version that can never be promoted is condemned and given up; an offer of the current key is
    /// taken off; and the version that was replaced last may be stamped.
    fn has_given_up_at_most(&self, before: &Facts, after: &Facts) {
        for (version, now) in &after.labels {
            let was = before.labels.get(version).cloned().unwrap_or_default();
            for added in now.difference(&was) {
                let condemned = *version == self.token && added.starts_with("CONDEMNED-");
                let stamped = was.contains("AWSPREVIOUS") && added.starts_with("REPLACED-");
                assert!(condemned || stamped, "{added} was put on {version}");
            }
            for removed in was.difference(now) {
                let given_up = removed == "AWSPENDING" && *version == self.token;
                let condemned = now.iter().any(|label| label.starts_with("CONDEMNED-"));
                let nothing_to_offer = ["CANDIDATE", "ROLLBACK"].contains(&removed.as_str())
                    && self.world.text(version).and_then(|text| key_in(&text)).as_ref()
                        == Some(self.world.first_key());
                assert!(
                    given_up && condemned || nothing_to_offer,
                    "{removed} was taken off {version}"
                );
            }
        }
    }

    fn facts(&self) -> Facts {
        let world = &self.world;
        let versions = world.versions();
        Facts {
            keys: world.venue(|model, _| model.keys()),
            values: versions
                .iter()
                .map(|version| (version.clone(), world.text(version)))
                .collect(),
            labels: versions
                .iter()
                .map(|version| (version.clone(), world.labels(version).into_iter().collect()))
                .collect(),
        }
    }

    /// What was said and must not be.
    fn leaks(&self) -> Vec<String> {
        let mut leaks = self.world.leaks();
        leaks.extend(found([HIDDEN], &self.world.said()));
        let values = self.world.secrets_manager(|model, _| {
            let versions = model.secrets().flat_map(|secret| secret.versions().values());
            versions
                .filter_map(|version| version.value()?.text())
                .map(str::to_owned)
                .collect::<Vec<_>>()
        });
        leaks.retain(|leak| !values.iter().any(|value| placed_where_it_is_shown(value, leak)));
        leaks
    }
}

/// A key like the current one, or one that moves funds.
fn new_key(world: &World, note: &str, powerful: bool) -> Option<Credential> {
    world.venue(|model, now| {
        let mut settings = model.key(world.first_key())?.settings;
        settings.note = String::from(note);
        if powerful {
            settings.permissions = Permissions::of(&[
                ("Spot", &["SpotTrade"]),
                ("Wallet", &["AccountTransfer", "Withdraw"]),
            ]);
        }
        model.create_key_by_hand(SUB, settings, now).ok()
    })
}

/// Stores a version by hand: the token's, or a new one.
fn put(world: &World, text: &str, key: &Credential, token: Option<&VersionId>, label: &str) {
    let current = world.venue(|model, _| model.credential(world.first_key()));
    let base = world.first_version();
    let (current_key, current_secret) = current.as_ref().map_or(("", ""), |current| {
        (current.key.as_str(), current.secret.expose())
    });
    let values = [
        ("<hidden>", HIDDEN),
        ("<current-key>", current_key),
        ("<current-secret>", current_secret),
        ("<token>", token.map_or("", VersionId::as_str)),
        ("<base>", base.as_str()),
    ];
    let text = with(text, &values);
    match token {
        Some(token) => world.put_by_hand_as(token, &text, key, SUB, label),
        None => drop(world.put_by_hand(&text, key, SUB, label)),
    }
}

fn with(text: &str, values: &[(&str, &str)]) -> String {
    String::from_utf8_lossy(&filled_in(text.as_bytes(), values)).into_owned()
}

/// Some fields name what messages have to name, in full: whoever writes a secret there has it shown. An
/// account's id is too short for one; `rotation` is not for a person to write.
fn placed_where_it_is_shown(value: &str, leak: &str) -> bool {
    let fields = fields(value).unwrap_or_default();
    let stands_in = |name: &str| {
        let raw = fields
            .iter()
            .filter(|(known, _)| known == name)
            .map(|(_, raw)| *raw);
        raw.map(|raw| {
            serde_json::from_str::<Value>(raw).map_or_else(|_| raw.to_owned(), |value| value.to_string())
        })
        .any(|shown| shown.contains(leak))
    };
    let short = leak.len() < 32 && ["subaccount", "sub_account"].into_iter().any(stands_in);
    short || ["masterarn", "rotation"].into_iter().any(stands_in)
}

/// The key that a value names.
fn key_in(text: &str) -> Option<KeyId> {
    field(&fields(text)?, "api_key")
        .and_then(string)
        .map(|key| KeyId::from(key.as_str()))
}

/// The foreign fields, each with its exact text, in order.
fn foreign(text: &str) -> Vec<(String, String)> {
    let fields = fields(text).expect("what createSecret builds on and stores is an object");
    let fields = fields
        .into_iter()
        .filter(|(name, _)| !OURS.contains(&name.as_str()));
    fields.map(|(name, raw)| (name, raw.to_owned())).collect()
}
