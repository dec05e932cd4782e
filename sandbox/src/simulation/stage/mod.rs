//! A world with several secrets in it, and what happens to it, one action at a time.

mod enemy;
mod operator;
mod runs;
mod service;
mod venue;

pub(super) use enemy::NAME as ENEMY;
pub(super) use operator::is_offered;
pub(super) use runs::summary;

use jiff::SignedDuration;
use protocol::name::SecretId;
use protocol::operations::{Answer, Form, OperationRequest, Shard};
use protocol::rotation::Step;
use protocol::secret::KeyForm;
use protocol::task::Task;

use crate::in_process::kind::{Tells, VenueKind};
use crate::in_process::{Invocation, Point, SUB, Setup, Ticket, World, settings_by_hand};
use crate::invariants::Violation;
use crate::secrets_manager::{self, CancelRotateSecret, DeleteSecret, RestoreSecret, Secret};
use crate::simulation::action::{Action, Kind};
use crate::simulation::coverage::Coverage;
use crate::venue::{Knobs, Settings};

/// More runs than that are never under way at once.
const MOST_RUNS: usize = 4;
/// The labels that a person may move.
const LABELS: [&str; 5] = ["AWSCURRENT", "AWSPENDING", "CANDIDATE", "ROLLBACK", "COMPROMISED"];

/// See the [module](self). What can happen on it stands in five files: what Secrets Manager does (`service`),
/// what becomes of the function's invocations (`runs`), what a person does at Secrets Manager (`operator`)
/// and at the venue (`venue`), and what one does who may write a secret of their own and means the others
/// harm (`enemy`).
pub(super) struct Stage {
    pub(super) world: World,
    pub(super) secrets: Vec<SecretId>,
    documents: Vec<&'static str>,
    /// Who may write a secret of their own, once they have begun.
    enemy: Option<enemy::Enemy>,
    runs: Vec<Running>,
    /// How the last run ended that did.
    pub(super) ended: Option<(Task, Ending)>,
    pub(super) coverage: Coverage,
}

struct Running {
    invocation: Driven,
    /// What it is about; a pass is about all of them.
    secret: Option<usize>,
    task: Task,
    /// What the service waits for, where it asked for the invocation.
    due: Option<secrets_manager::Invocation>,
}

/// An invocation of one of the functions.
enum Driven {
    Step(Invocation),
    Operation(Invocation<Answer>),
}

/// How a run ended: whether the service would take it for a success, in a word, and in full.
#[derive(Clone, Debug)]
pub(super) struct Ending {
    pub(super) well: bool,
    word: String,
    pub(super) said: String,
}

/// What waits in a run.
pub(super) struct Waiting {
    pub(super) ticket: Ticket,
    pub(super) point: Point,
}

const WITH_POLICY: &str = concat!(
    r#"{"exchange":"bybit","environment":"mainnet",<credential>,"#,
    r#""subaccount":"<account>","masterarn":"<master>","#,
    r#""policy":{"permissions":[<words>],"ip_allowlist":["203.0.113.7"]}}"#
);
/// Whoever wrote it wants a dead key's predecessor back unasked.
const WITH_WAY_BACK: &str = concat!(
    r#"{"exchange":"bybit","environment":"mainnet",<credential>,"#,
    r#""subaccount":"<account>","masterarn":"<master>","#,
    r#""policy":{"permissions":[<words>],"ip_allowlist":["203.0.113.7"],"#,
    r#""auto_rollback":true}}"#
);
/// One whose key a person has made.
pub(super) const WITHOUT_MASTER: &str = concat!(
    r#"{"exchange":"bybit","environment":"mainnet",<credential>,"#,
    r#""subaccount":"<account>","#,
    r#""policy":{"permissions":[<words>],"ip_allowlist":["203.0.113.7"]}}"#
);
/// One at a venue where nobody tells from where a key may be used.
const WITHOUT_MASTER_OR_PLACES: &str = concat!(
    r#"{"exchange":"bybit","environment":"mainnet",<credential>,"#,
    r#""subaccount":"<account>","#,
    r#""policy":{"permissions":[<words>],"ip_allowlist":"any"}}"#
);
const WITHOUT_ACCOUNT: &str = concat!(
    r#"{"exchange":"bybit","environment":"mainnet",<credential>,"#,
    r#""masterarn":"<master>","#,
    r#""policy":{"permissions":[<words>],"ip_allowlist":["203.0.113.7"]}}"#
);
/// A master's value, as far as what it says of whom it serves.
const MASTER: &str = r#"{"exchange":"bybit","environment":"mainnet",<credential>"#;
/// One that serves these secrets for what they have, on their account.
const SERVES_THEM: &str = concat!(
    r#","serves":{"#,
    r#""prod/bybit/main":{"accounts":["<sub>"],"#,
    r#""permissions":[<words>],"ip_allowlist":["203.0.113.7"]},"#,
    r#""prod/bybit/second":{"accounts":["<sub>"],"#,
    r#""permissions":[<words>],"ip_allowlist":["203.0.113.7"]},"#,
    r#""prod/bybit/third":{"accounts":["<sub>"],"#,
    r#""permissions":[<words>],"ip_allowlist":["203.0.113.7"]}}"#
);
/// One that says of powers and addresses nothing: no more than the key before.
const SERVES_AS_BEFORE: &str = concat!(
    r#","serves":{"prod/bybit/main":{"accounts":["<sub>"]},"#,
    r#""prod/bybit/second":{"accounts":["<sub>"]},"#,
    r#""prod/bybit/third":{"accounts":["<sub>"]}}"#
);
const WITHOUT_POLICY: &str = r#"{<credential>,"masterarn":"<master>"}"#;
/// The same where a key does not name its account.
const WITHOUT_POLICY_BUT_ACCOUNT: &str = r#"{<credential>,"subaccount":"<account>","masterarn":"<master>"}"#;

