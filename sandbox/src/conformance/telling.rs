//! What lists, masters and facts tell.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::SignedDuration;
use protocol::ports::{ErrorClass, Issues, Whose};
use protocol::secret::Word;

use super::Checked;
use super::case::{Case, DESK, NEXT_DESK, PARENT, id, refused, signer};
use crate::venue::{Catalogue, Ips, Names, Settings};

/// What a reply that shows whole seconds leaves out.
const A_SECOND: SignedDuration = SignedDuration::from_secs(1);

pub(super) async fn a_list_is_whole_and_only_its_account_s(case: &Case<'_>) -> Checked {
    // More than two pages of them, where a list has pages.
    let mut made = BTreeSet::new();
    for _ in 0..45 {
        made.insert(
            case.key_by_hand(DESK, case.usual_by_hand())?
                .key_id
                .expose()
                .to_owned(),
        );
    }
    case.key_by_hand(NEXT_DESK, case.usual_by_hand())?;
    let list = case.list(&case.account).await?;
    let listed: BTreeSet<String> = list
        .keys
        .iter()
        .map(|key| key.key_id.expose().to_owned())
        .collect();
    ensure!(listed.len() == list.keys.len(), "a key is listed twice");
    ensure!(
        listed == made,
        "{} keys are listed, of {}",
        listed.len(),
        made.len()
    );
    let ours = list.keys.iter().any(|key| key.marker.is_some());
    ensure!(!ours, "a note of a person's is read as a marker");
    Ok(())
}

pub(super) async fn a_list_tells_when_its_keys_were_made_and_its_own_time(case: &Case<'_>) -> Checked {
    let ages = [24 * 400, 24, 1].map(SignedDuration::from_hours);
    for age in ages {
        let made = case.by_hand(|model, now| model.create_key_by_hand(DESK, case.usual_by_hand(), now - age));
        made.map_err(|error| error.to_string())?;
    }
    case.issue(&case.usual()).await?;
    let before = case.by_hand(|_, now| now);
    let list = case.list(&case.account).await?;
    let after = case.by_hand(|_, now| now);
    let as_of = list.as_of;
    let is_now = as_of + A_SECOND >= before && as_of - A_SECOND <= after;
    ensure!(
        is_now,
        "the list is of {as_of}, and came between {before} and {after}"
    );
    let truth = case.truth();
    for key in &list.keys {
        let made = truth
            .iter()
            .find(|truth| truth.key.as_str() == key.key_id.expose());
        let made = made.ok_or("a key is listed that is not there")?.created_at;
        let told = key.created_at;
        ensure!(
            told.duration_since(made).abs() <= A_SECOND,
            "made {made}, says the list {told}"
        );
        ensure!(told <= as_of, "a key is made {told}, after its list of {as_of}");
    }
    ensure!(
        list.keys.len() == ages.len() + 1,
        "{} keys are listed",
        list.keys.len()
    );
    Ok(())
}

pub(super) async fn an_expired_key_is_listed_as_such(case: &Case<'_>) -> Checked {
    let unbound = Settings {
        ips: Ips::Any,
        ..case.usual_by_hand()
    };
    let ends = case.venue.facts().unbound_life.is_some();
    let made = case.by_hand(|model, now| {
        let then = now - SignedDuration::from_hours(24 * 200);
        let old = model.create_key_by_hand(DESK, unbound.clone(), then)?;
        let young = model.create_key_by_hand(DESK, unbound, now)?;
        Ok::<_, crate::venue::NoSuch>([(old.key, ends), (young.key, false)])
    });
    let list = case.list(&case.account).await?;
    for (key, due) in made.map_err(|error| error.to_string())? {
        let key = list
            .keys
            .iter()
            .find(|listed| listed.key_id.expose() == key.as_str());
        let expired = key.ok_or("a key is not listed")?.expired;
        ensure!(expired == due, "a key has expired, says the list: {expired}");
    }
    Ok(())
}

