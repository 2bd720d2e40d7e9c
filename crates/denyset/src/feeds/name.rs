//! Which names stand for feeds, as bytes, before there is a feed name; and
//! how names of any bytes are shown to people.

/// What editors and downloaders leave lying about: never a feed, and never
/// worth a word.
pub(super) fn is_passed_over(name: &[u8]) -> bool {
    let endings: [&[u8]; 4] = [b"~", b".tmp", b".part", b".swp"];
    name.starts_with(b".") || endings.iter().any(|ending| name.ends_with(ending))
}
