//! nginx: `deny`, `allow` and `geo`.

use blocklist::RejectReason::*;
use blocklist::{Format, Limits, parse};
use proptest::prelude::*;

use super::{Reader, any_prefixes, round_trip};

const NGINX: Reader = Reader(Format::Nginx);

#[test]
fn every_directive_that_denies_an_address_is_an_entry() {
    NGINX.check("deny 192.0.2.1;   # comment; with semicolon\n", &["192.0.2.1"]);
    NGINX.check("deny 192.0.2.0/24; deny 2001:db8::/32;\n", &["192.0.2.0/24", "2001:db8::/32"]);
    NGINX.check("deny\n  192.0.2.1\n;", &["192.0.2.1"]);
    NGINX.check("http { location / { deny 192.0.2.1; } }\n", &["192.0.2.1"]);
    for part in ["server", "location /admin", "location ~ \\.php$", "if ($x)", "limit_except GET"] {
        NGINX.check(&format!("{part} {{ deny 192.0.2.1; }}\n"), &[]);
        let both = format!("{part} {{ deny 192.0.2.8/30; }} deny 192.0.2.9; deny 192.0.2.1;\n");
        NGINX.check(&both, &["192.0.2.9"]);
    }
    NGINX.check("deny '192.0.2.1';deny \"192.0.2.3\" ;", &["192.0.2.1", "192.0.2.3"]);
    NGINX.check("# deny 192.0.2.1;\n", &[]);
    NGINX.check("deny all; deny unix:; deny 0.0.0.0/0; deny ::/0; allow all;\n", &[]);
    NGINX.check("server_name bad.example; log_format x 'a; b' 'deny 192.0.2.1;';\n", &[]);
    NGINX.check(
        "include mime.types; include /etc/nginx/fastcgi_params; deny 192.0.2.1;",
        &["192.0.2.1"],
    );
    NGINX.check("map $http_user_agent $bad { ~*bot 1; 192.0.2.1 1; }\n", &[]);
    // What is allowed behind it is never reached.
    assert_eq!(NGINX.read("deny all;\nallow 192.0.2.1;\n").tally.ignored, 2);
}

#[test]
fn the_first_directive_that_names_an_address_decides() {
    NGINX.check("allow 192.0.2.1; deny 192.0.2.0/31;", &["192.0.2.0"]);
    NGINX.check("deny 192.0.2.1; allow 192.0.2.0/24; deny 192.0.2.2;", &["192.0.2.1"]);
    NGINX.check("deny 192.0.2.0/24; allow 192.0.2.1; deny all;", &["192.0.2.0/24"]);
    NGINX.check("allow 2001:db8::/33; deny 2001:db8::/32;", &["2001:db8:8000::/33"]);
}

#[test]
fn a_level_with_rules_of_its_own_takes_none_from_outside() {
    let denied = "deny 192.0.2.0/30; ";
    for (more, want) in [
        ("location /x { root /y; }", &["192.0.2.0/30"][..]),
        ("location /x { allow all; }", &[]),
        ("location /x { deny all; }", &["192.0.2.0/30"]),
        ("location /x { allow 192.0.2.0; deny all; }", &["192.0.2.1", "192.0.2.2/31"]),
        ("location /x { deny 192.0.2.2; allow all; }", &["192.0.2.2"]),
        ("server { location /x { } location / { deny all; } }", &["192.0.2.0/30"]),
        ("server { allow all; location / { deny all; } }", &["192.0.2.0/30"]),
        ("server { allow all; location / { deny all; } location /x { } }", &[]),
        ("server { location / { limit_except GET { allow all; } } }", &[]),
        ("location / { deny 192.0.2.3; deny 192.0.2.4; }", &["192.0.2.3", "192.0.2.4"]),
        ("location / { deny 192.0.2.3; deny 192.0.2.4; } location /x { }", &["192.0.2.3"]),
        ("server { satisfy any; }", &[]),
        ("satisfy any; server { satisfy all; }", &[]),
        ("satisfy all;", &["192.0.2.0/30"]),
    ] {
        NGINX.check(&format!("{denied}{more}\n"), want);
        NGINX.check(&format!("http {{ {more} {denied} }}\n"), want);
    }
    NGINX.check("location / { deny 192.0.2.1; } location /x { }\n", &[]);
    NGINX.check("location / { deny 192.0.2.1; } location / { deny 192.0.2.2; }\n", &[]);
}

#[test]
fn what_another_file_says_is_not_passed_over() {
    for text in [
        "include /etc/nginx/more.conf;\ndeny 192.0.2.1;\n",
        "geo $bad { include more.conf; 192.0.2.1 1; }\n",
        "server { include more.conf; }\ndeny 192.0.2.1;\n",
    ] {
        let doubt = NGINX.read(text).doubt.expect("a doubt");
        assert!(doubt.why.to_string().contains("`include`"), "{doubt:?}");
    }
}

