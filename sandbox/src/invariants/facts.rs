//! What there is to remember about versions, keys and runs.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::Value;

use super::act::{Actor, Asked, Scene};
use crate::in_process::kind::Tells;
use crate::venue::{KeyId, KeySecret};

/// What a version's value says. Values never change.
#[derive(Clone, Debug)]
pub(super) struct Named {
    pub(super) key: KeyId,
    pub(super) secret: KeySecret,
    pub(super) subaccount: Option<String>,
    /// Whether it names a master, who could list the account's keys.
    pub(super) has_master: bool,
    /// What its policy allows, where it says.
    pub(super) policy: Option<Vec<String>>,
    /// What its policy says that a key's secret is, where it does.
    pub(super) key_type: Option<String>,
    /// Whether its policy says that the key may be used from anywhere.
    pub(super) anywhere: bool,
    pub(super) rotation: Option<Rotation>,
}

/// The `rotation` field of a value.
#[derive(Clone, Debug)]
pub(super) struct Rotation {
    pub(super) token: String,
    pub(super) source: String,
    pub(super) copied_from: Option<String>,
    pub(super) based_on: String,
    pub(super) account: String,
    pub(super) permissions: Vec<String>,
    /// `None` for "any".
    pub(super) addresses: Option<Vec<String>>,
}

impl Named {
    /// Whether the value says that we built it for this version. Whoever may store one can write that down,
    /// in the one secret that they may make current as they please.
    pub(super) fn claims_to_be_ours(&self, version: &str) -> bool {
        self.rotation
            .as_ref()
            .is_some_and(|rotation| rotation.token == version)
    }

    /// Whether anybody can tell which account its key is of: the key itself, or a list of the account.
    pub(super) fn has_account(&self, scene: &Scene<'_>) -> bool {
        self.has_master || scene.kind.own_account == Tells::Fully
    }

    /// What its key's secret is, in the policy's word.
    pub(super) fn form(&self) -> &'static str {
        if self.secret.expose().starts_with("-----BEGIN") {
            "ed25519"
        } else {
            "hmac"
        }
    }

    /// The account that it names.
    pub(super) fn account(&self) -> Option<&String> {
        let recorded = self.rotation.as_ref().map(|rotation| &rotation.account);
        recorded.or(self.subaccount.as_ref())
    }

    pub(super) fn read(text: &str) -> Option<Self> {
        let document: Value = serde_json::from_str(text).ok()?;
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let list = |value: &Value| {
            value
                .as_array()
                .map(|list| list.iter().filter_map(text).collect())
        };
        let rotation = document.get("rotation").and_then(|rotation| {
            Some(Rotation {
                token: text(&rotation["token"])?,
                source: text(&rotation["source"])?,
                copied_from: text(&rotation["copied_from"]),
                based_on: text(&rotation["based_on"])?,
                account: text(&rotation["account"])?,
                permissions: list(&rotation["permissions"])?,
                addresses: list(&rotation["ip_allowlist"]),
            })
        });
        Some(Self {
            key: KeyId::from(document["api_key"].as_str()?),
            secret: KeySecret::from(
                document["api_secret"]
                    .as_str()
                    .or(document["secret"].as_str())
                    .unwrap_or_default(),
            ),
            subaccount: text(&document["subaccount"]),
            has_master: text(&document["masterarn"]).is_some(),
            policy: list(&document["policy"]["permissions"]),
            key_type: text(&document["policy"]["key_type"]),
            anywhere: document["policy"]["ip_allowlist"] == "any",
            rotation,
        })
    }
}

/// What is known of a key beside what the venue knows.
#[derive(Clone, Debug, Default)]
pub(super) struct KeyFacts {
    /// How audit lines show it.
    pub(super) fingerprint: String,
    /// The secret and version that it was issued for by us, and as which change of the world.
    pub(super) issued: Option<(String, String, u64)>,
    /// When a current version last named it.
    pub(super) current: Option<Timestamp>,
    /// When a run last could see that a current version names it. What a hand makes current and takes back
    /// unseen leaves no trace.
    pub(super) seen_current: Option<Timestamp>,
    /// Whether it was seen dead.
    pub(super) dead: bool,
    /// Whether it was revoked since it is leaked: nothing waits then for a run that copies it.
    pub(super) died_leaked: bool,
}

