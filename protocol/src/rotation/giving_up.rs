//! Rule 5: a pending version that can never be promoted is condemned, then loses AWSPENDING, so that the next
//! rotation starts fresh instead of repeating this one for ever.

use super::run::Run;
use super::standing::doomed;
use super::wrong::{self, Wrong};
use crate::error::{Error, ErrorType};
use crate::label::{Label, StampKind, VersionId};
use crate::ports::{Description, StoredValue, Venue, Which};
use crate::secret::{Addresses, CREATED_BY, KeyId, Provenance, SecretValue, Source};
use crate::session::{has_stamp, was_current};

impl Run<'_> {
    /// Gives the token up. Returns the error that this run and every replay of it ends with.
    pub(super) async fn give_up(&self, reason: &str) -> Error {
        let given_up = async {
            wrong::revoke_doomed(self).await?;
            self.session.give_up(self.token(), reason).await
        };
        given_up.await.map_or_else(|error| error, |()| doomed(reason))
    }

    /// Why a key that was issued for this version cannot be used by this function, ever: what it is bound to
    /// is written down once.
    pub(super) fn out_of_reach(&self, rotation: &Provenance) -> Option<Doubt> {
        let Addresses::Only(bound) = &rotation.ip_allowlist else {
            return None;
        };
        let egress = &self.settings.egress;
        (rotation.source == Source::Issued && !egress.is_subset(bound)).then(|| {
            Doubt::sure(format!(
                "its key is bound to {}, and by EGRESS_IPS not all of this function's calls leave from there",
                rotation.ip_allowlist
            ))
        })
    }

    /// Why a version cannot be promoted whose key came into use after it was copied: it cannot be asked any
    /// more.
    pub(super) async fn used(
        &self,
        venue: &dyn Venue,
        description: &Description,
        value: &SecretValue,
    ) -> Result<Option<Doubt>, Error> {
        let why = self.in_use(venue, description, value).await?;
        Ok(why.map(|why| Doubt {
            reason: why.to_string(),
            is_sure: false,
        }))
    }

    /// Why a version cannot be promoted that was copied from one whose key another version names as leaked:
    /// keys count, not versions.
    pub(super) async fn leaked(
        &self,
        description: &Description,
        value: &SecretValue,
        rotation: &Provenance,
    ) -> Result<Option<Doubt>, Error> {
        let Some(version) = description.compromised() else {
            return Ok(None);
        };
        if rotation.source == Source::Issued || wrong::is(Wrong::LeakedPromoted) {
            return Ok(None);
        }
        let stored = self.session.read(Which::Version(version)).await?;
        // One that cannot be read may name any key.
        let is_another = stored.is_some_and(|stored| !stored.may_name(&value.credential.key_id));
        let reason = format!(
            "its key is leaked: version {version}, which is labelled COMPROMISED, names it, or cannot be \
             read"
        );
        Ok((!is_another).then_some(Doubt {
            reason,
            is_sure: false,
        }))
    }
}

/// Why a version can never be promoted, and how sure that is.
pub(super) struct Doubt {
    pub(super) reason: String,
    /// Whether reads that are stale cannot have led to it.
    pub(super) is_sure: bool,
}

impl Doubt {
    fn sure(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            is_sure: true,
        }
    }

    /// The error of a step that leaves condemning to createSecret.
    pub(super) fn into_error(self) -> Error {
        if self.is_sure {
            return doomed(&self.reason);
        }
        let problem = format!(
            "as it was read, {}: reads can be stale, so that the repetition of the rotation, which begins \
             with createSecret, decides",
            self.reason
        );
        Error::new(ErrorType::StoreUnavailable, problem)
    }
}

/// Why a token's value can never be promoted, as the store alone tells. `current` is the key that AWSCURRENT
/// names, where that was read.
pub(super) fn judged_from_store(
    description: &Description,
    base: &VersionId,
    current: Option<&KeyId>,
    stored: &StoredValue,
) -> Result<(SecretValue, Provenance), Doubt> {
    if was_current(description, &stored.version) && !wrong::is(Wrong::CurrentTwice) {
        return Err(Doubt::sure(
            "it has been current already, and no version becomes so twice",
        ));
    }
    let not_ours = "its value was not built by this function for this version";
    let value = stored
        .value()
        .map_err(|error| Doubt::sure(format!("{not_ours} ({error})")))?;
    let provenance = value
        .rotation
        .clone()
        .filter(|rotation| {
            rotation.token == stored.version && value.created_by.as_deref() == Some(CREATED_BY)
        })
        .or_else(|| wrong::as_if_built_here(&value, base, &stored.version));
    if current == Some(&value.credential.key_id) {
        let reason = "it names the key that is current already".to_owned();
        return Err(Doubt {
            reason,
            is_sure: provenance.is_none(),
        });
    }
    let provenance = provenance.ok_or_else(|| Doubt::sure(not_ours))?;
    if provenance.based_on != *base && !wrong::is(Wrong::SwapFromAnyBase) {
        let reason = format!(
            "it was built on version {}, and {base} is current now",
            provenance.based_on
        );
        // A read that is stale may show the time before that version was current: not replaced yet, or
        // replaced an earlier time, since when it bears a stamp.
        let base = &provenance.based_on;
        let is_sure =
            description.bears(base, &Label::previous()) && !has_stamp(description, base, StampKind::Replaced);
        return Err(Doubt { reason, is_sure });
    }
    let leaked = description.compromised();
    if leaked.is_some()
        && (leaked == Some(&stored.version) || leaked == provenance.copied_from.as_ref())
        && !wrong::is(Wrong::LeakedPromoted)
    {
        let reason = "its key is leaked: its version, or the one that it was copied from, is labelled \
                      COMPROMISED"
            .to_owned();
        return Err(Doubt {
            reason,
            is_sure: false,
        });
    }
    if let (Some(label), Some(from)) = (provenance.source.label(), &provenance.copied_from)
        && description.holder(&label).is_some_and(|holder| holder != from)
    {
        let reason = format!("it was copied from version {from}, and {label} is on another version now");
        return Err(Doubt {
            reason,
            is_sure: false,
        });
    }
    Ok((value, provenance))
}
