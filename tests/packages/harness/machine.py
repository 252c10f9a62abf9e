"""A Debian of its own, without anything that the packages do not ask for, booted by systemd-nspawn with a network of
its own (loopback only). Each is an overlay over a base that is made once; needs root."""

import os
import signal
import subprocess
import tempfile

from harness.checks import Failure, await_that, run

SUITE = "bookworm"
SYSTEM = "systemd,systemd-sysv,dbus,ca-certificates"
# What changes in a system that runs, whatever is installed in it.
RESTLESS = ("dev", "proc", "run", "sys", "tmp", "var/log", "var/tmp", "var/cache", "var/lib/dpkg",
            "var/lib/systemd/random-seed", "var/lib/systemd/timers", "var/lib/systemd/catalog", "var/lib/private",
            "var/lib/rpm", "usr/lib/sysimage", "etc/machine-id", "etc/.pwd.lock", "etc/ld.so.cache", "root")


def make_base(directory, packages):
    """A file system with systemd and these packages, made when it is not there."""
    if os.path.exists(os.path.join(directory, "etc/debian_version")):
        return directory
    os.makedirs(os.path.dirname(directory), exist_ok=True)
    unfinished = directory + ".new"
    run(["rm", "-rf", unfinished])
    run(["mmdebstrap", "--variant=minbase", "--include=" + ",".join([SYSTEM, *packages]), SUITE, unfinished])
    os.rename(unfinished, directory)
    return directory


def child_called(pid, name):
    """The child of a process with this command name; None: there is none yet."""
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            for child in file.read().split():
                with open(f"/proc/{child}/comm", encoding="ascii") as comm:
                    if comm.read().strip() == name:
                        return int(child)
    except OSError:
        pass
    return None


class Machine:
    """Use as a context manager. `root` is its file system as seen from outside."""

    def __init__(self, base):
        self.base = base
        self.directory = None
        self.root = None
        self.nspawn = None
        self.leader = None

    def __enter__(self):
        self.directory = tempfile.mkdtemp(prefix="restgate-machine-")
        # An overlay's upper directory may not be on an overlay: a tmpfs never is.
        run(["mount", "-t", "tmpfs", "-o", "size=2g,mode=0755", "restgate-machine", self.directory])
        for name in ("upper", "work", "root"):
            os.mkdir(os.path.join(self.directory, name))
        self.root = os.path.join(self.directory, "root")
        run(["mount", "-t", "overlay", "restgate-machine", "-o",
             f"lowerdir={self.base},upperdir={self.directory}/upper,workdir={self.directory}/work", self.root])
        return self

    def __exit__(self, *_):
        self.halt()
        run(["umount", "--recursive", self.directory], check=False)
        os.rmdir(self.directory)

    def boot(self):
        self.nspawn = subprocess.Popen(
            ["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--directory", self.root, "--boot",
             "--private-network", "--console=pipe"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.leader = await_that(lambda: child_called(self.nspawn.pid, "systemd") or self.ended(), "the machine boots")
        # "degraded" is what a container often is.
        await_that(lambda: self.run("systemctl", "is-system-running", check=False).stdout.strip()
                   in ("running", "degraded"), "the machine is up", 60)

    def ended(self):
        if self.nspawn.poll() is not None:
            raise Failure("systemd-nspawn: " + self.nspawn.stderr.read())

    def halt(self):
        if self.nspawn is None:
            return
        if self.leader and self.nspawn.poll() is None:
            os.kill(self.leader, signal.SIGRTMIN + 4)  # systemd: power off
        try:
            self.nspawn.wait(20)
        except subprocess.TimeoutExpired:
            os.kill(self.leader, signal.SIGKILL)
            self.nspawn.wait(10)
        self.nspawn = None

    def entered(self, *command):
        """The command line that runs a command in the machine."""
        return ["nsenter", "--target", str(self.leader), "--mount", "--uts", "--ipc", "--net", "--pid", "--wd=/",
                "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND=noninteractive", *command]

    def run(self, *command, check=True, timeout=120):
        return run(self.entered(*command), check=check, timeout=timeout)

    def chroot(self, *command, check=True):
        """In the file system of a machine that is not running."""
        return run(["chroot", self.root, "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", *command], check=check)

    def path(self, name):
        return os.path.join(self.root, name.lstrip("/"))

    def read(self, name):
        with open(self.path(name), encoding="utf-8") as file:
            return file.read()

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)

    def property(self, name, unit="restgate.service"):
        return self.run("systemctl", "show", "--value", "--property", name, unit).stdout.strip()

    def journal(self, unit="restgate.service"):
        return self.run("journalctl", "--no-pager", "--output=cat", "--unit", unit).stdout

    def process_status(self, pid):
        """The fields of /proc/PID/status, the pid being the machine's own."""
        text = self.run("cat", f"/proc/{pid}/status").stdout
        return {name: value.strip() for name, _, value in (line.partition(":") for line in text.splitlines())}

    def files(self):
        """All files, but for those that change by themselves, and the lines of the user databases."""
        restless = tuple("/" + name for name in RESTLESS)
        found = set()
        for directory, names, files in os.walk(self.root):
            here = directory[len(self.root):]
            names[:] = [name for name in names if not f"{here}/{name}".startswith(restless)]
            found.update(f"{here}/{name}" for name in names + files if not f"{here}/{name}".startswith(restless))
        for database in ("passwd", "group", "shadow", "gshadow"):
            found.update(f"{database}: {line.split(':')[0]}" for line in self.read("/etc/" + database).splitlines())
        return found
