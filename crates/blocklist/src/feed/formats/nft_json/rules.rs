//! Rules of a ruleset in JSON, made into the words that the text has for them, so
//! that both mean the same. Source: libnftables-json(5).

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::super::super::places::Places;
use super::super::super::program::{Named, RuleAction};
use super::super::super::visit::Visit;
use super::super::super::{Limits, Shape, Why, lines};
use super::super::nft::rule::{mapped, parse};
use super::super::nft::ruleset::{NftHook, Ruleset};
use super::parts;

#[derive(Deserialize)]
struct Document<'a> {
    #[serde(borrow)]
    nftables: Vec<&'a RawValue>,
}

/// What a set has that is not needed for its elements' sake.
#[derive(Deserialize)]
struct Object<'a> {
    #[serde(default)]
    family: String,
    #[serde(default)]
    table: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    chain: String,
    hook: Option<String>,
    #[serde(rename = "type")]
    kind: Option<Value>,
    timeout: Option<u64>,
    #[serde(borrow)]
    elem: Option<Vec<&'a RawValue>>,
    expr: Option<Vec<Value>>,
}

impl Object<'_> {
    fn key(&self, name: &str) -> Vec<u8> {
        format!("{} {}/{name}", self.family, self.table).into_bytes()
    }
}

/// Reads a ruleset with rules. `None` if there are none, or it is not JSON.
pub(super) fn read(bytes: &[u8], limits: &Limits, visit: &mut impl Visit) -> Option<Shape> {
    memchr::memmem::find(bytes, b"\"rule\"")?;
    let text = str::from_utf8(lines::without_mark(bytes)).ok()?;
    let document: Document<'_> = serde_json::from_str(text).ok()?;
    let (bytes, shape) = lines::open(bytes, visit).ok()?;
    let places = Places::of(bytes, limits);
    let mut ruleset = Ruleset::default();
    for raw in document.nftables {
        take(raw, &places, &mut ruleset, visit);
    }
    let over_entries_max = ruleset.finish(visit).is_break();
    let lines = places.lines();
    Some(Shape { lines, unfinished_line: false, over_entries_max, ..shape })
}

fn take<'a>(
    raw: &'a RawValue,
    places: &'a Places<'a>,
    ruleset: &mut Ruleset<'a>,
    visit: &mut impl Visit,
) {
    let line = places.line_of(raw.get());
    let named: Result<std::collections::HashMap<&str, &RawValue>, _> =
        serde_json::from_str(raw.get());
    let Some((kind, value)) = named.ok().and_then(|named| named.into_iter().next()) else {
        return visit.doubt(line, Why::Program("something that is no part of a ruleset"));
    };
    match kind {
        "add" | "create" => return take(value, places, ruleset, visit),
        "rule" => {}
        "metainfo" | "table" => return visit.ignore(line),
        "set" | "map" | "element" | "chain" => visit.ignore(line),
        "counter" | "quota" | "limit" | "flowtable" | "ct helper" | "secmark" | "synproxy" => {
            return;
        }
        _ => return visit.doubt(line, Why::Program("a command that is not known here")),
    }
    let Ok(object) = serde_json::from_str::<Object<'a>>(value.get()) else {
        return visit.doubt(line, Why::Program("something that is no part of a ruleset"));
    };
    let key = object.key(&object.name);
    match kind {
        "chain" => {
            ruleset.declare(&key);
            if let Some(hook) = &object.hook {
                ruleset.hook(&key, NftHook::of(hook.as_bytes()));
            }
        }
        "rule" => {
            let words: Vec<String> = object.expr.iter().flatten().flat_map(words).collect();
            let words: Vec<&[u8]> = words.iter().map(String::as_bytes).collect();
            let rule = parse(&words, &|name| object.key(&String::from_utf8_lossy(name)));
            ruleset.append(&object.key(&object.chain), line, rule);
        }
        _ => elements(&key, object, places, ruleset, visit),
    }
}

