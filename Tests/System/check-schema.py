#!/usr/bin/env python3
"""Checks etc/understudy.schema.json with another implementation: the right samples pass it, wrong ones don't.

Needs the packages jsonschema and PyYAML; says so and ends well where they are missing.
Usage: Tests/System/check-schema.py [MORE.yaml ...]      more files that must pass
"""

import json
import pathlib
import re
import sys

try:
    import jsonschema
    import yaml
except ImportError as missing:
    print(f"check-schema: skipped, since {missing.name} isn't installed")
    sys.exit(0)

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
GOLDENS = ROOT / "Tests/ConfigurationTests/Goldens"
# Mistakes that a schema can't see: they lie between options, in the environment or in the names of sources.
BEYOND = {"duplicates", "paths"}


class Loader(yaml.SafeLoader):
    """YAML 1.2's core schema, which the daemon reads; PyYAML's own is 1.1, where `no` is a flag."""


Loader.yaml_implicit_resolvers = {}
for tag, pattern, first in [
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("int", r"[-+]?[0-9]+", "-+0123456789"),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)", "-+.0123456789"),
]:
    Loader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(f"^(?:{pattern})$"), list(first))


def errors(validator, path):
    """Messages about a file; an exception of the parser is one, too."""
    try:
        document = yaml.load(path.read_bytes(), Loader)
    except (yaml.YAMLError, ValueError, UnicodeDecodeError) as problem:
        return [str(problem).splitlines()[0]]
    return [error.message for error in validator.iter_errors(document)]


def main():
    schema = json.loads((ROOT / "etc/understudy.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    right = [ROOT / "etc/understudy.yaml", *sorted((GOLDENS / "good").glob("*.yaml")), *map(pathlib.Path, sys.argv[1:])]
    wrong = [path for path in sorted((GOLDENS / "bad").glob("*.yaml")) if path.stem not in BEYOND]
    failures = [f"{path}: {message}" for path in right for message in errors(validator, path)]
    failures += [f"{path}: passes, though it is wrong" for path in wrong if not errors(validator, path)]
    for failure in failures:
        print(f"check-schema: {failure}", file=sys.stderr)
    if not failures:
        print(f"check-schema: {len(right)} right and {len(wrong)} wrong files are told apart")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
