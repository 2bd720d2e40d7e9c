//! What `why` has said of an address, in words.

use maud::{Markup, html};
use serde_json::Value;

/// Lines that are shown of one list.
const SOURCES_MAX: usize = 20;

/// The answer to a question.
pub(super) fn answered(answer: &Result<String, String>) -> Markup {
    let document = match answer {
        Ok(document) => serde_json::from_str::<Value>(document).unwrap_or_default(),
        Err(why) => return html! { p role="alert" { (why) } },
    };
    let address = text(&document["address"]);
    let kernel = match document["kernel"] {
        Value::Bool(true) => "the kernel has it in a set",
        Value::Bool(false) => "the kernel has it in no set",
        _ => "the kernel could not be asked",
    };
    html! {
        p role="status" { strong { (address) " is " (text(&document["verdict"])) } "; " (kernel) "." }
        dl {
            @for list in document["lists"].as_array().into_iter().flatten() {
                dt {
                    "list " (text(&list["list"])) ": "
                    @if list["prefix"].is_null() { "not on it" } @else { (text(&list["prefix"])) }
                }
                @for source in list["sources"].as_array().into_iter().flatten().take(SOURCES_MAX) {
                    dd {
                        (text(&source["feed"])) ":" (text(&source["line"])) " "
                        code { (text(&source["text"])) }
                    }
                }
                @if !list["allow"].is_null() {
                    dd { "allowed by " code { (list["allow"].to_string()) } }
                }
            }
        }
    }
}

/// A text as it is, a number in digits, and of what is not there nothing.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}