pub(super) async fn what_a_person_gave_is_told(case: &Case<'_>) -> Checked {
    let kind = case.kind();
    for (power, what) in [(kind.funds, "moves funds"), (kind.unknown, "is unknown")] {
        let key = case.key_by_hand(DESK, powers(case, &[power]))?;
        for powers in [
            case.state(&key).await?.powers,
            case.listed(&key.key_id).await?.powers,
        ] {
            let told = if power == kind.funds {
                &powers.moves_funds
            } else {
                &powers.unknown
            };
            ensure!(told.len() == power.1.len(), "what {what} is told as {powers:?}");
            ensure!(
                powers.permissions.is_empty(),
                "what {what} counts as {:?}",
                powers.permissions
            );
        }
    }
    Ok(())
}

fn powers(case: &Case<'_>, powers: &[(&str, &[&str])]) -> Settings {
    Settings {
        permissions: crate::venue::Permissions::of(powers),
        ..case.usual_by_hand()
    }
}

pub(super) async fn a_master_issues_if_it_is_said_that_it_may(case: &Case<'_>) -> Checked {
    let profile = case.profile();
    let one_by_one = [profile.masters_manage_by, profile.for_masters, case.kind().usual];
    let one_by_one = one_by_one.into_iter().flatten();
    let mut masters: Vec<(String, Settings)> = one_by_one
        .flat_map(|(group, values)| values.iter().map(move |value| (*group, *value)))
        .map(|(group, value)| (format!("{group}:{value}"), powers(case, &[(group, &[value])])))
        .collect();
    let usual = powers(case, profile.master_grants);
    masters.push(("the usual master".to_owned(), usual.clone()));
    let unbound = Settings {
        ips: Ips::Any,
        ..usual.clone()
    };
    masters.push(("a master that is bound to no address".to_owned(), unbound));
    masters.push((
        "a master that only reads".to_owned(),
        reading(case, profile.master_grants),
    ));
    let (mut may, mut may_not) = (0, 0);
    for (what, settings) in masters {
        let master = signer(Whose::Master, &case.key_by_hand(PARENT, settings)?);
        let state = case.venue.inspect(&master).await;
        let state = state.map_err(|error| format!("{what} does not answer: {error}"))?;
        ensure!(state.is_master, "{what} says that it is a sub-account's");
        let said = case.venue.may_issue(&state);
        let marker = case.marker();
        let issued = case
            .venue
            .issue(&master, &case.account, &marker, &case.usual())
            .await;
        if let Err(why) = said {
            ensure!(!why.is_empty(), "no reason is given why {what} may not issue");
            refused(issued, &master, &[ErrorClass::Denied, ErrorClass::Unexplained])
                .map_err(|broken| format!("{what}, which is said not to ({why}): {broken}"))?;
            may_not += 1;
        } else {
            let issued = issued.map_err(|error| format!("{what} may issue, and did not: {error}"))?;
            let revoked = case
                .venue
                .revoke(&master, &case.account, (&issued.credential).into())
                .await;
            revoked.map_err(|error| format!("{what} may issue, and not revoke: {error}"))?;
            may += 1;
        }
    }
    ensure!(
        may > 1 && may_not > 1,
        "{may} masters may issue, and {may_not} may not"
    );
    let sub = case.issue(&case.usual()).await?;
    let said = case.venue.may_issue(&case.state(&sub).await?);
    ensure!(said.is_err(), "a sub-account's key may issue");
    Ok(())
}

/// A key that only reads, as the venue has it: by a mark, or by having nothing else.
fn reading(case: &Case<'_>, grants: Catalogue) -> Settings {
    let grantable = case.profile().vocabulary.grantable;
    let reads = grantable.iter().find(|(.., word)| *word == Word::Read);
    match reads {
        Some((group, value, _)) => powers(case, &[(group, &[value])]),
        None => Settings {
            read_only: true,
            ..powers(case, grants)
        },
    }
}

