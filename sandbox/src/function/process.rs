//! One process of the function, and its output.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::sync::{Notify, oneshot, watch};
use tokio::task::JoinSet;

use super::runtime_api::{self, Failed, RuntimeApi, Work};

/// The ARN of the function that rotates.
pub const LAMBDA_ARN: &str = "arn:aws:lambda:us-east-1:123456789012:function:exchange-key-rotation";
/// The ARN of the operations function.
pub const OPERATIONS_ARN: &str =
    "arn:aws:lambda:us-east-1:123456789012:function:exchange-key-rotation-operations";
/// The ARN of the emergency function.
pub const EMERGENCY_ARN: &str =
    "arn:aws:lambda:us-east-1:123456789012:function:exchange-key-rotation-emergency";
/// The Region it runs in.
pub const REGION: &str = "us-east-1";
/// How long an invocation may take.
const TIMEOUT: SignedDuration = SignedDuration::from_secs(300);

/// The variable that says how many seconds the process's clock is ahead of the machine's.
pub const CLOCK_AHEAD: &str = "SANDBOX_CLOCK_AHEAD";

/// The variables that the function's process sees; it sees no others but what Lambda always sets.
#[derive(Clone, Debug, Default)]
pub struct Environment(Vec<(String, String)>);

impl Environment {
    /// Where the stand-ins listen, the venue under the name of its variable, and credentials that are worth
    /// nothing.
    pub fn local(secrets_manager: SocketAddr, base_url: &str, venue: SocketAddr) -> Self {
        Self::default()
            .with(
                "AWS_ENDPOINT_URL_SECRETS_MANAGER",
                format!("http://{secrets_manager}"),
            )
            .with("AWS_ACCESS_KEY_ID", crate::secrets_manager::ACCESS_KEY_ID)
            .with("AWS_SECRET_ACCESS_KEY", "worth-nothing")
            .with("AWS_REGION", REGION)
            .with(base_url, format!("http://{venue}"))
            .with("EGRESS_IPS", "127.0.0.1")
    }

    /// Makes the function the one for maintain, audit and plan.
    #[must_use]
    pub fn operations(self) -> Self {
        self.with("ROTATION_FUNCTION_ARN", LAMBDA_ARN)
            .with("EMERGENCY_FUNCTION_ARN", EMERGENCY_ARN)
    }

    /// Makes the function the one for break_glass, rollback and abandon.
    #[must_use]
    pub fn emergency(self) -> Self {
        self.with("ROTATION_FUNCTION_ARN", LAMBDA_ARN)
            .with("OPERATIONS_FUNCTION_ARN", OPERATIONS_ARN)
    }

    /// With one more variable, or another value for one.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.0.retain(|(known, _)| known != name);
        self.0.push((name.into(), value.into()));
        self
    }

    /// Without a variable.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.0.retain(|(known, _)| known != name);
        self
    }

    /// The ARN that the function is invoked by.
    fn function_arn(&self) -> &'static str {
        let has = |name: &str| self.0.iter().any(|(known, _)| known == name);
        match (has("ROTATION_FUNCTION_ARN"), has("OPERATIONS_FUNCTION_ARN")) {
            (false, _) => LAMBDA_ARN,
            (true, false) => OPERATIONS_ARN,
            (true, true) => EMERGENCY_ARN,
        }
    }

    /// How far the process's clock is ahead of the machine's, where somebody moves it.
    fn clock_ahead(&self) -> SignedDuration {
        let ahead = self
            .0
            .iter()
            .find(|(name, _)| name == CLOCK_AHEAD)
            .and_then(|(_, seconds)| seconds.parse().ok());
        SignedDuration::from_secs(ahead.unwrap_or_default())
    }

    /// The variables.
    pub fn variables(&self) -> &[(String, String)] {
        &self.0
    }
}

/// A running function. Its process ends when this is dropped.
#[derive(Debug)]
pub struct Function {
    api: RuntimeApi,
    output: Arc<Mutex<Vec<String>>>,
    exited: watch::Receiver<Option<i32>>,
    order: Arc<Notify>,
    clock_ahead: SignedDuration,
    arn: &'static str,
    id: Option<u32>,
    _tasks: JoinSet<()>,
}

impl Function {
    /// Starts the binary with this environment. `echo` sends its output lines to standard error too.
    pub async fn start(binary: &Path, environment: &Environment, echo: bool) -> io::Result<Self> {
        Self::start_command(Command::new(binary), environment, echo).await
    }

