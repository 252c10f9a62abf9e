"""A place where the commands of README.md can be run: a directory, a backend, and the gateway that they start.

Ports and paths of the text are replaced by those of the sandbox: 7000 and 9000 are the gateway's, 8080 the backend's. The
gateway binds any free ones; which they are is known when it serves.
"""
import http.server
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading

from readme import SOURCE

PATIENCE_S = 30 * int(os.environ.get("RESTGATE_TEST_PATIENCE", "1"))


class Backend(http.server.ThreadingHTTPServer):
    """Answers every GET with its path."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):  # noqa: N802, the library's name
            body = self.path.encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    def __init__(self):
        super().__init__(("127.0.0.1", 0), self.Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Sandbox:
    def __init__(self, binary):
        self.directory = tempfile.mkdtemp(prefix="restgate-readme-")
        os.mkdir(os.path.join(self.directory, "bin"))
        os.symlink(os.path.abspath(binary), os.path.join(self.directory, "bin/restgate"))
        self.backend = Backend()
        self.port = self.admin_port = 0
        self.servers = []
        self.readers = []

    def close(self):
        for server in self.servers:
            server.send_signal(signal.SIGTERM)
        for server in self.servers:
            try:
                server.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()
        for reader in self.readers:
            reader.join()
        for server in self.servers:
            server.stderr.close()
        self.backend.shutdown()
        self.backend.server_close()
        shutil.rmtree(self.directory)

    def adapt(self, text):
        """The text with this sandbox's ports and paths."""
        for ours, theirs in ((7000, self.port), (9000, self.admin_port), (8080, self.backend.server_port)):
            text = re.sub(rf"\b{ours}\b", str(theirs), text)
        text = text.replace("/var/log/restgate", self.directory)
        text = text.replace("/etc/restgate/restgate.yaml", os.path.join(self.directory, "restgate.yaml"))
        return re.sub(r"/(tmp|run/restgate)/\w+\.sock", os.path.join(self.directory, "admin.sock"), text)

    def write_config(self, yaml):
        ports = f"port: {self.port}\nadmin_port: {self.admin_port}\nshutdown_timeout: 1s\n"
        with open(os.path.join(self.directory, "restgate.yaml"), "w", encoding="utf-8") as file:
            file.write(self.adapt(yaml) + ports)

    def _environment(self):
        return {"PATH": os.path.join(self.directory, "bin") + ":" + os.environ["PATH"], "HOME": self.directory,
                **{key: value for key, value in os.environ.items() if key.endswith("SAN_OPTIONS")}}

    def run(self, command):
        """To its end: exit code, standard output, standard error."""
        done = subprocess.run(["bash", "-c", self.adapt(command)], cwd=self.directory, env=self._environment(),
                              capture_output=True, text=True, timeout=PATIENCE_S, check=False)
        return done.returncode, done.stdout, done.stderr

    def first_line(self, command):
        """Of what goes on until it is stopped."""
        with subprocess.Popen(["bash", "-c", "exec " + self.adapt(command)], cwd=self.directory,
                              env=self._environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
            watchdog = threading.Timer(PATIENCE_S, process.kill)
            watchdog.start()
            line = process.stdout.readline().decode()
            watchdog.cancel()
            process.kill()
        return line

    def serve(self, command):
        """Starts what serves until it is stopped, and waits until it says that it does."""
        process = subprocess.Popen(["bash", "-c", "exec " + self.adapt(command)], cwd=self.directory,
                                   env=self._environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                   text=True)
        self.servers.append(process)
        said = []
        watchdog = threading.Timer(PATIENCE_S, process.kill)
        watchdog.start()
        for line in process.stderr:
            said.append(line)
            if ports := re.search(r" serving port=(\d+) admin_port=(\d+)", line):
                watchdog.cancel()
                self.port, self.admin_port = ports.groups()
                self.readers.append(threading.Thread(target=process.stderr.read))  # so that it never waits for us
                self.readers[-1].start()
                return
        raise AssertionError(f"{command}: " + "".join(said))
