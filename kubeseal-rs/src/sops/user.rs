//! Another user, as which a command runs that is handed clear text.

use std::ffi::{CStr, CString};

use nix::unistd::{Gid, User, setgid, setuid};

use crate::error::CommandError;

/// What a command is told of the user it runs as.
pub(crate) struct Account {
    name: String,
    home: String,
}

/// Makes this process that user's, with the user's groups and no others. There is no way back.
pub(crate) fn switch_to(name: &str) -> Result<Account, CommandError> {
    let user = User::from_name(name)
        .map_err(|e| CommandError::new(format!("cannot look up the user {name}")).because(e))?
        .ok_or_else(|| CommandError::new(format!("user: unknown user {name}")))?;
    let in_system = CString::new(user.name.as_str())
        .map_err(|e| CommandError::new(format!("{name:?} is no name of a user")).because(e))?;
    take_groups(&in_system, user.gid)
        .and_then(|()| setgid(user.gid))
        .and_then(|()| setuid(user.uid))
        .map_err(|e| {
            CommandError::new(format!("cannot become the user {name}"))
                .because(e.desc())
                .hint("only root may run commands as somebody else")
        })?;
    Ok(Account {
        home: user.dir.display().to_string(),
        name: user.name,
    })
}

#[cfg(not(target_os = "macos"))]
fn take_groups(user: &CStr, own: Gid) -> nix::Result<()> {
    nix::unistd::initgroups(user, own)
}

/// There is no safe call for it there: nobody shall keep root's groups.
#[cfg(target_os = "macos")]
fn take_groups(_user: &CStr, _own: Gid) -> nix::Result<()> {
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