#[test]
fn a_geo_block_is_read_by_its_values() {
    NGINX.check(
        "geo $bad { default 0; 2001:db8::/32 1; 192.0.2.0/31 1; 192.0.2.1 0; }\n",
        &["192.0.2.0", "2001:db8::/32"],
    );
    NGINX.check(
        "geo $remote_addr $bad {\n ranges;\n default off;\n 192.0.2.1-192.0.2.2 on;\n}\n",
        &["192.0.2.1", "192.0.2.2"],
    );
    NGINX.check("geo $bad { 192.0.2.0/31 0; 192.0.2.1 1; proxy 192.0.2.7; }", &["192.0.2.1"]);
    NGINX.check("geo $country { default ZZ; 192.0.2.0/24 DE; }", &[]);
    NGINX.check("geo $a { 192.0.2.1 0; } deny 192.0.2.1;", &["192.0.2.1"]);
    NGINX.check("geo $a { 192.0.2.1 0; } geo $b { 192.0.2.1 1; }", &["192.0.2.1"]);
    NGINX.check("geo $whitelist { default 0; 192.0.2.1 1; }", &[]);
    NGINX.check(
        "geo $remote_addr $is_trusted { 192.0.2.1 1; } geo $bad { 192.0.2.1 1; }",
        &["192.0.2.1"],
    );
    NGINX.check("geo $ok { default 1; 192.0.2.1 0; 0.0.0.0/0 1; }", &[]);
}

#[test]
fn what_nginx_would_not_take_is_rejected() {
    for (text, reason) in [
        ("deny 010.1.2.3;", LeadingZero),
        ("deny 192.0.2;", OctetCount),
        ("deny 192.168/16;", OctetCount),
        ("deny 192.0.2.256;", OctetValue),
        ("deny 192.0.2.1/33;", PrefixLength { max: 32 }),
        ("deny 192.0.2.1/255.0.255.0;", Netmask),
        ("deny 192.0.2.1-192.0.2.9;", NotAnAddress),
        ("deny bad.example;", NotAnAddress),
        ("deny $bad;", NotAnAddress),
        ("deny 3232235777;", NotAnAddress),
        ("deny 192.0.2.*;", NotAnAddress),
        ("deny 2001:db8::g;", NotAnAddress),
        ("deny 1000:::;", Ipv6Form),
        ("deny fe80::1%eth0;", Zone),
        ("deny [2001:db8::1];", Port),
        ("deny 192.0.2.1:80;", Port),
        ("deny ;", MissingField),
        ("deny 192.0.2.1 192.0.2.2;", Trailing),
        ("deny 192.0.2.1\ndeny 192.0.2.2;", Trailing),
        ("deny 192.0.2.1", Foreign),
        ("server { deny 192.0.2.1 }", Foreign),
        ("192.0.2.1;", Foreign),
        ("geo $a { 192.0.2 1; }", OctetCount),
        ("geo $a { 192.0.2.1; }", MissingField),
        ("geo $a { 192.0.2.1 1 }", Foreign),
        ("deny '192.0.2.1;\n", Foreign),
    ] {
        NGINX.refuse(text, reason);
    }
}

#[test]
fn it_is_told_from_a_plain_list() {
    NGINX.check_detected(&[
        "deny 192.0.2.1;\ndeny all;\n",
        "# bad\ngeo $bad {\n default 0;\n 192.0.2.0/24 1;\n}\n",
        "deny 192.0.2.1; # x\nallow 192.0.2.7;\n",
    ]);
    Reader(Format::Plain).check_detected(&["192.0.2.1;\n192.0.2.2;\n", "192.0.2.1 ; deny\n"]);
}

#[test]
fn lines_are_counted_as_in_an_editor() {
    let feed = NGINX.read("\n# x\r\ndeny 192.0.2.1;\r\rdeny\nx;");
    assert_eq!((feed.shape.lines, feed.shape.blank, feed.rejects[0].line), (6, 3, 5));
    assert!(feed.shape.unfinished_line && !feed.shape.binary);
}

#[test]
fn the_line_in_which_reading_stops_is_counted() {
    let none = Limits { entries_max: 0, ..Limits::default() };
    let feed = parse(b"deny x; deny 192.0.2.1; allow all;\n", Format::Nginx, &none);
    assert!(feed.shape.over_entries_max);
    assert_eq!((feed.shape.lines, feed.shape.blank, feed.rejects[0].line), (1, 0, 1));
}

proptest! {
    #[test]
    fn a_set_comes_back(set in any_prefixes()) {
        let lines = set.iter().map(|prefix| format!("\tdeny {prefix};\n"));
        round_trip(Format::Nginx, &(lines.collect::<String>() + "deny all;\n"), &set)?;
        let lines = set.iter().map(|prefix| format!("{prefix} 1;"));
        round_trip(Format::Nginx, &format!("geo $x {{{}}}", lines.collect::<String>()), &set)?;
    }

    #[test]
    fn the_first_match_decides_for_every_address(
        rules in prop::collection::vec((any::<u8>(), 24..=32_u8, any::<bool>()), 0..12),
        asked in any::<u8>(),
    ) {
        let lines = rules.iter().map(|(last, length, deny)| {
            format!("{} 192.0.2.{last}/{length};\n", if *deny { "deny" } else { "allow" })
        });
        let text: String = lines.collect();
        let first = rules.iter().find(|(last, length, _)| {
            u32::from(last ^ asked) >> (32 - length) == 0
        });
        let want = first.is_some_and(|(.., deny)| *deny);
        prop_assert_eq!(NGINX.read(&text).prefixes.contains([192, 0, 2, asked].into()), want, "{}", text);
    }
}
