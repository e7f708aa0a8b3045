//! `plimsoll admit`: what the webhook would answer, without a server.

use std::path::PathBuf;
use std::sync::Arc;

use super::check_args::CheckArgs;
use super::cluster_args::ClusterArgs;
use super::target_args;
use super::{Stop, Streams};
use crate::admission::why_left_out;
use crate::check::{self, Rules, Subject};
use crate::finding::Fault;
use crate::gate::ExitStatus;
use crate::json;
use crate::manifest::Object;
use crate::project::Project;
use crate::source::{Location, SourceFile, Span};
use crate::value::{Numbers, Value};
use crate::yaml;

/// Answer AdmissionReviews as the webhook does, or judge manifests as their creation
///
/// An AdmissionReview (admission.k8s.io/v1, JSON or YAML) is answered with an AdmissionReview on standard output, several
/// of them (lines of JSON, documents of YAML) with one a line. What is an error is denied, what is a warning is warned of,
/// and an info is an audit annotation. Exit status: 0 all are allowed; 1 one is denied; 2 one could not be judged.
///
/// Anything else is manifests: each object is judged as its creation would be, and findings are printed as by `lint`;
/// --format and --fail-on are for these.
///
/// Policies that judge single objects are asked; those of whole releases are for `lint`, `check` and `apply`. Of exemptions
/// those of plimsoll.yaml count. Whoever creates an object writes its annotations, so the exemptions in them count only with
/// `--exemptions all`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Files of reviews or of manifests, or `-` (repeatable)
    #[arg(short, long = "filename", value_name = "FILE", default_value = "-")]
    files: Vec<PathBuf>,

    #[command(flatten)]
    cluster: ClusterArgs,
    #[command(flatten)]
    checks: CheckArgs,
}

pub(super) fn run(args: &Args, streams: &mut Streams<'_>) -> Result<ExitStatus, Stop> {
    let project = args.checks.project()?;
    let mut files = Vec::new();
    for path in &args.files {
        files.push(target_args::file(path, streams)?);
    }
    match reviews(&files)? {
        Some(reviews) => answer(args, &project, &reviews, streams),
        None => judge(args, &project, files, streams),
    }
}

/// Answers each review; nothing is printed where one of them cannot be read.
fn answer(args: &Args, project: &Project, reviews: &[Review], streams: &mut Streams<'_>) -> Result<ExitStatus, Stop> {
    let destination = args.cluster.destination(project, None)?;
    let judge = args.checks.rules.admission(project, &destination.capabilities)?;
    let today = args.checks.rules.today();
    let answered = |review: &Review| {
        let place = || Location::new(review.file.clone(), review.span);
        judge.answer_value(&review.value, today).map_err(|error| Fault::from(error).label(place(), "this review"))
    };
    let answers = reviews.iter().map(answered).collect::<Result<Vec<_>, Fault>>()?;
    for answer in &answers {
        streams.stdout.write_all(&answer.body)?;
        streams.stdout.write_all(b"\n")?;
    }
    Ok(if answers.iter().all(|answer| answer.allowed) { ExitStatus::Clean } else { ExitStatus::Refused })
}

/// Judges the creation of each object.
fn judge(
    args: &Args,
    project: &Project,
    files: Vec<Arc<SourceFile>>,
    streams: &mut Streams<'_>,
) -> Result<ExitStatus, Stop> {
    args.checks.check_outputs()?;
    let destination = args.cluster.destination(project, None)?;
    let manifests = check::read(files)?;
    if let Some(manifest) = manifests.iter().find(|manifest| manifest.objects(0, "").iter().any(is_nothing)) {
        let place = Location::new(manifest.file.clone(), first_line(&manifest.file.text, manifest.span.start));
        let fault = Fault::new("there is neither a review nor an object: it has no apiVersion, or no kind");
        return Err(fault
            .label(place, "here")
            .help("values are rendered first: plimsoll render, or plimsoll lint")
            .into());
    }
    let rules = &args.checks.rules;
    let catalogue = rules.catalogue(project)?;
    let mut chosen = rules.choose(project, None, &catalogue)?;
    chosen.policies.retain(|policy| why_left_out(policy).is_none());
    let honoured = rules.honoured_at_admission(project);
    let rules = Rules { honoured, ..rules.rules(project, chosen, destination.version)? };
    let subject = Subject::plain(&manifests, &destination.namespace, &destination.capabilities);
    let report = check::lint(&[subject], &rules)?;
    args.checks.conclude(&report, streams)
}

/// Whether no API server would send this to a webhook: policies that match kinds would all pass it.
fn is_nothing(object: &Object) -> bool {
    object.reference.kind.is_empty() || object.reference.api_version.is_empty()
}

/// A review, and where it is.
struct Review {
    file: Arc<SourceFile>,
    span: Span,
    value: Value,
}

/// The reviews that files hold; `None` where they hold manifests.
fn reviews(files: &[Arc<SourceFile>]) -> Result<Option<Vec<Review>>, Fault> {
    let mut reviews = Vec::new();
    let mut other = None;
    for file in files {
        for (span, value) in documents(file)? {
            match is_review(&value) {
                true => reviews.push(Review { file: file.clone(), span, value }),
                false => other = other.or(Some(Location::new(file.clone(), span))),
            }
        }
    }
    match (reviews.first(), other) {
        (Some(review), Some(other)) => {
            let review = Location::new(review.file.clone(), review.span);
            let fault = Fault::new("there are AdmissionReviews and manifests").label(review, "a review");
            Err(fault
                .label(other, "no review")
                .help("give them to two runs: reviews are answered, manifests are checked"))
        }
        (Some(_), None) => Ok(Some(reviews)),
        (None, _) => Ok(None),
    }
}

/// Whether a document asks for an answer, of whatever version.
fn is_review(value: &Value) -> bool {
    let text = |key| value.get(key).and_then(Value::as_str).unwrap_or_default();
    text("kind") == "AdmissionReview" && text("apiVersion").starts_with("admission.k8s.io/")
}

/// The documents of a file that are not empty, each with its first line: JSON, one after the other, or YAML.
fn documents(file: &Arc<SourceFile>) -> Result<Vec<(Span, Value)>, Fault> {
    let documents = match json_documents(&file.text) {
        Some(documents) => documents,
        None => {
            let options = yaml::Options { strict: true, ..Default::default() };
            let documents = yaml::parse_stream(&file.text, options).map_err(|error| {
                Fault::new(error.to_string()).label(Location::new(file.clone(), error.span()), "here")
            })?;
            documents.into_iter().map(|document| (document.span.start, document.value)).collect()
        }
    };
    let documents = documents.into_iter().filter(|(_, value)| !matches!(value, Value::Null));
    Ok(documents.map(|(start, value)| (first_line(&file.text, start), value)).collect())
}

/// The line that begins here.
fn first_line(text: &str, start: usize) -> Span {
    let length = text.get(start..).and_then(|rest| rest.lines().next()).map_or(0, str::len);
    Span::new(start, start + length)
}

/// Values of JSON one after the other, each with its place; `None` where that is not what the text is.
fn json_documents(text: &str) -> Option<Vec<(usize, Value)>> {
    let mut documents = Vec::new();
    let mut at = 0;
    loop {
        let rest = text.get(at..)?;
        let start = at + rest.len() - rest.trim_start().len();
        if start == text.len() {
            return Some(documents);
        }
        let rest = text.get(start..).filter(|rest| rest.starts_with('{'))?;
        let (value, length) = json::parse_prefix(rest, Numbers::Exact).ok()?;
        documents.push((start, value));
        at = start + length;
    }
}
