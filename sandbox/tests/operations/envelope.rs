//! Every answer of every test here has the form that `docs/operations.schema.json` describes, and no field
//! that it does not.

use jsonschema::Validator;
use protocol::operations::Operation as Word;
use serde_json::{Map, Value};

use super::watched::{schema, strict};
use super::*;

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
