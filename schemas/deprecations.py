#!/usr/bin/env python3
"""Make src/schema/deprecation/table.rs, the APIs of Kubernetes that are deprecated or removed.

    schemas/deprecations.py             writes the table, from the Go modules that are pinned here
    schemas/deprecations.py --check     compares the committed table with it; status 1 where it differs

Needs Go, and the Go module proxy or a filled module cache. For a new version of Kubernetes: add its module, run this,
and `tests/peers/deprecations.sh --record`.

The source is the code that API servers serve their APIs by (Apache-2.0): each type of k8s.io/api, of
k8s.io/apiextensions-apiserver and of k8s.io/kube-aggregator says in zz_generated.prerelease-lifecycle.go since when it
is deprecated, when it is removed, and what replaces it. Types vanish from later modules, and plans change: so there is
a module of every minor version, and the newest that has a type knows best. Where a type is gone its API is gone too,
whatever was planned. What the code does not say is in BY_HAND, each with who says it.
"""

import argparse
import json
import os
import pathlib
import re
import subprocess
import sys

# The versions of Kubernetes that objects are held to.
OLDEST = 30
NEWEST = 37
# The oldest first. Lifecycles begin with 0.19; what only 0.18 has was removed in 1.19.
APIS = [f"k8s.io/api@v0.{minor}.0" for minor in range(18, NEWEST)] + [f"k8s.io/api@v0.{NEWEST}.2"]
OTHERS = [f"k8s.io/apiextensions-apiserver@v0.{NEWEST}.2", f"k8s.io/kube-aggregator@v0.{NEWEST}.2"]

TABLE = pathlib.Path(__file__).parent.parent / "src/schema/deprecation/table.rs"

# Types that are parts of others, parameters, or messages between an API server and its clients.
NOT_OBJECTS = re.compile(
    "(apps|autoscaling|extensions)/Scale|policy/Eviction"
    "|.*/(AdmissionReview|APIGroupDiscovery|ConversionReview|DeploymentRollback|EphemeralContainers|JobTemplate"
    "|PodStatusResult|.*List|.*Options)"
)

