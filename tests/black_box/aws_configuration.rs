//! Region and credentials as the AWS SDK resolves them: from the environment first, else from a profile.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use sandbox::function::Environment;
use sandbox::secrets_manager::ACCESS_KEY_ID;
use serde_json::json;

use crate::world::{TOKEN, World};

/// A file of its own for each test, removed with it.
struct File(PathBuf);

impl File {
    fn new(text: &str) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "aws-{}-{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::write(&path, text).unwrap();
        Self(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for File {
    fn drop(&mut self) {
        // What is left over lies in the build directory.
        let _ = fs::remove_file(&self.0);
    }
}

/// Neither Region nor credentials in the environment, and no metadata service that is asked for them.
fn without_aws(environment: Environment) -> Environment {
    let environment = environment.with("AWS_EC2_METADATA_DISABLED", "true");
    ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"]
        .into_iter()
        .fold(environment, Environment::without)
}

#[tokio::test]
async fn a_profile_gives_region_and_credentials() {
    let config = File::new("[profile desk]\nregion = us-east-1\n");
    let credentials = File::new(&format!(
        "[desk]\naws_access_key_id = {ACCESS_KEY_ID}\naws_secret_access_key = worth-nothing\n"
    ));
    let change = |environment| {
        without_aws(environment)
            .with("AWS_PROFILE", "desk")
            .with("AWS_CONFIG_FILE", config.path())
            .with("AWS_SHARED_CREDENTIALS_FILE", credentials.path())
    };
    let world = World::start_with(change).await;
    world.open_rotation(TOKEN);
    assert_eq!(world.succeed("createSecret").await, "issued");
}

#[tokio::test]
async fn a_profile_may_name_a_program_that_gives_credentials() {
    let answer =
        format!(r#"{{"Version": 1, "AccessKeyId": "{ACCESS_KEY_ID}", "SecretAccessKey": "worth-nothing"}}"#);
    let answer = File::new(&answer);
    let config = File::new(&format!(
        "[default]\nregion = us-east-1\ncredential_process = /bin/cat {}\n",
        answer.path()
    ));
    let change = |environment| without_aws(environment).with("AWS_CONFIG_FILE", config.path());
    let world = World::start_with(change).await;
    world.open_rotation(TOKEN);
    assert_eq!(world.succeed("createSecret").await, "issued");
}

#[tokio::test]
async fn the_credentials_of_the_environment_come_before_those_of_a_profile() {
    let config = File::new("[default]\nregion = eu-west-1\ncredential_process = /bin/false\n");
    let world = World::start_with(|environment| environment.with("AWS_CONFIG_FILE", config.path())).await;
    world.open_rotation(TOKEN);
    assert_eq!(world.succeed("createSecret").await, "issued");
}

#[tokio::test]
async fn what_nobody_names_is_asked_for_by_name_at_the_start() {
    let world = World::start().await;
    let config = File::new("[profile desk]\nregion = US East\n");
    let plain_http = File::new("[default]\nendpoint_url = http://10.0.0.1:4566\n");
    let environment = || world.local.environment();
    for (environment, named, said) in [
        (without_aws(environment()), "AWS_REGION", "is missing"),
        (
            without_aws(environment()).with("AWS_REGION", "us-east-1"),
            "AWS_ACCESS_KEY_ID",
            "sts get-caller-identity",
        ),
        (
            environment()
                .without("AWS_SECRET_ACCESS_KEY")
                .with("AWS_EC2_METADATA_DISABLED", "true"),
            "AWS_ACCESS_KEY_ID",
            "sts",
        ),
        (
            environment()
                .without("AWS_REGION")
                .with("AWS_CONFIG_FILE", config.path())
                .with("AWS_PROFILE", "desk"),
            "AWS_REGION",
            "is not like us-east-1",
        ),
        (
            environment()
                .without("AWS_ENDPOINT_URL_SECRETS_MANAGER")
                .with("AWS_CONFIG_FILE", plain_http.path()),
            "AWS_ENDPOINT_URL",
            "plain http",
        ),
    ] {
        let function = world.process(&environment).await;
        assert_eq!(function.exit_code().await, 1, "{named}");
        let failed = function.invoke(&json!({})).await.unwrap_err();
        assert_eq!(failed.error_type, "CONFIG_INVALID");
        assert!(
            failed.message.contains(named) && failed.message.contains(said),
            "{failed}"
        );
    }
}
