//! Rules 1 to 3 as far as labels tell: what the key of a version has deserved.

use std::time::Duration;

use jiff::Timestamp;

use crate::bounds::{CLOCKS_APART, UNSETTLED, after, is_past};
use crate::label::{Label, StampKind, VersionId};
use crate::operations::OperationSettings;
use crate::operations::pass::holders::{Named, Replicas};
use crate::ports::Description;
use crate::secret::{CREATED_BY, SecretValue, Source};
use crate::session::was_current;
use crate::wrong::{self, Wrong};

/// What the labels of a version say of its key's end.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(crate) struct EndOfLife {
    pub(crate) replaced: Option<Timestamp>,
    pub(crate) condemned: Option<Timestamp>,
    pub(crate) compromised: bool,
    /// A person ordered that it dies whether it is held or not.
    pub(crate) at_once: bool,
    /// A person's order says so, and not a label alone: nothing holds it then, whoever's label it is.
    pub(crate) ordered: bool,
    /// It never was current, and a run that is under way may make it so.
    pub(crate) may_be_promoted: bool,
    /// Its key was not issued for it, and was there before: somebody may use it.
    pub(crate) was_there: bool,
}

impl EndOfLife {
    pub(crate) fn of(description: &Description, version: &VersionId) -> Self {
        let mut ending = Self::default();
        for label in description.labels(version) {
            ending.compromised |= *label == Label::compromised();
            ending.at_once |= *label == Label::revoke_first();
            match label.stamp() {
                Some(stamp) if stamp.kind == StampKind::Replaced => {
                    ending.replaced = ending.replaced.max(Some(stamp.at));
                }
                Some(stamp) if stamp.kind == StampKind::Condemned => {
                    ending.condemned = ending.condemned.max(Some(stamp.at));
                }
                _ => {}
            }
        }
        ending.at_once &= ending.compromised;
        ending
    }

    /// The same without what stamps say of a time before the version was made: whoever may write the secret
    /// can write such stamps.
    pub(crate) fn since_it_was_made(self, made: Option<Timestamp>) -> Self {
        let Some(made) = made.filter(|_| !wrong::is(Wrong::OldStampsCount)) else {
            return self;
        };
        Self {
            replaced: self.replaced.map(|at| at.max(made)),
            condemned: self.condemned.filter(|at| after(*at, CLOCKS_APART) >= made),
            ..self
        }
    }

    /// Since when the key of the version has been there at the least, as far as it is known when that was
    /// made.
    pub(crate) fn there_since(
        self,
        version: &VersionId,
        value: &SecretValue,
        made: Option<Timestamp>,
    ) -> Option<Timestamp> {
        let claims = [created_by_us(value, version), self.replaced, self.condemned];
        let claimed = claims.into_iter().flatten().min()?;
        if wrong::is(Wrong::OldStampsCount) {
            return Some(claimed);
        }
        made.map(|made| claimed.max(made))
    }

    /// Whether there may be something to do, as the labels alone tell: the version's value need not be read
    /// otherwise.
    pub(crate) fn may_be_due(&self, now: Timestamp, least_grace: Duration) -> bool {
        self.compromised
            || self.condemned.is_some()
            || self.replaced.is_some_and(|at| is_past(at, least_grace, now))
    }
}

/// What is to be done about a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// A version holds it.
    Held,
    /// Its grace lasts until then.
    InGrace(Timestamp),
    /// A replica may still hand it out.
    Replica,
    /// It is condemned, and any run that began before is given the time to end.
    Wait,
    /// Its grace is over: say so, and look again later.
    Condemn,
    /// Now.
    Revoke,
}

/// What has come of a version that was to be retired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Retired {
    /// Its key is proven dead, or there never was one.
    Dead,
    /// Its key was to die now, and nothing proves yet that it did.
    Unproven,
    /// Another secret stands in the way.
    Elsewhere,
    /// The labels hold it, or keep it waiting: where another key is current by now, as they were before.
    Stale,
    /// Its time has not come.
    NotYet,
}

