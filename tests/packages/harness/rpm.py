"""The RPM package: in a machine that has rpm and the libraries, but no database that knows of them (--nodeps)."""

import glob
import os

from harness.checks import expect, expect_equal, expect_in, run
from harness.deb import dependencies, package_file
from harness.machine import Machine, make_base
from harness.package_checks import CONFIG, PackageChecks


def rpm_file(directory, version):
    found = glob.glob(os.path.join(directory, f"restgate-{version}-*.rpm"))
    expect(len(found) == 1, f"no single restgate-{version}-*.rpm in {directory}")
    return found[0]


class Rpm:
    """In a machine: rpm."""

    # As everywhere with rpm: the user stays, and so does what was edited. The directory of licences is the system's,
    # where there is more than this package.
    stays = ("passwd: restgate", "group: restgate", "shadow: restgate", "gshadow: restgate", "/etc/restgate",
             CONFIG + ".rpmsave", "/usr/share/licenses")

    def __init__(self, machine, old, new):
        self.machine = machine
        self.old, self.old_version = old
        self.new, self.new_version = new

    def bring(self, package):
        name = "/root/" + os.path.basename(package)
        run(["cp", package, self.machine.path(name)])
        return name

    def install(self, package):
        return self.machine.run("rpm", "--install", "--nodeps", self.bring(package)).stdout

    def upgrade(self, package):
        return self.machine.run("rpm", "--upgrade", "--oldpackage", "--nodeps", self.bring(package)).stdout

    def remove_all(self, edited):
        self.machine.run("rpm", "--erase", "restgate")
        expect_in("observed_services", self.machine.read(edited + ".rpmsave"), "the edited file after a removal")
        expect_equal(self.machine.property("ActiveState"), "inactive", "ActiveState after a removal")


def into_a_root(base, package):
    """rpm --root from outside, scriptlets included; nothing is started."""
    with Machine(base) as machine:
        before = machine.files()
        rpm = ["rpm", "--root", machine.root]
        run([*rpm, "--initdb"])
        run([*rpm, "--install", "--nodeps", package])
        expect_in("restgate", machine.read("/etc/passwd"), "the user")
        wanted = machine.path("/etc/systemd/system/multi-user.target.wants/restgate.service")
        expect(os.path.islink(wanted), "the service is not enabled")
        machine.chroot("/usr/sbin/restgate", "-t", "-config", CONFIG)
        run([*rpm, "--erase", "restgate"])
        left = {name for name in machine.files() ^ before if name not in Rpm.stays}
        expect_equal(sorted(left), [], "what an erasure leaves")


def lint(package, settings):
    done = run(["rpmlint", "--rpmlintrc", settings, package], check=False)
    errors = [line for line in done.stdout.splitlines() if ": E: " in line]
    expect(not errors, "\n".join(errors))
    return done.stdout.strip().splitlines()[-1].strip("= ")


def check_all(checks, top, directory, versions):
    old, new = ((rpm_file(directory, version), version) for version in versions)
    checks.run("rpm: rpmlint", lambda: lint(old[0], os.path.join(top, "packaging/rpm/restgate.rpmlintrc")))
    libraries = dependencies(package_file(directory, versions[0]))
    base = make_base(os.path.join(directory, "base-rpm"), [*libraries, "rpm"])
    checks.run("rpm: installed and erased with --root", lambda: into_a_root(base, old[0]))
    with Machine(base) as machine:
        machine.boot()
        for title, body in PackageChecks(machine, Rpm(machine, old, new)).all():
            checks.run("rpm: " + title, body)
