"""Who may ask the admin port for what, where it listens, and what watchers can make it hold. Needs RESTGATE_BINARY."""

import json
import pathlib
import signal
import socket
import tempfile
import unittest

from support import PATIENCE, Gateway, Origin, Traffic, config, eventually

OPEN = ("/healthz", "/readyz", "/")
GUARDED = ("/metrics", "/version", "/status", "/events", "/nothing")
TOKEN = "correct-horse-battery"


class Watcher:
    """A client of /events."""

    def __init__(self, gateway, head="", receive_buffer=None):
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(("127.0.0.1", gateway.admin_port))
        self.socket.sendall(f"GET /events HTTP/1.1\r\nHost: x\r\n{head}\r\n".encode())
        self.file = self.socket.makefile("rb")

    def head(self):
        lines = []
        while (line := self.file.readline()) not in (b"\r\n", b""):
            lines.append(line.decode().rstrip())
        return lines

    def event(self):
        """The next one: its name and its data; None: the stream has ended."""
        name, data = self.file.readline(), self.file.readline()
        if not data:
            return None
        assert name.startswith(b"event: ") and data.startswith(b"data: ") and self.file.readline() == b"\n", (name, data)
        return name[7:].decode().strip(), json.loads(data[6:])

    def close(self):
        self.file.close()
        self.socket.close()


