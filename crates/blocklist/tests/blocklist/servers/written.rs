//! Sets written in a format and read back are the same, and the format is told
//! from the text, if any file is taken for it.

use blocklist::{AnyPrefix, Format, Limits, Prefix, PrefixSet, Prefixes, detect, parse};
use proptest::collection::vec;
use proptest::prelude::*;

/// How a set is written.
struct Writer {
    format: Format,
    head: &'static str,
    entry: fn(&str) -> String,
    tail: &'static str,
}

const WRITERS: &[Writer] = &[
    Writer {
        format: Format::Csf,
        head: "# The following IP addresses will be blocked in iptables\ntcp|in|d=22|s=192.0.2.1\n",
        entry: |prefix| format!("{prefix} # lfd: x\n"),
        tail: "",
    },
    Writer {
        format: Format::IpsetList,
        head: "Name: bad\nType: hash:net\nRevision: 7\nHeader: family inet hashsize 1024\nMembers:\n",
        entry: |prefix| format!("{prefix}\n"),
        tail: "",
    },
    Writer {
        format: Format::Edl,
        head: "",
        entry: |prefix| format!("{prefix} - x (y)\n"),
        tail: "",
    },
    Writer {
        format: Format::Firewalld,
        head: "<?xml version=\"1.0\"?>\n<ipset type=\"hash:net\">\n",
        entry: |prefix| format!("  <entry>{prefix}</entry>\n"),
        tail: "</ipset>\n",
    },
    Writer {
        format: Format::IpRoute,
        head: "#!/bin/sh\n",
        entry: |prefix| format!("ip route add blackhole {prefix}\n"),
        tail: "",
    },
    Writer {
        format: Format::Unbound,
        head: "server:\n",
        entry: |prefix| format!("\taccess-control: {prefix} refuse\n"),
        tail: "",
    },
    Writer {
        format: Format::Bind,
        head: "acl bad {\n",
        entry: |prefix| format!("\t{prefix};\n"),
        tail: "};\n",
    },
    Writer {
        format: Format::ZeekIntel,
        head: "#fields\tindicator\tindicator_type\n",
        entry: |prefix| format!("{prefix}\tIntel::SUBNET\n"),
        tail: "",
    },
    Writer { format: Format::Pf, head: "# x\n", entry: |prefix| format!("{prefix}\n"), tail: "" },
    Writer {
        format: Format::Iprep,
        head: "",
        entry: |prefix| format!("{prefix},1,100\n"),
        tail: "",
    },
    Writer {
        format: Format::Stix,
        head: "{\"type\":\"bundle\",\"objects\":[\n{\"type\":\"identity\",\"spec_version\":\"2.1\"}",
        entry: |prefix| {
            let kind = if prefix.contains(':') { "ipv6" } else { "ipv4" };
            format!(
                ",\n{{\"type\":\"indicator\",\"pattern\":\"[{kind}-addr:value = '{prefix}']\"}}"
            )
        },
        tail: "]}\n",
    },
    Writer {
        format: Format::MispEvent,
        head: "{\"Event\":{\"info\":\"x\",\"Attribute\":[\n{\"type\":\"comment\",\"value\":\"x\"}",
        entry: |prefix| {
            format!(",\n{{\"type\":\"ip-src\",\"to_ids\":true,\"value\":\"{prefix}\"}}")
        },
        tail: "]}}\n",
    },
];

/// Prefixes that no format has to write as something else.
fn sets() -> impl Strategy<Value = Prefixes> {
    let four = vec((any::<u32>(), 8..=32_u8), 0..20);
    let six = vec((any::<u128>(), 16..=128_u8), 0..20);
    (four, six).prop_map(|(four, six)| {
        let ipv4: PrefixSet<u32> =
            four.into_iter().map(|(a, n)| Prefix::containing(a | 1 << 24, n)).collect();
        let ipv6: PrefixSet<u128> =
            six.into_iter().map(|(a, n)| Prefix::containing(a >> 3 | 1 << 125, n)).collect();
        Prefixes { ipv4, ipv6 }
    })
}

/// The name of a client in a policy zone.
fn client(prefix: AnyPrefix) -> String {
    match prefix {
        AnyPrefix::V4(prefix) => {
            let [a, b, c, d] = prefix.first().to_be_bytes();
            format!("{}.{d}.{c}.{b}.{a}.rpz-client-ip CNAME .\n", prefix.length())
        }
        AnyPrefix::V6(prefix) => {
            let words: Vec<String> =
                (0..8).map(|n| format!("{:x}", prefix.first() >> (n * 16) & 0xffff)).collect();
            format!("{}.{}.rpz-client-ip CNAME .\n", prefix.length(), words.join("."))
        }
    }
}

fn comes_back(format: Format, text: &str, set: &Prefixes, told: bool) -> Result<(), TestCaseError> {
    if told && !set.is_empty() {
        prop_assert_eq!(detect(text.as_bytes()), format, "{}", text);
    }
    let feed = parse(text.as_bytes(), format, &Limits::default());
    prop_assert_eq!(&feed.rejects, &[], "{}", text);
    prop_assert_eq!(&feed.doubt, &None, "{}", text);
    prop_assert_eq!(&feed.prefixes, set, "{}", text);
    Ok(())
}

proptest! {
    #[test]
    fn a_set_is_the_same_after_it_was_written_and_read(set in sets()) {
        for writer in WRITERS {
            let entries: String = set.iter().map(|prefix| (writer.entry)(&prefix.to_string())).collect();
            let text = format!("{}{entries}{}", writer.head, writer.tail);
            let told = !matches!(writer.format, Format::Pf | Format::Iprep);
            comes_back(writer.format, &text, &set, told)?;
        }
        let zone: String = set.iter().map(client).collect();
        comes_back(Format::Rpz, &zone, &set, true)?;
    }

    #[test]
    fn addresses_come_back_without_their_ports(four in vec(any::<u32>(), 0..20), six in vec(any::<u128>(), 0..20), port in any::<u16>()) {
        let set = Prefixes {
            ipv4: four.into_iter().map(|a| Prefix::containing(a, 32)).collect(),
            ipv6: six.into_iter().map(|a| Prefix::containing(a >> 3 | 1 << 125, 128)).collect(),
        };
        let endpoints: String = set.iter().map(|prefix| match prefix {
            AnyPrefix::V4(_) => format!("{prefix}:{port}\nhttp://{prefix}:{port}/x\n"),
            AnyPrefix::V6(_) => format!("[{prefix}]:{port}\nhttps://[{prefix}]/\n"),
        }).collect();
        comes_back(Format::Endpoints, &endpoints, &set, false)?;
        let attackers: String = set.iter().map(|prefix| match prefix {
            AnyPrefix::V4(_) => format!("1|100|4|{prefix}\n"),
            AnyPrefix::V6(_) => format!("1|100|6|{prefix}\n"),
        }).collect();
        comes_back(Format::Sshguard, &attackers, &set, true)?;
    }
}
