//! The grammar of the original: flags choose what is done. Subcommands do what it cannot.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{ArgMatches, Args, CommandFactory, FromArgMatches, Parser};
use keys::Scope;

use super::connection::ConnectionFlags;
use super::flags::{CertFlags, FileFlags, KeyringFlags, PrivateKeyFlags, by};
use super::klog::KlogFlags;
use super::subcommands::Subcommand;
use super::values::given;
use super::{Stop, values};
use crate::commands::{Command, fetch_cert, merge_into, raw, re_encrypt, recover, seal, validate};
use crate::error::CommandError;

/// Seal Kubernetes Secrets before they go into Git
///
/// Reads Secrets from standard input and prints SealedSecrets that only the cluster's controller can open.
#[derive(Parser)]
#[command(
    name = "kubeseal",
    disable_version_flag = true,
    args_conflicts_with_subcommands = true,
    subcommand_value_name = "COMMAND",
    after_help = "Each flag can be set by a variable too: SEALED_SECRETS_ and its name, such as SEALED_SECRETS_CERT."
)]
struct Cli {
    /// Print the version
    #[arg(long)]
    version: bool,
    #[command(flatten)]
    modes: ModeFlags,
    #[command(flatten)]
    sealing: SealFlags,
    #[command(flatten)]
    files: FileFlags,
    #[command(flatten)]
    cert: CertFlags,
    #[command(flatten)]
    keyring: KeyringFlags,
    #[command(flatten)]
    private_keys: PrivateKeyFlags,
    #[command(flatten)]
    connection: ConnectionFlags,
    #[command(flatten)]
    klog: KlogFlags,
    #[command(subcommand)]
    subcommand: Option<Subcommand>,
}

/// Flags that choose what is done. Without one, Secrets are sealed.
#[derive(Args)]
#[command(next_help_heading = "What to do (without one of these: seal Secrets)")]
struct ModeFlags {
    /// Print the certificate that Secrets are sealed with
    #[arg(long)]
    fetch_cert: bool,
    /// Seal one value instead of a Secret: standard input's, or that of --from-file
    #[arg(long)]
    raw: bool,
    /// Seal the input's values into this SealedSecret file; everything else in it stays as it is
    #[arg(long, value_name = "FILE")]
    merge_into: Option<String>,
    /// Check that the controller, or the given private keys, can open the SealedSecrets
    #[arg(long)]
    validate: bool,
    /// Seal SealedSecrets anew for the newest key; the file given with -f is changed in place
    #[arg(long)]
    re_encrypt: bool,
    /// The old name of --re-encrypt
    #[arg(long, hide = true)]
    rotate: bool,
    /// Open SealedSecrets with private keys and print the Secrets in clear
    #[arg(long)]
    recovery_unseal: bool,
}

/// Flags about how values are sealed.
#[derive(Args)]
#[command(next_help_heading = "Sealing")]
struct SealFlags {
    /// Where the values may be opened: strict, namespace-wide or cluster-wide; unless given, the Secret's annotations say
    #[arg(long, value_name = "SCOPE", default_value = "strict", value_parser = str::parse::<Scope>)]
    scope: Scope,
    /// Name for the SealedSecret, instead of the Secret's; needed by --raw in strict scope
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// File with the value to seal, with --raw; kubectl's KEY=FILE is understood
    #[arg(long, value_name = "FILE", value_delimiter = ',')]
    from_file: Vec<String>,
    /// Seal Secrets without values too
    #[arg(long)]
    allow_empty_data: bool,
    /// Leave out the annotation that says which key the values were sealed with
    #[arg(long)]
    no_key_hint: bool,
}

/// The whole grammar, as help, completions and the manual show it.
pub(crate) fn shown() -> clap::Command {
    Cli::command()
}

/// The whole grammar, as it is understood.
fn understood() -> clap::Command {
    values::as_go(Cli::command().args_override_self(true))
}

/// Says where the flags of a subcommand go.
fn with_order(mut text: clap::Error) -> clap::Error {
    if let Some(ContextValue::String(name)) = text.get(ContextKind::InvalidSubcommand) {
        let tip = format!("flags go behind the command: kubeseal {name} --FLAG …");
        let tips = ContextValue::StyledStrs(vec![tip.into()]);
        text.insert(ContextKind::Suggested, tips);
    }
    text
}

/// Sealing has no command of its own: who types one, or a file's name, is told how it is done.
fn with_the_way_to_seal(mut text: clap::Error) -> clap::Error {
    if let Some(ContextValue::String(name)) = text.get(ContextKind::InvalidSubcommand) {
        let file = match std::path::Path::new(name).extension() {
            Some(_) => name.as_str(),
            None => "secret.yaml",
        };
        let tip = format!("files are named by flags: kubeseal -f {file} -w sealed.yaml seals one");
        let tips = ContextValue::StyledStrs(vec![tip.into()]);
        text.insert(ContextKind::Suggested, tips);
        // `seal` is not a misspelt `unseal`.
        if text
            .get(ContextKind::SuggestedSubcommand)
            .is_some_and(|names| names.to_string().contains("unseal"))
        {
            text.remove(ContextKind::SuggestedSubcommand);
        }
    }
    text
}

