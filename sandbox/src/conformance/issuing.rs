//! What an issued key is, and what is not issued.

use std::net::{IpAddr, Ipv4Addr};

use jiff::SignedDuration;
use protocol::ports::{ErrorClass, Grant, OwnAccount, ToldAddresses};
use protocol::secret::{Addresses, KeyForm, Permission, Permissions, Word};

use super::Checked;
use super::case::{Case, DESK, NEXT_DESK, refused, truth_of};
use crate::venue::Names;

/// A definite no, whatever is wrong with what was asked.
const NO: [ErrorClass; 2] = [ErrorClass::Refused, ErrorClass::Impossible];

pub(super) async fn an_issued_key_is_what_was_asked_for(case: &Case<'_>) -> Checked {
    let (marker, grant) = (case.marker(), case.usual());
    let issued = case.issue_as(&case.account, &marker, &grant).await?;
    case.is_exactly(&issued, &grant).await?;
    let has_passphrase = issued.passphrase.is_some();
    let due = case.profile().passphrase.is_some();
    ensure!(
        has_passphrase == due,
        "a passphrase: {has_passphrase}, where the venue's keys have one: {due}"
    );
    let listed = case.listed(&issued.key_id).await?;
    ensure!(
        listed.marker.as_ref() == Some(&marker),
        "the list has {:?} for a marker",
        listed.marker
    );
    let state = case.state(&issued).await?;
    ensure!(
        state.expires_at.is_none(),
        "a key that is bound to addresses expires"
    );
    ensure!(
        state.kind.is_none() && listed.kind.is_none(),
        "a usual key is of a kind of its own"
    );
    let truth = case.by_hand(|model, _| model.key(&truth_of(&issued.key_id)));
    let uid = truth.map(|truth| truth.uid);
    ensure!(uid == Some(DESK), "the key is of the account {uid:?}");
    Ok(())
}

pub(super) async fn a_key_tells_its_account_as_its_kind_does(case: &Case<'_>) -> Checked {
    let grant = case.usual();
    let (one, other) = (case.issue(&grant).await?, case.issue(&grant).await?);
    let elsewhere = case
        .issue_as(&case.named(NEXT_DESK), &case.marker(), &grant)
        .await?;
    for (key, uid) in [(&one, DESK), (&other, DESK), (&elsewhere, NEXT_DESK)] {
        let state = case.state(key).await?;
        let due = case.kind().told_account(uid);
        ensure!(
            state.account == due,
            "a key tells {:?} and not {due:?}",
            state.account
        );
        let list = case.list(&case.account).await?;
        let belongs = state.belongs_to(&case.account, &key.key_id, Some(&list));
        // That it is missing in a list proves nothing.
        let due = match (uid, &state.account) {
            (DESK, _) => Some(true),
            (_, OwnAccount::Named(_)) => Some(false),
            _ => None,
        };
        ensure!(
            belongs == due,
            "a key of {uid} belongs to the account: {belongs:?}"
        );
    }
    Ok(())
}

pub(super) async fn a_key_bound_to_nothing_says_so_and_ends_when_the_venue_ends_it(
    case: &Case<'_>,
) -> Checked {
    let grant = Grant {
        addresses: Addresses::Any,
        ..case.usual()
    };
    let issued = case.issue(&grant).await?;
    case.is_exactly(&issued, &grant).await?;
    let state = case.state(&issued).await?;
    let told = &state.addresses;
    ensure!(
        *told == ToldAddresses::Exact(Addresses::Any),
        "an unbound key tells {told}"
    );
    let made = case.by_hand(|model, _| model.key(&truth_of(&issued.key_id)));
    let made = made.map(|truth| truth.created_at).unwrap_or_default();
    let life = case.venue.facts().unbound_life.map(SignedDuration::try_from);
    let due = life.and_then(Result::ok).map(|life| made + life);
    let ends = state.expires_at;
    let is_due = match (ends, due) {
        (Some(ends), Some(due)) => ends.duration_since(due).abs() <= SignedDuration::from_secs(1),
        (ends, due) => ends == due,
    };
    ensure!(is_due, "an unbound key ends {ends:?}, and should {due:?}");
    Ok(())
}

