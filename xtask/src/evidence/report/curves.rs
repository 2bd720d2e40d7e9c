//! Which figures of question B become plots over the number of addresses.

use std::path::Path;

use super::super::million as found;
use super::super::record::{Finding, Findings};
use super::super::statistics::Spread;
use super::plot::{Line, over_size};
use crate::Failure;

/// A plot: its file, its title, the unit, the figure, and whether it is what is more
/// than with no filter.
struct Plot {
    file: &'static str,
    title: &'static str,
    unit: &'static str,
    metric: &'static str,
    more: bool,
}

const PLOTS: [Plot; 4] = [
    Plot {
        file: "load.svg",
        title: "Time to load a list",
        unit: "ms",
        metric: found::LOAD,
        more: false,
    },
    Plot {
        file: "memory.svg",
        title: "Memory of the program that loads it",
        unit: "MiB",
        metric: found::USER_MEMORY,
        more: false,
    },
    Plot {
        file: "miss.svg",
        title: "What a packet of nobody on the list costs more than with no filter",
        unit: "ns",
        metric: found::MISS,
        more: true,
    },
    Plot {
        file: "change.svg",
        title: "Time to change a thousand entries",
        unit: "ms",
        metric: found::THOUSAND,
        more: false,
    },
];

/// What is not drawn: variants of others, which would only hide them.
const LEFT_OUT: [&str; 6] =
    ["none", "flushed", "behind conntrack", "2-ary", "hook = ", "hash:ip, iptables-nft"];

/// Draws them, and returns the lines of Markdown that show them.
pub(super) fn draw(findings: &Findings, place: &Path) -> Result<String, Failure> {
    let mut text = String::new();
    for plot in PLOTS {
        let lines: Vec<_> = findings
            .variants()
            .into_iter()
            .filter(|variant| !LEFT_OUT.iter().any(|part| variant.contains(part)))
            .map(|variant| line(findings, variant, &plot))
            .filter(|line| !line.points.is_empty())
            .collect();
        over_size(&place.join(plot.file), plot.title, plot.unit, &lines)?;
        if !lines.is_empty() {
            text.push_str(&format_image(plot.title, plot.file));
        }
    }
    Ok(text)
}

fn format_image(title: &str, file: &str) -> String {
    format!("![{title}]({file})\n\n")
}

fn line(findings: &Findings, variant: &str, plot: &Plot) -> Line {
    let mut line = Line { name: variant.to_owned(), points: Vec::new(), breaks_at: None };
    for size in findings.sizes() {
        let own = findings.rounds(variant, size, plot.metric);
        let base = findings.rounds("none", size, plot.metric);
        let spread = match (own, base) {
            (Some(own), Some(base)) if plot.more => Spread::of_differences(own, base),
            (Some(own), _) if !plot.more => Spread::of(own),
            _ => None,
        };
        #[expect(clippy::cast_precision_loss, reason = "a million")]
        let at = size as f64;
        if let Some(spread) = spread {
            // A logarithmic axis has no place for less than nothing.
            line.points.push((at, spread.middle.max(0.5)));
            continue;
        }
        let ended = findings.find(variant, size, found::LOAD);
        if matches!(ended, Some(Finding::Broke(_) | Finding::NotRun(_))) {
            line.breaks_at = line.breaks_at.or(Some(at));
        }
    }
    line
}
