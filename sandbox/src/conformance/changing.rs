//! What an edit and a revocation do, and to which key.

use protocol::ports::{ErrorClass, Grant, KeyToRevoke, Powers, Whose};
use protocol::secret::{Addresses, Credential, KeyForm, KeyId, Permissions, Word};
use secrecy::SecretString;

use super::Checked;
use super::case::{Case, DESK, NEXT_DESK, STRANGER, only, refused, signer, truth_of, words};
use crate::in_process::BOT_ADDRESS;

/// A definite no about a key that the account has not.
const NOT_THERE: [ErrorClass; 2] = [ErrorClass::Refused, ErrorClass::Gone];

pub(super) async fn an_edit_sets_exactly(case: &Case<'_>) -> Checked {
    let (marker, usual) = (case.marker(), case.usual());
    let key = case.issue_as(&case.account, &marker, &usual).await?;
    let own = only([case.subject.address()]);
    let of = |permissions: Permissions, addresses: &Addresses| Grant {
        permissions,
        addresses: addresses.clone(),
        form: KeyForm::Hmac,
    };
    let grants = [
        of(Permissions::from([Word::Read.into()]), &own),
        of(words(case.kind().all_words), &case.places()),
        of(usual.permissions.clone(), &Addresses::Any),
        usual,
    ];
    for grant in grants {
        let listed = case.listed(&key.key_id).await?;
        let edited = case.edit(&listed, key.passphrase.as_ref(), &grant).await;
        edited.map_err(|error| format!("a key was not edited: {error}"))?;
        case.is_exactly(&key, &grant).await?;
        let note = case.listed(&key.key_id).await?.marker;
        ensure!(
            note.as_ref() == Some(&marker),
            "an edit took the marker away: {note:?}"
        );
    }
    Ok(())
}

pub(super) async fn an_edit_takes_away_what_a_person_gave(case: &Case<'_>) -> Checked {
    let mut settings = case.usual_by_hand();
    let (group, values) = case.kind().funds;
    let granted: Vec<(String, String)> = settings
        .permissions
        .granted()
        .map(|(group, value)| (group.to_owned(), value.to_owned()))
        .collect();
    let mut grants: Vec<(&str, &[&str])> = vec![(group, values)];
    let usual: Vec<(&str, [&str; 1])> = granted
        .iter()
        .map(|(group, value)| (group.as_str(), [value.as_str()]))
        .collect();
    grants.extend(usual.iter().map(|(group, value)| (*group, value.as_slice())));
    settings.permissions = crate::venue::Permissions::of(&grants);
    let key = case.key_by_hand(DESK, settings)?;
    let listed = case.listed(&key.key_id).await?;
    ensure!(
        !listed.powers.moves_funds.is_empty(),
        "a key that moves funds is listed as harmless"
    );
    let edited = case.edit(&listed, key.passphrase.as_ref(), &case.usual()).await;
    edited.map_err(|error| format!("a key was not edited: {error}"))?;
    case.is_exactly(&key, &case.usual()).await
}

pub(super) async fn another_parents_key_is_not_touched(case: &Case<'_>) -> Checked {
    let key = case.key_by_hand(STRANGER, case.usual_by_hand())?;
    untouched(case, &key).await
}

/// Where calls name no account, a key is known by its id alone.
pub(super) async fn a_key_of_another_account_is_not_touched_where_calls_name_accounts(
    case: &Case<'_>,
) -> Checked {
    let key = case.key_by_hand(NEXT_DESK, case.usual_by_hand())?;
    if case.kind().names_accounts {
        return untouched(case, &key).await;
    }
    let revoked = case.revoke(&key).await;
    revoked.map_err(|error| format!("a key was not revoked: {error}"))
}

async fn untouched(case: &Case<'_>, key: &Credential) -> Checked {
    let before = case.truth();
    // As if it were one of the account's.
    let listed = case.issue(&case.usual()).await?;
    let mut listed = case.listed(&listed.key_id).await?;
    listed.key_id = key.key_id.clone();
    let issued = case.truth().len() - before.len();
    ensure!(issued == 1, "{issued} keys were issued");
    let before = case.truth();
    let edited = case.edit(&listed, key.passphrase.as_ref(), &case.usual()).await;
    refused(edited, &case.master, &NOT_THERE)?;
    for to_revoke in [KeyToRevoke::from(key), KeyToRevoke::from(&listed)] {
        let revoked = case.revoke(to_revoke).await;
        refused(revoked, &case.master, &NOT_THERE)?;
    }
    case.nothing_changed(&before)?;
    case.state(key).await.map(drop)
}

