//! What a line of a configuration of Apache does for access, and the sections
//! and orders that this depends on. Knows no addresses.

use super::super::super::words::{unquoted, words};
use crate::parse_entry;

/// What becomes of the addresses in a line.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    Blocks,
    Allows,
}

/// What a line is.
pub(super) enum AccessLine<'a> {
    /// The words in the text are addresses.
    Addresses(Effect, &'a [u8]),
    /// A directive that decides nothing by addresses.
    Nothing,
    /// One that does, for a part of the host.
    Narrower,
    /// No directive.
    Foreign,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Section {
    All,
    Any,
    None,
}

#[derive(Clone, Copy, Default)]
enum Continued {
    /// They begin a directive.
    #[default]
    Not,
    Addresses(Effect),
    Other,
}

/// Which of the two decides where both name an address: the last one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    DenyAllow,
    /// `Mutual-failure` does the same.
    AllowDeny,
}

/// What a part of a file says of all of it, wherever it stands.
#[derive(Clone, Copy, Default)]
struct Scope {
    /// The last `Order`. Where there is none, the lines are copied for a section
    /// that has one: with Apache's own default, `Allow from all` among them would
    /// make each `Deny` void, and nobody writes those down for that.
    order: Option<Order>,
    /// `Allow from all`. A network of length 0 is none to Apache.
    allows_all: bool,
    /// `Require all granted` beside other ways in.
    grants_all: bool,
}

/// What earlier lines said, and of each scope what later lines say.
#[derive(Default)]
pub(super) struct Access {
    sections: Vec<Section>,
    /// How many open sections are about a part of the host only.
    narrower: usize,
    /// What the scopes say as a whole. The first is the file, and each root
    /// section begins one, and ends with one.
    scopes: Vec<Scope>,
    /// Which of them this is.
    scope: usize,
    /// What the words of the next line are, if a backslash ended this one.
    continued: Continued,
}

/// First words of directives and sections that blocklists consist of.
const USUAL: [&[u8]; 26] = [
    b"deny",
    b"allow",
    b"order",
    b"require",
    b"satisfy",
    b"setenvif",
    b"setenvifnocase",
    b"browsermatch",
    b"browsermatchnocase",
    b"rewriteengine",
    b"rewritecond",
    b"rewriterule",
    b"errordocument",
    b"requireall",
    b"requireany",
    b"requirenone",
    b"files",
    b"filesmatch",
    b"directory",
    b"directorymatch",
    b"location",
    b"locationmatch",
    b"limit",
    b"limitexcept",
    b"ifmodule",
    b"virtualhost",
];

/// Sections about a part of the host: a path, a file, a method, a site.
const NARROWER: [&[u8]; 14] = [
    b"location",
    b"locationmatch",
    b"files",
    b"filesmatch",
    b"directory",
    b"directorymatch",
    b"limit",
    b"limitexcept",
    b"virtualhost",
    b"proxy",
    b"proxymatch",
    b"if",
    b"elseif",
    b"else",
];

/// Whether a line begins like one of a blocklist.
pub(super) fn is_usual(line: &[u8]) -> bool {
    let name = line.strip_prefix(b"<").unwrap_or(line);
    let name = name.strip_prefix(b"/").unwrap_or(name);
    let end = name.iter().position(|byte| !byte.is_ascii_alphabetic()).unwrap_or(name.len());
    let (name, rest) = name.split_at(end);
    let usual = USUAL.contains(&name.to_ascii_lowercase().as_slice());
    match name.to_ascii_lowercase().as_slice() {
        b"deny" | b"allow" => words(rest).next().is_some_and(is_from),
        _ => usual && !rest.starts_with(b":") && !rest.ends_with(b";"),
    }
}

fn is_from(word: &[u8]) -> bool {
    word.eq_ignore_ascii_case(b"from")
}

