//! Files for `ipset restore`, with a rule for each set that is there afterwards.

use std::fmt::Write;

use blocklist::Format;
use lab::namespace::isolated;
use lab::witness;
use lab::witness::{fed, ipset, names};

use crate::{Dice, Ports, compare};

const BY_HAND: &[&str] = &[
    "create bad hash:ip\nadd bad 192.0.2.1\nadd bad 192.0.2.8/30\n",
    "create bad hash:net\nadd bad 192.0.2.0/28\nadd bad 192.0.2.4/30 nomatch\nadd bad 192.0.2.5\n",
    "create bad hash:net\nadd bad 192.0.2.0/28\nadd bad 192.0.2.0/30\ndel bad 192.0.2.0/28\n",
    "create bad hash:net\nadd bad 192.0.2.4/30 nomatch\nadd bad 192.0.2.0/28\ndel bad 192.0.2.4/30\n",
    "create bad hash:net\ncreate bad2 hash:net\nadd bad 192.0.2.1\nadd bad2 192.0.2.2\nswap bad bad2\nflush bad\n",
    "create bad hash:net\nadd bad 192.0.2.1\nrename bad bad3\nadd bad3 192.0.2.2\n",
    "create bad hash:net\nadd bad 192.0.2.1\ndestroy bad\ncreate bad hash:net\nadd bad 192.0.2.9\n",
    "create bad hash:ip netmask 28\nadd bad 192.0.2.1\nadd bad 192.0.2.33\n",
    "create bad hash:ip timeout 600\nadd bad 192.0.2.1\nadd bad 192.0.2.2 timeout 0\nadd bad 192.0.2.3 timeout 300\n",
    "create bad bitmap:ip range 192.0.2.0-192.0.2.255\nadd bad 192.0.2.4-192.0.2.9\n",
    "create bad hash:net family inet6\nadd bad 2001:db8::/32\nadd bad 2001:db8:1::/48 nomatch\n",
    "create bad hash:net\nadd bad 192.0.2.0/28\nflush bad\nadd bad 192.0.2.0/29\n",
    "create bad hash:ip\nadd bad 192.0.2.0/30\ndel bad 192.0.2.1\nadd bad 192.0.2.1\n",
    "create bad hash:ip\nadd bad 192.0.2.0/30\ndel bad 192.0.2.1\n",
];

/// A file of the same commands in any order.
fn made_up(dice: &mut Dice) -> String {
    let kind = dice.one(&["hash:net", "hash:ip", "hash:ip netmask 30"]);
    let mut text = format!("create bad {kind}\ncreate bad2 {kind}\n");
    for _ in 0..4 + dice.below(16) {
        let set = dice.one(&["bad", "bad2"]);
        let prefix = dice.prefix().replace("/29", "/30");
        let command = match dice.below(12) {
            0..=3 => format!("add {set} {prefix}"),
            4 | 5 => format!("add {set} 192.0.2.{}-192.0.2.{}", dice.below(5), 5 + dice.below(9)),
            6 | 7 if kind == "hash:net" => {
                // No other prefix is as long.
                format!(
                    "add {set} 192.0.2.{}/{} nomatch",
                    8 * dice.below(2),
                    27 + 2 * dice.below(2)
                )
            }
            6 | 7 => format!("add {set} {prefix}"),
            8 | 9 => format!("del {set} {prefix}"),
            10 => "swap bad bad2".to_owned(),
            _ => format!("flush {set}"),
        };
        writeln!(text, "{command}").expect("memory");
    }
    text
}

#[test]
fn sets_hold_what_we_list() {
    isolated(|| {
        let mut ports = Ports::new();
        let mut dice = Dice(0x1d);
        let made_up: Vec<String> = (0..60).map(|_| made_up(&mut dice)).collect();
        for text in BY_HAND.iter().copied().chain(made_up.iter().map(String::as_str)) {
            let output = fed("ipset", &["-exist", "restore"], text.as_bytes());
            assert!(output.status.success(), "{output:?} of\n{text}");
            for set in names() {
                let rule = format!("-A INPUT -m set --match-set {set} src -j DROP");
                if text.contains("inet6") {
                    witness::ip6tables(&rule)
                } else {
                    witness::iptables(&rule)
                };
            }
            compare(Format::Ipset, text, &mut ports);
            witness::iptables("-F INPUT");
            witness::ip6tables("-F INPUT");
            ipset("destroy");
        }
    });
}
