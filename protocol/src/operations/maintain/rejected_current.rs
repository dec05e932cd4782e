//! Soak: while a replaced key is in its grace, there is a way back from its successor.

use crate::bounds::{UNSETTLED, after};
use crate::error::Error;
use crate::label::{Label, StampKind, VersionId};
use crate::operations::answer::Code;
use crate::operations::commands::replace;
use crate::operations::maintain::current::Current;
use crate::operations::maintain::visit::SecretVisit;
use crate::operations::pass::with_retries;
use crate::operations::retire::end_of_life::EndOfLife;
use crate::operations::retire::grace::Origin;
use crate::operations::retire::liveness::{Known, Life, asked, life};
use crate::operations::rollback;
use crate::ports::{Description, Which};
use crate::session::{AccountAccess, has_stamp, must_fit, venue_of};
use crate::task::Operation;

impl SecretVisit<'_> {
    /// While a replaced key is in its grace there is a way back: a definite rejection of its successor is
    /// remembered, and a second one in a later pass is acted on.
    pub(crate) async fn act_on_rejection(
        &mut self,
        description: &Description,
        current: &Current,
        dead: bool,
    ) -> Result<(), Error> {
        let version = &current.version;
        let suspect = description.labels(version).find(|label| {
            label
                .stamp()
                .is_some_and(|stamp| stamp.kind == StampKind::Suspect)
        });
        if !dead {
            if let Some(label) = suspect.filter(|_| current.state.is_ok()) {
                let what = format!("take {label} off version {version}: its key answers");
                if !self.would(&what) {
                    self.session.remove_label(label.clone(), version).await?;
                }
            }
            return Ok(());
        }
        let key = &current.value.credential.key_id;
        let Some(previous) = self.replaced_in_grace(description, current).await? else {
            self.find(
                Code::CurrentDead,
                format!("the venue rejects the current key {key}"),
                replace(&self.name, current.venue.as_ref(), &current.value),
            );
            return Ok(());
        };
        let since = suspect.and_then(Label::stamp).map(|stamp| stamp.at);
        let Some(since) = since else {
            let what = format!("stamp version {version}: its key was rejected");
            if !self.would(&what)
                && !has_stamp(description, version, StampKind::Suspect)
                && let Err(error) = self.suspect(description, version).await
            {
                // No later pass could tell that this one saw it.
                let say = format!("the venue rejects the current key {key}");
                self.find(
                    Code::CurrentDead,
                    say,
                    replace(&self.name, current.venue.as_ref(), &current.value),
                );
                return Err(error);
            }
            let say =
                format!("the venue rejects the current key {key} for the first time: the next pass decides");
            self.find(
                Code::CurrentSuspect,
                say,
                self.pass.command(Operation::Maintain, &self.name),
            );
            return Ok(());
        };
        let decides = after(since, UNSETTLED);
        if self.pass.now() <= decides {
            let say = format!(
                "the venue has rejected the current key {key} since {since}: a pass after {decides} decides"
            );
            self.find(
                Code::CurrentSuspect,
                say,
                self.pass.command(Operation::Maintain, &self.name),
            );
            return Ok(());
        }
        let way_back = self.is_alive(description, previous, current).await?;
        let what_to_do = if way_back {
            self.pass.command(Operation::Rollback, &self.name)
        } else {
            replace(&self.name, current.venue.as_ref(), &current.value)
        };
        let way = if way_back {
            "; the key before it is alive"
        } else {
            ""
        };
        let say = format!("the venue has rejected the current key {key} since {since}{way}");
        self.find(Code::CurrentDead, say, what_to_do);
        let what = format!("roll back to version {previous}");
        if way_back && current.value.policy.auto_rollback && !self.would(&what) {
            match rollback::begin(self.pass, self.session, description, previous).await {
                Ok(()) => self.count("rollbacks"),
                Err(refusal) => {
                    self.find(
                        Code::NotDone,
                        format!("no rollback: {}", refusal.say),
                        refusal.what_to_do,
                    );
                }
            }
        }
        Ok(())
    }

    /// What an audit says of a current key that the venue rejects. In the grace of the one before, a second
    /// look of a pass decides what to do.
    pub(crate) async fn tell_of_rejection(
        &mut self,
        description: &Description,
        current: &Current,
    ) -> Result<(), Error> {
        let Current { version, value, .. } = current;
        let key = &value.credential.key_id;
        let since = description
            .labels(version)
            .filter_map(Label::stamp)
            .filter(|stamp| stamp.kind == StampKind::Suspect);
        let is_decided = since
            .map(|stamp| stamp.at)
            .any(|since| self.pass.now() > after(since, UNSETTLED));
        let way_back = async {
            Ok(match self.replaced_in_grace(description, current).await? {
                Some(_) if !is_decided => Some(Operation::Maintain),
                Some(previous) => self
                    .is_alive(description, previous, current)
                    .await?
                    .then_some(Operation::Rollback),
                None => None,
            })
        };
        let way_back: Result<Option<Operation>, Error> = way_back.await;
        let what_to_do = match way_back {
            Ok(Some(operation)) => self.pass.command(operation, &self.name),
            Ok(None) | Err(_) => replace(&self.name, current.venue.as_ref(), value),
        };
        self.find(
            Code::CurrentDead,
            format!("the venue rejects the current key {key}"),
            what_to_do,
        );
        way_back.map(drop)
    }

    async fn suspect(&self, description: &Description, version: &VersionId) -> Result<(), Error> {
        must_fit(description, 1)?;
        self.session.add_stamp(StampKind::Suspect, version).await
    }

    async fn is_alive(
        &self,
        description: &Description,
        version: &VersionId,
        current: &Current,
    ) -> Result<bool, Error> {
        let Some(stored) = self.session.read(Which::Version(version)).await? else {
            return Ok(false);
        };
        let Ok(value) = stored.value() else {
            return Ok(false);
        };
        let venue = venue_of(self.pass.ports, description, &value)?;
        let answer = asked(self.pass, venue.as_ref(), &value).await;
        let (Err(_), Ok((master, Some((account, _))))) = (&answer, &current.master) else {
            return Ok(answer.is_ok());
        };
        let access = AccountAccess::new(venue.as_ref(), master.clone(), account.clone(), description);
        Ok(life(
            self.pass,
            &access,
            &value.credential.key_id,
            &answer,
            Known::default(),
        )
        .await?
            == Life::Alive)
    }

    /// The version before the current one, where its key has not come to its end.
    async fn replaced_in_grace<'d>(
        &self,
        description: &'d Description,
        current: &Current,
    ) -> Result<Option<&'d VersionId>, Error> {
        let Some(previous) = description.holder(&Label::previous()) else {
            return Ok(None);
        };
        if description.is_current(previous) {
            return Ok(None);
        }
        let stored = with_retries(self.pass, || self.session.read(Which::Version(previous))).await?;
        let value = stored.and_then(|stored| stored.value().ok());
        let issued = value.is_some_and(|value| {
            Origin::of(
                description,
                Some(previous),
                &value.credential.key_id,
                current.list(),
            )
            .is_issued()
        });
        let over = EndOfLife::of(description, previous)
            .may_be_due(self.pass.now(), self.pass.settings.grace_of(issued));
        Ok((!over).then_some(previous))
    }
}
