//! The policies of a webhook, ready to be asked.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

use jiff::civil::Date;

use super::response::{Response, Verdicts};
use super::review::{Malformed, Review};
use crate::finding::{Fault, ObjectRef, Severity};
use crate::manifest::Object;
use crate::policy::exemption::{self, Exemption, Honoured};
use crate::policy::review::{Cluster, review};
use crate::policy::{Catalogue, Policy, PolicyKind, Request};
use crate::value::{Path, Value};

/// What is known of the Namespaces of a cluster. The API server sends a webhook none.
pub trait Namespaces: Send + Sync {
    /// The Namespace of a name, if it is known. It is asked for each request, so this should come from memory.
    fn get(&self, name: &str) -> Option<Value>;
}

/// What a webhook holds requests to.
pub struct Settings {
    /// The ids of the policies.
    pub policies: HashSet<String>,
    /// What the project exempts.
    pub exemptions: Vec<Exemption>,
    /// Which exemptions count. Whoever creates an object writes its annotations, so for a webhook that should be those of
    /// the project.
    pub honoured: Honoured,
    /// The cluster's Kubernetes version: `v1.36.0`.
    pub kube_version: String,
    /// Its Namespaces. Without them a policy that turns on more than a Namespace's name cannot be evaluated.
    pub namespaces: Option<Arc<dyn Namespaces>>,
}

/// A policy that was chosen, but is not asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// Its id.
    pub policy: String,
    /// Why, as the rest of a sentence.
    pub why: &'static str,
}

/// Policies that requests are held to, compiled.
pub struct Judge {
    catalogue: Catalogue,
    settings: Settings,
    /// The policies that are asked, by their places in the catalogue.
    asked: Vec<usize>,
    /// Those of them that name a resource, or all resources.
    by_resource: HashMap<String, Vec<usize>>,
    /// Those that are about all resources.
    of_all: Vec<usize>,
    left_out: Vec<LeftOut>,
}

/// The answer to a review, and what there is to log of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The `AdmissionReview` with its response, as JSON.
    pub body: Vec<u8>,
    /// Whether the request may go on.
    pub allowed: bool,
    /// By which the API server knows the answer.
    pub uid: String,
    /// `CREATE`
    pub operation: String,
    /// The object that it is about. Its name is empty where the API server is to make one up.
    pub object: ObjectRef,
    /// Whether nothing will be stored.
    pub dry_run: bool,
    /// Who asks.
    pub user: Option<String>,
    /// The policies that refuse it.
    pub denied: Vec<String>,
    /// Those that warn of it.
    pub warned: Vec<String>,
    /// Those that find something to be written into the audit log.
    pub audited: Vec<String>,
    /// Those from which it is exempted.
    pub exempted: Vec<String>,
}

