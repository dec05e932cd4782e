use protocol::audit::Action;
use protocol::rotation::{Done, Step};
use sandbox::in_process::{Fault, OTHER_SUB};
use sandbox::venue::Credential;
use serde_json::json;

use super::*;

/// All that the usual policy asks for.
pub(super) const ALL: &[(&str, &[&str])] = &[SPOT, TRADES, ("Derivatives", &["DerivativesTrade"])];

/// A version that a person stored and labelled, with a key of the sub-account.
pub(super) fn offer(world: &World, label: &str, groups: &[(&str, &[&str])]) -> (VersionId, Credential) {
    let key = world.key_by_hand_with(SUB, settings_by_hand(groups));
    (world.put_by_hand(&value(""), &key, SUB, label), key)
}

#[test]
fn an_offered_credential_is_copied_and_no_key_is_issued() {
    for (label, source) in [("CANDIDATE", "candidate"), ("ROLLBACK", "rollback")] {
        let world = world();
        let (version, key) = offer(&world, label, ALL);
        world.take_calls();
        let token = copied(&world);
        assert_eq!(world.take_writes(), [Operation::Put]);
        completes(&world, &token);
        assert_eq!(
            world.holder(label),
            None,
            "its label was taken off after the swap"
        );
        let document = world.document(&token);
        assert_eq!(document["api_key"], json!(key.key.as_str()));
        assert_eq!(document["api_secret"], json!(key.secret.expose()));
        assert_eq!(
            document["desk"],
            json!("seven"),
            "everything but the credential is the current version's"
        );
        let expected = json!({
            "token": token, "source": source, "copied_from": version, "based_on": world.first_version(),
            "account": "53888000", "permissions": ["derivatives", "read", "spot"],
            "ip_allowlist": ["203.0.113.7", "52.1.2.3"]
        });
        assert_eq!(document["rotation"], expected);
        assert_eq!(live(&world), [world.first_key().clone(), key.key]);
        let actions: Vec<Action> = world
            .take_records()
            .into_iter()
            .map(|record| record.action)
            .collect();
        assert_eq!(
            actions,
            [
                Action::PutValue,
                Action::MoveCurrent,
                Action::AddLabel,
                Action::RemoveLabel
            ]
        );
    }
}

#[test]
fn rollback_goes_before_candidate_which_waits_for_the_next_rotation() {
    let world = world();
    let (_, candidate) = offer(&world, "CANDIDATE", ALL);
    let (_, rollback) = offer(&world, "ROLLBACK", ALL);
    world.rotate().unwrap();
    assert_eq!(world.current_key(), Some(rollback.key));
    world.rotate().unwrap();
    assert_eq!(world.current_key(), Some(candidate.key));
    let issued = world.rotate().unwrap();
    assert_eq!(world.document(&issued)["rotation"]["source"], json!("issued"));
}

#[test]
fn a_rollback_copies_the_old_credential_into_a_version_of_its_own() {
    let world = world();
    let bad = world.rotate().unwrap();
    world.label("ROLLBACK", Some(&world.first_version()));
    let token = world.rotate().unwrap();
    assert_eq!(world.current_key().as_ref(), Some(world.first_key()));
    assert_eq!(world.document(&token)["rotation"]["based_on"], json!(bad));
    assert_eq!(
        world.labels(&world.first_version()),
        ["REPLACED-20260301T120000Z-00000000"]
    );
    assert!(world.alive(&key_in(&world, &bad)));
}

#[test]
fn an_offer_of_the_current_key_loses_its_label_and_a_key_is_issued() {
    for label in ["CANDIDATE", "ROLLBACK"] {
        let world = world();
        world.label(label, Some(&world.first_version()));
        let token = created(&world);
        assert_eq!(world.holder(label), None);
        completes(&world, &token);
    }
}

