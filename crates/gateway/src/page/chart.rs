//! A day as a drawing: one value for each step, as bars or as a line. Colours are
//! the style sheet's.

use maud::{Markup, html};

use super::words::counted;

/// The drawing's own units.
const WIDTH: u64 = 288;
const HEIGHT: u64 = 60;

/// How values are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Drawing {
    /// What is so at each moment.
    Line,
    /// What has come in each step.
    Bars,
}

/// A drawing with a caption that says the same in words.
pub(super) fn chart(title: &str, values: &[Option<u64>], drawing: Drawing) -> Markup {
    let most = values.iter().flatten().max().copied();
    let caption = match (drawing, most, values.iter().flatten().next_back()) {
        (_, None, _) | (_, _, None) => "nothing is known yet".to_owned(),
        (Drawing::Line, Some(most), Some(last)) => {
            format!("now {}, at the most {}", counted(*last), counted(most))
        }
        (Drawing::Bars, Some(most), Some(_)) => {
            let all = values.iter().flatten().sum();
            format!("{} in all, at the most {} in five minutes", counted(all), counted(most))
        }
    };
    html! {
        figure {
            figcaption { strong { (title) } " " span.dim { (caption) } }
            svg viewBox={"0 0 " (WIDTH) " " (HEIGHT)} preserveAspectRatio="none" role="img"
                aria-label={(title) ", the last 24 hours: " (caption)} {
                line.axis x1="0" x2=(WIDTH) y1=(HEIGHT) y2=(HEIGHT) {}
                @match drawing {
                    Drawing::Line => path.line d=(line(values, most.unwrap_or(0))) {},
                    Drawing::Bars => path.bars d=(bars(values, most.unwrap_or(0))) {},
                }
            }
        }
    }
}

/// From the top, for a value of so many at the most.
fn height(value: u64, most: u64) -> u64 {
    let most = most.max(1);
    let tall = u128::from(value) * u128::from(HEIGHT - 2) / u128::from(most);
    HEIGHT - u64::try_from(tall).unwrap_or(HEIGHT)
}

fn line(values: &[Option<u64>], most: u64) -> String {
    let mut path = Vec::new();
    let mut drawn = false;
    for (at, value) in values.iter().enumerate() {
        let Some(value) = value else {
            drawn = false;
            continue;
        };
        let y = height(*value, most);
        // A single point is seen as well.
        path.push(if drawn { format!("L{at} {y}") } else { format!("M{at} {y}h1") });
        drawn = true;
    }
    path.concat()
}

fn bars(values: &[Option<u64>], most: u64) -> String {
    let bars = values.iter().enumerate().filter_map(|(at, value)| {
        let value = value.filter(|value| *value > 0)?;
        // The smallest can be seen too.
        let y = height(value, most).min(HEIGHT - 1);
        Some(format!("M{at} {HEIGHT}V{y}h1V{HEIGHT}z"))
    });
    bars.collect::<Vec<_>>().concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_not_drawn_over() {
        assert_eq!(line(&[Some(0), Some(10), None, Some(5)], 10), "M0 60h1L1 2M3 31h1");
        assert_eq!(
            bars(&[None, Some(0), Some(1), Some(1_000)], 1_000),
            "M2 60V59h1V60zM3 60V2h1V60z"
        );
        assert_eq!(line(&[Some(u64::MAX)], u64::MAX), "M0 2h1");
    }
}
