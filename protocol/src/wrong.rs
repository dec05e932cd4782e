//! The protocol made wrong on purpose: each variant breaks one rule, so that a simulation can prove that it
//! sees what the rule is for. Only the feature `wrong-on-purpose` lets one be put in force; without it, `is`
//! is a constant.

#![cfg_attr(
    not(feature = "wrong-on-purpose"),
    expect(unreachable_pub, reason = "public only where a variant can be put in force")
)]

macro_rules! variants {
    ($($(#[doc = $doc:literal])+ $variant:ident = $word:literal,)+) => {
        /// What is done wrong, and the history that is lost by it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Wrong {
            $($(#[doc = $doc])+ $variant,)+
        }

        #[cfg(feature = "wrong-on-purpose")]
        impl Wrong {
            /// Every variant.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The variant's word.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }
    };
}

variants! {
    // After promotion.
    /// A key's grace counts from one version's stamp, though another version that names it was current later.
    GraceOfOneVersion = "grace-of-one-version",
    /// A key is revoked in the pass that finds its grace over: a rotation that is copying it just then
    /// promotes a dead key.
    Uncondemned = "uncondemned",
    /// A condemned key is revoked in the next pass, however soon that comes.
    CondemnedAtOnce = "condemned-at-once",
    /// A replica that is behind does not keep a replaced key alive: its readers lose their key.
    ReplicaIgnored = "replica-ignored",
    /// Only AWSCURRENT holds a key: what is pending or offered is revoked under the rotation's feet.
    CurrentHoldsAlone = "current-holds-alone",
    /// A version that cannot be read holds nothing: the key in it is revoked.
    UnreadableHoldsNothing = "unreadable-holds-nothing",
    /// A key that was not stored is revoked while a living run may be about to store it.
    YoungOrphanReaped = "young-orphan-reaped",
    /// The key of a version without labels is revoked at once: it may have been current until just now.
    UnlabelledReaped = "unlabelled-reaped",
    /// A key that gives no answer counts as dead: its version is forgotten, and it lives on.
    SilenceIsDeath = "silence-is-death",
    /// Who made a key is read off the version that is retired: one made by hand that we copied gets the grace
    /// of ours.
    GraceByVersion = "grace-by-version",
    /// A denial counts as the key's death: one bound to other addresses is forgotten, and lives on.
    DeniedIsDeath = "denied-is-death",
    /// A refusal that does not say why counts as the key's death: one bound to other addresses is forgotten,
    /// and lives on.
    UnexplainedIsDeath = "unexplained-is-death",
    /// The key of a leaked version that was never current dies at once: a run that is under way promotes it
    /// dead.
    LeakedPendingAtOnce = "leaked-pending-at-once",
    /// A version whose key is leaked is promoted, where the rotation began before anybody knew.
    LeakedPromoted = "leaked-promoted",
    /// A rollback goes back to a key that is condemned: it dies under the new version.
    RollbackToCondemned = "rollback-to-condemned",

    // Whose key it is.
    /// The marker leaves the secret out: a clean-up revokes the keys of another secret on the account.
    MarkerWithoutSecret = "marker-without-secret",
    /// setSecret's losers are told by age instead of by token: a replaced key is revoked within its grace.
    LosersByAge = "losers-by-age",
    /// setSecret revokes no loser: a crash between issue and Put leaves a live key that nobody holds.
    LosersKept = "losers-kept",

    // Issuing.
    /// createSecret issues although the token has a value: each replay costs a key, and a crash leaves it
    /// alive.
    StoredValueIgnored = "stored-value-ignored",
    /// A first miss of the token's value is believed though a young key says otherwise: a stale read costs a
    /// key.
    StaleMissBelieved = "stale-miss-believed",
    /// No bound on keys that were issued and not stored: while the store is down, replays fill the account's
    /// key slots.
    UnstoredUnbounded = "unstored-unbounded",
    /// An issue without an answer is sent again without a look: the key whose reply was lost stays beside the
    /// second.
    IssueAgain = "issue-again",
    /// After an issue without an answer, a key that is not listed counts as not issued: it may be listed
    /// later.
    UnlistedIsNotIssued = "unlisted-is-not-issued",
    /// The key is issued without its addresses, which setSecret adds: until then it can be used from
    /// anywhere.
    IssuedUnbound = "issued-unbound",
    /// The value is built on what one read calls current, though the other disagrees: a stale read costs the
    /// version.
    StaleBase = "stale-base",

    // Making room.
    /// Young keys are reaped too: the key that another run is storing is revoked.
    YoungReaped = "young-reaped",
    /// Reaping does not ask whether a version holds the key: replaced keys are revoked within their grace.
    HeldReaped = "held-reaped",
    /// A version that cannot be read counts as holding nothing: its key is reaped.
    UnreadableReaped = "unreadable-reaped",
    /// A key whose version is not listed is reaped though the list is not complete: that version may hold it.
    UnlistedVersionReaped = "unlisted-version-reaped",

    // Storing.
    /// createSecret revokes the token's other keys before its Put: one of them is stored by a slower run just
    /// then.
    SweepBeforePut = "sweep-before-put",
    /// PutSecretValue without labels: Secrets Manager makes an unproven value current.
    PutUnlabelled = "put-unlabelled",
    /// Each attempt of a Put sends other bytes: after a lost reply the next attempt meets its own value as
    /// another one.
    ValueAnew = "value-anew",
    /// A key is stored with the passphrase of the one before it: nobody can use it.
    StalePassphrase = "stale-passphrase",
    /// ResourceExists counts as a loss without a read: the key is revoked whatever is stored.
    ExistsIsLoss = "exists-is-loss",
    /// Both of these: after a lost reply the key that was stored is revoked.
    ValueAnewAndLost = "value-anew-and-lost",
    /// A Put of unknown outcome counts as refused: the key that was stored is revoked.
    UnknownPutIsRefusal = "unknown-put-is-refusal",

    // Giving up.
    /// A version is given up after one reading: two stale reads cost a good version.
    JudgedOnce = "judged-once",
    /// A version's key is revoked when it is given up: the current key, where the version names it too.
    RevokeOnDoom = "revoke-on-doom",
    /// A version that is given up keeps AWSPENDING: every later rotation is blocked.
    DoomedKeepsPending = "doomed-keeps-pending",
    /// A version is given up without being condemned: no later pass knows that its key is to be revoked.
    DoomUncondemned = "doom-uncondemned",
    /// A version that has been current is condemned all the same: its key's grace is cut short.
    ReplacedCondemned = "replaced-condemned",
    /// An inspection without an answer counts as the key's death: a good version is given up.
    TimeoutIsDeath = "timeout-is-death",
    /// A refusal or denial counts as the key's death: a good version is given up.
    RefusalIsDeath = "refusal-is-death",
    /// A key that is not listed counts as dead, unasked: a list that lags costs a good version.
    AbsenceIsDeath = "absence-is-death",
    /// A key that shows what was just taken from it counts as one that can't be edited down, however short
    /// the wait was: an edit that is known late costs a good version.
    EditAgeIgnored = "edit-age-ignored",
    /// A rejection counts before the venue's propagation bound: a key a second old costs its version.
    YoungRejectionIsDeath = "young-rejection-is-death",
    /// A rejection counts where the host accepts no one: a venue that is down costs a good version.
    NoControl = "no-control",

    // Proving.
    /// testSecret sets stamps right: a dry run changes the secret.
    TestTidies = "test-tidies",
    /// testSecret refuses a key that is current: Secrets Manager's dry run fails.
    DryRunRefused = "dry-run-refused",
    /// A key that does not name its account counts as one of the secret's: another account's is promoted.
    UntoldAccountAgreed = "untold-account-agreed",
    /// Addresses that a key does not tell count as those that were meant: one that was changed is promoted.
    UntoldAgreed = "untold-agreed",
    /// Where a venue grants trading as a whole alone, a policy that names a part of it gets the whole.
    CoarseGrantTrusted = "coarse-grant-trusted",
    /// A permission group that is not known is allowed: a key that moves funds by a new name is promoted.
    UnknownGroupTrusted = "unknown-group-trusted",
    /// The pending key's account is not compared: a key of another account is promoted.
    AccountUnchecked = "account-unchecked",
    /// finishSecret does not look at the key: one that died or was given more since testSecret is promoted.
    NoLastLook = "no-last-look",
    /// finishSecret does not look again after a long inspection: a version that was given up meanwhile is
    /// promoted.
    OvertakenUnseen = "overtaken-unseen",
    /// Who wrote the pending value is not checked: what a hand labelled AWSPENDING is promoted.
    ProvenanceUnchecked = "provenance-unchecked",
    /// A condemned version that still has AWSPENDING is promoted: a later pass revokes the current key.
    CondemnedPromoted = "condemned-promoted",

    // Swapping.
    /// finishSecret swaps from whatever is current: what a person made current meanwhile is overwritten.
    SwapFromAnyBase = "swap-from-any-base",
    /// A swap without an answer is sent again: a person moved AWSCURRENT back in between, and loses.
    SwapAgain = "swap-again",
    /// A version that has been current is promoted again: a late finishSecret undoes a person's rollback.
    CurrentTwice = "current-twice",
    /// A swap without an answer counts as done: the rotation succeeds, and its key is not current.
    UnknownSwapIsDone = "unknown-swap-is-done",
    /// CANDIDATE or ROLLBACK is taken off before the swap: where that fails, a person's offer is forgotten.
    OfferReleasedEarly = "offer-released-early",
    /// A run goes on past its deadline: one that was frozen swaps when it thaws.
    ThawedGoesOn = "thawed-goes-on",

    // Stamping.
    /// finishSecret stamps neither AWSPREVIOUS nor what it replaces: a version loses its last label
    /// unstamped.
    SwapUnstamped = "swap-unstamped",
    /// Room for the stamps is not looked for: the replaced version gets none.
    FullLabelsIgnored = "full-labels-ignored",
    /// Stamps on a version that is current again stay: a crash after the swap leaves one that ended its grace
    /// long ago.
    VoidStampsKept = "void-stamps-kept",
    /// The same, and no stamp follows the swap: the grace of a version that came back counts from its first
    /// replacement.
    OldStampTrusted = "old-stamp-trusted",

    /// A pass counts and tells a stamp that it did not make: nobody else looks after the version.
    StampClaimed = "stamp-claimed",

    // On a person's order.
    /// An abandon whose change was refused says that it was done: a person begins anew, and the stuck
    /// rotation blocks that.
    AbandonClaimed = "abandon-claimed",
    /// An abandon that was cut off between its two changes says that it did nothing: nobody looks at what it
    /// left.
    AbandonHalfTold = "abandon-half-told",
    /// A rollback moves AWSCURRENT back by hand: an untested version is current, and for the second time.
    RollbackMovesCurrent = "rollback-moves-current",
    /// ROLLBACK stays where no rotation could be begun, and nobody is told: the next one on the schedule goes
    /// back.
    RollbackLabelLeft = "rollback-label-left",
    /// A leaked key is revoked before its successor is there, though the order said otherwise: whoever uses
    /// it is cut off.
    RevokedBeforeReplaced = "revoked-before-replaced",
    /// The order is kept in memory: what is revoked bears no label that says why, and whoever comes next
    /// knows of no leak.
    OrderUnwritten = "order-unwritten",
    /// A leaked key dies while a run promotes a copy of it, which was given up just now.
    LeakedCopyAtOnce = "leaked-copy-at-once",
    /// A run goes on with an order that somebody has taken back: it does not look whether the label still
    /// stands that says so.
    OrderOutlivesLabel = "order-outlives-label",

    // Authority.
    /// What a secret's value says of account and master is believed: whoever may write it gets a key of any
    /// account.
    ClaimsBelieved = "claims-believed",
    /// A key that was issued for another secret proves the account: a stolen one brings its thief a successor
    /// of his own.
    StolenKeyProves = "stolen-key-proves",
    /// A key is revoked though nothing shows that the secret has more than its id: another's key dies of a
    /// label.
    IdRevokes = "id-revokes",
    /// A label of one secret revokes what is current in another.
    LabelOrdersAnothers = "label-orders-anothers",
    /// A label of one secret takes the grace from what another has just replaced.
    LabelTakesAnothersGrace = "label-takes-anothers-grace",
    /// Stamps of a time before their version was made count: written by hand, they end a key at once.
    OldStampsCount = "old-stamps-count",
    /// Keys are issued for a secret however often it is rotated: they fill the slots of an account that
    /// others share.
    OftenUncounted = "often-uncounted",
    /// A marker of any secret hides a key from the audit: whoever controls an account notes their own so.
    MarkerHides = "marker-hides",
    /// A pass takes keys that bear another secret's marker for orphans of its own.
    AnothersReaped = "anothers-reaped",

    // Ways of venues.
    /// A key is issued as most keys are, with a secret for HMAC: consumers that sign with a pair cannot use
    /// it.
    FormChanged = "form-changed",
    /// A key that consumers hold is asked where that shuts them out: a bot is locked out with open positions.
    ConsumerDisturbed = "consumer-disturbed",
    /// A new key is asked again and again where rejections lock the address out: every key of the firm's is
    /// refused.
    AskedIntoLockout = "asked-into-lockout",
    /// A key's passphrase is treated as one drawn by chance, and what it is derived from is not handed to the
    /// key's deletion: one that was issued and lost lives for ever.
    RandomPassphrase = "random-passphrase",
    /// A key that cannot be deleted for want of its passphrase is passed over: nobody hears of it.
    UndeletableForgotten = "undeletable-forgotten",
}

/// Whether this variant is in force.
#[cfg(not(feature = "wrong-on-purpose"))]
pub(crate) const fn is(_: Wrong) -> bool {
    false
}

#[cfg(feature = "wrong-on-purpose")]
pub(crate) use force::is;
#[cfg(feature = "wrong-on-purpose")]
pub use force::{InForce, NoSuchVariant, in_force};

#[cfg(feature = "wrong-on-purpose")]
mod force {
    use std::cell::Cell;
    use std::marker::PhantomData;
    use std::str::FromStr;

    use thiserror::Error;

    use super::Wrong;

    thread_local! {
        static IN_FORCE: Cell<Option<Wrong>> = const { Cell::new(None) };
    }

    /// Whether this variant is in force.
    pub(crate) fn is(wrong: Wrong) -> bool {
        IN_FORCE.get() == Some(wrong)
    }

    /// Puts a variant in force on this thread, or none, until the answer is dropped.
    pub fn in_force(wrong: Option<Wrong>) -> InForce {
        InForce {
            before: IN_FORCE.replace(wrong),
            on_this_thread: PhantomData,
        }
    }

    /// A variant in force; what was in force before it is so again when this is dropped.
    #[must_use = "the variant is in force only as long as this lives"]
    #[derive(Debug)]
    pub struct InForce {
        before: Option<Wrong>,
        on_this_thread: PhantomData<*const ()>,
    }

    impl Drop for InForce {
        fn drop(&mut self) {
            IN_FORCE.set(self.before);
        }
    }

    /// A word that names no variant.
    #[derive(Clone, Debug, PartialEq, Eq, Error)]
    #[error("`{0}` is no variant that is wrong on purpose")]
    pub struct NoSuchVariant(String);

    impl FromStr for Wrong {
        type Err = NoSuchVariant;

        fn from_str(word: &str) -> Result<Self, Self::Err> {
            Self::ALL
                .iter()
                .copied()
                .find(|wrong| wrong.as_str() == word)
                .ok_or_else(|| NoSuchVariant(word.to_owned()))
        }
    }
}
