#!/usr/bin/env python3
"""Traffic inside of a machine, and the origin behind the gateway. Run as a program in the machine's network:

    traffic.py origin PORT    serves until its standard input ends
    traffic.py load PORT      clients of the gateway until standard input ends; then prints what they met, as JSON
    traffic.py ask PORT PATH  one request; prints status and body, as JSON

The clients believe no answer that they did not ask for: each has a number in it."""

import http.client
import json
import os
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ORIGIN_PORT = 8080
LONG_ANSWER_SECONDS = 1.2
CLIENT_PATIENCE = 30


class Origin(BaseHTTPRequestHandler):
    """/item/N: N; /slow/N: the first digit of N, after a while the others; POST: what was sent."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_):  # pylint: disable=arguments-differ
        pass

    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):  # pylint: disable=invalid-name
        if self.path.startswith("/slow/"):
            self.send_response(200)
            body = self.path.rpartition("/")[2].encode()
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[:1])
            self.wfile.flush()
            time.sleep(LONG_ANSWER_SECONDS)
            self.wfile.write(body[1:])
            return
        self.answer(self.path.rpartition("/")[2].encode())

    def do_POST(self):  # pylint: disable=invalid-name
        self.answer(self.rfile.read(int(self.headers["Content-Length"])))


class QuietServer(ThreadingHTTPServer):
    """Many connections at once are normal, and their ends no news."""

    request_queue_size = 1024
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass


class Clients:
    """Threads that ask until they are told to stop."""

    def __init__(self, port):
        self.port = port
        self.stopping = threading.Event()
        self.lock = threading.Lock()
        self.requests = 0
        self.failures = []
        self.slowest = 0.0
        # Of each kind: count, path, whether it connects for every request, body, pause between requests in seconds.
        kinds = [(3, "/item/", False, None, 0), (3, "/item/", True, None, 0), (3, "/item/", False, None, 0.2),
                 (2, "/slow/", False, None, 0), (2, "/item/", False, b"x" * 10_000, 0.01)]
        self.threads = []
        for count, *kind in kinds:
            self.threads += [threading.Thread(target=self.ask_on, args=kind) for _ in range(count)]

    def ask_on(self, path, fresh, body, pause):
        connection = None
        while not self.stopping.is_set():
            with self.lock:
                self.requests += 1
                number = self.requests
            start = time.monotonic()
            try:
                if connection is None:
                    connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=CLIENT_PATIENCE)
                last = self.ask(connection, f"{path}{number}", body, number)
            except (OSError, http.client.HTTPException, ValueError) as error:
                with self.lock:
                    self.failures.append(f"{path} {'fresh' if fresh else 'kept'}: {type(error).__name__} {error}")
                last = True
                time.sleep(0.05)
            with self.lock:
                self.slowest = max(self.slowest, time.monotonic() - start)
            if last or fresh:
                connection.close()
                connection = None
            self.stopping.wait(pause)

    @staticmethod
    def ask(connection, path, body, number):
        """Whether the connection ends with the answer."""
        connection.request("POST" if body else "GET", path, body=body)
        response = connection.getresponse()
        got = response.read()
        if response.status != 200:
            raise ValueError(f"status {response.status}: {got[:200]!r}")
        if got != (body or str(number).encode()):
            raise ValueError(f"a wrong answer: {got[:50]!r}")
        return response.will_close

    def run(self):
        for thread in self.threads:
            thread.start()
        print("started", flush=True)
        for line in sys.stdin:
            if line.strip() == "count":
                print(self.requests, flush=True)
        self.stopping.set()
        for thread in self.threads:
            thread.join()
        print(json.dumps({"requests": self.requests, "failures": self.failures, "slowest": round(self.slowest, 2)}))


class InMachine:
    """This program in a process's network namespace; a context manager."""

    def __init__(self, leader, *arguments):
        self.process = subprocess.Popen(
            ["nsenter", "--target", str(leader), "--net", sys.executable, os.path.abspath(__file__), *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.process.stdout.readline()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.finish()

    def count(self):
        """How many requests have begun."""
        self.process.stdin.write("count\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def await_more(self, requests):
        """Until so many more requests have been made: what is done under load is done under load."""
        end = time.monotonic() + 60
        wanted = self.count() + requests
        while self.count() < wanted:
            if time.monotonic() > end:
                raise TimeoutError("the clients do not get on")
            time.sleep(0.02)

    def finish(self):
        """What the program printed last."""
        output, _ = self.process.communicate(timeout=90)
        return output


def ask_once(leader, port, path):
    """Status and body of one request in that network; (0, error): there is no whole answer."""
    done = subprocess.run(["nsenter", "--target", str(leader), "--net", sys.executable, os.path.abspath(__file__),
                           "ask", str(port), path], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                          timeout=60, check=True)
    return tuple(json.loads(done.stdout))


def answer_to(port, path):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=CLIENT_PATIENCE)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read().decode()
    except (OSError, http.client.HTTPException) as error:
        return 0, str(error)


def serve_origin(port):
    server = QuietServer(("127.0.0.1", port), Origin)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print("started", flush=True)
    sys.stdin.read()


def main():
    command, port = sys.argv[1], int(sys.argv[2])
    if command == "origin":
        serve_origin(port)
    elif command == "ask":
        print(json.dumps(answer_to(port, sys.argv[3])))
    else:
        Clients(port).run()


if __name__ == "__main__":
    main()
