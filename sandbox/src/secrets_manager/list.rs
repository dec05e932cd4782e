//! `ListSecrets`: filters, order, pages.

use jiff::Timestamp;

use super::journal::{Operation, detail};
use super::metadata::summary;
use super::reply::{SecretPage, SecretSummary};
use super::request::{Filter, ListSecrets, SortBy, SortOrder};
use super::versions::page;
use super::{Error, Model};

impl Model {
    /// `ListSecrets`.
    pub fn list_secrets(&mut self, request: &ListSecrets, now: Timestamp) -> Result<SecretPage, Error> {
        let filters: Vec<&str> = request.filters.iter().map(|filter| filter.key.as_str()).collect();
        let filters = filters.join(",");
        let detail = detail(&[("Filters", Some(filters.as_str()).filter(|keys| !keys.is_empty()))]);
        self.logged(
            Operation::ListSecrets,
            "",
            || detail,
            now,
            |model| {
                let filters: Vec<Matcher<'_>> = request
                    .filters
                    .iter()
                    .map(Matcher::new)
                    .collect::<Result<_, _>>()?;
                let mut found: Vec<SecretSummary> = model
                    .secrets
                    .own()
                    .filter(|secret| request.include_planned_deletion || secret.deletion.is_none())
                    .map(|secret| SecretSummary {
                        secret_versions_to_stages: secret.versions_to_stages(),
                        ..summary(secret, &model.place.region)
                    })
                    .filter(|secret| filters.iter().all(|filter| filter.matches(secret)))
                    .collect();
                sort(&mut found, request);
                let (secret_list, next_token) = page(
                    found,
                    |secret| &secret.arn,
                    request.max_results,
                    request.next_token.as_deref(),
                )?;
                Ok(SecretPage {
                    secret_list,
                    next_token,
                })
            },
        )
    }
}

fn sort(found: &mut [SecretSummary], request: &ListSecrets) {
    found.sort_by(|a, b| {
        let order = match request.sort_by.unwrap_or(SortBy::CreatedDate) {
            SortBy::CreatedDate => a.created_date.cmp(&b.created_date),
            SortBy::LastAccessedDate => a.last_accessed_date.cmp(&b.last_accessed_date),
            SortBy::LastChangedDate => a.last_changed_date.cmp(&b.last_changed_date),
            SortBy::Name => a.name.cmp(&b.name),
        };
        let order = order.then_with(|| a.name.cmp(&b.name));
        if request.sort_order == Some(SortOrder::Desc) {
            order.reverse()
        } else {
            order
        }
    });
}

/// One filter, its key understood.
struct Matcher<'a> {
    attribute: Attribute,
    values: &'a [String],
}

#[derive(Clone, Copy)]
enum Attribute {
    Name,
    Description,
    TagKey,
    TagValue,
    PrimaryRegion,
    OwningService,
    All,
}

impl<'a> Matcher<'a> {
    fn new(filter: &'a Filter) -> Result<Self, Error> {
        let attribute = match filter.key.as_str() {
            "name" => Attribute::Name,
            "description" => Attribute::Description,
            "tag-key" => Attribute::TagKey,
            "tag-value" => Attribute::TagValue,
            "primary-region" => Attribute::PrimaryRegion,
            "owning-service" => Attribute::OwningService,
            "all" => Attribute::All,
            _ => {
                return Err(Error::parameter(format!("{} isn't a filter key.", filter.key)));
            }
        };
        if !(1..=10).contains(&filter.values.len()) {
            return Err(Error::parameter("A filter takes 1 to 10 values."));
        }
        Ok(Self {
            attribute,
            values: &filter.values,
        })
    }

    /// Any value must match; "You can prefix your search value with an exclamation mark (!) in order to
    /// perform negation filters". Filters together must all match (the caller's part).
    fn matches(&self, secret: &SecretSummary) -> bool {
        self.values.iter().any(|value| match value.strip_prefix('!') {
            Some(value) => !self.matches_value(secret, value),
            None => self.matches_value(secret, value),
        })
    }

