//! Comments of a plain list that are verdicts: headings of parts, and words
//! beside single entries. A list of which only a part is under such a word is
//! several lists; one that is under it as a whole says who is welcome. Knows
//! comments, and counts lines.

use super::super::super::structure::verdict_of_comment;
use super::super::super::verdict::{WordVerdict, is_welcoming};
use super::super::super::visit::{Line, Visit};
use super::super::super::{Shape, Why};

/// What the comments said so far.
#[derive(Default)]
pub(super) struct Remarks {
    /// The last heading.
    heading: Option<WordVerdict>,
    /// Whether it names those who are welcome: `# ok` may be about anything.
    welcomes: bool,
    /// How many lines have entries that are exempted beside them.
    exempted: u64,
}

const WHY: Why = Why::Structure("a comment says of a part of the list that it is welcome");

impl Remarks {
    /// A comment that has a line for itself. `before` is what can be said of the
    /// lines before it.
    pub(super) fn heading(
        &mut self,
        line: Line<'_>,
        comment: &[u8],
        before: &Shape,
        visit: &mut impl Visit,
    ) {
        let Some(said) = verdict_of_comment(comment) else { return };
        let entries = before.lines - 1 > before.blank;
        let mixed = match said {
            WordVerdict::Exempts => entries && self.heading != Some(WordVerdict::Exempts),
            WordVerdict::Blocks => entries && self.heading == Some(WordVerdict::Exempts),
        };
        if mixed {
            visit.doubt(line, WHY);
        }
        self.heading = Some(said);
        self.welcomes = said == WordVerdict::Exempts && is_welcoming(comment);
    }

    /// A comment behind an entry.
    pub(super) fn beside(
        &mut self,
        line: Line<'_>,
        comment: &[u8],
        before: &Shape,
        visit: &mut impl Visit,
    ) {
        let exempts =
            verdict_of_comment(comment) == Some(WordVerdict::Exempts) || is_taken_back(comment);
        let others = before.lines - 1 - before.blank > self.exempted;
        if exempts && others || !exempts && self.exempted > 0 {
            visit.doubt(line, WHY);
        }
        self.exempted += u64::from(exempts);
    }

    /// The end of the list: whether all entries are like those that are exempted.
    pub(super) fn finish(&self, shape: &Shape, visit: &mut impl Visit) {
        let entries = shape.lines.saturating_sub(shape.blank);
        if self.exempted > 0 && entries > self.exempted {
            visit.doubt(Line::At { number: shape.lines, text: b"" }, WHY);
        } else if self.exempted > 0 || self.welcomes {
            visit.all_welcome();
        }
    }
}

/// Whether a comment says that the address beside it stands there by mistake, or
/// is not to be blocked.
fn is_taken_back(comment: &[u8]) -> bool {
    const WORDS: [&[u8]; 9] = [
        b"false positive",
        b"false-positive",
        b"falsepositive",
        b"do not block",
        b"don't block",
        b"never block",
        b"do not ban",
        b"don't ban",
        b"never ban",
    ];
    let comment = comment.to_ascii_lowercase();
    WORDS.iter().any(|words| memchr::memmem::find(&comment, words).is_some())
}
