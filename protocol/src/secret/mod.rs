//! The value of a managed secret: its JSON document, the credential in it, the policy, and where it came
//! from.

mod credential;
mod document;
mod permission;
mod policy;
mod provenance;
mod serves;
mod value;

pub use credential::{AccountId, Credential, KeyForm, KeyId};
pub use document::{Document, DocumentError};
pub use permission::{Permission, PermissionError, Permissions, Word};
pub use policy::{Address, AddressError, Addresses, Policy};
pub use provenance::{Provenance, Source};
pub use serves::{Entry, Serves};
pub(crate) use value::may_be_an_account;
pub use value::{CREATED_BY, SecretValue};
