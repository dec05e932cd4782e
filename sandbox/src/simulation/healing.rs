//! From every state, once faults stop: replays end in success, in a version given up for a reason after which
//! the next rotation succeeds, or in an error that needs a person, and then that error is true.

use jiff::{SignedDuration, Timestamp};
use protocol::label::VersionId;
use protocol::name::SecretId;
use protocol::operations::{Answer, Code, Finding, Form};
use protocol::ports::Asking;
use protocol::rotation::Step;
use protocol::{Error, ErrorType};

use super::stage::{ENEMY, WITHOUT_MASTER, is_offered};
use crate::in_process::kind::Tells;
use crate::in_process::{BOT_ADDRESS, FUNCTION_ADDRESS, Failure, SUB, World, audit, settings_by_hand};
use crate::invariants::{Invariant, Violation};
use crate::secrets_manager::{AWSCURRENT, AWSPENDING, Secret, Version};
use crate::venue::{self, Ips, KeyId, Permissions, Uid};

/// So many replays have to do.
const REPLAYS: usize = 12;
/// Between two of them.
const SPACING: SignedDuration = SignedDuration::from_mins(2);
/// So many passes have to do to stamp, condemn, revoke and prove what is there.
const PASSES: usize = 5;
/// Once, as long as it takes until a key that was issued and not stored counts as lost.
const LONG: SignedDuration = SignedDuration::from_mins(18);

/// Tries the way to rest of one secret in a fork of the world, without whatever is under way there;
/// thoroughly, with the service's dry run before and after it. Gives what was broken on it.
pub(super) fn heal(world: &World, secret: &SecretId, thoroughly: bool) -> Option<Violation> {
    let world = world.quiet_fork();
    calm(&world);
    let dry_run = || {
        if thoroughly {
            dry_run(&world, secret)
        } else {
            Ok(())
        }
    };
    let result = dry_run()
        .and_then(|()| come_to_rest(&world, secret))
        .and_then(|()| dry_run());
    world.must_be_at_rest();
    verdict(&world, result)
}

/// Tries what becomes of a fork of the world, without whatever is under way there, where nobody does anything
/// but passes come round: once every grace is over, nothing of ours is alive but what versions hold. `tell`
/// hears what each pass did and found.
pub(super) fn look_after(world: &World, tell: Tell<'_>) -> Option<Violation> {
    let world = world.quiet_fork();
    calm(&world);
    let result = looked_after(&world, tell);
    verdict(&world, result)
}

fn verdict(world: &World, result: Result<(), String>) -> Option<Violation> {
    let broken = world.violations().into_iter().next();
    broken.or_else(|| {
        result.err().map(|what| Violation {
            invariant: Invariant::Converges,
            at: world.now(),
            what,
        })
    })
}

/// Faults are over: what is late comes, clocks agree, the venue shows what is so.
fn calm(world: &World) {
    world.set_function_ahead(SignedDuration::ZERO);
    world.advance(SignedDuration::from_secs(30));
    world.venue(|model, _| {
        let knobs = &mut model.knobs;
        knobs.wrong_host = false;
        (knobs.new_key_delay, knobs.deletion_delay, knobs.edit_delay) =
            (SignedDuration::ZERO, SignedDuration::ZERO, SignedDuration::ZERO);
    });
}

fn come_to_rest(world: &World, secret: &SecretId) -> Result<(), String> {
    let pending = |secret: &Secret| {
        secret
            .holder(AWSPENDING)
            .filter(|id| secret.holder(AWSCURRENT) != Some(*id))
            .map(VersionId::new)
    };
    if let Some(token) = world.of(secret, pending) {
        match replayed(world, secret, &token)? {
            Rest::Current | Rest::Person => return Ok(()),
            Rest::GivenUp => {}
        }
    }
    supply(world, secret);
    let Ok(token) = world.try_begin_rotation_of(secret) else {
        return needs_a_person_to_begin(world, secret);
    };
    match replayed(world, secret, &token)? {
        Rest::Current | Rest::Person => Ok(()),
        Rest::GivenUp => Err("the rotation after one that was given up is given up too".to_owned()),
    }
}

/// Where only a person makes keys, one is offered before a rotation begins.
fn supply(world: &World, secret: &SecretId) {
    let cannot = |secret: &Secret| {
        secret.is_deleted() || secret.labels().len() >= 20 || secret.versions().len() >= 100
    };
    if !world.kind().is_supplied() || world.of(secret, |secret| is_offered(secret) || cannot(secret)) {
        return;
    }
    let settings = settings_by_hand(world.kind().usual);
    let made = world.venue(|model, now| model.create_key_by_hand(SUB, settings, now));
    let Ok(key) = made else { return };
    let version = VersionId::new("0ffe3ed-0n-the-way-t0-rest-by-one-hand");
    let value = world.filled_in(WITHOUT_MASTER, &key, SUB);
    world.put_value(secret, &version, &value, &["CANDIDATE"]);
}

