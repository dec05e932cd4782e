//! Nothing secret in anything the process writes, in any form.

use sandbox::fault::Fault;
use serde_json::json;

use crate::world::{ROTATION_TOKEN, TOKEN, World};

#[tokio::test]
async fn no_secret_is_written_in_clear_base64_hex_or_url_form_even_at_trace() {
    let world =
        World::start_with(|environment| environment.with("LOG_LEVEL", "trace").with("RUST_LOG", "trace"))
            .await;
    world
        .local
        .venue
        .lock()
        .faults
        .plan("/v5/user/create-sub-api", Fault::ServerError);
    world.open_rotation(TOKEN);
    world.fail("createSecret").await;
    world.rotate().await;
    // Failures say the most: a wrong secret, and a value that is no JSON.
    world.edit_current(|document| document["api_secret"] = json!("a-wrong-secret/with+odd=characters"));
    let next = "70000000-0000-4000-8000-000000000002";
    world.open_rotation(next);
    world
        .function
        .invoke(&world.event("createSecret", next))
        .await
        .unwrap_err();

    // The search is made when the world ends: here, that there is something to search for, and something to
    // search in.
    let secrets = world.secrets();
    let current = world.current();
    for secret in [
        ROTATION_TOKEN,
        "a-wrong-secret/with+odd=characters",
        world.local.master.secret.expose(),
        world.local.hand_made.secret.expose(),
        current["api_key"].as_str().unwrap(),
    ] {
        assert!(secrets.contains(secret));
    }
    let said = world.said();
    for said_by in ["createSecret", r#""outcome":"promoted""#, "errorType", "ERROR"] {
        assert!(said.contains(said_by), "{said_by}");
    }
}

#[tokio::test]
#[should_panic(expected = "a secret was said")]
async fn a_secret_that_is_said_is_noticed_when_the_world_ends() {
    let world = World::start().await;
    world.open_rotation(TOKEN);
    // A version id is written in full wherever it comes; here it is the master's key secret.
    world
        .function
        .invoke(&world.event("createSecret", world.local.master.secret.expose()))
        .await
        .unwrap_err();
}
