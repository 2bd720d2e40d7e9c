//! Plots as SVG, of one style: logarithmic axes, each line named where it ends, told
//! apart by marks and dashes as well as by shade. The ground is white, so that they are
//! read on light and dark pages alike. Where a way breaks there is a cross.

use std::path::Path;

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::Failure;

/// A line of a plot.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Line {
    pub(super) name: String,
    /// By number of addresses.
    pub(super) points: Vec<(f64, f64)>,
    /// At this number of addresses it breaks, or nobody waits for it.
    pub(super) breaks_at: Option<f64>,
}

const SIZE: (u32, u32) = (960, 560);
const FONT: &str = "sans-serif";

/// Shades that differ in grey as well.
const SHADES: [RGBColor; 6] = [
    RGBColor(20, 20, 20),
    RGBColor(176, 44, 36),
    RGBColor(30, 96, 178),
    RGBColor(208, 138, 20),
    RGBColor(30, 130, 86),
    RGBColor(130, 90, 170),
];

/// Draws lines over the number of addresses.
pub(super) fn over_size(
    file: &Path,
    title: &str,
    unit: &str,
    lines: &[Line],
) -> Result<(), Failure> {
    let all = || lines.iter().flat_map(|line| line.points.iter().map(|point| point.1));
    let (least, most) =
        all().fold((f64::MAX, f64::MIN), |(least, most), y| (least.min(y), most.max(y)));
    if least > most {
        return Ok(());
    }
    let area = SVGBackend::new(file, SIZE).into_drawing_area();
    area.fill(&WHITE)?;
    let caption = (FONT, 19).into_font().color(&BLACK);
    let mut chart = ChartBuilder::on(&area)
        .caption(title, caption)
        .margin(14)
        .margin_right(270)
        .x_label_area_size(42)
        .y_label_area_size(70)
        .build_cartesian_2d(
            (800.0..1.3e6_f64).log_scale(),
            (least * 0.7..most * 1.5).log_scale(),
        )?;
    chart
        .configure_mesh()
        .x_desc("addresses")
        .y_desc(unit)
        .bold_line_style(RGBColor(205, 205, 205))
        .light_line_style(WHITE)
        .x_label_formatter(&|size| label(*size))
        .y_label_formatter(&|figure| label(*figure))
        .draw()?;
    for (at, line) in lines.iter().enumerate() {
        let shade = SHADES[at % SHADES.len()];
        let stroke = shade.stroke_width(2);
        let points = line.points.iter().copied();
        if (at / SHADES.len()).is_multiple_of(2) {
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
            chart.draw_series([Cross::new((size, last.1), 7, stroke)])?;
        }
    }
    for (line, shade, y) in named(lines, least, most) {
        let style = (FONT, 13).into_font().color(&shade).pos(Pos::new(HPos::Left, VPos::Center));
        let (right, top) = chart.backend_coord(&(1.3e6, y));
        area.draw(&Text::new(line, (right + 8, top), style))?;
    }
    area.present()?;
    Ok(())
}

/// The names beside the ends of their lines, apart enough to be read.
fn named(lines: &[Line], least: f64, most: f64) -> Vec<(String, RGBColor, f64)> {
    let mut ends: Vec<_> = lines
        .iter()
        .enumerate()
        .filter_map(|(at, line)| {
            let y = line.points.last()?.1;
            let breaks = if line.breaks_at.is_some() { " ×" } else { "" };
            Some((format!("{}{breaks}", line.name), SHADES[at % SHADES.len()], y.ln()))
        })
        .collect();
    ends.sort_by(|one, other| one.2.total_cmp(&other.2));
    let step = ((most * 1.5).ln() - (least * 0.7).ln()) / 27.0;
    for at in 1..ends.len() {
        ends[at].2 = ends[at].2.max(ends[at - 1].2 + step);
    }
    // Who was pushed over the top pushes the others down again.
    let mut top = (most * 1.45).ln();
    for end in ends.iter_mut().rev() {
        end.2 = end.2.min(top);
        top = end.2 - step;
    }
    ends.into_iter().map(|(name, shade, y)| (name, shade, y.exp())).collect()
}

/// 1,000 as "1k".
fn label(figure: f64) -> String {
    match figure {
        1e6.. => format!("{}M", figure / 1e6),
        1e3.. => format!("{}k", figure / 1e3),
        _ => format!("{figure}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_apart_and_within_the_plot() {
        let line =
            |name: &str, y| Line { name: name.into(), points: vec![(1e3, y)], breaks_at: None };
        let lines = [line("a", 99.0), line("b", 100.0), line("c", 98.0), line("d", 1.0)];
        let ends = named(&lines, 1.0, 100.0);
        let names: Vec<_> = ends.iter().map(|(name, _, _)| &**name).collect();
        assert_eq!(names, ["d", "c", "a", "b"]);
        assert!(ends.windows(2).all(|two| two[1].2 / two[0].2 > 1.1), "{ends:?}");
        assert!(ends.iter().all(|one| one.2 < 150.0));
    }

    #[test]
    fn a_plot_names_its_lines_and_where_one_breaks() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let lines = [
            Line { name: "set".into(), points: vec![(1e3, 90.0), (1e6, 350.0)], breaks_at: None },
            Line { name: "tree".into(), points: vec![(1e3, 300.0)], breaks_at: Some(1e4) },
        ];
        over_size(file.path(), "cost of a packet", "ns", &lines).expect("it can be drawn");
        let text = std::fs::read_to_string(file.path()).expect("text");
        let words: String =
            text.split(['\n', '<', '>']).map(str::trim).collect::<Vec<_>>().join(" ");
        assert!(
            ["set", "tree ×", "cost of a packet", "addresses"].iter().all(|w| words.contains(w))
        );
    }
}
