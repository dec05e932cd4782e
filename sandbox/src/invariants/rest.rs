//! What has to be true when nothing is under way.

use jiff::SignedDuration;
use protocol::label::{Label, StampKind};

use super::Invariant;
use super::act::Scene;
use super::witness::Witness;
use crate::secrets_manager::{AWSCURRENT, AWSPENDING, AWSPREVIOUS};

/// How far two clocks may be apart, and the second that a stamp is rounded down by.
const SKEW: SignedDuration = SignedDuration::from_secs(61);

impl Witness {
    /// No invocation runs, and no effect is to come: every version that was promoted has one living key at most. A key that was
    /// issued after setSecret last looked is left to a later pass.
    pub(crate) fn at_rest(&mut self, scene: &Scene<'_>) {
        let swept: Vec<_> = self.swept.iter().map(|(place, listed)| (place.clone(), *listed)).collect();
        for ((arn, token), listed) in swept {
            let Some(secret) = scene.secrets.secret(&arn) else { continue };
            let open = secret.holder(AWSPENDING).is_some_and(|pending| secret.holder(AWSCURRENT) != Some(pending));
            if open || !self.promoted.contains(&(arn.clone(), token.clone())) {
                continue;
            }
            let stored = self.named(scene, &arn, &token).map(|named| named.key.clone());
            let left = self.live_for(scene, &arn, &token).into_iter();
            let left = left.filter(|(key, issued)| Some(key) != stored.as_ref() && *issued <= listed).count();
            if left > 0 {
                let what = format!("{left} keys that were issued for version {token} and are not in it are alive");
                self.broken(Invariant::NoOrphans, scene, what);
            }
        }
    }

    /// A rotation has just ended well, undisturbed: the grace of what it replaced counts from then.
    pub(crate) fn grace_counts(&mut self, arn: &str, scene: &Scene<'_>) {
        let Some(secret) = scene.secrets.secret(arn) else { return };
        let Some(previous) = secret.holder(AWSPREVIOUS).filter(|version| secret.holder(AWSCURRENT) != Some(*version)) else {
            return;
        };
        let stamps = secret.stages_of(previous).into_iter().filter_map(|label| Label::new(label).stamp());
        let (mut replaced, mut condemned) = (None, false);
        for stamp in stamps {
            match stamp.kind {
                StampKind::Replaced => replaced = replaced.max(Some(stamp.at)),
                StampKind::Condemned => condemned = true,
            }
        }
        let ceased = self.ceased.get(&(arn.to_owned(), previous.to_owned())).copied();
        let counts = ceased.is_none_or(|ceased| replaced.is_some_and(|stamp| stamp >= ceased - SKEW));
        if !counts || condemned {
            let stages = secret.stages_of(previous).join(" ");
            let what = format!("version {previous} was current until {ceased:?}, and its labels say {stages}");
            self.broken(Invariant::Grace, scene, what);
        }
    }
}
