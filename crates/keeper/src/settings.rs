//! One configuration, as far as it is about what should be in the kernel.
//! Plain data: two can be compared.

use std::sync::Arc;
use std::time::Duration;

use intake::Rules;
use reconcile::{MemberLayout, RuleSet, SetPrefix, Update};

/// The settings of one configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// What our sets' names begin with.
    pub prefix: SetPrefix,
    /// How sets are updated.
    pub update: Update,
    /// In how many prefix lengths their members are written.
    pub layout: MemberLayout,
    /// Which lists there are, and what their feeds are judged by.
    pub rules: Arc<Rules>,
    /// The rules of each family, empty where there are to be none.
    pub filter: Vec<RuleSet>,
    /// Time between two probes.
    pub probe: Duration,
    /// Time between two comparisons of all members with the kernel.
    pub audit: Duration,
}
