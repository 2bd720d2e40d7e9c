//! What denyset says of itself, for those who watch it: the document of `denyset
//! status` as it is read, and figures made of it. It knows documents and no
//! files, sockets or clocks, and nothing of how the daemon works.

mod document;
mod hits;
mod readings;
mod sheet;

pub use document::{
    AppliesFigures, AppliesWithinFigures, ExportFigures, FeedFigures, RefusalFigures, RuleFigures,
    SetFigures, StatusDocument,
};
pub use hits::{FeedHitFigures, HitsDocument};
pub use readings::Readings;
pub use sheet::{Durations, FigureSample, Figures, Sheet, TextForm, exposition};
