//! A stand-in for the key endpoints of Bybit's v5 REST API: what Bybit is, and how it looks on the wire.
//!
//! What it does comes from Bybit's documentation (`docs/v5/user/*`, `docs/v5/guide`, `docs/v5/error`,
//! `docs/v5/rate-limit` at <https://bybit-exchange.github.io/docs/v5/>) and from replies that people have
//! published. What neither settles is a field of the [`Knobs`](crate::venue::Knobs).
//!
//! | question | file |
//! | --- | --- |
//! | what Bybit documents of itself | `profile` |
//! | how a request is signed | `signature` |
//! | which paths there are, and what a request says | `wire` |
//! | what goes back | `replies`, `codes` |

mod codes;
mod profile;
mod replies;
mod signature;
mod wire;

#[cfg(test)]
mod tests;

pub(crate) use profile::BYBIT;
pub use profile::PROFILE;
pub use wire::Bybit;
