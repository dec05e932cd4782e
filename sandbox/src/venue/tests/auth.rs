use super::*;

/// A claim that a test bends before it is checked.
struct Claimed<'a> {
    world: &'a World,
    credential: Credential,
    signed_at: i64,
    window: Option<i64>,
    address: IpAddr,
    environment: Environment,
}

impl<'a> Claimed<'a> {
    fn by(world: &'a World, credential: &Credential) -> Self {
        Self {
            world,
            credential: credential.clone(),
            signed_at: world.now.as_millisecond(),
            window: None,
            address: HOME,
            environment: Environment::Mainnet,
        }
    }

    fn check(&self) -> Result<KeyId, Refusal> {
        let Credential {
            key,
            secret,
            passphrase,
        } = &self.credential;
        let claim = Claim {
            key: key.as_str(),
            passphrase: passphrase.as_ref().map(Passphrase::expose),
            signed_at: self.signed_at,
            window: self.window,
            address: self.address,
            environment: self.environment,
        };
        let model = &self.world.model;
        model.authenticate_by_secret(secret.expose(), &claim, self.world.now)
    }
}

#[test]
fn a_good_secret_names_its_key_and_a_wrong_one_does_not() {
    let world = World::new();
    let master = world.master.clone();
    assert_eq!(Claimed::by(&world, &master).check(), Ok(master.key.clone()));
    let forged = Credential {
        secret: KeySecret::from("guessed"),
        ..master
    };
    assert_eq!(reason(Claimed::by(&world, &forged).check()), Reason::Signature);
}

#[test]
fn the_clock_window_is_open_backwards_and_one_second_forwards() {
    let world = World::new();
    let server = world.now.as_millisecond();
    for (signed_at, window, fits) in [
        (server - 5_000, Some(5_000), true),
        (server - 5_001, Some(5_000), false),
        (server - 5_001, Some(7_500), true),
        (server - 5_000, None, true),
        (server - 5_001, None, false),
        (server + 999, Some(5_000), true),
        (server + 1_000, Some(5_000), false),
    ] {
        let outcome = Claimed {
            signed_at,
            window,
            ..Claimed::by(&world, &world.master)
        }
        .check();
        let off = signed_at - server;
        assert_eq!(outcome.is_ok(), fits, "{off} ms, window {window:?}");
        if !fits {
            assert_eq!(reason(outcome), Reason::Clock);
        }
    }
}

#[test]
fn an_unknown_key_is_invalid() {
    let world = World::new();
    let nobody = Credential {
        key: KeyId::from("nobody"),
        ..world.master.clone()
    };
    assert_eq!(reason(Claimed::by(&world, &nobody).check()), Reason::InvalidKey);
}

#[test]
fn a_key_of_another_environment_is_refused() {
    let world = World::new();
    let elsewhere = Claimed {
        environment: Environment::Testnet,
        ..Claimed::by(&world, &world.master)
    };
    assert_eq!(reason(elsewhere.check()), Reason::WrongEnvironment);
}

#[test]
fn a_bound_key_works_from_its_addresses_only() {
    let mut world = World::new();
    let key = world
        .model
        .add_master_key(PARENT, Ips::only([HOME]), world.now)
        .expect("the parent is there");
    assert!(Claimed::by(&world, &key).check().is_ok());
    let mapped = Ipv4Addr::new(203, 0, 113, 7).to_ipv6_mapped().into();
    assert!(
        Claimed {
            address: mapped,
            ..Claimed::by(&world, &key)
        }
        .check()
        .is_ok()
    );
    let abroad = Claimed {
        address: Ipv4Addr::new(198, 51, 100, 1).into(),
        ..Claimed::by(&world, &key)
    };
    assert_eq!(reason(abroad.check()), Reason::Address);
}

#[test]
fn a_banned_account_is_refused_until_the_ban_is_lifted() {
    let mut world = World::new();
    world.model.ban(PARENT, true).expect("the parent is there");
    assert_eq!(reason(world.try_key(&world.master)), Reason::Banned);
    world.model.ban(PARENT, false).expect("the parent is there");
    assert!(world.try_key(&world.master).is_ok());
}

#[test]
fn a_debug_print_of_a_claim_hides_the_passphrase() {
    let claim = Claim {
        key: "testkey",
        passphrase: Some("5ec2e7"),
        signed_at: 1,
        window: None,
        address: HOME,
        environment: Environment::Mainnet,
    };
    assert!(!format!("{claim:?}").contains("5ec2e7"));
}
