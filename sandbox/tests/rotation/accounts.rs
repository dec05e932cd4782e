//! Accounts that calls name, and whose keys answer with another name: the account's list shows whose a key
//! is.

use protocol::rotation::{Done, Step};
use sandbox::in_process::kind::{PLAIN_COARSE, TERSE, VenueKind};
use sandbox::in_process::{Fault, OTHER_SUB, Operation, SUB, Setup};
use sandbox::venue::{Credential, Uid};

use super::*;

/// A value that names its account and its master.
const NAMED: &str = concat!(
    r#"{"exchange":"bybit","environment":"mainnet",<credential>,"#,
    r#""subaccount":"<account>","masterarn":"<master>","#,
    r#""policy":{"permissions":[<words>],"ip_allowlist":["203.0.113.7"]}}"#
);
/// One that names neither.
const SUPPLIED: &str = concat!(
    r#"{"exchange":"bybit","environment":"mainnet",<credential>,"#,
    r#""policy":{"permissions":[<words>],"ip_allowlist":["203.0.113.7"]}}"#
);

fn world_at(kind: &'static VenueKind) -> Watched {
    world_with(Setup::at(kind))
}

fn key_on(world: &World, account: Uid) -> Credential {
    world.key_by_hand_with(account, settings_by_hand(world.kind().usual))
}

#[test]
fn a_key_is_issued_and_promoted_where_the_list_shows_whose_it_is() {
    for kind in [&PLAIN_COARSE, &TERSE] {
        let world = world_at(kind);
        let token = created(&world);
        completes(&world, &token);
        assert_eq!(world.holder("AWSCURRENT"), Some(token.clone()), "{}", kind.name);
        let document = world.document(&token);
        assert_eq!(
            document["rotation"]["account"],
            kind.account(SUB),
            "{}",
            kind.name
        );
    }
}

#[test]
fn nothing_is_issued_on_an_account_whose_list_lacks_the_current_key() {
    for kind in [&PLAIN_COARSE, &TERSE] {
        let world = world_at(kind);
        let key = key_on(&world, OTHER_SUB);
        world.put_by_hand(NAMED, &key, SUB, "AWSCURRENT");
        let token = world.begin_rotation();
        let said = refused(world.run(Step::Create, &token), ErrorType::AccountMismatch);
        assert!(said.contains(&kind.account(SUB)), "{said}");
        assert_eq!(world.live_keys_for(&token), []);
    }
}

