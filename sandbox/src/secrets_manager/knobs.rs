//! What AWS doesn't publish, or leaves open: one field a fact, so that a test can turn it.

use jiff::SignedDuration;

/// The facts that no first-hand source settles. The defaults are guesses that a rotation function must not
/// depend on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is one fact of its own, not a state in disguise"
)]
pub struct Knobs {
    /// How often a failed rotation is replayed from createSecret. AWS says "multiple times"; the count is
    /// unpublished.
    pub replays: u32,
    /// How long after a failed step the replay begins. Unpublished.
    pub replay_spacing: SignedDuration,
    /// How long the service waits for a step before it counts as failed. Unpublished; a Lambda runs 900 s at
    /// most.
    pub invocation_patience: SignedDuration,
    /// Where in the rotation window a scheduled rotation fires. Documented: "at any time during this
    /// window".
    pub window_delay: SignedDuration,
    /// Whether a successful rotation takes AWSPENDING off the now current version. Both end states are
    /// documented.
    pub clean_up_pending: bool,
    /// What a test rotation (`RotateImmediately` false) leaves. Documented: the AWSPENDING version is
    /// "removed"; whether version or label, and that it always happens, is unverified.
    pub test_leftover: TestLeftover,
    /// Whether the event carries a `RotationToken`. Older events had none.
    pub send_rotation_token: bool,
    /// Whether each replay gets a `RotationToken` of its own. Unverified.
    pub fresh_rotation_token_per_replay: bool,
    /// Whether a pending value that was put without the right `RotationToken` fails the rotation ("Pending
    /// secret version … was not created by Lambda …"). Documented for assumed roles and across accounts;
    /// when it is checked isn't.
    pub demand_rotation_token: bool,
    /// Whether each replay emits `RotationStarted` and each failed pass `RotationFailed`, instead of one of
    /// each for the whole rotation. Unverified.
    pub events_per_replay: bool,
    /// Whether a `RotateSecret` that is refused over an open AWSPENDING stores its configuration and turns
    /// rotation on all the same. Unverified.
    pub refused_rotate_turns_on: bool,
    /// Whether any value put by hand abandons an open rotation, not only one that becomes AWSCURRENT. The
    /// documentation says "manually create a new version", and can be read both ways.
    pub any_manual_version_abandons: bool,
}

impl Default for Knobs {
    fn default() -> Self {
        Self {
            replays: 5,
            replay_spacing: SignedDuration::from_mins(1),
            invocation_patience: SignedDuration::from_mins(16),
            window_delay: SignedDuration::ZERO,
            clean_up_pending: true,
            test_leftover: TestLeftover::Nothing,
            send_rotation_token: true,
            fresh_rotation_token_per_replay: false,
            demand_rotation_token: false,
            events_per_replay: true,
            refused_rotate_turns_on: false,
            any_manual_version_abandons: false,
        }
    }
}

/// What a test rotation leaves behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TestLeftover {
    /// Nothing: the temporary version is gone.
    Nothing,
    /// The version without a label.
    UnlabelledVersion,
    /// The version with AWSPENDING, which blocks later rotations.
    PendingVersion,
}
