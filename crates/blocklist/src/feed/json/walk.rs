//! The way through a document to the values that are wanted. Everything else is
//! passed over unread, however deep it is.

use std::borrow::Cow;
use std::fmt;
use std::ops::ControlFlow;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess};
use serde_json::value::RawValue;

use super::path::{JsonPath, PathStep};

/// Where the wanted values stand, as a tree.
#[derive(Clone, Debug, Default)]
pub(crate) struct Paths {
    root: Node,
}

#[derive(Clone, Debug, Default)]
struct Node {
    /// The number of the path that ends here.
    wanted: Option<usize>,
    each: Option<Box<Node>>,
    any_key: Option<Box<Node>>,
    keys: Vec<(String, Node)>,
    /// Whether it is as good if nothing fits here.
    optional: bool,
}

impl Paths {
    /// Fixed paths.
    pub(crate) fn of(paths: &[&str]) -> Self {
        let paths: Result<Vec<JsonPath>, _> = paths.iter().map(|path| path.parse()).collect();
        Self::from(&paths.expect("paths of formats are tested")[..])
    }

    /// Without what is under this key of the document.
    pub(crate) fn without(mut self, key: &str) -> Self {
        self.root.keys.push((key.to_owned(), Node { optional: true, ..Node::default() }));
        self
    }
}

impl Paths {
    /// The same, but whatever lacks on the way is not missed.
    pub(crate) fn sparse(mut self) -> Self {
        self.root.spare();
        self
    }
}

impl From<&[JsonPath]> for Paths {
    fn from(paths: &[JsonPath]) -> Self {
        let mut root = Node::default();
        for (number, path) in paths.iter().enumerate() {
            let last = path.steps.iter().fold(&mut root, Node::child);
            last.wanted.get_or_insert(number);
        }
        Self { root }
    }
}

impl Node {
    /// The node after a step, made if need be.
    fn child(&mut self, step: &PathStep) -> &mut Self {
        match step {
            PathStep::Each => self.each.get_or_insert_default(),
            PathStep::AnyKey => self
                .any_key
                .get_or_insert_with(|| Box::new(Self { optional: true, ..Self::default() })),
            PathStep::Key(key) => {
                let found = self.keys.iter().position(|(known, _)| known == key);
                let at = found.unwrap_or_else(|| {
                    self.keys.push((key.clone(), Self::default()));
                    self.keys.len() - 1
                });
                &mut self.keys[at].1
            }
        }
    }

    fn spare(&mut self) {
        self.optional = true;
        self.each.iter_mut().chain(&mut self.any_key).for_each(|node| node.spare());
        self.keys.iter_mut().for_each(|(_, node)| node.spare());
    }

    fn of_key(&self, key: &str) -> Option<&Self> {
        let known = self.keys.iter().find(|(known, _)| known == key);
        known.map(|(_, node)| node).or(self.any_key.as_deref())
    }

    /// Whether an object here should have one of some fields.
    fn wants_field(&self) -> bool {
        self.keys.iter().any(|(_, node)| node.wanted.is_some())
    }
}

