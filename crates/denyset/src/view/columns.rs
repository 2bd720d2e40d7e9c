//! Aligned columns in plain ASCII, for people: words to the left, numbers to
//! the right, two blanks between, none at the end of a line.

use std::fmt;

use super::text::shown;

/// To which side the cells of a column lean.
#[derive(Clone, Copy)]
pub(super) enum Lean {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// A table with a line of headings. Cells are escaped as they come in.
pub(super) struct Columns {
    leans: Vec<Lean>,
    rows: Vec<Vec<String>>,
}

impl Columns {
    /// A table without rows.
    pub(super) fn new<const N: usize>(headings: [(&str, Lean); N]) -> Self {
        let leans = headings.iter().map(|(_, lean)| *lean).collect();
        let headings = headings.iter().map(|(heading, _)| (*heading).to_owned()).collect();
        Self { leans, rows: vec![headings] }
    }

    /// Adds a row; of as many cells as there are headings.
    pub(super) fn row<const N: usize>(&mut self, cells: [&dyn fmt::Display; N]) {
        debug_assert_eq!(N, self.leans.len(), "a cell for each heading");
        self.rows.push(cells.iter().map(|cell| shown(&cell.to_string())).collect());
    }
}

impl fmt::Display for Columns {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = |column: usize| {
            self.rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.leans.len()).map(width).collect();
        for row in &self.rows {
            let cells = row.iter().zip(&widths).zip(&self.leans);
            let cells = cells.map(|((cell, &width), lean)| match lean {
                Lean::Left => format!("{cell:<width$}"),
                Lean::Right => format!("{cell:>width$}"),
            });
            writeln!(out, "{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
        }
        Ok(())
    }
}

/// A cell that may have nothing to say.
pub(super) struct OrDash<'a, T>(pub(super) Option<&'a T>);

impl<T: fmt::Display> fmt::Display for OrDash<'_, T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(value) => value.fmt(out),
            None => out.write_str("-"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Columns, Lean};

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut columns = Columns::new([("feed", Lean::Left), ("entries", Lean::Right)]);
        columns.row([&"a/long/name", &7]);
        columns.row([&"\u{1b}x", &1_234_567_890]);
        let want = "\
feed            entries
a/long/name           7
\\u{1b}x      1234567890
";
        assert_eq!(columns.to_string(), want);
    }
}
