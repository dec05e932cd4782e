//! By whose authority a key is issued, edited or revoked: the master's own word, or what keys of this secret
//! prove.

use super::base::Base;
use super::run::Run;
use crate::error::Error;
use crate::label::VersionId;
use crate::ports::{Description, Grant, KeyList, KeyState, Signer, Which, Whose};
use crate::secret::KeyId;
use crate::session::{AccountAccess, Act, venue_of};

/// # Errors
/// SCOPE_REFUSED where neither the master's value nor any key of a labelled version says that a key may have
/// this.
pub(super) async fn must_serve(
    run: &Run<'_>,
    base: &Base,
    access: &mut AccountAccess<'_>,
    current: Option<&KeyState>,
    list: &KeyList,
    grant: &Grant,
) -> Result<(), Error> {
    let act = Act::Have(grant, &run.settings.egress);
    if let Some(state) = current {
        access.take_for_proof(&base.value.credential.key_id, state, list);
    }
    if access.needs_proof(act) {
        let in_use = Some(&base.value.credential.key_id);
        ask_keys(
            run,
            &base.description,
            &[&base.version, run.token()],
            in_use,
            access,
            list,
        )
        .await;
    }
    access.must_serve(act)
}

/// Asks the keys of the labelled versions but these, and but this one: what answers proves something.
pub(super) async fn ask_keys(
    run: &Run<'_>,
    description: &Description,
    but: &[&VersionId],
    but_key: Option<&KeyId>,
    access: &mut AccountAccess<'_>,
    list: &KeyList,
) {
    for version in description
        .versions
        .keys()
        .filter(|version| !but.contains(version))
    {
        // One that cannot be read proves nothing; another may.
        let stored = run.session.read(Which::Version(version)).await;
        let Some(value) = stored.ok().flatten().and_then(|stored| stored.value().ok()) else {
            continue;
        };
        let is_another = but_key != Some(&value.credential.key_id);
        if is_another
            && venue_of(run.session.ports, description, &value)
                .is_ok_and(|venue| venue.id() == access.venue.id())
        {
            let key = value.credential.key_id.clone();
            let signer = Signer {
                whose: Whose::Replaced,
                credential: value.credential,
            };
            if let Ok(state) = access.venue.ask(&signer).await {
                access.take_for_proof(&key, &state, list);
            }
        }
    }
}
