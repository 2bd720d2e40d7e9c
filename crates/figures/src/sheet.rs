//! Figures as text, in the two forms that monitoring systems read. Names, units
//! and types of single figures are not known here.

use std::fmt;
use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

/// The form of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextForm {
    /// `OpenMetrics` 1.0.
    OpenMetrics,
    /// The text format of Prometheus, 0.0.4.
    Prometheus,
}

impl TextForm {
    /// The type of the text, for `Content-Type`.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
        }
    }

    /// The form that whoever sends this `Accept` understands. Whoever names the
    /// newer one takes it, whatever else he names: Prometheus does.
    pub fn accepted(accept: &str) -> Self {
        let mut kinds = accept.split(',').filter_map(|part| part.split(';').next());
        let is_newer = kinds.any(|kind| kind.trim() == "application/openmetrics-text");
        if is_newer { Self::OpenMetrics } else { Self::Prometheus }
    }
}

/// Somebody's figures.
pub trait Figures: fmt::Debug + Send + Sync + 'static {
    /// Writes them down.
    ///
    /// # Errors
    /// Those of the sheet.
    fn write(&self, sheet: &mut Sheet<'_>) -> fmt::Result;
}

/// Where figures are written down.
#[derive(Debug)]
pub struct Sheet<'a>(DescriptorEncoder<'a>);

/// One value with its labels, each a name and a text.
pub type FigureSample<'a> = (Vec<(&'static str, &'a str)>, u64);

/// How long things took.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Durations {
    /// How many there were.
    pub count: u64,
    /// How long they took together.
    pub total: Duration,
    /// For each time, in order, how many took no longer.
    pub within: Vec<(Duration, u64)>,
}

impl EncodeMetric for Durations {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        // The text sums up again what is in each bucket alone.
        let mut before = 0;
        let all = self.within.iter().map(|(time, count)| (time.as_secs_f64(), *count));
        let buckets = all.chain([(f64::INFINITY, self.count)]).map(|(bound, count)| {
            let alone = count.saturating_sub(before);
            before = before.max(count);
            (bound, alone)
        });
        let buckets: Vec<_> = buckets.collect();
        encoder.encode_histogram::<NoLabelSet>(self.total.as_secs_f64(), self.count, &buckets, None)
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Histogram
    }
}

impl Sheet<'_> {
    /// How long things took, as a histogram of seconds.
    ///
    /// # Errors
    /// As of [`Self::gauge`].
    pub fn histogram(&mut self, name: &str, help: &str, durations: &Durations) -> fmt::Result {
        durations.encode(self.0.encode_descriptor(name, help, None, durations.metric_type())?)
    }

    /// A figure that goes up and down. One without any sample is left out.
    ///
    /// # Errors
    /// Those of the text that is written.
    pub fn gauge(&mut self, name: &str, help: &str, samples: &[FigureSample<'_>]) -> fmt::Result {
        self.family(name, help, samples, |value| {
            ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX))
        })
    }

    /// A figure that only grows. The name is without `_total`.
    ///
    /// # Errors
    /// As of [`Self::gauge`].
    pub fn counter(&mut self, name: &str, help: &str, samples: &[FigureSample<'_>]) -> fmt::Result {
        self.family(name, help, samples, ConstCounter::new)
    }

    fn family<M: EncodeMetric>(
        &mut self,
        name: &str,
        help: &str,
        samples: &[FigureSample<'_>],
        metric: impl Fn(u64) -> M,
    ) -> fmt::Result {
        let Some((_, first)) = samples.first() else { return Ok(()) };
        let kind = metric(*first).metric_type();
        let mut encoder = self.0.encode_descriptor(name, help, None, kind)?;
        for (labels, value) in samples {
            if labels.is_empty() {
                metric(*value).encode(encoder)?;
                return Ok(());
            }
            metric(*value).encode(encoder.encode_family(labels)?)?;
        }
        Ok(())
    }
}

/// All of these figures as text.
pub fn exposition(all: Vec<Box<dyn Figures>>, form: TextForm) -> String {
    let mut registry = Registry::default();
    for figures in all {
        registry.register_collector(Box::new(Collected(figures)));
    }
    let mut text = String::new();
    encode(&mut text, &registry).expect("a text takes what is written");
    match form {
        TextForm::OpenMetrics => text,
        TextForm::Prometheus => as_before(&text),
    }
}

#[derive(Debug)]
struct Collected(Box<dyn Figures>);

impl Collector for Collected {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        self.0.write(&mut Sheet(encoder))
    }
}

/// The same in the older form: there a counter is called by the name that its
/// samples have, and nothing says where the text ends.
fn as_before(text: &str) -> String {
    let mut before = String::with_capacity(text.len());
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let counter = |line: &str| {
            line.strip_prefix("# TYPE ").is_some_and(|rest| rest.ends_with(" counter"))
        };
        let is_counter = counter(line) || lines.peek().is_some_and(|next| counter(next));
        match line.strip_prefix("# ").map(|rest| rest.splitn(3, ' ').collect::<Vec<_>>()) {
            Some(words) if words.len() == 3 && is_counter => {
                before.extend(["# ", words[0], " ", words[1], "_total ", words[2]]);
            }
            Some(words) if words == ["EOF"] => continue,
            _ => before.push_str(line),
        }
        before.push('\n');
    }
    before
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Some;

    impl Figures for Some {
        fn write(&self, sheet: &mut Sheet<'_>) -> fmt::Result {
            sheet.gauge("a", "An a.", &[(vec![], 1)])?;
            sheet.counter("b", "All b.", &[(vec![("c", "d\"\\\n")], 2), (vec![("c", "e")], 3)])?;
            sheet.gauge("none", "Nothing.", &[])
        }
    }

    fn check(form: TextForm, want: &str) {
        assert_eq!(exposition(vec![Box::new(Some)], form), want, "{form:?}");
    }

    #[test]
    fn both_forms_say_the_same() {
        check(
            TextForm::OpenMetrics,
            "# HELP a An a.\n# TYPE a gauge\na 1\n# HELP b All b.\n# TYPE b counter\n\
             b_total{c=\"d\\\"\\\\\\n\"} 2\nb_total{c=\"e\"} 3\n# EOF\n",
        );
        check(
            TextForm::Prometheus,
            "# HELP a An a.\n# TYPE a gauge\na 1\n# HELP b_total All b.\n\
             # TYPE b_total counter\nb_total{c=\"d\\\"\\\\\\n\"} 2\nb_total{c=\"e\"} 3\n",
        );
    }

    #[test]
    fn who_understands_the_newer_form_gets_it() {
        for (accept, want) in [
            ("", TextForm::Prometheus),
            ("text/plain", TextForm::Prometheus),
            (
                "text/plain;version=0.0.4;q=0.5, application/openmetrics-text;version=1.0.0;q=0.6",
                TextForm::OpenMetrics,
            ),
            ("application/openmetrics-text", TextForm::OpenMetrics),
            ("*/*", TextForm::Prometheus),
        ] {
            assert_eq!(TextForm::accepted(accept), want, "{accept}");
        }
    }
}
