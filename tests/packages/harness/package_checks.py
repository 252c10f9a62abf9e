"""What holds of the installed service, whichever package it came from. The checks build upon each other, in order."""

import json
import os
import threading

from harness.checks import Failure, await_that, expect, expect_equal, expect_in
from harness.traffic import ORIGIN_PORT, InMachine, ask_once

CONFIG = "/etc/restgate/restgate.yaml"
PROGRAM = "/usr/sbin/restgate"
REAL = PROGRAM + ".real"
# A program that likes every configuration that is good, and knows nothing of taking over.
STRANGER = f"#!/bin/sh\nunset RESTGATE_UPGRADE_STATE\nexec {REAL} \"$@\"\n"
CAP_NET_BIND_SERVICE = 1 << 10

ROUTES = """
  - name: origin
    service_url: http://127.0.0.1:{origin}
    routes:
      - {{name: item, methods: "GET,POST", pattern: "/item/{{id}}"}}
      - {{name: slow, methods: GET, pattern: "/slow/{{id}}"}}
"""
# pre_drain_delay is for clients that think between two requests on a connection: told at a restart that it ends.
TOP = "admin_socket: /run/restgate/admin.sock\npre_drain_delay: 1s\naccess_log: false\nworkers: 2\n"


def configuration(top=TOP, port=7000):
    return f"port: {port}\n{top}observed_services:{ROUTES.format(origin=ORIGIN_PORT)}"