    fn matches_value(&self, secret: &SecretSummary, value: &str) -> bool {
        let description = secret.description.as_deref().unwrap_or_default();
        match self.attribute {
            Attribute::Name => secret.name.starts_with(value),
            Attribute::Description => description.to_lowercase().starts_with(&value.to_lowercase()),
            Attribute::TagKey => secret.tags.iter().any(|tag| tag.key.starts_with(value)),
            Attribute::TagValue => secret.tags.iter().any(|tag| tag.value.starts_with(value)),
            Attribute::PrimaryRegion => secret
                .primary_region
                .as_deref()
                .is_some_and(|region| region.starts_with(value)),
            Attribute::OwningService => false,
            Attribute::All => {
                let tags = secret
                    .tags
                    .iter()
                    .flat_map(|tag| [tag.key.as_str(), tag.value.as_str()]);
                let held: Vec<String> = tags
                    .chain([secret.name.as_str(), description])
                    .flat_map(words)
                    .collect();
                words(value).all(|word| held.iter().any(|held| held.starts_with(&word)))
            }
        }
    }
}

/// "Breaks the filter value string into words and then searches all attributes for matches. Not
/// case-sensitive." Where a word ends, and that the start of one is enough, is unverified.
fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{T0, hours};
    use super::super::{Knobs, Seed, Tag};
    use super::*;

    fn model() -> Model {
        let mut model = Model::new(1, Knobs::default());
        for (at, name, key, value) in [
            (0, "prod/bybit/main", "team", "desk"),
            (1, "prod/okx/main", "team", "quant"),
            (2, "dev/okx", "stage", "desk"),
        ] {
            let tags = vec![Tag {
                key: key.into(),
                value: value.into(),
            }];
            model
                .seed(
                    Seed {
                        name: name.into(),
                        tags,
                        ..Seed::default()
                    },
                    T0 + hours(at),
                )
                .unwrap();
        }
        model
    }

    fn filter(key: &str, values: &[&str]) -> Filter {
        Filter {
            key: key.into(),
            values: values.iter().map(|&value| value.to_owned()).collect(),
        }
    }

    fn found(model: &mut Model, filters: Vec<Filter>) -> Vec<String> {
        let request = ListSecrets {
            filters,
            ..ListSecrets::default()
        };
        let page = model.list_secrets(&request, T0).unwrap();
        page.secret_list.into_iter().map(|secret| secret.name).collect()
    }

    #[test]
    fn filters_match_prefixes_and_all_of_them_must() {
        let mut model = model();
        assert_eq!(
            found(&mut model, vec![]),
            ["prod/bybit/main", "prod/okx/main", "dev/okx"]
        );
        assert_eq!(found(&mut model, vec![filter("name", &["prod/"])]).len(), 2);
        assert_eq!(found(&mut model, vec![filter("name", &["PROD/"])]).len(), 0);
        assert_eq!(
            found(&mut model, vec![filter("name", &["dev", "prod/b"])]).len(),
            2
        );
        assert_eq!(found(&mut model, vec![filter("name", &["!prod/"])]), ["dev/okx"]);
        let both = vec![filter("tag-key", &["team"]), filter("tag-value", &["desk"])];
        assert_eq!(found(&mut model, both), ["prod/bybit/main"]);
        assert_eq!(
            found(&mut model, vec![filter("all", &["OKX main"])]),
            ["prod/okx/main"]
        );
        assert_eq!(
            found(&mut model, vec![filter("owning-service", &["rds"])]).len(),
            0
        );
    }

    #[test]
    fn a_filter_of_another_name_is_refused() {
        let request = ListSecrets {
            filters: vec![filter("colour", &["red"])],
            ..ListSecrets::default()
        };
        assert!(model().list_secrets(&request, T0).is_err());
    }

    #[test]
    fn pages_follow_the_order_asked_for() {
        let mut model = model();
        let mut request = ListSecrets {
            max_results: Some(2),
            sort_by: Some(SortBy::Name),
            sort_order: Some(SortOrder::Desc),
            ..ListSecrets::default()
        };
        let first = model.list_secrets(&request, T0).unwrap();
        assert_eq!(first.secret_list[0].name, "prod/okx/main");
        request.next_token = first.next_token;
        let second = model.list_secrets(&request, T0).unwrap();
        assert_eq!(second.secret_list.len(), 1);
        assert_eq!(second.secret_list[0].name, "dev/okx");
        assert_eq!(second.next_token, None);
    }
}
