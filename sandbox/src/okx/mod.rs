//! A stand-in for the sub-account key endpoints of OKX's v5 REST API: what OKX is, and how it looks on the
//! wire.
//!
//! What it does comes from OKX's documentation (<https://www.okx.com/docs-v5/en/>: "Overview", "Trading
//! Account", "Sub-account", "Error Code") and from replies that people have published. What neither settles
//! is marked "unverified", or is a field of the [`Knobs`](crate::venue::Knobs).
//!
//! | question | file |
//! | --- | --- |
//! | what OKX documents of itself | `profile` |
//! | how a request is signed | `signature` |
//! | which paths there are | `wire` |
//! | what a request says | `requests` |
//! | what goes back | `replies`, `codes` |

mod codes;
mod profile;
mod replies;
mod requests;
mod signature;
mod wire;

#[cfg(test)]
mod tests;

pub use profile::PROFILE;
pub use wire::Okx;
