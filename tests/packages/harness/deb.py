"""The Debian package."""

import glob
import os
import tempfile

from harness.checks import expect, expect_equal, expect_in, run
from harness.machine import Machine, make_base
from harness.package_checks import CONFIG, PackageChecks


def package_file(directory, version):
    found = glob.glob(os.path.join(directory, f"restgate_{version}_*.deb"))
    expect(len(found) == 1, f"no single restgate_{version}_*.deb in {directory}")
    return found[0]


def dependencies(package):
    """The names of what it depends on, the first of each choice."""
    field = run(["dpkg-deb", "--field", package, "Depends"]).stdout
    return sorted({choice.split("|")[0].split("(")[0].strip() for choice in field.split(",")})


class Deb:
    """In a machine: dpkg. What it depends on is there."""

    stays = ()

    def __init__(self, machine, old, new):
        self.machine = machine
        self.old, self.old_version = old
        self.new, self.new_version = new

    def bring(self, package):
        name = "/root/" + os.path.basename(package)
        run(["cp", package, self.machine.path(name)])
        return name

    def install(self, package):
        return self.machine.run("dpkg", "--install", self.bring(package)).stdout

    upgrade = install

    def remove_all(self, edited):
        self.machine.run("dpkg", "--remove", "restgate")
        expect_in("observed_services", self.machine.read(edited), "the edited file after a removal")
        expect_equal(self.machine.property("ActiveState"), "inactive", "ActiveState after a removal")
        self.machine.run("dpkg", "--purge", "restgate")


def without_systemd_running(base, package):
    """As in a container image or an installer: it gets installed, and nothing is started."""
    with Machine(base) as machine:
        before = machine.files()
        run(["cp", package, machine.path("/root/restgate.deb")])
        machine.chroot("dpkg", "--install", "/root/restgate.deb")
        expect_in("restgate", machine.read("/etc/passwd"), "the user")
        machine.chroot("/usr/sbin/restgate", "-t", "-config", CONFIG)
        machine.chroot("dpkg", "--purge", "restgate")
        expect_equal(sorted(machine.files() ^ before), [], "what a purge leaves")


def lint(package):
    done = run(["lintian", "-EviIL", "+pedantic", "--allow-root", package], check=False)
    worst = [line for line in done.stdout.splitlines() if line.startswith(("E:", "W:"))]
    expect(not worst and done.returncode == 0, "\n".join(worst) or done.stdout)
    others = [line for line in done.stdout.splitlines() if line[:2] in ("I:", "P:", "X:", "O:")]
    return f"{len(others)} remarks below a warning"


def contents(package, symbols):
    names = run(["dpkg-deb", "--contents", package]).stdout
    for name in ("/usr/sbin/restgate", CONFIG, "/lib/systemd/system/restgate.service",
                 "/usr/lib/sysusers.d/restgate.conf", "/usr/libexec/restgate/reload", "/usr/libexec/restgate/upgrade",
                 "/usr/share/man/man8/restgate.8.gz", "/usr/share/man/man5/restgate.yaml.5.gz",
                 "/usr/share/bash-completion/completions/restgate", "/usr/share/zsh/vendor-completions/_restgate",
                 "/usr/share/fish/vendor_completions.d/restgate.fish"):
        expect_in(f" .{name}\n", names, "contents")
    expect_in("/usr/lib/debug/", run(["dpkg-deb", "--contents", symbols]).stdout, "debug symbols")


def profiled(symbols):
    """The compiler notes its options with the debug symbols: it had a profile."""
    with tempfile.TemporaryDirectory() as directory:
        run(["dpkg-deb", "--extract", symbols, directory])
        files = glob.glob(os.path.join(directory, "usr/lib/debug/.build-id/*/*.debug"))
        expect_equal(len(files), 1, "files with debug symbols")
        notes = run(["readelf", "--decompress", "--string-dump=.debug_str", files[0]]).stdout
    compilers = [line for line in notes.splitlines() if "GNU C++20" in line]
    with_profile = [line for line in compilers if " -fprofile-use " in line]
    expect(with_profile, "no source was compiled with a profile")
    expect(not [line for line in compilers if "-fprofile-generate" in line], "there is code that counts")


def check_all(checks, directory, versions):
    old, new = ((package_file(directory, version), version) for version in versions)
    symbols = old[0].replace("restgate_", "restgate-dbgsym_")
    checks.run("deb: lintian", lambda: lint(old[0]))
    checks.run("deb: contents", lambda: contents(old[0], symbols))
    checks.run("deb: built with a profile", lambda: profiled(symbols))
    base = make_base(os.path.join(directory, "base-deb"), dependencies(old[0]))
    checks.run("deb: installed and purged without systemd running", lambda: without_systemd_running(base, old[0]))
    with Machine(base) as machine:
        machine.boot()
        for title, body in PackageChecks(machine, Deb(machine, old, new)).all():
            checks.run("deb: " + title, body)
