//! A world with several secrets in it, and what happens to it, one action at a time.

use std::task::Poll;

use jiff::SignedDuration;
use protocol::label::VersionId;
use protocol::name::SecretId;
use protocol::rotation::{Done, Step};

use super::action::{Action, Kind};
use super::coverage::Coverage;
use crate::bybit::{self, Ips, KeyId, Permissions, Settings, Uid};
use crate::in_process::{
    BOT_ADDRESS, FUNCTION_ADDRESS, Failure, Fault, Invocation, OTHER_SUB, PARENT, Point, SUB, Setup, Ticket, World,
};
use crate::invariants::Violation;
use crate::secrets_manager::{
    self, AWSCURRENT, AWSPENDING, CancelRotateSecret, DeleteSecret, PutSecretValue, Replica, ReplicaStatus, RestoreSecret,
    RotateSecret, Secret, Sensitive, TestLeftover, UpdateSecretVersionStage,
};

/// More runs than that are never under way at once.
const MOST_RUNS: usize = 4;
/// The labels that a person may move.
const LABELS: [&str; 5] = ["AWSCURRENT", "AWSPENDING", "CANDIDATE", "ROLLBACK", "COMPROMISED"];
/// Small, so that a history can fill them.
const KEY_SLOTS: usize = 9;

/// See the [module](self).
pub(super) struct Stage {
    pub(super) world: World,
    pub(super) secrets: Vec<SecretId>,
    documents: Vec<&'static str>,
    runs: Vec<Running>,
    pub(super) ended: Option<Ended>,
    pub(super) coverage: Coverage,
}

struct Running {
    invocation: Invocation,
    secret: usize,
    step: Step,
    /// What the service waits for, where it asked for the invocation.
    due: Option<secrets_manager::Invocation>,
}

/// How the last run ended that did.
#[derive(Clone, Debug)]
pub(super) struct Ended {
    pub(super) step: Step,
    pub(super) result: Result<Done, Failure>,
}

/// What waits in a run.
pub(super) struct Waiting {
    pub(super) ticket: Ticket,
    pub(super) point: Point,
}

const TRADES: (&str, &[&str]) = ("ContractTrade", &["Order", "Position"]);
const SPOT: (&str, &[&str]) = ("Spot", &["SpotTrade"]);

const WITH_POLICY: &str = concat!(
    r#"{"exchange":"bybit","environment":"mainnet","api_key":"<key>","api_secret":"<secret>","subaccount":"<account>","#,
    r#""masterarn":"<master>","policy":{"permissions":["read","spot","derivatives"],"ip_allowlist":["203.0.113.7"]}}"#
);
const WITHOUT_MASTER: &str = concat!(
    r#"{"exchange":"bybit","environment":"mainnet","api_key":"<key>","api_secret":"<secret>","subaccount":"<account>","#,
    r#""policy":{"permissions":["read","spot","derivatives"],"ip_allowlist":["203.0.113.7"]}}"#
);
const WITHOUT_POLICY: &str = r#"{"api_key":"<key>","api_secret":"<secret>","masterarn":"<master>"}"#;

