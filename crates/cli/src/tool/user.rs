//! As whom a tool runs: never as root, which dissectors of foreign bytes do not deserve, unless that was asked for.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Somebody, as processes know him.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct User {
    pub(super) id: u32,
    pub(super) group: u32,
    pub(super) name: Option<String>,
    pub(super) home: Option<PathBuf>,
}

impl User {
    /// Whether this user, who is in no further groups, may make files in a folder.
    pub(super) fn may_write_in(&self, folder: &Path) -> bool {
        const SEARCH: u32 = 0o1;
        const WRITE_AND_SEARCH: u32 = 0o3;
        let Ok(folder) = folder.canonicalize() else { return false };
        let may = |folder: &Path, wanted| {
            folder.metadata().is_ok_and(|it| it.is_dir() && self.rights(&it) & wanted == wanted)
        };
        may(&folder, WRITE_AND_SEARCH) && folder.ancestors().skip(1).all(|above| may(above, SEARCH))
    }

    /// The last three bits of the mode, as they are for this user.
    fn rights(&self, it: &Metadata) -> u32 {
        let shift = match (it.uid() == self.id, it.gid() == self.group) {
            (true, _) => 6,
            (false, true) => 3,
            (false, false) => 0,
        };
        it.mode() >> shift & 0o7
    }
}

/// What decides.
#[derive(Clone, Copy, Debug)]
pub(super) struct Circumstances<'a> {
    /// Whether this process is root.
    pub(super) root: bool,
    /// `$SUDO_UID` and `$SUDO_GID`.
    pub(super) sudo: (Option<&'a str>, Option<&'a str>),
    /// `/etc/passwd`.
    pub(super) passwd: &'a str,
}

/// Nobody's numbers where `/etc/passwd` does not know him.
const NOBODY: u32 = 65534;

/// Whom to become; none to stay who we are. `asked` is a name or a number that somebody typed.
pub(super) fn choose(asked: Option<&str>, it: Circumstances<'_>) -> Result<Option<User>, String> {
    if !it.root {
        // tcpdump ignores its -Z then, too.
        return Ok(None);
    }
    let user = match asked {
        Some(asked) => find(it.passwd, asked).ok_or_else(|| format!("there is no user {asked}"))?,
        None => sudo(it).unwrap_or_else(|| nobody(it.passwd)),
    };
    Ok(Some(user).filter(|user| user.id != 0))
}

/// Who typed `sudo`.
fn sudo(it: Circumstances<'_>) -> Option<User> {
    let id = it.sudo.0?.parse().ok().filter(|&id| id != 0)?;
    let group = it.sudo.1.and_then(|group| group.parse().ok());
    match (entry(it.passwd, |user| user.id == id), group) {
        (Some(user), group) => Some(User { group: group.unwrap_or(user.group), ..user }),
        // Users may be kept elsewhere than in /etc/passwd.
        (None, group) => Some(User { id, group: group.unwrap_or(id), name: None, home: None }),
    }
}

fn nobody(passwd: &str) -> User {
    find(passwd, "nobody").unwrap_or(User { id: NOBODY, group: NOBODY, name: Some("nobody".to_owned()), home: None })
}

fn find(passwd: &str, asked: &str) -> Option<User> {
    let id: Option<u32> = asked.parse().ok();
    let known = entry(passwd, |user| user.name.as_deref() == Some(asked) || Some(user.id) == id);
    known.or_else(|| id.map(|id| User { id, group: id, name: None, home: None }))
}

/// The first line of `/etc/passwd` that fits: name, password, numbers, comment, home, shell.
fn entry(passwd: &str, fits: impl Fn(&User) -> bool) -> Option<User> {
    let users = passwd.lines().filter_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?.to_owned();
        let (id, group) = (fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?);
        let home = fields.nth(1).filter(|home| !home.is_empty()).map(PathBuf::from);
        Some(User { id, group, name: Some(name), home })
    });
    users.into_iter().find(fits)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed step is a failed test")]
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/bash\n\
                          nobody:x:65533:65532:nobody:/nonexistent:/usr/sbin/nologin\n\
                          broken line\n\
                          alice:x:1000:1001:Alice,,,:/home/alice:/bin/bash\n";

    fn check(asked: Option<&str>, sudo: (Option<&str>, Option<&str>), wanted: Option<(u32, u32, &str)>) {
        let found = choose(asked, Circumstances { root: true, sudo, passwd: PASSWD }).unwrap();
        let found = found.map(|it| (it.id, it.group, it.name.unwrap_or_default()));
        assert_eq!(found, wanted.map(|(id, group, name)| (id, group, name.to_owned())));
    }

    #[test]
    fn root_becomes_who_typed_sudo() {
        check(None, (Some("1000"), Some("1001")), Some((1000, 1001, "alice")));
        check(None, (Some("1000"), None), Some((1000, 1001, "alice")));
        check(None, (Some("4711"), Some("42")), Some((4711, 42, "")));
    }

    #[test]
    fn root_that_nobody_became_by_sudo_becomes_nobody() {
        check(None, (None, None), Some((65533, 65532, "nobody")));
        check(None, (Some("0"), Some("0")), Some((65533, 65532, "nobody")));
        check(None, (Some("x"), None), Some((65533, 65532, "nobody")));
        let unknown = choose(None, Circumstances { root: true, sudo: (None, None), passwd: "" }).unwrap().unwrap();
        assert_eq!((unknown.id, unknown.group), (65534, 65534));
    }

    #[test]
    fn who_is_asked_for_wins() {
        check(Some("alice"), (None, None), Some((1000, 1001, "alice")));
        check(Some("1000"), (None, None), Some((1000, 1001, "alice")));
        check(Some("77"), (Some("1000"), None), Some((77, 77, "")));
        check(Some("root"), (Some("1000"), None), None);
        let it = Circumstances { root: true, sudo: (None, None), passwd: PASSWD };
        assert_eq!(choose(Some("bob"), it).unwrap_err(), "there is no user bob");
    }

    #[test]
    fn a_folder_is_of_use_to_who_may_write_there_and_get_there() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("inner");
        std::fs::create_dir(&inner).unwrap();
        let it = folder.path().metadata().unwrap();
        let user = |id, group| User { id, group, name: None, home: None };
        let (owner, member) = (user(it.uid(), it.gid() + 1), user(it.uid() + 1, it.gid()));
        let stranger = user(it.uid() + 1, it.gid() + 1);
        for (outer_mode, inner_mode, wanted) in [
            (0o711, 0o700, [true, false, false]),
            (0o711, 0o770, [true, true, false]),
            (0o711, 0o707, [true, false, true]),
            (0o700, 0o777, [true, false, false]),
            (0o711, 0o666, [false, false, false]),
        ] {
            for (folder, mode) in [(folder.path(), outer_mode), (&inner, inner_mode)] {
                std::fs::set_permissions(folder, std::fs::Permissions::from_mode(mode)).unwrap();
            }
            let may = [&owner, &member, &stranger].map(|user| user.may_write_in(&inner));
            assert_eq!(may, wanted, "{outer_mode:o}, {inner_mode:o}");
        }
        assert!(!stranger.may_write_in(Path::new("/nowhere at all")));
    }

    #[test]
    fn who_is_not_root_stays_who_he_is() {
        let it = Circumstances { root: false, sudo: (Some("1000"), None), passwd: PASSWD };
        assert_eq!(choose(None, it), Ok(None));
        assert_eq!(choose(Some("root"), it), Ok(None));
    }
}