class PackageChecks:
    """`package` installs, upgrades and removes (see deb.py, rpm.py); `old` and `new` are its files, versions apart."""

    def __init__(self, machine, package):
        self.machine = machine
        self.package = package
        self.files_before = None

    def all(self):
        return [
            ("starts when it is installed, and answers", self.installed),
            ("runs as its own user, with one capability, sandboxed", self.privileges),
            ("an edited configuration is reloaded under load", self.reload),
            ("a reload with a mistake fails, says why, and changes nothing", self.bad_reload),
            ("a reload without admin_socket, or with another one", self.reload_without_socket),
            ("a port below 1024", self.low_port),
            ("upgrade to a higher version under load, in place", self.upgrade),
            ("upgrade with a configuration that is broken: the old program serves on", self.broken_upgrade),
            ("upgrade while another file is in use, a broken one: the old program serves on", self.upgrade_elsewhere),
            ("upgrade to a program that cannot take over: a restart, nobody is refused", self.refused_upgrade),
            ("restart under load: the sockets are kept", self.restart),
            ("a worker that crashes is replaced, and its request is told", self.worker_crash),
            ("kill -9 of the master: it comes back", self.crash),
            ("a master that hangs is replaced (watchdog)", self.watchdog),
            ("removed: the service has ended, and nothing is left", self.removed),
        ]

    # -- helpers

    def ask(self, path, port=7000):
        return ask_once(self.machine.leader, port, path)

    def master(self):
        return int(self.machine.property("MainPID"))

    def version(self):
        status, body = self.ask("/version", 9000)
        expect_equal(status, 200, "/version")
        return json.loads(body)["version"]

    def origin(self):
        return InMachine(self.machine.leader, "origin", str(ORIGIN_PORT))

    def under_load(self, body, requests=300):
        """Runs `body` under load and expects that no client noticed; the note for the report."""
        with self.origin(), InMachine(self.machine.leader, "load", "7000") as load:
            load.await_more(requests)
            body()
            load.await_more(requests)
            met = json.loads(load.finish())
        expect(not met["failures"], f"{len(met['failures'])} of {met['requests']} failed: {met['failures'][:5]}")
        return f"{met['requests']} requests, 0 failed, the slowest {met['slowest']} s"

    def most_files(self, process):
        limits = self.machine.run("cat", f"/proc/{process}/limits").stdout
        return next(int(line.split()[4]) for line in limits.splitlines() if line.startswith("Max open files"))

    def serves_anew(self, status_before):
        status = self.machine.property("StatusText")
        return status != status_before and status.startswith("serving")

    def reload_command(self):
        return self.machine.run("systemctl", "reload", "restgate", check=False)

    # -- checks

    def installed(self):
        self.files_before = self.machine.files()
        self.package.install(self.package.old)
        await_that(lambda: self.machine.property("ActiveState") == "active", "the service is active")
        expect_equal(self.ask("/healthz")[0], 200, "the example's route")
        expect_equal(self.ask("/elsewhere")[0], 404, "no route")
        expect_equal(self.ask("/readyz", 9000)[0], 200, "/readyz")
        expect_equal(self.version(), self.package.old_version, "the version that runs")
        expect_equal(self.machine.property("UnitFileState"), "enabled", "UnitFileState")

    def privileges(self):
        master = self.master()
        status = self.machine.process_status(master)
        user = self.machine.run("id", "-u", "restgate").stdout.strip()
        expect_equal(status["Uid"].split(), [user] * 4, "the master's user")
        for kind in ("CapPrm", "CapEff", "CapBnd"):
            expect_equal(int(status[kind], 16), CAP_NET_BIND_SERVICE, kind)
        expect_equal((status["NoNewPrivs"], status["Seccomp"]), ("1", "2"), "NoNewPrivs, Seccomp")
        # A machine that may not raise limits has no more to give than its first process has.
        files = self.most_files(master)
        expect(files >= min(1_048_576, self.most_files(1)), f"open files: {files}")
        mounts = self.machine.run("cat", f"/proc/{master}/mountinfo").stdout
        options = {line.split()[4]: line.split()[5].split(",") for line in mounts.splitlines()}
        expect_in("ro", options["/"], "how the master sees /")
        expect_in("noexec", options["/"], "how the master sees /")
        expect("noexec" not in options["/usr"], "the master cannot execute what is in /usr")
        expect_in("/home", options, "what is put in the place of /home")
        stored = int(self.machine.property("NFileDescriptorStore"))
        expect(stored >= 1, f"{stored} sockets are kept by the manager")
        return f"{stored} sockets kept, {files} descriptors"

    def reload(self):
        self.machine.write(CONFIG, configuration())
        done = self.reload_command()
        expect_equal((done.returncode, self.ask("/healthz")[0]), (0, 404), "reload: exit code, the example's route")

        def change():
            for workers in (3, 1, 2):
                self.machine.write(CONFIG, configuration(TOP.replace("workers: 2", f"workers: {workers}")))
                expect_equal(self.reload_command().returncode, 0, "exit code of the reload")
                expect_in(f"{workers} worker", self.machine.property("StatusText"), "status")

        return self.under_load(change)

    def bad_reload(self):
        def spoil():
            self.machine.write(CONFIG, configuration(TOP + "admin_prt: 9000\nmax_headers: 0\n"))
            expect_equal(self.reload_command().returncode, 1, "exit code of systemctl")
            journal = self.machine.journal()
            expect_in(f"{CONFIG}:6:1: admin_prt: unknown key; did you mean 'admin_port'?", journal, "journal")
            expect_in("from 1 to 10000", journal, "journal has all errors")
            expect_equal(self.machine.property("ActiveState"), "active", "ActiveState")

        note = self.under_load(spoil)
        self.machine.write(CONFIG, configuration())
        expect_equal(self.reload_command().returncode, 0, "exit code once it is corrected")
        return note

    def reload_without_socket(self):
        without = TOP.replace("admin_socket: /run/restgate/admin.sock\n", "")
        changes = [("no socket from now on", without), ("none, none before", without), ("the usual one again", TOP),
                   ("another one", TOP.replace("admin.sock", "other.sock")), ("the usual one", TOP)]

        def change():
            for title, top in changes:
                before = self.machine.property("StatusText")
                self.machine.write(CONFIG, configuration(top))
                expect_equal(self.reload_command().returncode, 0, title)
                # SIGHUP has no verdict: the generation tells.
                await_that(lambda was=before: self.serves_anew(was), title)
            self.machine.write(CONFIG, configuration(without))
            expect_equal(self.reload_command().returncode, 0, "without, again")
            self.machine.write(CONFIG, configuration(without + "workers: many\n"))
            expect_equal(self.reload_command().returncode, 1, "a mistake, without a socket")
            self.machine.write(CONFIG, configuration())
            expect_equal(self.reload_command().returncode, 0, "back")

        return self.under_load(change)

    def low_port(self):
        self.machine.write(CONFIG, configuration(port=80))
        expect_equal(self.reload_command().returncode, 0, "exit code of the reload")
        with self.origin():
            expect_equal(self.ask("/item/7", 80), (200, "7"), "port 80")
        self.machine.write(CONFIG, configuration())
        expect_equal(self.reload_command().returncode, 0, "exit code of the way back")
        await_that(lambda: self.ask("/item/7", 80)[0] == 0, "port 80 is closed")

    def upgrade(self):
        edited = self.machine.read(CONFIG)
        master = self.master()

        def install():
            self.package.upgrade(self.package.new)
            expect_equal(self.master(), master, "the master process")
            expect_equal(self.version(), self.package.new_version, "the version that runs")

        note = self.under_load(install)
        expect_equal(self.machine.read(CONFIG), edited, "the edited configuration")
        return note

    def broken_upgrade(self):
        master = self.master()
        self.machine.write(CONFIG, configuration() + "oops: 1\n")

        def install():
            output = self.package.upgrade(self.package.old)
            expect_in("oops: unknown key", output, "what the upgrade says")
            expect_in("the old one serves on", output, "what the upgrade says")
            expect_equal((self.master(), self.version()), (master, self.package.new_version), "what runs")
            self.machine.write(CONFIG, configuration())
            self.machine.run("/usr/libexec/restgate/upgrade")
            expect_equal((self.master(), self.version()), (master, self.package.old_version), "what runs then")

        return self.under_load(install)

    def install_program(self, text):
        """In place of the gateway, which is moved aside."""
        program = self.machine.path(PROGRAM)
        os.rename(program, self.machine.path(REAL))
        self.machine.write(PROGRAM + ".new", text)
        os.chmod(program + ".new", 0o755)
        os.rename(program + ".new", program)

    def restore_program(self):
        os.rename(self.machine.path(REAL), self.machine.path(PROGRAM))

    def upgrade_is_refused(self, *why):
        """The old program serves on, and this is told."""
        master = self.master()
        done = self.machine.run("/usr/libexec/restgate/upgrade", check=False)
        expect_equal(done.returncode, 1, "exit code of the upgrade")
        for part in why:
            expect_in(part, done.stdout, "what the upgrade says")
        expect_equal(self.master(), master, "the master process")
        expect_equal(self.ask("/item/4"), (200, "4"), "a request afterwards")

    def upgrade_elsewhere(self):
        """The unit's own file is good all the time."""
        other = "/etc/restgate/the other.yaml"

        def install():
            self.machine.write(other, configuration())
            self.machine.run("restgate", "reload", "-config", other, "-socket", "/run/restgate/admin.sock")
            self.install_program(STRANGER)
            self.upgrade_is_refused("cannot take over in place", f"another configuration than {other}, so the old one")
            self.machine.write(other, configuration() + "oops: 1\n")
            self.upgrade_is_refused("oops: unknown key", f"refuses {other}, so the old one serves on")
            self.upgrade_is_refused("oops: unknown key")  # the same words as before are not taken for the verdict
            self.machine.run("restgate", "reload", "-config", CONFIG, "-socket", "/run/restgate/admin.sock")
            self.restore_program()
            self.machine.run("rm", other)

        return self.under_load(install)

    def refused_upgrade(self):
        master = self.master()

        def install():
            self.install_program("#!/bin/sh\nexit 7\n")
            self.upgrade_is_refused("exited with code 7")
            self.restore_program()
            self.install_program(STRANGER)
            done = self.machine.run("/usr/libexec/restgate/upgrade")
            expect_in("cannot take over in place", done.stdout, "what the upgrade says")
            expect(self.master() != master, "the master has not been started anew")

        note = self.under_load(install)
        self.restore_program()
        self.machine.run("/usr/libexec/restgate/upgrade", check=False)
        return note

    def restart(self):
        masters = set()

        def again():
            for _ in range(3):
                self.machine.run("systemctl", "restart", "restgate")
                masters.add(self.master())

        note = self.under_load(again)
        expect_equal(len(masters), 3, "masters after three restarts")
        return note

    def worker_crash(self):
        """The sandbox leaves room for the report: stack, flight recorder."""
        with self.origin():
            slow = threading.Thread(target=self.ask, args=("/slow/4711",))
            slow.start()
            await_that(lambda: "restgate_requests_in_flight 1" in self.ask("/metrics", 9000)[1], "a request in flight")
            self.machine.run("sh", "-c", f"kill -SEGV $(cat /proc/{self.master()}/task/*/children)")
            slow.join()
            journal = await_that(lambda: "request lost with its worker" in self.machine.journal() and
                                 self.machine.journal(), "the report")
            for part in ("reason=crashed", "SIGSEGV", "path=/slow/4711", " @ "):
                expect_in(part, journal, "journal")
            expect_equal(self.ask("/item/4"), (200, "4"), "a request afterwards")

    def crash(self):
        master = self.master()
        self.machine.run("sh", "-c", f"kill -9 {master}")
        # Who connects meanwhile waits: the socket is the manager's, too.
        with self.origin():
            expect_equal(self.ask("/item/5"), (200, "5"), "a request while it is down")
        expect(self.master() != master, "the master is another one")
        expect_equal(self.machine.property("NRestarts"), "1", "restarts by the manager")

    def watchdog(self):
        drop_in = "/etc/systemd/system/restgate.service.d"
        os.mkdir(self.machine.path(drop_in))
        self.machine.write(drop_in + "/soon.conf", "[Service]\nWatchdogSec=1s\nTimeoutAbortSec=1s\n")
        self.machine.run("systemctl", "daemon-reload")
        self.machine.run("systemctl", "restart", "restgate")
        master = self.master()
        self.machine.run("sh", "-c", f"kill -STOP {master}")
        await_that(lambda: self.master() not in (0, master), "another master")
        with self.origin():
            expect_equal(self.ask("/item/6"), (200, "6"), "a request then")
        self.machine.run("rm", "-r", drop_in)
        self.machine.run("systemctl", "daemon-reload")

    def removed(self):
        self.package.remove_all(edited=CONFIG)
        status, _ = self.ask("/item/1")
        expect_equal(status, 0, "port 7000 is closed")
        processes = self.machine.run("sh", "-c", "cat /proc/[0-9]*/comm 2>/dev/null", check=False).stdout.split()
        expect("systemd" in processes and "restgate" not in processes, f"processes: {processes}")
        left = sorted(self.machine.files() - self.files_before)
        gone = sorted(self.files_before - self.machine.files())
        left = [name for name in left if name not in self.package.stays]
        if left or gone:
            raise Failure(f"left: {left}; gone: {gone}")
