//! The formats of firewalls, servers and their watchmen: what blocks, what does
//! not, what is told apart from a plain list.

mod apache;
mod cisco;
mod fail2ban;
mod firewalld;
mod hosts_deny;
mod ipset;
mod iptables;
mod mikrotik;
mod nft;
mod nginx;
mod snort;

use blocklist::{AnyPrefix, Feed, Format, Limits, Prefix, PrefixSet, Prefixes, detect, parse};
use blocklist::{RejectReason, sources};
use proptest::collection::vec;
use proptest::prelude::*;

/// One format, and how to ask it.
struct Reader(Format);

impl Reader {
    fn read(&self, text: &str) -> Feed {
        let feed = parse(text.as_bytes(), self.0, &Limits::default());
        // The other way of reading has to know the same addresses.
        for prefix in feed.prefixes.iter().take(50) {
            let address = match prefix {
                AnyPrefix::V4(prefix) => blocklist::Address::to_ip(prefix.first()),
                AnyPrefix::V6(prefix) => blocklist::Address::to_ip(prefix.first()),
            };
            let found = sources(text.as_bytes(), self.0, &Limits::default(), address);
            assert!(!found.is_empty(), "no source of {address} in {text:?}");
        }
        let marked = parse(format!("\u{feff}{text}").as_bytes(), self.0, &Limits::default());
        assert_eq!(marked, feed, "{text:?} with a mark");
        feed
    }

    /// A text without mistakes, and what it blocks for ever.
    fn check(&self, text: &str, want: &[&str]) {
        let feed = self.read(text);
        assert_eq!(feed.rejects, [], "{text:?}");
        assert_eq!(shown(&feed.prefixes), want, "{text:?}");
    }

    /// A text with one mistake, and nothing else that means anything.
    fn refuse(&self, text: &str, reason: RejectReason) {
        let feed = self.read(text);
        let reasons: Vec<_> = feed.rejects.iter().map(|reject| reject.reason).collect();
        assert_eq!(reasons, [reason], "{text:?}");
        assert!(feed.prefixes.is_empty() && feed.expiring.is_empty(), "{text:?}");
    }

    /// What ends, with the seconds until then.
    fn check_expiring(&self, text: &str, want: &[(u64, &[&str])]) {
        let feed = self.read(text);
        assert_eq!(feed.rejects, [], "{text:?}");
        let got: Vec<_> =
            feed.expiring.iter().map(|(&seconds, set)| (seconds, shown(set))).collect();
        let want: Vec<_> = want
            .iter()
            .map(|(seconds, set)| (*seconds, set.iter().map(ToString::to_string).collect()))
            .collect();
        assert_eq!(got, want, "{text:?}");
    }

    fn check_detected(&self, texts: &[&str]) {
        for text in texts {
            assert_eq!(detect(text.as_bytes()), self.0, "{text:?}");
        }
    }
}

fn shown(prefixes: &Prefixes) -> Vec<String> {
    prefixes.iter().map(|prefix| prefix.to_string()).collect()
}

/// Sets as they are in feeds: no IPv4-mapped addresses among those of IPv6, and
/// nothing that means all addresses.
fn any_prefixes() -> impl Strategy<Value = Prefixes> {
    let four = vec((any::<u32>(), 1..=32_u8), 0..20);
    let six = vec((any::<u128>(), 1..=128_u8), 0..20);
    (four, six).prop_map(|(four, six)| {
        let mapped = Prefix::containing(0xffff_u128 << 32, 96);
        let ipv4: PrefixSet<u32> = four.iter().map(|&(a, n)| Prefix::containing(a, n)).collect();
        let ipv6 = six.iter().map(|&(a, n)| Prefix::containing(a, n));
        Prefixes { ipv4, ipv6: ipv6.filter(|&prefix| !mapped.covers(prefix)).collect() }
    })
}

/// That a set comes back from the text it was written as.
fn round_trip(format: Format, text: &str, set: &Prefixes) -> Result<(), TestCaseError> {
    let feed = parse(text.as_bytes(), format, &Limits::default());
    prop_assert_eq!(feed.tally.rejected, 0, "{:?}", feed.rejects);
    prop_assert_eq!(&feed.prefixes, set);
    Ok(())
}

proptest! {
    /// Pieces that all these formats are made of, in any order.
    #[test]
    fn no_text_is_too_strange_to_be_read(pieces in vec(prop_oneof![
        Just("192.0.2.1"), Just("2001:db8::/32"), Just("::"), Just("0.0.0.0/0"), Just("255.255.255.255"),
        Just("add "), Just("create "), Just("a "), Just("nomatch "), Just("del "), Just("hash:ip "),
        Just("deny "), Just("allow "), Just("geo "), Just("from "), Just("Require not ip "),
        Just("<RequireNone>"), Just("</RequireNone>"), Just("ALL: "), Just("EXCEPT "), Just("timeout 5 "),
        Just("set "), Just("elements = "), Just("type ipv4_addr"), Just("-A "), Just("-s "), Just("-j DROP"),
        Just("-j ACCEPT"), Just("! "), Just("{"), Just("}"), Just(";"), Just(","), Just("["), Just("]"),
        Just("'"), Just("\""), Just("\\"), Just(":"), Just(" "), Just("\n"), Just("\r"), Just("#"), Just("\u{a0}"),
        Just("alert ip "), Just(" any -> any any"), Just("[x] Ban "), Just("Unban "), Just("rule "),
        Just("source address="), Just("add list=a address="), Just(":do {"), Just("drop "), Just("ip host "), Just("any "), Just("@a "), Just("1;"),
    ], 0..40)) {
        let text = pieces.concat();
        for &format in Format::ALL {
            let feed = parse(text.as_bytes(), format, &Limits::default());
            let entries = feed.tally.ipv4 + feed.tally.ipv6;
            prop_assert_eq!(feed.tally.entries, entries, "{} of {:?}", format, text);
            for prefix in feed.prefixes.iter().take(5) {
                let address = match prefix {
                    AnyPrefix::V4(prefix) => blocklist::Address::to_ip(prefix.first()),
                    AnyPrefix::V6(prefix) => blocklist::Address::to_ip(prefix.first()),
                };
                let found = sources(text.as_bytes(), format, &Limits::default(), address);
                prop_assert!(!found.is_empty(), "{} has no source of {} in {:?}", format, address, text);
            }
        }
    }
}
