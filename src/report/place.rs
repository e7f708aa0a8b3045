//! Where a reviewer looks: the line that a change would mend, the same in every format that has room for one place.

use std::borrow::Cow;

use crate::credential;
use crate::finding::{Finding, Place, Setter};
use crate::source::{Location, Position};

/// The name of what was read from standard input: nobody can open it.
const STDIN: &str = "-";

/// The file that stands for one where none is at fault, in formats that must have one: there an exemption would be
/// written.
pub(super) const NOWHERE: &str = "plimsoll.yaml";

/// Where to look for a finding; `None` where no file is at fault.
///
/// The line that set the likeliest value comes first, then the line of the template that wrote the field, then that of
/// the project file. What was rendered is a file only where no template wrote it.
pub(super) fn of(finding: &Finding) -> Option<&Location> {
    let set_by = finding.values.first().and_then(|key| match &key.set_by {
        Some(Setter::File(location)) => Some(location),
        Some(Setter::Flag(_)) | None => None,
    });
    let place = finding.places.first();
    let template = place.and_then(|place| place.template.first());
    let plain = place.filter(|place| is_plain(place)).map(|place| &place.rendered);
    [set_by, template, finding.configured.as_ref(), plain].into_iter().flatten().find(|location| is_file(location))
}

/// All other files that have a part in it, each with what is to be seen there, as text has them.
pub(super) fn related(finding: &Finding) -> impl Iterator<Item = (&Location, String)> {
    let main = of(finding);
    let places = finding.places.iter().flat_map(|place| {
        let template = place.template.iter().enumerate();
        let template = template.map(|(i, at)| (at, if i == 0 { "written here" } else { "from here" }.to_owned()));
        let rendered = is_plain(place).then(|| (&place.rendered, place.field.to_string()));
        template.chain(rendered)
    });
    let values = finding.values.iter().filter_map(|key| match &key.set_by {
        Some(Setter::File(location)) => Some((location, format!("{} is set here", key.path))),
        Some(Setter::Flag(_)) | None => None,
    });
    let configured = finding.configured.iter().map(|location| (location, "here".to_owned()));
    places
        .chain(values)
        .chain(configured)
        .filter(move |(location, _)| is_file(location) && main.is_none_or(|main| main != *location))
}

/// What no file tells of the values behind it: `replicas is set by --set replicas=1`, `replicas is not set`.
pub(super) fn notes(finding: &Finding) -> impl Iterator<Item = String> {
    finding.values.iter().filter_map(|key| match &key.set_by {
        Some(Setter::File(_)) => None,
        Some(Setter::Flag(flag)) => Some(format!("{} is set by {}", key.path, credential::flag(flag))),
        None => Some(format!("{} is not set", key.path)),
    })
}

/// Whether the field stands in a file as it was judged: no template wrote it.
fn is_plain(place: &Place) -> bool {
    place.template.is_empty()
}

fn is_file(location: &Location) -> bool {
    location.file.name != STDIN
}

/// The path of a file as programs compare it with those of the repository: with slashes, without `./` and `//`.
pub(super) fn path(location: &Location) -> Cow<'_, str> {
    let name = location.file.name.as_str();
    let is_clean = |name: &str| !name.starts_with("./") && !name.contains("//") && !name.contains("/./");
    if is_clean(name) {
        return Cow::Borrowed(name);
    }
    let root = if name.starts_with('/') { "/" } else { "" };
    let parts: Vec<&str> = name.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    Cow::Owned(format!("{root}{}", parts.join("/")))
}

/// Where a place begins and where it ends, one past its last character.
pub(super) fn region(location: &Location) -> (Position, Position) {
    let start = location.position();
    let end = location.span.end.max(location.span.start);
    // A place that is a whole line or block does not reach into the next one.
    let text = location.file.text.get(location.span.start..end).map_or("", |text| text.trim_end_matches(['\n', '\r']));
    (start, location.file.position(location.span.start + text.len()))
}
