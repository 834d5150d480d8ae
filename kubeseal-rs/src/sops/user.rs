//! Another user, as which a command runs that is handed clear text.
//!
//! Users and groups are those of `/etc/passwd` and `/etc/group`, as for sops: a program in one static file has no others.

use std::fs;

use nix::unistd::{Gid, Uid, setgid, setuid};

use crate::error::CommandError;

/// Where the system lists its users, and its groups with their members.
const USERS: &str = "/etc/passwd";
const GROUPS: &str = "/etc/group";

/// What a command is told of the user it runs as.
pub(crate) struct Account {
    name: String,
    home: String,
}

/// A user as the system lists it.
#[derive(Debug, PartialEq, Eq)]
struct Listed<'t> {
    uid: Uid,
    gid: Gid,
    home: &'t str,
}

/// Makes this process that user's, with the user's groups and no others. There is no way back.
pub(crate) fn switch_to(name: &str) -> Result<Account, CommandError> {
    let read = |path: &str| {
        fs::read_to_string(path)
            .map_err(|e| CommandError::new(format!("cannot read {path}")).because(e))
    };
    let (users, groups) = (read(USERS)?, read(GROUPS)?);
    let user = listed(&users, name).ok_or_else(|| {
        CommandError::new(format!("user: unknown user {name}"))
            .hint(format!("the users of {USERS} are known, and no others"))
    })?;
    take_groups(&groups_of(&groups, name, user.gid))
        .and_then(|()| setgid(user.gid))
        .and_then(|()| setuid(user.uid))
        .map_err(|e| {
            CommandError::new(format!("cannot become the user {name}"))
                .because(e.desc())
                .hint("only root may run commands as somebody else")
        })?;
    Ok(Account {
        home: user.home.to_owned(),
        name: name.to_owned(),
    })
}

/// A user in the text of the system's list. A line that is none has no effect.
fn listed<'t>(users: &'t str, name: &str) -> Option<Listed<'t>> {
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let found = fields
            .next()
            .filter(|found| *found == name && !found.is_empty());
        found?;
        let (uid, gid) = (fields.nth(1)?, fields.next()?);
        Some(Listed {
            uid: Uid::from_raw(uid.parse().ok()?),
            gid: Gid::from_raw(gid.parse().ok()?),
            home: fields.nth(1)?,
        })
    })
}

/// The groups that list a user among their members, and the user's own.
fn groups_of(groups: &str, name: &str, own: Gid) -> Vec<Gid> {
    let member_of = groups.lines().filter_map(|line| {
        let mut fields = line.split(':');
        let (gid, members) = (fields.nth(2)?, fields.next()?);
        let gid = Gid::from_raw(gid.parse().ok()?);
        let is_other = gid != own && members.split(',').any(|member| member == name);
        is_other.then_some(gid)
    });
    [own].into_iter().chain(member_of).collect()
}

#[cfg(not(target_os = "macos"))]
fn take_groups(groups: &[Gid]) -> nix::Result<()> {
    nix::unistd::setgroups(groups)
}

/// There is no safe call for it there: nobody shall keep root's groups.
#[cfg(target_os = "macos")]
fn take_groups(_groups: &[Gid]) -> nix::Result<()> {
    Err(nix::errno::Errno::ENOTSUP)
}

impl Account {
    /// The variables that say who one is.
    pub(crate) fn variables(&self) -> [(&'static str, &str); 3] {
        [
            ("HOME", &self.home),
            ("USER", &self.name),
            ("LOGNAME", &self.name),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_has_its_own_group_and_those_that_list_it() {
        let users = "root:x:0:0:root:/root:/bin/sh\n# app:x:1:1::/no:\napp:x:70000:100:An App,,:/srv/app:/bin/sh\n\
                     broken:x:y:0::/:\nshort:x:1\n::0:0::/:\n";
        let raw = |uid, gid, home| Listed {
            uid: Uid::from_raw(uid),
            gid: Gid::from_raw(gid),
            home,
        };
        for (name, expected) in [
            ("root", Some(raw(0, 0, "/root"))),
            ("app", Some(raw(70000, 100, "/srv/app"))),
            ("ap", None),
            ("broken", None),
            ("short", None),
            ("", None),
        ] {
            assert_eq!(listed(users, name), expected, "{name}");
        }
        let groups = "users:x:100:app\nwheel:x:10:root,app\nother:x:11:apple,root\nbroken:x::app\nshort:x:12\n";
        let ids = |ids: &[u32]| ids.iter().copied().map(Gid::from_raw).collect::<Vec<_>>();
        assert_eq!(
            groups_of(groups, "app", Gid::from_raw(100)),
            ids(&[100, 10])
        );
        assert_eq!(groups_of(groups, "nobody", Gid::from_raw(9)), ids(&[9]));
    }
}
