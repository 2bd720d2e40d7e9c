//! Files for `nft -f`.

use std::fmt::Write;
use std::process::Command;

use blocklist::Format;
use lab::namespace::isolated;
use lab::witness::fed;

use crate::{Dice, Ports, compare};

/// Two sets and two chains, and what each of them holds.
fn ruleset(bad: &str, ok: &str, sub: &str, input: &str) -> String {
    let set = |name: &str, elements: &str| {
        let elements = if elements.is_empty() {
            String::new()
        } else {
            format!("\t\telements = {{ {elements} }}\n")
        };
        format!(
            "\tset {name} {{\n\t\ttype ipv4_addr\n\t\tflags interval\n\t\tauto-merge\n{elements}\t}}\n"
        )
    };
    let (bad, ok) = (set("bad", bad), set("ok", ok));
    let hook = "\t\ttype filter hook input priority 0; policy accept;\n";
    format!(
        "table inet t {{\n{bad}{ok}\tchain sub {{\n{sub}\t}}\n\tchain input {{\n{hook}{input}\t}}\n}}\n"
    )
}

/// The elements of the sets, and the rules of the chains.
const BY_HAND: &[[&str; 4]] = &[
    ["192.0.2.0/28", "", "", "\t\tip saddr @bad drop\n"],
    ["192.0.2.0/28", "192.0.2.4/30", "", "\t\tip saddr @ok accept\n\t\tip saddr @bad drop\n"],
    ["192.0.2.0/28", "192.0.2.4/30", "", "\t\tip saddr @bad drop\n\t\tip saddr @ok accept\n"],
    [
        "192.0.2.0/28",
        "192.0.2.4/30",
        "",
        "\t\tip saddr @bad udp dport PORT drop\n\t\tip saddr @ok drop\n",
    ],
    [
        "192.0.2.0/28",
        "192.0.2.4/30",
        "\t\tip saddr @ok return\n\t\tdrop\n",
        "\t\tip saddr @bad jump sub\n",
    ],
    [
        "192.0.2.0/28",
        "192.0.2.4/30",
        "\t\tip saddr @ok drop\n",
        "\t\tip saddr @bad goto sub\n\t\tip saddr @bad drop\n",
    ],
    ["192.0.2.3-192.0.2.9", "192.0.2.200", "", "\t\tip saddr @bad counter reject\n"],
    ["192.0.2.1", "192.0.2.2", "", "\t\tip daddr @bad drop\n\t\tip saddr @ok drop\n"],
    ["192.0.2.1", "192.0.2.2", "", "\t\tip saddr { 192.0.2.8, 192.0.2.16/30 } drop\n"],
    [
        "192.0.2.1",
        "192.0.2.2",
        "",
        "\t\tip saddr != @bad accept\n\t\tip saddr @ok drop\n\t\tip saddr @bad drop\n",
    ],
    [
        "192.0.2.1",
        "192.0.2.2",
        "",
        "\t\tip6 saddr 2001:db8::/32 drop\n\t\tip saddr 192.0.2.9 drop\n",
    ],
    [
        "192.0.2.1",
        "192.0.2.2",
        "",
        "\t\tiifname \"eth9\" ip saddr @bad drop\n\t\tip saddr @ok log drop\n",
    ],
    ["192.0.2.1", "192.0.2.2", "\t\tip saddr @bad drop\n", ""],
    [
        "192.0.2.0/28",
        "192.0.2.4/30",
        "\t\tip saddr @ok udp dport PORT return\n\t\tdrop\n",
        "\t\tip saddr @bad jump sub\n",
    ],
    ["192.0.2.0/28", "192.0.2.4/30", "\t\tip saddr != @ok drop\n", "\t\tip saddr @bad jump sub\n"],
    [
        "192.0.2.0/28",
        "192.0.2.4/30",
        "\t\tip saddr @ok accept\n",
        "\t\tudp dport PORT goto sub\n\t\tip saddr @bad drop\n",
    ],
    [
        "192.0.2.0/28",
        "192.0.2.4/30",
        "\t\tip saddr @ok accept\n",
        "\t\tudp dport PORT jump sub\n\t\tip saddr @bad drop\n",
    ],
    [
        "192.0.2.0/28",
        "192.0.2.4/30",
        "\t\tip saddr @bad drop\n",
        "\t\tip saddr @bad udp dport PORT goto sub\n\t\tip saddr @bad accept\n",
    ],
    ["192.0.2.1", "", "", "\t\tip saddr @bad accept\n\t\tip saddr 192.0.2.0/28 drop\n"],
];

/// Rulesets of the same parts in any order.
fn made_up(dice: &mut Dice) -> String {
    let elements =
        |dice: &mut Dice| (0..=dice.below(3)).map(|_| dice.prefix()).collect::<Vec<_>>().join(", ");
    let (bad, ok) = (elements(dice), elements(dice));
    let mut chains = [String::new(), String::new()];
    for (at, chain) in chains.iter_mut().enumerate() {
        for _ in 0..=dice.below(6) {
            let prefix = dice.prefix();
            let source = dice.one(&["@bad", "@bad", "@ok", &prefix]).to_owned();
            let not = dice.one(&["", "", "", "", "!= "]);
            let part = dice.one(&["", "", "", "udp dport PORT "]);
            // What drops everybody but some names nobody, and ports that are
            // dropped here and there are never all.
            let targets: &[&str] = match (at, not, part) {
                (0, "", "") => &["drop", "drop", "accept", "return"],
                (0, _, _) => &["accept", "return"],
                (_, "", "") => &["drop", "drop", "accept", "jump sub", "goto sub", "return"],
                _ => &["accept", "return"],
            };
            let target = dice.one(targets);
            writeln!(chain, "\t\tip saddr {not}{source} {part}{target}").expect("memory");
        }
        if at == 0 && dice.below(4) == 0 {
            chain.push_str("\t\tdrop\n");
        }
    }
    ruleset(&bad, &ok, &chains[0], &chains[1])
}

#[test]
fn rulesets_drop_whom_we_list() {
    isolated(|| {
        let mut ports = Ports::new();
        let mut dice = Dice(0x3f);
        let by_hand = BY_HAND.iter().map(|[bad, ok, sub, input]| ruleset(bad, ok, sub, input));
        let made_up: Vec<String> = (0..80).map(|_| made_up(&mut dice)).collect();
        for text in by_hand.chain(made_up) {
            let text = ports.in_place(&text);
            let load = format!("flush ruleset\n{text}");
            let output = fed("nft", &["-f", "-"], load.as_bytes());
            assert!(output.status.success(), "{output:?} of\n{text}");
            compare(Format::Nft, &text, &mut ports);
            compare(Format::NftJson, &listed(), &mut ports);
        }
    });
}

/// The same as the kernel has it, in JSON.
fn listed() -> String {
    let output = Command::new("nft").args(["-j", "list", "ruleset"]).output().expect("nft");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("JSON is UTF-8")
}