fn elements<'a>(
    key: &[u8],
    object: Object<'a>,
    places: &'a Places<'a>,
    ruleset: &mut Ruleset<'a>,
    visit: &mut impl Visit,
) {
    let table = object.key("");
    let set = ruleset.set(key);
    set.other |= !matches!(&object.kind, None | Some(Value::String(_)))
        || object
            .kind
            .as_ref()
            .and_then(Value::as_str)
            .is_some_and(|kind| !matches!(kind, "ipv4_addr" | "ipv6_addr"));
    set.timeout = object.timeout.or(set.timeout);
    for raw in object.elem.into_iter().flatten().filter(|_| !set.other) {
        let line = places.line_of(raw.get());
        // In maps, each is a pair of what is asked for and what it gets.
        let pair: Option<[&RawValue; 2]> = serde_json::from_str(raw.get()).ok();
        let (element, action) = match pair {
            Some([element, verdict]) => {
                let verdict: Option<Value> = serde_json::from_str(verdict.get()).ok();
                (element, verdict.and_then(|verdict| action(&verdict, &table)))
            }
            None => (raw, None),
        };
        match parts(element) {
            (Ok(_), Some(0)) => visit.ended(line),
            (Ok(entry), seconds) => {
                let seconds = seconds.or(set.timeout);
                set.elements.push((Named { line, entry, seconds }, action));
            }
            (Err(reason), _) => visit.reject(line, reason),
        }
    }
}

fn action(verdict: &Value, table: &[u8]) -> Option<RuleAction> {
    let words = words(verdict);
    let mut item: Vec<&[u8]> = vec![b"x", b":"];
    item.extend(words.iter().map(String::as_bytes));
    mapped(&item, &|name| [table, name].concat()).map(|(_, action)| action)
}

/// An expression or statement as the text has it.
fn words(statement: &Value) -> Vec<String> {
    let Some((name, value)) = statement.as_object().and_then(|object| object.iter().next()) else {
        return vec!["?".to_owned()];
    };
    let fixed = |words: &[&str]| words.iter().map(ToString::to_string).collect();
    match name.as_str() {
        "drop" | "accept" | "return" | "continue" | "reject" => vec![name.clone()],
        "jump" | "goto" => {
            let target = value.get("target").and_then(Value::as_str).unwrap_or_default();
            vec![name.clone(), target.to_owned()]
        }
        "counter" | "log" | "comment" => Vec::new(),
        "mangle" => fixed(&["mark", "set", "x"]),
        "snat" | "dnat" | "masquerade" | "redirect" | "queue" | "tproxy" => fixed(&["snat"]),
        "match" => {
            let mut all = left(&value["left"]);
            if value["op"] == "!=" {
                all.extend(fixed(&["!", "="]));
            }
            all.extend(operand(&value["right"]));
            all
        }
        "vmap" => {
            let mut all = left(&value["key"]);
            all.push("vmap".to_owned());
            all.extend(operand(&value["data"]));
            all
        }
        _ => vec!["?".to_owned()],
    }
}

fn left(value: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or("?").to_owned();
    if let Some(payload) = value.get("payload") {
        return vec![text(&payload["protocol"]), text(&payload["field"])];
    }
    if let Some(meta) = value.get("meta") {
        let key = text(&meta["key"]);
        return if key.starts_with("iif") { vec![key] } else { vec!["meta".to_owned(), key] };
    }
    match value.get("ct") {
        Some(ct) => vec!["ct".to_owned(), text(&ct["key"])],
        None => vec!["?".to_owned()],
    }
}

fn operand(value: &Value) -> Vec<String> {
    let list = |items: &[Value]| {
        let mut all = vec!["{".to_owned()];
        for item in items {
            match item.as_array().map(Vec::as_slice) {
                Some([element, verdict]) => {
                    all.extend(operand(element));
                    all.push(":".to_owned());
                    all.extend(words(verdict));
                }
                _ => all.extend(operand(item)),
            }
            all.push(",".to_owned());
        }
        all.push("}".to_owned());
        all
    };
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(items) => list(items),
        Value::Object(object) => {
            if let Some(prefix) = object.get("prefix") {
                let address = prefix["addr"].as_str().unwrap_or("?");
                return vec![format!("{address}/{}", prefix["len"])];
            }
            if let Some([first, last]) =
                object.get("range").and_then(Value::as_array).map(Vec::as_slice)
            {
                let text = |value: &Value| value.as_str().unwrap_or("?").to_owned();
                return vec![format!("{}-{}", text(first), text(last))];
            }
            if let Some(set) = object.get("set").and_then(Value::as_array) {
                return list(set);
            }
            match object.get("elem").and_then(|elem| elem.get("val")) {
                Some(value) => operand(value),
                None => vec!["?".to_owned()],
            }
        }
        other => vec![other.to_string()],
    }
}
