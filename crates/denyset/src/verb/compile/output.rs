//! Prefixes in the notations of others. Written one by one: nothing here
//! grows with their number.

use std::io::{self, Write};

use blocklist::{Address, Family, Prefix, PrefixSet, Prefixes};
use reconcile::Capacity;

/// A notation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// One prefix a line.
    Plain,
    /// For `ipset restore`, see `ipset(8)`.
    Ipset,
    /// For `nft -f`, see `nft(8)`.
    Nft,
    /// One array of strings a family.
    Json,
}

/// What is to be written.
pub(super) struct WrittenSets<'a> {
    /// What the names of the sets begin with.
    pub(super) name: &'a str,
    /// The only family, or both.
    pub(super) family: Option<Family>,
    /// Without overlaps, which nft does not take.
    pub(super) prefixes: &'a Prefixes,
}

impl WrittenSets<'_> {
    /// Writes all of it.
    pub(super) fn write(&self, form: Form, out: &mut impl Write) -> io::Result<()> {
        match form {
            Form::Nft => writeln!(out, "table inet {} {{", self.name)?,
            Form::Json => write!(out, "{{")?,
            Form::Plain | Form::Ipset => {}
        }
        let families =
            Family::ALL.into_iter().filter(|f| self.family.is_none_or(|only| only == *f));
        for (position, family) in families.enumerate() {
            if form == Form::Json && position > 0 {
                write!(out, ",")?;
            }
            match family {
                Family::Ipv4 => self.write_set(form, &self.prefixes.ipv4, out)?,
                Family::Ipv6 => self.write_set(form, &self.prefixes.ipv6, out)?,
            }
        }
        match form {
            Form::Nft => writeln!(out, "}}"),
            Form::Json => writeln!(out, "\n}}"),
            Form::Plain | Form::Ipset => Ok(()),
        }
    }

    fn write_set<A: Address>(
        &self,
        form: Form,
        set: &PrefixSet<A>,
        out: &mut impl Write,
    ) -> io::Result<()> {
        let name = format!("{}-{}", self.name, A::FAMILY.suffix());
        match form {
            Form::Plain => set.iter().try_for_each(|prefix| writeln!(out, "{prefix}")),
            Form::Ipset => ipset(&name, set, out),
            Form::Nft => nft(&name, set, out),
            Form::Json => json(set, out),
        }
    }
}

/// Large enough that the kernel need not resize while it is filled.
fn ipset<A: Address>(name: &str, set: &PrefixSet<A>, out: &mut impl Write) -> io::Result<()> {
    let family = match A::FAMILY {
        Family::Ipv4 => "inet",
        Family::Ipv6 => "inet6",
    };
    let Capacity { hashsize, maxelem } = Capacity::for_members(set.len());
    writeln!(out, "create {name} hash:net family {family} hashsize {hashsize} maxelem {maxelem}")?;
    for prefix in set.iter() {
        // hash:net cannot hold a prefix of length zero.
        match prefix.halves().filter(|_| prefix.length() == 0) {
            Some(halves) => halves.iter().try_for_each(|half| writeln!(out, "add {name} {half}")),
            None => writeln!(out, "add {name} {prefix}"),
        }?;
    }
    Ok(())
}

fn nft<A: Address>(name: &str, set: &PrefixSet<A>, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "\tset {name} {{\n\t\ttype {}_addr\n\t\tflags interval", A::FAMILY)?;
    if !set.is_empty() {
        write!(out, "\t\telements = {{")?;
        separated(set, out, |prefix, out| write!(out, "\n\t\t\t{prefix}"))?;
        writeln!(out, "\n\t\t}}")?;
    }
    writeln!(out, "\t}}")
}

fn json<A: Address>(set: &PrefixSet<A>, out: &mut impl Write) -> io::Result<()> {
    write!(out, "\n  \"{}\": [", A::FAMILY)?;
    separated(set, out, |prefix, out| write!(out, "\n    \"{prefix}\""))?;
    write!(out, "{}]", if set.is_empty() { "" } else { "\n  " })
}

/// Writes each prefix, with commas between them.
fn separated<A: Address, W: Write>(
    set: &PrefixSet<A>,
    out: &mut W,
    each: impl Fn(Prefix<A>, &mut W) -> io::Result<()>,
) -> io::Result<()> {
    for (position, prefix) in set.iter().enumerate() {
        if position > 0 {
            write!(out, ",")?;
        }
        each(prefix, out)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use blocklist::{AnyPrefix, Family, Prefixes};

    use super::{Form, WrittenSets};

    fn check(prefixes: &[&str], family: Option<Family>, form: Form, want: &str) {
        let prefixes = prefixes.iter().map(|text| text.parse::<AnyPrefix>().expect("a prefix"));
        let prefixes: Prefixes = prefixes.collect();
        let mut out = Vec::new();
        let sets = WrittenSets { name: "x", family, prefixes: &prefixes };
        sets.write(form, &mut out).expect("memory takes it");
        assert_eq!(String::from_utf8(out).expect("text"), want);
    }

    const BOTH: [&str; 3] = ["192.0.2.0/24", "198.51.100.1", "2001:db8::/32"];

    #[test]
    fn plain_is_a_prefix_a_line() {
        check(&BOTH, None, Form::Plain, "192.0.2.0/24\n198.51.100.1\n2001:db8::/32\n");
        check(&BOTH, Some(Family::Ipv6), Form::Plain, "2001:db8::/32\n");
        check(&[], None, Form::Plain, "");
    }

    #[test]
    fn ipset_creates_both_sets_and_never_adds_a_zero_length() {
        let want = "\
create x-v4 hash:net family inet hashsize 1024 maxelem 65536
add x-v4 0.0.0.0/1
add x-v4 128.0.0.0/1
create x-v6 hash:net family inet6 hashsize 1024 maxelem 65536
add x-v6 2001:db8::/32
";
        check(&["0.0.0.0/0", "2001:db8::/32"], None, Form::Ipset, want);
    }

    #[test]
    fn nft_is_one_table_and_an_empty_set_has_no_elements() {
        let want = "\
table inet x {
	set x-v4 {
		type ipv4_addr
		flags interval
		elements = {
			192.0.2.0/24,
			198.51.100.1
		}
	}
	set x-v6 {
		type ipv6_addr
		flags interval
	}
}
";
        check(&BOTH[..2], None, Form::Nft, want);
    }

    #[test]
    fn json_is_one_document() {
        for family in [None, Some(Family::Ipv4)] {
            let prefixes = Prefixes::default();
            let mut out = Vec::new();
            let sets = WrittenSets { name: "x", family, prefixes: &prefixes };
            sets.write(Form::Json, &mut out).expect("memory takes it");
            serde_json::from_slice::<serde_json::Value>(&out).expect("a document");
        }
        let want = "\
{
  \"ipv4\": [
    \"192.0.2.0/24\",
    \"198.51.100.1\"
  ],
  \"ipv6\": []
}
";
        check(&BOTH[..2], None, Form::Json, want);
    }
}
