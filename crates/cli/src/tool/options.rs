//! Which options of a tool take a value, and which of them matter here.
//!
//! A value must not be taken for an option: the `i` of `-w -i` names a file. Letters that are not listed take none, so
//! that later versions of the tools may have more of those.

/// What a tool's command line looks like, as `getopt_long` reads it.
#[derive(Debug)]
pub(super) struct Options {
    /// The letters that take a value.
    pub(super) valued: &'static str,
    /// The long names, and whether they take a value. They may be shortened as long as they are told apart.
    pub(super) long: &'static [(&'static str, bool)],
    /// Whether options may stand behind words that are none.
    pub(super) mixed: bool,
    /// What would choose another input: names as they were typed in full, letters without their dash.
    pub(super) inputs: &'static [&'static str],
    /// What needs no packets at all: help, versions, lists.
    pub(super) telling: &'static [&'static str],
}

/// tcpdump 4.9 to 4.99, and what 5.0 adds.
pub(super) const TCPDUMP: Options = Options {
    valued: "BcCEFGijmMQrsTVwWyzZ",
    long: &[
        ("absolute-tcp-sequence-numbers", false),
        ("buffer-size", true),
        ("count", false),
        ("debug", false),
        ("direction", true),
        ("dont-verify-checksums", false),
        ("fp-type", false),
        ("help", false),
        ("immediate-mode", false),
        ("interface", true),
        ("lengths", false),
        ("linktype", true),
        ("list-data-link-types", false),
        ("list-interfaces", false),
        ("list-remote-interfaces", true),
        ("list-time-stamp-types", false),
        ("micro", false),
        ("monitor-mode", false),
        ("nano", false),
        ("no-optimize", false),
        ("no-promiscuous-mode", false),
        ("number", false),
        ("packet-buffered", false),
        ("print", false),
        ("print-sampling", true),
        ("relinquish-privileges", true),
        ("skip", true),
        ("snapshot-length", true),
        ("time-stamp-precision", true),
        ("time-stamp-type", true),
        ("version", false),
    ],
    mixed: true,
    inputs: &["r", "i", "V", "interface"],
    telling: &["h", "D", "J", "help", "version", "list-interfaces", "list-remote-interfaces", "list-time-stamp-types"],
};

/// tshark 3 to 4.
pub(super) const TSHARK: Options = Options {
    valued: "abBcCdeEfFGHijJKMNoOrRsStTuUwWXyYz",
    long: &[
        ("autostop", true),
        ("buffer-size", true),
        ("capture-comment", true),
        ("color", false),
        ("compress", true),
        ("compress-type", true),
        ("disable-all-protocols", false),
        ("disable-heuristic", true),
        ("disable-protocol", true),
        ("display-filter", true),
        ("elastic-mapping-filter", true),
        ("enable-heuristic", true),
        ("enable-protocol", true),
        ("export-objects", true),
        ("export-tls-session-keys", true),
        ("help", false),
        ("hexdump", true),
        ("ifdescr", true),
        ("ifname", true),
        ("interface", true),
        ("linktype", true),
        ("list-data-link-types", false),
        ("list-interfaces", false),
        ("list-time-stamp-types", false),
        ("log-debug", true),
        ("log-domain", true),
        ("log-domains", true),
        ("log-fatal", true),
        ("log-fatal-domain", true),
        ("log-fatal-domains", true),
        ("log-file", true),
        ("log-level", true),
        ("log-noisy", true),
        ("monitor-mode", false),
        ("no-duplicate-keys", false),
        ("no-promiscuous-mode", false),
        ("only-protocols", true),
        ("print", false),
        ("print-timers", false),
        ("read-file", true),
        ("read-filter", true),
        ("ring-buffer", true),
        ("selected-frame", true),
        ("snapshot-length", true),
        ("temp-dir", true),
        ("time-stamp-type", true),
        ("update-interval", true),
        ("version", false),
    ],
    mixed: false,
    inputs: &["r", "i", "read-file", "interface"],
    telling: &["h", "v", "D", "G", "help", "version", "list-interfaces"],
};

/// One option as it was used.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Used {
    /// Its letter, or its long name in full.
    pub(super) name: String,
    /// Its value, where it takes one and has one.
    pub(super) value: Option<Vec<u8>>,
}