impl Stage {
    /// The beginning that a seed decides, its last three bits the first secret's value: three secrets, the first two on one sub-account, the first and the third naming one key.
    pub(super) fn new(seed: u64) -> Self {
        let first = match seed % 8 {
            3 | 7 => WITHOUT_POLICY,
            5 => WITHOUT_MASTER,
            _ => WITH_POLICY,
        };
        let knobs = bybit::Knobs { rate_limits: false, max_keys: KEY_SLOTS, ..bybit::Knobs::default() };
        let world = World::with(Setup { seed, document: first.to_owned(), bybit: knobs, ..Setup::default() });
        let key = world.bybit(|model, now| model.create_key_by_hand(SUB, by_hand("second"), now)).expect("the account is there");
        let second = world.add_secret("prod/bybit/second", WITH_POLICY, &key, SUB);
        let third = world.add_secret("prod/bybit/third", WITH_POLICY, world.first_credential(), SUB);
        let secrets = vec![world.secret().clone(), second, third];
        Self {
            world,
            secrets,
            documents: vec![first, WITH_POLICY, WITH_POLICY],
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
        self.runs.get(run).map(|running| running.secret)
    }

    /// What waits in a run, in the order in which it came.
    pub(super) fn waiting(&self, run: usize) -> Vec<Waiting> {
        let waiting = self.runs.get(run).map(|running| running.invocation.waiting()).unwrap_or_default();
        waiting.into_iter().map(|(ticket, point)| Waiting { ticket, point }).collect()
    }

    /// What waits at a place of a run, in words.
    pub(super) fn waits(&self, run: usize, point: usize) -> Option<String> {
        let run = run.checked_rem(self.runs.len())?;
        let waiting = self.waiting(run);
        let point = &waiting.get(point.checked_rem(waiting.len())?)?.point;
        Some(match point {
            Point::Call(call) => format!("{}: {call}", self.runs[run].step),
            Point::Sleep(until) => format!("{}: until {until}", self.runs[run].step),
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
        let (secret, run) = (usize::from(action.which) % self.secrets.len(), usize::from(action.which));
        let how = usize::from(action.how);
        match action.kind {
            Kind::Begin => drop(self.world.try_begin_rotation_of(&self.secrets[secret]).ok()?),
            Kind::DryRun => self.dry_run(secret)?,
            Kind::Due => self.due()?,
            Kind::Invoke => self.invoke(secret, &self.pending(secret)?, step(how))?,
            Kind::Stray => self.stray(secret, how)?,
            Kind::Go => self.go(run, how, action.fault)?,
            Kind::Run => self.run_to_its_end(run)?,
            Kind::Kill => self.kill(run)?,
            Kind::Wait => self.world.advance(SignedDuration::from_secs(i64::from(action.how))),
            Kind::Ways => self.ways(how),
            Kind::Purge => self.purge(secret)?,
            Kind::Put => self.put(secret, how)?,
            Kind::Offer => self.offer(secret, how)?,
            Kind::PutPending => self.put_pending(secret, how)?,
            Kind::Label => self.label(secret, LABELS[how % 5], Some(self.version(secret, how / 5)?))?,
            Kind::Unlabel => self.unlabel(secret, how)?,
            Kind::FillLabels => self.fill_labels(secret, how % 4)?,
            Kind::Cancel => self.on_secret(secret, |model, id, now| {
                model.cancel_rotate_secret(&CancelRotateSecret { secret_id: id }, now).is_ok()
            })?,
            Kind::SwitchOn => self.switch_on(secret)?,
            Kind::Delete => self.on_secret(secret, |model, id, now| {
                model.delete_secret(&DeleteSecret { secret_id: id, ..DeleteSecret::default() }, now).is_ok()
            })?,
            Kind::Restore => {
                self.on_secret(secret, |model, id, now| model.restore_secret(&RestoreSecret { secret_id: id }, now).is_ok())?;
            }
            Kind::RotateMaster => self.rotate_master(how)?,
            Kind::EditKey => self.edit_key(usize::from(action.which), how)?,
            Kind::DeleteKey => self.delete_key(how)?,
            Kind::FillSlots => self.fill_slots(how % 3)?,
            Kind::FreeSlots => self.free_slots()?,
            Kind::Skew => self.world.set_function_ahead(SignedDuration::from_secs(i64::from(action.how % 121) - 60)),
            Kind::Venue => self.venue_ways(how),
            Kind::Client => self.world.client_reads(&self.secrets[secret], how % 2 == 1),
            Kind::Replica => self.replica(secret, how)?,
        }
        Some(())
    }

    // The service.

    fn pending(&self, secret: usize) -> Option<VersionId> {
        self.look(secret, |secret| secret.holder(AWSPENDING).map(VersionId::new))
    }

    fn version(&self, secret: usize, nth: usize) -> Option<VersionId> {
        self.look(secret, |secret| {
            let versions = secret.versions();
            versions.keys().nth(nth.checked_rem(versions.len())?).map(VersionId::new)
        })
    }

    fn dry_run(&mut self, secret: usize) -> Option<()> {
        let id = self.secrets[secret].as_str().to_owned();
        let request = RotateSecret { secret_id: id, rotate_immediately: Some(false), ..RotateSecret::default() };
        self.world.secrets_manager(|model, now| model.rotate_secret(&request, now)).ok().map(drop)
    }

    fn due(&mut self) -> Option<()> {
        if self.runs.len() >= MOST_RUNS {
            return None;
        }
        let due = self.world.secrets_manager(secrets_manager::Model::due_invocation)?;
        let secret = self.secrets.iter().position(|secret| secret.as_str() == due.secret_arn)?;
        let step = Step::ALL.into_iter().find(|step| step.as_str() == due.step.as_str())?;
        let token = VersionId::new(due.token.clone());
        self.start(secret, &token, step, Some(due));
        Some(())
    }

    fn invoke(&mut self, secret: usize, token: &VersionId, step: Step) -> Option<()> {
        if self.runs.len() >= MOST_RUNS {
            return None;
        }
        self.start(secret, token, step, None);
        Some(())
    }

    fn stray(&mut self, secret: usize, how: usize) -> Option<()> {
        let token = self.version(secret, how / 4)?;
        self.invoke(secret, &token, step(how))
    }

    fn start(&mut self, secret: usize, token: &VersionId, step: Step, due: Option<secrets_manager::Invocation>) {
        let invocation = self.world.start(self.world.request_of(&self.secrets[secret], step, token));
        self.runs.push(Running { invocation, secret, step, due });
        self.go_on(self.runs.len() - 1, false);
    }

    fn ways(&mut self, how: usize) {
        self.world.secrets_manager(|model, _| {
            let knobs = model.knobs_mut();
            knobs.clean_up_pending = how.is_multiple_of(2);
            knobs.test_leftover =
                [TestLeftover::Nothing, TestLeftover::UnlabelledVersion, TestLeftover::PendingVersion][how / 2 % 3];
            knobs.invocation_patience = SignedDuration::from_secs([960, 60, 5][how / 6 % 3]);
            knobs.any_manual_version_abandons = how / 18 % 2 == 1;
            knobs.fresh_rotation_token_per_replay = how / 36 % 2 == 1;
        });
    }

    fn purge(&mut self, secret: usize) -> Option<()> {
        // Beyond the quota of 100 versions, what bears no label and is older than a day goes.
        (0..60).try_for_each(|_| self.store(secret, None, "scratch".to_owned(), "SCRATCH"))?;
        self.world.advance(SignedDuration::from_hours(25));
        (0..60).try_for_each(|_| self.store(secret, None, "scratch".to_owned(), "SCRATCH"))
    }

    // The function.

    fn go(&mut self, run: usize, point: usize, fault: Option<Fault>) -> Option<()> {
        let run = run.checked_rem(self.runs.len())?;
        let waiting = self.waiting(run);
        let Waiting { ticket, point } = waiting.get(point.checked_rem(waiting.len())?)?;
        let fault = match point {
            Point::Call(call) => {
                self.coverage.called(call.operation, fault);
                fault
            }
            Point::Sleep(_) => None,
        };
        self.runs[run].invocation.let_through(*ticket, fault);
        self.go_on(run, matches!(fault, Some(Fault::CrashBefore | Fault::CrashAfter)));
        Some(())
    }

    /// Lets a run work up to its next calls; takes it off the stage where it is over.
    fn go_on(&mut self, run: usize, crashes: bool) {
        let polled = self.runs[run].invocation.poll();
        let result = match polled {
            Poll::Ready(result) => result,
            Poll::Pending if crashes => Err(Failure::Crashed),
            Poll::Pending => return,
        };
        self.over(run, result);
    }

    fn over(&mut self, run: usize, result: Result<Done, Failure>) {
        let Running { due, step, .. } = self.runs.remove(run);
        self.coverage.ended(step, &result);
        if let Some(due) = due {
            self.world.secrets_manager(|model, now| model.invocation_finished(&due, result.is_ok(), now));
        }
        self.ended = Some(Ended { step, result });
    }

    fn run_to_its_end(&mut self, run: usize) -> Option<()> {
        let run = run.checked_rem(self.runs.len())?;
        let runs = self.runs.len();
        for _ in 0..200 {
            if self.runs.len() < runs || self.violation().is_some() {
                return Some(());
            }
            // Time passes only where there is nothing else to do.
            let waiting = self.waiting(run);
            let call = waiting.iter().position(|waiting| matches!(waiting.point, Point::Call(_)));
            self.go(run, call.unwrap_or(0), None);
        }
        self.kill(run)
    }

    fn kill(&mut self, run: usize) -> Option<()> {
        let run = run.checked_rem(self.runs.len())?;
        self.over(run, Err(Failure::Crashed));
        Some(())
    }

    // A person, at Secrets Manager.

    fn on_secret(
        &self,
        secret: usize,
        act: impl FnOnce(&mut secrets_manager::Model, String, jiff::Timestamp) -> bool,
    ) -> Option<()> {
        let id = self.secrets[secret].as_str().to_owned();
        self.world.secrets_manager(|model, now| act(model, id, now)).then_some(())
    }

    fn put(&mut self, secret: usize, how: usize) -> Option<()> {
        let document = self.documents[secret];
        let value = match how % 8 {
            0 => self.look(secret, |secret| {
                let current = secret.versions().get(secret.holder(AWSCURRENT)?)?;
                current.value()?.text().map(str::to_owned)
            })?,
            1 => "not a value".to_owned(),
            2 => self.value(document, OTHER_SUB, OTHER_SUB)?,
            3 => self.value(document, OTHER_SUB, SUB)?,
            _ => self.value(document, SUB, SUB)?,
        };
        self.store(secret, None, value, AWSCURRENT)
    }

    fn offer(&mut self, secret: usize, how: usize) -> Option<()> {
        let account = if how % 4 == 3 { OTHER_SUB } else { SUB };
        let value = self.value(self.documents[secret], account, account)?;
        self.store(secret, None, value, "CANDIDATE")
    }

    fn put_pending(&mut self, secret: usize, how: usize) -> Option<()> {
        let value = self.value(self.documents[secret], SUB, SUB)?;
        let version = if how.is_multiple_of(2) { self.pending(secret) } else { None };
        self.store(secret, version, value, AWSPENDING)
    }

    /// A value with a new key of an account, which it says is of another.
    fn value(&self, document: &str, account: Uid, said: Uid) -> Option<String> {
        let settings = by_hand("made by hand");
        let key = self.world.bybit(|model, now| model.create_key_by_hand(account, settings, now)).ok()?;
        Some(self.world.filled_in(document, &key, said))
    }

    fn store(&mut self, secret: usize, version: Option<VersionId>, value: String, label: &str) -> Option<()> {
        let version = version.map_or_else(|| format!("{:016x}-stored-by-one-hand", self.world.chance()), |id| id.to_string());
        let request = PutSecretValue {
            secret_id: self.secrets[secret].as_str().to_owned(),
            client_request_token: Some(version),
            secret_string: Some(Sensitive::new(value)),
            version_stages: Some(vec![label.to_owned()]),
            ..PutSecretValue::default()
        };
        self.world.secrets_manager(|model, now| model.put_secret_value(&request, now)).ok().map(drop)
    }

    fn label(&mut self, secret: usize, label: &str, to: Option<VersionId>) -> Option<()> {
        let from = self.look(secret, |secret| secret.holder(label).map(str::to_owned));
        if to.is_none() && from.is_none() {
            return None;
        }
        let request = UpdateSecretVersionStage {
            secret_id: self.secrets[secret].as_str().to_owned(),
            version_stage: label.to_owned(),
            remove_from_version_id: from,
            move_to_version_id: to.map(|version| version.to_string()),
        };
        self.world.secrets_manager(|model, now| model.update_secret_version_stage(&request, now)).ok().map(drop)
    }

    fn unlabel(&mut self, secret: usize, how: usize) -> Option<()> {
        let oldest = |secret: &Secret| secret.labels().keys().find(|label| label.starts_with("REPLACED-")).cloned();
        match LABELS.get(1 + how % 5) {
            Some(label) => self.label(secret, label, None),
            None => self.label(secret, &self.look(secret, oldest)?, None),
        }
    }

    fn fill_labels(&mut self, secret: usize, but: usize) -> Option<()> {
        let current = VersionId::new(self.look(secret, |secret| secret.holder(AWSCURRENT).map(str::to_owned))?);
        let free = 20_usize.checked_sub(self.look(secret, |secret| secret.labels().len()))?.checked_sub(but)?;
        (0..free).try_for_each(|nth| self.label(secret, &format!("NOTE-{nth}"), Some(current.clone())))
    }

    fn switch_on(&mut self, secret: usize) -> Option<()> {
        if self.look(secret, Secret::rotation_is_enabled) {
            return None;
        }
        drop(self.world.try_begin_rotation_of(&self.secrets[secret]));
        Some(())
    }

    fn rotate_master(&mut self, how: usize) -> Option<()> {
        let master_arn = self.world.master_arn().to_owned();
        let text = self.world.of(&SecretId::parse(&master_arn).ok()?, |secret| {
            let current = secret.versions().get(secret.holder(AWSCURRENT)?)?;
            current.value()?.text().map(str::to_owned)
        })?;
        let old: serde_json::Value = serde_json::from_str(&text).ok()?;
        let old = KeyId::from(old["api_key"].as_str()?);
        let ips = Ips::only([FUNCTION_ADDRESS]);
        let new = self.world.bybit(|model, now| model.add_master_key(PARENT, ips, now)).ok()?;
        let value = self.world.filled_in(r#"{"exchange":"bybit","api_key":"<key>","api_secret":"<secret>"}"#, &new, PARENT);
        let request = PutSecretValue {
            secret_id: master_arn,
            client_request_token: Some(format!("{:016x}-stored-by-one-hand", self.world.chance())),
            secret_string: Some(Sensitive::new(value)),
            ..PutSecretValue::default()
        };
        let delete = |world: &World| world.bybit(|model, now| model.delete_key_by_hand(&old, now)).ok();
        // Some delete the old key first.
        if how.is_multiple_of(2) {
            delete(&self.world);
        }
        self.world.secrets_manager(|model, now| model.put_secret_value(&request, now)).ok()?;
        if how % 2 == 1 {
            delete(&self.world);
        }
        Some(())
    }

    // A person, at the venue.

    /// The keys of the sub-account, the youngest first: most of what matters is about those.
    fn keys(&self) -> Vec<bybit::KeyTruth> {
        let mut keys = self.world.live_keys();
        keys.reverse();
        keys
    }

    fn edit_key(&mut self, which: usize, how: usize) -> Option<()> {
        let keys = self.keys();
        let key = keys.get(which.checked_rem(keys.len())?)?;
        let mut settings = key.settings.clone();
        match how % 5 {
            0 => settings.permissions = Permissions::of(&[TRADES, SPOT, ("Wallet", &["AccountTransfer"])]),
            1 => settings.permissions = Permissions::of(&[TRADES, SPOT, ("BlockTrade", &["BlockTrade"])]),
            2 => settings.permissions = Permissions::of(&[SPOT]),
            3 => settings.ips = Ips::Any,
            _ => settings.ips = Ips::only([BOT_ADDRESS]),
        }
        self.world.bybit(|model, now| model.edit_key_by_hand(&key.key, settings, now)).ok()
    }

    fn delete_key(&mut self, how: usize) -> Option<()> {
        let keys = self.keys();
        let key = keys.get(how.checked_rem(keys.len())?)?;
        self.world.bybit(|model, now| model.delete_key_by_hand(&key.key, now)).ok()
    }

    fn fill_slots(&mut self, but: usize) -> Option<()> {
        let free = KEY_SLOTS.checked_sub(self.world.live_keys().len()).filter(|free| *free > but)?;
        for _ in but..free {
            self.world.bybit(|model, now| model.create_key_by_hand(SUB, by_hand("filler"), now)).ok()?;
        }
        Some(())
    }

    fn free_slots(&mut self) -> Option<()> {
        let fillers: Vec<KeyId> =
            self.keys().into_iter().filter(|key| key.settings.note == "filler").map(|key| key.key).collect();
        fillers.first()?;
        for key in fillers {
            self.world.bybit(|model, now| model.delete_key_by_hand(&key, now)).ok()?;
        }
        Some(())
    }

    fn venue_ways(&mut self, how: usize) {
        self.world.bybit(|model, _| {
            let delay = |choice: usize| SignedDuration::from_secs([0, 3, 20][choice % 3]);
            model.knobs.new_key_delay = delay(how);
            model.knobs.deletion_delay = delay(how / 3);
            model.knobs.edit_delay = delay(how / 9);
            model.knobs.listings_lag = how / 27 % 2 == 1;
            model.knobs.wrong_host = how / 54 % 6 == 5;
        });
    }

    fn replica(&mut self, secret: usize, how: usize) -> Option<()> {
        let status = [ReplicaStatus::InSync, ReplicaStatus::InProgress, ReplicaStatus::Failed][how % 3];
        self.on_secret(secret, |model, id, _| {
            let replica = Replica { region: "eu-west-1".to_owned(), status, status_message: None };
            model.set_replicas(&id, vec![replica]).is_ok()
        })
    }
}

fn step(how: usize) -> Step {
    Step::ALL[how % Step::ALL.len()]
}

/// A key as a person makes it: bound to the bots and to the function.
fn by_hand(note: &str) -> Settings {
    let permissions = Permissions::of(&[TRADES, SPOT]);
    Settings { note: note.to_owned(), read_only: false, ips: Ips::only([BOT_ADDRESS, FUNCTION_ADDRESS]), permissions }
}
