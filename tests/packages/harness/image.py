"""The container image, as `make docker` builds it, run by podman: without network but its own loopback, read-only,
without any capability."""

import json
import os
import re
import shutil
import subprocess
import tempfile
import threading

from harness.checks import await_that, expect, expect_equal, expect_in, run
from harness.machine import make_base
from harness.package_checks import configuration
from harness.traffic import ORIGIN_PORT, InMachine, ask_once

IMAGE = "localhost/restgate:latest"
BUILDER = "localhost/debian:bookworm"
# Limits that need not be raised, which may not be allowed.
CONTAINERS_CONF = """[containers]
netns = "none"
default_ulimits = ["nofile=8192:8192", "nproc=4096:4096"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "runc"
"""
# STORAGE_DRIVER=vfs in the environment: where file systems cannot be laid one over the other; slow.
STORAGE_CONF = """[storage]
driver = "overlay"
runroot = "{directory}/run"
graphroot = "{directory}/graph"
"""
TOP = "admin_socket: /run/restgate/admin.sock\naccess_log: false\nworkers: 2\n"


class Container:
    """One running container of the image; a context manager."""

    def __init__(self, engine, *options, arguments=()):
        self.engine = engine
        command = ["run", "--detach", "--read-only", "--cap-drop", "all", "--security-opt", "no-new-privileges",
                   "--tmpfs", "/run/restgate:mode=1777", *options, IMAGE, *arguments]
        self.id = engine.run(*command).stdout.strip().splitlines()[-1]
        self.pid = int(self.inspect("{{.State.Pid}}"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.engine.run("rm", "--force", self.id, check=False)

    def inspect(self, what):
        return self.engine.run("inspect", "--format", what, self.id).stdout.strip()

    def logs(self):
        return self.engine.run("logs", self.id).stdout

    def serves(self):
        await_that(lambda: ask_once(self.pid, 9000, "/readyz")[0] == 200, "the container serves")


class Engine:
    """podman, with settings that work without systemd and without a network, and a storage of its own."""

    def __init__(self, directory):
        os.makedirs(directory, exist_ok=True)
        settings = {"containers.conf": CONTAINERS_CONF, "storage.conf": STORAGE_CONF.format(directory=directory)}
        for name, text in settings.items():
            with open(os.path.join(directory, name), "w", encoding="utf-8") as file:
                file.write(text)
        self.environment = {**os.environ, "CONTAINERS_CONF": os.path.join(directory, "containers.conf"),
                            "CONTAINERS_STORAGE_CONF": os.path.join(directory, "storage.conf"),
                            "BUILDAH_ISOLATION": "chroot"}

    def run(self, *arguments, check=True):
        return run(["podman", *arguments], check=check, env=self.environment)

    def has(self, image):
        return self.run("image", "exists", image, check=False).returncode == 0


class ImageChecks:
    """In order; `engine` has the image."""

    def __init__(self, engine, directory):
        self.engine = engine
        self.config = os.path.join(directory, "config")
        os.makedirs(self.config, exist_ok=True)
        os.chmod(directory, 0o755)

    def all(self):
        return [
            ("what is in it", self.contents),
            ("how it is to be run", self.metadata),
            ("without a configuration it says what to do", self.no_configuration),
            ("serves as process 1, HUP reloads, a mistake changes nothing", self.serve),
            ("TERM drains: a request in flight is finished, exit code 0", self.drain),
            ("the demo, for a first look", self.demo),
        ]

    def write(self, text):
        with open(os.path.join(self.config, "restgate.yaml"), "w", encoding="utf-8") as file:
            file.write(text)

    def container(self, *arguments):
        return Container(self.engine, "--volume", f"{self.config}:/etc/restgate:ro", arguments=arguments)

    def contents(self):
        created = self.engine.run("create", IMAGE).stdout.strip().splitlines()[-1]
        try:
            listing = subprocess.run(["podman", "export", created], env=self.engine.environment,
                                     stdout=subprocess.PIPE, check=True)
        finally:
            self.engine.run("rm", created)
        tar = subprocess.run(["tar", "-tv"], input=listing.stdout, stdout=subprocess.PIPE, check=True)
        lines = tar.stdout.decode().splitlines()
        names = ["/" + line.split()[5].removeprefix("./").rstrip("/") for line in lines]
        for wanted in ("/usr/bin/restgate", "/etc/ssl/certs/ca-certificates.crt", "/etc/nsswitch.conf", "/etc/passwd",
                       "/var/lib/dpkg/status.d/libssl3"):
            expect(wanted in names, f"{wanted} is not in the image")
        programs = [line for line in lines if line.startswith("-rwx") and ".so" not in line and "/restgate" not in line]
        expect(not programs, f"programs besides restgate: {programs}")
        expect(not [line for line in lines if line[3] == "s" or line[6] == "s"], "files with the set-user-id bit")
        # OpenSSL finds an authority by the hash of its name.
        hashed = [name for name in names if re.fullmatch(r"/etc/ssl/certs/[0-9a-f]{8}\.[0-9]", name)]
        expect(len(hashed) > 100 and "/usr/lib/ssl/certs" in names, f"{len(hashed)} certificate authorities")
        size = int(self.engine.run("image", "inspect", "--format", "{{.Size}}", IMAGE).stdout)
        expect(size < 60_000_000, f"{size} bytes")
        return (f"{size / 1e6:.1f} MB, {len([n for n in names if '.so' in n])} libraries, "
                f"{len(hashed)} authorities")

    def metadata(self):
        config = json.loads(self.engine.run("image", "inspect", IMAGE).stdout)[0]["Config"]
        expect_equal(config["User"], "65532:65532", "User")
        expect_equal(sorted(config["ExposedPorts"]), ["7000/tcp", "9000/tcp"], "ExposedPorts")
        expect_in("RESTGATE_CONFIG_PATH=/etc/restgate/restgate.yaml", config["Env"], "Env")
        expect("Healthcheck" not in config, "there is a health check")
        expect_equal(config.get("StopSignal", "SIGTERM"), "SIGTERM", "StopSignal")

    def no_configuration(self):
        done = self.engine.run("run", "--rm", "--read-only", IMAGE, check=False)
        expect_equal(done.returncode, 1, "exit code")
        expect_in("/etc/restgate/restgate.yaml", done.stdout, "what it says")

    def serve(self):
        self.write(configuration(TOP))
        with self.container() as container:
            container.serves()
            with open(f"/proc/{container.pid}/status", encoding="ascii") as file:
                status = dict(line.rstrip("\n").split(":\t", 1) for line in file)
            expect_equal(status["Uid"].split()[0], "65532", "user")
            expect_equal(int(status["CapEff"], 16) | int(status["CapPrm"], 16), 0, "capabilities")
            expect_equal(status["NSpid"].split()[-1], "1", "process number in the container")
            with InMachine(container.pid, "origin", str(ORIGIN_PORT)), InMachine(container.pid, "load", "7000") as load:
                load.await_more(200)
                for top, wanted in ((TOP.replace("workers: 2", "workers: 3"), "reload finished"),
                                    (TOP + "oops: 1\n", "unknown key")):
                    self.write(configuration(top))
                    self.engine.run("kill", "--signal", "HUP", container.id)
                    await_that(lambda text=wanted: text in container.logs(), wanted)
                # The program itself is there to ask, even without a shell.
                self.write(configuration(TOP))
                self.engine.run("exec", container.id, "/usr/bin/restgate", "reload")
                load.await_more(200)
                met = json.loads(load.finish())
            expect(not met["failures"], f"{len(met['failures'])} failed: {met['failures'][:5]}")
            return f"{met['requests']} requests, 0 failed"

    def drain(self):
        self.write(configuration(TOP))
        with self.container() as container:
            container.serves()
            answers = []
            with InMachine(container.pid, "origin", str(ORIGIN_PORT)):
                slow = threading.Thread(target=lambda: answers.append(ask_once(container.pid, 7000, "/slow/42")))
                slow.start()
                await_that(lambda: "restgate_requests_in_flight 1" in ask_once(container.pid, 9000, "/metrics")[1],
                           "the request is in flight")
                self.engine.run("stop", "--time", "20", container.id)
                slow.join()
            expect_equal(answers, [(200, "42")], "the answer")
            expect_equal(container.inspect("{{.State.ExitCode}}"), "0", "exit code")

    def demo(self):
        with self.container("demo") as container:
            container.serves()
            expect_equal(ask_once(container.pid, 7000, "/echo/42")[0], 200, "/echo/42")


def make_builder(engine, packages):
    """The image that the Dockerfile begins with, where none can be fetched: from the file system of a Debian."""
    if engine.has(BUILDER):
        return
    base = make_base(os.path.join(packages, "base-image"), [])
    with tempfile.NamedTemporaryFile(suffix=".tar") as archive:
        run(["tar", "--one-file-system", "-C", base, "-cf", archive.name, "."])
        engine.run("import", archive.name, BUILDER)


def package_list(engine):
    """Names and versions of the packages whose files are in the image."""
    created = engine.run("create", IMAGE).stdout.strip().splitlines()[-1]
    with tempfile.TemporaryDirectory() as directory:
        engine.run("cp", f"{created}:/var/lib/dpkg/status.d", directory)
        engine.run("rm", created)
        lines = []
        for name in sorted(os.listdir(os.path.join(directory, "status.d"))):
            with open(os.path.join(directory, "status.d", name), encoding="utf-8") as file:
                version = next(line.split()[1] for line in file if line.startswith("Version:"))
            lines.append(f"{name} {version}")
    return ", ".join(lines)


def check_all(checks, top, packages, built):
    if not shutil.which("podman"):
        checks.skip("image", "there is no podman")
        return
    engine = Engine(os.path.join(packages, "container"))

    def build():
        make_builder(engine, packages)
        run(["make", "--no-print-directory", "-C", top, "docker"], timeout=3600, env=engine.environment)

    if not (built and engine.has(IMAGE)):
        checks.run("image: make docker", build)
    with tempfile.TemporaryDirectory(prefix="restgate-image-") as directory:
        for title, body in ImageChecks(engine, directory).all():
            checks.run("image: " + title, body)
    if engine.has(IMAGE):
        print("packages in the image: " + package_list(engine))
