//! Every command that a page shows is run by a check, or the page tells its reader that it is not. The events
//! of operations are asked of the real function: `tests/black_box/pages.rs`.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, as it should")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use sandbox::local::{Local, Venue};
use sandbox::serve::SECRETS_MANAGER_PORT;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
const SANDBOX: &str = env!("CARGO_BIN_EXE_sandbox");

/// What a page says that all its commands need; or the first line of a block, of its own.
const AWS_PAGE: &str = "Every command on this page needs an AWS account";
const AWS_BLOCK: &str = "# needs an AWS account";
/// The first line of a block of commands that nothing runs.
const UNRUN_BLOCK: &str = "# .ci/run does not run this";

/// Commands that a check runs with options of its own: how they begin, the check, and what it has of them.
const RUN_BY: [(&str, &str, &str); 3] = [
    (
        "cargo lambda watch --ignore-changes",
        "tests/peers/check_cargo_lambda.py",
        r#""cargo", "lambda", "watch""#,
    ),
    (
        "cargo lambda invoke --data-file ",
        "tests/peers/check_cargo_lambda.py",
        r#""--data-file", file"#,
    ),
    (
        "aws secretsmanager rotate-secret --secret-id prod/bybit/main --endpoint-url http://127.0.0.1:",
        "tests/peers/check_aws_cli.py",
        r#"cli("rotate-secret")"#,
    ),
];

#[derive(Clone, Copy, PartialEq)]
enum Mark {
    Aws,
    Unrun,
    None,
}

/// A command, in one line and without its comment.
struct Shown {
    place: String,
    words: String,
    mark: Mark,
}

