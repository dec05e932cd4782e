//! Who is measured: the function, the floor beneath it, and what one would write in Python.

use std::path::{Path, PathBuf};
use std::str::FromStr;

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
    /// Other builds of the function.
    others: Vec<Peer>,
}

/// Another build of the function: `NAME=PROGRAM`.
#[derive(Clone, Debug)]
pub struct OtherBuild {
    name: String,
    program: PathBuf,
}

impl FromStr for OtherBuild {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, program) = text
            .split_once('=')
            .ok_or("another build is given as NAME=PROGRAM")?;
        if !Path::new(program).is_file() {
            return Err("there is no such program");
        }
        Ok(Self {
            name: name.to_owned(),
            program: program.into(),
        })
    }
}

/// A program that asks a runtime API for work.
#[derive(Clone)]
pub(super) struct Peer {
    pub(super) name: String,
    program: PathBuf,
    arguments: Vec<PathBuf>,
    environment: Vec<(&'static str, String)>,
}

impl Peers {
    /// Builds the two in Rust with the same profile, and makes the Python environment ready.
    pub(super) async fn prepare(others: &[OtherBuild]) -> Result<Self, BuildError> {
        let native = |name: &str, program| Peer {
            name: name.to_owned(),
            program,
            arguments: Vec::new(),
            environment: Vec::new(),
        };
        Ok(Self {
            function: native("function", build_release().await?),
            floor: native("floor", build_package("floor", &["--release"]).await?),
            python: python().await,
            others: others
                .iter()
                .map(|other| native(&other.name, other.program.clone()))
                .collect(),
        })
    }

    /// Those that rotate, the function first.
    pub(super) fn rotating(&self) -> Vec<&Peer> {
        [&self.function]
            .into_iter()
            .chain(&self.python)
            .chain(&self.others)
            .collect()
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
        let endpoint = environment
            .variables()
            .iter()
            .find(|(name, _)| name == "AWS_ENDPOINT_URL_SECRETS_MANAGER");
        let endpoint = endpoint.map(|(_, value)| value.clone()).unwrap_or_default();
        // Lambda sets the Region under both names; AWS's template has a name of its own for the endpoint.
        let environment = environment
            .with("AWS_DEFAULT_REGION", REGION)
            .with("SECRETS_MANAGER_ENDPOINT", endpoint);
        self.environment
            .iter()
            .fold(environment, |environment, (name, value)| {
                environment.with(name, value)
            })
    }
}

/// A virtual environment with what AWS's Python runtime has on board.
async fn python() -> Result<Peer, String> {
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| Path::new(WORKSPACE).join("target"), PathBuf::from);
    let home = target.join("bench-python");
    let interpreter = home.join("bin/python");
    if !interpreter.exists() {
        run(
            Command::new("python3").args(["-m", "venv"]).arg(&home),
            "python3 -m venv",
        )
        .await?;
    }
    let mut install = Command::new(&interpreter);
    install.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-deps",
        "--requirement",
    ]);
    run(
        install.arg(Path::new(PYTHON_PEER).join("requirements.txt")),
        "pip install",
    )
    .await?;
    let compiled = home.join("compiled").display().to_string();
    Ok(Peer {
        name: "Python".to_owned(),
        program: interpreter,
        arguments: vec![Path::new(PYTHON_PEER).join("bootstrap.py")],
        // Compiled once, in the round that does not count, and not into the source tree.
        environment: vec![("PYTHONPYCACHEPREFIX", compiled)],
    })
}

async fn run(command: &mut Command, what: &str) -> Result<(), String> {
    let status = command
        .status()
        .await
        .map_err(|error| format!("{what} could not be run: {error}"))?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("{what} failed"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_build_has_a_name_and_a_program() {
        let build: OtherBuild = concat!("other=", env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")
            .parse()
            .expect("there is such a file");
        assert_eq!(build.name, "other");
        for none in ["other", "", "other=", "other=/no/such/program"] {
            assert!(none.parse::<OtherBuild>().is_err(), "{none}");
        }
    }
}
