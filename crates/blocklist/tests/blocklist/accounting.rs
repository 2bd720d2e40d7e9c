//! Every line of a feed that is neither blank nor a comment is counted once, as
//! what it came to, whatever the format and whatever the bytes.

use blocklist::{Column, Feed, Format, FormatChoice, Limits, LineTally, Options, parse_with};
use proptest::collection::vec;
use proptest::prelude::*;

/// Pieces of files of all kinds.
const PIECES: [&str; 44] = [
    "192.0.2.1",
    "192.0.2.7/24",
    "2001:db8::/32",
    "192.0.2.1-192.0.2.9",
    "192.0.2.256",
    " ",
    "\t",
    "\n",
    "\r\n",
    "\n\n",
    ",",
    ";",
    "|",
    ":",
    "# x",
    "; x",
    "{",
    "}",
    "[",
    "]",
    "\"",
    "\"ip\":",
    "\"ipv4\":",
    "deny ",
    "allow ",
    "!",
    "create bad hash:ip",
    "add bad ",
    "del bad ",
    "-A INPUT -s ",
    " -j DROP",
    "*filter",
    "COMMIT",
    "table ip f {",
    "elements = { ",
    "/ip firewall address-list",
    "add list=bad address=",
    "access-list 1 deny ip host ",
    " any",
    "ALL: ",
    "Deny from ",
    "<Location /x>",
    "alert ip ",
    "network,country",
];

fn read(bytes: &[u8], choice: impl Into<FormatChoice>, options: &Options) -> Feed {
    parse_with(bytes, choice, options, &Limits::default())
}

fn check(format: Format, text: &str, options: &Options, want: LineTally) {
    let feed = read(text.as_bytes(), format, options);
    assert_eq!(feed.lines, want, "{format}: {text}");
    assert_eq!(feed.lines.sum(), feed.shape.lines - feed.shape.blank, "{format}: {text}");
}

#[test]
fn a_line_counts_as_what_it_came_to() {
    let all = Options::default();
    let none = LineTally::default();
    let plain =
        "# x\n192.0.2.1\n192.0.2.1 # twice\n192.0.2.7/24\n 192.0.2.8/25\n\nx\n10.0.0.1-10.0.0.9";
    check(Format::Plain, plain, &all, LineTally { entries: 3, masked: 2, rejected: 1, ..none });
    let nginx =
        "allow 192.0.2.1;\ndeny 192.0.2.0/24;\nlocation /x {\n  deny 192.0.2.9;\n}\ndeny all;\n";
    check(
        Format::Nginx,
        nginx,
        &all,
        LineTally { entries: 1, exempted: 1, narrower: 1, other: 3, ..none },
    );
    let apache = "<Location /x>\nDeny from 192.0.2.1\n</Location>\nDeny from 192.0.2.3 192.0.2.4\n";
    check(Format::Apache, apache, &all, LineTally { entries: 1, narrower: 1, other: 2, ..none });
    let rules = "*filter\n-A INPUT -s 192.0.2.1 -j ACCEPT\n-A INPUT -s 192.0.2.1 -p tcp -j DROP\n\
                 -A INPUT -s 192.0.2.0/24 -j DROP\nCOMMIT\n";
    let told = LineTally { entries: 1, exempted: 1, narrower: 1, other: 2, ..none };
    check(Format::Iptables, rules, &all, told);
    let ipset = "create bad hash:ip\nadd bad 192.0.2.1\nadd bad 192.0.2.3\ndel bad 192.0.2.3\n";
    check(Format::Ipset, ipset, &all, LineTally { entries: 1, other: 3, ..none });
    let decisions = "duration,scope,value\n4h,ip,192.0.2.1\n-4h,ip,192.0.2.3\n4h,country,ZZ\n";
    let told = LineTally { entries: 1, ended: 1, other: 2, ..none };
    check(Format::CrowdsecCsv, decisions, &all, told);
    let table = "ip,country\n192.0.2.1,ZZ\n192.0.2.3,XX\n192.0.2.256,ZZ\n";
    let condition = "country = ZZ".parse().expect("a condition");
    let some = Options {
        column: Some(Column::Name("ip".to_owned())),
        conditions: vec![condition],
        ..Options::default()
    };
    let told = LineTally { entries: 1, left_out: 1, other: 1, rejected: 1, ..none };
    check(Format::Table, table, &some, told);
}

proptest! {
    #[test]
    fn the_sum_is_the_number_of_lines_that_say_something(
        bytes in vec(any::<u8>(), 0..200),
        pieces in vec(0..PIECES.len(), 0..60),
    ) {
        let text: String = pieces.iter().map(|&piece| PIECES[piece]).collect();
        for bytes in [&bytes[..], text.as_bytes()] {
            for format in Format::ALL.iter().map(|&format| FormatChoice::from(format)).chain([FormatChoice::Auto]) {
                let feed = read(bytes, format, &Options::default());
                let said = feed.shape.lines - feed.shape.blank;
                prop_assert_eq!(feed.lines.sum(), said, "{}", feed.format);
                prop_assert!(feed.lines.rejected <= feed.tally.rejected, "{}", feed.format);
            }
        }
    }
}
