//! A tool's process: in a group of its own, which no Ctrl-C of the terminal reaches, and watched until it ends.

use std::ffi::OsStr;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use anyhow::Context;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

use super::plan::{Input, Plan};
use super::user::User;

/// Where administrators' programs are, which not every user's `$PATH` has.
const BEYOND_PATH: [&str; 3] = ["/usr/sbin", "/usr/local/sbin", "/sbin"];

/// Finds a program as a shell does.
pub(super) fn find(name: &str, path: Option<&OsStr>) -> Option<PathBuf> {
    let folders = path.map(|path| std::env::split_paths(path).collect::<Vec<_>>()).unwrap_or_default();
    let folders = folders.into_iter().chain(BEYOND_PATH.iter().map(PathBuf::from));
    folders.map(|folder| folder.join(name)).find(|file| is_program(file))
}

fn is_program(file: &Path) -> bool {
    file.metadata().is_ok_and(|it| it.is_file() && it.permissions().mode() & 0o111 != 0)
}

/// A tool that runs.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    group: Group,
}

/// Its process group. The number stays the group's as long as the process was not waited for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Group(Pid);

impl Process {
    /// Starts it, and gives the end of the pipe that it reads.
    pub(super) fn start(program: &Path, plan: &Plan, user: Option<&User>) -> anyhow::Result<(Self, Option<OwnedFd>)> {
        let mut command = Command::new(program);
        // What opens the server's stream is not the tool's business.
        command.args(&plan.arguments).env_remove("FINDERSCOPE_TOKEN");
        if plan.input != Input::None {
            command.process_group(0).stdin(Stdio::piped());
        }
        if let Some(user) = user {
            become_user(&mut command, user);
        }
        let mut child = command.spawn().with_context(|| {
            let whom = user.map_or_else(String::new, |user| format!(" as {}", display(user)));
            format!("cannot run {}{whom}", program.display())
        })?;
        let input = child.stdin.take().map(OwnedFd::from);
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).expect("a child has a process id");
        Ok((Self { child, group: Group(pid) }, input))
    }

    pub(super) const fn group(&self) -> Group {
        self.group
    }

    /// Waits for its end.
    pub(super) fn wait(mut self) -> io::Result<ExitStatus> {
        self.child.wait()
    }
}

impl Group {
    /// Sends a signal to all of it.
    pub(super) fn kill(self, signal: Signal) {
        // Where none is left there is nothing to do.
        let _ = kill_process_group(self.0, signal);
    }

    /// Waits for the end of its first process, without taking its status: until somebody does, its number is its own.
    pub(super) fn wait_for_end(self) -> io::Result<()> {
        loop {
            match waitid(WaitId::Pid(self.0), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT) {
                Ok(_) => return Ok(()),
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// What a shell would have in `$?`.
pub(super) fn code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}

fn become_user(command: &mut Command, user: &User) {
    // The standard library leaves all other groups, where it may.
    command.gid(user.group).uid(user.id);
    // The tools keep their settings at home; that of root is closed to others.
    match &user.home {
        Some(home) => command.env("HOME", home),
        None => command.env_remove("HOME"),
    };
    match &user.name {
        Some(name) => command.env("USER", name).env("LOGNAME", name),
        None => command.env_remove("USER").env_remove("LOGNAME"),
    };
    for name in ["XDG_CONFIG_HOME", "XDG_RUNTIME_DIR"] {
        command.env_remove(name);
    }
    // What captures keeps its packets in a temporary file; where root's folder is closed to the user, the usual one is there.
    if std::env::var_os("TMPDIR").is_some_and(|folder| !user.may_write_in(Path::new(&folder))) {
        command.env_remove("TMPDIR");
    }
}

fn display(user: &User) -> String {
    user.name.clone().unwrap_or_else(|| format!("user {}", user.id))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]
    use std::ffi::OsString;
    use std::io::{Read, Write};

    use super::*;

    /// A shell in the place of a tool.
    fn start(script: &str) -> (Process, std::fs::File) {
        let plan = Plan {
            input: Input::File,
            arguments: ["-c", script].map(OsString::from).to_vec(),
            user: None,
            prints: true,
        };
        let (process, input) = Process::start(Path::new("/bin/sh"), &plan, None).unwrap();
        (process, input.unwrap().into())
    }

    #[test]
    fn its_status_is_passed_on() {
        for (script, wanted) in [("exit 0", 0), ("exit 3", 3), ("kill -TERM $$", 143), ("kill -KILL $$", 137)] {
            let (process, input) = start(script);
            drop(input);
            assert_eq!(code(process.wait().unwrap()), wanted, "{script}");
        }
    }

    #[test]
    fn its_input_ends_with_ours() {
        let (process, mut input) = start("cat >/dev/null; exit 7");
        input.write_all(b"packets").unwrap();
        drop(input);
        assert_eq!(code(process.wait().unwrap()), 7);
    }

    #[test]
    fn its_end_is_seen_before_its_status_is_taken() {
        let (process, _input) = start("exit 5");
        process.group().wait_for_end().unwrap();
        process.group().wait_for_end().unwrap();
        assert_eq!(code(process.wait().unwrap()), 5);
    }

    #[test]
    fn a_signal_reaches_all_of_its_group() {
        let (reader, writer) = io::pipe().unwrap();
        let plan = Plan {
            input: Input::File,
            arguments: ["-c", "sleep 600 >&2 & echo begun >&2; wait"].map(OsString::from).to_vec(),
            user: None,
            prints: true,
        };
        let mut command = Command::new("/bin/sh");
        command.args(&plan.arguments).process_group(0).stderr(writer);
        let child = command.spawn().unwrap();
        drop(command);
        let process = Process { group: Group(Pid::from_raw(child.id() as i32).unwrap()), child };
        let mut reader = io::BufReader::new(reader);
        let mut line = String::new();
        io::BufRead::read_line(&mut reader, &mut line).unwrap();
        process.group().kill(Signal::TERM);
        assert_eq!(code(process.wait().unwrap()), 143);
        // The sleeping one held the other end, too.
        assert_eq!(reader.read_to_end(&mut Vec::new()).unwrap(), 0);
    }

    #[test]
    fn a_program_is_found_as_a_shell_finds_it() {
        let folder = tempfile::tempdir().unwrap();
        let [first, second] = ["first", "second"].map(|name| folder.path().join(name));
        for (folder, mode) in [(&first, 0o644), (&second, 0o755)] {
            std::fs::create_dir(folder).unwrap();
            std::fs::write(folder.join("some-tool"), "").unwrap();
            std::fs::set_permissions(folder.join("some-tool"), std::fs::Permissions::from_mode(mode)).unwrap();
        }
        let path = std::env::join_paths([&first, &second]).unwrap();
        assert_eq!(find("some-tool", Some(&path)), Some(second.join("some-tool")));
        assert_eq!(find("some-tool", None), None);
    }
}
