//! Words by which tables, documents and labels say what is to become of an
//! address, in English and in some other languages. Knows words only: where one may stand, the formats know.

/// Words that say to block.
const BLOCKING: [&str; 67] = [
    "deny",
    "denied",
    "block",
    "blocked",
    "blocklist",
    "drop",
    "dropped",
    "reject",
    "rejected",
    "refuse",
    "refused",
    "ban",
    "banned",
    "black",
    "blacklist",
    "blacklisted",
    "denylist",
    "malicious",
    "malware",
    "bad",
    "spam",
    "spammer",
    "attack",
    "attacker",
    "abuse",
    "abuser",
    "hostile",
    "evil",
    "discard",
    "deny_all",
    "bruteforce",
    "scanner",
    "botnet",
    "c2",
    "c&c",
    "listed",
    "active",
    "yes",
    "on",
    "true",
    "enabled",
    "prohibit",
    "blackhole",
    "unreachable",
    "quarantine",
    "threat",
    "sperren",
    "gesperrt",
    "blockieren",
    "blockiert",
    "bloquer",
    "bloqué",
    "bloquear",
    "bloqueado",
    "bloccare",
    "bloccato",
    "blokkeren",
    "geblokkeerd",
    "zablokowany",
    "блокировать",
    "заблокирован",
    "запретить",
    "拒绝",
    "阻止",
    "黑名单",
    "拒否",
    "차단",
];

/// Words that say not to.
const EXEMPTING: [&str; 95] = [
    "allow",
    "allowed",
    "allowlist",
    "allowlisted",
    "accept",
    "accepted",
    "permit",
    "permitted",
    "pass",
    "passed",
    "ok",
    "okay",
    "white",
    "whitelist",
    "whitelisted",
    "welcome",
    "trust",
    "trusted",
    "benign",
    "good",
    "ham",
    "clean",
    "safe",
    "unblock",
    "unblocked",
    "unban",
    "unbanned",
    "unlisted",
    "delisted",
    "removed",
    "deleted",
    "revoked",
    "expired",
    "inactive",
    "bypass",
    "relay",
    "return",
    "ignore",
    "ignored",
    "ignoreip",
    "exempt",
    "exempted",
    "exception",
    "exceptions",
    "exclude",
    "excluded",
    "disabled",
    "dunno",
    "friend",
    "friendly",
    "legit",
    "legitimate",
    "internal",
    "false_positive",
    "false-positive",
    "harmless",
    "no",
    "off",
    "false",
    "permit_auth_destination",
    "rpz-passthru",
    "passthru",
    "none",
    "nomatch",
    "erlauben",
    "erlaubt",
    "freigeben",
    "freigegeben",
    "zulassen",
    "zugelassen",
    "autoriser",
    "autorisé",
    "autorisée",
    "permitir",
    "permitido",
    "autorizado",
    "permitida",
    "consentire",
    "consentito",
    "permesso",
    "toestaan",
    "toegestaan",
    "dozwolony",
    "zezwól",
    "povoleno",
    "разрешить",
    "разрешено",
    "разрешён",
    "белый",
    "允许",
    "放行",
    "白名单",
    "許可",
    "허용",
    "✅",
];

/// Names of columns and fields whose value decides about their row.
const DECIDING: [&str; 56] = [
    "action",
    "actions",
    "mode",
    "verdict",
    "status",
    "state",
    "list",
    "listtype",
    "classification",
    "class",
    "policy",
    "decision",
    "disposition",
    "score",
    "confidence",
    "reputation",
    "risk",
    "riskscore",
    "threatlevel",
    "severity",
    "revoked",
    "active",
    "expired",
    "enabled",
    "disabled",
    "deleted",
    "removed",
    "whitelisted",
    "whitelist",
    "blacklisted",
    "blocked",
    "block",
    "allow",
    "allowed",
    "allowlisted",
    "deny",
    "denied",
    "trusted",
    "trust",
    "result",
    "access",
    "permission",
    "abuseconfidencescore",
    "benign",
    "malicious",
    "valid",
    "unblocked",
    "exempt",
    "confidencescore",
    "toids",
    "op",
    "operation",
    "falsepositive",
    "safe",
    "allowlist",
    // GreyNoise: a service that everybody uses.
    "riot",
];

/// What a word says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WordVerdict {
    /// To block.
    Blocks,
    /// Not to block.
    Exempts,
}

/// No word of these is as long.
const LENGTHS_MAX: usize = 25;

/// How long the words are that begin with a byte, as bits.
static LENGTHS: [u32; 256] = lengths();

const fn lengths() -> [u32; 256] {
    let mut all = [0; 256];
    let mut list = 0;
    while list < 2 {
        let words: &[&str] = if list == 0 { &EXEMPTING } else { &BLOCKING };
        let mut at = 0;
        while at < words.len() {
            let word = words[at].as_bytes();
            assert!(word.len() < LENGTHS_MAX && !word[0].is_ascii_uppercase());
            all[word[0] as usize] |= 1 << word.len();
            at += 1;
        }
        list += 1;
    }
    all
}

/// What a word says by itself, in any case of its letters.
pub(super) fn of_word(word: &[u8]) -> Option<WordVerdict> {
    let is = |known: &&str| word.eq_ignore_ascii_case(known.as_bytes());
    // Words of other languages begin with other letters.
    let letter = |first: &u8| first.is_ascii_alphabetic() || !first.is_ascii();
    if word.len() >= LENGTHS_MAX || !word.first().is_some_and(letter) {
        return None;
    }
    // Almost all words are none of these, which their first letters show.
    if LENGTHS[word[0].to_ascii_lowercase() as usize] & (1 << word.len()) == 0 {
        return None;
    }
    if EXEMPTING.iter().any(is) {
        return Some(WordVerdict::Exempts);
    }
    BLOCKING.iter().any(is).then_some(WordVerdict::Blocks)
}

