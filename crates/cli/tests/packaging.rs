//! What lies in `packaging/` names only what there is: stages, paths, packages, ports, users, commands and their options. Nothing is built or
//! installed here; `tests/interop/socket-activation.sh` has systemd's own opinion of the units.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::path::{Path, PathBuf};
use std::process::Command;

use finderscope_server::config::DEFAULT_LISTENERS;

/// What Dockerfile(5) knows and we use.
const INSTRUCTIONS: [&str; 11] =
    ["FROM", "WORKDIR", "COPY", "RUN", "EXPOSE", "USER", "ENTRYPOINT", "CMD", "VOLUME", "ENV", "LABEL"];
const CONTAINERFILE: &str = "packaging/container/Containerfile";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Instructions with their arguments, long lines put together, without comments.
fn instructions(text: &str) -> Vec<(String, String)> {
    let lines: Vec<_> = text.lines().filter(|line| !line.trim_start().starts_with('#')).collect();
    let whole = lines.join("\n").replace("\\\n", " ");
    let lines = whole.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.map(|line| line.split_once(' ').unwrap()).map(|(word, rest)| (word.into(), rest.trim().into())).collect()
}

/// The words of a JSON list, as ENTRYPOINT, CMD and the like have it.
fn list(text: &str) -> Vec<String> {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// A stage: what it is based on, and what is in it.
struct Stage {
    name: String,
    base: String,
    body: Vec<(String, String)>,
}

impl Stage {
    fn only(&self, word: &str) -> Option<&str> {
        let mut found = self.body.iter().filter(|(it, _)| it == word).map(|(_, rest)| rest.as_str());
        let first = found.next();
        assert!(found.next().is_none(), "{}: {word} is there twice", self.name);
        first
    }
}

fn stages() -> Vec<Stage> {
    let mut stages: Vec<Stage> = Vec::new();
    for (word, rest) in instructions(&read(CONTAINERFILE)) {
        assert!(INSTRUCTIONS.contains(&word.as_str()), "{word} is no instruction");
        if word == "FROM" {
            let words: Vec<_> = rest.split(' ').collect();
            let [base, "AS", name] = words[..] else { panic!("FROM {rest}") };
            assert!(stages.iter().all(|stage| stage.name != name), "{name} is there twice");
            stages.push(Stage { name: name.into(), base: base.into(), body: Vec::new() });
        } else {
            stages.last_mut().unwrap_or_else(|| panic!("{word} before FROM")).body.push((word, rest));
        }
    }
    stages
}

/// Whether the command takes these arguments, which must not make it do anything.
fn takes(arguments: &[&str]) {
    let output = Command::new(env!("CARGO_BIN_EXE_finderscope")).args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn the_images_build_what_there_is_and_copy_it_from_where_it_is_built() {
    let stages = stages();
    let mut earlier: Vec<&str> = Vec::new();
    for stage in &stages {
        let is_known = stage.base.starts_with("docker.io/library/") || earlier.contains(&stage.base.as_str());
        assert!(is_known, "{} is based on {}", stage.name, stage.base);
        for (_, rest) in stage.body.iter().filter(|(word, _)| word == "COPY") {
            match rest.strip_prefix("--from=") {
                Some(rest) => {
                    let (from, paths) = rest.split_once(' ').unwrap();
                    assert!(earlier.contains(&from), "{from} is no earlier stage");
                    assert_eq!(paths, "/src/target/release/finderscope /usr/local/bin/");
                }
                None => assert_eq!(rest, ". .", "the whole of the repository"),
            }
        }
        earlier.push(&stage.name);
    }
    let build = &stages[0];
    assert_eq!((build.name.as_str(), build.only("WORKDIR")), ("build", Some("/src")));
    // The package that makes the binary; a new version of the language is a new image.
    let package = env!("CARGO_PKG_NAME");
    assert_eq!(build.only("RUN"), Some(format!("cargo build --locked --release -p {package}").as_str()));
    let toolchain = read("rust-toolchain.toml");
    let version = build.base.split([':', '-']).nth(1).unwrap();
    assert!(toolchain.contains(&format!("\"{version}")), "{} is not the toolchain's version", build.base);
    for ignored in read(&format!("{CONTAINERFILE}.dockerignore")).lines() {
        assert!(["target", ".git"].contains(&ignored), "{ignored}: is it not needed to build?");
    }
}

#[test]
fn every_image_runs_a_command_that_there_is_on_ports_that_it_listens_on() {
    let default_ports: Vec<_> =
        DEFAULT_LISTENERS.iter().map(|url| format!("{}/udp", url.rsplit(':').next().unwrap())).collect();
    for stage in stages().iter().skip(1) {
        let entry = list(stage.only("ENTRYPOINT").unwrap());
        let command = stage.only("CMD").map(list).unwrap_or_default();
        let words: Vec<&str> = entry.iter().chain(&command).map(String::as_str).collect();
        let exposed: Vec<_> = stage.only("EXPOSE").unwrap().split(' ').collect();
        assert_eq!(words[0], "finderscope", "{}", stage.name);
        match &words[1..] {
            ["tcpdump" | "tshark", "--"] => {
                takes(&[words[1], "--help"]);
                assert_eq!(exposed, ["6343/udp"], "{}", stage.name);
                assert!(stage.only("RUN").unwrap().contains(&format!("recommends {} ", words[1])), "{}", stage.name);
            }
            ["serve", rest @ ..] => {
                takes(&[&["serve", "--check"], rest].concat());
                assert_eq!(exposed, default_ports);
                let data = rest.iter().skip_while(|word| **word != "--data").nth(1).unwrap();
                assert_eq!(stage.only("VOLUME"), Some(*data));
            }
            other => panic!("{}: {other:?}", stage.name),
        }
        assert!(stage.only("USER").is_some_and(|user| user != "root"), "{}", stage.name);
    }
}

/// The values of a key in a unit.
fn values<'a>(unit: &'a str, key: &str) -> Vec<&'a str> {
    unit.lines().filter_map(|line| line.strip_prefix(key)?.strip_prefix('=')).collect()
}

