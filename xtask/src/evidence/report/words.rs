//! What the report says around its tables: the questions, how they were answered,
//! and what a reader has to know to do it again.

use std::fmt::Write as _;

use super::super::record::Findings;

/// How it begins.
pub(super) const HEAD: &str = "\
# Which way to keep a million addresses off a host

In 2011 somebody asked for evidence: a million single addresses that must not reach a web
server; iptables, null routes, or what else? The answers were conjectures. This report is
made by `cargo xtask evidence` from what it measured on one machine; every round is in
`results.json` beside it. Ratios carry to other machines, absolute figures do not.

";

/// How it ends.
pub(super) const METHOD: &str = "
## Method

* Each variant has network namespaces of its own, made for it and gone after it: a host, and
  a namespace beyond a pair of veth interfaces from which all packets come.
* Variants are measured in turns, round by round, and the first of a round is another each
  time. Figures are medians of the rounds with the least and the most; ratios are made within
  a round, and then their median is taken: what disturbs a whole round cancels.
* The same variant is measured twice, as `none` and `none, again`. By what these differ the
  noise is known: a difference below it is printed as `=`. Variants of IPv6 are compared with
  `none, IPv6`.
* What a program refuses, or does not do in time, is a result and is printed with what it said.
  What is not on the machine is printed as not run, with the reason.
* A packet's cost is the processor time of the thread that sends it: over veth the receiver's
  part runs in the sender's context. It includes sending, and what a program in user space
  works that the packet waits for.
* Addresses are random and public, the same on every machine: a list of a length is the same
  list for all.

### To do it again, and to change it

    cargo xtask evidence                    # all that is not done yet
    cargo xtask evidence B 1000000          # one question, one length, anew
    cargo xtask evidence 'nft set' denyset  # variants by parts of their names, into evidence/part
    cargo xtask evidence --rounds 9 D

Code is below `xtask/src/evidence`. A way of question B is a file of `million/ways`, an `impl Way`: its name,
`load` (a list where there was none), `change` (who leaves, who comes), and, as far as it has any, `replace`,
`tear_down` and limits. To try `ipset` with another `hashsize`, say, change `created` in `ipset.rs`, or add an entry
with a name of its own to `ways()`; how packets fare with it, and all tables, come by themselves. A variant of
question A is an entry of `ports/variants.rs`, a case of C one of `dropped/cases.rs`, a web server's way one of
`web/nginx.rs` and its neighbours. Which rows are in the table to decide from, `report/decision.rs` says.

## What was not measured

* pf and its tables: not on this kernel. Network cards, their queues and their own filters: all packets
  go over veth, so XDP is in its generic mode, where it has none of the advantage that it has in a driver.
* HAProxy's SPOE and runtime interface; Apache's own modules in C; nftables' own `queue` statement.
* What survives a reboot: nothing in the kernel does, whatever the way; it is a question of who restores
  it, and when.
* Web servers with lists of IPv6, and null routes of IPv6 beyond 100,000.
";

/// Before the table of what is dropped.
pub(super) const DROPPED: &str = "\
One address of each family is blocked, another is not. `dropped`: the packet reached no socket, or
the connection did not come about. `PASSES`: it did. `others`: whether the address that is not
blocked got through everywhere. The last two columns try IPv4 datagrams again: after somebody ran
`nft flush ruleset` and `iptables-legacy -F`, as firewalls do when they start, and after the program was
killed that stands behind it, if there is one. The queue and the longest prefix match are of our least programs,
which know IPv4 only. After a reboot all of it is gone but what somebody restores.

";

/// Before the tables of the kernel's ways.
pub(super) const MILLION: &str = "\
Each way is loaded by the program that it comes with, as a whole process: `iptables-restore`, `ip -batch`,
`ipset restore`, `nft -f`, `denyset apply`; of those that are a program of our own, until it says that it is ready.
A change comes to denyset as a new feed beside its running daemon, and counts until the status says that it is
in force. 250 ms of denyset's load are a wait: a feed that was written a moment ago, as here, is read once more.
Beyond 10,000 addresses it is loaded once, so there is no spread.
A packet is sent from addresses of the list (hit) and from others (miss). What it costs more than with
no filter is told in nanoseconds, `=` if that is within the noise. A change is made while those who
stay blocked keep sending; what of them got through meanwhile is leaked. Where a way ends, the table
says why. The memory of the kernel is that of the whole machine before and after. Of a queue to user space all
packets are dropped that it has no room for.

";

/// Before the tables of requests.
pub(super) const PORTS: &str = "\
400 clients with random addresses may reach four ports, nobody else may. 4 KiB are posted 750 times a
second, by all clients in turns. Latency counts from the moment at which a request was due, as fixed
beforehand. Junk is UDP to a port at which nobody listens, from random addresses; a packet of it costs
what one thread works to send it and the host to refuse it. `ratio`: of p50 to that of `none`, paired by
round, `=` within the noise. The share of netfilter is that of the samples of `perf` in our server, our
clients and the flood: the measure of who asked first. Of the tail that was complained of, one request in
ten thousand, a round of this length has none to tell of; p99.9 is one or two of its requests, and says something
where it differs by more than `none` does from `none, again`.

";

/// Before the tables about the meters.
pub(super) const METERS: &str = "\
The server stalls for 500 ms. An open loop, whose requests are due whatever happens, sees everybody who
had to wait; a closed loop of eight clients asks eight times less often while it waits, and so hides the
rest of them: that is coordinated omission. The noise is the largest factor between two equal things in
one round: below it nothing is told apart. `wrk` with one client asks again at once, ours when a request is
due: their medians are to be of one size, not the same. Hardware events of `perf` are often missing in virtual
machines: the profile is of the processor's clock, and what happens with interrupts off is told late.

";

/// The machine.
pub(super) fn machine(findings: &Findings) -> String {
    let machine = &findings.machine;
    let guest = if machine.is_guest { ", a virtual machine" } else { "" };
    let mut text = format!(
        "**Machine**, {}: {} x {}, {} MiB{guest}; Linux {}.\n",
        machine.day, machine.processors, machine.model, machine.memory_mib, machine.kernel
    );
    let pairs = |map: &std::collections::BTreeMap<String, String>| {
        let pairs: Vec<_> = map.iter().map(|(name, what)| format!("{name}: {what}")).collect();
        pairs.join("; ")
    };
    let _ = writeln!(text, "Mitigations: {}.", pairs(&machine.mitigations));
    let _ = writeln!(text, "Versions: {}.", pairs(&machine.versions));
    text
}

/// One stage's run.
pub(super) fn run(findings: &Findings) -> String {
    let form = if findings.quick { "quick" } else { "full" };
    let partial = if findings.partial { ", only some variants" } else { "" };
    let seconds: u64 = findings.spells.iter().map(|spell| spell.seconds).sum();
    let others = findings.spells.iter().map(|spell| spell.others_percent).fold(0.0, f64::max);
    let busy = if others > BUSY_PERCENT {
        " **Others had the processors as well: figures are noisy.**"
    } else {
        ""
    };
    format!(
        "*{}, {form}{partial}, {} rounds, {seconds} s. Others, threads of the kernel included, had up to {others:.0} \
         % of the processors; the host of this machine has taken {:.1} % since it started.*{busy}\n\n",
        findings.machine.day, findings.rounds, findings.machine.stolen_percent
    )
}

/// Who shares the processors by more than this is marked.
const BUSY_PERCENT: f64 = 15.0;