fn read(path: impl AsRef<Path>) -> String {
    let path = Path::new(ROOT).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn pages() -> Vec<PathBuf> {
    let files = ["", "docs"].map(|directory| fs::read_dir(Path::new(ROOT).join(directory)).unwrap());
    let paths = files.into_iter().flatten().map(|file| file.unwrap().path());
    paths
        .filter(|path| path.extension().is_some_and(|end| end == "md"))
        .collect()
}

/// The commands in the blocks of a page.
fn commands(page: &Path) -> Vec<Shown> {
    let text = read(page);
    let whole = if text.replace('\n', " ").contains(AWS_PAGE) {
        Mark::Aws
    } else {
        Mark::None
    };
    let (mut shown, mut language, mut mark, mut goes_on) = (Vec::<Shown>::new(), None, whole, false);
    for (number, line) in text.lines().enumerate() {
        let (place, line) = (
            format!("{}:{}", page.strip_prefix(ROOT).unwrap().display(), number + 1),
            line.trim(),
        );
        if let Some(word) = line.strip_prefix("```") {
            (language, mark) = (if language.is_some() { None } else { Some(word) }, whole);
            continue;
        }
        let Some(language) = language else { continue };
        let command = match language {
            "bash" => line,
            "console" => line.strip_prefix("$ ").unwrap_or_default(),
            "" | "json" | "mermaid" => {
                let looks_like_one = ["$ ", "aws ", "bash ", "cargo ", "sam "];
                let is_one = looks_like_one.iter().any(|program| line.starts_with(program));
                assert!(!is_one, "{place}: a command stands in a block that is no shell's");
                continue;
            }
            other => panic!("{place}: no block here is of {other:?}"),
        };
        match command {
            _ if command.starts_with(AWS_BLOCK) => mark = Mark::Aws,
            _ if command.starts_with(UNRUN_BLOCK) => mark = Mark::Unrun,
            _ => {}
        }
        let words = format!(" {command}")
            .split(" #")
            .next()
            .unwrap_or_default()
            .trim()
            .to_owned();
        let (words, more) = words
            .strip_suffix('\\')
            .map_or((&*words, false), |words| (words.trim(), true));
        match shown.last_mut().filter(|_| goes_on) {
            Some(first) => first.words = format!("{} {words}", first.words),
            None if words.is_empty() => {}
            None => shown.push(Shown {
                place,
                words: words.to_owned(),
                mark,
            }),
        }
        goes_on = more;
    }
    shown
}

fn done(command: &mut Command) -> Output {
    command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

/// Whether the sandbox's own program takes these words; it is not made to do what they say.
fn sandbox_takes(options: &str, arguments: &str) -> Result<(), String> {
    let wrong_on_purpose = options.contains("--features wrong-on-purpose");
    if arguments.contains("--wrong") != wrong_on_purpose {
        return Err("--wrong and --features wrong-on-purpose go together".to_owned());
    }
    if wrong_on_purpose && !cfg!(feature = "wrong-on-purpose") {
        // `.ci/run` runs this test with the feature, too.
        return Ok(());
    }
    let arguments = arguments.replace("<any>", "1").replace("<program>", SANDBOX);
    let done = done(
        Command::new(SANDBOX)
            .args(arguments.split_whitespace())
            .arg("--help"),
    );
    let refusal = String::from_utf8_lossy(&done.stderr).into_owned();
    done.status.success().then_some(()).ok_or(refusal)
}

/// Whether `serve`, on the ports that the pages name, gives its functions these variables.
fn served(exports: &str, variables: &[(String, String)]) -> Result<(), String> {
    let missing = exports.split(' ').find(|pair| {
        // The first version of the AWS CLI has another name for it.
        let pair = pair.replace("AWS_DEFAULT_REGION", "AWS_REGION");
        !variables
            .iter()
            .any(|(name, value)| pair == format!("{name}={value}"))
    });
    missing.map_or(Ok(()), |pair| Err(format!("{pair} is none of {variables:?}")))
}

fn run_by_a_check(shown: &Shown, script: &str, variables: &[(String, String)]) -> Result<(), String> {
    let (words, mark) = (shown.words.as_str(), shown.mark);
    if let Some((options, arguments)) = words
        .strip_prefix("cargo run ")
        .and_then(|run| run.split_once(" -- "))
    {
        let is_sandbox = format!(" {options} ").contains(" -p sandbox ");
        return if is_sandbox {
            sandbox_takes(options, arguments)
        } else {
            Err("no such program".to_owned())
        };
    }
    let of_aws = words.starts_with("aws ") || words.starts_with("sam ");
    if mark == Mark::Unrun || (mark == Mark::Aws && of_aws) {
        return Ok(());
    }
    if let Some(exports) = words.strip_prefix("export ") {
        return served(exports, variables);
    }
    if words.starts_with("printf ") {
        // The fingerprint that the pages have as their example.
        let made = done(Command::new("bash").args(["-c", words]).env("KEY_ID", "testkey")).stdout;
        let made = String::from_utf8_lossy(&made);
        return (made == "98483c6eb40b\n")
            .then_some(())
            .ok_or_else(|| format!("it makes {made:?}"));
    }
    if let Some(peers) = words.strip_prefix("bash tests/peers/run") {
        let suites = read("tests/peers/check_peers.py");
        let missing = peers
            .split_whitespace()
            .find(|peer| !suites.contains(&format!("\"{peer}\":")));
        return missing.map_or(Ok(()), |peer| Err(format!("there is no check {peer}")));
    }
    if let Some(file) = words.strip_prefix("cargo lambda invoke --data-file ") {
        read(file);
    }
    let mut lines = script.lines();
    let by_script =
        words == "bash .ci/run" || lines.any(|line| format!("{line} ").starts_with(&format!("{words} ")));
    let mut checks = RUN_BY.iter().filter(|(begin, _, _)| words.starts_with(begin));
    let run = by_script || checks.any(|(_, check, part)| read(check).contains(part));
    run.then_some(())
        .ok_or_else(|| "no check runs it, and it is not marked".to_owned())
}

#[tokio::test]
async fn every_command_of_a_page_is_run_by_a_check_or_is_marked() {
    let local = Local::start(Venue::Bybit, 0, 0).await.unwrap();
    let mut variables = local.environment().emergency().variables().to_vec();
    for (name, value) in &mut variables {
        let port = match name.as_str() {
            "AWS_ENDPOINT_URL_SECRETS_MANAGER" => SECRETS_MANAGER_PORT,
            "BYBIT_BASE_URL" => local.stand_in.port,
            _ => continue,
        };
        *value = value
            .rsplit_once(':')
            .map(|(host, _)| format!("{host}:{port}"))
            .unwrap();
    }
    let script = read(".ci/run");
    let shown: Vec<Shown> = pages().iter().flat_map(|page| commands(page)).collect();
    assert!(
        shown.len() > 100,
        "only {} commands were found in the pages",
        shown.len()
    );
    let faults = shown.iter().filter_map(|shown| {
        let fault = run_by_a_check(shown, &script, &variables).err()?;
        Some(format!("{}: `{}`: {fault}\n", shown.place, shown.words))
    });
    let faults: String = faults.collect();
    assert!(
        faults.is_empty(),
        "marks are `{AWS_BLOCK}` and `{UNRUN_BLOCK}`\n{faults}"
    );
}

/// Where a page may take a source's path from.
const ROOTS: [&str; 6] = [
    "",
    "protocol/src",
    "protocol/src/operations",
    "sandbox/src",
    "sandbox/src/simulation",
    "src",
];

#[test]
fn every_source_that_a_page_names_is_there() {
    let mut missing = Vec::new();
    for page in pages() {
        let text = read(&page);
        let named = text
            .split('`')
            .skip(1)
            .step_by(2)
            .filter(|code| Path::new(code).extension().is_some_and(|end| end == "rs"))
            .filter(|code| !code.contains([' ', '*', '<', '{', '$']));
        for source in named {
            let is_there = |root: &&str| Path::new(ROOT).join(root).join(source).is_file();
            if !ROOTS.iter().any(is_there) {
                missing.push(format!("{}: {source}", page.display()));
            }
        }
    }
    assert_eq!(missing, Vec::<String>::new());
}