impl Options {
    /// The options among a tool's arguments, in order.
    pub(super) fn used<'a>(&self, arguments: impl IntoIterator<Item = &'a [u8]>) -> Vec<Used> {
        let mut arguments = arguments.into_iter();
        let mut used = Vec::new();
        while let Some(argument) = arguments.next() {
            match argument {
                b"--" => break,
                [b'-', b'-', long @ ..] => used.extend(self.long(long, &mut arguments)),
                [b'-', letters @ ..] if !letters.is_empty() => self.letters(letters, &mut arguments, &mut used),
                _ if self.mixed => {}
                _ => break,
            }
        }
        used
    }

    /// `-nni eth0`, `-rfile`: letters up to the first that takes a value, which is the rest, or else what follows.
    fn letters<'a>(&self, letters: &[u8], rest: &mut impl Iterator<Item = &'a [u8]>, used: &mut Vec<Used>) {
        for (at, &letter) in letters.iter().enumerate() {
            let name = char::from(letter).to_string();
            if !self.valued.contains(&name) {
                used.push(Used { name, value: None });
                continue;
            }
            let attached = &letters[at + 1..];
            let value = if attached.is_empty() { rest.next() } else { Some(attached) };
            used.push(Used { name, value: value.map(<[u8]>::to_vec) });
            return;
        }
    }

    /// `--interface eth0`, `--interface=eth0`, `--inter eth0`; none for what the tool does not know either.
    fn long<'a>(&self, typed: &[u8], rest: &mut impl Iterator<Item = &'a [u8]>) -> Option<Used> {
        let (typed, attached) = match typed.iter().position(|&byte| byte == b'=') {
            Some(at) => (&typed[..at], Some(&typed[at + 1..])),
            None => (typed, None),
        };
        let exact = self.long.iter().find(|(name, _)| name.as_bytes() == typed);
        let mut meant = self.long.iter().filter(|(name, _)| name.as_bytes().starts_with(typed));
        let &(name, valued) = exact.or_else(|| meant.next().filter(|_| meant.next().is_none()))?;
        let value = attached.or_else(|| if valued { rest.next() } else { None });
        Some(Used { name: name.to_owned(), value: value.map(<[u8]>::to_vec) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(options: &Options, line: &str, wanted: &[(&str, Option<&str>)]) {
        let used = options.used(line.split_whitespace().map(str::as_bytes));
        let used: Vec<_> = used
            .iter()
            .map(|it| (it.name.as_str(), it.value.as_deref().map(|value| str::from_utf8(value).unwrap_or("?"))))
            .collect();
        assert_eq!(used, wanted, "{line}");
    }

    #[test]
    fn letters_may_be_bundled_and_values_attached() {
        check(&TCPDUMP, "-nni eth0", &[("n", None), ("n", None), ("i", Some("eth0"))]);
        check(&TCPDUMP, "-nnieth0 -c10", &[("n", None), ("n", None), ("i", Some("eth0")), ("c", Some("10"))]);
        check(&TCPDUMP, "-rfile -r file", &[("r", Some("file")), ("r", Some("file"))]);
        check(
            &TSHARK,
            "-nVYdns -Tfields -eip.src",
            &[("n", None), ("V", None), ("Y", Some("dns")), ("T", Some("fields")), ("e", Some("ip.src"))],
        );
    }

    #[test]
    fn a_value_is_no_option() {
        check(&TCPDUMP, "-w -r -n", &[("w", Some("-r")), ("n", None)]);
        check(&TCPDUMP, "-z -i", &[("z", Some("-i"))]);
        check(&TSHARK, "-Y -r -o -i", &[("Y", Some("-r")), ("o", Some("-i"))]);
        check(&TSHARK, "--log-file -r --temp-dir -i", &[("log-file", Some("-r")), ("temp-dir", Some("-i"))]);
    }

    #[test]
    fn long_names_may_be_shortened_as_long_as_they_are_told_apart() {
        check(&TCPDUMP, "--interface=eth0 --inter eth0", &[("interface", Some("eth0")), ("interface", Some("eth0"))]);
        check(&TCPDUMP, "--count --no", &[("count", None)]);
        check(&TSHARK, "--read-file x --read-fil y", &[("read-file", Some("x"))]);
        check(&TSHARK, "--display dns", &[("display-filter", Some("dns"))]);
        check(&TSHARK, "--print", &[("print", None)]);
    }

    #[test]
    fn options_stand_behind_words_for_tcpdump_alone() {
        check(&TCPDUMP, "port 53 -nn", &[("n", None), ("n", None)]);
        check(&TCPDUMP, "port 53 -- -r file", &[]);
        check(&TSHARK, "port 53 -r file", &[]);
    }

    #[test]
    fn what_lacks_its_value_is_still_an_option() {
        check(&TCPDUMP, "-nr", &[("n", None), ("r", None)]);
        check(&TCPDUMP, "- -", &[]);
    }
}