/// What is known of a run.
#[derive(Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own, not a state in disguise"
)]
pub(super) struct Run {
    pub(super) actor: Actor,
    /// Whether its process lives.
    pub(super) active: bool,
    /// The keys that answered it, each with the change after which it did, and when.
    pub(super) inspected: BTreeMap<KeyId, (u64, Timestamp)>,
    /// The change after which it last saw the labels, and whether they showed that its token has been
    /// current.
    pub(super) described: u64,
    pub(super) saw_current: bool,
    /// What it had seen of that when it last asked for a label to be put on.
    pub(super) labelled_knowing: bool,
    /// When that was, and whether they showed that its token was given up.
    pub(super) described_at: Option<Timestamp>,
    pub(super) saw_condemned: bool,
    /// How many versions of the last day a list has shown it beside its own, at the least.
    pub(super) versions_of_today: Option<usize>,
    /// Whether it has listed them at all.
    pub(super) listed_versions: bool,
    /// What it had seen of that when it asked for its token to be made current.
    pub(super) knew_condemned: bool,
    /// The same of whether it has been current.
    pub(super) knew_current: bool,
    /// The version that it saw labelled COMPROMISED, and what it had seen of that then.
    pub(super) saw_leaked: Option<String>,
    pub(super) knew_leaked: Option<String>,
    /// Whether it has asked for its token to be made current.
    pub(super) asked_to_promote: bool,
    /// How many reads and lists did not show it all there is, and the versions that the others showed it as
    /// current.
    pub(super) misled: usize,
    pub(super) bases: BTreeSet<String>,
    /// The keys of its token that a list showed it and that may still be stored, and when it first looked
    /// for a value.
    pub(super) young: Vec<KeyId>,
    pub(super) looked: Option<Timestamp>,
    /// Whether the token had a value when it began, and whether it was shown one.
    pub(super) decided: bool,
    pub(super) saw_value: bool,
    /// The change of the world that it knew of when it last decided to ask a key, and whether the labels that
    /// it had seen last were old.
    pub(super) asked_knowing: BTreeMap<KeyId, (u64, bool)>,
    /// Whether the labels that it saw last were old.
    pub(super) saw_old_labels: bool,
    /// How many keys that it asked were refused.
    pub(super) refused_keys: usize,
    /// The keys issued to it, and whether it was not told that they were refused.
    pub(super) issued: Vec<(KeyId, bool)>,
    /// The digest of the value it sends.
    pub(super) sent: Option<u64>,
    /// The change after which it last saw the whole list, and from when the youngest keys were that the
    /// venue showed.
    pub(super) listed: Option<(u64, Timestamp)>,
    /// Whether there was a time since its beginning when the token could not have been promoted any more.
    pub(super) hopeless: bool,
    /// How much anybody had done when it began, and how often the world had changed.
    pub(super) began: u64,
    pub(super) since: u64,
    /// The keys that it asked to be revoked, each as often as it asked, and how many stamps it asked for.
    pub(super) revoked: Vec<KeyId>,
    pub(super) stamped: u64,
    pub(super) condemned: u64,
    /// Whether it asked for any change at all, and whether one that an answer has to tell was made.
    pub(super) asked: bool,
    pub(super) changed: bool,
    /// How many reads failed that another attempt could have mended, and whether one was refused for good.
    pub(super) failed: usize,
    pub(super) refused: bool,
}

impl Run {
    pub(super) fn new(actor: Actor) -> Self {
        Self {
            actor,
            active: true,
            inspected: BTreeMap::new(),
            described: 0,
            saw_current: false,
            labelled_knowing: false,
            described_at: None,
            saw_condemned: false,
            versions_of_today: None,
            listed_versions: false,
            knew_condemned: false,
            knew_current: false,
            saw_leaked: None,
            knew_leaked: None,
            asked_to_promote: false,
            misled: 0,
            bases: BTreeSet::new(),
            young: Vec::new(),
            looked: None,
            decided: false,
            saw_value: false,
            asked_knowing: BTreeMap::new(),
            saw_old_labels: false,
            refused_keys: 0,
            issued: Vec::new(),
            sent: None,
            listed: None,
            hopeless: false,
            began: 0,
            since: 0,
            revoked: Vec::new(),
            stamped: 0,
            condemned: 0,
            asked: false,
            changed: false,
            failed: 0,
            refused: false,
        }
    }

    /// It asks for a change, which may be refused.
    pub(super) fn asked(&mut self, asked: &Asked) {
        self.asked = true;
        match asked {
            Asked::Revoke(key) => self.revoked.push(key.clone()),
            Asked::Label(place) if place.label.starts_with("REPLACED-") => self.stamped += 1,
            Asked::Label(place) if place.label.starts_with("CONDEMNED-") => self.condemned += 1,
            _ => {}
        }
    }
}

/// A consumer of a secret, which keeps what it read for a while.
#[derive(Clone, Debug)]
pub(super) struct Client {
    pub(super) key: KeyId,
    pub(super) read: Timestamp,
}
