//! What a webhook with all policies says.

use std::collections::BTreeMap;

use jiff::civil::date;
use plimsoll::admission::{Judge, Settings};
use plimsoll::policy::Catalogue;
use plimsoll::policy::exemption::Honoured;
use serde_json::Value;

use super::examples::object_policies;

/// A webhook for each version of Kubernetes.
pub struct Webhook(BTreeMap<String, Judge>);

impl Webhook {
    pub fn new<'v>(versions: impl Iterator<Item = &'v str>) -> Self {
        let judge = |version: &str| {
            let catalogue = Catalogue::builtin().unwrap();
            let settings = Settings {
                policies: object_policies(&catalogue).iter().map(|policy| policy.id.clone()).collect(),
                exemptions: Vec::new(),
                honoured: Honoured::None,
                kube_version: version.to_owned(),
                namespaces: None,
            };
            (version.to_owned(), Judge::new(catalogue, settings).unwrap())
        };
        Self(versions.map(judge).collect())
    }

    /// Whether a policy is violated, whatever comes of it.
    pub fn finds(&self, policy: &str, version: &str, review: &Value) -> bool {
        let answer = self.0[version].answer(review.to_string().as_bytes(), date(2026, 1, 1)).unwrap();
        [answer.denied, answer.warned, answer.audited].concat().iter().any(|found| found == policy)
    }
}
