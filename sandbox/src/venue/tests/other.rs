//! What the profile of another venue changes: one whose keys have names and passphrases, whose master keys
//! are bound, and whose edits leave alone what they do not name.

use super::*;
use crate::bybit::BYBIT;

static OTHER: Profile = Profile {
    name: "other",
    masters: Bound::Required,
    self_service: SelfService::MastersOnly,
    notes: Names::Unique,
    max_note_length: 50,
    max_keys: 3,
    max_ips: 1,
    unbound: None,
    passphrase: Some(|text| text.len() >= 8),
    unnamed: Unnamed::Stays,
    gone: Gone::Done,
    window: Window {
        behind: 30_000,
        ahead: 30_000,
    },
    ..BYBIT
};

/// At the other venue, with a master key that is bound to home.
fn world() -> World {
    let mut world = World::of(&OTHER, Knobs::default());
    world.master = world
        .model
        .add_master_key(PARENT, Ips::only([HOME]), world.now)
        .expect("the parent is there");
    world
}

fn named(note: &str) -> IssueRequest {
    IssueRequest {
        passphrase: Some(Passphrase::from("long enough")),
        addresses: at(&["203.0.113.7"]),
        ..asking(note)
    }
}

#[test]
fn a_key_has_the_passphrase_that_was_asked_for_and_works_with_no_other() {
    let mut world = world();
    let issued = world
        .create(named("1"))
        .expect("the master may create")
        .credential;
    assert_eq!(issued.passphrase, Some(Passphrase::from("long enough")));
    assert!(world.try_key(&issued).is_ok());
    for passphrase in [None, Some(Passphrase::from("another one"))] {
        let wrong = Credential {
            passphrase,
            ..issued.clone()
        };
        assert_eq!(reason(world.try_key(&wrong)), Reason::Passphrase);
    }
}

#[test]
fn a_passphrase_that_the_venue_does_not_take_is_refused() {
    let mut world = world();
    for passphrase in [None, Some(Passphrase::from("short"))] {
        let request = IssueRequest {
            passphrase,
            ..named("1")
        };
        assert_eq!(reason(world.create(request)), Reason::BadPassphrase);
    }
}

#[test]
fn a_key_made_by_hand_has_a_passphrase_only_at_a_venue_that_has_them() {
    let made = |world: &mut World| world.by_hand(SUB, false, &[("Spot", &["SpotTrade"])]).passphrase;
    assert!(made(&mut world()).is_some());
    assert_eq!(made(&mut World::new()), None);
}

#[test]
fn an_unbound_master_manages_no_keys_and_still_lists_them() {
    let mut world = world();
    let key = world.created_named("1");
    let bound = world.master.clone();
    world.master = world
        .model
        .add_master_key(PARENT, Ips::Any, world.now)
        .expect("the parent is there");
    assert_eq!(reason(world.create(named("2"))), Reason::UnboundMaster);
    assert_eq!(reason(world.delete(&key)), Reason::UnboundMaster);
    assert_eq!(world.list(), std::slice::from_ref(&key));
    world.master = bound;
    world.delete(&key).expect("a bound one may");
}

#[test]
fn a_name_is_on_one_living_key_of_an_account() {
    let mut world = world();
    let first = world.created_named("1");
    assert_eq!(reason(world.create(named("1"))), Reason::NameTaken);
    let elsewhere = IssueRequest {
        account: OTHER_SUB,
        ..named("1")
    };
    assert!(world.create(elsewhere).is_ok());
    world.delete(&first).expect("the master may delete");
    world.created_named("1");
}

#[test]
fn an_edit_renames_a_key_and_leaves_alone_what_it_does_not_name() {
    let mut world = world();
    let (key, other) = (world.created_named("1"), world.created_named("2"));
    let before = world.settings(&key);
    let renamed = |note: &str| Changes {
        note: Some(note.to_owned()),
        ..Changes::default()
    };
    let mut edit = |changes: &Changes| {
        let target = Target::key(key.clone());
        world.wait(SignedDuration::from_secs(1));
        world
            .model
            .edit(&world.master.key, &target, changes, world.now)
            .map(|edited| edited.settings)
    };
    assert_eq!(reason(edit(&renamed("2"))), Reason::NameTaken);
    assert_eq!(
        edit(&renamed("1")),
        Ok(before.clone()),
        "its own name is not taken"
    );
    let expected = Settings {
        note: "3".to_owned(),
        ..before
    };
    assert_eq!(edit(&renamed("3")), Ok(expected));
    world.delete(&other).expect("the master may delete");
}