impl Access {
    /// Looks through the lines of a file, which are to be read then.
    pub(super) fn of<'a>(lines: impl Iterator<Item = &'a [u8]>) -> Self {
        let mut scout = Self::default();
        for line in lines.map(<[u8]>::trim_ascii) {
            if !line.is_empty() && !line.starts_with(b"#") {
                scout.line(line);
            }
        }
        Self { scopes: scout.scopes, ..Self::default() }
    }

    /// Whether everybody is let in, whom `Deny` names, too.
    fn allows_all(&self) -> bool {
        let scope = self.known();
        scope.order == Some(Order::DenyAllow) && scope.allows_all
    }

    fn known(&self) -> Scope {
        self.scopes.get(self.scope).copied().unwrap_or_default()
    }

    fn learn(&mut self) -> &mut Scope {
        if self.scopes.len() <= self.scope {
            self.scopes.resize(self.scope + 1, Scope::default());
        }
        &mut self.scopes[self.scope]
    }

    /// Reads a line that is neither blank nor a comment.
    pub(super) fn line<'a>(&mut self, line: &'a [u8]) -> AccessLine<'a> {
        let (text, goes_on) = match line.strip_suffix(b"\\") {
            Some(text) => (text, true),
            None => (line, false),
        };
        let said = match std::mem::take(&mut self.continued) {
            Continued::Addresses(effect) => AccessLine::Addresses(effect, text),
            Continued::Other => AccessLine::Nothing,
            Continued::Not => self.directive(text),
        };
        if goes_on {
            self.continued = match said {
                AccessLine::Addresses(effect, _) => Continued::Addresses(effect),
                _ => Continued::Other,
            };
        }
        said
    }

    fn directive<'a>(&mut self, line: &'a [u8]) -> AccessLine<'a> {
        if let Some(section) = line.strip_prefix(b"<") {
            self.section(section);
            return AccessLine::Nothing;
        }
        let (name, rest) = first_word(line);
        if self.narrower > 0 {
            let decides = [&b"deny"[..], b"allow", b"require"];
            let decides = decides.iter().any(|known| name.eq_ignore_ascii_case(known));
            return if decides { AccessLine::Narrower } else { AccessLine::Nothing };
        }
        let (argument, after) = first_word(rest);
        match name.to_ascii_lowercase().as_slice() {
            b"deny" if is_from(argument) && self.allows_all() => AccessLine::Nothing,
            b"deny" if is_from(argument) => AccessLine::Addresses(Effect::Blocks, after),
            b"allow" if is_from(argument) => self.allow(after),
            b"deny" | b"allow" => AccessLine::Foreign,
            b"order" => {
                let order = rest.to_ascii_lowercase();
                let deny_allow = order.trim_ascii_start().starts_with(b"deny");
                self.learn().order =
                    Some(if deny_allow { Order::DenyAllow } else { Order::AllowDeny });
                AccessLine::Nothing
            }
            b"require" => self.require(argument, after),
            _ if !name.first().is_some_and(u8::is_ascii_alphabetic) => AccessLine::Foreign,
            _ if parse_entry(unquoted(name)).is_ok() => AccessLine::Foreign,
            _ => AccessLine::Nothing,
        }
    }

    fn allow<'a>(&mut self, addresses: &'a [u8]) -> AccessLine<'a> {
        if words(addresses).any(|word| word.eq_ignore_ascii_case(b"all")) {
            self.learn().allows_all = true;
        }
        if self.known().order == Some(Order::AllowDeny) {
            return AccessLine::Nothing;
        }
        AccessLine::Addresses(Effect::Allows, addresses)
    }

    fn require<'a>(&mut self, argument: &[u8], after: &'a [u8]) -> AccessLine<'a> {
        let one_of_many = self.sections.iter().all(|&section| section == Section::Any);
        if one_of_many
            && argument.eq_ignore_ascii_case(b"all")
            && after.trim_ascii().eq_ignore_ascii_case(b"granted")
        {
            self.learn().grants_all = true;
        }
        let inside = |section| self.sections.contains(&section);
        let (negated, kind, addresses) = if argument.eq_ignore_ascii_case(b"not") {
            let (kind, addresses) = first_word(after);
            (true, kind, addresses)
        } else {
            (false, argument, after)
        };
        match (kind.eq_ignore_ascii_case(b"ip"), negated) {
            (false, _) => AccessLine::Nothing,
            // What stands in another way in keeps nobody from that one.
            _ if !one_of_many && self.known().grants_all => AccessLine::Nothing,
            // A server that reads this does not start: mod_authz_core, on `Require not`.
            (true, true) if matches!(self.sections.last(), Some(Section::None | Section::Any)) => {
                AccessLine::Foreign
            }
            (true, true) => AccessLine::Addresses(Effect::Blocks, addresses),
            (true, false) if self.sections.last() == Some(&Section::None) => {
                AccessLine::Addresses(Effect::Blocks, addresses)
            }
            (true, false) if inside(Section::All) || inside(Section::None) => AccessLine::Nothing,
            (true, false) => AccessLine::Addresses(Effect::Allows, addresses),
        }
    }

    fn section(&mut self, text: &[u8]) {
        let name = text.strip_suffix(b">").unwrap_or(text).trim_ascii().to_ascii_lowercase();
        let (word, argument) = first_word(&name);
        let ends = word.starts_with(b"/");
        if NARROWER.contains(&word.strip_prefix(b"/").unwrap_or(word)) {
            let root = matches!(unquoted(argument.trim_ascii()), b"/");
            let begins_scope = root && matches!(word, b"directory" | b"location");
            match self.narrower {
                0 if ends || begins_scope => self.scope += 1,
                open if ends => self.narrower = open - 1,
                open => self.narrower = open + 1,
            }
        }
        match name.as_slice() {
            b"requireall" => self.sections.push(Section::All),
            b"requireany" => self.sections.push(Section::Any),
            b"requirenone" => self.sections.push(Section::None),
            b"/requireall" | b"/requireany" | b"/requirenone" => {
                self.sections.pop();
            }
            _ => {}
        }
    }
}

/// The first word, and what stands behind it.
fn first_word(text: &[u8]) -> (&[u8], &[u8]) {
    let text = text.trim_ascii_start();
    let end = text.iter().position(u8::is_ascii_whitespace).unwrap_or(text.len());
    text.split_at(end)
}
