//! Files for `iptables-restore`.

use std::fmt::Write;

use blocklist::Format;
use lab::namespace::isolated;
use lab::packets::PacketProbe;
use lab::witness::fed;

use crate::{Dice, compare};

/// The rules of a table `filter` with two chains of its own.
const BY_HAND: &[&str] = &[
    "-A INPUT -s 192.0.2.0/28 -j DROP\n",
    "-A INPUT -s 192.0.2.4/30 -j ACCEPT\n-A INPUT -s 192.0.2.0/28 -j DROP\n",
    "-A INPUT -s 192.0.2.0/28 -j DROP\n-A INPUT -s 192.0.2.4/30 -j ACCEPT\n",
    "-A INPUT -s 192.0.2.0/28 -j DROP\n-I INPUT -s 192.0.2.4/30 -j ACCEPT\n",
    "-A INPUT -s 192.0.2.1 -p tcp --dport 22 -j DROP\n-A INPUT -s 192.0.2.2 -j REJECT\n",
    "-A INPUT -s 192.0.2.1 -i eth9 -j DROP\n-A INPUT -s 192.0.2.8 -d 203.0.113.1 -j DROP\n",
    "-A INPUT -j bad\n-A bad -s 192.0.2.4/30 -j RETURN\n-A bad -s 192.0.2.0/28 -j DROP\n",
    "-A INPUT -s 192.0.2.0/28 -j bad\n-A bad -s 192.0.2.4/30 -j RETURN\n-A bad -j DROP\n",
    "-A INPUT -s 192.0.2.0/28 -g bad\n-A INPUT -s 192.0.2.0/28 -j DROP\n-A bad -s 192.0.2.0/30 -j DROP\n",
    "-A bad -s 192.0.2.0/28 -j DROP\n-A INPUT -s 192.0.2.1 -j DROP\n",
    "-A INPUT -s 192.0.2.0/28 -j DROP\n-D INPUT -s 192.0.2.0/28 -j DROP\n-A INPUT -s 192.0.2.9 -j DROP\n",
    "-A INPUT -m iprange --src-range 192.0.2.3-192.0.2.9 -j DROP\n",
    "-A INPUT -s 192.0.2.1,192.0.2.4 -j DROP\n-A INPUT -s 192.0.2.8/255.255.255.248 -j DROP\n",
    "-A INPUT ! -s 192.0.2.0/28 -j ACCEPT\n-A INPUT -s 192.0.2.0/27 -j DROP\n",
    "-A FORWARD -s 192.0.2.1 -j DROP\n-A INPUT -s 192.0.2.3 -j DROP\n",
    "-A INPUT -s 192.0.2.1 -j LOG --log-prefix \"x -j DROP\"\n-A INPUT -s 192.0.2.2 -m comment --comment \"-s 192.0.2.9\" -j DROP\n",
];

/// Rules of the same parts in any order.
fn made_up(dice: &mut Dice) -> String {
    let mut rules = String::new();
    for _ in 0..3 + dice.below(12) {
        let chain = dice.one(&["INPUT", "INPUT", "bad", "sub"]);
        let source = match dice.below(8) {
            0 => String::new(),
            _ => format!(" -s {}", dice.prefix()),
        };
        let part = dice.one(&["", "", "", "", " -p tcp -m tcp --dport 22"]);
        let target = match (chain, source.is_empty()) {
            ("INPUT", true) => dice.one(&["bad", "sub"]),
            ("INPUT", _) => dice.one(&["DROP", "DROP", "ACCEPT", "bad", "sub", "RETURN"]),
            ("bad", true) => "sub",
            ("bad", _) => dice.one(&["DROP", "DROP", "ACCEPT", "sub", "RETURN"]),
            (_, true) => "RETURN",
            _ => dice.one(&["DROP", "DROP", "ACCEPT", "RETURN"]),
        };
        let verb = dice.one(&["-A", "-A", "-A", "-I"]);
        writeln!(rules, "{verb} {chain}{source}{part} -j {target}").expect("memory");
    }
    rules
}

#[test]
fn rules_drop_whom_we_list() {
    isolated(|| {
        let mut probe = PacketProbe::new();
        let mut dice = Dice(0x2e);
        let made_up: Vec<String> = (0..40).map(|_| made_up(&mut dice)).collect();
        for rules in BY_HAND.iter().copied().chain(made_up.iter().map(String::as_str)) {
            let head = ":INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:bad - [0:0]\n:sub - [0:0]\n";
            let text = format!("*filter\n{head}{rules}COMMIT\n");
            let output = fed::<&str>("iptables-restore", &[], text.as_bytes());
            assert!(output.status.success(), "{output:?} of\n{text}");
            compare(Format::Iptables, &text, &mut probe);
        }
    });
}