impl Stage {
    /// The beginning that a seed decides, its last three bits the first secret's value, and others the kind
    /// of venue: three secrets, the first two on one sub-account, the first and the third naming one key.
    pub(super) fn new(seed: u64) -> Self {
        let kind = VenueKind::of(seed);
        let others = match (kind.is_supplied(), kind.own_addresses) {
            (true, Tells::Not) => WITHOUT_MASTER_OR_PLACES,
            (true, _) => WITHOUT_MASTER,
            (false, _) => WITH_POLICY,
        };
        let first = match seed % 8 {
            _ if kind.is_supplied() => others,
            3 | 7 if kind.own_account == Tells::Fully => WITHOUT_POLICY,
            3 | 7 => WITHOUT_POLICY_BUT_ACCOUNT,
            4 => WITH_WAY_BACK,
            5 => WITHOUT_MASTER,
            _ => WITH_POLICY,
        };
        let knobs = Knobs {
            rate_limits: false,
            max_keys: Some(kind.slots),
            pairs_by_hand: kind.forms.contains(&KeyForm::Pair) && seed & 64 != 0,
            ..Knobs::default()
        };
        let setup = Setup {
            seed,
            document: first.to_owned(),
            venue: knobs,
            ..Setup::at(kind)
        };
        // Most masters serve whatever is asked for: what becomes of keys is played, and not that they are
        // refused.
        let served = match (seed >> 8) % 16 {
            13 => Some(""),
            14 => Some(SERVES_THEM),
            15 => Some(SERVES_AS_BEFORE),
            _ => None,
        };
        let world = World::with(match served {
            Some(said) => Setup {
                master_document: Some(format!("{MASTER}{said}}}").replace("<sub>", &kind.account(SUB))),
                ..setup
            },
            None => setup,
        });
        let key = world
            .venue(|model, now| model.create_key_by_hand(SUB, by_hand(kind, "second"), now))
            .expect("the account is there");
        let second = world.add_secret("prod/bybit/second", others, &key, SUB);
        let third = world.add_secret("prod/bybit/third", others, world.first_credential(), SUB);
        let secrets = vec![world.secret().clone(), second, third];
        Self {
            world,
            secrets,
            documents: vec![first, others, others],
            enemy: None,
            runs: Vec::new(),
            ended: None,
            coverage: Coverage::default(),
        }
    }

    /// What was broken first.
    pub(super) fn violation(&self) -> Option<Violation> {
        self.world.violations().into_iter().next()
    }

    pub(super) fn runs(&self) -> usize {
        self.runs.len()
    }

    /// Which secret a run is about.
    pub(super) fn secret_of(&self, run: usize) -> Option<usize> {
        self.runs.get(run).and_then(|running| running.secret)
    }

    /// What waits in a run, in the order in which it came.
    pub(super) fn waiting(&self, run: usize) -> Vec<Waiting> {
        let waiting = self
            .runs
            .get(run)
            .map(|running| running.invocation.waiting())
            .unwrap_or_default();
        waiting
            .into_iter()
            .map(|(ticket, point)| Waiting { ticket, point })
            .collect()
    }

    /// What waits at a place of a run, in words.
    pub(super) fn waits(&self, run: usize, point: usize) -> Option<String> {
        let run = run.checked_rem(self.runs.len())?;
        let waiting = self.waiting(run);
        let point = &waiting.get(point.checked_rem(waiting.len())?)?.point;
        Some(match point {
            Point::Call(call) => format!("{}: {call}", self.runs[run].task),
            Point::Sleep(until) => format!("{}: until {until}", self.runs[run].task),
        })
    }