/// Whoever wants the values.
pub(super) trait Sink<'de> {
    /// A value at the path of this number. To break ends the reading.
    fn value(&mut self, path: usize, raw: &'de RawValue) -> ControlFlow<()>;

    /// Something without the value that should be in it, and what was read
    /// last before.
    fn lacking(&mut self, near: &'de str);

    /// What it wants to know of the objects around a value.
    fn asks(&self) -> Asks {
        Asks::Nothing
    }

    /// A record without any wanted value.
    fn other_record(&mut self, _: &[Field<'de>]) {}

    /// A record with a wanted value.
    fn record(&mut self, _: &[Field<'de>]) {}

    /// Whether a value counts that stands in these objects, each within the one
    /// before.
    fn counts(&self, _: &[Vec<Field<'de>>]) -> bool {
        true
    }

    /// Something that does not count.
    fn left_out(&mut self, _: &'de str) {}
}

/// What is to be known of the objects around values.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Asks {
    Nothing,
    /// The fields of the records that hold the values.
    Records,
    /// The fields of all objects on the way to the values, for each value may
    /// count or not.
    Around,
}

/// A field of a record.
pub(super) type Field<'de> = (Cow<'de, str>, &'de RawValue);

/// How reading ended.
pub(super) enum WalkEnd {
    /// With the end of the document.
    Whole,
    /// The sink had enough.
    Stopped,
    /// It is not JSON from here on.
    Broken(serde_json::Error),
}

/// Goes through a whole document, or through all of several if there may be
/// `many`. Also says whether any path begins in it.
pub(super) fn whole<'de, R, S>(
    reader: &mut serde_json::Deserializer<R>,
    paths: &Paths,
    many: bool,
    sink: &mut S,
) -> (WalkEnd, bool)
where
    R: serde_json::de::Read<'de>,
    S: Sink<'de>,
{
    let (asks, mut met) = (sink.asks(), false);
    loop {
        let sink = &mut *sink;
        let mut state =
            State { sink, asks, around: Vec::new(), near: "", stopped: false, met: false };
        let walk = Walk { node: &paths.root, state: &mut state };
        let walked = walk.deserialize(&mut *reader);
        met |= state.met;
        let end = match walked {
            _ if state.stopped => WalkEnd::Stopped,
            Ok(()) => match reader.end() {
                Ok(()) => WalkEnd::Whole,
                // Another document begins, if what was read of this one counts.
                Err(_) if many && state.met => continue,
                Err(error) => WalkEnd::Broken(error),
            },
            Err(error) => WalkEnd::Broken(error),
        };
        return (end, met);
    }
}

/// Goes through a part of a document that has been read as a whole before.
pub(crate) fn each<'de>(
    part: &'de RawValue,
    paths: &Paths,
    value: impl FnMut(&'de RawValue) -> ControlFlow<()>,
) -> ControlFlow<()> {
    struct Values<F>(F);
    impl<'de, F: FnMut(&'de RawValue) -> ControlFlow<()>> Sink<'de> for Values<F> {
        fn value(&mut self, _: usize, raw: &'de RawValue) -> ControlFlow<()> {
            (self.0)(raw)
        }
        fn lacking(&mut self, _: &'de str) {}
    }
    let mut reader = serde_json::Deserializer::from_str(part.get());
    match whole(&mut reader, paths, false, &mut Values(value)).0 {
        WalkEnd::Stopped => ControlFlow::Break(()),
        WalkEnd::Whole | WalkEnd::Broken(_) => ControlFlow::Continue(()),
    }
}

/// What the whole way has in common.
struct State<'w, 'de, S> {
    sink: &'w mut S,
    asks: Asks,
    /// The objects on the way, if they are asked for.
    around: Vec<Vec<Field<'de>>>,
    /// The last key.
    near: &'de str,
    stopped: bool,
    /// Whether something stood where a path leads.
    met: bool,
}

/// The way from one value on.
struct Walk<'w, 's, 'de, S> {
    node: &'w Node,
    state: &'w mut State<'s, 'de, S>,
}

/// A key, without a copy if it has no escapes.
#[derive(Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de, S: Sink<'de>> Walk<'_, '_, 'de, S> {
    fn value<E: serde::de::Error>(&mut self, path: usize, raw: &'de RawValue) -> Result<(), E> {
        self.state.near = raw.get();
        if self.state.asks == Asks::Around
            && !super::is_null(raw)
            && !self.state.sink.counts(&self.state.around)
        {
            self.state.sink.left_out(raw.get());
            return Ok(());
        }
        if self.state.sink.value(path, raw).is_break() {
            self.state.stopped = true;
            return Err(E::custom("no more is wanted"));
        }
        Ok(())
    }

    /// Reads an object and keeps its fields in mind for what is in it.
    fn within<M: MapAccess<'de>>(mut self, mut map: M) -> Result<(), M::Error> {
        let mut fields: Vec<Field<'de>> = Vec::new();
        while let Some(Key(key)) = map.next_key()? {
            fields.push((key, map.next_value()?));
        }
        let wants_field = self.node.wants_field();
        let mut complete = false;
        self.state.near = fields.first().map_or(self.state.near, |(_, raw)| raw.get());
        self.state.around.push(fields.clone());
        for (key, raw) in fields {
            let Some(node) = self.node.of_key(&key) else { continue };
            self.state.met = true;
            complete |= !wants_field || node.wanted.is_some();
            if let Some(path) = node.wanted {
                self.value(path, raw)?;
                continue;
            }
            let mut reader = serde_json::Deserializer::from_str(raw.get());
            let walk = Walk { node, state: &mut *self.state };
            walk.deserialize(&mut reader).map_err(serde::de::Error::custom)?;
        }
        if !complete {
            self.other();
        }
        self.state.around.pop();
        Ok(())
    }

    /// Reads an object with a wanted value, after it was looked at.
    fn record<M: MapAccess<'de>>(mut self, mut map: M) -> Result<(), M::Error> {
        let mut fields: Vec<Field<'de>> = Vec::new();
        while let Some(Key(key)) = map.next_key()? {
            fields.push((key, map.next_value()?));
        }
        let wanted = |key: &str| self.node.of_key(key).filter(|node| node.wanted.is_some());
        if !fields.iter().any(|(key, _)| wanted(key).is_some()) {
            self.state.sink.other_record(&fields);
            self.other();
            return Ok(());
        }
        self.state.met = true;
        self.state.sink.record(&fields);
        for (key, raw) in fields {
            let Some(node) = self.node.of_key(&key) else { continue };
            if let Some(path) = node.wanted {
                self.value(path, raw)?;
                continue;
            }
            let walk = Walk { node, state: &mut *self.state };
            let mut reader = serde_json::Deserializer::from_str(raw.get());
            if let Err(error) = walk.deserialize(&mut reader) {
                return Err(serde::de::Error::custom(error));
            }
        }
        Ok(())
    }

    /// There is something else than any path goes on with.
    fn other(&mut self) {
        // A document in which nothing fits is not made of lacking parts.
        if self.node.optional || !self.state.met {
            return;
        }
        if self.state.asks == Asks::Around && !self.state.sink.counts(&self.state.around) {
            self.state.sink.left_out(self.state.near);
        } else {
            self.state.sink.lacking(self.state.near);
        }
    }
}