/// Every set of whole words, and every true part of one by itself.
fn askable(case: &Case<'_>) -> Vec<Permissions> {
    let all = Word::ALL.map(Permission::whole);
    let sets = (1..1_usize << all.len()).map(|set| {
        let chosen = all.iter().enumerate().filter(|(at, _)| set >> at & 1 == 1);
        chosen.map(|(_, word)| word.clone()).collect()
    });
    let grantable = case.profile().vocabulary.grantable;
    let is_part = |word: &Word| grantable.iter().filter(|(.., of)| of == word).count() > 1;
    let parts = grantable.iter().flat_map(|(group, value, word)| {
        let part = is_part(word).then(|| Permission::part(*word, *value));
        let reads = Permission::part(Word::Read, format!("{group}.{value}"));
        part.into_iter()
            .chain([reads])
            .map(|part| Permissions::from([part]))
    });
    sets.chain(parts).collect()
}

pub(super) async fn words_that_can_be_granted_are_held_exactly(case: &Case<'_>) -> Checked {
    let mut granted = 0;
    for permissions in askable(case) {
        let whole = permissions.iter().all(|asked| asked.part.is_none());
        let known = |asked: &Permission| case.kind().all_words.contains(&asked.word.as_str());
        let (can, due) = (case.venue.can_grant(&permissions), permissions.iter().all(known));
        ensure!(
            can.is_ok() == due || !whole,
            "{permissions:?} can be granted: {can:?}"
        );
        if can.is_err() {
            continue;
        }
        granted += 1;
        let grant = Grant {
            permissions,
            addresses: case.places(),
            form: KeyForm::Hmac,
        };
        let issued = case.issue(&grant).await?;
        case.is_exactly(&issued, &grant).await?;
        case.by_hand(|model, now| model.delete_key_by_hand(&truth_of(&issued.key_id), now))
            .map_err(|error| error.to_string())?;
    }
    ensure!(granted > 1, "no words can be granted");
    Ok(())
}

pub(super) async fn words_that_cannot_be_granted_are_not_issued(case: &Case<'_>) -> Checked {
    let usual = case.issue(&case.usual()).await?;
    let listed = case.listed(&usual.key_id).await?;
    let before = case.truth();
    let mut refusals = 0;
    for permissions in askable(case) {
        let Err(why) = case.venue.can_grant(&permissions) else {
            continue;
        };
        ensure!(
            !why.is_empty(),
            "no reason is given why {permissions:?} cannot be granted"
        );
        refusals += 1;
        let grant = Grant {
            permissions,
            addresses: case.places(),
            form: KeyForm::Hmac,
        };
        let no = [NO[0], NO[1], ErrorClass::Fault];
        let issued = case.try_issue(&case.account, &case.marker(), &grant).await;
        refused(issued, &case.master, &no)?;
        let edited = case.edit(&listed, usual.passphrase.as_ref(), &grant).await;
        refused(edited, &case.master, &no)?;
    }
    ensure!(refusals > 0, "all words can be granted");
    case.nothing_changed(&before)
}

pub(super) async fn a_full_account_is_refused_another_key(case: &Case<'_>) -> Checked {
    let most = case.by_hand(|model, _| model.max_keys());
    for _ in 1..most {
        case.key_by_hand(DESK, case.usual_by_hand())?;
    }
    case.issue(&case.usual()).await?;
    let before = case.truth();
    let one_more = case.try_issue(&case.account, &case.marker(), &case.usual()).await;
    refused(one_more, &case.master, &[ErrorClass::Refused])?;
    case.nothing_changed(&before)?;
    // Another account has room of its own.
    let elsewhere = case.named(NEXT_DESK);
    case.issue_as(&elsewhere, &case.marker(), &case.usual())
        .await
        .map(drop)
}

