//! What an audit says of one secret. Reads and asks, and changes nothing.

use crate::error::Error;
use crate::name::SecretId;
use crate::operations::answer::{Audited, Code, ReplicaRow};
use crate::operations::commands::describe_secret;
use crate::operations::maintain::visit::{SecretVisit, VisitReport};
use crate::operations::pass::{Pass, with_retries};
use crate::ports::{Description, Replica};

/// Looks at one secret. Whatever goes wrong is a finding.
pub(crate) async fn look(pass: &Pass<'_>, listed: &Description) -> VisitReport {
    let Ok(id) = SecretId::parse(&listed.arn) else {
        return VisitReport::default();
    };
    let session = pass.session(&id);
    let mut visit = SecretVisit::new(pass, &session, listed);
    let mut audited = Audited::default();
    if let Err(error) = visit.look(&mut audited).await {
        visit.trouble(&error);
    }
    visit.row.audit = Some(Box::new(audited));
    visit.over()
}

impl SecretVisit<'_> {
    async fn look(&mut self, audited: &mut Audited) -> Result<(), Error> {
        let pass = self.pass;
        let description = with_retries(pass, || self.session.describe()).await?;
        self.count("secrets");
        self.tell_of_another_account(&description.arn);
        audited.last_rotated = description.last_rotated;
        audited.next_rotation = description.next_rotation;
        audited.replicas = description
            .replicas
            .iter()
            .map(|replica| ReplicaRow {
                region: replica.region.clone(),
                in_sync: replica.in_sync,
                status: replica.status.clone(),
            })
            .collect();
        audited.rotation = self.standing(&description).await;
        if let Some(behind) = behind(&description) {
            self.find(
                Code::ReplicaBehind,
                format!("a replica is not in sync: {behind}"),
                describe_secret(&self.name),
            );
        }
        if description.deleted {
            let say = "the secret is scheduled for deletion: no consumer can read it, and its keys live on \
                       at the venue";
            let what_to_do = format!(
                "where that was a mistake: aws secretsmanager restore-secret --secret-id {}; else delete \
                 its keys at the venue",
                self.name
            );
            self.find(Code::SecretDeleted, say, what_to_do);
            return Ok(());
        }
        let current = self.current(&description).await.unwrap_or_else(|error| {
            self.trouble(&error);
            None
        });
        if let Some(current) = &current {
            self.look_at_current(&description, current, audited).await;
        }
        let beside = self.versions_beside(&description, current.as_ref()).await;
        let list = current
            .as_ref()
            .and_then(|current| current.master.as_ref().ok()?.1.as_ref().map(|(_, list)| list));
        for version in &beside {
            self.judge_beside(&description, version, current.as_ref(), list)
                .await;
        }
        if let Some(current) = &current {
            self.look_at_account(&description, current, &beside, audited)
                .await;
            self.look_at_accounts_before(&description, current, &beside).await;
        }
        Ok(())
    }
}

/// The replicas that are not in sync, with what Secrets Manager says of each.
pub(crate) fn behind(description: &Description) -> Option<String> {
    let behind: Vec<String> = description
        .replicas
        .iter()
        .filter(|replica| !replica.in_sync)
        .map(Replica::said)
        .collect();
    (!behind.is_empty()).then(|| behind.join(", "))
}
