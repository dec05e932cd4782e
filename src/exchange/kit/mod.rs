//! What the calls to all exchanges have in common: a signed call that is repeated where that is safe, strict
//! JSON, tables of error codes, one clock for each host, lists over pages, addresses. What tells one exchange
//! from another is a [`Wire`](wire::Wire) and the answers that it reads.

pub(super) mod address;
pub mod answer;
pub(super) mod call;
pub(super) mod clock;
pub mod codes;
pub(super) mod http;
pub(super) mod json;
pub(super) mod line;
mod pages;
pub(super) mod passphrase;
pub(super) mod powers;
#[cfg(test)]
pub(super) mod recorded;
pub(super) mod sign;
pub(super) mod venue;
pub mod wire;
pub(super) mod writes;