class Admin(unittest.TestCase):
    def setUp(self):
        self.origin = Origin()
        self.addCleanup(self.origin.close)
        self.directory = self.enterContext(tempfile.TemporaryDirectory())
        self.services = {"shop": (self.origin.url, {"goods": "/goods/{path...}"})}

    def text(self, **settings):
        return config(self.services, **settings)

    def watch(self, gateway, *arguments, **options):
        watcher = Watcher(gateway, *arguments, **options)
        self.addCleanup(watcher.close)
        return watcher

    def token_file(self, token=TOKEN):
        path = pathlib.Path(self.directory, "token")
        path.write_text(token + "\n")
        return str(path)

    def codes(self, gateway, paths, token=None):
        headers = {"Authorization": "Bearer " + token} if token else {}
        # HEAD: a stream of events would not end.
        return {path: gateway.ask(path, "HEAD", headers)[0] for path in paths}

    def test_without_a_token_file_everybody_may(self):
        with Gateway(self.text()) as gateway:
            for path, code in self.codes(gateway, OPEN + GUARDED).items():
                self.assertEqual(code, 404 if path == "/nothing" else 200, path)
            gateway.stop()

    def test_a_token_guards_all_but_health_and_the_empty_page(self):
        with Gateway(self.text(admin_token_file=self.token_file())) as gateway:
            self.assertEqual(set(self.codes(gateway, OPEN).values()), {200})
            for token in (None, "wrong-horse-battery", TOKEN[:-1], TOKEN + "x"):
                self.assertEqual(set(self.codes(gateway, GUARDED, token).values()), {401}, token)
            self.assertEqual(gateway.ask("/status")[1]["WWW-Authenticate"], 'Bearer realm="restgate"')
            for path, code in self.codes(gateway, GUARDED, TOKEN).items():
                self.assertEqual(code, 404 if path == "/nothing" else 200, path)
            twice = self.watch(gateway, f"Authorization: Bearer {TOKEN}\r\nAuthorization: Bearer {TOKEN}\r\n")
            self.assertTrue(twice.head()[0].startswith("HTTP/1.1 401"))
            self.assertNotIn(TOKEN, json.dumps(gateway.records))
            gateway.stop()

    def test_the_socket_needs_none(self):
        path = str(pathlib.Path(self.directory, "admin.sock"))
        with Gateway(self.text(admin_token_file=self.token_file(), admin_socket=path)) as gateway:
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(PATIENCE)
                client.connect(path)
                client.sendall(b"HEAD /status HTTP/1.1\r\nHost: x\r\n\r\n")
                self.assertTrue(client.recv(100).startswith(b"HTTP/1.1 200"))
            gateway.stop()

    def test_a_reload_changes_the_token_and_a_bad_one_does_not(self):
        with Gateway(self.text(admin_token_file=self.token_file())) as gateway:
            self.token_file("another-horse-battery")
            self.assertEqual(self.codes(gateway, ["/status"], TOKEN), {"/status": 200}, "it was read at the start")
            self.assertTrue(gateway.reload(self.text(admin_token_file=self.token_file("another-horse-battery"))))
            self.assertEqual(self.codes(gateway, ["/status"], TOKEN), {"/status": 401})
            self.assertEqual(self.codes(gateway, ["/status"], "another-horse-battery"), {"/status": 200})
            self.assertFalse(gateway.reload(self.text(admin_token_file=self.token_file("short"))))
            self.assertFalse(gateway.reload(self.text(admin_token_file=self.directory + "/none")))
            self.assertEqual(self.codes(gateway, ["/status"], "another-horse-battery"), {"/status": 200})
            self.assertTrue(gateway.reload(self.text()))
            self.assertEqual(self.codes(gateway, ["/status"]), {"/status": 200})
            gateway.stop()

    def test_a_token_that_is_revoked_ends_the_streams(self):
        with Gateway(self.text(admin_token_file=self.token_file())) as gateway:
            watcher = self.watch(gateway, f"Authorization: Bearer {TOKEN}\r\n")
            self.assertEqual(watcher.head()[0], "HTTP/1.1 200 OK")
            self.assertTrue(gateway.reload(self.text(admin_token_file=self.token_file(), log_level="debug")))
            kinds = []
            while "reload" not in kinds:  # the same token: the stream goes on
                kinds += [event["kind"] for event in watcher.event()[1]["events"]]
            self.assertTrue(gateway.reload(self.text(admin_token_file=self.token_file("another-horse-battery"))))
            while watcher.event():
                pass
            again = self.watch(gateway, f"Authorization: Bearer {TOKEN}\r\n")
            self.assertTrue(again.head()[0].startswith("HTTP/1.1 401"))
            gateway.stop()

    def test_every_answer_is_hardened_and_nothing_but_reading_is_offered(self):
        with Gateway(self.text()) as gateway:
            for path in OPEN + GUARDED:
                code, fields, _ = gateway.ask(path, "HEAD")
                self.assertEqual(fields["X-Content-Type-Options"], "nosniff", path)
                self.assertEqual(fields["Cache-Control"], "no-store", path)
                self.assertIn("frame-ancestors 'none'", fields["Content-Security-Policy"], path)
                for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
                    self.assertEqual(gateway.ask(path, method)[0], 404 if code == 404 else 405, (method, path))
            garbage = socket.create_connection(("127.0.0.1", gateway.admin_port), PATIENCE)
            with garbage:
                garbage.sendall(b"\xff\xff\r\n\r\n")
                answer = garbage.makefile("rb").read().decode()
            for line in ("HTTP/1.1 400", "nosniff", "no-store", "frame-ancestors 'none'"):
                self.assertIn(line, answer)
            gateway.stop()

    def test_the_address_may_be_chosen_and_changed(self):
        def reaches(gateway, address):
            try:
                return gateway.ask("/healthz", address=address)[0] == 200
            except OSError:
                return False

        with Gateway(self.text(admin_address="127.0.0.1")) as gateway:
            self.assertTrue(reaches(gateway, "127.0.0.1"))
            self.assertFalse(reaches(gateway, "127.0.0.2"))
            # The same port each time, though one address is part of the other.
            for settings, there, not_there in (
                ({"admin_address": "127.0.0.2"}, "127.0.0.2", "127.0.0.1"),
                ({}, "127.0.0.3", None),
                ({"admin_address": "127.0.0.1"}, "127.0.0.1", "127.0.0.2"),
            ):
                self.assertTrue(gateway.reload(self.text(**settings)))
                self.assertTrue(reaches(gateway, there), settings)
                if not_there:
                    eventually(lambda: not reaches(gateway, not_there), f"{not_there} to be given up")
            self.assertFalse(gateway.reload(self.text(admin_address="192.0.2.1")), "no address of this machine")
            self.assertTrue(reaches(gateway, "127.0.0.1"))
            gateway.stop()

    def test_events_begin_with_the_past_and_go_on(self):
        with Gateway(self.text()) as gateway, Traffic(gateway.port, ["/goods/a"]):
            watcher = self.watch(gateway)
            head = watcher.head()
            self.assertEqual(head[0], "HTTP/1.1 200 OK")
            self.assertIn("Content-Type: text/event-stream", head)
            self.assertIn("Cache-Control: no-store", head)
            name, data = watcher.event()
            self.assertEqual(name, "hello")
            self.assertEqual([event["kind"] for event in data["events"]], ["start"])
            seen = [watcher.event() for _ in range(3)]
            self.assertEqual({name for name, _ in seen}, {"update"})
            self.assertGreater(seen[-1][1]["requests"], data["requests"])
            self.assertTrue(any(row[0] == 1 and row[2] > 0 for _, each in seen for row in each.get("routes", [])))
            self.assertTrue(gateway.reload(self.text()))
            events = []
            while not events:
                events = watcher.event()[1]["events"]
            self.assertEqual(events[0]["kind"], "reload")
            gateway.stop()
            while watcher.event():
                pass

    def test_an_upgrade_ends_the_streams_and_keeps_the_past(self):
        with Gateway(self.text()) as gateway:
            watcher = self.watch(gateway)
            watcher.head()
            past = watcher.event()[1]
            while not past["points"]:
                past = watcher.event()[1]
            gateway.process.send_signal(signal.SIGUSR2)
            gateway.await_log("upgrade finished")
            while watcher.event():
                pass
            later = self.watch(gateway)
            later.head()
            data = later.event()[1]
            self.assertEqual(data["points"][: len(past["points"])], past["points"])
            self.assertEqual([event["kind"] for event in data["events"]], ["start", "upgrade"])
            self.assertEqual(data["generation"], 2)
            gateway.stop()

    def test_a_port_that_is_given_up_ends_its_streams(self):
        with Gateway(self.text(admin_address="127.0.0.1")) as gateway:
            watcher = self.watch(gateway)
            watcher.head()
            self.assertEqual(watcher.event()[0], "hello")
            self.assertTrue(gateway.reload(self.text(admin_address="127.0.0.2")))
            while watcher.event():
                pass
            self.assertEqual(gateway.ask("/healthz", address="127.0.0.2")[0], 200)
            gateway.stop()

    def test_watchers_are_bounded_and_slow_ones_hold_nothing_up(self):
        with Gateway(self.text()) as gateway:
            watchers = [self.watch(gateway, receive_buffer=2048) for _ in range(16)]
            for watcher in watchers:
                self.assertEqual(watcher.head()[0], "HTTP/1.1 200 OK")
            code, fields, _ = gateway.ask("/events")
            self.assertEqual((code, fields["Retry-After"]), (503, "10"))
            # They read no more; whoever asks gets his answers, and a place is free as soon as one leaves.
            self.assertTrue(gateway.reload(self.text()))
            self.assertEqual(gateway.ask("/status")[0], 200)
            watchers[0].close()
            late = eventually(lambda: (w := self.watch(gateway)).head()[0].endswith("200 OK") and w, "a free place")
            self.assertEqual(late.event()[0], "hello")
            gateway.stop()


if __name__ == "__main__":
    unittest.main(verbosity=2)