#[test]
fn limits_are_the_profiles_unless_a_knob_says_otherwise() {
    let mut world = world();
    let two = IssueRequest {
        addresses: at(&["203.0.113.7", "203.0.113.8"]),
        ..named("1")
    };
    assert_eq!(reason(world.create(two.clone())), Reason::TooManyAddresses);
    for note in ["1", "2", "3"] {
        world.created_named(note);
    }
    assert_eq!(reason(world.create(named("4"))), Reason::SlotsFull);
    world.model.knobs.max_keys = Some(4);
    world.model.knobs.max_ips = Some(2);
    assert!(
        world
            .create(IssueRequest {
                note: "4".to_owned(),
                ..two
            })
            .is_ok()
    );
}

#[test]
fn a_key_that_is_gone_is_deleted_again_without_a_word() {
    let mut world = world();
    let key = world.created_named("1");
    for _ in 0..2 {
        world.delete(&key).expect("it is gone");
    }
}

#[test]
fn a_sub_accounts_key_manages_nothing_not_even_itself() {
    let mut world = world();
    let key = world.by_hand(SUB, false, &[("Wallet", &["AccountTransfer"])]).key;
    let target = Target::default();
    let removed = world.model.remove(&key, &target, world.now);
    assert_eq!(reason(removed), Reason::MastersOnly);
    let edited = world.model.edit(&key, &target, &Changes::default(), world.now);
    assert_eq!(reason(edited), Reason::MastersOnly);
}

#[test]
fn an_account_has_a_name_and_a_key_is_found_on_the_account_named() {
    let mut world = world();
    for (uid, name) in [(SUB, "desk1"), (OTHER_SUB, "desk2")] {
        world.model.name_account(uid, name).expect("the account is there");
    }
    assert_eq!(world.model.account_named("desk1"), Some(SUB));
    assert_eq!(world.model.account_named("desk3"), None);
    let key = world.created_named("1");
    let target = |account: &str| Target {
        account: world.model.account_named(account),
        key: Some(key.clone()),
        passphrase: None,
    };
    let (wrong, right) = (target("desk2"), target("desk1"));
    let master = world.master.key.clone();
    let changes = Changes::default();
    assert_eq!(
        reason(world.model.edit(&master, &wrong, &changes, world.now)),
        Reason::NoSuchKey
    );
    assert!(world.model.edit(&master, &right, &changes, world.now).is_ok());
}

#[test]
fn an_unbound_key_does_not_expire_where_the_venue_lets_it_live() {
    let mut world = world();
    let request = IssueRequest {
        addresses: Vec::new(),
        ..named("1")
    };
    let issued = world.create(request).expect("the master may create").credential;
    world.wait(400 * DAY);
    assert!(world.try_key(&issued).is_ok());
}

#[test]
fn the_clock_may_be_off_by_as_much_as_the_profile_says() {
    let world = world();
    for (off, fits) in [(-30_001, false), (-30_000, true), (29_999, true), (30_000, false)] {
        let claim = Claim {
            key: world.master.key.as_str(),
            passphrase: world.master.passphrase.as_ref().map(Passphrase::expose),
            signed_at: world.now.as_millisecond() + off,
            window: None,
            address: HOME,
            environment: Environment::Mainnet,
        };
        let secret = world.master.secret.expose();
        let outcome = world.model.authenticate_by_secret(secret, &claim, world.now);
        assert_eq!(outcome.is_ok(), fits, "{off}");
    }
}

impl World {
    /// The id of a key of this name.
    fn created_named(&mut self, note: &str) -> KeyId {
        let issued = self.create(named(note)).expect("the master may create");
        issued.credential.key
    }
}
