"""What the tests of the status and of the page share: the real gateway between an origin and clients."""

import contextlib
import http.client
import http.server
import json
import os
import pathlib
import queue
import signal
import socket
import subprocess
import tempfile
import threading
import time

PATIENCE = 180.0 if os.environ.get("RESTGATE_TEST_SLOW") else 60.0
SKIPPED = 77  # what ctest takes for a test that could not run


def eventually(check, what, patience=PATIENCE):
    """Asks until the answer is truthy, and returns it."""
    deadline = time.monotonic() + patience
    while True:
        answer = check()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"never happened: {what}")
        time.sleep(0.05)  # between two questions


class Origin:
    """A backend: 200 for /ok, 404 for /missing, 500 for /broken; /slow answers when it is released."""

    def __init__(self):
        self.released = threading.Event()
        origin = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self):
                path = self.path.split("?")[0]
                if "/slow" in path:
                    origin.released.wait(PATIENCE)
                status = 404 if "/missing" in path else 500 if "/broken" in path else 200
                body = b"hello from the origin\n"
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, *_):  # a client that has gone
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def close(self):
        self.released.set()
        self.server.shutdown()
        self.server.server_close()


def config(services, **settings):
    """YAML text: JSON is YAML. services: {name: (url, {route: pattern})}."""
    top = {"port": 0, "admin_port": 0, "workers": 2, "log_format": "json", "access_log": False, **settings}
    top["observed_services"] = [
        {
            "name": name,
            "service_url": url,
            "routes": [{"name": route, "methods": ["GET"], "pattern": pattern} for route, pattern in routes.items()],
        }
        for name, (url, routes) in services.items()
    ]
    return json.dumps(top, indent=1)


class Gateway:
    """The binary, started and waited for; killed at the end of the block if it still runs."""

    def __init__(self, text):
        self.directory = tempfile.TemporaryDirectory(prefix="restgate-page-")
        self.path = pathlib.Path(self.directory.name, "restgate.yaml")
        self.path.write_text(text)
        self.records = []
        self.fresh = queue.Queue()
        self.process = subprocess.Popen(
            [os.environ["RESTGATE_BINARY"], "-config", str(self.path)], stderr=subprocess.PIPE, text=True
        )
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        serving = self.await_log("serving")
        self.port, self.admin_port = serving["port"], serving["admin_port"]

    def __enter__(self):
        return self

    def __exit__(self, failure, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.reader.join(PATIENCE)
        self.process.stderr.close()
        if failure:
            print("the gateway said:", *(json.dumps(record) for record in self.records[-60:]), sep="\n  ")
        self.directory.cleanup()

    def _read(self):
        for line in self.process.stderr:
            with contextlib.suppress(ValueError):  # the stack of a crash
                record = json.loads(line)
                self.records.append(record)
                self.fresh.put(record)

    def await_log(self, *messages):
        """The next record that begins with one of these."""
        while True:
            try:
                record = self.fresh.get(timeout=PATIENCE)
            except queue.Empty:
                raise AssertionError(f"never logged: {messages}; but {self.records[-5:]}") from None
            if record["msg"].startswith(messages):
                return record

    def reload(self, text):
        """Whether it was taken."""
        self.path.write_text(text)
        self.process.send_signal(signal.SIGHUP)
        return self.await_log("reload finished", "reload failed")["msg"] == "reload finished"

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(PATIENCE) == 0

    def ask(self, path, method="GET", headers=None, address="127.0.0.1"):
        """One request to the admin port: status, header fields, body."""
        connection = http.client.HTTPConnection(address, self.admin_port, timeout=PATIENCE)
        with contextlib.closing(connection):
            connection.request(method, path, headers=headers or {})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()

    def status(self):
        code, _, body = self.ask("/status")
        assert code == 200, (code, body)
        return json.loads(body)

    def get(self, path, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        with contextlib.closing(connection):
            connection.request("GET", path, headers=headers or {})
            answer = connection.getresponse()
            answer.read()
            return answer.status


class Traffic:
    """Clients that ask for these paths in turn until the end of the block."""

    def __init__(self, port, paths, clients=2):
        self.port, self.paths = port, paths
        self.stopping = threading.Event()
        self.failures = []
        self.threads = [threading.Thread(target=self._run, daemon=True) for _ in range(clients)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for thread in self.threads:
            thread.join(PATIENCE)

    def _run(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        connection.connect()
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            while not self.stopping.is_set():
                for path in self.paths:
                    connection.request("GET", path)
                    connection.getresponse().read()
                self.stopping.wait(0.005)  # a rate, not a benchmark
        except (OSError, http.client.HTTPException) as failure:
            self.failures.append(failure)