pub(super) async fn too_many_addresses_are_refused(case: &Case<'_>) -> Checked {
    let most = u8::try_from(case.profile().max_ips).map_err(|error| error.to_string())?;
    let of = |count: u8| {
        let addresses = (1..count).map(|last| IpAddr::V4(Ipv4Addr::new(198, 51, 100, last)));
        Grant {
            addresses: super::case::only(addresses.chain([case.subject.address()])),
            ..case.usual()
        }
    };
    let issued = case.issue(&of(most)).await?;
    case.is_exactly(&issued, &of(most)).await?;
    let listed = case.listed(&issued.key_id).await?;
    let (before, one_more) = (case.truth(), of(most + 1));
    let more = case.try_issue(&case.account, &case.marker(), &one_more).await;
    refused(more, &case.master, &NO)?;
    let edited = case.edit(&listed, issued.passphrase.as_ref(), &one_more).await;
    refused(edited, &case.master, &NO)?;
    case.nothing_changed(&before)
}

pub(super) async fn a_segment_of_addresses_is_held_exactly_or_refused(case: &Case<'_>) -> Checked {
    let own = case.subject.address();
    let segment = "203.0.113.0/24".parse().map_err(|_| "no segment")?;
    let mut places = match super::case::only([own]) {
        Addresses::Only(places) => places,
        Addresses::Any => return Err("one address is none".to_owned()),
    };
    places.insert(segment);
    let grant = Grant {
        addresses: Addresses::Only(places),
        ..case.usual()
    };
    let before = case.truth();
    match case.try_issue(&case.account, &case.marker(), &grant).await {
        Ok(issued) => case.is_exactly(&issued.credential, &grant).await,
        refusal => {
            refused(refusal, &case.master, &NO)?;
            case.nothing_changed(&before)
        }
    }
}

pub(super) async fn a_marker_is_taken_where_notes_are_unique(case: &Case<'_>) -> Checked {
    let (marker, grant) = (case.marker(), case.usual());
    let unique = case.venue.facts().unique_notes;
    let said = case.profile().notes == Names::Unique;
    ensure!(
        unique == said,
        "notes are unique, says the venue: {unique}; its stand-in: {said}"
    );
    let first = case.issue_as(&case.account, &marker, &grant).await?;
    let before = case.truth();
    let again = case.try_issue(&case.account, &marker, &grant).await;
    if unique {
        refused(again, &case.master, &[ErrorClass::NoteTaken])?;
        case.nothing_changed(&before)?;
    } else {
        let second = again.map_err(|error| error.to_string())?.credential;
        ensure!(second.key_id != first.key_id, "one key was issued twice");
        let listed = case.listed(&second.key_id).await?;
        ensure!(
            listed.marker == Some(marker.clone()),
            "the second has another marker"
        );
    }
    // It is free on another account, and on this one again when its key is gone.
    let elsewhere = case.named(NEXT_DESK);
    case.issue_as(&elsewhere, &marker, &grant).await?;
    case.by_hand(|model, now| model.delete_key_by_hand(&truth_of(&first.key_id), now))
        .map_err(|error| error.to_string())?;
    case.issue_as(&case.account, &marker, &grant).await.map(drop)
}

pub(super) async fn a_key_is_issued_in_the_form_asked_for(case: &Case<'_>) -> Checked {
    let forms = case.venue.facts().forms;
    ensure!(!forms.is_empty(), "no form of key is issued");
    for form in forms {
        let grant = Grant {
            form: *form,
            ..case.usual()
        };
        let issued = case.issue(&grant).await?;
        ensure!(
            issued.form() == *form,
            "a key of the form {} was issued, and {form} was asked for",
            issued.form()
        );
        case.is_exactly(&issued, &grant).await?;
    }
    Ok(())
}

/// Who finds it has its marker from the list, and the master credential that issued it.
pub(super) async fn a_key_that_was_never_stored_can_be_revoked(case: &Case<'_>) -> Checked {
    let issued = case.issue(&case.usual()).await?;
    let listed = case.listed(&issued.key_id).await?;
    let revoked = case.revoke(&listed).await;
    revoked.map_err(|error| format!("a key that its marker alone tells was not revoked: {error}"))
}
