//! Files for `iptables-restore`.

use std::fmt::Write;
use std::process::Command;

use blocklist::Format;
use lab::namespace::isolated;
use lab::witness::fed;

use crate::{Dice, Ports, compare_but};

/// The rules of a table `filter` with two chains of its own.
const BY_HAND: &[&str] = &[
    "-A INPUT -s 192.0.2.0/28 -j DROP\n",
    "-A INPUT -s 192.0.2.4/30 -j ACCEPT\n-A INPUT -s 192.0.2.0/28 -j DROP\n",
    "-A INPUT -s 192.0.2.0/28 -j DROP\n-A INPUT -s 192.0.2.4/30 -j ACCEPT\n",
    "-A INPUT -s 192.0.2.0/28 -j DROP\n-I INPUT -s 192.0.2.4/30 -j ACCEPT\n",
    "-A INPUT -s 192.0.2.1 -p udp --dport PORT -j DROP\n-A INPUT -s 192.0.2.2 -j REJECT\n",
    "-A INPUT -s 192.0.2.1 -i eth9 -j DROP\n-A INPUT -s 192.0.2.8 -d 203.0.113.1 -j DROP\n",
    "-A INPUT -j bad\n-A bad -s 192.0.2.4/30 -j RETURN\n-A bad -s 192.0.2.0/28 -j DROP\n",
    "-A INPUT -s 192.0.2.0/28 -j bad\n-A bad -s 192.0.2.4/30 -j RETURN\n-A bad -j DROP\n",
    "-A INPUT -s 192.0.2.0/28 -g bad\n-A INPUT -s 192.0.2.0/28 -j DROP\n-A bad -s 192.0.2.0/30 -j DROP\n",
    "-A bad -s 192.0.2.0/28 -j DROP\n-A INPUT -s 192.0.2.1 -j DROP\n",
    "-A INPUT -s 192.0.2.0/28 -j DROP\n-D INPUT -s 192.0.2.0/28 -j DROP\n-A INPUT -s 192.0.2.9 -j DROP\n",
    "-A INPUT -m iprange --src-range 192.0.2.3-192.0.2.9 -j DROP\n",
    "-A INPUT -s 192.0.2.1,192.0.2.4 -j DROP\n-A INPUT -s 192.0.2.8/255.255.255.248 -j DROP\n",
    "-A INPUT ! -s 192.0.2.0/28 -j ACCEPT\n-A INPUT -s 192.0.2.0/27 -j DROP\n",
    "-A INPUT -s 192.0.2.0/28 -j bad\n-A bad ! -s 192.0.2.4/30 -j DROP\n",
    "-A INPUT ! -s 192.0.2.4/30 -j bad\n-A bad -s 192.0.2.0/28 -j DROP\n",
    "-A INPUT -p udp --dport PORT -g bad\n-A INPUT -s 192.0.2.0/28 -j DROP\n-A bad -s 192.0.2.1 -j RETURN\n",
    "-A INPUT -p udp --dport PORT -j bad\n-A INPUT -s 192.0.2.0/28 -j DROP\n-A bad -s 192.0.2.1 -j RETURN\n-A bad -s 192.0.2.2 -j ACCEPT\n",
    "-A INPUT -s 192.0.2.0/28 -j bad\n-A INPUT -s 192.0.2.4/30 -j DROP\n-A bad -p udp --dport PORT -j RETURN\n-A bad -j ACCEPT\n",
    "-A FORWARD -s 192.0.2.1 -j DROP\n-A INPUT -s 192.0.2.3 -j DROP\n",
    "-A INPUT -s 192.0.2.1 -j LOG --log-prefix \"x -j DROP\"\n-A INPUT -s 192.0.2.2 -m comment --comment \"-s 192.0.2.9\" -j DROP\n",
];

/// What drops everybody but some names nobody, and of ports that are dropped one
/// by one nobody knows that they are all. The addresses are dropped all the same.
const LEFT_OUT: &[(&str, &[&str])] = &[
    ("-A INPUT ! -s 192.0.2.0/28 -j DROP\n", &["192.0.1.255", "192.0.2.16"]),
    (
        "-A INPUT ! -s 192.0.2.4/30 -j bad\n-A bad -s 192.0.2.0/28 -j DROP\n-A bad -j DROP\n",
        &["192.0.1.255", "192.0.2.16"],
    ),
    (
        "-A INPUT -s 192.0.2.1 -p udp --dport PORT -j DROP\n-A INPUT -s 192.0.2.1 -p udp ! --dport PORT -j DROP\n",
        &["192.0.2.1"],
    ),
];

/// Rules of the same parts in any order.
fn made_up(dice: &mut Dice) -> String {
    let mut rules = String::new();
    for _ in 0..3 + dice.below(12) {
        let chain = dice.one(&["INPUT", "INPUT", "bad", "sub"]);
        let source = match dice.below(8) {
            0 => String::new(),
            1 => format!(" ! -s {}", dice.prefix()),
            _ => format!(" -s {}", dice.prefix()),
        };
        let named = source.starts_with(" -s");
        let part = dice.one(&["", "", "", "", " -p udp -m udp --dport PORT"]);
        // What drops everybody but some names nobody, and ports that are dropped
        // here and there are never all.
        let targets: &[&str] = match (chain, named, part) {
            ("INPUT", true, "") => &["DROP", "DROP", "ACCEPT", "bad", "sub", "RETURN"],
            ("bad", true, "") => &["DROP", "DROP", "ACCEPT", "sub", "RETURN"],
            (_, true, "") => &["DROP", "DROP", "ACCEPT", "RETURN"],
            ("INPUT", false, "") => &["bad", "sub"],
            ("bad", false, "") => &["sub"],
            ("INPUT", true, _) => &["ACCEPT", "RETURN"],
            _ => &["RETURN"],
        };
        let target = dice.one(targets);
        let verb = dice.one(&["-A", "-A", "-A", "-I"]);
        writeln!(rules, "{verb} {chain}{source}{part} -j {target}").expect("memory");
    }
    rules
}

#[test]
fn rules_drop_whom_we_list() {
    isolated(|| {
        let mut ports = Ports::new();
        let mut dice = Dice(0x2e);
        let made_up: Vec<String> = (0..80).map(|_| made_up(&mut dice)).collect();
        let all = BY_HAND.iter().copied().chain(made_up.iter().map(String::as_str));
        let all = all.map(|rules| (rules, &[][..])).chain(LEFT_OUT.iter().copied());
        for (rules, left_out) in all {
            let head = ":INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:bad - [0:0]\n:sub - [0:0]\n";
            // What tells that a packet was dropped comes from this host.
            let own = "-A INPUT -s 127.0.0.1 -j ACCEPT\n";
            let own = if left_out.is_empty() { "" } else { own };
            let text = ports.in_place(&format!("*filter\n{head}{own}{rules}COMMIT\n"));
            let output = fed::<&str>("iptables-restore", &[], text.as_bytes());
            assert!(output.status.success(), "{output:?} of\n{text}");
            compare_but(Format::Iptables, &text, left_out, &mut ports);
            let saved = Command::new("iptables-save").output().expect("iptables-save");
            let saved = String::from_utf8_lossy(&saved.stdout);
            compare_but(Format::Iptables, &saved, left_out, &mut ports);
        }
    });
}