/// What the key of a version has deserved. A stamp in the future never counts as past.
/// `graces` are its own, and that of a key which another secret has replaced, made by whomever.
pub(crate) fn verdict(
    ending: EndOfLife,
    named: &Named,
    graces: (Duration, Duration),
    now: Timestamp,
) -> Verdict {
    let (grace, theirs) = graces;
    let in_theirs = named
        .replaced_elsewhere()
        .map(|stamped| after(stamped.at, theirs))
        .filter(|until| now < *until);
    let may_be_promoted = ending.may_be_promoted && !wrong::is(Wrong::LeakedPendingAtOnce);
    if ending.ordered && !may_be_promoted {
        return Verdict::Revoke;
    }
    if !named.held.is_empty() && !ending.ordered {
        return Verdict::Held;
    }
    if ending.compromised && !may_be_promoted {
        return match in_theirs {
            Some(until) if !wrong::is(Wrong::LabelTakesAnothersGrace) => Verdict::InGrace(until),
            _ => Verdict::Revoke,
        };
    }
    if ending.compromised {
        // A run may still promote it: from the condemnation on the time counts that this can take.
        return if ending.condemned.is_some() {
            Verdict::Wait
        } else {
            Verdict::Condemn
        };
    }
    // Until it was condemned a replica may have handed it out.
    let wait = if named.replicas == Replicas::None {
        UNSETTLED
    } else {
        UNSETTLED.max(OperationSettings::LEAST_GRACE)
    };
    let condemned_long_ago = |at: Timestamp| is_past(at, wait, now) || wrong::is(Wrong::CondemnedAtOnce);
    let latest = if wrong::is(Wrong::GraceOfOneVersion) {
        ending.replaced
    } else {
        ending.replaced.max(named.replaced())
    };
    let Some(since) = latest else {
        // Given up before it was ever current.
        return match ending.condemned {
            Some(at) if ending.was_there && now < after(at, grace) => Verdict::InGrace(after(at, grace)),
            Some(at) if condemned_long_ago(at) => Verdict::Revoke,
            _ => Verdict::Wait,
        };
    };
    let in_theirs = in_theirs.filter(|_| !wrong::is(Wrong::GraceOfOneVersion));
    let over = in_theirs.map_or(after(since, grace), |until| until.max(after(since, grace)));
    if now < over {
        return Verdict::InGrace(over);
    }
    if named.replicas == Replicas::Behind && !wrong::is(Wrong::ReplicaIgnored) {
        return Verdict::Replica;
    }
    if wrong::is(Wrong::Uncondemned) {
        return Verdict::Revoke;
    }
    match ending.condemned {
        // A condemnation from before it was replaced says nothing: it has been current since.
        Some(at) if at >= since => {
            if condemned_long_ago(at) {
                Verdict::Revoke
            } else {
                Verdict::Wait
            }
        }
        _ => Verdict::Condemn,
    }
}

/// Whether a run can still make a version current that never was: it does so from the version that its value
/// was built on and from no other, and no run lives so long after the version was given up.
pub(crate) fn may_be_promoted(
    description: &Description,
    version: &VersionId,
    value: &SecretValue,
    now: Timestamp,
) -> bool {
    let (current, ending) = (description.current(), EndOfLife::of(description, version));
    let built_on_it = value
        .rotation
        .as_ref()
        .is_some_and(|rotation| Some(&rotation.based_on) == current);
    let in_time = ending.condemned.is_none_or(|at| !is_past(at, UNSETTLED, now));
    is_ours(value, version)
        && current != Some(version)
        && !was_current(description, version)
        && built_on_it
        && in_time
}

/// Whether a value's credential was there before it.
pub(crate) fn is_copy(value: &SecretValue) -> bool {
    value
        .rotation
        .as_ref()
        .is_some_and(|rotation| rotation.source != Source::Issued)
}

/// Whether this function built the value for the version that holds it.
pub(crate) fn is_ours(value: &SecretValue, version: &VersionId) -> bool {
    value.created_by.as_deref() == Some(CREATED_BY)
        && value
            .rotation
            .as_ref()
            .is_some_and(|rotation| rotation.token == *version)
}

/// When the value was made, where nobody but this function can have written that down.
pub(crate) fn created_by_us(value: &SecretValue, version: &VersionId) -> Option<Timestamp> {
    value.created_at.filter(|_| is_ours(value, version))
}

