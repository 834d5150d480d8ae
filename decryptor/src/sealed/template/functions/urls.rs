//! URLs as Go's `net/url` takes them apart and puts them together.

mod escape;

use std::collections::BTreeMap;
use std::net::Ipv6Addr;

use super::super::error::Problem;
use super::super::signature::{Arguments, Context, Type};
use super::super::value::{Dict, Str, Value};
use super::{Entry, Outcome, fixed};
use escape::{Part, escape, unescape};

pub(super) const TABLE: &[Entry] = &[
    fixed("urlJoin", &[Type::Dict], join),
    fixed("urlParse", &[Type::String], parse_to_dict),
];

const INVALID: Problem = Problem::Execution("not a URL");

/// User and perhaps password, not escaped.
type User = (Vec<u8>, Option<Vec<u8>>);

#[derive(Default)]
struct Url {
    scheme: Vec<u8>,
    opaque: Vec<u8>,
    user: Option<User>,
    host: Vec<u8>,
    path: Vec<u8>,
    query: Vec<u8>,
    fragment: Vec<u8>,
}

fn parse_to_dict(context: &mut Context<'_>, arguments: &Arguments) -> Outcome {
    context.budget.bytes(
        arguments
            .text(0)
            .len()
            .saturating_mul(2)
            .saturating_add(512),
    )?;
    let url = parse(arguments.text(0)).ok_or(INVALID)?;
    let hostname = hostname(&url.host).to_vec();
    let user = url.user.as_ref().map(user_text).unwrap_or_default();
    let entries = [
        ("scheme", url.scheme),
        ("host", url.host),
        ("hostname", hostname),
        ("path", url.path),
        ("query", url.query),
        ("opaque", url.opaque),
        ("fragment", url.fragment),
        ("userinfo", user),
    ];
    let entries = entries
        .into_iter()
        .map(|(key, value)| (Str::from(key), Value::text(value)));
    Ok(Value::Dict(Dict::new(entries.collect::<BTreeMap<_, _>>())))
}

fn cut(text: &[u8], at: u8) -> (&[u8], Option<&[u8]>) {
    match text.iter().position(|&byte| byte == at) {
        Some(position) => (&text[..position], Some(&text[position + 1..])),
        None => (text, None),
    }
}

/// `url.Parse`. Returns `None` if it fails.
fn parse(text: &[u8]) -> Option<Url> {
    let (text, fragment) = cut(text, b'#');
    let mut url = Url {
        fragment: unescape(fragment.unwrap_or_default(), Part::Other)?,
        ..Url::default()
    };
    if text.iter().any(|byte| byte.is_ascii_control()) {
        return None;
    }
    if text == b"*" {
        url.path = b"*".to_vec();
        return Some(url);
    }
    let (scheme, rest) = scheme(text)?;
    url.scheme = scheme.to_ascii_lowercase();
    let (mut rest, query) = cut(rest, b'?');
    url.query = query.unwrap_or_default().to_vec();
    if !rest.starts_with(b"/") {
        if !url.scheme.is_empty() {
            url.opaque = rest.to_vec();
            return Some(url);
        }
        if cut(rest, b'/').0.contains(&b':') {
            return None;
        }
    }
    if rest.starts_with(b"//") && (!url.scheme.is_empty() || !rest.starts_with(b"///")) {
        let authority = &rest[2..];
        let end = authority
            .iter()
            .position(|&byte| byte == b'/')
            .unwrap_or(authority.len());
        rest = &authority[end..];
        let authority = &authority[..end];
        let host = match authority.iter().rposition(|&byte| byte == b'@') {
            Some(at) => {
                url.user = Some(user(&authority[..at])?);
                &authority[at + 1..]
            }
            None => authority,
        };
        url.host = parse_host(&url.scheme, host)?;
    }
    url.path = unescape(rest, Part::Other)?;
    Some(url)
}

/// The scheme, empty if there is none, and what follows it.
fn scheme(text: &[u8]) -> Option<(&[u8], &[u8])> {
    for (at, byte) in text.iter().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' => {}
            b'0'..=b'9' | b'+' | b'-' | b'.' if at > 0 => {}
            b':' if at == 0 => return None,
            b':' => return Some((&text[..at], &text[at + 1..])),
            _ => break,
        }
    }
    Some((b"", text))
}

fn user(text: &[u8]) -> Option<User> {
    let valid = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(byte);
    if !text.iter().all(valid) {
        return None;
    }
    let (name, password) = cut(text, b':');
    let password = match password {
        Some(password) => Some(unescape(password, Part::Other)?),
        None => None,
    };
    Some((unescape(name, Part::Other)?, password))
}

fn user_text((name, password): &User) -> Vec<u8> {
    let mut out = escape(name, Part::User);
    if let Some(password) = password {
        out.push(b':');
        out.extend_from_slice(&escape(password, Part::User));
    }
    out
}