pub(super) async fn masters_are_the_venue_s_own(case: &Case<'_>) -> Checked {
    let (venue, venues) = (&case.venue, case.subject.venues());
    let own = venue.id();
    ensure!(
        venue.masters() == *own,
        "{own}'s masters are {}'s",
        venue.masters()
    );
    ensure!(
        !venue.asks_masters_elsewhere(),
        "{own} asks its masters elsewhere"
    );
    for environment in ["testnet", "demo"] {
        let Ok(other) = venues.venue(&id(&own.exchange, environment)?) else {
            continue;
        };
        let masters = venues.venue(&other.masters())?;
        ensure!(
            masters.id().exchange == own.exchange,
            "{environment}'s masters are another exchange's"
        );
        ensure!(
            masters.masters() == *masters.id(),
            "the masters of {environment}'s masters are others"
        );
        let elsewhere = other.asks_masters_elsewhere();
        let due = masters.id() != other.id();
        ensure!(
            elsewhere == due,
            "{environment} asks its masters elsewhere: {elsewhere}"
        );
    }
    Ok(())
}

pub(super) async fn the_facts_are_the_stand_in_s_and_the_kind_s(case: &Case<'_>) -> Checked {
    let (facts, profile, kind) = (case.venue.facts(), case.profile(), case.kind());
    let (window, due) = (facts.signature_window, profile.window.behind.unsigned_abs());
    ensure!(
        window == Duration::from_millis(due),
        "a signature is good for {window:?}"
    );
    let (life, due) = (
        facts.unbound_life,
        profile.unbound.map(|unbound| unbound.life.unsigned_abs()),
    );
    ensure!(life == due, "an unbound key lives {life:?}, and not {due:?}");
    ensure!(
        facts.most_keys == Some(profile.max_keys),
        "there is room for {:?}",
        facts.most_keys
    );
    ensure!(
        facts.unique_notes == (profile.notes == Names::Unique),
        "notes: {}",
        facts.unique_notes
    );
    let played = kind.profile;
    ensure!(
        played.notes == profile.notes && played.window.behind == profile.window.behind,
        "what is played has other notes, or another window"
    );
    ensure!(
        facts.forms == kind.forms && facts.asking == kind.asking,
        "keys have the forms {:?}, and asking is {:?}",
        facts.forms,
        facts.asking
    );
    ensure!(facts.issues == kind.issues, "it issues {:?}", facts.issues);
    let known = (facts.propagation, facts.settling) == (kind.propagation, kind.settling);
    ensure!(
        known,
        "a change takes {:?} and {:?}",
        facts.propagation,
        facts.settling
    );
    Ok(())
}

pub(super) async fn nobody_issues_lists_edits_or_deletes(case: &Case<'_>) -> Checked {
    ensure!(
        case.venue.facts().issues == Issues::Never,
        "it says that it issues keys"
    );
    let key = case.key_by_hand(DESK, case.usual_by_hand())?;
    let (before, venue, by, account) = (case.truth(), &case.venue, &case.master, &case.account);
    refused(venue.list(by, account).await, by, &[ErrorClass::Refused])?;
    let issued = venue.issue(by, account, &case.marker(), &case.usual()).await;
    refused(issued, by, &[ErrorClass::Refused])?;
    let revoked = venue.revoke(by, account, (&key).into()).await;
    refused(revoked, by, &[ErrorClass::Refused])?;
    case.nothing_changed(&before)
}

pub(super) async fn a_supplied_key_tells_what_it_is(case: &Case<'_>) -> Checked {
    let key = case.key_by_hand(DESK, case.usual_by_hand())?;
    let state = case.state(&key).await?;
    ensure!(
        state.powers.lacks(&case.usual().permissions).is_empty(),
        "a key tells less than it may: {:?}",
        state.powers
    );
    ensure!(!state.is_master, "a sub-account's key says that it is a master's");
    Ok(())
}
