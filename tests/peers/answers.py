"""Print what another linter finds in manifests with its default checks, as JSON lines.

    answers.py kube-linter PROGRAM FOLDER
    answers.py checkov FOLDER          with the Python that Checkov is installed for

The first line names the tool, its version and the ids of its checks; each other line one object of one manifest, and the
ids that the tool finds on it. A manifest is a file below FOLDER, and one release; what Helm printed (NAME.out) is there as
NAME.out.yaml, since Checkov reads no other endings.
"""

import json
import os
import pathlib
import subprocess
import sys
from collections import defaultdict


def kube_linter(program, folder, manifests):
    def run(*arguments):
        done = subprocess.run([program, *arguments], cwd=folder, capture_output=True, text=True, check=False)
        return json.loads(done.stdout)

    every = {check["name"] for check in run("checks", "list", "--format", "json")}
    found, default = defaultdict(set), set()
    for manifest in manifests:
        answer = run("lint", manifest, "--format", "json")
        default.update(answer["Checks"] and [check["name"] for check in answer["Checks"]])
        for report in answer["Reports"] or []:
            of = report["Object"]["K8sObject"]
            found[manifest, f"{of['GroupVersionKind']['Kind']} {of['Name']}"].add(report["Check"])
    return subprocess.run([program, "version"], capture_output=True, text=True).stdout.strip(), default, every, found


def checkov(folder, manifests):
    os.environ["LOG_LEVEL"] = "ERROR"
    import yaml
    from checkov.common.checks_infra.registry import get_graph_checks_registry
    from checkov.kubernetes.checks.resource.registry import registry
    from checkov.kubernetes.runner import Runner
    from checkov.runner_filter import RunnerFilter
    from checkov.version import version

    found = defaultdict(set)
    for manifest in manifests:
        path = str(folder / manifest)
        # Pods that Checkov derives from templates have names of their own: the line tells whose they are.
        starts = [node.start_mark.line for node in yaml.compose_all(open(path), yaml.BaseLoader) if node]
        objects = [object for object in yaml.load_all(open(path), yaml.BaseLoader) if object]
        report = Runner().run(root_folder=None, files=[path], runner_filter=RunnerFilter(framework=["kubernetes"]))
        for record in report.failed_checks:
            line = record.file_line_range[1] - 1
            of = [object for start, object in zip(starts, objects) if start <= line][-1]
            found[manifest, f"{of['kind']} {of['metadata'].get('name', '')}"].add(record.check_id)
    graph = get_graph_checks_registry("kubernetes")
    graph.load_checks()
    every = {check.id for checks in registry.checks.values() for check in checks} | {check.id for check in graph.checks}
    return version, every, every, found


def main(tool, *rest):
    folder = pathlib.Path(rest[-1])
    manifests = sorted(str(path.relative_to(folder)) for path in folder.rglob("*.yaml"))
    version, default, every, found = (kube_linter(rest[0], folder, manifests) if tool == "kube-linter" else
                                      checkov(folder, manifests))
    print(json.dumps({"tool": tool, "version": version, "default": sorted(default), "optional": sorted(every - default)}))
    for (manifest, object), ids in sorted(found.items()):
        print(json.dumps({"manifest": manifest.replace(".out.yaml", ".out"), "object": object, "ids": sorted(ids)}))


main(*sys.argv[1:])