fn is_port(text: &[u8]) -> bool {
    match text {
        [] => true,
        [b':', digits @ ..] => digits.iter().all(u8::is_ascii_digit),
        _ => false,
    }
}

fn parse_host(scheme: &[u8], host: &[u8]) -> Option<Vec<u8>> {
    match host.iter().rposition(|&byte| byte == b'[') {
        Some(0) => return parse_literal(host),
        Some(_) => return None,
        None => {}
    }
    if let Some(first) = host.iter().position(|&byte| byte == b':') {
        let last = host.iter().rposition(|&byte| byte == b':').unwrap_or(first);
        // Lists of hosts with ports are let through, but not in http.
        let colon = if matches!(scheme, b"http" | b"https") {
            first
        } else {
            last
        };
        if !is_port(&host[colon..]) {
            return None;
        }
    }
    unescape(host, Part::Host)
}

/// `[address]:port`
fn parse_literal(host: &[u8]) -> Option<Vec<u8>> {
    let close = host.iter().rposition(|&byte| byte == b']')?;
    let port = &host[close + 1..];
    if !is_port(port) {
        return None;
    }
    let name = &host[1..close];
    let zone = name
        .windows(3)
        .position(|window| window == b"%25")
        .unwrap_or(name.len());
    let address = unescape(&name[..zone], Part::Host)?;
    let zone = unescape(&name[zone..], Part::Zone)?;
    let (plain, inner_zone) = cut(&address, b'%');
    let parsed = str::from_utf8(plain).ok()?.parse::<Ipv6Addr>();
    let empty_zone = inner_zone.is_some_and(<[u8]>::is_empty) || zone == b"%";
    if parsed.is_err() || empty_zone {
        return None;
    }
    Some([b"[", address.as_slice(), &zone, b"]", port].concat())
}

/// The host without brackets and port.
fn hostname(host: &[u8]) -> &[u8] {
    let colon = host
        .iter()
        .rposition(|&byte| byte == b':')
        .filter(|&at| is_port(&host[at..]));
    let host = &host[..colon.unwrap_or(host.len())];
    host.strip_prefix(b"[")
        .and_then(|inner| inner.strip_suffix(b"]"))
        .unwrap_or(host)
}

/// Puts the parts that `urlParse` gives together again.
fn join(context: &mut Context<'_>, arguments: &Arguments) -> Outcome {
    let dict = arguments.dict(0);
    let part = |key: &str| match dict.get(key.as_bytes()) {
        None => Ok(Vec::new()),
        Some(Value::Str(text)) => Ok(text.bytes().to_vec()),
        Some(_) => Err(Problem::Execution("the parts of a URL must be strings")),
    };
    let mut url = Url {
        scheme: part("scheme")?,
        host: part("host")?,
        path: part("path")?,
        query: part("query")?,
        opaque: part("opaque")?,
        fragment: part("fragment")?,
        user: None,
    };
    let userinfo = part("userinfo")?;
    let size =
        url.host.len() + url.path.len() + url.fragment.len() + userinfo.len() + url.query.len();
    context.budget.bytes(size.saturating_mul(4))?;
    if !userinfo.is_empty() {
        url.user = parse(&[b"proto://", userinfo.as_slice(), b"@host"].concat())
            .ok_or(INVALID)?
            .user;
    }
    Ok(Value::text(assembled(&url)))
}

/// `URL.String`.
fn assembled(url: &Url) -> Vec<u8> {
    let mut out = url.scheme.clone();
    if !out.is_empty() {
        out.push(b':');
    }
    if url.opaque.is_empty() {
        let has_authority = !url.host.is_empty() || url.user.is_some();
        if has_authority || !url.scheme.is_empty() && !url.path.is_empty() {
            out.extend_from_slice(b"//");
        }
        if let Some(user) = &url.user {
            out.extend_from_slice(&user_text(user));
            out.push(b'@');
        }
        out.extend_from_slice(&escape(&url.host, Part::Host));
        let path = if url.path == b"*" {
            b"*".to_vec()
        } else {
            escape(&url.path, Part::Path)
        };
        if !path.is_empty() && !path.starts_with(b"/") && !url.host.is_empty() {
            out.push(b'/');
        }
        if out.is_empty() && cut(&path, b'/').0.contains(&b':') {
            out.extend_from_slice(b"./");
        }
        out.extend_from_slice(&path);
    } else {
        out.extend_from_slice(&url.opaque);
    }
    if !url.query.is_empty() {
        out.push(b'?');
        out.extend_from_slice(&url.query);
    }
    if !url.fragment.is_empty() {
        out.push(b'#');
        out.extend_from_slice(&escape(&url.fragment, Part::Fragment));
    }
    out
}