/// Hears what is done on the way to rest.
pub(super) type Tell<'a> = &'a mut dyn FnMut(&World, &Answer);

fn looked_after(world: &World, tell: Tell<'_>) -> Result<(), String> {
    let mut maintain = || {
        let answer = world.maintain();
        tell(world, &answer);
        answer
    };
    let leaks = world
        .rotated()
        .iter()
        .any(|secret| world.of(secret, |secret| secret.holder("COMPROMISED").is_some()));
    let mut rotations_fail = false;
    // A pass begins a rotation where the current key is leaked, and the service performs it.
    for _ in 0..if leaks { PASSES } else { 0 } {
        maintain();
        while let Some(step) = world.run_due() {
            rotations_fail |= step.is_err();
        }
        world.advance(LONG);
    }
    // The grace of what nobody has stamped yet begins here.
    maintain();
    let stamped = world.now();
    world.advance(SignedDuration::from_hours(24 * 7 + 1));
    let mut last = Vec::new();
    let mut idle = 0;
    for _ in 0..PASSES {
        let answer = maintain();
        idle = if answer.secrets.iter().all(|row| row.did.is_empty()) {
            idle + 1
        } else {
            0
        };
        // What an enemy's secret gives to find excuses nothing but where it keeps all others waiting.
        let counts = |finding: &Finding| finding.secret != ENEMY || finding.code == Code::HolderUnreadable;
        last = answer.findings.into_iter().filter(counts).collect();
        // Whatever has its time has had it: a third pass would find nothing to do either.
        if idle == 2 {
            break;
        }
        world.advance(SignedDuration::from_hours(25));
    }
    let masterless =
        one_names_no_master(world) || last.iter().any(|finding| finding.code == Code::MasterUnusable);
    let is_held_up = last.iter().any(|finding| is_late(finding.code));
    if !is_held_up {
        let ours: Vec<SecretId> = world.rotated().into_iter().filter(is_no_enemy).collect();
        world.what_is_left_must_be_told(&last, &ours, masterless);
    }
    let other = |code| code != Code::CompromisedHeld && is_in_the_way(code);
    if leaks && !masterless && !last.iter().any(|finding| other(finding.code)) {
        world.no_leak_may_be_left(rotations_fail);
    }
    let stuck = one_names_no_master(world) || last.iter().any(|finding| is_in_the_way(finding.code));
    if !stuck {
        world.nothing_may_be_left(stamped);
    }
    if let Some(enemy) = world
        .rotated()
        .iter()
        .find(|secret| secret.name().as_str() == ENEMY)
    {
        world.nothing_may_be_hidden(enemy, &world.operate(audit(None, Form::Json)));
    }
    let unknown = last.iter().find(|finding| finding.code == Code::NotDone);
    unknown.map_or(Ok(()), |finding| {
        Err(format!("an undisturbed pass cannot do its work: {}", finding.say))
    })
}

fn is_no_enemy(secret: &SecretId) -> bool {
    secret.name().as_str() != ENEMY
}

/// What keeps passes from looking at keys, or a version from being looked at in time.
fn is_late(code: Code) -> bool {
    is_in_the_way(code) && code != Code::OrphanUndecided
}

/// Whether a current value names no master: nobody can tell then which keys were issued for its secret, but
/// by what older values name.
fn one_names_no_master(world: &World) -> bool {
    world
        .rotated()
        .iter()
        .filter(|secret| secret.name().as_str() != ENEMY)
        .any(|secret| {
            let current = Holder::of(world, secret, |secret| {
                secret.holder(AWSCURRENT).map(str::to_owned)
            });
            current.text_of("masterarn").is_none()
        })
}

/// What keeps a pass from retiring what is to be retired until somebody does something.
fn is_in_the_way(code: Code) -> bool {
    matches!(
        code,
        Code::HolderUnreadable
            | Code::ValueInvalid
            | Code::LabelsFull
            | Code::OrphanUndecided
            | Code::MasterUnscoped
            | Code::ReplicaBehind
            | Code::AccountMismatch
            | Code::CompromisedHeld
            | Code::NotDone
    )
}

enum Rest {
    Current,
    GivenUp,
    Person,
}

