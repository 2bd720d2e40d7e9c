//! What is wrong with a configuration and where: collected, not thrown, since
//! an administrator wants to hear of all mistakes at once.

use std::cell::RefCell;
use std::fmt;
use std::io;
use std::path::PathBuf;

/// Mistakes shown at the most; a file that is no configuration has one a line.
const SHOWN_MAX: usize = 50;

/// One mistake and its place. Displayed as `line:column: key: message`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// The key with its table, `daemon.settle-ms`; `None` if the mistake
    /// is not at a key.
    pub key: Option<String>,
    /// What is wrong and what is allowed.
    pub message: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}: ", self.line, self.column)?;
        if let Some(key) = &self.key {
            write!(out, "{key}: ")?;
        }
        out.write_str(&self.message)
    }
}

/// Why there is no configuration. Always to be answered with
/// `EX_CONFIG` of `sysexits.h`.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read configuration {}: {source}; `-c FILE` names another", file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file is too long to be a configuration.
    #[error("configuration {} is longer than {max} bytes, which is the limit", file.display())]
    TooLong {
        /// The file.
        file: PathBuf,
        /// The limit in bytes.
        max: u64,
    },
    /// The file was read and has mistakes, in the order of their places, at
    /// least one.
    #[error("{}", Listing(file, mistakes))]
    Mistakes {
        /// The file.
        file: PathBuf,
        /// All of them.
        mistakes: Vec<Mistake>,
    },
}

impl ConfigError {
    /// The mistakes in the file; empty if it could not be read at all.
    pub fn mistakes(&self) -> &[Mistake] {
        match self {
            Self::Mistakes { mistakes, .. } => mistakes,
            Self::Read { .. } | Self::TooLong { .. } => &[],
        }
    }
}

/// One line a mistake, each of the form that editors jump to.
struct Listing<'a>(&'a PathBuf, &'a [Mistake]);

impl fmt::Display for Listing<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(file, mistakes) = self;
        for (position, mistake) in mistakes.iter().take(SHOWN_MAX).enumerate() {
            let newline = if position == 0 { "" } else { "\n" };
            write!(out, "{newline}{}:{mistake}", file.display())?;
        }
        match mistakes.len().saturating_sub(SHOWN_MAX) {
            0 => Ok(()),
            more => write!(out, "\n{}: and {more} more mistakes", file.display()),
        }
    }
}

/// The mistakes found so far in one text. Shared by all that read a part of
/// it.
pub(super) struct Mistakes<'t> {
    text: &'t str,
    found: RefCell<Vec<(usize, Mistake)>>,
}

impl<'t> Mistakes<'t> {
    pub(super) fn of(text: &'t str) -> Self {
        Self { text, found: RefCell::default() }
    }

    /// Notes a mistake at a byte offset of the text.
    pub(super) fn note(&self, at: usize, key: Option<String>, message: impl Into<String>) {
        let Place { line, column } = self.place(at);
        self.found.borrow_mut().push((at, Mistake { line, column, key, message: message.into() }));
    }

    /// Where a byte offset is for a person.
    pub(super) fn place(&self, at: usize) -> Place {
        let at = (0..=at.min(self.text.len())).rev().find(|&at| self.text.is_char_boundary(at));
        let before = &self.text[..at.unwrap_or(0)];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Place {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }

    /// All mistakes, in the order of their places.
    pub(super) fn sorted(self) -> Vec<Mistake> {
        let mut found = self.found.into_inner();
        found.sort_by_key(|(at, _)| *at);
        found.into_iter().map(|(_, mistake)| mistake).collect()
    }
}

/// A place in the text. Displayed as `line:column`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}", self.line, self.column)
    }
}
