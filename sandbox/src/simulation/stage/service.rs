//! What Secrets Manager does.

use jiff::SignedDuration;
use protocol::label::VersionId;
use protocol::name::SecretId;
use protocol::operations::{Mode, OperationRequest, Shard};
use protocol::rotation::Step;
use protocol::task::Task;

use super::{Driven, MOST_RUNS, Running, Stage, step};
use crate::in_process::{break_glass, maintain, without_a_successor};
use crate::secrets_manager::{self, AWSPENDING, RotateSecret, TestLeftover};

impl Stage {
    pub(super) fn pending(&self, secret: usize) -> Option<VersionId> {
        self.look(secret, |secret| secret.holder(AWSPENDING).map(VersionId::new))
    }

    pub(super) fn version(&self, secret: usize, nth: usize) -> Option<VersionId> {
        self.look(secret, |secret| {
            let versions = secret.versions();
            versions
                .keys()
                .nth(nth.checked_rem(versions.len())?)
                .map(VersionId::new)
        })
    }

    pub(super) fn dry_run(&mut self, secret: usize) -> Option<()> {
        let id = self.secrets[secret].as_str().to_owned();
        let request = RotateSecret {
            secret_id: id,
            rotate_immediately: Some(false),
            ..RotateSecret::default()
        };
        self.world
            .secrets_manager(|model, now| model.rotate_secret(&request, now))
            .ok()
            .map(drop)
    }

    pub(super) fn due(&mut self) -> Option<()> {
        if self.runs.len() >= MOST_RUNS {
            return None;
        }
        let due = self
            .world
            .secrets_manager(secrets_manager::Model::due_invocation)?;
        let step = Step::ALL
            .into_iter()
            .find(|step| step.as_str() == due.step.as_str())?;
        let token = VersionId::new(due.token.clone());
        self.start(&SecretId::parse(&due.secret_arn).ok()?, &token, step, Some(due));
        Some(())
    }

    pub(super) fn invoke(&mut self, secret: usize, token: &VersionId, step: Step) -> Option<()> {
        if self.runs.len() >= MOST_RUNS {
            return None;
        }
        self.start(&self.secrets[secret].clone(), token, step, None);
        Some(())
    }

    pub(super) fn stray(&mut self, secret: usize, how: usize) -> Option<()> {
        let token = self.version(secret, how / 4)?;
        self.invoke(secret, &token, step(how))
    }

    fn start(
        &mut self,
        secret: &SecretId,
        token: &VersionId,
        step: Step,
        due: Option<secrets_manager::Invocation>,
    ) {
        let invocation = self.world.start(self.world.request_of(secret, step, token));
        let secret = self.secrets.iter().position(|known| known == secret);
        let invocation = Driven::Step(invocation);
        self.runs.push(Running {
            invocation,
            secret,
            task: Task::Step(step),
            due,
        });
        self.go_on(self.runs.len() - 1, false);
    }

    /// The schedule's pass over all secrets, that over one of them which an event asks for, or what either
    /// would do; or the passes of two schedules at once, each over its part.
    pub(super) fn maintain(&mut self, secret: usize, how: usize) -> Option<()> {
        if how % 8 == 7 && self.runs.len() + 2 <= MOST_RUNS {
            return ["1/2", "2/2"]
                .into_iter()
                .try_for_each(|part| self.operate(None, maintain(part.parse().ok()?, false)));
        }
        let one = (how % 4 == 1).then(|| self.secrets[secret].clone());
        let about = one.as_ref().map(|_| secret);
        self.operate(
            about,
            OperationRequest::Maintain {
                shard: Shard::ALL,
                secrets: one.into_iter().collect(),
                moved: false,
                dry_run: how % 16 == 2,
            },
        )
    }

    pub(super) fn operate(&mut self, secret: Option<usize>, request: OperationRequest) -> Option<()> {
        if self.runs.len() >= MOST_RUNS {
            return None;
        }
        let task = Task::Operation(request.operation());
        let invocation = Driven::Operation(self.world.start_operation(request));
        self.runs.push(Running {
            invocation,
            secret,
            task,
            due: None,
        });
        self.go_on(self.runs.len() - 1, false);
        Some(())
    }

    /// A person says that the current key is leaked, or that of another version, or the master's.
    pub(super) fn break_glass(&mut self, secret: usize, how: usize) -> Option<()> {
        let mode = if how % 2 == 1 {
            Mode::RevokeFirst
        } else {
            Mode::ReplaceFirst
        };
        let is_master = how % 16 == 12;
        let version = if how / 2 % 2 == 1 {
            Some(self.version(secret, how / 4)?)
        } else {
            None
        };
        let leaked = if is_master {
            SecretId::parse(self.world.master_arn()).ok()?
        } else {
            self.secrets[secret].clone()
        };
        let about = Some(secret).filter(|_| !is_master);
        let order = break_glass(&leaked, version.as_ref(), mode);
        let order = if how % 32 >= 16 {
            without_a_successor(order)
        } else {
            order
        };
        self.operate(about, order)
    }

    pub(super) fn ways(&mut self, how: usize) {
        self.world.secrets_manager(|model, _| {
            let knobs = model.knobs_mut();
            knobs.clean_up_pending = how.is_multiple_of(2);
            knobs.test_leftover = [
                TestLeftover::Nothing,
                TestLeftover::UnlabelledVersion,
                TestLeftover::PendingVersion,
            ][how / 2 % 3];
            knobs.invocation_patience = SignedDuration::from_secs([960, 60, 5][how / 6 % 3]);
            knobs.any_manual_version_abandons = how / 18 % 2 == 1;
            knobs.fresh_rotation_token_per_replay = how / 36 % 2 == 1;
        });
    }

    pub(super) fn purge(&mut self, secret: usize) -> Option<()> {
        // Beyond the quota of 100 versions, what bears no label and is older than a day goes.
        (0..60).try_for_each(|_| self.store(secret, None, "scratch".to_owned(), "SCRATCH"))?;
        self.world.advance(SignedDuration::from_hours(25));
        (0..60).try_for_each(|_| self.store(secret, None, "scratch".to_owned(), "SCRATCH"))
    }
}
