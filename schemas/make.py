#!/usr/bin/env python3
"""Make schemas/kubernetes.bundle, the schemas of Kubernetes that the binary carries.

    schemas/make.py             writes the bundle, from the package that is pinned here, as pip downloads it
    schemas/make.py --check     compares the committed bundle with what would be written; status 1 where it differs
    schemas/make.py --wheel F   takes the package's wheel from a file; its digest is checked all the same

The schemas are those that `kubernetes-validate` (Apache-2.0) makes of each version's OpenAPI document. For a new version
of Kubernetes: pin the package that has it, run this, and `cargo test`.

The bundle is a head of text, an empty line, and blocks, each a zlib stream of its own, so that who needs one kind
inflates little else:

    package kubernetes-validate 1.37.0
    sha256 <of the wheel>
    versions 1.30 1.31 ...
    block <name> <bytes>               one line a block, in their order

The block `kinds` has a line for each kind of object:           apps/v1 Deployment ff io.k8s.api.apps.v1.Deployment
Each other block has the definitions of one API group, a line each:      <definition> ff {"properties":{...}}

The third word of both, hexadecimal, says in which versions that holds: bit 0 stands for the first. A definition that
changed has a line for each of its forms. What only describes (descriptions, merge keys, list types) is left out: it
would make the bundle eight times as large, and holds nobody to anything. Strictness is left out too: it follows from the
rest, which is checked here against the package's own strict schemas.
"""

import argparse
import collections
import hashlib
import json
import pathlib
import subprocess
import sys
import tempfile
import zipfile
import zlib

PACKAGE = "kubernetes-validate"
VERSION = "1.37.0"
SHA256 = "85136d018a27b50ec7fc049d902bfa5193f5976807e6c0f408e3ab6fe078cad9"
# How many minor versions, the newest of the package first.
VERSIONS = 8

BUNDLE = pathlib.Path(__file__).with_name("kubernetes.bundle")

# Keywords that hold values to something, and those that do not.
ASSERTED = {"$ref", "additionalProperties", "enum", "format", "items", "oneOf", "properties", "required", "type"}
DESCRIBED = {
    "description",
    "x-kubernetes-group-version-kind",
    "x-kubernetes-list-map-keys",
    "x-kubernetes-list-type",
    "x-kubernetes-map-type",
    "x-kubernetes-patch-merge-key",
    "x-kubernetes-patch-strategy",
    "x-kubernetes-unions",
}
# The API machinery's own messages (DeleteOptions, WatchEvent, Status): nobody writes them into a manifest.
MESSAGES = "io.k8s.apimachinery.pkg.apis.meta."


def main():
    arguments = argparse.ArgumentParser(description="Make schemas/kubernetes.bundle.")
    arguments.add_argument("--check", action="store_true", help="compare instead of writing")
    arguments.add_argument("--wheel", type=pathlib.Path, help="the wheel, where it need not be downloaded")
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        head, blocks = contents(package(options.wheel or download(folder)))
    if not options.check:
        BUNDLE.write_bytes(write(head, blocks))
    elif read(BUNDLE.read_bytes()) != (head, blocks):
        sys.exit(f"{BUNDLE.name} is not what schemas/make.py makes of {PACKAGE} {VERSION}: run it, and commit")
    print(f"{BUNDLE.name}: {BUNDLE.stat().st_size} bytes, {len(blocks)} blocks")


def download(folder):
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    subprocess.run([*pip, "download", "--no-deps", "--only-binary", ":all:", "--dest", folder, f"{PACKAGE}=={VERSION}"], check=True)
    return next(pathlib.Path(folder).glob("*.whl"))


def package(wheel):
    """The wheel, opened, if it is the one that is pinned."""
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    if digest != SHA256:
        sys.exit(f"{wheel.name} is not the package that is pinned: its sha256 is {digest}")
    return zipfile.ZipFile(wheel)