#[test]
fn the_units_run_serve_as_a_user_that_is_made_on_ports_that_it_listens_on() {
    let service = read("packaging/systemd/finderscope.service");
    let socket = read("packaging/systemd/finderscope.socket");
    let run = values(&service, "ExecStart")[0];
    let arguments: Vec<_> = run.strip_prefix("/usr/local/bin/finderscope ").unwrap().split(' ').collect();
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("finderscope.toml");
    std::fs::write(&config, "").unwrap();
    let place =
        |word: &str| if word.starts_with("/etc/") { config.to_str().unwrap().to_owned() } else { word.to_owned() };
    let arguments: Vec<String> = arguments.into_iter().map(place).chain(["--check".to_owned()]).collect();
    takes(&arguments.iter().map(String::as_str).collect::<Vec<_>>());

    let ports: Vec<_> = DEFAULT_LISTENERS.iter().map(|url| url.rsplit(':').next().unwrap()).collect();
    assert_eq!(values(&socket, "ListenDatagram"), ports);
    let users = read("packaging/systemd/finderscope.sysusers");
    let made = users.lines().find_map(|line| line.strip_prefix("u ")?.split(' ').next()).unwrap();
    assert_eq!((values(&service, "User"), values(&service, "Group")), (vec![made], vec![made]));
    let home = users.trim_end().rsplit(' ').next().unwrap();
    assert_eq!(home, format!("/var/lib/{}", values(&service, "StateDirectory")[0]));
}

#[test]
fn the_manual_names_files_and_stages_that_there_are() {
    let stages = stages();
    let mut named = 0;
    for page in ["docs/install.md", "docs/tcpdump.md", CONTAINERFILE] {
        let text = read(page);
        for path in text.split(|it: char| it.is_whitespace() || it == '`').filter(|it| it.starts_with("packaging/")) {
            assert!(root().join(path).exists(), "{page} names {path}");
            named += 1;
        }
        for stage in text.split("--target ").skip(1).map(|rest| rest.split(' ').next().unwrap()) {
            assert!(stages.iter().any(|it| it.name == stage), "{page} names the stage {stage}");
            named += 1;
        }
    }
    assert!(named >= 10, "{named} found");
}
