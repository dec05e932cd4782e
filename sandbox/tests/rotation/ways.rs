//! Venues of other ways: where keys are made by a person alone, where asking one does harm, where a refusal
//! does not say why, where keys are pairs, or are deleted by their passphrases.

use sandbox::in_process::Operation;
use sandbox::in_process::kind::{MUDDLED_SUPPLIED, PASSWORD, PLAIN, SHY, TERSE, VenueKind};
use sandbox::venue::{Credential, Knobs};

use super::other_venues::{another_master, times_asked};
use super::*;

/// A value whose key a person has made.
const BY_HAND: &str = concat!(
    r#"{"exchange":"bybit","environment":"mainnet",<credential>,"subaccount":"<account>","#,
    r#""policy":{"permissions":[<words>],"ip_allowlist":<places>}}"#
);
/// One whose keys are issued, with what its policy says beside the usual.
const ISSUED: &str = concat!(
    r#"{"exchange":"bybit","environment":"mainnet",<credential>,"subaccount":"<account>","#,
    r#""masterarn":"<master>","#,
    r#""policy":{"permissions":[<words>],"ip_allowlist":["203.0.113.7"]<more>}}"#
);

fn by_hand(kind: &VenueKind) -> String {
    let places = if kind.name == MUDDLED_SUPPLIED.name {
        r#""any""#
    } else {
        r#"["203.0.113.7"]"#
    };
    BY_HAND.replace("<places>", places)
}

/// A world where a person makes the keys.
fn supplied(kind: &'static VenueKind) -> Watched {
    world_with(Setup {
        document: by_hand(kind),
        ..Setup::at(kind)
    })
}

fn offered(world: &World) -> (VersionId, Credential) {
    let key = world.key_by_hand_with(SUB, settings_by_hand(world.kind().usual));
    let version = world.put_by_hand(&by_hand(world.kind()), &key, SUB, "CANDIDATE");
    (version, key)
}

fn pairs(kind: &'static VenueKind, by_hand: bool, more: &str) -> Watched {
    world_with(Setup {
        document: ISSUED.replace("<more>", more),
        venue: Knobs {
            pairs_by_hand: by_hand,
            rate_limits: false,
            ..Knobs::default()
        },
        ..Setup::at(kind)
    })
}

fn is_pair(world: &World, version: &VersionId) -> bool {
    let document = world.document(version);
    let secret = document["api_secret"].as_str().expect("a key secret");
    secret.starts_with("-----BEGIN PRIVATE KEY-----")
}

#[test]
fn a_candidate_is_promoted_where_only_a_person_makes_keys() {
    for kind in [&SHY, &MUDDLED_SUPPLIED] {
        let world = supplied(kind);
        let (_, key) = offered(&world);
        let token = copied(&world);
        completes(&world, &token);
        assert_eq!(world.key_in(&token).as_ref(), Some(&key.key), "{}", kind.name);
        assert_eq!(world.holder("CANDIDATE"), None, "{}", kind.name);
    }
}

#[test]
fn a_rotation_without_a_candidate_says_what_to_make_where_nobody_issues() {
    for kind in [&SHY, &MUDDLED_SUPPLIED] {
        let said = issues_nothing(&supplied(kind), ErrorType::CandidateMissing);
        assert!(
            said.contains("CANDIDATE") && said.contains("put-secret-value"),
            "{said}"
        );
    }
}

#[test]
fn a_key_in_use_is_never_asked_where_that_shuts_out_who_uses_it() {
    let world = supplied(&SHY);
    offered(&world);
    world.take_calls();
    let token = copied(&world);
    completes(&world, &token);
    let answer = world.maintain();
    assert_eq!(times_asked(&world, "current"), 0, "{answer:?}");
}

#[test]
fn the_services_dry_run_asks_nothing_where_asking_does_harm() {
    let world = supplied(&SHY);
    let request = world.begin_dry_run_of(world.secret()).expect("a dry run");
    world.take_calls();
    done(world.start(request).finish(), Done::NotAsked);
    assert_eq!(world.take_count(Operation::Inspect), 0);
}

#[test]
fn a_key_that_was_in_use_is_not_offered_again_where_asking_does_harm() {
    let world = supplied(&SHY);
    let first = world.first_version();
    offered(&world);
    let token = copied(&world);
    completes(&world, &token);
    world.label("ROLLBACK", Some(&first));
    world.take_calls();
    let token = world.begin_rotation();
    let said = refused(world.run(Step::Create, &token), ErrorType::OfferRefused);
    assert!(said.contains("shut out"), "{said}");
    assert_eq!(world.take_count(Operation::Inspect), 0);
}

#[test]
fn a_former_version_that_cannot_be_read_is_named_where_asking_does_harm() {
    let world = supplied(&SHY);
    let first = world.first_key().clone();
    let junk = VersionId::new("a-value-that-nobody-can-read-by-one-hand");
    world.put_value(world.secret(), &junk, "{}", &["AWSCURRENT"]);
    let value = world.filled_in(&by_hand(&SHY), &world.credential(&first), SUB);
    let again = VersionId::new("a-value-that-can-be-read-again-by-one-hand");
    world.put_value(world.secret(), &again, &value, &["AWSCURRENT"]);
    offered(&world);
    let token = world.begin_rotation();
    let said = refused(world.run(Step::Create, &token), ErrorType::OfferRefused);
    assert!(
        said.contains(junk.as_str()) && said.contains("AWSPREVIOUS"),
        "{said}"
    );
    // Who knows that it held another key says so.
    world.label("AWSPREVIOUS", None);
    done(world.run(Step::Create, &token), Done::Copied);
    completes(&world, &token);
}

