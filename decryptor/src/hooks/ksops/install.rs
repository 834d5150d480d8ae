//! `ksops install`: copies this program into a folder, as init containers do, in images that have no `cp`.

use std::fs::{self, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use keys::Env;

use crate::hooks::Done;
use crate::hooks::failure::{Failure, Stop};

/// Copies this program there as `ksops`, and the kustomize on `PATH`.
pub(super) fn run(folder: &Path, with_kustomize: bool) -> Result<Done, Stop> {
    let own = std::env::current_exe()
        .map_err(|e| Failure::new("cannot find this program's own file").because(e))?;
    let mut programs = vec![(own, "ksops")];
    if with_kustomize {
        programs.push((kustomize()?, "kustomize"));
    }
    let mut said = String::new();
    for (program, name) in programs {
        let target = folder.join(name);
        copy(&program, &target).map_err(|e| {
            Failure::new(format!(
                "cannot copy {} to {}",
                program.display(),
                target.display()
            ))
            .because(e)
        })?;
        said += &format!("installed {}\n", target.display());
    }
    Ok(Done::said(said))
}

fn kustomize() -> Result<PathBuf, Failure> {
    Env::from_process().program("kustomize").ok_or_else(|| {
        Failure::new("no kustomize in the absolute folders of PATH")
            .hint("use an image that has it, or leave --with-kustomize out")
    })
}

/// Copies whole or not at all: a program that runs meanwhile stays as it is.
fn copy(program: &Path, target: &Path) -> io::Result<()> {
    let mut beside = target.as_os_str().to_owned();
    beside.push(format!(".{}", std::process::id()));
    let beside = PathBuf::from(beside);
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&beside)?;
    let copied = fs::File::open(program)
        .and_then(|mut program| io::copy(&mut program, &mut file))
        // Whatever the umask: others run it.
        .and_then(|_| file.set_permissions(Permissions::from_mode(0o755)))
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::rename(&beside, target));
    if copied.is_err() {
        // What matters is the first error.
        let _ = fs::remove_file(&beside);
    }
    copied
}
