use super::*;

fn edit(key: &KeyId) -> UpdateSubApi {
    UpdateSubApi {
        key: Some(key.clone()),
        ips: Some("203.0.113.7".to_owned()),
        ..UpdateSubApi::default()
    }
}

fn bound(world: &mut World) -> KeyId {
    let request = CreateSubApi {
        ips: Some("203.0.113.7".to_owned()),
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
    let request = UpdateSubApi {
        read_only: Some(true),
        permissions: Some(requested(&[("ContractTrade", &["Order"])])),
        ..edit(&key)
    };
    let updated = world
        .model
        .update_sub_api(&world.master.key, &request, world.now)
        .expect("the master may edit");
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
    let request = UpdateSubApi {
        ips: None,
        ..edit(&key)
    };
    world
        .model
        .update_sub_api(&world.master.key, &request, world.now)
        .expect("the master may edit");
    assert_eq!(world.settings(&key).ips, Ips::Any);
}

#[test]
fn an_edit_keeps_omitted_permissions_but_omitted_read_only_means_write() {
    let mut world = World::new();
    let created = world
        .create(CreateSubApi {
            read_only: true,
            ..asking("x")
        })
        .expect("the master may create");
    let key = created.credential.key;
    world
        .model
        .update_sub_api(&world.master.key, &edit(&key), world.now)
        .expect("the master may edit");
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
        let request = UpdateSubApi {
            key,
            ..UpdateSubApi::default()
        };
        assert_eq!(
            ret_code(world.model.update_sub_api(&master, &request, world.now)),
            code::PARAMETER
        );
    }
}

#[test]
fn the_code_for_a_key_that_is_not_there_is_a_knob() {
    let mut world = World::with(Knobs {
        no_such_key_ret_code: code::INVALID_KEY,
        ..Knobs::default()
    });
    let request = edit(&KeyId::from("nobody"));
    assert_eq!(
        ret_code(world.model.update_sub_api(&world.master.key, &request, world.now)),
        code::INVALID_KEY
    );
}

#[test]
fn a_sub_accounts_key_edits_itself_without_naming_a_key() {
    for value in ["AccountTransfer", "SubMemberTransferList"] {
        let mut world = World::new();
        let key = world.by_hand(SUB, false, &[("Wallet", &[value])]).key;
        let named = world.model.update_sub_api(&key, &edit(&key), world.now);
        assert_eq!(ret_code(named), code::PARAMETER);
        world
            .model
            .update_sub_api(
                &key,
                &UpdateSubApi {
                    key: None,
                    ..edit(&key)
                },
                world.now,
            )
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
            .update_sub_api(&key, &UpdateSubApi::default(), world.now);
        assert_eq!(ret_code(outcome), code::PERMISSION);
    }
}

#[test]
fn a_master_key_edits_its_own_permissions_but_not_its_addresses() {
    let mut world = World::new();
    let master = world.master.key.clone();
    let request = UpdateApi {
        ips: Some("203.0.113.7".to_owned()),
        ..UpdateApi::default()
    };
    assert_eq!(
        ret_code(world.model.update_api(&master, &request, world.now)),
        code::PARAMETER
    );

    let shrunk = requested(&[("Wallet", &["SubMemberTransfer"])]);
    let request = UpdateApi {
        permissions: Some(shrunk),
        ..UpdateApi::default()
    };
    let updated = world
        .model
        .update_api(&master, &request, world.now)
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
    let widened = UpdateApi {
        permissions: Some(requested(&[("Wallet", &["Withdraw"])])),
        ..UpdateApi::default()
    };
    assert_eq!(
        ret_code(world.model.update_api(&key, &widened, world.now)),
        code::PARAMETER
    );
    let other = UpdateApi {
        permissions: Some(requested(&[("Spot", &["SpotTrade"])])),
        ..UpdateApi::default()
    };
    world
        .model
        .update_api(&key, &other, world.now)
        .expect("it may edit itself");
    let expected = Permissions::of(&[("Spot", &["SpotTrade"]), ("FiatP2P", &["Advertising"])]);
    assert_eq!(world.settings(&key).permissions, expected);
}

#[test]
fn a_sub_accounts_key_is_refused_the_masters_edit() {
    let mut world = World::new();
    let key = world.by_hand(SUB, false, &[("Wallet", &["AccountTransfer"])]).key;
    assert_eq!(
        ret_code(world.model.update_api(&key, &UpdateApi::default(), world.now)),
        code::PERMISSION
    );
}
