"""What lies in deploy/ fits what the gateway says: every metric that a dashboard, rule or alert asks for is there.
Needs RESTGATE_BINARY; promtool (Debian's package prometheus) for the rules and their own tests."""

import json
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

from support import Gateway, Origin, config, eventually

DEPLOY = pathlib.Path(__file__).resolve().parents[2] / "deploy"
RULES = ["recording.yaml", "alerts.yaml"]
METRIC = re.compile(r"(?<![:\w])(?:restgate|process)_\w+")


def expressions(node):
    """Every PromQL text of a dashboard."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key in ("expr", "definition") and isinstance(value, str):
                yield value
            else:
                yield from expressions(value)
    elif isinstance(node, list):
        for item in node:
            yield from expressions(item)


class Deploy(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        origin = Origin()
        cls.addClassCleanup(origin.close)
        services = {"shop": (origin.url, {"goods": "/goods/{path...}"})}
        with Gateway(config(services)) as gateway:
            gateway.get("/goods/a")
            gateway.get("/nowhere")
            both = lambda: (text := gateway.ask("/metrics")[2].decode()).count("_duration_seconds_count{") >= 3 and text
            cls.metrics = eventually(both, "the metrics of two requests")
            gateway.stop()
        cls.names = set(re.findall(r"^(\w+)", cls.metrics, re.MULTILINE))

    def expect_known(self, text, where):
        asked = set(METRIC.findall(text))
        self.assertEqual(asked - self.names, set(), where)
        return asked

    def test_the_dashboard(self):
        dashboard = json.loads((DEPLOY / "grafana/restgate.json").read_text())
        asked = set()
        for expression in expressions(dashboard):
            asked |= self.expect_known(expression, expression)
        self.assertGreater(len(asked), 20)
        numbers = [panel["id"] for panel in dashboard["panels"]]
        self.assertEqual(len(numbers), len(set(numbers)))
        for panel in dashboard["panels"]:
            place = panel["gridPos"]
            self.assertLessEqual(place["x"] + place["w"], 24, panel["title"])

    def test_the_rules_ask_for_what_there_is(self):
        recorded = set(re.findall(r"record: (\S+)", (DEPLOY / "prometheus/recording.yaml").read_text()))
        for file in RULES:
            text = (DEPLOY / "prometheus" / file).read_text()
            for expression in re.findall(r"expr: (?:\|\n((?:        .*\n| {10,}.*\n)+)|(.*))", text):
                expression = "".join(expression)
                self.expect_known(re.sub(r"\w+:\w+:\w+", "", expression), file)
                for name in re.findall(r"\w+:\w+:\w+", expression):
                    self.assertIn(name, recorded, file)

    def promtool(self, *arguments, **options):
        if not shutil.which("promtool"):
            self.skipTest("promtool is not installed")
        run = subprocess.run(["promtool", *arguments], cwd=DEPLOY / "prometheus", capture_output=True, text=True, **options)
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
        return run.stdout + run.stderr

    def test_promtool_takes_the_rules(self):
        self.promtool("check", "rules", *RULES)
        self.promtool("check", "config", "prometheus.yaml")

    def test_each_alert_fires_when_it_should(self):
        self.promtool("test", "rules", "alerts_test.yaml")
        tested = (DEPLOY / "prometheus/alerts_test.yaml").read_text()
        for alert in re.findall(r"alert: (\w+)", (DEPLOY / "prometheus/alerts.yaml").read_text()):
            self.assertRegex(tested, rf"alertname: {alert}\s+exp_alerts:\n", f"{alert} is never seen to fire")

    def test_promtool_takes_the_metrics(self):
        self.assertEqual(self.promtool("check", "metrics", input=self.metrics), "")


if __name__ == "__main__":
    outcome = unittest.main(verbosity=2, exit=False).result
    # Skipped as a whole only if nothing else is amiss: ctest shows that.
    sys.exit(1 if not outcome.wasSuccessful() else 77 if outcome.skipped else 0)
