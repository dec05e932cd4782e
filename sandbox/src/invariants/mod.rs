//! The protocol's promises, checked by a witness that knows what the code cannot see: which key is alive and
//! who killed it, which key was issued for which version, when a key was last current, what clients still
//! hold.
//!
//! The witness is told of every effect at the moment it happens and compares it with the truth of the models.
//! It judges by what is true, not by how the code came to do it, and it uses none of the protocol's own
//! judgement.
//!
//! | question | file |
//! | --- | --- |
//! | what is promised | this one |
//! | what the witness is told | `act` |
//! | what it remembers | `witness`, `facts` |
//! | what a run learns | `learned` |
//! | when an effect breaks a promise | `effects`, `issued`, `promotion`, `operations`, `claims` |
//! | what has to be true once nothing is under way | `rest` |

mod act;
mod claims;
mod effects;
mod facts;
mod issued;
mod learned;
mod operations;
mod promotion;
mod rest;
mod witness;

use std::fmt;

use jiff::Timestamp;

pub(crate) use act::{Act, Scene};
pub use act::{Actor, Asked, Labelled};
pub(crate) use witness::Witness;

macro_rules! invariants {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal,)+) => {
        /// What is promised, whatever happens.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Invariant {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl Invariant {
            /// Every one.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// Its name in the design.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }
        }
    };
}

invariants! {
    /// The key that AWSCURRENT names is alive, or was killed by somebody else. What we promote was looked at
    /// in that run.
    CurrentLives = "CURRENT-LIVES",
    /// A key that was ever current is revoked by us only when its grace has passed and nobody can still hold
    /// it, and nothing is
    /// promoted before the grace of what was replaced last can be counted.
    Grace = "GRACE",
    /// When nothing is under way, no living key is marked for a finished version but the one in it.
    NoOrphans = "NO-ORPHANS",
    /// What we edit or revoke was issued for this secret and is in no version.
    Foreign = "FOREIGN",
    /// What is said in one secret harms no other: no key, label or value of another secret or account changes
    /// or loses its protection.
    OthersUnharmed = "OTHERS-UNHARMED",
    /// No credential of an account reaches a secret that is neither served for it nor has proven that it is
    /// its own.
    NoGift = "NO-GIFT",
    /// Every living key that whoever may write one secret has brought about is held by a version, or told by
    /// an audit.
    NothingHidden = "NOTHING-HIDDEN",
    /// A version has one living key; while its rotation is open, a bounded number.
    OnePerToken = "ONE-PER-TOKEN",
    /// Once faults stop, repetitions end in success, in a version given up for a reason, or in an error that
    /// needs a person.
    Converges = "CONVERGES",
    /// What we issue, edit or promote can move no funds and do no more than the policy says.
    NeverWithdraw = "NEVER-WITHDRAW",
    /// Nothing is promoted that we did not build, on the version it replaces.
    Provenance = "PROVENANCE",
    /// No secret in anything that is said.
    Silent = "SILENT",
    /// Every claim is true.
    Honest = "HONEST",
    /// Rule 4: no version is made current twice by us.
    CurrentOnce = "CURRENT ONCE",
    /// Rule 3: a key that a version names is revoked only where its end was decided long enough ago that no
    /// run can be copying it.
    CondemnedFirst = "CONDEMNED FIRST",
    /// The first fence: a run sends one value for its version, however often.
    WriteOnce = "WRITE ONCE",
    /// No key that consumers hold is asked where that shuts them out, and no run asks so often that the venue
    /// locks its address out.
    Undisturbed = "UNDISTURBED",
    /// testSecret changes nothing, nor does an audit or a plan.
    ReadOnly = "READS ONLY",
    /// A run does nothing past its end: it was frozen, and others have gone on without it.
    Thawed = "THAWED",
}

impl fmt::Display for Invariant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A promise that was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which.
    pub invariant: Invariant,
    /// When.
    pub at: Timestamp,
    /// How.
    pub what: String,
}

impl Violation {
    /// What sort of break it is: the same words about another version, key or time are of one kind.
    pub(crate) fn kind(&self) -> String {
        let words = self.what.split(' ').map(|word| {
            if word.contains(|c: char| c.is_ascii_digit()) {
                "…"
            } else {
                word
            }
        });
        format!("{}: {}", self.invariant, words.collect::<Vec<_>>().join(" "))
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} (at {})", self.invariant, self.what, self.at)
    }
}