pub(super) async fn a_revoked_key_is_rejected_and_unlisted(case: &Case<'_>) -> Checked {
    let (key, kept) = (case.issue(&case.usual()).await?, case.issue(&case.usual()).await?);
    revoke(case, &key).await?;
    let list = case.list(&case.account).await?;
    let (gone, left) = (list.key(&key.key_id).is_none(), list.key(&kept.key_id).is_some());
    ensure!(
        gone && left,
        "the list lacks the revoked key: {gone}; has the other: {left}"
    );
    let own = signer(Whose::Pending, &key);
    let rejected = case.explained(ErrorClass::Rejected);
    refused(case.venue.inspect(&own).await, &own, &[rejected])?;
    case.state(&kept).await.map(drop)
}

async fn revoke(case: &Case<'_>, key: &Credential) -> Checked {
    let revoked = case.revoke(key).await;
    revoked.map_err(|error| format!("a key was not revoked: {error}"))
}

/// Whether the list shows other keys or none: who revokes is to look at it himself.
pub(super) async fn a_key_that_is_gone_is_not_revoked_again(case: &Case<'_>) -> Checked {
    let due = if case.kind().tells_gone {
        ErrorClass::Gone
    } else {
        ErrorClass::Refused
    };
    let key = case.issue(&case.usual()).await?;
    let made = case.listed(&key.key_id).await?.created_at;
    revoke(case, &key).await?;
    let never = KeyId::parse("NeverWasThereAtAll")?;
    for others in 0..2 {
        for named in [&key.key_id, &never] {
            for listed_since in [None, Some(made)] {
                let gone = KeyToRevoke {
                    key_id: named,
                    marker: None,
                    passphrase: key.passphrase.as_ref(),
                    listed_since,
                };
                let again = case.revoke(gone).await;
                let with = format!("beside {others} other keys");
                refused(again, &case.master, &[due]).map_err(|broken| format!("{with}: {broken}"))?;
            }
        }
        case.issue(&case.usual()).await?;
    }
    Ok(())
}

pub(super) async fn a_key_that_is_gone_is_not_edited(case: &Case<'_>) -> Checked {
    let key = case.issue(&case.usual()).await?;
    let listed = case.listed(&key.key_id).await?;
    let deleted = case.by_hand(|model, now| model.delete_key_by_hand(&truth_of(&key.key_id), now));
    deleted.map_err(|error| error.to_string())?;
    let before = case.truth();
    let grant = Grant {
        addresses: only([BOT_ADDRESS]),
        ..case.usual()
    };
    let edited = case.edit(&listed, key.passphrase.as_ref(), &grant).await;
    refused(edited, &case.master, &NOT_THERE)?;
    ensure!(
        listed.powers != Powers::default(),
        "the list told nothing of the key"
    );
    case.nothing_changed(&before)
}

pub(super) async fn an_order_about_a_key_shows_its_passphrase(case: &Case<'_>) -> Checked {
    let key = case.key_by_hand(DESK, case.usual_by_hand())?;
    let listed = case.listed(&key.key_id).await?;
    let before = case.truth();
    let another = Some(SecretString::from("Another-aA1!"));
    let edited = case.edit(&listed, another.as_ref(), &case.usual()).await;
    let to_revoke = KeyToRevoke {
        passphrase: another.as_ref(),
        ..KeyToRevoke::from(&listed)
    };
    if !case.profile().manages_by_passphrase {
        edited.map_err(|error| format!("a passphrase that nobody asks for is in the way: {error}"))?;
        let revoked = case.revoke(to_revoke).await;
        return revoked.map_err(|error| error.to_string());
    }
    refused(edited, &case.master, &[ErrorClass::PassphraseWrong])?;
    let revoked = case.revoke(to_revoke).await;
    refused(revoked, &case.master, &[ErrorClass::PassphraseWrong])?;
    case.nothing_changed(&before)?;
    let revoked = case.revoke(&key).await;
    revoked.map_err(|error| format!("a key was not revoked by its own passphrase: {error}"))
}
