//! Every answer of every test here has the form that `docs/operations.schema.json` describes, and no field
//! that it does not.

use std::sync::OnceLock;

use jsonschema::Validator;
use protocol::operations::Operation as Word;
use serde_json::{Map, Value};

use super::*;

/// # Panics
/// Where an answer has another form.
#[track_caller]
pub(super) fn must_all_fit(answers: &[String]) {
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

fn schema() -> Value {
    serde_json::from_str(include_str!("../../../docs/operations.schema.json")).expect("the schema is JSON")
}

/// The schema, with every field refused that it does not name: a later version may add some, this one must
/// have told of all.
fn strict() -> &'static Validator {
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

#[test]
fn the_schema_knows_every_operation_code_and_severity() {
    let schema = schema();
    let operations: Vec<&str> = Word::ALL.iter().map(|operation| operation.as_str()).collect();
    assert_eq!(
        schema["properties"]["operation"]["enum"],
        serde_json::json!(operations)
    );
    let code = schema["$defs"]["finding"]["properties"]["code"]["pattern"]
        .as_str()
        .expect("a pattern");
    let code = Validator::new(&serde_json::json!({ "pattern": code })).expect("a pattern is a schema");
    assert!(
        Code::ALL
            .iter()
            .all(|known| code.is_valid(&Value::from(known.as_str())))
    );
}

#[test]
fn an_answer_that_says_more_or_less_than_it_should_does_not_fit() {
    let world = world();
    let whole = serde_json::to_value(world.maintain()).expect("an answer is JSON");
    assert!(strict().is_valid(&whole));
    let changed = |change: fn(&mut Map<String, Value>)| {
        let mut answer = whole.clone();
        change(answer.as_object_mut().expect("an object"));
        strict().is_valid(&answer)
    };
    assert!(!changed(|answer| drop(answer.remove("outcome"))));
    assert!(!changed(|answer| drop(
        answer.insert("outcome".to_owned(), "good".into())
    )));
    assert!(!changed(|answer| drop(
        answer.insert("more".to_owned(), 1.into())
    )));
    assert!(!changed(|answer| drop(answer.insert(
        "findings".to_owned(),
        serde_json::json!([{ "severity": "page" }])
    ))));
}

#[test]
fn the_runbook_has_a_section_for_every_code_with_its_severity() {
    let runbook = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/runbook.md"))
        .expect("it is there");
    for code in Code::ALL {
        let heading = format!("### {} ({})", code.as_str(), code.severity().as_str());
        assert!(
            runbook.contains(&format!("\n{heading}\n")),
            "docs/runbook.md has no section `{heading}`"
        );
        // As a page of Markdown names the section.
        let section = heading.trim_start_matches("### ").to_lowercase();
        let section = section.replace(' ', "-").replace(['(', ')'], "");
        assert_eq!(code.runbook(), format!("docs/runbook.md#{section}"));
    }
}