pub(crate) fn state(verdict: &Verdict, named: &Named) -> String {
    match verdict {
        Verdict::Held => format!("held by {}", named.holders()),
        Verdict::InGrace(until) => format!("in grace until {until}"),
        Verdict::Replica => "waits for a replica".to_owned(),
        Verdict::Wait => "condemned".to_owned(),
        Verdict::Condemn => "its grace is over".to_owned(),
        Verdict::Revoke => "to be revoked".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operations::pass::holders::{Held, Stamped};

    const HOUR: i64 = 3600;
    const DAY: Duration = Duration::from_hours(24);

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_772_366_400 + seconds).unwrap()
    }

    fn replaced(seconds: i64) -> EndOfLife {
        EndOfLife {
            replaced: Some(at(seconds)),
            ..EndOfLife::default()
        }
    }

    fn stamped(at: Timestamp) -> Stamped {
        Stamped {
            secret: "a".to_owned(),
            is_own: true,
            version: VersionId::new("another"),
            at,
        }
    }

    fn judged(ending: EndOfLife, now: i64) -> Verdict {
        verdict(ending, &Named::default(), (DAY, DAY), at(now))
    }

    #[test]
    fn a_replaced_key_is_condemned_after_its_grace_and_revoked_a_pass_later() {
        assert_eq!(judged(replaced(0), 23 * HOUR), Verdict::InGrace(at(24 * HOUR)));
        assert_eq!(judged(replaced(0), 25 * HOUR), Verdict::Condemn);
        let condemned = EndOfLife {
            condemned: Some(at(25 * HOUR)),
            ..replaced(0)
        };
        assert_eq!(judged(condemned, 25 * HOUR + 60), Verdict::Wait);
        assert_eq!(judged(condemned, 26 * HOUR), Verdict::Revoke);
    }

    #[test]
    fn a_stamp_in_the_future_is_not_past() {
        assert!(matches!(
            judged(replaced(48 * HOUR), 25 * HOUR),
            Verdict::InGrace(_)
        ));
        let condemned = EndOfLife {
            condemned: Some(at(48 * HOUR)),
            ..replaced(0)
        };
        assert_eq!(judged(condemned, 26 * HOUR), Verdict::Wait);
    }

    #[test]
    fn a_condemnation_from_before_it_was_replaced_counts_for_nothing() {
        let ending = EndOfLife {
            condemned: Some(at(-HOUR)),
            ..replaced(0)
        };
        assert_eq!(judged(ending, 25 * HOUR), Verdict::Condemn);
    }

    #[test]
    fn the_latest_time_that_any_version_of_the_key_was_replaced_counts() {
        let elsewhere = Named {
            stamps: vec![stamped(at(20 * HOUR))],
            ..Named::default()
        };
        let verdict = verdict(replaced(0), &elsewhere, (DAY, DAY), at(25 * HOUR));
        assert_eq!(verdict, Verdict::InGrace(at(44 * HOUR)));
    }

    #[test]
    fn a_leaked_key_has_no_grace_and_a_held_one_no_end() {
        let leaked = EndOfLife {
            compromised: true,
            ..replaced(0)
        };
        assert_eq!(judged(leaked, 1), Verdict::Revoke);
        let holder = Held {
            secret: "b".to_owned(),
            label: "AWSCURRENT".to_owned(),
        };
        let held = Named {
            held: [holder].into(),
            ..Named::default()
        };
        assert_eq!(verdict(leaked, &held, (DAY, DAY), at(1)), Verdict::Held);
        assert_eq!(
            verdict(replaced(0), &held, (DAY, DAY), at(99 * HOUR)),
            Verdict::Held
        );
    }

    #[test]
    fn a_replica_that_is_behind_keeps_the_key_alive() {
        let with = |replicas| Named {
            replicas,
            ..Named::default()
        };
        assert_eq!(
            verdict(replaced(0), &with(Replicas::Behind), (DAY, DAY), at(99 * HOUR)),
            Verdict::Replica
        );
        let condemned = EndOfLife {
            condemned: Some(at(99 * HOUR)),
            ..replaced(0)
        };
        let judged = |now| {
            verdict(
                condemned,
                &with(Replicas::InSync),
                (DAY, DAY),
                at(99 * HOUR + now),
            )
        };
        assert_eq!(
            judged(30 * 60),
            Verdict::Wait,
            "who read it from the replica just before has it for an hour"
        );
        assert_eq!(judged(HOUR + 1), Verdict::Revoke);
    }

    #[test]
    fn a_promotable_leaked_key_waits_from_its_condemnation_whoever_named_it() {
        let leaked = EndOfLife {
            compromised: true,
            may_be_promoted: true,
            ..EndOfLife::default()
        };
        let elsewhere = Named {
            stamps: vec![stamped(at(0))],
            ..Named::default()
        };
        assert_eq!(
            verdict(leaked, &elsewhere, (DAY, DAY), at(HOUR)),
            Verdict::Condemn
        );
        let condemned = EndOfLife {
            condemned: Some(at(HOUR)),
            ..leaked
        };
        assert_eq!(
            verdict(condemned, &elsewhere, (DAY, DAY), at(2 * HOUR)),
            Verdict::Wait
        );
    }

    #[test]
    fn a_copy_that_was_given_up_has_a_grace_since_its_key_was_there_before() {
        let given_up = EndOfLife {
            condemned: Some(at(0)),
            was_there: true,
            ..EndOfLife::default()
        };
        assert_eq!(judged(given_up, 23 * HOUR), Verdict::InGrace(at(24 * HOUR)));
        assert_eq!(judged(given_up, 25 * HOUR), Verdict::Revoke);
    }

    #[test]
    fn a_version_that_was_given_up_has_no_grace_but_a_wait() {
        let given_up = EndOfLife {
            condemned: Some(at(0)),
            ..EndOfLife::default()
        };
        assert_eq!(judged(given_up, 16 * 60), Verdict::Wait);
        assert_eq!(judged(given_up, 18 * 60), Verdict::Revoke);
    }
}