def contents(wheel):
    """The head of the bundle, and its blocks by name."""
    minors = newest(wheel)
    holds = collections.defaultdict(int)
    for bit, minor in enumerate(minors):
        definitions = load(wheel, minor, "")
        check_strictness(minor, definitions, load(wheel, minor, "-strict"))
        kinds = {}
        for name, schema in definitions.items():
            holds[block(name), f"{name} {{:02x}} {compact(asserted(schema, name))}"] |= 1 << bit
            for kind in [] if name.startswith(MESSAGES) else schema.get("x-kubernetes-group-version-kind", []):
                kind = f"{kind['group']}/{kind['version']} {kind['kind']}".removeprefix("/")
                if kinds.setdefault(kind, name) != name:
                    sys.exit(f"{minor}: {kind} is both {kinds[kind]} and {name}")
                holds["kinds", f"{kind} {{:02x}} {name}"] |= 1 << bit
    blocks = collections.defaultdict(str)
    for (name, line), versions in sorted(holds.items()):
        head, tail = line.split("{:02x}", 1)
        blocks[name] += f"{head}{versions:02x}{tail}\n"
    head = f"package {PACKAGE} {VERSION}\nsha256 {SHA256}\nversions {' '.join(minors)}\n"
    return head, dict(blocks)


def newest(wheel):
    """The minor versions to bundle, oldest first: `1.30`."""
    folders = {name.split("/")[2] for name in wheel.namelist() if "/kubernetes-json-schema/" in name}
    minors = {tuple(map(int, name[1:].split(".")[:2])) for name in folders if name.endswith("-local")}
    return [".".join(map(str, minor)) for minor in sorted(minors)][-VERSIONS:]


def load(wheel, minor, suffix):
    path = f"kubernetes_validate/kubernetes-json-schema/v{minor}.0-local{suffix}/_definitions.json"
    return json.loads(wheel.read(path))["$defs"]


def block(name):
    """The block of a definition: `io.k8s.api.apps` of `io.k8s.api.apps.v1.Deployment`."""
    return name.rsplit(".", 2)[0]


def asserted(schema, at):
    """A schema without what only describes."""
    if unknown := schema.keys() - ASSERTED - DESCRIBED:
        sys.exit(f"{at}: what do these keywords mean for a value: {', '.join(sorted(unknown))}?")
    return schemas_within(lambda inner: asserted(inner, at), {k: v for k, v in schema.items() if k in ASSERTED})


def strict(schema):
    """A schema that takes no other fields than it has, as src/schema/bundle.rs derives it."""
    schema = schemas_within(strict, schema)
    return schema | {"additionalProperties": False} if "properties" in schema else schema


def schemas_within(change, schema):
    """The schema with each schema right inside it changed."""
    changed = dict(schema)
    for keyword in schema.keys() & {"items", "additionalProperties"}:
        changed[keyword] = change(schema[keyword])
    if "properties" in schema:
        changed["properties"] = {name: change(inner) for name, inner in schema["properties"].items()}
    if "oneOf" in schema:
        changed["oneOf"] = [change(inner) for inner in schema["oneOf"]]
    return changed


def check_strictness(minor, definitions, of_package):
    for name in definitions.keys() | of_package.keys():
        if strict(definitions.get(name, {})) != of_package.get(name):
            sys.exit(f"{minor}: the package's strict schema of {name} is not the one that is derived")


def compact(schema):
    return json.dumps(schema, separators=(",", ":"), sort_keys=True)


def write(head, blocks):
    deflated = {name: zlib.compress(text.encode(), 9) for name, text in blocks.items()}
    table = "".join(f"block {name} {len(data)}\n" for name, data in deflated.items())
    return f"{head}{table}\n".encode() + b"".join(deflated.values())


def read(data):
    """The inverse of `write`."""
    head, data = data.split(b"\n\n", 1)
    lines = head.decode().splitlines(keepends=True)
    blocks = {}
    for _, name, length in (line.split() for line in lines if line.startswith("block ")):
        blocks[name] = zlib.decompress(data[: int(length)]).decode()
        data = data[int(length) :]
    return "".join(line for line in lines if not line.startswith("block ")), blocks


if __name__ == "__main__":
    main()
