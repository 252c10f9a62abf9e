"""Where the manifests come from: files, kustomize, the chart; and what is needed to judge them.

Tools that not every machine has are prepared by tests/deploy/prepare below a directory of the build.
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

try:
    import yaml
except ImportError:  # python3-yaml
    sys.exit(77)

SOURCE = pathlib.Path(__file__).resolve().parents[2]
BASE = SOURCE / "deploy/k8s/base"
PROMETHEUS = SOURCE / "deploy/k8s/prometheus"
CHART = SOURCE / "deploy/helm/restgate"
TOOLS = pathlib.Path(os.environ.get("RESTGATE_DEPLOY_TOOLS", SOURCE / "build/deploy"))


def missing(what):
    """Skips the test, or fails it where everything has been prepared."""
    if os.environ.get("RESTGATE_DEPLOY_ALL"):
        raise AssertionError(f"{what} is not there")
    raise unittest.SkipTest(f"{what} is not there: run `make test-deploy`")


def documents(text):
    return [document for document in yaml.safe_load_all(text) if document]


def from_files(directory=BASE):
    """What kustomize makes of a directory whose kustomization only lists files."""
    names = yaml.safe_load((directory / "kustomization.yaml").read_text())["resources"]
    return [o for name in names if name.endswith(".yaml") for o in documents((directory / name).read_text())]


def kustomized(directory):
    """As kubectl renders it. The kustomize of those before 1.22 does not know directories among `resources`."""
    if shutil.which("kubectl") is None:
        raise unittest.SkipTest("kubectl is not there")
    version = subprocess.run(["kubectl", "version", "--client", "-o", "json"], capture_output=True, check=True).stdout
    if int(re.match(r"\d+", json.loads(version)["clientVersion"]["minor"])[0]) < 22:
        raise unittest.SkipTest("this kubectl is too old")
    run = subprocess.run(["kubectl", "kustomize", str(directory)], capture_output=True, text=True, check=False)
    if run.returncode != 0:
        raise AssertionError(run.stderr)
    return documents(run.stdout)


def chart_text(values=None, release="restgate"):
    program = TOOLS / "helm_render"
    if not program.exists():
        missing("the renderer of the chart")
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        yaml.safe_dump(values or {}, file)
        file.flush()
        run = subprocess.run([program, CHART, release, file.name], capture_output=True, text=True, check=False)
    if run.returncode != 0:
        raise AssertionError(run.stderr)
    return run.stdout


def from_chart(values=None, release="restgate"):
    return documents(chart_text(values, release))


def complaints_of_schemas(objects):
    """What the Kubernetes schemas have to say, a line for each."""
    directory = TOOLS / "schema"
    if not (directory / "installed.json").exists():
        missing("the Kubernetes schemas")
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(objects, file)
        file.flush()
        run = subprocess.run(["node", "validate.mjs", file.name], cwd=directory, capture_output=True, text=True,
                             check=False)
    lines = run.stdout.splitlines()
    if not lines or lines[-1] != f"{len(objects)} objects checked":
        raise AssertionError(run.stdout + run.stderr)
    return lines[:-1]


def restgate_says(config):
    """`restgate -t` of a configuration: exit code and output. A test of the binary that is being built."""
    binary = os.environ.get("RESTGATE_BINARY", str(SOURCE / "bin/restgate"))
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write(config)
        file.flush()
        run = subprocess.run([binary, "-t", "-config", file.name], capture_output=True, text=True, check=False)
    return run.returncode, run.stdout + run.stderr


def by_kind(objects):
    """(kind, name) → object; each may be there once."""
    found = {}
    for one in objects:
        key = (one["kind"], one["metadata"]["name"])
        assert key not in found, f"{key} twice"
        found[key] = one
    return found


def seconds(duration):
    """Of a duration of restgate.yaml that is whole seconds or minutes."""
    return int(duration[:-1]) * {"s": 1, "m": 60}[duration[-1]]
