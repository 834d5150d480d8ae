//! The outside as a back end sees it: variables, folders, programs and a person to ask. Made once, in `main`.
//!
//! No back end reads the process's own environment. What is loaded once, such as identities, is kept here, so that many
//! documents share it.

use std::{
    any::{Any, TypeId},
    collections::{BTreeMap, HashMap},
    ffi::{OsStr, OsString},
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use zeroize::Zeroizing;

use crate::secret::Plaintext;

/// How long another program may take, if nothing else is said: a person may have to type or to touch something. A call to a
/// service may take no longer either.
const TIME_LIMIT: Duration = Duration::from_secs(120);
const LONGEST_TIME_LIMIT: Duration = Duration::from_secs(24 * 60 * 60);

/// Asks the person at the terminal. Whatever is not answered is `None`.
pub trait Prompt: Send + Sync {
    /// Asks for a passphrase, which is not shown.
    fn secret(&self, question: &str) -> Option<Plaintext>;

    /// Asks for something that may be seen.
    fn public(&self, _question: &str) -> Option<String> {
        None
    }

    /// Offers a choice of two; `no` may be missing.
    fn confirm(&self, _question: &str, _yes: &str, _no: Option<&str>) -> Option<bool> {
        None
    }

    /// Says something, such as that a device waits to be touched.
    fn show(&self, _message: &str) {}
}

/// What a back end may use of the outside.
#[derive(Clone)]
pub struct Env {
    variables: BTreeMap<OsString, OsString>,
    prompt: Option<Arc<dyn Prompt>>,
    time_limit: Duration,
    typed_keys: Arc<[String]>,
    now: fn() -> Timestamp,
    loaded: Arc<Mutex<HashMap<TypeId, Slot>>>,
}

/// What was loaded once. The lock of its own keeps loading one kind from holding up the others.
type Slot = Arc<Mutex<Option<Arc<dyn Any + Send + Sync>>>>;

impl Env {
    /// What this process has. Nobody is asked anything unless [`Env::with_prompt`] says how.
    pub fn from_process() -> Self {
        Self::new(std::env::vars_os())
    }

    fn new(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        Self {
            variables: variables.into_iter().collect(),
            prompt: None,
            time_limit: TIME_LIMIT,
            typed_keys: Arc::default(),
            now: Timestamp::now,
            loaded: Arc::default(),
        }
    }

    /// Sets who is asked for passphrases.
    #[must_use]
    pub fn with_prompt(mut self, prompt: impl Prompt + 'static) -> Self {
        self.prompt = Some(Arc::new(prompt));
        self
    }

    /// Sets how long another program, or a call to a service, may take: a day at most.
    #[must_use]
    pub fn with_time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = limit.min(LONGEST_TIME_LIMIT);
        self
    }

    /// Sets the keys that the person typed, as they were typed: credentials may go where these are.
    ///
    /// To be called before anything is loaded.
    #[must_use]
    pub fn with_typed_keys(mut self, keys: impl IntoIterator<Item = String>) -> Self {
        self.typed_keys = keys.into_iter().collect();
        self
    }

    /// Sets the clock.
    #[must_use]
    pub fn with_clock(mut self, now: fn() -> Timestamp) -> Self {
        self.now = now;
        self
    }

    /// A variable. Returns `None` if it is not set; it may be set to nothing.
    pub fn variable(&self, name: &str) -> Option<&OsStr> {
        self.variables
            .get(OsStr::new(name))
            .map(OsString::as_os_str)
    }

    /// All variables that are text, for libraries that look for theirs.
    #[cfg(feature = "remote")]
    pub(crate) fn text_variables(&self) -> impl Iterator<Item = (&str, &str)> {
        let variables = self.variables.iter();
        variables.filter_map(|(name, value)| Some((name.to_str()?, value.to_str()?)))
    }

    /// What the machine is called; empty if nothing says so.
    pub fn host_name(&self) -> String {
        let file = Path::new("/proc/sys/kernel/hostname");
        let of_kernel = self.read(file, 4096).ok();
        let of_kernel = of_kernel.and_then(|name| String::from_utf8(name.to_vec()).ok());
        let variable = |name| Some(self.variable(name)?.to_string_lossy().into_owned());
        let name = of_kernel
            .or_else(|| variable("HOSTNAME"))
            .or_else(|| variable("COMPUTERNAME"));
        name.unwrap_or_default().trim().to_owned()
    }

    /// A variable that is set to something.
    fn folder(&self, name: &str) -> Option<PathBuf> {
        let value = self.variable(name).filter(|value| !value.is_empty())?;
        Some(PathBuf::from(value))
    }

    /// The person's own folder.
    pub fn home(&self) -> Option<PathBuf> {
        self.folder(if cfg!(windows) { "USERPROFILE" } else { "HOME" })
    }

    /// The folder for the person's settings, where sops looks for it.
    pub fn config(&self) -> Option<PathBuf> {
        if cfg!(windows) {
            return self.folder("AppData");
        }
        if let Some(folder) = self.folder("XDG_CONFIG_HOME") {
            return folder.is_absolute().then_some(folder);
        }
        let under_home = if cfg!(target_os = "macos") {
            "Library/Application Support"
        } else {
            ".config"
        };
        Some(self.home()?.join(under_home))
    }

    /// Who can be asked. Returns `None` if nobody is there.
    pub fn prompt(&self) -> Option<Arc<dyn Prompt>> {
        self.prompt.clone()
    }

    /// How long another program, or a call to a service, may take.
    pub fn time_limit(&self) -> Duration {
        self.time_limit
    }

    /// The keys that the person typed, whatever their kind.
    pub fn typed_keys(&self) -> &[String] {
        &self.typed_keys
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        (self.now)()
    }

    /// Reads a whole file that has no more than `limit` bytes.
    pub fn read(&self, path: &Path, limit: u64) -> io::Result<Zeroizing<Vec<u8>>> {
        let mut bytes = Zeroizing::new(Vec::new());
        let mut file = File::open(path)?.take(limit + 1);
        file.read_to_end(&mut bytes)?;
        if bytes.len() as u64 > limit {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "file too long"));
        }
        Ok(bytes)
    }

    /// Finds a program by name in the absolute folders of `PATH`; a path is taken as it is.
    pub fn program(&self, name: impl AsRef<OsStr>) -> Option<PathBuf> {
        let name = Path::new(name.as_ref());
        if name.components().count() > 1 || name.is_absolute() {
            return Some(name.to_owned());
        }
        let folders = self.variable("PATH")?;
        std::env::split_paths(folders)
            .filter(|folder| folder.is_absolute())
            .map(|folder| folder.join(name).with_extension(suffix(name)))
            .find(|file| is_program(file))
    }

    /// A program about to be run with these variables and no others.
    pub fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.env_clear().envs(&self.variables);
        command
    }

    /// What `load` makes, made once for all clones of this environment.
    pub fn once<T: Any + Send + Sync>(&self, load: impl FnOnce() -> T) -> Arc<T> {
        let slot: Slot = {
            let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
            loaded.entry(TypeId::of::<T>()).or_default().clone()
        };
        let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = slot.get_or_insert_with(|| Arc::new(load())).clone();
        kept.downcast().expect("a slot holds what its key says")
    }
}

