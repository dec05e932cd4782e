//! Whose calls are refused, and how.

use jiff::SignedDuration;
use protocol::ports::{ErrorClass, Signer, Whose};
use protocol::secret::{AccountId, KeyId};

use super::Checked;
use super::case::{Case, DESK, NOBODY, PARENT, STRANGER, refused, signer, truth_of};
use crate::in_process::BOT_ADDRESS;
use crate::venue::{Ips, Settings};

/// Whether every call that this signer makes is refused so, and nothing comes of it.
async fn all_refused(case: &Case<'_>, by: &Signer, account: &AccountId, class: ErrorClass) -> Checked {
    let key = case.issue(&case.usual()).await?;
    let listed = case.listed(&key.key_id).await?;
    let (before, grant, venue) = (case.truth(), case.usual(), &case.venue);
    let so = |what: &str, checked: Checked| checked.map_err(|broken| format!("{what}: {broken}"));
    so("list", refused(venue.list(by, account).await, by, &[class]))?;
    let issued = venue.issue(by, account, &case.marker(), &grant).await;
    so("issue", refused(issued, by, &[class]))?;
    let edited = venue
        .edit(by, account, &listed, key.passphrase.as_ref(), &grant)
        .await;
    so("edit", refused(edited, by, &[class]))?;
    let revoked = venue.revoke(by, account, (&key).into()).await;
    so("revoke", refused(revoked, by, &[class]))?;
    case.nothing_changed(&before)
}

/// The same, and of what it asks about itself.
async fn wholly_refused(case: &Case<'_>, by: &Signer, class: ErrorClass) -> Checked {
    refused(case.venue.inspect(by).await, by, &[class])?;
    all_refused(case, by, &case.account, class).await
}

pub(super) async fn a_wrong_secret_is_mismatched(case: &Case<'_>) -> Checked {
    let mut wrong = case.master.clone();
    wrong.credential.secret = "AnotherKeySecretThanTheRightOne00000".into();
    wholly_refused(case, &wrong, ErrorClass::Mismatched).await
}

pub(super) async fn a_wrong_passphrase_is_mismatched(case: &Case<'_>) -> Checked {
    let mut wrong = case.master.clone();
    if wrong.credential.passphrase.is_none() {
        // One that nobody asked for is not looked at.
        wrong.credential.passphrase = Some("Another-aA1!".into());
        return case
            .venue
            .inspect(&wrong)
            .await
            .map(drop)
            .map_err(|error| error.to_string());
    }
    wrong.credential.passphrase = Some("Another-aA1!".into());
    wholly_refused(case, &wrong, ErrorClass::Mismatched).await?;
    // Without one there is nothing to ask.
    wrong.credential.passphrase = None;
    wholly_refused(case, &wrong, ErrorClass::Fault).await
}

pub(super) async fn an_unknown_key_is_rejected(case: &Case<'_>) -> Checked {
    let mut unknown = case.master.clone();
    unknown.credential.key_id = KeyId::parse("NeverWasThereAtAll")?;
    let rejected = case.explained(ErrorClass::Rejected);
    wholly_refused(case, &unknown, rejected).await?;
    let deleted = case.key_by_hand(PARENT, case.by_hand_with(case.profile().master_grants))?;
    case.by_hand(|model, now| model.delete_key_by_hand(&truth_of(&deleted.key_id), now))
        .map_err(|error| error.to_string())?;
    wholly_refused(case, &signer(Whose::Master, &deleted), rejected).await
}

pub(super) async fn a_key_that_is_not_known_yet_is_rejected(case: &Case<'_>) -> Checked {
    case.by_hand(|model, _| model.knobs.new_key_delay = SignedDuration::from_mins(1));
    let key = case.key_by_hand(DESK, case.usual_by_hand())?;
    let own = signer(Whose::Pending, &key);
    let rejections = [case.explained(ErrorClass::Rejected), ErrorClass::Mismatched];
    refused(case.venue.inspect(&own).await, &own, &rejections)
}

pub(super) async fn an_expired_key_is_rejected(case: &Case<'_>) -> Checked {
    let settings = Settings {
        ips: Ips::Any,
        ..case.usual_by_hand()
    };
    // Long ago.
    let made = case.by_hand(|model, now| {
        let then = now - SignedDuration::from_hours(24 * 200);
        model
            .create_key_by_hand(DESK, settings, then)
            .map(|made| made.key)
    });
    let made = made.map_err(|error| error.to_string())?;
    let credential = case.credential(&made)?;
    let own = signer(Whose::Current, &credential);
    let asked = case.venue.inspect(&own).await;
    if case.venue.facts().unbound_life.is_none() {
        return asked.map(drop).map_err(|error| error.to_string());
    }
    refused(asked, &own, &[case.explained(ErrorClass::Rejected)])
}

pub(super) async fn an_address_that_is_not_on_the_list_is_denied(case: &Case<'_>) -> Checked {
    let elsewhere = Settings {
        ips: Ips::only([BOT_ADDRESS]),
        ..case.by_hand_with(case.profile().master_grants)
    };
    let master = case.key_by_hand(PARENT, elsewhere.clone())?;
    let denied = case.explained(ErrorClass::Denied);
    wholly_refused(case, &signer(Whose::Master, &master), denied).await?;
    let key = case.key_by_hand(DESK, elsewhere)?;
    let own = signer(Whose::Current, &key);
    refused(case.venue.inspect(&own).await, &own, &[denied])
}

pub(super) async fn a_sub_accounts_key_manages_none(case: &Case<'_>) -> Checked {
    let key = case.issue(&case.usual()).await?;
    all_refused(
        case,
        &signer(Whose::Current, &key),
        &case.account,
        case.explained(ErrorClass::Denied),
    )
    .await
}

pub(super) async fn an_account_that_is_not_there_is_refused(case: &Case<'_>) -> Checked {
    let no_name = AccountId::new("no-such-account");
    for account in [case.named(NOBODY), case.named(STRANGER), no_name] {
        if case.kind().names_accounts {
            all_refused(case, &case.master, &account, ErrorClass::Refused).await?;
        }
        let before = case.truth();
        let listed = case.venue.list(&case.master, &account).await;
        refused(listed, &case.master, &[ErrorClass::Refused])?;
        let issued = case.try_issue(&account, &case.marker(), &case.usual()).await;
        refused(issued, &case.master, &[ErrorClass::Refused])?;
        case.nothing_changed(&before)?;
    }
    Ok(())
}

/// Who has no key learns nothing about accounts, and is told of the key.
pub(super) async fn a_bad_credential_is_found_out_before_the_account(case: &Case<'_>) -> Checked {
    let mut unknown = case.master.clone();
    unknown.credential.key_id = KeyId::parse("NeverWasThereAtAll")?;
    let rejected = case.explained(ErrorClass::Rejected);
    all_refused(case, &unknown, &case.named(NOBODY), rejected).await
}
