#!/usr/bin/env python3
"""Say which kinds of objects each version of Kubernetes serves, of all that may be enabled, and since and until when.

    served.py OLDEST NEWEST     the minor versions: 16 37

Needs Go, and the Go module proxy or a filled module cache: each version's OpenAPI document is in its module
k8s.io/kubernetes, 15 to 25 MB.
"""

import json
import os
import pathlib
import subprocess
import sys

oldest, newest = map(int, sys.argv[1:])
served = {}
for minor in range(oldest, newest + 1):
    command = ["go", "mod", "download", "-json", f"k8s.io/kubernetes@v1.{minor}.0"]
    answer = subprocess.run(command, stdout=subprocess.PIPE, check=True, env=os.environ | {"GOFLAGS": "-mod=mod"})
    document = pathlib.Path(json.loads(answer.stdout)["Dir"]) / "api/openapi-spec/swagger.json"
    for path, operations in json.loads(document.read_text())["paths"].items():
        # Below {name} are parts of an object: its scale, its status.
        if "post" not in operations or "{name}/" in path:
            continue
        kind = operations["post"]["x-kubernetes-group-version-kind"]
        api_version = f"{kind['group']}/{kind['version']}".removeprefix("/")
        served.setdefault((api_version, kind["kind"]), []).append(minor)
print(f"# The kinds that Kubernetes 1.{oldest} to 1.{newest} can serve, and since and until when: tests/peers/served.py")
for (api_version, kind), minors in sorted(served.items()):
    print(f"{api_version} {kind} 1.{minors[0]} 1.{minors[-1]}")