/// Words that are common as a name or a note, and say something only where a
/// verdict is asked for.
const EVERYDAY: [&str; 16] = [
    "no", "off", "false", "none", "yes", "on", "true", "active", "enabled", "internal", "return",
    "clean", "safe", "disabled", "good", "removed",
];

/// What a word says wherever it stands.
pub(super) fn plainly(word: &[u8]) -> Option<WordVerdict> {
    let everyday = || EVERYDAY.iter().any(|known| word.eq_ignore_ascii_case(known.as_bytes()));
    of_word(word).filter(|_| !everyday())
}

/// Whether a column or field of this name decides about its row.
pub(super) fn is_deciding(name: &[u8]) -> bool {
    let plain = plain_name(name);
    let flag = ["is", "has"].iter().any(|begin| {
        name.len() > begin.len() + 1
            && name
                .get(..begin.len())
                .is_some_and(|text| text.eq_ignore_ascii_case(begin.as_bytes()))
            && matches!(name[begin.len()], b'_' | b'-' | b'A'..=b'Z')
    });
    flag || DECIDING.iter().any(|known| plain == known.as_bytes())
}

/// A name in small letters, without what stands between its words.
pub(super) fn plain_name(name: &[u8]) -> Vec<u8> {
    name.iter().filter(|byte| byte.is_ascii_alphanumeric()).map(u8::to_ascii_lowercase).collect()
}

/// What a state may be without saying what becomes of anybody.
const NEUTRAL: [&str; 6] = ["online", "offline", "up", "down", "n/a", "unknown"];

/// Whether the value of a field that decides says to block: a word that does,
/// or a number above zero; or is at least about something else.
pub(super) fn blocks(value: &[u8]) -> bool {
    if NEUTRAL.iter().any(|known| value.eq_ignore_ascii_case(known.as_bytes())) {
        return true;
    }
    match str::from_utf8(value).ok().and_then(|text| text.parse::<f64>().ok()) {
        Some(number) => number > 0.0,
        None => of_word(value) == Some(WordVerdict::Blocks),
    }
}

/// Whether a name has a part in it that tells who is welcome.
pub(super) fn is_welcoming(name: &[u8]) -> bool {
    const PARTS: [&[u8]; 21] = [
        b"allow",
        b"white",
        b"trust",
        b"good",
        b"safe",
        b"permit",
        b"accept",
        b"pass",
        b"friend",
        b"exempt",
        b"exception",
        b"ignore",
        b"bypass",
        b"office",
        b"internal",
        b"customer",
        b"mgmt",
        b"management",
        b"monitor",
        b"partner",
        b"welcome",
    ];
    let name = name.to_ascii_lowercase();
    PARTS.iter().any(|part| memchr::memmem::find(&name, part).is_some()) && !is_blocking(&name)
}

/// Whether a name has a part in it that tells who is not.
pub(super) fn is_blocking(name: &[u8]) -> bool {
    const PARTS: [&[u8]; 27] = [
        b"block",
        b"black",
        b"deny",
        b"denied",
        b"drop",
        b"ban",
        b"bad",
        b"evil",
        b"reject",
        b"attack",
        b"abus",
        b"spam",
        b"malic",
        b"hostile",
        b"bogon",
        b"threat",
        b"badguy",
        b"bot",
        b"scan",
        b"brute",
        b"dshield",
        b"spamhaus",
        b"firehol",
        b"f2b",
        b"fail2ban",
        b"crowdsec",
        b"untrust",
    ];
    let name = name.to_ascii_lowercase();
    let is_ban = |at: usize| !name[at..].starts_with(b"bank") && !name[at..].starts_with(b"band");
    PARTS
        .iter()
        .any(|part| memchr::memmem::find_iter(&name, part).any(|at| *part != b"ban" || is_ban(at)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_say_what_they_say_in_any_case() {
        let check = |word: &str, want| assert_eq!(of_word(word.as_bytes()), want, "{word}");
        check("DENY", Some(WordVerdict::Blocks));
        check("Allow", Some(WordVerdict::Exempts));
        check("unblocked", Some(WordVerdict::Exempts));
        check("RU", None);
        check("", None);
        assert_eq!(plainly(b"no"), None);
        assert_eq!(plainly(b"WHITE"), Some(WordVerdict::Exempts));
    }

    #[test]
    fn names_of_fields_that_decide_are_known() {
        for name in ["action", "Status", "is_anonymous", "isWhitelisted", "abuseConfidenceScore"] {
            assert!(is_deciding(name.as_bytes()), "{name}");
        }
        for name in ["ip", "country", "isp", "issued", "list_name_of"] {
            assert!(!is_deciding(name.as_bytes()), "{name}");
        }
        assert!(
            blocks(b"100") && blocks(b"BLACK") && !blocks(b"0") && !blocks(b"") && !blocks(b"0.0")
        );
    }

    #[test]
    fn names_of_sets_tell_who_is_in_them() {
        assert!(is_welcoming(b"Allow_List") && !is_welcoming(b"disallow-block"));
        assert!(is_blocking(b"chain_DENY") && is_blocking(b"f2b-sshd") && !is_blocking(b"banks"));
    }
}
