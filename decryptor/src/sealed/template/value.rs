//! The values that a template computes with, each with the Go type that it has there.

use std::borrow::Borrow;
use std::cell::RefCell;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::functions::Version;
use super::time::Time;

/// A Go string: any bytes, zeroed when the last holder drops them.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Str(Arc<Zeroizing<Vec<u8>>>);

impl Str {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl PartialOrd for Str {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Str {
    fn cmp(&self, other: &Self) -> Ordering {
        self.bytes().cmp(other.bytes())
    }
}

impl From<Vec<u8>> for Str {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Arc::new(Zeroizing::new(bytes)))
    }
}

impl From<&[u8]> for Str {
    fn from(bytes: &[u8]) -> Self {
        Self::from(bytes.to_vec())
    }
}

impl From<&str> for Str {
    fn from(text: &str) -> Self {
        Self::from(text.as_bytes())
    }
}

impl From<String> for Str {
    fn from(text: String) -> Self {
        Self::from(text.into_bytes())
    }
}

impl Borrow<[u8]> for Str {
    fn borrow(&self) -> &[u8] {
        self.bytes()
    }
}

/// The element type of a slice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Element {
    /// `interface {}`
    Any,
    String,
    Int,
    /// `[]interface {}`
    Anys,
}

/// A Go slice: a part of elements that other slices may share. Only `sortAlpha` writes to them.
#[derive(Clone)]
pub(super) struct List {
    pub(super) element: Element,
    /// A nil slice prints as an empty one and is `null` in JSON.
    pub(super) nil: bool,
    items: Rc<Items>,
    start: usize,
    length: usize,
}

/// The elements of lists.
struct Items(RefCell<Vec<Value>>);

impl List {
    pub(super) fn new(element: Element, items: Vec<Value>) -> Self {
        let length = items.len();
        Self {
            element,
            nil: false,
            items: Rc::new(Items(RefCell::new(items))),
            start: 0,
            length,
        }
    }

    pub(super) fn nil(element: Element) -> Self {
        Self {
            nil: true,
            ..Self::new(element, Vec::new())
        }
    }

    pub(super) fn strings<S: Into<Str>>(items: impl IntoIterator<Item = S>) -> Self {
        Self::new(
            Element::String,
            items
                .into_iter()
                .map(|item| Value::Str(item.into()))
                .collect(),
        )
    }

    pub(super) fn len(&self) -> usize {
        self.length
    }

    /// Element `at`. Returns `None` if there are not so many.
    pub(super) fn at(&self, at: usize) -> Option<Value> {
        let inside = at < self.length;
        inside.then(|| self.items.0.borrow().get(self.start + at).cloned())?
    }

    pub(super) fn to_vec(&self) -> Vec<Value> {
        self.items.0.borrow()[self.start..self.start + self.length].to_vec()
    }

    /// The slice from `start` to before `end`, which may lie behind this one's end where the elements go on.
    /// Returns `None` if they do not.
    pub(super) fn slice(&self, start: usize, end: usize) -> Option<Self> {
        let capacity = self.items.0.borrow().len() - self.start;
        (start <= end && end <= capacity).then(|| Self {
            start: self.start + start,
            length: end - start,
            ..self.clone()
        })
    }

    /// Whether both are the same part of the same elements.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.items, &other.items)
            && self.start == other.start
            && self.length == other.length
    }

    /// Sorts in place, as the one Go function does that writes to its argument.
    pub(super) fn sort_strings(&self) {
        self.items.0.borrow_mut()[self.start..self.start + self.length].sort_by(|a, b| {
            match (a, b) {
                (Value::Str(a), Value::Str(b)) => a.cmp(b),
                _ => Ordering::Equal,
            }
        });
    }
}

/// A `map[string]interface {}`, shared by all who hold it.
#[derive(Clone)]
pub(super) struct Dict(pub(super) Option<Rc<Entries>>);

/// The entries of a dict.
pub(super) struct Entries(pub(super) RefCell<BTreeMap<Str, Value>>);

impl Dict {
    pub(super) fn new(entries: BTreeMap<Str, Value>) -> Self {
        Self(Some(Rc::new(Entries(RefCell::new(entries)))))
    }

    pub(super) fn get(&self, key: &[u8]) -> Option<Value> {
        self.0.as_ref()?.0.borrow().get(key).cloned()
    }

    pub(super) fn len(&self) -> usize {
        self.0
            .as_ref()
            .map_or(0, |entries| entries.0.borrow().len())
    }

    /// The entries as they are now.
    pub(super) fn entries(&self) -> BTreeMap<Str, Value> {
        self.0
            .as_ref()
            .map(|entries| entries.0.borrow().clone())
            .unwrap_or_default()
    }
}