# What the code does not say, and who says it: of types that are older than its lifecycles, that are still there though
# nothing serves them, that nothing of their kind replaces.
CHANGES = "CHANGELOG-{}.md of k8s.io/kubernetes"
SWAGGER = "api/openapi-spec/swagger.json of k8s.io/kubernetes v1.{}.0"
TYPES = "{}/types.go of k8s.io/api"
CRD = ("apiextensions.k8s.io", "CustomResourceDefinition")
DEVICE_CLASS = ("resource.k8s.io", "DeviceClass")
POD_SECURITY = "Pod Security Admission (labels of the namespace) or an admission policy"
WEBHOOK = ("admissionregistration.k8s.io", "MutatingWebhookConfiguration")
RBAC = ({"deprecated": 17, "removed": 23}, CHANGES.format("1.17") + "; CHANGELOG-1.23.md")
BY_HAND = {
    "v1 ComponentStatus": (
        {"deprecated": 19, "advice": "the health endpoints of the components"},
        TYPES.format("core/v1"),
    ),
    "v1 Endpoints": ({"deprecated": 33, "replacement": ("discovery.k8s.io", "EndpointSlice")}, TYPES.format("core/v1")),
    "admissionregistration.k8s.io/v1alpha1 InitializerConfiguration": (
        {"removed": 14, "replacement": WEBHOOK},
        CHANGES.format("1.14"),
    ),
    "apps/v1alpha1 PetSet": ({"removed": 5, "replacement": ("apps", "StatefulSet")}, CHANGES.format("1.5")),
    "auditregistration.k8s.io/v1alpha1 AuditSink": (
        {"advice": "the API server's own audit configuration"},
        CHANGES.format("1.19"),
    ),
    "autoscaling/v2alpha1 HorizontalPodAutoscaler": ({"removed": 8}, CHANGES.format("1.8")),
    "batch/v2alpha1 ScheduledJob": (
        {"deprecated": 5, "removed": 8, "replacement": ("batch", "CronJob")},
        CHANGES.format("1.8"),
    ),
    "discovery.k8s.io/v1alpha1 EndpointSlice": ({"removed": 17}, SWAGGER.format(17)),
    "extensions/v1beta1 HorizontalPodAutoscaler": (
        {"deprecated": 2, "removed": 6, "replacement": ("autoscaling", "HorizontalPodAutoscaler")},
        CHANGES.format("1.2") + "; CHANGELOG-1.6.md",
    ),
    "extensions/v1beta1 Job": (
        {"deprecated": 5, "removed": 6, "replacement": ("batch", "Job")},
        CHANGES.format("1.5") + "; CHANGELOG-1.6.md",
    ),
    "extensions/v1beta1 PodSecurityPolicy": ({"advice": POD_SECURITY}, CHANGES.format("1.25")),
    "extensions/v1beta1 ThirdPartyResource": (
        {"deprecated": 7, "removed": 8, "replacement": CRD},
        CHANGES.format("1.7") + "; CHANGELOG-1.8.md",
    ),
    "networking.k8s.io/v1alpha1 IPAddress": ({"removed": 31}, SWAGGER.format(31)),
    "networking.k8s.io/v1alpha1 ServiceCIDR": ({"removed": 31}, SWAGGER.format(31)),
    "node.k8s.io/v1alpha1 RuntimeClass": ({"removed": 24}, CHANGES.format("1.24")),
    "policy/v1alpha1 PodDisruptionBudget": ({"removed": 5}, CHANGES.format("1.5")),
    "policy/v1beta1 PodSecurityPolicy": ({"advice": POD_SECURITY}, CHANGES.format("1.25")),
    "rbac.authorization.k8s.io/v1alpha1 ClusterRole": RBAC,
    "rbac.authorization.k8s.io/v1alpha1 ClusterRoleBinding": RBAC,
    "rbac.authorization.k8s.io/v1alpha1 Role": RBAC,
    "rbac.authorization.k8s.io/v1alpha1 RoleBinding": RBAC,
    "resource.k8s.io/v1alpha1 ResourceClass": ({"replacement": DEVICE_CLASS}, TYPES.format("resource/v1alpha3")),
    "resource.k8s.io/v1alpha2 ResourceClass": ({"replacement": DEVICE_CLASS}, TYPES.format("resource/v1alpha3")),
    "scheduling.k8s.io/v1alpha1 PriorityClass": (
        {"deprecated": 14, "removed": 23},
        CHANGES.format("1.14") + "; CHANGELOG-1.23.md",
    ),
    "settings.k8s.io/v1alpha1 PodPreset": (
        {"advice": "a mutating admission webhook or policy"},
        CHANGES.format("1.20"),
    ),
    "storage.k8s.io/v1alpha1 VolumeAttachment": ({"removed": 23}, SWAGGER.format(23)),
}


def main():
    arguments = argparse.ArgumentParser(usage=__doc__)
    arguments.add_argument("--check", action="store_true")
    table = rust(collect())
    if not arguments.parse_args().check:
        TABLE.write_text(table)
    elif TABLE.read_text() != table:
        sys.exit(f"{TABLE} is not what its recipe makes: run schemas/deprecations.py")


def collect():
    """The types that API servers serve or served: {(apiVersion, kind): what is known of it}."""
    types = {}
    for module in APIS + OTHERS:
        minor = int(module.split(".")[-2])
        for api, said in read(module):
            first = types.get(api, {}).get("introduced", minor)
            types[api] = {"introduced": first, "last": minor} | said
    for api, known in types.items():
        if known["last"] < NEWEST:
            known["removed"] = min(known.get("removed", NEWEST), known["last"] + 1)
    for api, (said, source) in BY_HAND.items():
        types.setdefault(tuple(api.split(" ")), {"introduced": 0}).update(said, source=source)
    for known in types.values():
        # Removed without a warning, or sooner than planned.
        if "removed" in known:
            known["deprecated"] = min(known.get("deprecated", known["removed"]), known["removed"])
    return types


