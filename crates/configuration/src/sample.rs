//! The keys of a `[[rule]]` that say which of its packets are looked at, to
//! count what is hit.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use reconcile::{Sample, SetPrefix};
use toml::de::DeValue;

use super::limits;
use super::mistake::Place;
use super::section::{Section, Text, article};

/// What the rules of one file must share or not share.
pub(super) struct Labels {
    /// The group of NFLOG.
    pub(super) group: u16,
    /// What they begin with unless a rule has another: two daemons may show
    /// packets to the same group.
    pub(super) prefix: SetPrefix,
    /// The labels so far, and where their rules stand.
    pub(super) known: BTreeMap<String, Place>,
}

/// Reads `sample` and `log`. `None` if no packet is looked at. `name` is the
/// rule's, and makes its label unless there is another.
pub(super) fn read(
    section: &mut Section<'_, '_>,
    name: Option<&str>,
    labels: &mut Labels,
) -> Option<Sample> {
    let one_in = NonZeroU32::new(small(section.number(&limits::SAMPLE).unwrap_or_default()));
    let at = section.value("log").map_or(section.offset(), |(_, at)| at);
    let log = log(section);
    let (label, rate) = log.unwrap_or((None, limits::SAMPLE_RATE.default));
    let Some(one_in) = one_in else {
        if log.is_some() {
            section.note(at, "log", "means something only with `sample` of 1 or more");
        }
        return None;
    };
    let (label, label_at) = match label {
        Some(Text { text, at }) => (text.to_owned(), at),
        None => (format!("{}{}", labels.prefix.as_str(), name?), section.offset()),
    };
    let plain = |byte: u8| byte.is_ascii_graphic() || byte == b' ';
    if label.is_empty() || label.len() > Sample::LABEL_MAX || !label.bytes().all(plain) {
        let allowed = format!("1 to {} printable ASCII characters are allowed", Sample::LABEL_MAX);
        section.note(label_at, "log.prefix", allowed);
        return None;
    }
    if let Some(other) = labels.known.insert(label.clone(), section.begins()) {
        let message = format!(
            "{label:?} is what the packets of the rule in line {} begin with already",
            other.line
        );
        section.note(label_at, "log.prefix", message);
    }
    let per_second = NonZeroU32::new(small(rate))?;
    Some(Sample { one_in, per_second, group: labels.group, label })
}

/// The table `log`: the label, if there is one, and the rate.
fn log<'s>(section: &mut Section<'s, '_>) -> Option<(Option<Text<'s>>, u64)> {
    let (value, at) = section.value("log")?;
    let DeValue::Table(table) = value else {
        let allowed = "a table such as { prefix = \"web\", rate = 50 }";
        section.note(at, "log", format!("{allowed} is allowed, not {}", article(value)));
        return None;
    };
    let mut log = Section::new("rule.log", at, table, section.mistakes);
    let label = log.text("prefix");
    let rate = log.number(&limits::SAMPLE_RATE).unwrap_or(limits::SAMPLE_RATE.default);
    log.finish();
    Some((label, rate))
}

/// A number that the checks have let pass.
fn small(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use blocklist::Family;

    use crate::Configuration;

    const LIST: &str = "[[list]]\nname = \"drop\"\n";

    /// The samples of these rules, as `one-in rate group label`, or the
    /// mistakes.
    fn check(text: &str, want: Result<&[&str], &str>) {
        let read = Configuration::parse(&format!("{LIST}{text}"));
        match (read, want) {
            (Ok(config), Ok(want)) => {
                let rules = config.filter(Family::Ipv6);
                let samples = rules.rules().iter().map(|rule| match &rule.sample {
                    None => "none".to_owned(),
                    Some(sample) => format!(
                        "{} {} {} {}",
                        sample.one_in, sample.per_second, sample.group, sample.label
                    ),
                });
                assert_eq!(samples.collect::<Vec<_>>(), want, "in:\n{text}");
            }
            (Err(mistakes), Err(want)) => {
                let told: Vec<_> = mistakes.iter().map(ToString::to_string).collect();
                assert_eq!(told, [want], "in:\n{text}");
            }
            (read, want) => panic!("{read:?} is not {want:?} in:\n{text}"),
        }
    }

    #[test]
    fn packets_are_looked_at_only_where_it_is_said_so() {
        let rule = "[[rule]]\nlist = \"drop\"\n";
        check(rule, Ok(&["none"]));
        check(&format!("{rule}sample = 0\n"), Ok(&["none"]));
        check(&format!("{rule}sample = 1000\n"), Ok(&["1000 100 4217 denyset-drop"]));
        check(
            &format!(
                "[kernel]\nnflog-group = 7\n{rule}sample = 1\nlog = {{ prefix = \"a b\", rate = 5 }}\n\
                 [[rule]]\nlist = \"drop\"\nname = \"two\"\nsample = 2\n"
            ),
            Ok(&["1 5 7 a b", "2 100 7 denyset-two"]),
        );
        check(
            &format!("{rule}log = {{ rate = 5 }}\n"),
            Err("5:7: rule.log: means something only with `sample` of 1 or more"),
        );
        check(
            &format!("{rule}sample = 1\nlog = 5\n"),
            Err(
                "6:7: rule.log: a table such as { prefix = \"web\", rate = 50 } is allowed, not an \
                 integer",
            ),
        );
        check(
            &format!("{rule}sample = 1\nlog = {{ rate = 0 }}\n"),
            Err("6:16: rule.log.rate: 0 is out of range, 1 to 10000 is allowed"),
        );
        check(
            &format!("{rule}sample = 1\nlog = {{ prefix = \"\" }}\n"),
            Err("6:18: rule.log.prefix: 1 to 100 printable ASCII characters are allowed"),
        );
        check(
            &format!(
                "{rule}sample = 1\n[[rule]]\nlist = \"drop\"\nname = \"two\"\nsample = 1\n\
                 log = {{ prefix = \"denyset-drop\" }}\n"
            ),
            Err(
                "10:18: rule.log.prefix: \"denyset-drop\" is what the packets of the rule in line 3 begin \
                 with already",
            ),
        );
    }
}