impl Judge {
    /// Compiles the policies.
    ///
    /// # Errors
    /// Every policy that does not compile; also where none is left to be asked.
    pub fn new(catalogue: Catalogue, settings: Settings) -> Result<Self, Vec<Fault>> {
        let mut judge = Self {
            catalogue,
            settings,
            asked: Vec::new(),
            by_resource: HashMap::new(),
            of_all: Vec::new(),
            left_out: Vec::new(),
        };
        let mut faults = Vec::new();
        for (index, policy) in judge.catalogue.policies().enumerate() {
            if !judge.settings.policies.contains(&policy.id) {
                continue;
            }
            if let Some(why) = why_left_out(policy) {
                judge.left_out.push(LeftOut { policy: policy.id.clone(), why });
                continue;
            }
            if let Err(error) = policy.check() {
                faults.push(Fault::new(error.to_string()).label(error.location, "here"));
            }
            judge.asked.push(index);
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        if judge.asked.is_empty() {
            let fault = Fault::new("none of the chosen policies judges single objects, so nothing would be checked");
            return Err(vec![fault.help("name a profile or a policy; `plimsoll policy list` names them all")]);
        }
        judge.index();
        Ok(judge)
    }

    /// Finds out which policies are to be asked about which resource.
    fn index(&mut self) {
        let resources: Vec<(usize, Vec<&str>)> =
            self.asked.iter().filter_map(|index| Some((*index, self.policy(*index)?.resources()))).collect();
        let about = |wanted: &str| -> Vec<usize> {
            let about = resources.iter().filter(|(_, named)| named.contains(&wanted) || named.contains(&"*"));
            about.map(|(index, _)| *index).collect()
        };
        let named: HashSet<&str> = resources.iter().flat_map(|(_, named)| named).copied().collect();
        let by_resource = named.iter().map(|resource| ((*resource).to_owned(), about(resource))).collect();
        let of_all = about("*");
        (self.by_resource, self.of_all) = (by_resource, of_all);
    }

    /// How many policies are asked.
    pub fn policies(&self) -> usize {
        self.asked.len()
    }

    /// The policies that were chosen, but are not asked.
    pub fn left_out(&self) -> &[LeftOut] {
        &self.left_out
    }

    /// Answers a review that is written as JSON.
    ///
    /// # Errors
    /// What is no review is not answered: the API server then does as the webhook's `failurePolicy` says.
    pub fn answer(&self, body: &[u8], today: Date) -> Result<Answer, Malformed> {
        Ok(self.respond(Review::parse(body)?, today))
    }

    /// Answers a review.
    ///
    /// # Errors
    /// What is no review is not answered.
    pub fn answer_value(&self, review: &Value, today: Date) -> Result<Answer, Malformed> {
        Ok(self.respond(Review::read(review)?, today))
    }

    fn respond(&self, Review { uid, request }: Review, today: Date) -> Answer {
        let object = object(&request);
        let (operation, dry_run) = (request.operation.name().to_owned(), request.is_dry_run());
        let user = Some(request.user().to_owned()).filter(|user| !user.is_empty());
        let verdicts = self.verdicts(request, &object, today);
        let response = Response { uid: &uid, object: &object.value, verdicts: &verdicts };
        Answer {
            body: response.write(),
            allowed: verdicts.denied.is_empty(),
            operation,
            object: object.reference.clone(),
            dry_run,
            user,
            denied: ids(verdicts.denied.iter().map(|violation| violation.policy)),
            warned: ids(verdicts.warned.iter().map(|violation| violation.policy)),
            audited: ids(verdicts.audited.iter().map(|violation| violation.policy)),
            exempted: ids(verdicts.exempted.iter().map(|(violation, _)| violation.policy)),
            uid,
        }
    }

    /// What the policies say.
    fn verdicts(&self, request: Request, object: &Object, today: Date) -> Verdicts<'_> {
        let asked = self.by_resource.get(&request.resource).unwrap_or(&self.of_all);
        let policies = asked.iter().filter_map(|index| self.policy(*index));
        let namespace = match &self.settings.namespaces {
            Some(known) if request.namespaced => known.get(&request.namespace),
            _ => None,
        };
        let cluster = Cluster { kube_version: &self.settings.kube_version, namespace: namespace.as_ref() };
        let mut verdicts = Verdicts::default();
        let found = review(policies, request, cluster);
        if found.is_empty() {
            return verdicts;
        }
        let exemptions = self.exemptions(object, &mut verdicts);
        for mut violation in found {
            let answered = exemption::answered(&exemptions, &mut violation, std::slice::from_ref(object), today);
            match (answered.by.and_then(|index| exemptions.get(index)), violation.severity) {
                (Some(exemption), _) => verdicts.exempted.push((violation, exemption.clone())),
                (None, Severity::Error) => verdicts.denied.push(violation),
                (None, Severity::Warning) => verdicts.warned.push(violation),
                (None, Severity::Info) => verdicts.audited.push(violation),
            }
        }
        verdicts
    }

    /// The exemptions that count for an object.
    fn exemptions(&self, object: &Object, verdicts: &mut Verdicts<'_>) -> Vec<Exemption> {
        let honoured = self.settings.honoured;
        let mut exemptions = if honoured == Honoured::None { Vec::new() } else { self.settings.exemptions.clone() };
        if honoured == Honoured::All {
            match exemption::carried(&object.value, 0) {
                Ok(carried) => exemptions.extend(carried),
                Err(reason) => {
                    verdicts.notes.push(format!("the annotation {} cannot be read: {reason}", exemption::ANNOTATION))
                }
            }
        }
        exemptions
    }

    fn policy(&self, index: usize) -> Option<&Policy> {
        self.catalogue.entries().get(index).map(|entry| &entry.policy)
    }
}

/// Why a policy is not asked about requests; `None` where it is.
pub fn why_left_out(policy: &Policy) -> Option<&'static str> {
    match policy.kind {
        PolicyKind::Object | PolicyKind::Kyverno => None,
        PolicyKind::Release | PolicyKind::Fleet => {
            Some("judges whole releases, and the API server sends one object at a time")
        }
        PolicyKind::Schema => Some("holds objects to schemas, as the API server does by itself"),
        #[cfg(feature = "rego")]
        PolicyKind::Rego => Some("is written in Rego, which is evaluated offline only"),
    }
}

/// The object that a request is about, as exemptions and findings name it.
fn object(request: &Request) -> Object {
    let value = request.subject().clone();
    let text = |path: &[&str]| value.at(path.iter().copied()).and_then(Value::as_str).unwrap_or_default().to_owned();
    let api_version = match request.group.as_str() {
        "" => request.version.clone(),
        group => format!("{group}/{}", request.version),
    };
    let name = if request.name.is_empty() { text(&["metadata", "name"]) } else { request.name.clone() };
    let reference = ObjectRef {
        api_version,
        kind: request.kind.clone(),
        namespace: request.namespaced.then(|| request.namespace.clone()),
        name,
    };
    Object { manifest: 0, prefix: Path::default(), duplicates: Vec::new(), value, reference }
}

/// The ids of policies, each once.
fn ids<'p>(policies: impl Iterator<Item = &'p Policy>) -> Vec<String> {
    let mut ids: Vec<String> = policies.map(|policy| policy.id.clone()).collect();
    ids.dedup();
    ids
}

impl fmt::Debug for Judge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Judge").field("policies", &self.policies()).finish_non_exhaustive()
    }
}