/// A hand makes the offered version current while its copy waits.
#[test]
fn a_copy_whose_key_came_into_use_meanwhile_is_given_up_unasked() {
    let world = supplied(&SHY);
    let (offer, key) = offered(&world);
    let token = copied(&world);
    world.make_current(&offer);
    let new = world.key_by_hand_with(SUB, settings_by_hand(SHY.usual));
    world.put_by_hand(&by_hand(&SHY), &new, SUB, "own");
    world.make_current(&world.first_version());
    world.take_calls();
    drop(world.run(Step::Set, &token));
    assert_eq!(world.take_count(Operation::Inspect), 0);
    assert!(world.alive(&key.key));
    refused(world.run(Step::Create, &token), ErrorType::VersionDoomed);
    assert_eq!(world.holder("AWSPENDING"), None);
}

#[test]
fn who_goes_back_does_so_to_the_form_that_consumers_had() {
    let world = pairs(&TERSE, false, r#","key_type":"ed25519""#);
    let first = world.first_version();
    let token = created(&world);
    completes(&world, &token);
    assert!(is_pair(&world, &token));
    world.label("ROLLBACK", Some(&first));
    let token = copied(&world);
    completes(&world, &token);
    assert!(!is_pair(&world, &token));
}

#[test]
fn a_new_key_is_asked_thrice_at_most_where_rejections_lock_us_out() {
    let world = supplied(&SHY);
    offered(&world);
    let token = copied(&world);
    world.venue(|model, _| model.knobs.new_key_delay = hours(1));
    world.take_calls();
    refused(world.run(Step::Test, &token), ErrorType::PendingRejected);
    assert_eq!(times_asked(&world, "pending"), 3);
}

#[test]
fn a_refusal_that_does_not_say_why_gives_no_persons_key_up() {
    let world = supplied(&MUDDLED_SUPPLIED);
    let (_, key) = offered(&world);
    let token = copied(&world);
    world.edit_key(&key.key, |settings| settings.ips = Ips::only([BOT_ADDRESS]));
    world.advance(hours(1));
    for _ in 0..3 {
        refused(world.run(Step::Set, &token), ErrorType::PendingDenied);
    }
    assert_eq!(world.holder("AWSPENDING"), Some(token));
}

#[test]
fn an_issued_key_that_is_refused_and_in_no_list_is_given_up() {
    let world = world_with(Setup::at(&TERSE));
    let token = created(&world);
    world.delete_key(&key_in(&world, &token));
    refused(world.run(Step::Set, &token), ErrorType::PendingDenied);
    world.advance(hours(1));
    let said = refused(world.run(Step::Set, &token), ErrorType::VersionDoomed);
    assert!(said.contains("in no list"), "{said}");
    assert_eq!(world.holder("AWSPENDING"), None);
}

#[test]
fn a_key_has_the_form_of_the_one_before_unless_the_policy_says_another() {
    for (by_hand, more, is_a_pair) in [
        (true, "", true),
        (false, "", false),
        (true, r#","key_type":"hmac""#, false),
        (false, r#","key_type":"ed25519""#, true),
    ] {
        let world = pairs(&TERSE, by_hand, more);
        let token = created(&world);
        assert_eq!(is_pair(&world, &token), is_a_pair, "{by_hand} {more}");
        completes(&world, &token);
    }
}

#[test]
fn a_form_that_the_venue_does_not_issue_is_refused_with_what_to_write() {
    let said = issues_nothing(&pairs(&PLAIN, true, ""), ErrorType::GrantImpossible);
    assert!(
        said.contains("`policy.key_type`") && said.contains("CANDIDATE"),
        "{said}"
    );
    let world = pairs(&PLAIN, true, r#","key_type":"hmac""#);
    let token = created(&world);
    assert!(!is_pair(&world, &token));
}

#[test]
fn an_offer_of_another_form_is_refused() {
    let world = pairs(&TERSE, false, "");
    world.venue(|model, _| model.knobs.pairs_by_hand = true);
    world.put_key(&world.key_by_hand(SUB), "CANDIDATE");
    let said = issues_nothing(&world, ErrorType::OfferRefused);
    assert!(said.contains("ed25519") && said.contains("hmac"), "{said}");
}

#[test]
fn a_lost_key_is_deleted_by_the_passphrase_that_its_marker_tells() {
    let world = world_with(Setup::at(&PASSWORD));
    let (token, lost) = unstored(&world);
    world.advance(SETTLED);
    done(world.run(Step::Create, &token), Done::Issued);
    completes(&world, &token);
    assert!(!world.alive(&lost));
}

#[test]
fn a_lost_key_of_another_master_stands_in_no_rotations_way_and_is_told() {
    let world = world_with(Setup::at(&PASSWORD));
    let (token, lost) = unstored(&world);
    another_master(&world);
    world.advance(SETTLED);
    done(world.run(Step::Create, &token), Done::Issued);
    completes(&world, &token);
    assert!(world.alive(&lost));
    let answer = world.maintain();
    let told = |finding: &&protocol::operations::Finding| {
        finding.code == protocol::operations::Code::OrphanUndecided
            && finding.say.contains(&sandbox::report::fingerprint(lost.as_str()))
    };
    assert!(answer.findings.iter().any(|finding| told(&finding)), "{answer:?}");
}

#[test]
fn a_key_with_a_passphrase_is_edited_after_its_master_is_another() {
    let world = world_with(Setup::at(&PASSWORD));
    let token = created(&world);
    let key = key_in(&world, &token);
    another_master(&world);
    world.grant(&key, &[SPOT, TRADES, TRANSFERS]);
    completes(&world, &token);
    assert_eq!(
        world.settings_of(&key).permissions,
        Permissions::of(&[TRADES, SPOT, ("Derivatives", &["DerivativesTrade"])])
    );
}