#[test]
fn an_offer_that_cannot_be_used_is_refused_before_anything_is_stored() {
    type Offer = fn(&World) -> VersionId;
    let on_other_account: Offer = |world| {
        let key = world.key_by_hand_with(OTHER_SUB, settings_by_hand(ALL));
        world.put_by_hand(&value(""), &key, OTHER_SUB, "CANDIDATE")
    };
    let transfers: Offer = |world| offer(world, "CANDIDATE", &[SPOT, ALL[1], TRANSFERS]).0;
    let unknown: Offer = |world| offer(world, "CANDIDATE", &[SPOT, ALL[1], ("Teleport", &["Beam"])]).0;
    let too_much: Offer = |world| offer(world, "CANDIDATE", &[SPOT, ALL[1], OPTIONS]).0;
    let too_little: Offer = |world| offer(world, "CANDIDATE", &[SPOT]).0;
    let from_elsewhere: Offer = |world| {
        let elsewhere = Ips::only([FUNCTION_ADDRESS, std::net::Ipv4Addr::new(192, 0, 2, 66).into()]);
        let key = world.key_by_hand_with(
            SUB,
            Settings {
                ips: elsewhere,
                ..settings_by_hand(ALL)
            },
        );
        world.put_by_hand(&value(""), &key, SUB, "CANDIDATE")
    };
    let dead: Offer = |world| {
        let (version, key) = offer(world, "CANDIDATE", ALL);
        world.delete_key(&key.key);
        version
    };
    let not_from_here: Offer = |world| {
        let key = world.key_by_hand_with(
            SUB,
            Settings {
                ips: Ips::only([BOT_ADDRESS]),
                ..settings_by_hand(ALL)
            },
        );
        world.put_by_hand(&value(""), &key, SUB, "CANDIDATE")
    };
    let garbage: Offer = |world| {
        world.put_by_hand(
            "{}",
            &world.key_by_hand_with(SUB, settings_by_hand(ALL)),
            SUB,
            "CANDIDATE",
        )
    };
    let elsewhere: Offer = |world| {
        world.put_by_hand(
            &value(r#","environment":"testnet""#),
            &world.key_by_hand_with(SUB, settings_by_hand(ALL)),
            SUB,
            "CANDIDATE",
        )
    };
    let cases: [(Offer, &str); 10] = [
        (on_other_account, "account 53888001"),
        (transfers, "Wallet:AccountTransfer"),
        (unknown, "Teleport:Beam"),
        (too_much, "options"),
        (too_little, "derivatives"),
        (from_elsewhere, "192.0.2.66"),
        (dead, "signed with the offered credential"),
        (not_from_here, "signed with the offered credential"),
        (garbage, "`api_key` is missing"),
        (elsewhere, "another exchange or environment"),
    ];
    for (offer, named) in cases {
        let world = world();
        let version = offer(&world);
        world.take_calls();
        let token = world.begin_rotation();
        let said = refused(world.run(Step::Create, &token), ErrorType::OfferRefused);
        assert!(said.contains(named), "{said}");
        assert_eq!(world.take_writes(), [], "{named}");
        assert_eq!(world.labels(&version), ["CANDIDATE"], "{named}");
        // Without the label the rotation goes on.
        world.label("CANDIDATE", None);
        world.pass(&token).unwrap();
    }
}

#[test]
fn an_unbound_offer_is_refused_unless_the_policy_says_any() {
    for (policy, promoted) in [
        ("", false),
        (r#","policy":{"permissions":["spot"]}"#, false),
        (r#","policy":{"ip_allowlist":"any"}"#, true),
    ] {
        let key = settings_by_hand(&[SPOT]);
        let world = world_with(Setup {
            document: value(policy),
            key,
            ..Setup::default()
        });
        let unbound = world.key_by_hand_with(
            SUB,
            Settings {
                ips: Ips::Any,
                ..settings_by_hand(&[SPOT])
            },
        );
        world.put_by_hand(&value(""), &unbound, SUB, "CANDIDATE");
        let token = world.begin_rotation();
        let result = world.run(Step::Create, &token);
        if promoted {
            done(result, Done::Copied);
            completes(&world, &token);
        } else {
            refused(result, ErrorType::KeyUnbound);
        }
    }
}

#[test]
fn a_better_candidate_gets_through_after_a_bad_one() {
    let world = world();
    let (_, bad) = offer(&world, "CANDIDATE", ALL);
    let token = copied(&world);
    world.delete_key(&bad.key);
    refused(world.run(Step::Test, &token), ErrorType::PendingRejected);
    let (_, better) = offer(&world, "CANDIDATE", ALL);
    refused(world.run(Step::Create, &token), ErrorType::VersionDoomed);
    world.rotate().unwrap();
    assert_eq!(world.current_key(), Some(better.key));
}

#[test]
fn a_candidate_whose_label_was_only_taken_off_is_still_promoted() {
    let world = world();
    offer(&world, "CANDIDATE", ALL);
    let token = copied(&world);
    world.label("CANDIDATE", None);
    completes(&world, &token);
}

#[test]
fn a_rolled_back_key_of_ours_is_brought_to_the_policy() {
    let world = world();
    let good = world.rotate().unwrap();
    let key = key_in(&world, &good);
    world.rotate().unwrap();
    world.label("ROLLBACK", Some(&good));
    let token = copied(&world);
    let intended = world.settings_of(&key);
    world.edit_key(&key, |settings| settings.ips = Ips::Any);
    completes(&world, &token);
    assert_eq!(world.settings_of(&key), intended);
}

#[test]
fn a_label_left_on_after_the_swap_is_taken_off_by_the_next_run() {
    for (fault, attempts) in [(Fault::CrashBefore, 1), (Fault::Throttled, 4)] {
        let world = world();
        offer(&world, "CANDIDATE", ALL);
        let token = copied(&world);
        world.plan_all(Operation::RemoveLabel, 1..=attempts, fault);
        drop(world.run(Step::Finish, &token));
        assert!(world.holder("CANDIDATE").is_some());
        done(world.run(Step::Finish, &token), Done::AlreadyCurrent);
        assert_eq!(world.holder("CANDIDATE"), None);
    }
}

#[test]
fn a_bound_offer_replaces_an_unbound_key() {
    let key = Settings {
        ips: Ips::Any,
        ..settings_by_hand(&[SPOT])
    };
    let world = world_with(Setup {
        document: value(SUBACCOUNT),
        key,
        ..Setup::default()
    });
    offer(&world, "CANDIDATE", &[SPOT]);
    let token = copied(&world);
    completes(&world, &token);
}

#[test]
fn an_offered_key_a_person_put_under_the_token_is_not_taken_for_our_copy() {
    let world = world();
    let token = world.begin_rotation();
    let offered = world.key_by_hand_with(SUB, settings_by_hand(ALL));
    let document = value(SUBACCOUNT);
    world.put_by_hand(&document, &offered, SUB, "CANDIDATE");
    let mut run = world.start(world.request(Step::Create, &token));
    let put = run.until(Operation::Put);
    world.put_by_hand_as(&token, &document, &offered, SUB, "AWSPENDING");
    run.let_through(put, None);
    let problem = refused(run.finish(), ErrorType::VersionDoomed);
    assert!(problem.contains("not built by this function"), "{problem}");
}
