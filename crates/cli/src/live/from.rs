//! `--from` and what belongs to it, the same for all commands that look at packets.

use std::path::PathBuf;

use super::{Access, Source};

/// Where samples come from.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct FromArgs {
    /// Where samples come from: a capture file, `-` for standard input, or a URL such as udp://:6343 or http://127.0.0.1:8008;
    /// else the running server, else udp://:6343
    #[arg(long, value_name = "URL|FILE")]
    from: Option<String>,
    /// File with the token of the server, as that of --from http://HOST:8008 on another machine
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Data folder of the server on this machine, where it is not the usual one; without --from, that server is the source
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

impl FromArgs {
    /// What was meant. Wireshark passes on settings that are empty: they are none.
    pub fn source(&self) -> anyhow::Result<Source> {
        let path = |path: &Option<PathBuf>| path.clone().filter(|path| !path.as_os_str().is_empty());
        let access = Access { token_file: path(&self.token_file), data: path(&self.data) };
        let source = match (self.from.as_deref().filter(|from| !from.is_empty()), &access.data) {
            (Some(typed), _) => Source::parse_sflow(typed)?,
            (None, Some(data)) => Source::of_folder(data)?,
            (None, None) => Source::usual()?,
        };
        Ok(source.with(access))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

    use super::*;

    fn args(from: Option<&str>, data: Option<&std::path::Path>) -> FromArgs {
        FromArgs { from: from.map(str::to_owned), token_file: None, data: data.map(Into::into) }
    }

    #[test]
    fn a_folder_means_the_server_that_runs_on_it() {
        let folder = tempfile::tempdir().unwrap();
        let error = args(None, Some(folder.path())).source().unwrap_err().to_string();
        assert!(error.contains("no server runs on") && error.contains("finderscope serve --data"), "{error}");
        let place = "127.0.0.1:9009".parse().unwrap();
        let contact = finderscope_server::contact::Contact::leave(folder.path(), place).unwrap();
        assert_eq!(args(None, Some(folder.path())).source().unwrap().name(), "http://127.0.0.1:9009");
        // What was typed wins.
        assert_eq!(args(Some("a.pcap"), Some(folder.path())).source().unwrap().name(), "a.pcap");
        drop(contact);
    }

    #[test]
    fn empty_settings_are_none() {
        let empty = args(Some(""), Some(std::path::Path::new("")));
        assert_eq!(empty.source().unwrap().name(), Source::usual().unwrap().name());
    }
}
