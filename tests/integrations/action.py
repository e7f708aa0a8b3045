#!/usr/bin/env python3
"""Run the steps of action.yml on this machine as GitHub's runner would.

    action.py [--input NAME=VALUE]... [--event FILE] [--repository OWNER/NAME] WORKSPACE

WORKSPACE is the checked-out repository, the event is the JSON of what started the workflow. Steps that use other
actions are named and left out. Prints what the steps print, and at the end the outputs as one line of JSON; the summary
of the job is in the file that $GITHUB_STEP_SUMMARY names, if any. Status 1 where a step failed. Needs PyYAML.

Of GitHub's expressions this knows what action.yml has: contexts, texts, ==, !=, !, &&, ||, parentheses and a few
functions. Anything else is an error, as is an expression inside a script.
"""

import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOKEN = re.compile(r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<op>==|!=|&&|\|\||[!(),])|(?P<name>[A-Za-z_][\w.-]*))")
STATUS_FUNCTIONS = re.compile(r"\b(always|cancelled|failure|success)\(\)")


class Expression:
    """An expression's value: texts, booleans, and None for what is not there."""

    def __init__(self, source, contexts, failed):
        self.contexts, self.failed = contexts, failed
        self.tokens, at = [], 0
        source = source.strip()
        while at < len(source):
            match = TOKEN.match(source, at)
            if not match:
                raise SystemExit(f"action.py: expression not understood: {source!r} at {at}")
            self.tokens.append((match.lastgroup, match[match.lastgroup]))
            at = match.end()
        self.value = self.either()
        if self.tokens:
            raise SystemExit(f"action.py: more than one expression: {source!r}")

    def take(self, *operators):
        if self.tokens and self.tokens[0][0] == "op" and self.tokens[0][1] in operators:
            return self.tokens.pop(0)[1]
        return None

    def either(self):
        value = self.both()
        while self.take("||"):
            other = self.both()
            value = value if value not in (None, "", False) else other
        return value

    def both(self):
        value = self.equal()
        while self.take("&&"):
            other = self.equal()
            value = other if value not in (None, "", False) else value
        return value

    def equal(self):
        value = self.single()
        while operator := self.take("==", "!="):
            # GitHub compares without regard to case, and takes nothing for an empty text.
            same = str(value or "").lower() == str(self.single() or "").lower()
            value = same if operator == "==" else not same
        return value

    def single(self):
        if self.take("!"):
            return self.single() in (None, "", False)
        if self.take("("):
            value = self.either()
            self.take(")")
            return value
        kind, text = self.tokens.pop(0)
        if kind == "text":
            return text[1:-1].replace("''", "'")
        if self.take("("):
            arguments = []
            while not self.take(")"):
                arguments.append(self.either())
                self.take(",")
            return self.call(text, arguments)
        value = self.contexts
        for part in text.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        return value

    def call(self, name, arguments):
        if name == "format":
            return arguments[0].format(*arguments[1:])
        if name in ("always", "cancelled", "failure", "success"):
            return {"always": True, "cancelled": False, "failure": self.failed, "success": not self.failed}[name]
        raise SystemExit(f"action.py: no such function: {name}")


class Job:
    """The state of a run: contexts, whether a step has failed, and the folder for its files."""

    def __init__(self, action, inputs, event, repository, workspace, temp):
        self.failed = False
        self.temp = temp
        self.contexts = {
            "github": {"action_path": str(ROOT), "event": event, "repository": repository, "token": "a-token"},
            "runner": {"os": "Linux", "arch": "X64", "temp": str(temp)},
            "steps": {},
        }
        unknown = inputs.keys() - action["inputs"].keys()
        if unknown:
            raise SystemExit(f"action.py: no such input: {', '.join(sorted(unknown))}")
        self.contexts["inputs"] = {
            name: inputs.get(name, self.expand(str(given.get("default", "")))) for name, given in action["inputs"].items()
        }
        self.workspace = workspace
        self.env = {
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_ACTION_PATH": str(ROOT),
            "GITHUB_REPOSITORY": repository,
            "GITHUB_WORKSPACE": str(workspace),
            "GITHUB_STEP_SUMMARY": os.environ.get("GITHUB_STEP_SUMMARY", str(temp / "summary.md")),
            "RUNNER_TEMP": str(temp),
        }

    def evaluate(self, source):
        return Expression(source, self.contexts, self.failed).value

    def expand(self, text):
        def value(match):
            value = self.evaluate(match[1])
            return "" if value is None else str(value)

        return re.sub(r"\$\{\{(.*?)\}\}", value, text)

    def is_wanted(self, step):
        condition = str(step.get("if", "success()")).strip()
        condition = re.sub(r"^\$\{\{(.*)\}\}$", r"\1", condition, flags=re.S)
        if not STATUS_FUNCTIONS.search(condition):
            condition = f"success() && ({condition})"
        return self.evaluate(condition) not in (None, "", False)

    def run(self, step):
        name = step["name"]
        if "${{" in step.get("run", ""):
            raise SystemExit(f"action.py: step {name!r}: an expression in a script can be made to run anything")
        if not self.is_wanted(step):
            print(f"-- {name}: skipped", flush=True)
            return
        if "uses" in step:
            print(f"-- {name}: not run here: {step['uses']}", flush=True)
            return
        print(f"-- {name}", flush=True)
        script, output = self.temp / "script.sh", self.temp / "output"
        script.write_text(step["run"])
        output.write_text("")
        env = {**os.environ, **self.env, "GITHUB_OUTPUT": str(output)}
        env.update({key: self.expand(str(value)) for key, value in step.get("env", {}).items()})
        folder = self.workspace / self.expand(step.get("working-directory", "."))
        status = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", script], cwd=folder, env=env, check=False
        ).returncode
        outputs = dict(line.split("=", 1) for line in output.read_text().splitlines())
        if "id" in step:
            self.contexts["steps"][step["id"]] = {"outputs": outputs}
        if status:
            print(f"-- {name}: failed with status {status}", flush=True)
            self.failed = True


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--input", action="append", default=[], type=lambda text: text.split("=", 1))
    parser.add_argument("--event", type=pathlib.Path)
    parser.add_argument("--repository", default="acme/shop")
    parser.add_argument("workspace", type=pathlib.Path)
    args = parser.parse_args()
    action = yaml.safe_load((ROOT / "action.yml").read_text())
    event = json.loads(args.event.read_text()) if args.event else {}
    with tempfile.TemporaryDirectory() as temp:
        job = Job(action, dict(args.input), event, args.repository, args.workspace.resolve(), pathlib.Path(temp))
        for step in action["runs"]["steps"]:
            job.run(step)
        outputs = {name: job.expand(output["value"]) for name, output in action["outputs"].items()}
        print(json.dumps(outputs))
    sys.exit(job.failed)


if __name__ == "__main__":
    main()
