//! Who is measured: the function, the floor beneath it, and what one would write in Python.

use std::path::{Path, PathBuf};

use tokio::process::Command;

use crate::function::{BuildError, Environment, REGION, build_package, build_release};

/// Where the workspace is.
pub(super) const WORKSPACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
const PYTHON_PEER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/python");

/// All that are measured.
pub(super) struct Peers {
    pub(super) function: Peer,
    pub(super) floor: Peer,
    /// Or why it is left out.
    pub(super) python: Result<Peer, String>,
}

/// A program that asks a runtime API for work.
#[derive(Clone)]
pub(super) struct Peer {
    pub(super) name: &'static str,
    program: PathBuf,
    arguments: Vec<PathBuf>,
    environment: Vec<(&'static str, String)>,
}

impl Peers {
    /// Builds the two in Rust with the same profile, and makes the Python environment ready.
    pub(super) async fn prepare() -> Result<Self, BuildError> {
        let native = |name, program| Peer { name, program, arguments: Vec::new(), environment: Vec::new() };
        Ok(Self {
            function: native("function", build_release().await?),
            floor: native("floor", build_package("floor", &["--release"]).await?),
            python: python().await,
        })
    }

    /// Those that rotate.
    pub(super) fn rotating(&self) -> Vec<&Peer> {
        [Some(&self.function), self.python.as_ref().ok()].into_iter().flatten().collect()
    }
}

impl Peer {
    pub(super) fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments);
        command
    }

    /// What the process sees, besides what only this peer needs.
    pub(super) fn seeing(&self, environment: Environment) -> Environment {
        let endpoint = environment.variables().iter().find(|(name, _)| name == "AWS_ENDPOINT_URL_SECRETS_MANAGER");
        let endpoint = endpoint.map(|(_, value)| value.clone()).unwrap_or_default();
        // Lambda sets the Region under both names; AWS's template has a name of its own for the endpoint.
        let environment = environment.with("AWS_DEFAULT_REGION", REGION).with("SECRETS_MANAGER_ENDPOINT", endpoint);
        self.environment.iter().fold(environment, |environment, (name, value)| environment.with(name, value))
    }
}

/// A virtual environment with what AWS's Python runtime has on board.
async fn python() -> Result<Peer, String> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| Path::new(WORKSPACE).join("target"), PathBuf::from);
    let home = target.join("bench-python");
    let interpreter = home.join("bin/python");
    if !interpreter.exists() {
        run(Command::new("python3").args(["-m", "venv"]).arg(&home), "python3 -m venv").await?;
    }
    let mut install = Command::new(&interpreter);
    install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--requirement"]);
    run(install.arg(Path::new(PYTHON_PEER).join("requirements.txt")), "pip install").await?;
    let compiled = home.join("compiled").display().to_string();
    Ok(Peer {
        name: "Python",
        program: interpreter,
        arguments: vec![Path::new(PYTHON_PEER).join("bootstrap.py")],
        // Compiled once, in the round that does not count, and not into the source tree.
        environment: vec![("PYTHONPYCACHEPREFIX", compiled)],
    })
}

async fn run(command: &mut Command, what: &str) -> Result<(), String> {
    let status = command.status().await.map_err(|error| format!("{what} could not be run: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{what} failed")) }
}