#[test]
fn a_value_without_an_account_is_told_to_name_it() {
    let world = world_at(&PLAIN_COARSE);
    let without = NAMED.replace(r#""subaccount":"<account>","#, "");
    let key = key_on(&world, SUB);
    world.put_by_hand(&without, &key, SUB, "AWSCURRENT");
    let token = world.begin_rotation();
    let said = refused(world.run(Step::Create, &token), ErrorType::CurrentUnusable);
    assert!(said.contains("`subaccount`"), "{said}");
}

/// The account is mistyped, and the offer is of the account that is named by mistake.
#[test]
fn an_offer_whose_key_calls_its_account_otherwise_is_refused() {
    let world = world_at(&PLAIN_COARSE);
    let key = key_on(&world, SUB);
    world.put_by_hand(NAMED, &key, OTHER_SUB, "AWSCURRENT");
    let offered = key_on(&world, OTHER_SUB);
    world.put_by_hand(NAMED, &offered, OTHER_SUB, "CANDIDATE");
    let token = world.begin_rotation();
    let said = refused(world.run(Step::Create, &token), ErrorType::OfferRefused);
    assert!(
        said.contains(&SUB.to_string()) && said.contains(&OTHER_SUB.to_string()),
        "{said}"
    );
}

#[test]
fn an_offer_that_the_account_s_list_does_not_show_is_refused() {
    let world = world_at(&TERSE);
    let offered = key_on(&world, OTHER_SUB);
    world.put_by_hand(NAMED, &offered, SUB, "CANDIDATE");
    let token = world.begin_rotation();
    let said = refused(world.run(Step::Create, &token), ErrorType::OfferRefused);
    assert!(said.contains(&SUB.to_string()), "{said}");
}

/// Nobody can list the account; what its keys call it was written down.
#[test]
fn an_offer_is_held_to_what_the_dead_key_called_its_account() {
    let world = world_at(&PLAIN_COARSE);
    world.put_by_hand(SUPPLIED, &key_on(&world, SUB), SUB, "AWSCURRENT");
    world.put_by_hand(SUPPLIED, &key_on(&world, SUB), SUB, "CANDIDATE");
    let token = copied(&world);
    completes(&world, &token);
    world.delete_key(&key_in(&world, &token));
    world.put_by_hand(SUPPLIED, &key_on(&world, OTHER_SUB), OTHER_SUB, "CANDIDATE");
    world.advance(minutes(10));
    let second = world.begin_rotation();
    let said = refused(world.run(Step::Create, &second), ErrorType::OfferRefused);
    assert!(said.contains(&OTHER_SUB.to_string()), "{said}");
}

#[test]
fn a_supplied_key_s_account_gets_a_name_once_there_is_a_master() {
    let world = world_at(&PLAIN_COARSE);
    world.put_by_hand(SUPPLIED, &key_on(&world, SUB), SUB, "AWSCURRENT");
    world.put_by_hand(SUPPLIED, &key_on(&world, SUB), SUB, "CANDIDATE");
    let token = copied(&world);
    completes(&world, &token);
    let mut document = world.document(&token);
    assert_eq!(document["rotation"]["alias"], SUB.to_string());
    document["subaccount"] = PLAIN_COARSE.account(SUB).into();
    document["masterarn"] = world.master_arn().into();
    let by_hand = VersionId::new("a-version-that-names-the-account-now");
    world.advance(minutes(10));
    world.put_value(world.secret(), &by_hand, &document.to_string(), &["AWSCURRENT"]);
    let issued = created(&world);
    completes(&world, &issued);
    assert_eq!(
        world.document(&issued)["rotation"]["account"],
        PLAIN_COARSE.account(SUB)
    );
}

#[test]
fn a_key_that_its_account_s_list_does_not_show_is_left_to_a_person() {
    let world = world_at(&PLAIN_COARSE);
    let key = key_on(&world, OTHER_SUB);
    let version = world.put_by_hand(NAMED, &key, SUB, "NOTE");
    world.label("COMPROMISED", Some(&version));
    world.advance(hours(1));
    for _ in 0..3 {
        world.advance(hours(1));
        world.maintain();
    }
    assert!(world.alive(&key.key), "no call names its account");
    let answers = world.answers().join("\n");
    assert!(
        answers.contains("do not include it") && answers.contains("EXPOSED"),
        "{answers}"
    );
}

#[test]
fn a_policy_that_the_venue_does_not_grant_is_refused_with_what_to_write() {
    let world = world_at(&PLAIN_COARSE);
    let document = NAMED.replace("<words>", r#""read","spot""#);
    world.put_by_hand(&document, &key_on(&world, SUB), SUB, "AWSCURRENT");
    let token = world.begin_rotation();
    refused(world.run(Step::Create, &token), ErrorType::GrantImpossible);
    assert_eq!(world.live_keys_for(&token), []);
}

/// The list is behind: that the first request went through shows when its marker is used again.
#[test]
fn a_marker_that_is_taken_shows_that_the_lost_request_went_through() {
    let world = world_at(&PLAIN_COARSE);
    world.advance(minutes(10));
    world.venue(|model, _| {
        model.knobs.listings_lag = true;
        model.knobs.new_key_delay = seconds(45);
    });
    let token = world.begin_rotation();
    world.plan(Operation::Issue, 1, Fault::ReplyLost);
    done(world.run(Step::Create, &token), Done::Issued);
    let alive = world.live_keys_for(&token);
    assert_eq!(
        alive,
        [key_in(&world, &token)],
        "the key whose secret was lost is revoked"
    );
    assert_eq!(world.take_count(Operation::Issue), 3);
}

#[test]
fn a_lost_request_that_never_arrived_costs_no_key() {
    let world = world_at(&PLAIN_COARSE);
    let token = world.begin_rotation();
    world.plan(Operation::Issue, 1, Fault::Dropped);
    done(world.run(Step::Create, &token), Done::Issued);
    assert_eq!(world.live_keys_for(&token), [key_in(&world, &token)]);
    assert_eq!(world.take_count(Operation::Issue), 2);
}
