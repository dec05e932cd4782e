use super::*;

/// An edit that binds a key to home.
fn bound_to_home() -> Changes {
    Changes {
        addresses: Some(at(&["203.0.113.7"])),
        ..Changes::default()
    }
}

impl World {
    fn edit(&mut self, key: &KeyId, changes: &Changes) -> Result<EditedKey, Refusal> {
        self.model
            .edit(&self.master.key, &Target::key(key.clone()), changes, self.now)
    }
}

fn bound(world: &mut World) -> KeyId {
    let request = IssueRequest {
        addresses: at(&["203.0.113.7"]),
        ..asking("rot-1")
    };
    world
        .create(request)
        .expect("the master may create")
        .credential
        .key
}

#[test]
fn a_master_edits_a_key_of_its_sub_account() {
    let mut world = World::new();
    let key = world.created("rot-1").credential.key;
    let changes = Changes {
        read_only: Some(true),
        permissions: Some(requested(&[("ContractTrade", &["Order"])])),
        ..bound_to_home()
    };
    let updated = world.edit(&key, &changes).expect("the master may edit");
    assert_eq!(updated.settings, world.settings(&key));
    assert_eq!(updated.settings.note, "rot-1", "a note stays");
    assert_eq!(updated.settings.ips, Ips::only([HOME]));
    assert!(updated.settings.read_only);
    let expected = Permissions::of(&[
        ("ContractTrade", &["Order"]),
        ("Derivatives", &["DerivativesTrade"]),
    ]);
    assert_eq!(updated.settings.permissions, expected);
}

#[test]
fn an_edit_without_addresses_unbinds_the_key() {
    let mut world = World::new();
    let key = bound(&mut world);
    world
        .edit(&key, &Changes::default())
        .expect("the master may edit");
    assert_eq!(world.settings(&key).ips, Ips::Any);
}

#[test]
fn an_edit_keeps_omitted_permissions_but_omitted_read_only_means_write() {
    let mut world = World::new();
    let created = world
        .create(IssueRequest {
            read_only: true,
            ..asking("x")
        })
        .expect("the master may create");
    let key = created.credential.key;
    world.edit(&key, &bound_to_home()).expect("the master may edit");
    let settings = world.settings(&key);
    assert_eq!(settings.permissions, Permissions::of(&[("Spot", &["SpotTrade"])]));
    assert!(!settings.read_only);
}

#[test]
fn a_master_has_to_name_a_key_and_it_has_to_be_its_sub_accounts() {
    let mut world = World::new();
    let strangers = world.by_hand(STRANGERS_SUB, false, &[("Spot", &["SpotTrade"])]);
    let master = world.master.key.clone();
    for key in [
        None,
        Some(strangers.key),
        Some(master.clone()),
        Some(KeyId::from("nobody")),
    ] {
        let target = Target {
            key,
            ..Target::default()
        };
        let expected = if target.key.is_none() {
            Reason::Parameter
        } else {
            Reason::NoSuchKey
        };
        let outcome = world.model.edit(&master, &target, &Changes::default(), world.now);
        assert_eq!(reason(outcome), expected);
    }
}

#[test]
fn the_code_for_a_key_that_is_not_there_is_a_knob() {
    let mut world = World::with(Knobs {
        no_such_key_code: Some(10_003),
        ..Knobs::default()
    });
    let refusal = world
        .edit(&KeyId::from("nobody"), &bound_to_home())
        .expect_err("there is no such key");
    assert_eq!((refusal.reason, refusal.code), (Reason::NoSuchKey, Some(10_003)));
}

#[test]
fn a_sub_accounts_key_edits_itself_without_naming_a_key() {
    for value in ["AccountTransfer", "SubMemberTransferList"] {
        let mut world = World::new();
        let key = world.by_hand(SUB, false, &[("Wallet", &[value])]).key;
        let named = Target::key(key.clone());
        let outcome = world.model.edit(&key, &named, &bound_to_home(), world.now);
        assert_eq!(reason(outcome), Reason::Parameter);
        world
            .model
            .edit(&key, &Target::default(), &bound_to_home(), world.now)
            .expect("it may");
        assert_eq!(world.settings(&key).ips, Ips::only([HOME]));
    }
}

#[test]
fn a_key_that_may_not_transfer_or_only_reads_edits_nothing() {
    let mut world = World::new();
    let trader = world.by_hand(SUB, false, &[("Spot", &["SpotTrade"])]).key;
    let reader = world.by_hand(SUB, true, &[("Wallet", &["AccountTransfer"])]).key;
    for key in [trader, reader] {
        let outcome = world
            .model
            .edit(&key, &Target::default(), &Changes::default(), world.now);
        assert_eq!(reason(outcome), Reason::Permission);
    }
}

#[test]
fn a_master_key_edits_its_own_permissions_but_not_its_addresses() {
    let mut world = World::new();
    let master = world.master.key.clone();
    let request = bound_to_home();
    assert_eq!(
        reason(world.model.edit_own(&master, &request, world.now)),
        Reason::Parameter
    );

    let shrunk = requested(&[("Wallet", &["SubMemberTransfer"])]);
    let request = Changes {
        permissions: Some(shrunk),
        ..Changes::default()
    };
    let updated = world
        .model
        .edit_own(&master, &request, world.now)
        .expect("it may edit itself");
    assert_eq!(
        updated.settings.permissions,
        Permissions::of(&[("Wallet", &["SubMemberTransfer"])])
    );
    assert_eq!(updated.settings.ips, Ips::Any);
}

#[test]
fn a_master_cannot_grant_itself_withdrawal_and_keeps_what_no_api_touches() {
    let mut world = World::new();
    let grants: &[(&str, &[&str])] = &[("Wallet", &["Withdraw"]), ("FiatP2P", &["Advertising"])];
    let key = world.by_hand(PARENT, false, grants).key;
    let widened = Changes {
        permissions: Some(requested(&[("Wallet", &["Withdraw"])])),
        ..Changes::default()
    };
    assert_eq!(
        reason(world.model.edit_own(&key, &widened, world.now)),
        Reason::Parameter
    );
    let other = Changes {
        permissions: Some(requested(&[("Spot", &["SpotTrade"])])),
        ..Changes::default()
    };
    world
        .model
        .edit_own(&key, &other, world.now)
        .expect("it may edit itself");
    let expected = Permissions::of(&[("Spot", &["SpotTrade"]), ("FiatP2P", &["Advertising"])]);
    assert_eq!(world.settings(&key).permissions, expected);
}

#[test]
fn a_sub_accounts_key_is_refused_the_masters_edit() {
    let mut world = World::new();
    let key = world.by_hand(SUB, false, &[("Wallet", &["AccountTransfer"])]).key;
    assert_eq!(
        reason(world.model.edit_own(&key, &Changes::default(), world.now)),
        Reason::MastersOnly
    );
}
