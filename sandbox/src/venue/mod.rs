//! What every stand-in for a venue has in common: accounts, API keys, and the calls that manage them.
//!
//! The [`Model`] has no clock and does no I/O: every call takes the time, so a simulation can drive it as
//! well as a server can. What it does comes from a [`Profile`], which says what the venue documents, and from
//! [`Knobs`], which answer what no documentation settles. A venue's [`Front`] puts it on the wire.
//!
//! | question | file |
//! | --- | --- |
//! | what a venue is | `profile`, `knobs` |
//! | who may call | `auth`, `credential`, `rate` |
//! | what each call does | `issue`, `inspect`, `edit`, `remove` |
//! | what a key may do, from where, until when | `permissions`, `ips`, `key` |
//! | why a call is refused | `refusal` |
//! | how it is served over HTTP | `http` |
//! | what a test may know and do that no caller can | `hand` |

mod auth;
mod calls;
mod credential;
mod edit;
mod hand;
mod http;
mod inspect;
mod ips;
mod issue;
mod key;
mod knobs;
mod model;
mod permissions;
mod profile;
mod rate;
mod refusal;
mod remove;

#[cfg(test)]
pub(crate) mod tests;

pub use auth::Claim;
pub use calls::Call;
pub use credential::{Credential, KeyId, KeySecret, Passphrase};
pub use edit::{Changes, EditedKey};
pub use hand::NoSuch;
pub use http::{Answer, Arrived, Front, Service, State, serve};
pub use inspect::{KeyPage, ListRequest, ListedKey, OwnKey};
pub use ips::{Ips, Place};
pub use issue::{IssueRequest, IssuedKey};
pub use key::{By, KeyTruth, Settings, Target, Uid};
pub use knobs::Knobs;
pub use model::{Environment, Model};
pub use permissions::{Permissions, Requested};
pub use profile::{
    Added, Bound, Catalogue, Endpoint, Gone, Limit, Names, Profile, Segments, SelfService, Unbound, Unnamed,
    Vocabulary, Window,
};
pub use rate::Rate;
pub use refusal::{Reason, Refusal};
