//! What is kept of keys and secrets in an index of a whole fleet.

use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};

use crate::secret::Credential;

/// The first bytes of a SHA-256: enough to tell keys and secrets apart, and nothing that is worth stealing.
pub(crate) type Digest16 = [u8; 16];

/// Tells two credentials apart that have one key id.
pub(crate) fn digest_of(credential: &Credential) -> Digest16 {
    let mut hash = Sha256::new();
    for part in [credential.key_id.expose(), credential.secret.expose_secret()] {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    first(&hash.finalize())
}

pub(crate) fn digest(text: &str) -> Digest16 {
    first(&Sha256::digest(text.as_bytes()))
}

fn first(digest: &[u8]) -> Digest16 {
    let mut short = [0; 16];
    short.copy_from_slice(&digest[..16]);
    short
}
