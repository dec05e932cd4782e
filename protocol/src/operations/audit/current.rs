//! What an audit says of the current key, and of its end.

use crate::bounds::after;
use crate::label::VersionId;
use crate::operations::answer::{Audited, AuditedKey, Code};
use crate::operations::commands::{day, replace, serve};
use crate::operations::faults::{Answering, in_words, is_within_policy};
use crate::operations::maintain::current::Current;
use crate::operations::maintain::visit::SecretVisit;
use crate::operations::retire::end_of_life::is_copy;
use crate::operations::retire::grace::Origin;
use crate::operations::schedule::next_rotation;
use crate::ports::{Description, KeyList, KeyState};
use crate::secret::SecretValue;
use crate::session::has_master;

/// Hours.
const A_DAY: i64 = 24;

impl SecretVisit<'_> {
    pub(super) async fn look_at_current(
        &mut self,
        description: &Description,
        current: &Current,
        audited: &mut Audited,
    ) {
        audited.venue = Some(current.venue.id().to_string());
        audited.account = current.account().map(|account| account.to_string());
        audited.strategy = Some(if has_master(current.venue.as_ref(), &current.value) {
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
        let answering = state.map(|state| Answering {
            venue: current.venue.as_ref(),
            value: &current.value,
            state,
            list,
        });
        let audited = self.audited(description, &current.version, &current.value, answering, list);
        self.describe_key(&current.version, audited);
        if let Some(state) = state {
            self.expiry(description, current, state);
        }
        self.look_at_scope(description, current);
        self.look_at_master(description, current).await;
    }

    /// A master that does not say whom it serves is told once for all its children; one that does not serve
    /// this secret on its account, for each.
    fn look_at_scope(&mut self, description: &Description, current: &Current) {
        let Ok((master, _)) = &current.master else { return };
        let account = current.account();
        let key = &master.signer.credential.key_id;
        let say = match (&master.serves, &account) {
            (None, _) => format!(
                "the master credential {key} does not say whom it serves: each secret that names it gets \
                 what its own key proves, and a dead key has no successor"
            ),
            (Some(serves), Some(account)) if serves.of(&description.name, account).next().is_none() => {
                format!(
                    "no entry in `serves` of the master credential {key} covers this secret on account \
                     {account}: no key of it is issued or revoked there"
                )
            }
            _ => return,
        };
        let for_all = format!("unscoped {}", master.secret.as_str());
        if master.serves.is_none() && !self.pass.is_news(for_all) {
            return;
        }
        let command = serve(&master.secret, &self.name, account.as_ref(), None);
        self.find(Code::MasterUnscoped, say, command);
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
                replace(&self.name, current.venue.as_ref(), &current.value),
            );
            return;
        };
        let grace = self
            .pass
            .settings
            .grace_of(Origin::of(description, Some(&current.version), key, current.list()).is_issued());
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
                replace(&self.name, current.venue.as_ref(), &current.value)
            );
            self.find(Code::ExpiresBeforeRotation, say, what_to_do);
        }
    }

    pub(super) fn audited(
        &self,
        description: &Description,
        version: &VersionId,
        value: &SecretValue,
        answering: Option<Answering<'_>>,
        list: Option<&KeyList>,
    ) -> AuditedKey {
        // What the value says of it is the word of whoever may write the value: the marker at the venue
        // tells.
        let origin = Origin::of(description, Some(version), &value.credential.key_id, list);
        // The venue knows best when it was made; a copied value says when it was copied.
        let listed = list.and_then(|list| list.key(&value.credential.key_id));
        let created_at = listed
            .map(|listed| listed.created_at)
            .or(value.created_at.filter(|_| !is_copy(value)));
        let age = created_at.map(|at| self.pass.now().duration_since(at));
        let state = answering.map(|key| key.state);
        AuditedKey {
            labels: description.labels(version).map(ToString::to_string).collect(),
            origin: match origin {
                Origin::IssuedForIt | Origin::Issued => "issued",
                Origin::ByHand | Origin::Gone | Origin::Unknown => "hand_made",
            },
            created_at,
            age_days: age.map(|age| age.as_hours() / A_DAY),
            expires_at: state.and_then(|state| state.expires_at),
            powers: state.map(|state| in_words(&state.powers)),
            addresses: state.and_then(|state| {
                state
                    .completed_by(listed)
                    .addresses
                    .exact()
                    .map(ToString::to_string)
            }),
            within_policy: answering.map(|key| is_within_policy(self.pass, description, key)),
        }
    }
}
