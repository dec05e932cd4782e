//! What an audit says of the versions beside the current one, and of their keys.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::bounds::after;
use crate::label::VersionId;
use crate::operations::answer::Code;
use crate::operations::commands::describe_secret;
use crate::operations::faults::Answering;
use crate::operations::maintain::current::Current;
use crate::operations::maintain::visit::SecretVisit;
use crate::operations::pass::holders::{Asking, Held};
use crate::operations::pass::with_retries;
use crate::operations::retire::end_of_life::EndOfLife;
use crate::operations::retire::grace::Origin;
use crate::operations::retire::liveness::{Known, Life, asked, judged};
use crate::ports::{Description, KeyList, KeyState, Venue, VenueError, Which};
use crate::secret::{AccountId, Credential, SecretValue};
use crate::session::venue_of;
use crate::task::Operation;

/// So long after its grace a key that lives has overrun it: two passes, and one that failed.
const LATE: SignedDuration = SignedDuration::from_hours(3);

/// A version beside the current one, and what its key said.
pub(super) struct Beside {
    pub(super) version: VersionId,
    pub(super) value: SecretValue,
    venue: Option<Arc<dyn Venue>>,
    answer: Option<Result<KeyState, VenueError>>,
    /// When it was asked, and whether the host accepted another key after it had rejected this one.
    at: Timestamp,
    controlled: bool,
}

impl Beside {
    /// The account that its key has answered from, as calls name it.
    pub(super) fn answered(&self) -> Option<AccountId> {
        let answered = self.answer.as_ref().and_then(|answer| answer.as_ref().ok());
        answered.and_then(|state| state.account.named().cloned())
    }
}

impl SecretVisit<'_> {
    /// Every labelled version but the current one, and what its key says.
    pub(super) async fn versions_beside(
        &mut self,
        description: &Description,
        current: Option<&Current>,
    ) -> Vec<Beside> {
        let mut beside = Vec::new();
        let others = description
            .versions
            .keys()
            .filter(|version| !description.is_current(version));
        for version in others {
            let stored = match with_retries(self.pass, || self.session.read(Which::Version(version))).await {
                Ok(Some(stored)) => stored,
                Ok(None) => continue,
                Err(error) => {
                    self.trouble(&error);
                    continue;
                }
            };
            let Ok(value) = stored.value() else {
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
                Some(current)
                    if rejected
                        && current.has_accepted_one()
                        && !current.value.names(&value.credential.key_id)
                        && venue
                            .as_ref()
                            .is_some_and(|venue| venue.id() == current.venue.id()) =>
                {
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

    /// Since when a version's key has been there at the least. Whoever may write the secret writes what a
    /// value or a stamp says of a time before the version was made.
    async fn there_since(
        &self,
        description: &Description,
        version: &VersionId,
        value: &SecretValue,
    ) -> Option<Timestamp> {
        let ending = EndOfLife::of(description, version);
        let claimed = [value.created_at, ending.replaced, ending.condemned]
            .into_iter()
            .flatten()
            .min();
        // What cannot be read proves nothing.
        let stored = self.surely_stored_at(description, version).await.ok().flatten()?;
        Some(claimed.map_or(stored, |claimed| claimed.max(stored)))
    }

    pub(super) async fn judge_beside(
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
                let rejected = answer.as_ref().is_err_and(|error| error.class.is_rejection());
                let known = Known {
                    since: if rejected {
                        self.there_since(description, version, value).await
                    } else {
                        None
                    },
                    revoked: false,
                    deleted: false,
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
        let answering = venue.as_ref().zip(state).map(|(venue, state)| Answering {
            venue: venue.as_ref(),
            value,
            state,
            // That list is of the account that the current key is of.
            list: None,
        });
        let audited = self.audited(description, version, value, answering, list);
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
        let issued = Origin::of(description, Some(version), key, list).is_issued();
        let grace = self.pass.settings.grace_of(issued);
        if let Some(until) = ending
            .replaced
            .map(|at| after(at, grace))
            .filter(|until| *until > self.pass.now() && !issued)
        {
            self.announce(key, until);
        }
        let held_elsewhere = current.is_some_and(|current| current.value.names(key));
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
    pub(super) async fn holders_elsewhere(&mut self, credential: &Credential) -> Vec<(Held, String)> {
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
}