    /// Starts any program that asks a runtime API for work.
    pub async fn start_command(
        mut command: Command,
        environment: &Environment,
        echo: bool,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let runtime_api = listener.local_addr()?;
        let api = RuntimeApi::default();
        let mut tasks = JoinSet::new();
        let served = api.clone();
        tasks.spawn(async move {
            // It ends with the process it serves.
            let _ = runtime_api::serve(listener, served).await;
        });
        let mut process = command
            .env_clear()
            .envs(environment.0.iter().map(|(name, value)| (name, value)))
            .env("AWS_LAMBDA_RUNTIME_API", runtime_api.to_string())
            .env("AWS_LAMBDA_FUNCTION_NAME", "exchange-key-rotation")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let id = process.id();
        let output = Arc::default();
        let readers = [
            process
                .stdout
                .take()
                .map(|out| tokio::spawn(read_lines(out, Arc::clone(&output), echo))),
            process
                .stderr
                .take()
                .map(|err| tokio::spawn(read_lines(err, Arc::clone(&output), echo))),
        ];
        let order = Arc::new(Notify::new());
        let ordered = Arc::clone(&order);
        let (exit, exited) = watch::channel(None);
        let waited = api.clone();
        tasks.spawn(async move {
            let code = wait(process, &ordered).await;
            for reader in readers.into_iter().flatten() {
                // A reader that panicked has nothing more to say.
                let _ = reader.await;
            }
            let message = format!("the function's process ended with exit code {code}");
            waited.abandon(&Failed {
                error_type: "Runtime.ExitError".into(),
                message,
            });
            // Nobody may be watching.
            let _ = exit.send(Some(code));
        });
        Ok(Self {
            api,
            output,
            exited,
            order,
            clock_ahead: environment.clock_ahead(),
            arn: environment.function_arn(),
            id,
            _tasks: tasks,
        })
    }

    /// Invokes the function with an event.
    ///
    /// # Errors
    /// What the function reported, or `Runtime.ExitError` where its process ended.
    pub async fn invoke(&self, event: &Value) -> Result<Value, Failed> {
        self.invoke_raw(
            event.to_string().into_bytes(),
            Timestamp::now() + self.clock_ahead + TIMEOUT,
            self.arn,
        )
        .await
    }

    /// Invokes the function with any bytes, any deadline, and by any ARN.
    pub async fn invoke_raw(
        &self,
        payload: Vec<u8>,
        deadline: Timestamp,
        function_arn: &str,
    ) -> Result<Value, Failed> {
        let (answer, answered) = oneshot::channel();
        self.api.push(Work {
            payload,
            deadline,
            function_arn: function_arn.into(),
            answer,
        });
        let mut exited = self.exited.clone();
        let gone = Failed {
            error_type: "Runtime.ExitError".into(),
            message: "the function's process has ended".into(),
        };
        let watch_exit = async {
            // An error means that the watcher is gone, and so is the process.
            let _ = exited.wait_for(Option::is_some).await;
            self.api.abandon(&gone);
        };
        tokio::pin!(answered);
        tokio::select! {
            biased;
            outcome = &mut answered => outcome.unwrap_or(Err(gone.clone())),
            () = watch_exit => answered.await.unwrap_or(Err(gone.clone())),
        }
    }

    /// The process's id, while it runs.
    pub fn id(&self) -> Option<u32> {
        self.id
    }

    /// When the process first asked for work.
    pub fn first_asked(&self) -> Option<Instant> {
        self.api.first_asked()
    }

    /// Kills the process at once, and waits until it is gone.
    pub async fn kill(&self) {
        self.killer().kill().await;
    }

    /// The means to kill the process, for somebody else.
    pub fn killer(&self) -> Killer {
        Killer {
            order: Arc::clone(&self.order),
            exited: self.exited.clone(),
        }
    }

    /// Waits until the process has ended, and returns its exit code; -1 for a signal.
    pub async fn exit_code(&self) -> i32 {
        let mut exited = self.exited.clone();
        exited
            .wait_for(Option::is_some)
            .await
            .map_or(-1, |code| code.unwrap_or(-1))
    }

    /// All lines that the process has written, to standard output and standard error.
    pub fn output(&self) -> Vec<String> {
        self.output.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The answers and errors that the process has reported, each with the headers that it came with.
    pub fn reports(&self) -> Vec<String> {
        self.api.reports()
    }
}

/// The means to kill a function's process.
#[derive(Clone, Debug)]
pub struct Killer {
    order: Arc<Notify>,
    exited: watch::Receiver<Option<i32>>,
}

impl Killer {
    /// Sends SIGKILL, and waits until the process is gone.
    pub async fn kill(&self) {
        self.order.notify_one();
        // An error means that the watcher is gone, and so is the process.
        let _ = self.exited.clone().wait_for(Option::is_some).await;
    }
}

impl std::fmt::Debug for RuntimeApi {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RuntimeApi")
    }
}

async fn wait(mut process: Child, order: &Notify) -> i32 {
    tokio::select! {
        status = process.wait() => status.ok().and_then(|status| status.code()).unwrap_or(-1),
        () = order.notified() => {
            // It may have ended in this very moment.
            let _ = process.kill().await;
            -1
        }
    }
}

#[expect(
    clippy::print_stderr,
    reason = "this is a command-line tool's way of showing a child's output"
)]
async fn read_lines(stream: impl AsyncRead + Unpin, output: Arc<Mutex<Vec<String>>>, echo: bool) {
    let mut lines = BufReader::new(stream).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        if echo {
            eprintln!("  | {line}");
        }
        output.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }
}