def read(module):
    """The types of a module: (apiVersion, kind) and what its code says of them."""
    command = ["go", "mod", "download", "-json", module]
    answer = subprocess.run(command, stdout=subprocess.PIPE, check=True, env=os.environ | {"GOFLAGS": "-mod=mod"})
    root = pathlib.Path(json.loads(answer.stdout)["Dir"])
    for register in sorted(root.glob("**/v[0-9]*/register.go")):
        text = register.read_text()
        group = re.search(r'^(?:const )?\s*GroupName\s*=\s*"(.*)"', text, re.MULTILINE)
        if not group:
            continue
        api_version = f"{group[1]}/{register.parent.name}".removeprefix("/")
        lifecycles = register.with_name("zz_generated.prerelease-lifecycle.go")
        lifecycles = lifecycles.read_text() if lifecycles.exists() else ""
        for kind in re.findall(r"^\s*&(\w+)\{\},$", text, re.MULTILINE):
            if not NOT_OBJECTS.fullmatch(f"{group[1]}/{kind}"):
                yield (api_version, kind), lifecycle(lifecycles, kind)


def lifecycle(text, kind):
    said = {}
    for event in ("Introduced", "Deprecated", "Removed"):
        minor = re.search(rf"\*{kind}\) APILifecycle{event}\(\).*\n\treturn 1, (\d+)\n", text)
        if minor:
            said[event.lower()] = int(minor[1])
    other = re.search(rf'\*{kind}\) APILifecycleReplacement\(\).*\n.*Group: "(.*)", Version: ".*", Kind: "(.*)"', text)
    if other:
        # Once it is a list by mistake.
        said["replacement"] = (other[1], other[2].removesuffix("List"))
    return said


def replacements(api, types):
    """What to use, and since when. The replacement that the code names was rarely the last, and few are there from the
    start: so this is the best of its versions, for each version of Kubernetes that objects are held to."""
    known = types[api]
    if "advice" in known:
        return [(0, known["advice"])]
    own = group_kind(api)
    named = known.get("replacement", own)
    steps = {}
    for minor in range(OLDEST, NEWEST + 1):
        served = [
            (stability(other), facts["introduced"], other[0] if other[1] == api[1] else " ".join(other))
            for other, facts in types.items()
            if group_kind(other) == named and facts["introduced"] <= minor < facts.get("removed", NEWEST + 1)
            if named != own or stability(other) > stability(api)
        ]
        if served:
            _, since, name = max(served)
            steps[name] = since
    return [(since, name) for name, since in steps.items()] if served else []


def group_kind(api):
    return (api[0].rpartition("/")[0], api[1])


def stability(api):
    major, level, minor = re.fullmatch(r"(?:.*/)?v(\d+)(?:(alpha|beta)(\d+))?", api[0]).groups()
    return (["alpha", "beta", None].index(level), int(major), int(minor or 0))


def rust(types):
    lines = [
        "//! Made by schemas/deprecations.py: change that.",
        "",
        "use super::{Deprecation, row};",
        "",
        "/// Sorted by apiVersion and kind. Who says so is named where it is not the type's own lifecycle.",
        "#[rustfmt::skip]",
        "pub(super) const APIS: &[Deprecation] = &[",
    ]
    for api, known in sorted(types.items()):
        if "deprecated" not in known:
            continue
        if "source" in known:
            lines.append(f"    // {known['source']}")
        removed = f"Some({known['removed']})" if "removed" in known else "None"
        steps = ", ".join(f"({since}, {quoted(name)})" for since, name in replacements(api, types))
        lines.append(f"    row({', '.join(map(quoted, api))}, {known['deprecated']}, {removed}, &[{steps}]),")
    return "\n".join([*lines, "];", ""])


def quoted(text):
    return json.dumps(text)


if __name__ == "__main__":
    main()
