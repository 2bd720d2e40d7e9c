//! What fail2ban prints and logs.

use blocklist::RejectReason::*;
use blocklist::{Format, Limits, sources};
use proptest::prelude::*;

use super::{Reader, any_prefixes, round_trip};

const FAIL2BAN: Reader = Reader(Format::Fail2ban);

#[test]
fn the_notation_of_python_is_read() {
    let check = |text: &str, want: &[&str]| FAIL2BAN.check(text, want);
    check("[{'sshd': ['192.0.2.1', '2001:db8::1']}, {'x': []}]\n", &["192.0.2.1", "2001:db8::1"]);
    check(
        "[{'192.0.2.9': ['192.0.2.1']},\n {\"y\": [\"192.0.2.3\"]}]",
        &["192.0.2.1", "192.0.2.3"],
    );
    check("['192.0.2.0/24']", &["192.0.2.0/24"]);
    check("[]\n", &[]);
}

#[test]
fn a_status_is_read_with_its_promise() {
    let status = "\
Status for the jail: sshd
|- Filter
|  |- Currently failed:\t1
|  `- Journal matches:  _SYSTEMD_UNIT=sshd.service
`- Actions
   |- Currently banned: 2
   |- Total banned:     7
   `- Banned IP list:   192.0.2.1 2001:db8::1
";
    FAIL2BAN.check(status, &["192.0.2.1", "2001:db8::1"]);
    let twice = FAIL2BAN.read(&status.repeat(2)).tally;
    assert_eq!((twice.entries, twice.promised.map(|promise| promise.entries)), (4, Some(4)));
}

#[test]
fn the_last_word_on_an_address_counts() {
    let log = |lines: &[&str]| {
        let lines = lines.iter().map(|line| {
            format!("2026-01-01 00:00:00,123 fail2ban.actions        [123]: NOTICE  {line}\n")
        });
        lines.collect::<String>()
    };
    let check = |lines: &[&str], want: &[&str]| FAIL2BAN.check(&log(lines), want);
    check(&["[sshd] Ban 192.0.2.1"], &["192.0.2.1"]);
    check(&["[sshd] Restore Ban 192.0.2.1"], &["192.0.2.1"]);
    check(
        &["[sshd] Increase Ban 192.0.2.1 (2 # 1d 0:00:00 -> 2026-01-02 00:00:00)"],
        &["192.0.2.1"],
    );
    check(&["[sshd] Ban 192.0.2.1", "[sshd] Unban 192.0.2.1"], &[]);
    check(&["[sshd] Unban 192.0.2.1", "[sshd] Ban 192.0.2.1"], &["192.0.2.1"]);
    check(&["[sshd] Ban 192.0.2.1", "[web] Unban 192.0.2.1"], &["192.0.2.1"]);
    check(&["[sshd] 192.0.2.1 already banned", "[sshd] Found 192.0.2.1 - 2026"], &[]);
    check(&["[sshd] Ban 2001:db8::1", "[sshd] Flush ticket(s) with iptables"], &["2001:db8::1"]);
    FAIL2BAN.check("fail2ban.actions: WARNING [ssh] Ban 192.0.2.1\n", &["192.0.2.1"]);
}

#[test]
fn sources_are_told_in_the_order_of_the_lines() {
    let mixed = "[sshd] Ban 192.0.2.1\n`- Banned IP list: 192.0.2.1\n[web] Ban 192.0.2.1\n";
    let address = [192, 0, 2, 1].into();
    let found = sources(mixed.as_bytes(), Format::Fail2ban, &Limits::default(), address);
    assert_eq!(found.iter().map(|source| source.line).collect::<Vec<_>>(), [1, 2, 3]);
}

#[test]
fn what_is_no_ban_of_an_address_is_rejected() {
    for (text, reason) in [
        ("[sshd] Ban 010.1.2.3", LeadingZero),
        ("[sshd] Ban 192.0.2", OctetCount),
        ("[sshd] Ban 192.0.2.256", OctetValue),
        ("[sshd] Ban bad.example", NotAnAddress),
        ("[sshd] Ban 3232235777", NotAnAddress),
        ("[sshd] Ban fe80::1%eth0", Zone),
        ("[sshd] Ban", MissingField),
        ("[sshd] Ban 192.0.2.1 192.0.2.2", Trailing),
        ("192.0.2.1", Foreign),
        ("Ban 192.0.2.1", Foreign),
        ("sshd Ban 192.0.2.1", Foreign),
        ("   `- Banned IP list:\t192.0.2", OctetCount),
        ("   `- Banned IP list:\t192.0.2.1,192.0.2.2", NotAnAddress),
        ("[{'x': ['010.1.2.3']}]", LeadingZero),
        ("[{'x': ['192.168/16']}]", OctetCount),
        ("[{'x': ['bad.example']}]", NotAnAddress),
        ("[{'x': [192.0.2.1]}]", Foreign),
        ("[{'x': ['192.0.2.1", Foreign),
        ("[{'x': ['192.0.2.1'", Foreign),
    ] {
        FAIL2BAN.refuse(text, reason);
    }
}

#[test]
fn it_is_told_from_a_plain_list() {
    FAIL2BAN.check_detected(&[
        "[{'sshd': ['192.0.2.1']}, {'x': []}]\n",
        "Status for the jail: sshd\n   `- Banned IP list:\t192.0.2.1\n",
        "2026-01-01 00:00:00,1 fail2ban.actions [1]: NOTICE [sshd] Ban 192.0.2.1\n",
    ]);
    Reader(Format::Plain).check_detected(&["192.0.2.1\n", "Ban 192.0.2.1\n", "[x]\n192.0.2.1\n"]);
}

proptest! {
    #[test]
    fn a_set_comes_back(set in any_prefixes()) {
        let words: Vec<_> = set.iter().map(|prefix| format!("'{prefix}'")).collect();
        round_trip(Format::Fail2ban, &format!("[{{'sshd': [{}]}}]", words.join(", ")), &set)?;
        let lines = set.iter().map(|prefix| format!("x fail2ban.actions [1]: NOTICE [a] Ban {prefix}\n"));
        round_trip(Format::Fail2ban, &lines.collect::<String>(), &set)?;
    }
}
