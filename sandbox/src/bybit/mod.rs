//! A stand-in for the key endpoints of Bybit's v5 REST API: one pure model, and an HTTP front over it.
//!
//! The model knows parent accounts, their sub-accounts and API keys. It has no clock and does no I/O: every
//! call takes the time, so a simulation can drive it as well as a server can. What it does comes from Bybit's
//! documentation (`docs/v5/user/*`, `docs/v5/guide`, `docs/v5/error`, `docs/v5/rate-limit` at
//! <https://bybit-exchange.github.io/docs/v5/>)
//! and from replies that people have published. What neither settles is a [`Knobs`] field.
//!
//! | question | file |
//! | --- | --- |
//! | who may call, and how a request is signed | `auth`, `credential` |
//! | what each endpoint does | `issue`, `inspect`, `edit`, `remove` |
//! | what a key may do, from where, until when | `permissions`, `ips`, `key` |
//! | how the venue says no | `refusal` |
//! | what it looks like on the wire | `wire`, `replies`, `http` |
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
mod rate;
mod refusal;
mod remove;
mod replies;
mod wire;

#[cfg(test)]
mod tests;

pub use auth::SignedRequest;
pub use calls::Call;
pub use credential::{Credential, KeyId, KeySecret};
pub use edit::{UpdateApi, UpdateSubApi, UpdatedKey};
pub use hand::NoSuch;
pub use http::{Service, State, serve};
pub use inspect::{KeyStatus, ListedKey, OwnKey, SubApikeys, SubApikeysPage};
pub use ips::Ips;
pub use issue::{CreateSubApi, CreatedKey};
pub use key::{By, KeyTruth, Settings};
pub use knobs::Knobs;
pub use model::{Environment, Model, Uid};
pub use permissions::{GROUPS, Permissions, Requested};
pub use rate::{Endpoint, Rate};
pub use refusal::{Refusal, code};
pub use remove::DeleteSubApi;