/// Turns what was typed, and what the environment says, into one command.
pub(crate) fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Command, Stop> {
    let args: Vec<_> = args.into_iter().collect();
    let matches = understood()
        .try_get_matches_from(&args)
        .map_err(|text| match text.kind() {
            ErrorKind::DisplayHelp => values::help(shown(), &args).unwrap_or(text),
            ErrorKind::ArgumentConflict => with_order(text),
            ErrorKind::InvalidSubcommand if !args.iter().any(|arg| arg == "keyring") => {
                with_the_way_to_seal(text)
            }
            _ => text,
        })?;
    let cli = Cli::from_arg_matches(&matches)?;
    if cli.version {
        return Ok(Command::Version);
    }
    match cli.subcommand {
        Some(subcommand) => Ok(subcommand.command()?),
        None => Ok(cli.chosen(was_scope_given(&matches))?),
    }
}

/// Whether a scope was asked for. `--scope strict` overrules a Secret's annotations; no scope, or an empty one, does not.
fn was_scope_given(matches: &ArgMatches) -> bool {
    let raw = matches
        .get_raw("scope")
        .and_then(|mut values| values.next());
    matches.value_source("scope") != Some(ValueSource::DefaultValue)
        && raw.is_some_and(|text| !text.is_empty())
}

/// What the mode flags choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Seal,
    FetchCert,
    Raw,
    MergeInto,
    Validate,
    ReEncrypt,
    Recover,
}

impl ModeFlags {
    /// The one mode that was chosen. The original silently takes the first of several.
    fn choose(&self) -> Result<Mode, CommandError> {
        let modes = [
            (self.recovery_unseal, Mode::Recover, "--recovery-unseal"),
            (self.validate, Mode::Validate, "--validate"),
            (
                self.re_encrypt || self.rotate,
                Mode::ReEncrypt,
                "--re-encrypt",
            ),
            (self.fetch_cert, Mode::FetchCert, "--fetch-cert"),
            (
                given(&self.merge_into).is_some(),
                Mode::MergeInto,
                "--merge-into",
            ),
            (self.raw, Mode::Raw, "--raw"),
        ];
        let mut chosen = modes.iter().filter(|(is_chosen, ..)| *is_chosen);
        let Some((_, mode, name)) = chosen.next() else {
            return Ok(Mode::Seal);
        };
        match chosen.next() {
            None => Ok(*mode),
            Some((_, _, other)) => Err(CommandError::new(format!(
                "{name} and {other} ask for different things"
            ))
            .hint("ask for one of them; a variable SEALED_SECRETS_… asks too")),
        }
    }
}

impl Cli {
    fn chosen(&self, scope_given: bool) -> Result<Command, CommandError> {
        let mode = self.modes.choose()?;
        if mode != Mode::Raw && !self.sealing.from_file.is_empty() {
            return Err(CommandError::new("--from-file requires --raw"));
        }
        let writes = !matches!(mode, Mode::MergeInto | Mode::Validate);
        if !writes && given(&self.files.sealed_secret_file).is_some() {
            return Err(CommandError::new(
                "--sealed-secret-file does not go with --merge-into or --validate",
            )
            .hint("--merge-into changes its own file, and --validate writes nothing"));
        }
        match mode {
            Mode::Seal => Ok(Command::Seal(seal::Args {
                input: self.files.input(),
                output: self.files.output()?,
                cert: self.cert.choice(&self.keyring, &self.connection)?,
                how: self.how(scope_given),
            })),
            Mode::FetchCert => Ok(Command::FetchCert(fetch_cert::Args {
                cert: self.cert.choice(&self.keyring, &self.connection)?,
                output: self.files.output()?,
            })),
            Mode::Raw => Ok(Command::Raw(raw::Args {
                value: self.sealing.value_file()?,
                output: self.files.output()?,
                cert: self.cert.choice(&self.keyring, &self.connection)?,
                scope: self.sealing.scope,
                name: given(&self.sealing.name),
                namespaces: self.connection.namespaces(),
            })),
            Mode::Recover => Ok(Command::Recover(recover::Args {
                input: self.files.input(),
                output: self.files.output()?,
                keys: self.private_keys.keys(self.keyring.keyring()?),
            })),
            Mode::Validate => Ok(Command::Validate(validate::Args {
                input: self.files.input(),
                keys: self.private_keys.keys(self.keyring.keyring()?),
                controller: self.connection.controller(),
            })),
            Mode::MergeInto => Ok(Command::MergeInto(merge_into::Args {
                input: self.files.input(),
                target: given(&self.modes.merge_into).unwrap_or_default().into(),
                cert: self.cert.choice(&self.keyring, &self.connection)?,
                how: self.how(scope_given),
            })),
            Mode::ReEncrypt => Ok(Command::ReEncrypt(re_encrypt::Args {
                what: re_encrypt::What::Stream {
                    input: self.files.input(),
                    output: self.files.output()?,
                },
                by: by(
                    &self.private_keys,
                    &self.cert,
                    &self.keyring,
                    &self.connection,
                )?,
                key_hint: !self.sealing.no_key_hint,
            })),
        }
    }

    fn how(&self, scope_given: bool) -> seal::How {
        seal::How {
            scope: scope_given.then_some(self.sealing.scope),
            name: given(&self.sealing.name),
            namespaces: self.connection.namespaces(),
            allow_empty_data: self.sealing.allow_empty_data,
            key_hint: !self.sealing.no_key_hint,
        }
    }
}

impl SealFlags {
    /// The file with the value. Returns `None` for standard input.
    fn value_file(&self) -> Result<Option<PathBuf>, CommandError> {
        match self.from_file.as_slice() {
            [] => Ok(None),
            [one] => {
                let path = one.split_once('=').map_or(one.as_str(), |(_, path)| path);
                Ok(Some(path.into()))
            }
            _ => Err(CommandError::new(
                "must provide only one --from-file when encrypting a single item with --raw",
            )),
        }
    }
}