/// A value, as Go's `reflect.Value` would hold it.
#[derive(Clone)]
pub(super) enum Value {
    /// No value at all: a missing key, an untyped nil that was taken out of its interface.
    Missing,
    /// A nil `interface {}`.
    Nil,
    Bool(bool),
    Int(i64),
    Int64(i64),
    Byte(u8),
    Uint64(u64),
    Float(f64),
    Str(Str),
    List(List),
    Dict(Dict),
    /// A `map[string]string`
    Strings(Rc<BTreeMap<Str, Str>>),
    Time(Rc<Time>),
    /// A `time.Duration`, in nanoseconds.
    Duration(i64),
    /// A `time.Month`, from 1.
    Month(u8),
    /// A `time.Weekday`, from Sunday, which is 0.
    Weekday(u8),
    Version(Rc<Version>),
}

impl Value {
    /// A list of anything.
    pub(super) fn anys(items: Vec<Self>) -> Self {
        Self::List(List::new(Element::Any, items))
    }

    /// A string.
    pub(super) fn text(bytes: impl Into<Str>) -> Self {
        Self::Str(bytes.into())
    }

    /// What comes out of a pipeline: an interface gives the value in it.
    pub(super) fn unwrapped(self) -> Self {
        if matches!(self, Self::Nil) {
            Self::Missing
        } else {
            self
        }
    }

    /// As the value of an `interface {}` parameter.
    pub(super) fn boxed(self) -> Self {
        if matches!(self, Self::Missing) {
            Self::Nil
        } else {
            self
        }
    }

    pub(super) fn is_nil(&self) -> bool {
        matches!(self, Self::Missing | Self::Nil)
    }

    /// The name of its Go type, as `%T` prints it.
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Self::Missing | Self::Nil => "<nil>",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Int64(_) => "int64",
            Self::Byte(_) => "uint8",
            Self::Uint64(_) => "uint64",
            Self::Float(_) => "float64",
            Self::Str(_) => "string",
            Self::List(list) => match list.element {
                Element::Any => "[]interface {}",
                Element::String => "[]string",
                Element::Int => "[]int",
                Element::Anys => "[][]interface {}",
            },
            Self::Dict(_) => "map[string]interface {}",
            Self::Strings(_) => "map[string]string",
            Self::Time(_) => "time.Time",
            Self::Duration(_) => "time.Duration",
            Self::Month(_) => "time.Month",
            Self::Weekday(_) => "time.Weekday",
            Self::Version(_) => "*semver.Version",
        }
    }

    /// The name of its Go kind.
    pub(super) fn kind_name(&self) -> &'static str {
        match self {
            Self::Missing | Self::Nil => "invalid",
            Self::List(_) => "slice",
            Self::Dict(_) | Self::Strings(_) => "map",
            Self::Time(_) => "struct",
            Self::Duration(_) => "int64",
            Self::Month(_) | Self::Weekday(_) => "int",
            Self::Version(_) => "ptr",
            _ => self.type_name(),
        }
    }

    /// Whether `if` takes it for true.
    pub(super) fn is_true(&self) -> bool {
        match self {
            Self::Missing | Self::Nil => false,
            Self::Bool(value) => *value,
            Self::Int(value) | Self::Int64(value) | Self::Duration(value) => *value != 0,
            Self::Byte(value) | Self::Month(value) | Self::Weekday(value) => *value != 0,
            Self::Uint64(value) => *value != 0,
            Self::Float(value) => *value != 0.0,
            Self::Str(text) => !text.bytes().is_empty(),
            Self::List(list) => list.len() > 0,
            Self::Dict(dict) => dict.len() > 0,
            Self::Strings(map) => !map.is_empty(),
            Self::Time(_) | Self::Version(_) => true,
        }
    }

    /// The elements inside, if nobody else holds them.
    fn take_children(self, into: &mut Vec<Self>) {
        match self {
            Self::List(list) => {
                if let Some(items) = Rc::into_inner(list.items) {
                    into.append(&mut items.0.borrow_mut());
                }
            }
            Self::Dict(Dict(Some(entries))) => {
                if let Some(entries) = Rc::into_inner(entries) {
                    into.extend(std::mem::take(&mut *entries.0.borrow_mut()).into_values());
                }
            }
            _ => {}
        }
    }
}

/// Values nest as deep as a template likes, so they are taken apart in a loop.
fn drop_all(mut values: Vec<Value>) {
    while let Some(value) = values.pop() {
        value.take_children(&mut values);
    }
}

impl Drop for Items {
    fn drop(&mut self) {
        drop_all(std::mem::take(self.0.get_mut()));
    }
}

impl Drop for Entries {
    fn drop(&mut self) {
        drop_all(std::mem::take(self.0.get_mut()).into_values().collect());
    }
}
