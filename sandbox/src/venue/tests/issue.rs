use super::*;

#[test]
fn a_created_key_works_and_is_what_was_asked_for() {
    let mut world = World::new();
    let request = IssueRequest {
        addresses: at(&["203.0.113.7", "198.51.100.1"]),
        permissions: requested(&[
            ("ContractTrade", &["Order", "Position"]),
            ("Spot", &["SpotTrade"]),
        ]),
        ..asking("rot-1")
    };
    let created = world.create(request).expect("the master may create");
    assert!(world.try_key(&created.credential).is_ok());
    assert_eq!(
        (created.settings.note.as_str(), created.settings.read_only),
        ("rot-1", false)
    );
    assert_eq!(
        created.settings.permissions,
        Permissions::of(&[
            ("ContractTrade", &["Order", "Position"]),
            ("Spot", &["SpotTrade"]),
            ("Derivatives", &["DerivativesTrade"]),
        ])
    );
    let settings = world.settings(&created.credential.key);
    assert_eq!(settings.ips.shown(), ["203.0.113.7", "198.51.100.1"]);
}

#[test]
fn the_same_request_twice_makes_two_keys() {
    let mut world = World::new();
    let (first, second) = (world.created("x1"), world.created("x1"));
    assert_ne!(first.credential.key, second.credential.key);
    assert_eq!(world.list().len(), 2);
}

#[test]
fn only_a_master_key_creates() {
    let mut world = World::new();
    let sub = world.by_hand(SUB, false, &[("Wallet", &["AccountTransfer"])]);
    assert_eq!(
        reason(world.model.issue(&sub.key, asking("x"), world.now)),
        Reason::MastersOnly
    );
}

#[test]
fn a_master_creates_with_any_of_the_three_permissions_and_with_no_other() {
    for value in ["AccountTransfer", "SubMemberTransfer", "Withdraw"] {
        let mut world = World::new();
        let key = world.by_hand(PARENT, false, &[("Wallet", &[value])]).key;
        assert!(world.model.issue(&key, asking("x"), world.now).is_ok(), "{value}");
    }
    let mut world = World::new();
    let key = world
        .by_hand(
            PARENT,
            false,
            &[("Spot", &["SpotTrade"]), ("Wallet", &["SubMemberTransferList"])],
        )
        .key;
    let outcome = world.model.issue(&key, asking("x"), world.now);
    assert_eq!(reason(outcome), Reason::Permission);
}

#[test]
fn a_read_only_master_key_does_not_create() {
    let mut world = World::new();
    let key = world
        .by_hand(PARENT, true, &[("Wallet", &["AccountTransfer"])])
        .key;
    assert_eq!(
        reason(world.model.issue(&key, asking("x"), world.now)),
        Reason::Permission
    );
}

#[test]
fn keys_are_created_for_the_callers_own_sub_accounts_only() {
    let mut world = World::new();
    for account in [STRANGERS_SUB, STRANGER, PARENT, 1] {
        assert_eq!(
            reason(world.create(IssueRequest {
                account,
                ..asking("x")
            })),
            Reason::NoSuchAccount,
            "{account}"
        );
    }
}

#[test]
fn bad_permissions_and_addresses_are_refused_and_leave_nothing_behind() {
    let mut world = World::new();
    let nothing = IssueRequest {
        permissions: Requested::new(),
        ..asking("x")
    };
    let unknown = IssueRequest {
        permissions: requested(&[("Teleport", &["Beam"])]),
        ..asking("x")
    };
    let withdraw = IssueRequest {
        permissions: requested(&[("Wallet", &["Withdraw"])]),
        ..asking("x")
    };
    let address = IssueRequest {
        addresses: at(&["home"]),
        ..asking("x")
    };
    for request in [nothing, unknown, withdraw, address] {
        assert_eq!(reason(world.create(request)), Reason::Parameter);
    }
    assert_eq!(world.model.keys().len(), 1);
}

#[test]
fn a_classic_account_gets_no_derivatives() {
    let mut world = World::new();
    world
        .model
        .set_unified(SUB, false)
        .expect("the sub-account is there");
    let request = IssueRequest {
        permissions: requested(&[("ContractTrade", &["Order"])]),
        ..asking("x")
    };
    let created = world.create(request).expect("the master may create");
    assert_eq!(
        created.settings.permissions,
        Permissions::of(&[("ContractTrade", &["Order"])])
    );
}

#[test]
fn one_key_more_than_the_maximum_is_refused_with_the_code_of_the_knob() {
    let mut world = World::with(Knobs {
        max_keys: Some(2),
        max_keys_code: Some(20_021),
        ..Knobs::default()
    });
    let first = world.created("1").credential.key;
    world.created("2");
    let refusal = world.create(asking("3")).expect_err("there are two keys");
    assert_eq!((refusal.reason, refusal.code), (Reason::SlotsFull, Some(20_021)));
    assert!(
        world
            .create(IssueRequest {
                account: OTHER_SUB,
                ..asking("3")
            })
            .is_ok(),
        "each account has its own"
    );
    world.delete(&first).expect("the master may delete");
    world.created("3");
}

#[test]
fn a_note_can_be_made_unique_and_has_a_longest_length() {
    let mut world = World::with(Knobs {
        unique_notes: true,
        max_note_length: Some(4),
        ..Knobs::default()
    });
    let first = world.created("x1éé").credential.key;
    assert_eq!(reason(world.create(asking("x1éé"))), Reason::NameTaken);
    assert_eq!(reason(world.create(asking("12345"))), Reason::Parameter);
    world.delete(&first).expect("the master may delete");
    world.created("x1éé");
}

#[test]
fn a_site_that_issues_none_and_a_missing_identity_check_create_nothing() {
    let mut world = World::with(Knobs {
        issues_no_keys: true,
        ..Knobs::default()
    });
    assert_eq!(reason(world.create(asking("x"))), Reason::IssuesNoKeys);
    let mut world = World::with(Knobs {
        kyc_missing: true,
        ..Knobs::default()
    });
    assert_eq!(reason(world.create(asking("x"))), Reason::Kyc);
}

#[test]
fn what_the_venue_adds_comes_beside_its_group_or_on_every_key_by_a_knob() {
    let derivatives = |knobs: Knobs, grants: &[(&str, &[&str])]| {
        let mut world = World::with(knobs);
        let request = IssueRequest {
            permissions: requested(grants),
            ..asking("x")
        };
        let created = world.create(request).expect("the master may create");
        created
            .settings
            .permissions
            .grants("Derivatives", "DerivativesTrade")
    };
    let everywhere = Knobs {
        adds_to_every_key: true,
        ..Knobs::default()
    };
    assert!(derivatives(Knobs::default(), &[("ContractTrade", &["Order"])]));
    assert!(!derivatives(Knobs::default(), &[("Spot", &["SpotTrade"])]));
    assert!(derivatives(everywhere, &[("Spot", &["SpotTrade"])]));
}
