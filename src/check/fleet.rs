//! What is linted together: plain manifests, a release, or all releases of a project.

use std::collections::{BTreeMap, HashSet};
use std::ops::Range;

use super::{Rendered, Subject, charts, fault, one};
use crate::finding::Fault;
use crate::manifest::{self, Manifest, Object};
use crate::parallel;
use crate::policy::{self, Policy};
use crate::schema::{Minor, Schemas};
use crate::source::SourceFile;
use crate::value::{Path, Value};

/// The subjects, and their objects one after the other.
pub(super) struct Fleet<'a> {
    pub subjects: &'a [Subject<'a>],
    /// The objects of all.
    pub objects: Vec<Object>,
    /// Which of them belong to which.
    ranges: Vec<Range<usize>>,
}

/// What policies ask for beside the objects.
pub(super) struct Asked {
    /// The values of all objects.
    values: Vec<Value>,
    /// The keys that each of them writes more than once.
    duplicates: Vec<Vec<Path>>,
    /// The policies that each release brings.
    brought: Vec<Vec<Policy>>,
    /// The schemas of each version of Kubernetes that a release is meant for.
    schemas: BTreeMap<Option<Minor>, Schemas>,
}

impl Asked {
    /// The policies that the releases bring.
    pub fn brought(&self) -> impl Iterator<Item = &Policy> {
        self.brought.iter().flatten()
    }
}

impl<'a> Fleet<'a> {
    pub fn new(subjects: &'a [Subject<'a>]) -> Result<Self, Vec<Fault>> {
        let mut fleet = Self { subjects, objects: Vec::new(), ranges: Vec::new() };
        for subject in subjects {
            let first = fleet.objects.len();
            fleet.objects.extend(subject.objects()?);
            fleet.ranges.push(first..fleet.objects.len());
        }
        Ok(fleet)
    }

    /// The values of all objects.
    pub fn values(&self) -> Vec<Value> {
        self.objects.iter().map(|object| object.value.clone()).collect()
    }

    /// Gathers what policies ask for: `schemas` where one of them is about schemas.
    pub fn ask(&self, schemas: Option<&Schemas>) -> Result<Asked, Vec<Fault>> {
        let named = schemas.map(|schemas| self.schemas(schemas)).transpose()?.unwrap_or_default();
        let versions = self.subjects.iter().map(|subject| subject.version);
        let schemas = versions.map(|version| (version, named.clone().of_version(version))).collect();
        let duplicates = self.objects.iter().map(|object| object.duplicates.clone()).collect();
        Ok(Asked { values: self.values(), duplicates, brought: self.brought()?, schemas })
    }

    /// What policies see of each.
    pub fn releases<'r>(&'r self, asked: &'r Asked) -> Vec<policy::Release<'r>> {
        let release = |((subject, range), brought): ((&'r Subject<'r>, &Range<usize>), &'r Vec<Policy>)| {
            let part = subject.release(asked.values.get(range.clone()).unwrap_or_default());
            policy::Release {
                duplicates: asked.duplicates.get(range.clone()).unwrap_or_default(),
                policies: brought,
                chosen: subject.chosen,
                schemas: asked.schemas.get(&subject.version).unwrap_or(part.schemas),
                ..part
            }
        };
        self.subjects.iter().zip(&self.ranges).zip(&asked.brought).map(release).collect()
    }

    /// The name and namespace of each, with its part of the values.
    pub fn members<'r>(&'r self, values: &'r [Value]) -> Vec<policy::reach::Member<'r>> {
        let member = |(subject, range): (&'r Subject<'r>, &Range<usize>)| {
            let release = subject.release(values.get(range.clone()).unwrap_or_default());
            policy::reach::Member { name: release.name, namespace: release.namespace, objects: release.objects }
        };
        self.subjects.iter().zip(&self.ranges).map(member).collect()
    }

    /// The policies that each of them brings.
    fn brought(&self) -> Result<Vec<Vec<Policy>>, Vec<Fault>> {
        let of = |(subject, range): (&Subject<'_>, &Range<usize>)| {
            let objects = self.objects.get(range.clone()).unwrap_or_default();
            policy::brought(objects, subject.manifests).map_err(|error| one(fault::of_policy(&error, objects)))
        };
        self.subjects.iter().zip(&self.ranges).map(of).collect()
    }

    /// The schemas that are named, and those of the CRDs that come with the releases: among their objects, and in `crds/`
    /// of their charts.
    fn schemas(&self, named: &Schemas) -> Result<Schemas, Vec<Fault>> {
        let mut schemas = named.clone();
        for (index, object) in self.objects.iter().enumerate() {
            let manifests = self.subjects.get(self.owner(index)).map_or(&[][..], |subject| subject.manifests);
            if let Some(manifest) = manifests.get(object.manifest) {
                schemas.add_crd(&object.value, || manifest.place(object)).map_err(one)?;
            }
        }
        let mut known = HashSet::new();
        let rendered = self.subjects.iter().filter_map(|subject| subject.rendered);
        for rendered in rendered.filter(|rendered| known.insert(charts::shape(&rendered.resolved.chart))) {
            let files = rendered.crds().into_iter().map(|(name, text)| (SourceFile::new(name, text), None));
            for manifest in manifest::read(files).map_err(one)? {
                for object in manifest.objects(0, "") {
                    schemas.add_crd(&object.value, || manifest.place(&object)).map_err(one)?;
                }
            }
        }
        Ok(schemas)
    }

    /// What a release is called, where there are several.
    pub fn name(&self, release: usize) -> Option<&str> {
        let subject = self.subjects.get(release)?;
        subject.label.or_else(|| Some(subject.rendered?.release.name.as_str()).filter(|_| self.subjects.len() > 1))
    }

    /// The index of what an object belongs to.
    pub fn owner(&self, object: usize) -> usize {
        self.ranges.partition_point(|range| range.end <= object)
    }

    /// The manifests of some of them again, with source maps.
    pub fn traced(
        &self,
        owners: impl IntoIterator<Item = usize>,
    ) -> Result<BTreeMap<usize, Vec<Manifest>>, Vec<Fault>> {
        let as_rendered = |owner: usize| self.subjects.get(owner).filter(|subject| subject.is_as_rendered);
        let rendered = |owner: usize| Some((owner, as_rendered(owner)?.rendered?));
        let rendered: Vec<(usize, &Rendered)> = owners.into_iter().filter_map(rendered).collect();
        let traced = parallel::map(&rendered, rendered.len(), |_, (owner, rendered)| Ok((*owner, rendered.traced()?)));
        traced.into_iter().collect()
    }
}