/// An environment of the variables given and no others: what a test or a hook wants.
impl<N: Into<OsString>, V: Into<OsString>> FromIterator<(N, V)> for Env {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(variables: I) -> Self {
        let variables = variables.into_iter();
        Self::new(variables.map(|(name, value)| (name.into(), value.into())))
    }
}

impl<N: Into<OsString>, V: Into<OsString>, const COUNT: usize> From<[(N, V); COUNT]> for Env {
    fn from(variables: [(N, V); COUNT]) -> Self {
        variables.into_iter().collect()
    }
}

impl std::fmt::Debug for Env {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Env(…)")
    }
}

/// A path as people may see it. Whoever puts a file's content into a variable that names a file must not find it in a log.
pub(crate) fn shown(path: &Path) -> String {
    const LONGEST: usize = 255;
    const CONTENT: [&str; 5] = ["-----BEGIN", "AGE-SECRET-KEY-", "AGE-PLUGIN-", "{", "eyJ"];
    let text = path.to_string_lossy();
    let is_content = text.len() > LONGEST
        || text.contains(char::is_control)
        || CONTENT
            .iter()
            .any(|mark| text.trim_start().starts_with(mark));
    match is_content {
        true => "what should be a path and looks like a file's content".to_owned(),
        false => text.into_owned(),
    }
}

/// Windows finds programs by their suffix; elsewhere they keep their own.
fn suffix(name: &Path) -> OsString {
    match name.extension() {
        Some(suffix) => suffix.to_owned(),
        None if cfg!(windows) => OsString::from("exe"),
        None => OsString::new(),
    }
}

#[cfg(unix)]
fn is_program(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.metadata()
        .is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(file: &Path) -> bool {
    file.is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_where_sops_looks() {
        let config = |variables: [(&str, &str); 2]| Env::from(variables).config();
        let under_home = if cfg!(target_os = "macos") {
            "/h/Library/Application Support"
        } else {
            "/h/.config"
        };
        for (xdg, expected) in [
            ("/x", Some("/x")),
            ("", Some(under_home)),
            ("relative", None),
        ] {
            assert_eq!(
                config([("HOME", "/h"), ("XDG_CONFIG_HOME", xdg)]),
                expected.map(PathBuf::from),
                "{xdg}"
            );
        }
        assert_eq!(Env::from([("A", "b")]).config(), None);
    }

    #[test]
    fn content_in_place_of_a_path_is_not_shown() {
        let long = "/x".repeat(200);
        for text in [
            "{\"private_key\": \"secret\"}",
            "-----BEGIN PRIVATE KEY-----\nsecret",
            "eyJhbGciOiJSUzI1NiJ9.secret",
            "AGE-SECRET-KEY-1SECRET",
            &long,
        ] {
            let shown = shown(Path::new(text));
            assert!(
                !shown.contains(text) && shown.contains("content"),
                "{shown}"
            );
        }
        assert_eq!(shown(Path::new("/run/keys/a b.json")), "/run/keys/a b.json");
    }

    #[test]
    fn programs_come_from_absolute_folders_only() {
        let find = |path: &str| Env::from([("PATH", path)]).program("sh");
        assert_eq!(find("/bin"), Some(PathBuf::from("/bin/sh")));
        assert_eq!(find("bin:.:"), None);
        assert_eq!(
            Env::from([("PATH", "/bin")]).program("no-such-program"),
            None
        );
    }

    #[test]
    fn things_are_loaded_once_for_all_clones() {
        let env = Env::from([("A", "b")]);
        let first = env.once(|| "first".to_owned());
        let clone = env.clone();
        let second = clone.once(|| "second".to_owned());
        assert_eq!((first.as_str(), second.as_str()), ("first", "first"));
        assert_eq!(*env.once(|| 7u8), 7);
    }
}
