//! From a process to a function that waits for invocations.

use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;

use lambda_runtime::tower::util::MapRequestLayer;
use lambda_runtime::{LambdaInvocation, Runtime, service_fn};
use protocol::{Error, ErrorType};
use serde_json::{Value, json};

use crate::config::{Config, ConfigError};
use crate::event::NOT_JSON;
use crate::invocation::Function;
use crate::{config, logging, store, tls};

/// Runs until Lambda ends the process.
pub fn start() -> ExitCode {
    let Some(runtime_api) = std::env::var("AWS_LAMBDA_RUNTIME_API")
        .ok()
        .filter(|api| !api.is_empty())
    else {
        let help = "This is an AWS Lambda function: Lambda starts it, with AWS_LAMBDA_RUNTIME_API in its \
                    environment.\nTo see it rotate a key on this machine, run: cargo run -p sandbox -- \
                    rotate\n";
        // Nothing is left to be done where even this cannot be written.
        let _ = io::stderr().write_all(help.as_bytes());
        return ExitCode::from(2);
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return refuse(&format!("the async runtime could not be started: {error}")),
    };
    // Within the runtime: clients that are built look for it.
    runtime.block_on(async {
        match begin().await {
            Ok(function) => serve(Arc::new(function)).await,
            Err(error) => report(&runtime_api, &error).await,
        }
    })
}

async fn begin() -> Result<Function, Error> {
    let var = |name: &str| std::env::var(name).ok();
    let bad_config = |error: ConfigError| Error::new(ErrorType::ConfigInvalid, error.to_string());
    config::lambda_is_complete(var).map_err(bad_config)?;
    let config = Config::from_env(var).map_err(bad_config)?;
    let tls = tls::config().map_err(bad_config)?;
    logging::init(config.log_level);
    let no_http = |error| {
        Error::new(
            ErrorType::Internal,
            format!("the HTTP clients could not be built: {error}"),
        )
    };
    let http = store::http(&tls).map_err(no_http)?;
    let secrets_manager = store::client(http).await.map_err(bad_config)?;
    Function::new(&config, secrets_manager, tls).map_err(no_http)
}

async fn serve(function: Arc<Function>) -> ExitCode {
    let handler = service_fn(move |event| {
        let function = Arc::clone(&function);
        async move { function.invoke(event).await }
    });
    // The runtime itself answers an event that is no JSON with an errorType of its own making: show it to our
    // parser instead.
    let readable = MapRequestLayer::new(|mut invocation: LambdaInvocation| {
        if serde_json::from_slice::<Value>(&invocation.body).is_err() {
            invocation.body = NOT_JSON.into();
        }
        invocation
    });
    match Runtime::new(handler).layer(readable).run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => refuse(&format!("the Lambda runtime API failed: {error}")),
    }
}

/// Tells Lambda why the function cannot start: whoever invokes it is answered with this.
async fn report(runtime_api: &str, report: &Error) -> ExitCode {
    let message = format!("{report} (see {})", report.error_type.runbook());
    let body = json!({"errorType": report.error_type.as_str(), "errorMessage": message, "stackTrace": []});
    let url = format!("http://{runtime_api}/2018-06-01/runtime/init/error");
    // The runtime API is plain HTTP on this machine; the system's certificates may be the very thing that is
    // wrong.
    let http = tls::without_roots().map(|tls| {
        reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .no_proxy()
            .build()
    });
    if let Some(Ok(http)) = http {
        let post = http
            .post(url)
            .header("Lambda-Runtime-Function-Error-Type", report.error_type.as_str());
        // Without the report the line below and the exit code still tell.
        let _ = post.body(body.to_string()).send().await;
    }
    refuse(&format!("{}: {report}", report.error_type))
}

fn refuse(why: &str) -> ExitCode {
    let line = json!({"timestamp": jiff::Timestamp::now().to_string(), "level": "ERROR", "message": why});
    // Nothing is left to be done where even this cannot be written.
    let _ = writeln!(io::stderr(), "{line}");
    ExitCode::FAILURE
}
