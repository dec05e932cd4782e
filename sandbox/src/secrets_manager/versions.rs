//! `ListSecretVersionIds`, and paging.

use jiff::Timestamp;

use super::journal::{Operation, detail};
use super::reply::{VersionPage, VersionSummary};
use super::request::ListSecretVersionIds;
use super::{Error, ErrorKind, Model};

impl Model {
    /// `ListSecretVersionIds`. It answers for a secret that is marked for deletion too: AWS declares no
    /// `InvalidRequestException` for it.
    pub fn list_secret_version_ids(
        &mut self,
        request: &ListSecretVersionIds,
        now: Timestamp,
    ) -> Result<VersionPage, Error> {
        let deprecated = request.include_deprecated.to_string();
        let detail = detail(&[("IncludeDeprecated", Some(&deprecated))]);
        self.logged(
            Operation::ListSecretVersionIds,
            &request.secret_id,
            || detail,
            now,
            |model| {
                let secret = model.secrets.must_be(&request.secret_id)?;
                let mut versions: Vec<VersionSummary> = secret
                    .versions
                    .iter()
                    .map(|(id, version)| VersionSummary {
                        version_id: id.clone(),
                        version_stages: secret.stages_of(id),
                        last_accessed_date: version.last_accessed,
                        created_date: version.created,
                    })
                    .filter(|version| request.include_deprecated || !version.version_stages.is_empty())
                    .collect();
                versions.sort_by_key(|version| version.created_date);
                let (versions, next_token) = page(
                    versions,
                    |version| &version.version_id,
                    request.max_results,
                    request.next_token.as_deref(),
                )?;
                Ok(VersionPage {
                    arn: secret.arn.clone(),
                    name: secret.name.clone(),
                    versions,
                    next_token,
                })
            },
        )
    }
}

/// The items after the one that the token names, and the token of the next page. A token is the last item's
/// key, so that items made or removed elsewhere neither repeat nor hide one.
pub(super) fn page<T>(
    mut items: Vec<T>,
    key: impl Fn(&T) -> &str,
    most: Option<usize>,
    token: Option<&str>,
) -> Result<(Vec<T>, Option<String>), Error> {
    let most = most.unwrap_or(100);
    if !(1..=100).contains(&most) {
        return Err(Error::parameter("MaxResults must be 1 to 100."));
    }
    let start = match token {
        None => 0,
        Some(token) => {
            let last = items.iter().position(|item| key(item) == token);
            last.ok_or_else(|| Error::new(ErrorKind::InvalidNextToken, "The NextToken value is invalid."))?
                + 1
        }
    };
    let more = items.len() > start + most;
    let items: Vec<T> = items.drain(start..).take(most).collect();
    let next = items.last().filter(|_| more).map(|last| key(last).to_owned());
    Ok((items, next))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{FIRST, T0, hours, model_with, put, relabel, token};
    use super::*;

    fn request() -> ListSecretVersionIds {
        ListSecretVersionIds {
            secret_id: "a".into(),
            ..ListSecretVersionIds::default()
        }
    }

    #[test]
    fn versions_without_labels_are_listed_only_on_demand() {
        let (mut model, _) = model_with("a");
        model
            .put_secret_value(&put("a", 2, "second", &["X"]), T0 + hours(1))
            .unwrap();
        model
            .update_secret_version_stage(&relabel("X", Some(&token(2)), None), T0)
            .unwrap();
        let labelled = model.list_secret_version_ids(&request(), T0).unwrap();
        assert_eq!(labelled.versions.len(), 1);
        let all = ListSecretVersionIds {
            include_deprecated: true,
            ..request()
        };
        let ids: Vec<String> = model
            .list_secret_version_ids(&all, T0)
            .unwrap()
            .versions
            .into_iter()
            .map(|v| v.version_id)
            .collect();
        assert_eq!(ids, [FIRST.to_owned(), token(2)]);
    }

    #[test]
    fn pages_show_every_version_once() {
        let (mut model, _) = model_with("a");
        for number in 2..=6 {
            model.put(number, "v", &[&format!("L{number}")]);
        }
        let mut seen = Vec::new();
        let mut next_token = None;
        loop {
            let request = ListSecretVersionIds {
                max_results: Some(2),
                next_token,
                ..request()
            };
            let page = model.list_secret_version_ids(&request, T0).unwrap();
            seen.extend(page.versions.into_iter().map(|version| version.version_id));
            next_token = page.next_token;
            if next_token.is_none() {
                break;
            }
        }
        seen.sort();
        assert_eq!(
            seen,
            [FIRST.to_owned(), token(2), token(3), token(4), token(5), token(6)]
        );
    }

    #[test]
    fn a_strange_page_token_is_refused() {
        let (mut model, _) = model_with("a");
        let request = ListSecretVersionIds {
            next_token: Some("zz".into()),
            ..request()
        };
        let error = model.list_secret_version_ids(&request, T0).unwrap_err();
        assert_eq!(error.kind, ErrorKind::InvalidNextToken);
        let request = ListSecretVersionIds {
            max_results: Some(101),
            next_token: None,
            ..request
        };
        assert_eq!(
            model.list_secret_version_ids(&request, T0).unwrap_err().kind,
            ErrorKind::InvalidParameter
        );
    }
}