    /// The secret as it is, where it still is.
    pub(super) fn look<T: Default>(&self, secret: usize, look: impl FnOnce(&Secret) -> T) -> T {
        self.world.of(&self.secrets[secret % self.secrets.len()], look)
    }

    /// Lets it happen. Whether it could.
    pub(super) fn apply(&mut self, action: &Action) -> bool {
        let happened = self.happens(action).is_some();
        if happened {
            self.coverage.happened(action.kind);
        }
        happened
    }

    fn happens(&mut self, action: &Action) -> Option<()> {
        let (secret, run) = (
            usize::from(action.which) % self.secrets.len(),
            usize::from(action.which),
        );
        let how = action.how();
        match action.kind {
            Kind::Begin => {
                self.supply(secret);
                drop(self.world.try_begin_rotation_of(&self.secrets[secret]).ok()?);
            }
            Kind::DryRun => self.dry_run(secret)?,
            Kind::Due => self.due()?,
            Kind::Invoke => self.invoke(secret, &self.pending(secret)?, step(how))?,
            Kind::Stray => self.stray(secret, how)?,
            Kind::Maintain => self.maintain(secret, how)?,
            Kind::Abandon => self.operate(
                Some(secret),
                OperationRequest::Abandon {
                    secret: self.secrets[secret].clone(),
                },
            )?,
            Kind::Rollback => {
                self.operate(
                    Some(secret),
                    OperationRequest::Rollback {
                        secret: self.secrets[secret].clone(),
                        version: None,
                    },
                )?;
            }
            Kind::BreakGlass => self.break_glass(secret, how)?,
            Kind::Audit => {
                // The next answer of an audit that was asked for before, from the first page on.
                let (shard, after) = (Shard::ALL, (how % 4 > 1).then(String::new));
                self.operate(
                    None,
                    OperationRequest::Audit {
                        shard,
                        secret: None,
                        fingerprint: None,
                        after,
                        form: [Form::Json, Form::Csv, Form::Findings][how % 3],
                    },
                )?;
            }
            Kind::Plan => self.operate(
                Some(secret),
                OperationRequest::Plan {
                    secret: self.secrets[secret].clone(),
                },
            )?,
            Kind::Go => self.go(run, how, action.fault)?,
            Kind::Run => self.run_to_its_end(run)?,
            Kind::Kill => self.kill(run)?,
            Kind::Wait => self
                .world
                .advance(SignedDuration::from_secs(i64::from(action.how))),
            Kind::Ways => self.ways(how),
            Kind::Purge => self.purge(secret)?,
            Kind::Put => self.put(secret, how)?,
            Kind::Offer => self.offer(secret, how)?,
            Kind::PutPending => self.put_pending(secret, how)?,
            Kind::Label => self.label(secret, LABELS[how % 5], Some(self.version(secret, how / 5)?))?,
            Kind::Unlabel => self.unlabel(secret, how)?,
            Kind::FillLabels => self.fill_labels(secret, how % 4)?,
            Kind::Cancel => self.on_secret(secret, |model, id, now| {
                model
                    .cancel_rotate_secret(&CancelRotateSecret { secret_id: id }, now)
                    .is_ok()
            })?,
            Kind::SwitchOn => self.switch_on(secret)?,
            Kind::Delete => self.on_secret(secret, |model, id, now| {
                model
                    .delete_secret(
                        &DeleteSecret {
                            secret_id: id,
                            ..DeleteSecret::default()
                        },
                        now,
                    )
                    .is_ok()
            })?,
            Kind::Restore => {
                self.on_secret(secret, |model, id, now| {
                    model
                        .restore_secret(&RestoreSecret { secret_id: id }, now)
                        .is_ok()
                })?;
            }
            Kind::RotateMaster => self.rotate_master(how)?,
            Kind::EditKey => self.edit_key(usize::from(action.which), how)?,
            Kind::DeleteKey => self.delete_key(how)?,
            Kind::FillSlots => self.fill_slots(how % 3)?,
            Kind::FreeSlots => self.free_slots()?,
            Kind::Skew => self
                .world
                .set_function_ahead(SignedDuration::from_secs(i64::from(action.how % 121) - 60)),
            Kind::Venue => self.venue_ways(how),
            Kind::Client => self.world.client_reads(&self.secrets[secret], how % 2 == 1),
            Kind::Replica => self.replica(secret, how)?,
            Kind::Enemy => self.enemy_acts(usize::from(action.which), how)?,
        }
        Some(())
    }
}

fn step(how: usize) -> Step {
    Step::ALL[how % Step::ALL.len()]
}

/// A key as a person makes it: bound to the bots and to the function.
fn by_hand(kind: &VenueKind, note: &str) -> Settings {
    Settings {
        note: note.to_owned(),
        ..settings_by_hand(kind.usual)
    }
}
