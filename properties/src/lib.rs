//! What holds whatever comes: nothing makes the function panic, change what it must not, or say a secret.
//!
//! Each property is one function over bytes that panics where it does not hold. The fuzz targets in `fuzz/`
//! call it on what a coverage-guided fuzzer makes up, the tests of this crate on mutations of real examples.
//! In the bytes `<word>` stands for what only the property knows, such as a secret that is to be searched for
//! in everything that is said.

mod document;
mod event;
mod json;
mod reply;
mod text;

pub use document::document;
pub use event::event;
pub use reply::{bybit_reply, okx_reply};