impl<'de, S: Sink<'de>> DeserializeSeed<'de> for Walk<'_, '_, 'de, S> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de, S: Sink<'de>> serde::de::Visitor<'de> for Walk<'_, '_, 'de, S> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a JSON value")
    }

    fn visit_map<M: MapAccess<'de>>(mut self, mut map: M) -> Result<(), M::Error> {
        let wants_field = self.node.wants_field();
        match self.state.asks {
            Asks::Around => return self.within(map),
            Asks::Records if wants_field => return self.record(map),
            Asks::Records | Asks::Nothing => {}
        }
        let mut complete = false;
        while let Some(Key(key)) = map.next_key()? {
            if let Cow::Borrowed(key) = key {
                self.state.near = key;
            }
            let Some(node) = self.node.of_key(&key) else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            self.state.met = true;
            complete |= !wants_field || node.wanted.is_some();
            if let Some(path) = node.wanted {
                let raw = map.next_value()?;
                self.value(path, raw)?;
            } else {
                map.next_value_seed(Walk { node, state: &mut *self.state })?;
            }
        }
        if !complete {
            self.other();
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut values: A) -> Result<(), A::Error> {
        let Some(node) = self.node.each.as_deref() else {
            while values.next_element::<IgnoredAny>()?.is_some() {}
            self.other();
            return Ok(());
        };
        self.state.met = true;
        if let Some(path) = node.wanted {
            while let Some(raw) = values.next_element()? {
                self.value(path, raw)?;
            }
        } else {
            while values.next_element_seed(Walk { node, state: &mut *self.state })?.is_some() {}
        }
        Ok(())
    }

    fn visit_bool<E>(mut self, _: bool) -> Result<(), E> {
        self.other();
        Ok(())
    }

    fn visit_i64<E>(mut self, _: i64) -> Result<(), E> {
        self.other();
        Ok(())
    }

    fn visit_u64<E>(mut self, _: u64) -> Result<(), E> {
        self.other();
        Ok(())
    }

    fn visit_f64<E>(mut self, _: f64) -> Result<(), E> {
        self.other();
        Ok(())
    }

    fn visit_str<E>(mut self, _: &str) -> Result<(), E> {
        self.other();
        Ok(())
    }

    /// Many programs write `null` for an empty array.
    fn visit_unit<E>(self) -> Result<(), E> {
        self.state.met = true;
        Ok(())
    }
}
