//! What an audit says of one secret. Reads and asks, and changes nothing.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::bounds::after;
use crate::error::Error;
use crate::label::{Label, VersionId};
use crate::marker::Marker;
use crate::name::SecretId;
use crate::operations::answer::{Audited, AuditedKey, Code, KeyOnAccount, ReplicaRow, RotationState, Slots};
use crate::operations::commands::{day, describe_secret, replace, rotate, serve, store_another, switch_on};
use crate::operations::emergency::unblock::open_rotation;
use crate::operations::faults::{in_words, is_within_policy};
use crate::operations::maintain::current::Current;
use crate::operations::maintain::visit::{SecretVisit, VisitReport};
use crate::operations::pass::holders::{Asking, Held};
use crate::operations::pass::{Pass, with_retries};
use crate::operations::retire::end_of_life::{EndOfLife, is_copy};
use crate::operations::retire::grace::is_marked;
use crate::operations::retire::liveness::{Known, Life, asked, judged};
use crate::operations::schedule::{next_rotation, overdue_since, stuck_since};
use crate::ports::{Description, KeyList, KeyState, ListedKey, Replica, Venue, VenueError, Which};
use crate::rotation::settled;
use crate::secret::{Credential, KeyId, SecretValue};
use crate::session::{Master, venue_of, was_current};
use crate::task::Operation;
use crate::wrong::{self, Wrong};

/// So long after its grace a key that lives has overrun it: two passes, and one that failed.
const LATE: SignedDuration = SignedDuration::from_hours(3);
/// Hours.
const A_DAY: i64 = 24;
/// So long before its end a master credential is a matter of hours.
const A_WEEK: Duration = Duration::from_hours(7 * 24);
/// Fewer free slots than a rotation and its repetition need.
const FEW_SLOTS: usize = 2;

/// Looks at one secret. Whatever goes wrong is a finding.
pub(crate) async fn look(pass: &Pass<'_>, listed: &Description) -> VisitReport {
    let Ok(id) = SecretId::parse(&listed.arn) else {
        return VisitReport::default();
    };
    let session = pass.session(&id);
    let mut visit = SecretVisit::new(pass, &session, listed);
    let mut audited = Audited::default();
    if let Err(error) = visit.look(&mut audited).await {
        visit.trouble(&error);
    }
    visit.row.audit = Some(Box::new(audited));
    visit.over()
}

/// A version beside the current one, and what its key said.
struct Beside {
    version: VersionId,
    value: SecretValue,
    venue: Option<Arc<dyn Venue>>,
    answer: Option<Result<KeyState, VenueError>>,
    /// When it was asked, and whether the host accepted another key after it had rejected this one.
    at: Timestamp,
    controlled: bool,
}

