//! Globs on the names of feeds, as the configuration has them.

use blocklist::Glob;

/// A glob on the names of feeds. Names are relative, so that a glob with `/`
/// in front would never match.
pub(super) fn glob(text: &str) -> Result<Glob, String> {
    if text.is_empty() {
        return Err("is empty, a glob on paths below feeds-dir is allowed".to_owned());
    }
    if text.starts_with('/') {
        return Err(format!(
            "{text:?} begins with `/`, a glob on paths below feeds-dir is allowed"
        ));
    }
    Glob::new(text).map_err(|error| format!("{text:?} is no glob: {error}"))
}
