//! Plots as SVG, of one style: each line named where it ends, told apart by marks and
//! dashes as well as by shade. The ground is white, so that they are read on light and
//! dark pages alike. Where a way breaks there is a cross.

use std::path::Path;

use plotters::coord::ranged1d::{Ranged, ValueFormatter};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::Failure;

/// A line of a plot.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Line {
    pub(crate) name: String,
    /// By what the plot is over.
    pub(crate) points: Vec<(f64, f64)>,
    /// There it breaks, or nobody waits for it.
    pub(crate) breaks_at: Option<f64>,
    /// Whether it is the one that the eye is to find.
    pub(crate) is_ours: bool,
}

/// What is drawn, and over what.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame<'a> {
    pub(crate) title: &'a str,
    pub(crate) unit: &'a str,
    pub(crate) over: Over,
}

/// What a plot is over.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Over {
    /// As much of this as there is of it, on logarithmic axes.
    Logarithmic(&'static str),
    /// From nothing to so much of this, on linear axes.
    Linear(f64, &'static str),
}

const SIZE: (u32, u32) = (960, 560);
const FONT: &str = "sans-serif";

type Chart<'a, X, Y> = ChartContext<'a, SVGBackend<'a>, Cartesian2d<X, Y>>;

/// Shades that differ in grey as well.
const SHADES: [RGBColor; 6] = [
    RGBColor(110, 110, 110),
    RGBColor(176, 44, 36),
    RGBColor(30, 96, 178),
    RGBColor(184, 112, 0),
    RGBColor(30, 130, 86),
    RGBColor(130, 90, 170),
];

/// Draws lines; nothing if there is no point.
pub(crate) fn draw(file: &Path, frame: Frame<'_>, lines: &[Line]) -> Result<(), Failure> {
    let (least, most) = extremes(lines, |point| point.1);
    if least > most {
        return Ok(());
    }
    let area = SVGBackend::new(file, SIZE).into_drawing_area();
    area.fill(&WHITE)?;
    let mut builder = ChartBuilder::on(&area);
    builder
        .caption(frame.title, (FONT, 17).into_font().color(&BLACK))
        .margin(14)
        .margin_right(290)
        .x_label_area_size(42)
        .y_label_area_size(70);
    match frame.over {
        Over::Logarithmic(what) => {
            let (left, right) = extremes(lines, |point| point.0);
            let (left, right) = (left * 0.8, right * 1.3);
            let (low, high) = (least * 0.7, most * 1.5);
            let heights = named(lines, |y| (y / low).ln() / (high / low).ln());
            let mut chart =
                builder.build_cartesian_2d((left..right).log_scale(), (low..high).log_scale())?;
            fill(&mut chart, [frame.unit, what], lines)?;
            name(&mut chart, lines, &heights, |height| (right, low * (high / low).powf(height)))?;
        }
        Over::Linear(end, what) => {
            let high = most * 1.1 + f64::MIN_POSITIVE;
            let heights = named(lines, |y| y / high);
            let mut chart = builder.build_cartesian_2d(0.0..end * 1.04, 0.0..high)?;
            fill(&mut chart, [frame.unit, what], lines)?;
            name(&mut chart, lines, &heights, |height| (end * 1.04, high * height))?;
        }
    }
    area.present()?;
    Ok(())
}

/// The least and the most of what `of` takes of all points.
fn extremes(lines: &[Line], of: impl Fn(&(f64, f64)) -> f64) -> (f64, f64) {
    let all = lines.iter().flat_map(|line| line.points.iter().map(&of));
    all.fold((f64::MAX, f64::MIN), |(least, most), one| (least.min(one), most.max(one)))
}

/// The axes and the lines.
fn fill<X, Y>(
    chart: &mut Chart<'_, X, Y>,
    [unit, over]: [&str; 2],
    lines: &[Line],
) -> Result<(), Failure>
where
    X: Ranged<ValueType = f64> + ValueFormatter<f64>,
    Y: Ranged<ValueType = f64> + ValueFormatter<f64>,
{
    chart
        .configure_mesh()
        .x_desc(over)
        .y_desc(unit)
        .bold_line_style(RGBColor(205, 205, 205))
        .light_line_style(WHITE)
        .x_label_formatter(&|size| label(*size))
        .y_label_formatter(&|figure| label(*figure))
        .draw()?;
    for (at, line) in lines.iter().enumerate() {
        let shade = shade(at, line);
        let stroke = shade.stroke_width(if line.is_ours { 4 } else { 2 });
        let points = line.points.iter().copied();
        if line.is_ours || (at / SHADES.len()).is_multiple_of(2) {
            chart.draw_series(LineSeries::new(points, stroke))?;
        } else {
            chart.draw_series(DashedLineSeries::new(points, 7, 5, stroke))?;
        }
        for &point in &line.points {
            match at % 3 {
                0 => chart.draw_series([Circle::new(point, 4, shade.filled())])?,
                1 => chart.draw_series([TriangleMarker::new(point, 6, shade.filled())])?,
                _ => chart.draw_series([Circle::new(point, 4, stroke)])?,
            };
        }
        if let (Some(size), Some(last)) = (line.breaks_at, line.points.last()) {
            chart.draw_series([Cross::new((size, last.1), 7, shade.stroke_width(2))])?;
        }
    }
    Ok(())
}

/// Names beside the ends of the lines, each with a thin line that leads to it.
fn name<X, Y>(
    chart: &mut Chart<'_, X, Y>,
    lines: &[Line],
    heights: &[(usize, f64)],
    beside: impl Fn(f64) -> (f64, f64),
) -> Result<(), Failure>
where
    X: Ranged<ValueType = f64>,
    Y: Ranged<ValueType = f64>,
{
    for &(at, height) in heights {
        let (line, shade) = (&lines[at], shade(at, &lines[at]));
        let Some(&last) = line.points.last() else { continue };
        let cross = line.breaks_at.map(|size| (size, last.1));
        let path: Vec<_> =
            [Some(last), cross].into_iter().flatten().chain([beside(height)]).collect();
        let ends: Vec<_> = path.iter().map(|point| chart.backend_coord(point)).collect();
        let area = chart.plotting_area().strip_coord_spec();
        let (left, top) = chart.plotting_area().get_base_pixel();
        let ends: Vec<_> = ends.into_iter().map(|(x, y)| (x - left, y - top)).collect();
        area.draw(&PathElement::new(ends.clone(), shade.mix(0.45).stroke_width(1)))?;
        let breaks = if cross.is_some() { " ×" } else { "" };
        let style = if line.is_ours { FontStyle::Bold } else { FontStyle::Normal };
        let font = (FONT, 13, style).into_font().color(&shade);
        let style = font.pos(Pos::new(HPos::Left, VPos::Center));
        let Some(&(x, y)) = ends.last() else { continue };
        area.draw(&Text::new(format!("{}{breaks}", line.name), (x + 8, y), style))?;
    }
    Ok(())
}

fn shade(at: usize, line: &Line) -> RGBColor {
    if line.is_ours { BLACK } else { SHADES[at % SHADES.len()] }
}

/// Which line is named how high, of the height of the plot: as high as it ends, but apart
/// enough to be read.
fn named(lines: &[Line], height: impl Fn(f64) -> f64) -> Vec<(usize, f64)> {
    let ends =
        lines.iter().enumerate().filter_map(|(at, line)| Some((at, height(line.points.last()?.1))));
    let mut ends: Vec<_> = ends.collect();
    ends.sort_by(|one, other| one.1.total_cmp(&other.1));
    // Those that are too near part, each by half of what is missing, over and over again.
    for _ in 0..500 {
        for at in 1..ends.len() {
            let missing = (STEP - (ends[at].1 - ends[at - 1].1)).max(0.0) / 2.0;
            ends[at].1 += missing;
            ends[at - 1].1 -= missing;
        }
    }
    // Who was pushed over the bottom or the top pushes the others back.
    let mut bottom = 0.01;
    for end in &mut ends {
        end.1 = end.1.max(bottom);
        bottom = end.1 + STEP;
    }
    let mut top = 0.99;
    for end in ends.iter_mut().rev() {
        end.1 = end.1.min(top);
        top = end.1 - STEP;
    }
    ends
}

/// How far names are apart at least, of the height of the plot.
const STEP: f64 = 1.0 / 29.0;

/// 1,000 as "1k".
pub(crate) fn label(figure: f64) -> String {
    match figure {
        1e6.. => format!("{}M", figure / 1e6),
        1e3.. => format!("{}k", figure / 1e3),
        _ => format!("{}", (figure * 1e3).round() / 1e3),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(name: &str, y: f64) -> Line {
        Line { name: name.into(), points: vec![(1e3, y)], breaks_at: None, is_ours: false }
    }

    #[test]
    fn names_are_apart_and_within_the_plot() {
        let lines = [line("a", 0.99), line("b", 1.0), line("c", 0.98), line("d", 0.01)];
        let ends = named(&lines, |y| y);
        let order: Vec<_> = ends.iter().map(|(at, _)| *at).collect();
        assert_eq!(order, [3, 2, 0, 1]);
        assert!(ends.windows(2).all(|two| two[1].1 - two[0].1 > 0.034), "{ends:?}");
        assert!(ends.iter().all(|one| (0.0..1.0).contains(&one.1)));
    }

    #[test]
    fn a_plot_names_its_lines_and_where_one_breaks() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let lines = [
            Line { points: vec![(1e3, 90.0), (1e6, 350.0)], is_ours: true, ..line("set", 0.0) },
            Line { breaks_at: Some(1e4), ..line("tree", 300.0) },
        ];
        for over in [Over::Logarithmic("addresses"), Over::Linear(1e6, "addresses")] {
            let frame = Frame { title: "cost of a packet", unit: "ns", over };
            draw(file.path(), frame, &lines).expect("it can be drawn");
            let text = std::fs::read_to_string(file.path()).expect("text");
            let words: String =
                text.split(['\n', '<', '>']).map(str::trim).collect::<Vec<_>>().join(" ");
            let wanted = ["set", "tree ×", "cost of a packet", "addresses"];
            assert!(wanted.iter().all(|word| words.contains(word)));
        }
    }
}