fn replayed(world: &World, secret: &SecretId, token: &VersionId) -> Result<Rest, String> {
    let mut last = None;
    for replay in 0..REPLAYS {
        let result = Step::ALL.into_iter().try_for_each(|step| {
            world
                .start(world.request_of(secret, step, token))
                .finish()
                .map(drop)
        });
        let holder = world.of(secret, |secret| secret.holder(AWSCURRENT).map(VersionId::new));
        let pending = world.of(secret, |secret| secret.holder(AWSPENDING).map(VersionId::new));
        let error = match result {
            Ok(()) if holder.as_ref() == Some(token) => {
                world.grace_must_count(secret);
                return Ok(Rest::Current);
            }
            Ok(()) => return Err("the steps succeed, and the version is not current".to_owned()),
            Err(Failure::Crashed) => return Err("an undisturbed run does not end".to_owned()),
            Err(Failure::Error(error)) => error,
        };
        if needs_a_person(world, secret, token, error.error_type) {
            return Ok(Rest::Person);
        }
        if pending.as_ref() != Some(token) {
            return Ok(Rest::GivenUp);
        }
        last = Some(error);
        world.advance(if replay == REPLAYS / 2 { LONG } else { SPACING });
    }
    Err(last.map_or_else(String::new, |error| {
        format!("after {REPLAYS} replays still: {} {error}", error.error_type)
    }))
}

/// The service's own dry run passes wherever the current key is what it should be.
fn dry_run(world: &World, secret: &SecretId) -> Result<(), String> {
    let Some(due) = world.begin_dry_run_of(secret) else {
        return Ok(());
    };
    match world.start(due.clone()).finish() {
        Err(Failure::Error(error)) if needs_a_person(world, secret, &due.token, error.error_type) => Ok(()),
        // A person did something to the current key, which the dry run tries.
        Err(Failure::Error(Error {
            error_type: ErrorType::PendingRejected | ErrorType::PendingDenied,
            ..
        })) if !Holder::of(world, secret, |secret| {
            secret.holder(AWSCURRENT).map(str::to_owned)
        })
        .is_whole(world) =>
        {
            Ok(())
        }
        Ok(_)
        | Err(Failure::Error(Error {
            error_type: ErrorType::PendingTooPowerful | ErrorType::PendingTooWeak,
            ..
        })) => Ok(()),
        Err(failure) => Err(format!("the dry run fails: {failure}")),
    }
}

fn needs_a_person_to_begin(world: &World, secret: &SecretId) -> Result<(), String> {
    let full = |secret: &Secret| {
        secret.is_deleted() || secret.versions().len() >= 100 || secret.labels().len() >= 20
    };
    let gone = world
        .of(secret, |secret| vec![secret.arn().to_owned()])
        .is_empty();
    if gone || world.of(secret, full) {
        Ok(())
    } else {
        Err("Secrets Manager begins no rotation".to_owned())
    }
}

/// The errors that only a person can mend, each where it is true: the closed list.
fn needs_a_person(world: &World, secret: &SecretId, token: &VersionId, error: ErrorType) -> bool {
    let current = Holder::of(world, secret, |secret| {
        secret.holder(AWSCURRENT).map(str::to_owned)
    });
    let pending = Holder::of(world, secret, |_| Some(token.as_str().to_owned()));
    let has = |label: &str| world.of(secret, |secret| secret.holder(label).is_some());
    match error {
        ErrorType::SecretNotFound => world
            .of(secret, |secret| vec![secret.arn().to_owned()])
            .is_empty(),
        ErrorType::SecretDeleted => world.of(secret, Secret::is_deleted),
        ErrorType::RotationDisabled => !world.of(secret, Secret::rotation_is_enabled),
        ErrorType::MasterInvalid => current.text_of("masterarn").is_none(),
        ErrorType::ScopeRefused => !world.master_serves_all() && !current.proves_all(world),
        ErrorType::NoCurrentValue => current.text.is_none(),
        ErrorType::ValueInvalid => {
            !current.is_readable() || (pending.text.is_some() && !pending.is_readable())
        }
        ErrorType::LabelsFull => world.of(secret, |secret| secret.labels().len() >= 17),
        ErrorType::RotatedTooOften => {
            let now = world.now();
            world.of(secret, |secret| has_had_many_versions(secret, token, now))
                || world.keys_of_today(secret) > 10
        }
        ErrorType::GrantImpossible => current.asks_for(world.kind().not_granted),
        ErrorType::CandidateMissing => world.kind().is_supplied() && !has("CANDIDATE"),
        ErrorType::OfferRefused => has("CANDIDATE") || has("ROLLBACK"),
        ErrorType::IssueRefused => {
            // Of the account that keys are issued on: a value may have been put that stands for another.
            let own = current.key(world).map(|key| key.uid);
            is_full(world, SUB) || own.is_some_and(|own| is_full(world, own))
        }
        // With a policy and an account the current key is not needed.
        ErrorType::CurrentUnusable => {
            let names_none = world.kind().own_account != Tells::Fully && current.account().is_none();
            // What is not asked says nothing either.
            let is_silent = world.kind().asking != Asking::Free || !current.is_whole(world);
            names_none || is_silent && !current.says_all()
        }
        ErrorType::KeyUnbound if has("CANDIDATE") || has("ROLLBACK") => true,
        ErrorType::KeyUnbound => {
            current.key(world).is_some_and(|key| key.settings.ips == Ips::Any) && !current.says_all()
        }
        ErrorType::AccountMismatch => [&current, &pending].into_iter().any(|holder| {
            let uid = holder.key(world).map(|key| world.kind().account(key.uid));
            uid.is_some() && holder.text_of("subaccount").is_some_and(|said| Some(said) != uid)
        }),
        // A key that a person made can be mended by nobody else.
        ErrorType::PendingTooPowerful
        | ErrorType::PendingTooWeak
        | ErrorType::PendingRejected
        | ErrorType::PendingDenied => pending.source().as_deref() != Some("issued"),
        _ => false,
    }
}

