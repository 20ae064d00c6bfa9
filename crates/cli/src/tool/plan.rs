//! What a tool is to be run with: its user's arguments, untouched, behind those that give it our packets.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use super::options::{Options, TCPDUMP, TSHARK, Used};

/// A tool that can be run.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Tool {
    /// tcpdump.
    Tcpdump,
    /// tshark.
    Tshark,
}

impl Tool {
    /// What it is called.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tcpdump => "tcpdump",
            Self::Tshark => "tshark",
        }
    }

    /// How it is installed.
    pub(super) const fn remedy(self) -> &'static str {
        match self {
            Self::Tcpdump => "apt install tcpdump, dnf install tcpdump, or brew install tcpdump",
            Self::Tshark => "apt install tshark, dnf install wireshark-cli, or brew install wireshark",
        }
    }

    const fn options(self) -> &'static Options {
        match self {
            Self::Tcpdump => &TCPDUMP,
            Self::Tshark => &TSHARK,
        }
    }
}

/// How a tool gets its packets.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Input {
    /// It reads a capture from standard input.
    File,
    /// It captures from standard input, which it takes for an interface: what stops by time and what goes round in a
    /// ring of files is only to be had so. It keeps what it captured in a temporary file.
    Interface,
    /// It wants none: it tells about itself.
    None,
}

/// What to run.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Plan {
    pub(super) input: Input,
    /// All of the tool's arguments.
    pub(super) arguments: Vec<OsString>,
    /// Whom tcpdump was told to become (`-Z`).
    pub(super) user: Option<OsString>,
    /// Whether what it prints is all that it does.
    pub(super) prints: bool,
}

impl Plan {
    /// Reads what was typed for the tool; fails with what is wrong with it.
    pub(super) fn new(tool: Tool, typed: &[OsString]) -> Result<Self, String> {
        let options = tool.options();
        let used = options.used(typed.iter().map(|it| it.as_bytes()));
        refuse_inputs(tool, &used)?;
        refuse_ours(typed, tool)?;
        let input = input(tool, &used);
        let ours: &[&str] = match input {
            Input::File => &["-r", "-"],
            Input::Interface => &["-i", "-"],
            Input::None => &[],
        };
        let arguments = ours.iter().map(OsString::from).chain(typed.iter().cloned()).collect();
        let prints = used.iter().all(|it| it.name != "w" || it.value.as_deref() == Some(b"-"));
        let user =
            used.into_iter().rev().find(|it| tool == Tool::Tcpdump && is_one_of(it, &["Z", "relinquish-privileges"]));
        Ok(Self { input, arguments, user: user.and_then(|it| it.value).map(OsString::from_vec), prints })
    }
}

fn input(tool: Tool, used: &[Used]) -> Input {
    if used.iter().any(|it| is_one_of(it, tool.options().telling)) {
        return Input::None;
    }
    let captures = tool == Tool::Tshark
        && used.iter().any(|it| match it.name.as_str() {
            // A number of packets stops a reader as well.
            "a" | "autostop" => !it.value.as_deref().is_some_and(|value| value.starts_with(b"packets:")),
            "b" | "ring-buffer" => true,
            _ => false,
        });
    if captures { Input::Interface } else { Input::File }
}

fn refuse_inputs(tool: Tool, used: &[Used]) -> Result<(), String> {
    let name = tool.name();
    for it in used {
        let option = dashed(&it.name);
        if is_one_of(it, tool.options().inputs) {
            return Err(format!(
                "{name} reads the packets of the samples here, so its {option} cannot be used; \
                 hint: finderscope {name} --from FILE reads samples from a capture"
            ));
        }
        // Beside `-r` tshark refuses it, and beside `-i -` it would let everything pass in silence.
        if tool == Tool::Tshark && it.name == "f" {
            return Err(format!(
                "tshark's -f filters interfaces only; hint: finderscope tshark --bpf '{}', or tshark's -Y",
                it.value.as_deref().map_or_else(|| "FILTER".into(), String::from_utf8_lossy)
            ));
        }
    }
    Ok(())
}

/// Ours stand before the tool's.
fn refuse_ours(typed: &[OsString], tool: Tool) -> Result<(), String> {
    let ours = typed.iter().find(|it| it.as_bytes() == b"--from" || it.as_bytes().starts_with(b"--from="));
    match ours {
        Some(_) => Err(format!("--from stands before {}'s own arguments", tool.name())),
        None => Ok(()),
    }
}

