//! The rotation protocol: what a secret's value says, what the function needs of the world ([`ports`]), and
//! the four steps that Secrets Manager calls ([`rotation`]). No SDK and no HTTP in here: the world implements
//! the ports.

pub mod audit;
mod bounds;
mod class;
pub mod error;
pub mod label;
pub mod marker;
pub mod name;
pub mod operations;
pub mod ports;
pub mod rotation;
pub mod secret;
mod session;
mod shown;
mod step;
pub mod task;
#[cfg(not(feature = "wrong-on-purpose"))]
mod wrong;
#[cfg(feature = "wrong-on-purpose")]
pub mod wrong;

pub use error::{Error, ErrorType};
pub use shown::{digest, sentence, shown};