/// Whether an account has no room for another key.
fn is_full(world: &World, account: Uid) -> bool {
    let now = world.now();
    world.at_venue(|model| {
        let keys = model.keys().into_iter();
        keys.filter(|key| key.uid == account && key.alive(now)).count() >= model.max_keys()
    })
}

/// Whether so many versions are of the last day that no key is issued beside them.
fn has_had_many_versions(secret: &Secret, token: &VersionId, now: Timestamp) -> bool {
    let since = now - SignedDuration::from_hours(24);
    let others = secret
        .versions()
        .iter()
        .filter(|(version, _)| *version != token.as_str());
    let most = if secret.holder("COMPROMISED").is_some() {
        50
    } else {
        10
    };
    others.filter(|(_, version)| version.created() > since).count() > most
}

/// A version by its value.
struct Holder {
    text: Option<serde_json::Value>,
}

impl Holder {
    fn of(world: &World, secret: &SecretId, version: impl FnOnce(&Secret) -> Option<String>) -> Self {
        let text = world.of(secret, |secret| {
            let version = secret.versions().get(&version(secret)?)?;
            version.value().map(|_| {
                Version::value(version)
                    .and_then(|value| value.text())
                    .unwrap_or_default()
                    .to_owned()
            })
        });
        Self {
            text: text.map(|text| serde_json::from_str(&text).unwrap_or_default()),
        }
    }

    fn is_readable(&self) -> bool {
        self.text
            .as_ref()
            .is_some_and(|document| document["api_key"].is_string())
    }

    fn text_of(&self, field: &str) -> Option<String> {
        self.text.as_ref()?[field].as_str().map(str::to_owned)
    }

    fn source(&self) -> Option<String> {
        self.text.as_ref()?["rotation"]["source"]
            .as_str()
            .map(str::to_owned)
    }

    /// Whether its policy has these words.
    fn asks_for(&self, words: [&str; 2]) -> bool {
        let asked = self
            .text
            .as_ref()
            .map(|document| &document["policy"]["permissions"]);
        asked.is_some_and(|asked| *asked == serde_json::json!(words))
    }

    /// The account that the value names.
    fn account(&self) -> Option<String> {
        let recorded = self.text.as_ref()?["rotation"]["account"].as_str();
        recorded.map(str::to_owned).or_else(|| self.text_of("subaccount"))
    }

    fn key(&self, world: &World) -> Option<venue::KeyTruth> {
        let key = KeyId::from(self.text_of("api_key")?.as_str());
        world.at_venue(|model| model.key(&key))
    }

    /// Whether the key is alive, on the account, and can be used by the function.
    fn is_whole(&self, world: &World) -> bool {
        self.key(world).is_some_and(|key| {
            key.uid == SUB && key.alive(world.now()) && key.settings.ips.admits(FUNCTION_ADDRESS)
        })
    }

    /// Whether the key answers, and has as much as its policy may ask for.
    fn proves_all(&self, world: &World) -> bool {
        let (permissions, ips) = (
            Permissions::of(world.kind().usual),
            Ips::only([BOT_ADDRESS, FUNCTION_ADDRESS]),
        );
        self.is_whole(world)
            && self
                .key(world)
                .is_some_and(|key| key.settings.permissions == permissions && key.settings.ips == ips)
    }

    /// Whether the value says all that its successor needs.
    fn says_all(&self) -> bool {
        let document = self.text.as_ref();
        document.is_some_and(|document| document["policy"].is_object() && document["subaccount"].is_string())
    }
}
