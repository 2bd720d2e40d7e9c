//! CrowdSec's decisions as CSV, under a header: `duration,scope,value`, with
//! `type` if it likes, as `cscli decisions import` takes them, and the columns
//! of `cscli decisions list -o raw`, whose `ip` is scope and value with a colon
//! between, `Ip:192.0.2.1`, whose `action` is the type and whose `expiration`
//! is the duration. Source: <https://docs.crowdsec.net/docs/cscli/cscli_decisions_import>
//! and the program itself. What a decision means, the JSON form says.

use std::borrow::Cow;
use std::ops::ControlFlow;

use super::super::asked::Where;
use super::super::csv::{Fields, Splitter};
use super::super::detect::{Head, Likeness};
use super::super::visit::{Line, Visit};
use super::super::{Limits, Options, Shape, lines};
use super::crowdsec::{CrowdsecDecision, decide};
use crate::RejectReason;

/// Which column is what, from 0.
#[derive(Clone, Copy, Default)]
struct Columns {
    kind: Option<usize>,
    scope: Option<usize>,
    value: Option<usize>,
    duration: Option<usize>,
    simulated: Option<usize>,
    /// Whether the value has its scope before it.
    scoped: bool,
}

/// Reads all rows.
pub(in super::super) fn read(
    bytes: &[u8],
    options: &Options,
    limits: &Limits,
    visit: &mut impl Visit,
) -> Shape {
    let mut splitter = Splitter::new(b',');
    let mut columns = None;
    let head = Head::of(bytes);
    let rows = Where::new(options, |name| super::table::named(&head, b',', name));
    lines::each(bytes, limits, b"#", visit, |line, said, visit| {
        let fields = splitter.split(said);
        if let Some(columns) = columns {
            if rows.leave_out(line, |at| fields.get(at), visit) {
                return ControlFlow::Continue(());
            }
            return row(fields, columns, line, visit);
        }
        columns = header(fields);
        if columns.is_some() {
            visit.ignore(line);
        } else {
            visit.reject(line, RejectReason::Foreign);
        }
        ControlFlow::Continue(())
    })
}

/// Sure if the first row is such a header.
pub(in super::super) fn resembles(head: &Head<'_>) -> Likeness {
    let mut splitter = Splitter::new(b',');
    let mut rows = head.lines().filter(|line| line[0] != b'#');
    match rows.next() {
        Some(line) if header(splitter.split(line)).is_some() => Likeness::Sure,
        _ => Likeness::None,
    }
}

/// The columns, if there is a duration and what it is the duration of.
fn header(fields: Fields<'_>) -> Option<Columns> {
    let mut columns = Columns::default();
    for (index, name) in fields.iter().enumerate() {
        let column = match name {
            b"type" | b"action" => &mut columns.kind,
            b"scope" => &mut columns.scope,
            b"value" => &mut columns.value,
            b"ip" => {
                columns.scoped = true;
                &mut columns.value
            }
            b"duration" | b"expiration" => &mut columns.duration,
            b"simulated" => &mut columns.simulated,
            _ => continue,
        };
        column.get_or_insert(index);
    }
    let known = columns.duration.is_some() && (columns.scope.is_some() || columns.scoped);
    (known && columns.value.is_some()).then_some(columns)
}

fn row(
    fields: Fields<'_>,
    columns: Columns,
    line: Line<'_>,
    visit: &mut impl Visit,
) -> ControlFlow<()> {
    let field = |column: Option<usize>| {
        let found = column.and_then(|column| fields.get(column));
        found.filter(|found| !found.is_empty()).map(String::from_utf8_lossy)
    };
    let mut decision = CrowdsecDecision {
        kind: field(columns.kind),
        scope: field(columns.scope),
        value: field(columns.value),
        duration: field(columns.duration),
        simulated: field(columns.simulated).is_some_and(|said| said.eq_ignore_ascii_case("true")),
    };
    if columns.scoped
        && let Some((scope, value)) = decision.value.as_deref().and_then(|v| v.split_once(':'))
        && scope.bytes().all(|byte| byte.is_ascii_alphabetic())
    {
        let (scope, value) = (scope.to_owned(), value.to_owned());
        decision.scope = Some(Cow::Owned(scope));
        decision.value = Some(Cow::Owned(value));
    }
    decide(line, visit, &decision)
}
