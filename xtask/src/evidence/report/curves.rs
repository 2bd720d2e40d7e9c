//! Which figures of question B, both halves, become plots over the number of addresses.

use std::path::Path;

use super::super::million as found;
use super::super::record::{Finding, Findings};
use super::super::statistics::Spread;
use super::super::web;
use super::plot::{Frame, Line, Over, draw as draw_lines};
use crate::Failure;

/// A plot: its file, its title, the unit and the figure.
struct Plot {
    file: &'static str,
    title: &'static str,
    unit: &'static str,
    metric: &'static str,
    /// The least that is told of what is more than with no filter.
    more: Option<f64>,
}

const PLOTS: [Plot; 4] = [
    Plot {
        file: "load.svg",
        title: "Time to load a list",
        unit: "ms",
        metric: found::LOAD,
        more: None,
    },
    Plot {
        file: "memory.svg",
        title: "Memory of the program that loads it",
        unit: "MiB",
        metric: found::USER_MEMORY,
        more: None,
    },
    Plot {
        file: "miss.svg",
        title: "What a packet of nobody on the list costs more (lowest: 100 ns or less)",
        unit: "ns",
        metric: found::MISS,
        more: Some(100.0),
    },
    Plot {
        file: "change.svg",
        title: "Time to change a thousand entries",
        unit: "ms",
        metric: found::THOUSAND,
        more: None,
    },
];

/// What is not drawn: variants of others, which would only hide them.
const LEFT_OUT: [&str; 13] = [
    "none",
    "flushed",
    "behind conntrack",
    "2-ary",
    "4-ary",
    "16-ary, iptables-nft",
    "hook = ",
    "hash:ip, iptables-nft",
    "in raw",
    "one length",
    "connections",
    "lengths: ",
    "IPv6",
];

/// Draws them, and returns the lines of Markdown that show them.
pub(super) fn draw(findings: &Findings, place: &Path) -> Result<String, Failure> {
    let mut text = String::new();
    for plot in PLOTS {
        let lines: Vec<_> = findings
            .variants()
            .into_iter()
            .filter(|variant| !LEFT_OUT.iter().any(|part| variant.contains(part)))
            .map(|variant| {
                line_over(findings, [variant, "none"], [plot.metric, found::LOAD], plot.more)
            })
            .filter(|line| !line.points.is_empty())
            .collect();
        let frame =
            Frame { title: plot.title, unit: plot.unit, over: Over::Logarithmic("addresses") };
        draw_lines(&place.join(plot.file), frame, &lines)?;
        if !lines.is_empty() {
            text.push_str(&image(plot.title, plot.file));
        }
    }
    Ok(text)
}

/// Draws what a request of nobody on the list costs more than without a list.
pub(super) fn draw_requests(findings: &Findings, place: &Path) -> Result<String, Failure> {
    let (file, title) =
        ("request.svg", "What a request of nobody on the list costs more (lowest: 10 us or less)");
    let ways = web::ways();
    let with_list = ways.iter().filter(|way| way.name() != way.base());
    let lines: Vec<_> = with_list
        .map(|way| {
            line_over(findings, [way.name(), way.base()], [web::MISS, web::START], Some(10.0))
        })
        .filter(|line| !line.points.is_empty())
        .collect();
    let frame = Frame { title, unit: "us of the processor", over: Over::Logarithmic("addresses") };
    draw_lines(&place.join(file), frame, &lines)?;
    Ok(if lines.is_empty() { String::new() } else { image(title, file) })
}

pub(super) fn image(title: &str, file: &str) -> String {
    format!("![{title}]({file})\n\n")
}

/// The line of a way, of its figures or of what they are more than those of `base`, but
/// no less than this. It ends where `ends` says that the way broke or was not run.
fn line_over(
    findings: &Findings,
    [variant, base]: [&str; 2],
    [metric, ends]: [&str; 2],
    more: Option<f64>,
) -> Line {
    let is_ours = variant == "denyset" || variant.contains("denyset exports");
    let name = variant.to_owned();
    let mut line = Line { name, points: Vec::new(), breaks_at: None, is_ours };
    for size in findings.sizes() {
        let rounds = |variant| findings.rounds(variant, size, metric);
        let spread = match (rounds(variant), rounds(base)) {
            (Some(own), Some(base)) if more.is_some() => Spread::of_differences(own, base),
            (Some(own), _) if more.is_none() => Spread::of(own),
            _ => None,
        };
        #[expect(clippy::cast_precision_loss, reason = "a million")]
        let at = size as f64;
        if let Some(spread) = spread {
            // A logarithmic axis has no place for less than nothing.
            line.points.push((at, spread.middle.max(more.unwrap_or(0.01))));
            continue;
        }
        let found = findings.find(variant, size, metric);
        let ended = found.or_else(|| findings.find(variant, size, ends));
        if matches!(ended, Some(Finding::Broke(_) | Finding::NotRun(_))) {
            line.breaks_at = line.breaks_at.or(Some(at));
        }
    }
    line
}