impl SecretVisit<'_> {
    async fn look(&mut self, audited: &mut Audited) -> Result<(), Error> {
        let pass = self.pass;
        let description = with_retries(pass, || self.session.describe()).await?;
        self.count("secrets");
        audited.last_rotated = description.last_rotated;
        audited.next_rotation = description.next_rotation;
        audited.replicas = description
            .replicas
            .iter()
            .map(|replica| ReplicaRow {
                region: replica.region.clone(),
                in_sync: replica.in_sync,
                status: replica.status.clone(),
            })
            .collect();
        audited.rotation = self.standing(&description).await;
        if let Some(behind) = behind(&description) {
            self.find(
                Code::ReplicaBehind,
                format!("a replica is not in sync: {behind}"),
                describe_secret(&self.name),
            );
        }
        if description.deleted {
            let say = "the secret is scheduled for deletion: no consumer can read it, and its keys live on \
                       at the venue";
            let what_to_do = format!(
                "where that was a mistake: aws secretsmanager restore-secret --secret-id {}; else delete \
                 its keys at the venue",
                self.name
            );
            self.find(Code::SecretDeleted, say, what_to_do);
            return Ok(());
        }
        let current = self.current(&description).await.unwrap_or_else(|error| {
            self.trouble(&error);
            None
        });
        if let Some(current) = &current {
            self.look_at_current(&description, current, audited).await;
        }
        let beside = self.versions_beside(&description, current.as_ref()).await;
        let list = current
            .as_ref()
            .and_then(|current| current.master.as_ref().ok()?.1.as_ref().map(|(_, list)| list));
        for version in &beside {
            self.judge_beside(&description, version, current.as_ref(), list)
                .await;
        }
        if let (Some(current), Some(list)) = (&current, list) {
            self.look_at_account(&description, current, &beside, list, audited)
                .await;
        }
        Ok(())
    }

    // The rotation.

    async fn standing(&mut self, description: &Description) -> RotationState {
        if description.deleted {
            return RotationState::Deleted;
        }
        if self.tell_of_stuck_rotation(description).await {
            return RotationState::Stuck;
        }
        let open = open_rotation(description);
        if !description.rotation_enabled {
            self.find(
                Code::RotationOff,
                "rotation is switched off",
                switch_on(&self.name),
            );
            return RotationState::SwitchedOff;
        }
        if let Some(since) = overdue_since(description, self.pass.now()) {
            let say = format!("a rotation should have been over on {}", day(since));
            let what_to_do = format!(
                "read the log of the rotation function; then: {}",
                rotate(&self.name)
            );
            self.find(Code::Overdue, say, what_to_do);
        }
        if open.is_some() {
            RotationState::InFlight
        } else {
            RotationState::Idle
        }
    }

    /// Whether a rotation has been open for too long: a finding.
    pub(crate) async fn tell_of_stuck_rotation(&mut self, description: &Description) -> bool {
        let Some(pending) = open_rotation(description) else {
            return false;
        };
        let since = stuck_since(self.pass, self.session, pending)
            .await
            .unwrap_or_else(|error| {
                self.trouble(&error);
                None
            });
        let Some(since) = since else { return false };
        let was = if was_current(description, pending) {
            ", though it was current once,"
        } else {
            ""
        };
        let say = format!(
            "a rotation has been open since {since}: version {pending} is AWSPENDING{was} and blocks every \
             other"
        );
        let what_to_do = format!(
            "read the log of the rotation function; then: {}",
            self.pass.command(Operation::Abandon, &self.name)
        );
        self.find(Code::StuckPending, say, what_to_do);
        true
    }

    // The keys.

    async fn look_at_current(&mut self, description: &Description, current: &Current, audited: &mut Audited) {
        audited.venue = Some(current.venue.id().to_string());
        audited.account = current.account().map(|account| account.to_string());
        audited.strategy = Some(if current.value.master_arn.is_some() {
            "issued"
        } else {
            "supplied"
        });
        if self.judge(description, current).await {
            let told = self.tell_of_rejection(description, current).await;
            self.note(told);
        }
        self.judge_around(description, current).await;
        let state = current.state.as_ref().ok();
        let list = current
            .master
            .as_ref()
            .ok()
            .and_then(|(_, account)| account.as_ref())
            .map(|(_, list)| list);
        let audited = self.audited(description, &current.version, &current.value, state, list);
        self.describe_key(&current.version, audited);
        if let Some(state) = state {
            self.expiry(description, current, state);
        }
        if let Ok((master, _)) = &current.master
            && master.serves.is_none()
            && self.pass.is_news(format!("unscoped {}", master.secret.as_str()))
        {
            let key = &master.signer.credential.key_id;
            let say = format!(
                "the master credential {key} does not say whom it serves: each secret that names it gets \
                 what its own key proves, and a dead key has no successor"
            );
            let (account, none) = (current.account(), None);
            self.find(
                Code::MasterUnscoped,
                say,
                serve(&master.secret, &self.name, account.as_ref(), none),
            );
        }
        self.look_at_master(description, current).await;
    }

    /// A master that lists keys and cannot issue any, or not for much longer, keeps every rotation from
    /// happening: told once for all its children.
    pub(crate) async fn look_at_master(&mut self, description: &Description, current: &Current) {
        let Ok((master, _)) = &current.master else { return };
        let key = &master.signer.credential.key_id;
        // Whether it is accepted at all, the list has told.
        let Some(state) = self.pass.state_of(current.venue.as_ref(), master).await else {
            return;
        };
        if let Some(expires) = state.expires_at {
            self.master_expires(description, current, master, expires);
        }
        if !self.pass.is_news(format!("master {}", key.fingerprint())) {
            return;
        }
        if let Err(lacks) = current.venue.may_issue(&state) {
            let say = format!(
                "the master credential {key} in {} cannot issue keys: {lacks}",
                master.secret.as_str()
            );
            self.find(Code::MasterUnusable, say, store_another(&master.secret));
        }
    }

    fn audited(
        &self,
        description: &Description,
        version: &VersionId,
        value: &SecretValue,
        state: Option<&KeyState>,
        list: Option<&KeyList>,
    ) -> AuditedKey {
        // What the value says of it is the word of whoever may write the value: the marker at the venue
        // tells.
        let is_marked = is_marked(description, &value.credential.key_id, list);
        // The venue knows best when it was made; a copied value says when it was copied.
        let listed = list.and_then(|list| {
            list.keys
                .iter()
                .find(|listed| listed.key_id == value.credential.key_id)
        });
        let created_at = listed
            .map(|listed| listed.created_at)
            .or(value.created_at.filter(|_| !is_copy(value)));
        let age = created_at.map(|at| self.pass.now().duration_since(at));
        AuditedKey {
            labels: description.labels(version).map(ToString::to_string).collect(),
            origin: if is_marked { "issued" } else { "hand_made" },
            created_at,
            age_days: age.map(|age| age.as_hours() / A_DAY),
            expires_at: state.and_then(|state| state.expires_at),
            powers: state.map(|state| in_words(&state.powers)),
            addresses: state.map(|state| state.addresses.to_string()),
            within_policy: state.map(|state| is_within_policy(self.pass, description, value, state)),
        }
    }

    /// After a master's end nothing of its accounts can be issued, listed or revoked.
    fn master_expires(
        &mut self,
        description: &Description,
        current: &Current,
        master: &Master,
        expires: Timestamp,
    ) {
        let key = &master.signer.credential.key_id;
        let what_to_do = store_another(&master.secret);
        let say = format!(
            "the master credential {key} in {} expires on {}",
            master.secret.as_str(),
            day(expires)
        );
        let next = next_rotation(description, current.value.created_at, self.pass.now());
        let is_news = || self.pass.is_news(format!("end of {}", key.fingerprint()));
        if expires < after(self.pass.now(), A_WEEK) {
            if is_news() {
                self.find(Code::MasterExpiring, say, what_to_do);
            }
        } else if let Some(next) =
            next.filter(|next| expires < after(*next, self.pass.settings.longest_grace()))
            && is_news()
        {
            let say = format!(
                "{say}, and is needed for the rotation that is over by {} and for the end of its grace",
                day(next)
            );
            self.find(Code::ExpiresBeforeRotation, say, what_to_do);
        }
    }

    /// The venue may end a key before the next one is proven and its grace over: a race that the key loses.
    fn expiry(&mut self, description: &Description, current: &Current, state: &KeyState) {
        let Some(expires) = state.expires_at else { return };
        let key = &current.value.credential.key_id;
        let Some(next) = next_rotation(description, current.value.created_at, self.pass.now()) else {
            let why = if description.rotation_enabled {
                "nobody can tell when it is rotated: Secrets Manager names no date, and the schedule none \
                 that could be counted"
            } else {
                "no rotation is scheduled"
            };
            let say = format!("{key} expires on {}, and {why}", day(expires));
            self.find(
                Code::ExpiresBeforeRotation,
                say,
                replace(&self.name, &current.value),
            );
            return;
        };
        let grace = self
            .pass
            .settings
            .grace_of(is_marked(description, key, current.list()));
        if expires < after(next, grace) {
            let say = format!(
                "{key} expires on {}, and is needed until {}: the end of the next rotation's window and the \
                 grace of {} hours",
                day(expires),
                day(after(next, grace)),
                grace.as_secs() / 3600,
            );
            let what_to_do = format!(
                "rotate more often, or bind the key to addresses where that ends its expiry; now: {}",
                replace(&self.name, &current.value)
            );
            self.find(Code::ExpiresBeforeRotation, say, what_to_do);
        }
    }

    /// Every labelled version but the current one, and what its key says.
    async fn versions_beside(&mut self, description: &Description, current: Option<&Current>) -> Vec<Beside> {
        let mut beside = Vec::new();
        let others = description
            .versions
            .keys()
            .filter(|version| description.holder(&Label::current()) != Some(*version));
        for version in others {
            let stored = match with_retries(self.pass, || self.session.read(Which::Version(version))).await {
                Ok(Some(stored)) => stored,
                Ok(None) => continue,
                Err(error) => {
                    self.trouble(&error);
                    continue;
                }
            };
            let Ok(value) = SecretValue::parse(&stored.text) else {
                let say = format!("the value of version {version} cannot be used");
                let what_to_do = format!(
                    "store the right value as another version, or take this one's labels off: {}",
                    describe_secret(&self.name)
                );
                self.find(Code::ValueInvalid, say, what_to_do);
                continue;
            };
            let venue = venue_of(self.pass.ports, description, &value)
                .ok()
                .or_else(|| current.map(|current| Arc::clone(&current.venue)));
            let at = self.pass.now();
            let answer = match &venue {
                Some(venue) => Some(asked(self.pass, venue.as_ref(), &value).await),
                None => None,
            };
            let rejected = answer
                .as_ref()
                .is_some_and(|answer| answer.as_ref().is_err_and(|error| error.class.is_rejection()));
            let controlled = match current {
                Some(current) if rejected && current.has_accepted_one() => {
                    self.is_one_accepted_still(current).await
                }
                _ => false,
            };
            beside.push(Beside {
                version: version.clone(),
                value,
                venue,
                answer,
                at,
                controlled,
            });
        }
        beside
    }

    async fn judge_beside(
        &mut self,
        description: &Description,
        beside: &Beside,
        current: Option<&Current>,
        list: Option<&KeyList>,
    ) {
        let Beside {
            version,
            value,
            venue,
            answer,
            at,
            controlled,
        } = beside;
        let key = &value.credential.key_id;
        let ending = EndOfLife::of(description, version);
        let alive = match (venue, answer, list) {
            (_, Some(Ok(_)), _) => Some(true),
            (Some(venue), Some(answer), Some(list)) => {
                let known = Known {
                    since: [value.created_at, ending.replaced, ending.condemned]
                        .into_iter()
                        .flatten()
                        .min(),
                    revoked: false,
                    controlled: *controlled,
                };
                match judged(self.pass, venue.as_ref(), key, answer, list, known) {
                    Life::Alive => Some(true),
                    Life::Dead => Some(false),
                    Life::Unknown => None,
                }
            }
            _ => None,
        };
        let labels: Vec<String> = description.labels(version).map(ToString::to_string).collect();
        self.key_at(*at, version, key, alive, labels.join(" "));
        let state = answer.as_ref().and_then(|answer| answer.as_ref().ok());
        let audited = self.audited(description, version, value, state, list);
        self.describe_key(version, audited);
        let forbidden = state.map(|state| state.powers.forbidden()).unwrap_or_default();
        if !forbidden.is_empty() {
            let say = format!(
                "{key} of version {version} is alive and may do what no rotated key may: {}",
                forbidden.join(", ")
            );
            self.find(
                Code::CanMoveFunds,
                say,
                "take that from the key at the venue, or delete it there if nothing uses it",
            );
        }
        let issued = is_marked(description, key, list);
        let grace = self.pass.settings.grace_of(issued);
        if let Some(until) = ending
            .replaced
            .map(|at| after(at, grace))
            .filter(|until| *until > self.pass.now() && !issued)
        {
            self.announce(key, until);
        }
        let held_elsewhere = current.is_some_and(|current| current.value.credential.key_id == *key);
        if alive == Some(true)
            && !held_elsewhere
            && let Some(over) = ending.replaced.map(|at| after(at, grace))
            && self.pass.now().duration_since(over) > LATE
        {
            let say = format!("{key} of version {version} is alive, and its grace was over on {over}");
            // Nobody could end it before its holder has another.
            match self.holders_elsewhere(&value.credential).await.into_iter().next() {
                Some((Held { secret, label }, way)) => {
                    self.find(
                        Code::GraceOverrun,
                        format!("{say}: it is held as the {label} key of {secret}"),
                        way,
                    );
                }
                None => self.find(
                    Code::GraceOverrun,
                    say,
                    self.pass.command(Operation::Maintain, &self.name),
                ),
            }
        }
    }

    /// Other secrets' labels that hold a credential, as far as that is known, and what frees it of each.
    async fn holders_elsewhere(&mut self, credential: &Credential) -> Vec<(Held, String)> {
        let Ok(holders) = self.pass.holders().await else {
            return Vec::new();
        };
        let asking = Asking {
            secret: &self.name,
            credential,
            account: None,
            serves: None,
        };
        let others = holders
            .of(asking)
            .held
            .into_iter()
            .filter(|held| held.secret != self.name);
        others
            .map(|held| (held.clone(), self.way_from(&held, &holders)))
            .collect()
    }

    // The account.

    async fn look_at_account(
        &mut self,
        description: &Description,
        current: &Current,
        beside: &[Beside],
        list: &KeyList,
        audited: &mut Audited,
    ) {
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
            if holders.name(&listed.key_id) {
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
                "{} keys live on the account that no secret names: {}",
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

/// The replicas that are not in sync, with what Secrets Manager says of each.
pub(crate) fn behind(description: &Description) -> Option<String> {
    let behind: Vec<String> = description
        .replicas
        .iter()
        .filter(|replica| !replica.in_sync)
        .map(Replica::said)
        .collect();
    (!behind.is_empty()).then(|| behind.join(", "))
}

fn on_account(listed: &ListedKey) -> KeyOnAccount {
    KeyOnAccount {
        fingerprint: listed.key_id.fingerprint(),
        created_at: listed.created_at,
        powers: in_words(&listed.powers),
        addresses: listed.addresses.to_string(),
    }
}
