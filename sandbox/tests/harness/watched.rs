//! A world that is held to what was promised, when a test is done with it.

use std::ops::Deref;
use std::sync::OnceLock;

use jsonschema::Validator;
use sandbox::in_process::{Setup, World};
use serde_json::Value;

/// A world that has to have kept every secret to itself, and every promise, when a test is done with it; and
/// every answer in it has the form that `docs/operations.schema.json` describes.
pub(crate) struct Watched(pub(crate) World);

impl Deref for Watched {
    type Target = World;

    fn deref(&self) -> &World {
        &self.0
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert_eq!(self.0.leaks(), Vec::<String>::new(), "a secret was said");
            assert_eq!(self.0.violations(), Vec::new(), "a promise was broken");
            must_all_fit(&self.0.answers());
        }
    }
}

pub(crate) fn world() -> Watched {
    world_with(Setup::default())
}

pub(crate) fn world_with(setup: Setup) -> Watched {
    Watched(World::with(setup))
}

/// A world whose secret has this value.
pub(crate) fn world_of(document: &str) -> Watched {
    world_with(Setup {
        document: document.to_owned(),
        ..Setup::default()
    })
}

/// A world whose master's secret has this value, or where there is no such secret.
pub(crate) fn world_with_master(document: Option<&str>) -> Watched {
    world_with(Setup {
        master_document: document.map(str::to_owned),
        ..Setup::default()
    })
}

/// # Panics
/// Where an answer has another form.
#[track_caller]
fn must_all_fit(answers: &[String]) {
    for answer in answers {
        let answer: Value = serde_json::from_str(answer).expect("an answer is JSON");
        // A step answers with a word.
        if answer.is_object() {
            let wrong: Vec<String> = strict()
                .iter_errors(&answer)
                .map(|error| format!("{}: {error}", error.instance_path()))
                .collect();
            assert!(wrong.is_empty(), "{wrong:#?} in {answer:#}");
        }
    }
}

pub(crate) fn schema() -> Value {
    serde_json::from_str(include_str!("../../../docs/operations.schema.json")).expect("the schema is JSON")
}

/// The schema, with every field refused that it does not name: a later version may add some, this one must
/// have told of all.
pub(crate) fn strict() -> &'static Validator {
    static VALIDATOR: OnceLock<Validator> = OnceLock::new();
    VALIDATOR.get_or_init(|| {
        let mut schema = schema();
        close(&mut schema);
        jsonschema::options()
            .should_validate_formats(true)
            .build(&schema)
            .expect("the schema is one")
    })
}

fn close(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            if fields.get("properties").is_some_and(Value::is_object) {
                fields.entry("additionalProperties").or_insert(Value::Bool(false));
            }
            fields.values_mut().for_each(close);
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}