fn is_one_of(used: &Used, names: &[&str]) -> bool {
    names.contains(&used.name.as_str())
}

fn dashed(name: &str) -> String {
    if name.chars().count() == 1 { format!("-{name}") } else { format!("--{name}") }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]
    use super::*;

    fn plan(tool: Tool, line: &str) -> Result<Plan, String> {
        Plan::new(tool, &line.split_whitespace().map(OsString::from).collect::<Vec<_>>())
    }

    fn check(tool: Tool, line: &str, input: Input, arguments: &str) {
        let plan = plan(tool, line).unwrap();
        let joined: Vec<_> = plan.arguments.iter().map(|it| it.to_str().unwrap()).collect();
        assert_eq!((plan.input, joined.join(" ").as_str()), (input, arguments), "{line}");
    }

    #[test]
    fn packets_come_by_standard_input_and_arguments_stay_as_they_are() {
        check(Tool::Tcpdump, "", Input::File, "-r -");
        check(Tool::Tcpdump, "-nn -c 10 port 53", Input::File, "-r - -nn -c 10 port 53");
        check(Tool::Tshark, "-q -z io,phs", Input::File, "-r - -q -z io,phs");
        check(Tool::Tshark, "-c 10 -Y dns", Input::File, "-r - -c 10 -Y dns");
    }

    #[test]
    fn what_stops_by_time_or_goes_round_captures() {
        check(Tool::Tshark, "-a duration:10", Input::Interface, "-i - -a duration:10");
        check(Tool::Tshark, "-nb filesize:100 -w x", Input::Interface, "-i - -nb filesize:100 -w x");
        check(Tool::Tshark, "--autostop=files:3", Input::Interface, "-i - --autostop=files:3");
        check(Tool::Tshark, "-a packets:10", Input::File, "-r - -a packets:10");
        check(Tool::Tshark, "-w -a", Input::File, "-r - -w -a");
        check(Tool::Tcpdump, "-b -A", Input::File, "-r - -b -A");
    }

    #[test]
    fn what_tells_about_the_tool_wants_no_packets() {
        check(Tool::Tcpdump, "--version", Input::None, "--version");
        check(Tool::Tcpdump, "-D", Input::None, "-D");
        check(Tool::Tcpdump, "-h", Input::None, "-h");
        check(Tool::Tshark, "-G protocols", Input::None, "-G protocols");
        check(Tool::Tshark, "-v", Input::None, "-v");
        check(Tool::Tshark, "-V", Input::File, "-r - -V");
        check(Tool::Tcpdump, "-v", Input::File, "-r - -v");
    }

    #[test]
    fn another_input_is_wrong_use() {
        for line in
            ["-i eth0", "-nni eth0", "-r file", "-rfile", "-V list", "--interface=lo", "--inter lo", "port 53 -r x"]
        {
            let refused = plan(Tool::Tcpdump, line).unwrap_err();
            assert!(refused.contains("cannot be used; hint: finderscope tcpdump --from FILE"), "{refused}");
        }
        for line in ["-i eth0", "-nr file", "--read-file x", "-V -r x"] {
            assert!(plan(Tool::Tshark, line).unwrap_err().starts_with("tshark reads the packets"), "{line}");
        }
        assert!(plan(Tool::Tshark, "-f udp").unwrap_err().ends_with("--bpf 'udp', or tshark's -Y"));
        assert_eq!(plan(Tool::Tcpdump, "-nn --from x").unwrap_err(), "--from stands before tcpdump's own arguments");
    }

    #[test]
    fn what_writes_a_file_does_more_than_print() {
        let prints = |line| plan(Tool::Tcpdump, line).unwrap().prints;
        assert_eq!([prints("-nn"), prints("-w -"), prints("-w x"), prints("-wx")], [true, true, false, false]);
    }

    #[test]
    fn tcpdump_may_name_the_user() {
        let user = |tool, line| plan(tool, line).unwrap().user.map(|it| it.into_string().unwrap());
        assert_eq!(user(Tool::Tcpdump, "-nnZroot -w x").as_deref(), Some("root"));
        assert_eq!(user(Tool::Tcpdump, "--relinquish-privileges=alice").as_deref(), Some("alice"));
        assert_eq!(user(Tool::Tcpdump, "-w -Z"), None);
        assert_eq!(user(Tool::Tshark, "-n"), None);
    }
}
