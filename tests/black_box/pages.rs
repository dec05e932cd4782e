//! Every event of an operation that a page shows is accepted by the function that the page names.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::{Deserializer, Value};

use crate::world::World;

/// The events in a page's text, each with what stands before it in its command. Every payload has to be one.
fn events(page: &str) -> Vec<(&str, Value)> {
    let begins = page.match_indices('{').map(|(place, _)| page.split_at(place));
    let found = begins.filter_map(|(before, text)| {
        let mut values = Deserializer::from_str(text).into_iter::<Value>();
        let event = values
            .next()
            .and_then(Result::ok)
            .filter(|value| value.get("operation").is_some());
        assert!(
            event.is_some() || !before.ends_with("--payload '"),
            "no event: {text:.100}"
        );
        let block = before.rsplit("\n\n").next()?;
        Some((block.rsplit("aws ").next()?, event?))
    });
    found.collect()
}

#[tokio::test]
async fn every_event_of_a_page_is_accepted_by_the_function_that_it_names() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let directories = ["", "docs"].map(|directory| fs::read_dir(root.join(directory)).unwrap());
    let paths = directories.into_iter().flatten().map(|file| file.unwrap().path());
    let mut shown = BTreeSet::new();
    for path in paths.filter(|path| path.extension().is_some_and(|end| end == "md")) {
        for (command, event) in events(&fs::read_to_string(&path).unwrap()) {
            let emergency = ["break_glass", "rollback", "abandon"]
                .iter()
                .any(|word| event["operation"] == **word);
            let wanted = if emergency { "-emergency " } else { "-operations " };
            let named = !command.contains("--function-name") || command.contains(wanted);
            assert!(
                named,
                "{}: {event} stands in a command for another function",
                path.display()
            );
            shown.insert(event.to_string());
        }
    }
    assert!(shown.len() > 15, "only these events were found: {shown:?}");

    let world = World::start().await;
    let operators = world.operators().await;
    for event in shown {
        let event: Value = serde_json::from_str(&event).unwrap();
        let answer = world.ask_beside_the_service(&operators, event.clone()).await;
        assert_eq!(answer["operation"], event["operation"], "{answer}");
    }
}
