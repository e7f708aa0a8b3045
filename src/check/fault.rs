//! What each stage says when it cannot do its work, with places and the way out.

use crate::chart;
use crate::finding::{Fault, Setter};
use crate::infer;
use crate::manifest::{self, Object};
use crate::policy::{self, reach};
use crate::render;
use crate::schema;
use crate::source::Location;
use crate::usage;
use crate::values;

impl From<chart::Error> for Fault {
    fn from(error: chart::Error) -> Self {
        let help = match &error {
            chart::Error::NotFound { .. } | chart::Error::NotAChart { .. } | chart::Error::NoChartYaml => {
                Some("name a folder that has a Chart.yaml, or a .tgz; `plimsoll init NAME` writes a new chart")
            }
            chart::Error::LinkOutside { .. } => {
                Some("a chart may not read what is outside of it: copy the file into it")
            }
            _ => None,
        };
        let fault = Self::new(error.to_string());
        let fault = match error.location() {
            Some(location) => fault.label(location, "here"),
            None => fault,
        };
        match help {
            Some(help) => fault.help(help),
            None => fault,
        }
    }
}

impl From<render::NameError> for Fault {
    fn from(error: render::NameError) -> Self {
        Self::new(error.to_string()).help("for example: plimsoll render my-release ./my-chart")
    }
}

impl From<values::InputError> for Fault {
    fn from(error: values::InputError) -> Self {
        let fault = Self::new(error.to_string());
        match error {
            values::InputError::File { file, error } => fault.label(Location::new(file, error.span()), "here"),
            _ => fault,
        }
    }
}

impl From<values::Error> for Fault {
    fn from(error: values::Error) -> Self {
        let mut fault = Self::new(error.to_string());
        if matches!(error, values::Error::MissingDependencies { .. }) {
            return fault
                .help("`plimsoll deps CHART` gets them without Helm; with --locked, exactly those of Chart.lock");
        }
        let values::Error::Schema { error, sources } = error else { return fault };
        let mut notes = Vec::new();
        for problem in error.charts.into_iter().flat_map(|chart| chart.problems) {
            match sources.setter(&problem.path) {
                Some(Setter::File(place)) => {
                    fault = fault.label(place, format!("{}: {}", problem.path, problem.message))
                }
                Some(Setter::Flag(flag)) => {
                    notes.push(format!("{} is set by {flag}: {}", problem.path, problem.message))
                }
                None => {}
            }
        }
        if notes.is_empty() { fault } else { fault.help(notes.join("\n")) }
    }
}

impl From<infer::Error> for Fault {
    fn from(error: infer::Error) -> Self {
        let fault = Self::new(error.to_string());
        match error {
            infer::Error::Annotation { location, .. } => fault.label(location, "here"),
            infer::Error::Values { .. } => fault,
        }
    }
}

impl From<manifest::Error> for Fault {
    fn from(error: manifest::Error) -> Self {
        let mut fault = Self::new(error.message);
        for (i, place) in error.template.into_iter().enumerate() {
            fault = fault.label(place, if i == 0 { "written here" } else { "from here" });
        }
        fault.label(error.location, "rendered")
    }
}

impl From<render::jinja::Error> for Fault {
    fn from(error: render::jinja::Error) -> Self {
        let fault = Self { help: error.help().map(ToOwned::to_owned), ..Self::new(error.to_string()) };
        match (error.site(), error.location()) {
            (Some(site), _) => site
                .callers
                .iter()
                .fold(fault.label(site.at.clone(), "here"), |fault, caller| fault.label(caller.clone(), "called here")),
            (None, Some(location)) => fault.label(location.clone(), "here"),
            (None, None) => fault,
        }
    }
}

impl From<render::gotemplate::Failure> for Fault {
    fn from(failure: render::gotemplate::Failure) -> Self {
        let mut fault = Self { help: failure.help, ..Self::new(failure.text) };
        let mut shown: Vec<Location> = Vec::new();
        for place in failure.chain {
            if !shown.contains(&place) {
                let text = if shown.is_empty() { failure.reason.as_str() } else { "from here" };
                fault = fault.label(place.clone(), text);
                shown.push(place);
            }
        }
        fault
    }
}

/// Every template that fails is named.
pub(super) fn of_render(error: render::Error) -> Vec<Fault> {
    match error {
        render::Error::Go(error) => error.failures.into_iter().map(Fault::from).collect(),
        render::Error::Jinja(error) => vec![error.into()],
    }
}

/// Every template that cannot be analysed is named.
impl From<usage::Error> for Vec<Fault> {
    fn from(error: usage::Error) -> Self {
        match error {
            usage::Error::Templates(error) => of_render(error),
            usage::Error::Thread(_) => vec![Fault::new(error.to_string())],
        }
    }
}

impl From<schema::Error> for Fault {
    fn from(error: schema::Error) -> Self {
        let fault = Self::new(error.to_string());
        match error.location {
            Some(place) => fault.label(place, "here"),
            None => fault,
        }
    }
}

/// A policy that cannot be evaluated, with the object that it stumbled over.
pub(super) fn of_policy(error: &policy::Error, objects: &[Object]) -> Fault {
    let object = |index: &Option<usize>| index.and_then(|index| objects.get(index)).map(|object| &object.reference);
    match &error.kind {
        policy::ErrorKind::Schema { error, object: index } => {
            let fault = Fault::from((**error).clone());
            match (&error.kind, object(index)) {
                (schema::ErrorKind::Unusable(reason), Some(object)) => {
                    Fault { message: format!("{object}: {reason}"), ..fault }
                }
                _ => fault,
            }
        }
        policy::ErrorKind::Evaluate { object: index, .. } => {
            let text = object(index).map_or_else(|| "here".to_owned(), |object| format!("here, for {object}"));
            Fault::new(error.to_string()).label(error.location.clone(), text)
        }
        _ => Fault::new(error.to_string()).label(error.location.clone(), "here"),
    }
}

/// Why nobody can say who reads which Secret.
pub(super) fn of_reach(error: &reach::Error, objects: &[Object], locate: &reach::Locate<'_>) -> Fault {
    let fault = Fault::new(error.to_string());
    let reach::Error::Malformed { object, path, .. } = error else { return fault };
    match (objects.get(*object), locate(*object, path)) {
        (Some(object), Some(place)) => fault.label(place, object.reference.to_string()),
        _ => fault,
    }
}
