use super::*;

/// A signed request that a test bends before it is checked.
struct Signed<'a> {
    world: &'a World,
    credential: Credential,
    timestamp: i64,
    window: Option<&'a str>,
    payload: &'a [u8],
    sent_payload: &'a [u8],
    address: IpAddr,
    environment: Environment,
}

impl<'a> Signed<'a> {
    fn by(world: &'a World, credential: &Credential) -> Self {
        Self {
            world,
            credential: credential.clone(),
            timestamp: world.now.as_millisecond(),
            window: Some("5000"),
            payload: b"subMemberId=1",
            sent_payload: b"subMemberId=1",
            address: HOME,
            environment: Environment::Mainnet,
        }
    }

    fn check(&self) -> Result<KeyId, Refusal> {
        let timestamp = self.timestamp.to_string();
        let key = &self.credential.key;
        let signature =
            self.credential
                .secret
                .sign(&timestamp, key, self.window.unwrap_or_default(), self.payload);
        let request = SignedRequest {
            key: key.as_str(),
            timestamp: &timestamp,
            recv_window: self.window,
            signature: &signature,
            payload: self.sent_payload,
            address: self.address,
            environment: self.environment,
        };
        self.world.model.authenticate(&request, self.world.now)
    }
}

#[test]
fn a_good_signature_names_its_key() {
    let world = World::new();
    assert_eq!(
        Signed::by(&world, &world.master).check(),
        Ok(world.master.key.clone())
    );
}

#[test]
fn a_wrong_secret_or_payload_is_refused_with_the_string_that_was_signed() {
    let world = World::new();
    let forged = Credential {
        secret: KeySecret::from("guessed"),
        ..world.master.clone()
    };
    assert_eq!(ret_code(Signed::by(&world, &forged).check()), code::SIGNATURE);

    let tampered = Signed {
        sent_payload: b"subMemberId=2",
        ..Signed::by(&world, &world.master)
    };
    let refusal = tampered.check().expect_err("the payload was tampered with");
    let origin = format!("1700000000000{}5000subMemberId=2", world.master.key);
    assert_eq!(
        (refusal.ret_code, refusal.ret_msg),
        (10_004, format!("error sign! origin_string[{origin}]"))
    );
    assert!(!refusal.why.contains(world.master.key.as_str()));
}

#[test]
fn the_clock_window_is_open_backwards_and_one_second_forwards() {
    let world = World::new();
    let server = world.now.as_millisecond();
    for (timestamp, window, fits) in [
        (server - 5_000, Some("5000"), true),
        (server - 5_001, Some("5000"), false),
        (server - 5_001, Some("7500"), true),
        (server - 5_000, None, true),
        (server - 5_001, None, false),
        (server + 999, Some("5000"), true),
        (server + 1_000, Some("5000"), false),
    ] {
        let outcome = Signed {
            timestamp,
            window,
            ..Signed::by(&world, &world.master)
        }
        .check();
        assert_eq!(
            outcome.is_ok(),
            fits,
            "{} ms, window {window:?}",
            timestamp - server
        );
        if !fits {
            assert_eq!(ret_code(outcome), code::CLOCK);
        }
    }
}

#[test]
fn a_clock_refusal_tells_both_times_as_the_venue_does() {
    let world = World::new();
    let late = Signed {
        timestamp: 1_600_000_000_000,
        ..Signed::by(&world, &world.master)
    };
    assert_eq!(
        late.check().expect_err("years late").ret_msg,
        "invalid request, please check your server timestamp or recv_window param. \
         req_timestamp[1600000000000],server_timestamp[1700000000000],recv_window[5000]"
    );
}

#[test]
fn a_time_header_that_is_no_number_is_a_parameter_error() {
    let world = World::new();
    assert_eq!(
        ret_code(
            Signed {
                window: Some("soon"),
                ..Signed::by(&world, &world.master)
            }
            .check()
        ),
        code::PARAMETER
    );
}

#[test]
fn an_unknown_key_is_invalid() {
    let world = World::new();
    let nobody = Credential {
        key: KeyId::from("nobody"),
        ..world.master.clone()
    };
    let refusal = Signed::by(&world, &nobody)
        .check()
        .expect_err("nobody has this key");
    assert_eq!(
        (refusal.ret_code, refusal.ret_msg.as_str()),
        (10_003, "API key is invalid.")
    );
}

#[test]
fn a_key_of_another_environment_looks_just_like_an_unknown_one() {
    let world = World::new();
    let elsewhere = Signed {
        environment: Environment::Testnet,
        ..Signed::by(&world, &world.master)
    };
    let refusal = elsewhere.check().expect_err("the key is mainnet's");
    assert_eq!(
        (refusal.ret_code, refusal.ret_msg.as_str()),
        (10_003, "API key is invalid.")
    );
}

#[test]
fn a_bound_key_works_from_its_addresses_only() {
    let mut world = World::new();
    let key = world
        .model
        .add_master_key(PARENT, Ips::only([HOME]), world.now)
        .expect("the parent is there");
    assert!(Signed::by(&world, &key).check().is_ok());
    let mapped = Ipv4Addr::new(203, 0, 113, 7).to_ipv6_mapped().into();
    assert!(
        Signed {
            address: mapped,
            ..Signed::by(&world, &key)
        }
        .check()
        .is_ok()
    );
    let abroad = Signed {
        address: Ipv4Addr::new(198, 51, 100, 1).into(),
        ..Signed::by(&world, &key)
    };
    let refusal = abroad.check().expect_err("the caller is abroad");
    assert_eq!(refusal.ret_code, code::ADDRESS);
    assert_eq!(
        refusal.ret_msg,
        "Unmatched IP, please check your API key's bound IP addresses."
    );
}

#[test]
fn a_banned_account_is_refused_until_the_ban_is_lifted() {
    let mut world = World::new();
    world.model.ban(PARENT, true).expect("the parent is there");
    assert_eq!(ret_code(world.try_key(&world.master)), code::BANNED);
    world.model.ban(PARENT, false).expect("the parent is there");
    assert!(world.try_key(&world.master).is_ok());
}

#[test]
fn a_debug_print_of_a_request_hides_the_signature() {
    let request = SignedRequest {
        key: "testkey",
        timestamp: "1",
        recv_window: None,
        signature: "5ec2e7",
        payload: b"",
        address: HOME,
        environment: Environment::Mainnet,
    };
    assert!(!format!("{request:?}").contains("5ec2e7"));
}
