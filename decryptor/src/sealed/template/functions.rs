//! The functions that templates may call: one table per family, and the list of them all.

mod cast;
mod dates;
mod defaults;
mod dicts;
mod encoding;
mod equality;
mod hashes;
mod json;
mod lists;
mod math;
mod merge;
mod methods;
mod paths;
mod random;
mod regexes;
mod semver;
mod strings;
mod urls;
mod words;

use std::collections::HashMap;
use std::sync::LazyLock;

use super::operators;
use super::signature::{Arguments, Context, Type};

pub(super) use methods::{METHODS, Method};
pub(super) use operators::Outcome;
pub(super) use semver::Version;

/// A function that sealed-secrets 0.40.0 lets a template call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Function {
    /// Its name in templates.
    pub name: &'static str,
    /// Whether it is there, and whether it gives the same each time.
    pub kind: Kind,
}

/// What becomes of a function here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The same arguments give the same result.
    Deterministic,
    /// It uses randomness or the clock.
    Varying,
    /// Templates that name it are refused.
    Refused,
}

/// Every function of sealed-secrets 0.40.0, by name.
pub fn functions() -> &'static [Function] {
    static ALL: LazyLock<Vec<Function>> = LazyLock::new(|| {
        let built = TABLES.iter().copied().flatten().map(|entry| Function {
            name: entry.name,
            kind: entry.kind,
        });
        let refused = REFUSED.iter().map(|&name| Function {
            name,
            kind: Kind::Refused,
        });
        let mut all: Vec<Function> = built.chain(refused).collect();
        all.sort_by_key(|function| function.name);
        all
    });
    &ALL
}

/// Functions of sealed-secrets that make keys and certificates, derive or encrypt with a passphrase: such values
/// belong into `encryptedData`, made once by who seals them.
const REFUSED: &[&str] = &[
    "buildCustomCert",
    "decryptAES",
    "derivePassword",
    "encryptAES",
    "genCA",
    "genCAWithKey",
    "genPrivateKey",
    "genSelfSignedCert",
    "genSelfSignedCertWithKey",
    "genSignedCert",
    "genSignedCertWithKey",
];

/// A function of the table: how it is called and what it takes.
pub(super) struct Entry {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) parameters: &'static [Type],
    /// The type of all arguments after the parameters, if there may be any.
    pub(super) rest: Option<Type>,
    pub(super) call: Call,
}

/// How a function is called.
#[derive(Clone, Copy)]
pub(super) enum Call {
    /// Evaluates its operands only until one is false.
    And,
    /// Evaluates its operands only until one is true.
    Or,
    Function(fn(&mut Context<'_>, &Arguments) -> Outcome),
}

/// A function of fixed arity.
const fn fixed(
    name: &'static str,
    parameters: &'static [Type],
    call: fn(&mut Context<'_>, &Arguments) -> Outcome,
) -> Entry {
    Entry {
        name,
        kind: Kind::Deterministic,
        parameters,
        rest: None,
        call: Call::Function(call),
    }
}

/// A function that takes any number of arguments of type `rest` after its parameters.
const fn variadic(
    name: &'static str,
    parameters: &'static [Type],
    rest: Type,
    call: fn(&mut Context<'_>, &Arguments) -> Outcome,
) -> Entry {
    Entry {
        rest: Some(rest),
        ..fixed(name, parameters, call)
    }
}

/// A function of fixed arity that uses randomness or the clock.
const fn varying(
    name: &'static str,
    parameters: &'static [Type],
    call: fn(&mut Context<'_>, &Arguments) -> Outcome,
) -> Entry {
    Entry {
        kind: Kind::Varying,
        ..fixed(name, parameters, call)
    }
}

/// Go's own functions. `slice` is not among them: the sprig function of that name hides it.
const BUILTIN: &[Entry] = &[
    Entry {
        name: "and",
        kind: Kind::Deterministic,
        parameters: &[Type::Value],
        rest: Some(Type::Value),
        call: Call::And,
    },
    Entry {
        name: "or",
        kind: Kind::Deterministic,
        parameters: &[Type::Value],
        rest: Some(Type::Value),
        call: Call::Or,
    },
    variadic("call", &[Type::Value], Type::Value, operators::call),
    variadic("eq", &[Type::Value], Type::Value, operators::eq),
    fixed("ge", &[Type::Value, Type::Value], operators::ge),
    fixed("gt", &[Type::Value, Type::Value], operators::gt),
    variadic("html", &[], Type::Any, operators::html),
    variadic("index", &[Type::Value], Type::Value, operators::index),
    variadic("js", &[], Type::Any, operators::js),
    fixed("le", &[Type::Value, Type::Value], operators::le),
    fixed("len", &[Type::Value], operators::length),
    fixed("lt", &[Type::Value, Type::Value], operators::lt),
    fixed("ne", &[Type::Value, Type::Value], operators::ne),
    fixed("not", &[Type::Value], operators::not),
    variadic("print", &[], Type::Any, operators::print),
    variadic("printf", &[Type::String], Type::Any, operators::printf),
    variadic("println", &[], Type::Any, operators::println),
    variadic("urlquery", &[], Type::Any, operators::urlquery),
];

const TABLES: &[&[Entry]] = &[
    BUILTIN,
    dates::TABLE,
    defaults::TABLE,
    dicts::TABLE,
    encoding::TABLE,
    hashes::TABLE,
    json::TABLE,
    lists::TABLE,
    math::TABLE,
    paths::TABLE,
    random::TABLE,
    regexes::TABLE,
    semver::TABLE,
    strings::TABLE,
    urls::TABLE,
    words::TABLE,
];

/// The function `name`; the error says whether it is one that is refused.
pub(super) fn lookup(name: &str) -> Result<&'static Entry, bool> {
    static BY_NAME: LazyLock<HashMap<&'static str, &'static Entry>> = LazyLock::new(|| {
        TABLES
            .iter()
            .copied()
            .flatten()
            .map(|entry| (entry.name, entry))
            .collect()
    });
    BY_NAME
        .get(name)
        .copied()
        .ok_or_else(|| REFUSED.contains(&name))
}
