"""/status says what is so, in the words of its schema, and nothing that is secret. Needs RESTGATE_BINARY."""

import json
import os
import pathlib
import signal
import socket
import sys
import threading
import time
import unittest

try:
    import jsonschema
except ImportError:
    print("skipped: python3-jsonschema is not installed")
    sys.exit(77)

from support import Gateway, Origin, config, eventually

SCHEMA = json.loads(pathlib.Path(__file__, "../../../master/status.schema.json").resolve().read_text())


def named(entries, name):
    return next(entry for entry in entries if entry["name"] == name)


class Status(unittest.TestCase):
    def setUp(self):
        self.origin = Origin()
        self.addCleanup(self.origin.close)

    def gateway(self, services=None, **settings):
        services = services or {"shop": (self.origin.url, {"goods": "/goods/{path...}", "slow": "/slow"})}
        gateway = Gateway(config(services, **settings))
        self.enterContext(gateway)
        return gateway

    def status(self, gateway):
        status = gateway.status()
        jsonschema.validate(status, SCHEMA, cls=jsonschema.Draft7Validator)
        return status

    def test_at_the_start(self):
        gateway = self.gateway()
        status = self.status(gateway)
        self.assertEqual(status["state"], "serving")
        self.assertTrue(status["ready"])
        self.assertEqual(status["generation"], 1)
        self.assertEqual(status["config"]["file"], str(gateway.path))
        self.assertEqual(status["pid"], gateway.process.pid)
        self.assertIsNone(status["last_reload"])
        self.assertEqual([event["kind"] for event in status["events"]], ["start"])
        self.assertEqual([worker["slot"] for worker in status["workers"]], [0, 1])
        self.assertEqual({worker["state"] for worker in status["workers"]}, {"ready"})
        self.assertGreater(status["workers"][0]["resident_bytes"], 100_000)
        self.assertEqual([route["name"] for route in status["routes"]], ["unmatched", "goods", "slow"])
        self.assertLess(abs(status["started"] - time.time()), 60)
        self.assertEqual(status["services"][0]["health"], "unknown")
        code, head, body = gateway.ask("/status", "HEAD")
        self.assertEqual((code, head["Content-Type"], body), (200, "application/json", b""))
        gateway.stop()

    def test_counts_are_exact(self):
        gateway = self.gateway()
        for path, times in (("/goods/ok", 5), ("/goods/missing", 2), ("/goods/broken", 3), ("/nowhere", 1)):
            for _ in range(times):
                gateway.get(path)
        status = eventually(
            lambda: (s := self.status(gateway))["totals"]["requests"] == 11 and s, "eleven requests in /status"
        )
        goods = named(status["routes"], "goods")
        self.assertEqual(goods["requests"], 10)
        self.assertEqual(goods["pattern"], "/goods/{path...}")
        self.assertEqual(goods["service"], "shop")
        self.assertEqual(named(status["routes"], "unmatched")["requests"], 1)
        self.assertGreater(goods["latency_s"]["p99"], 0)
        self.assertGreaterEqual(goods["latency_s"]["p99"], goods["latency_s"]["p50"])
        self.assertEqual(sum(worker["requests"] for worker in status["workers"]), 11)
        self.assertEqual(named(status["services"], "shop")["requests"], 10)
        errors = {(error["route"], error["reason"]): error["count"] for error in status["errors"]}
        self.assertEqual(errors, {("unmatched", "route_not_found"): 1})
        rates = eventually(lambda: (s := self.status(gateway))["now"]["request_rate"] > 0 and s, "a rate")
        goods = named(rates["routes"], "goods")
        self.assertAlmostEqual(goods["error_share"], 0.3)
        self.assertAlmostEqual(goods["client_error_share"], 0.2)
        self.assertEqual(named(rates["services"], "shop")["health"], "up")
        gateway.stop()

    def test_an_exchange_in_flight_without_its_secrets(self):
        secret = "hunter2"
        gateway = self.gateway({"shop": (f"{self.origin.url}/base?key={secret}", {"slow": "/slow"})})
        asked = threading.Thread(
            target=gateway.get, args=(f"/slow?token={secret}", {"Authorization": f"Bearer {secret}", "Cookie": secret})
        )
        asked.start()
        status = eventually(
            lambda: (s := self.status(gateway))["exchanges"]
            and s["exchanges"][0]["phase"] == "awaiting_answer"
            and s["now"]["in_flight"] == 1
            and s,
            "an exchange in flight",
        )
        exchange = status["exchanges"][0]
        self.assertEqual((exchange["route"], exchange["service"]), ("slow", "shop"))
        self.assertEqual(exchange["path"], "/slow?token=")
        self.assertIn(exchange["worker"], [worker["pid"] for worker in status["workers"]])
        self.assertEqual(status["exchanges_in_flight"], 1)
        self.assertEqual(status["services"][0]["endpoints"], [{"url": f"{self.origin.url}/base"}])
        self.assertNotIn(secret, json.dumps(status))
        self.origin.released.set()
        asked.join()
        eventually(lambda: not self.status(gateway)["exchanges"], "the end of the exchange")
        gateway.stop()

    def test_whatever_a_client_sends_the_answer_is_json(self):
        gateway = self.gateway({"shop": (self.origin.url, {"any": "/slow/{path...}"})})
        fields = b' HTTP/1.1\r\nHost: x\r\nUser-Agent: \t"\xff\\</script>\x80\r\n\r\n'
        refused = b'GET /slow/\\%00"' + fields
        passed = b'GET /slow/"\xff\xfe\xc3%22%0a</script>\xe2\x80\xae?"\xff=1&\xe2\x80\xae=2' + fields
        with socket.create_connection(("127.0.0.1", gateway.port)) as one:
            with socket.create_connection(("127.0.0.1", gateway.port)) as other:
                one.sendall(refused)
                other.sendall(passed)
                status = eventually(lambda: (s := self.status(gateway))["exchanges"] and s, "an exchange in flight")
                self.assertTrue(status["exchanges"][0]["path"].startswith('/slow/"'))
                self.assertNotIn("=2", json.dumps(status["exchanges"]))
        self.origin.released.set()
        gateway.stop()

    def test_a_refused_reload_tells_where_and_why(self):
        gateway = self.gateway()
        text = config({"shop": (self.origin.url, {"goods": "/goods"})})
        bad = text.replace('"pattern"', '"patern"')
        self.assertFalse(gateway.reload(bad))
        report = self.status(gateway)["last_reload"]
        self.assertEqual(report["result"], "refused")
        line = next(i for i, each in enumerate(bad.splitlines(), 1) if "patern" in each)
        places = [(each["file"], each["line"]) for each in report["diagnostics"] if "unknown key" in each["message"]]
        self.assertEqual(places, [(str(gateway.path), line)])
        self.assertEqual(self.status(gateway)["events"][-1]["kind"], "reload_failed")
        self.assertTrue(gateway.reload(text))
        status = self.status(gateway)
        self.assertEqual(status["last_reload"]["result"], "finished")
        self.assertEqual(status["generation"], status["last_reload"]["generation"])
        self.assertEqual([route["name"] for route in status["routes"]], ["unmatched", "goods"])
        self.assertEqual(status["counts"]["reloads_failed"], 1)
        gateway.stop()

    def test_a_resize_and_a_crash(self):
        gateway = self.gateway()
        text = config({"shop": (self.origin.url, {"slow": "/slow"})}, workers=3)
        self.assertTrue(gateway.reload(text))
        eventually(lambda: len(self.status(gateway)["workers"]) == 3, "the old workers to go")
        self.assertEqual([event["kind"] for event in self.status(gateway)["events"]], ["start", "resize", "reload"])
        asked = threading.Thread(target=lambda: self.assertRaises(OSError, gateway.get, "/slow"))
        asked.start()
        exchange = eventually(lambda: self.status(gateway)["exchanges"], "an exchange")[0]
        os.kill(exchange["worker"], signal.SIGKILL)
        status = eventually(lambda: (s := self.status(gateway))["crashes"] and s, "the crash")
        asked.join()
        crash = status["crashes"][0]
        self.assertEqual((crash["pid"], crash["reason"], crash["signal"]), (exchange["worker"], "killed", "SIGKILL"))
        self.assertEqual([request["path"] for request in crash["requests"]], ["/slow"])
        self.assertEqual(status["events"][-1]["kind"], "crash")
        self.origin.released.set()
        gateway.stop()

    def test_a_backend_that_refuses_is_down(self):
        gateway = self.gateway()
        self.origin.close()
        self.assertEqual(gateway.get("/goods/x"), 502)
        status = eventually(
            lambda: (s := self.status(gateway))["services"][0]["health"] == "down" and s, "the service to be down"
        )
        self.assertEqual(status["errors"][0]["reason"], "backend_connect_refused")
        gateway.stop()


if __name__ == "__main__":
    unittest.main(verbosity=2)
