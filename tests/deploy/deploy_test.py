#!/usr/bin/python3
"""deploy/k8s and deploy/helm: that they are valid, fit together and fit the gateway.

    deploy_test.py [CLASS...]       exit code 77: every test was skipped
"""
import copy
import pathlib
import re
import sys
import unittest

import manifests
from manifests import BASE, CHART, PROMETHEUS, SOURCE, by_kind, seconds, yaml


class Manifests(unittest.TestCase):
    """What needs no tool but a YAML parser and the gateway."""

    @classmethod
    def setUpClass(cls):
        cls.objects = by_kind(manifests.from_files())
        cls.deployment = cls.objects["Deployment", "restgate"]["spec"]
        cls.pod = cls.deployment["template"]["spec"]
        cls.container = cls.pod["containers"][0]
        cls.config_text = cls.objects["ConfigMap", "restgate"]["data"]["restgate.yaml"]
        cls.config = yaml.safe_load(cls.config_text)

    def test_every_file_is_listed(self):
        for directory in (BASE, PROMETHEUS):
            listed = yaml.safe_load((directory / "kustomization.yaml").read_text())
            names = set(listed["resources"]) | {patch["path"] for patch in listed.get("patches", [])}
            there = {file.name for file in directory.glob("*.yaml")} - {"kustomization.yaml"}
            self.assertEqual({name for name in names if name.endswith(".yaml")}, there)

    def test_every_kind_is_there(self):
        kinds = sorted(kind for kind, _ in self.objects)
        self.assertEqual(kinds, ["ConfigMap", "Deployment", "HorizontalPodAutoscaler", "Ingress", "NetworkPolicy",
                                 "PodDisruptionBudget", "Service", "Service"])

    def test_the_gateway_takes_the_configuration(self):
        code, said = manifests.restgate_says(self.config_text)
        self.assertEqual(code, 0, said)
        code, said = manifests.restgate_says(self.config_text + "prot: 1\n")
        self.assertEqual(code, 1, said)

    def test_the_pod_lives_as_long_as_its_drain(self):
        drain = seconds(self.config["pre_drain_delay"]) + seconds(self.config["shutdown_timeout"])
        self.assertGreater(self.pod["terminationGracePeriodSeconds"], drain + 2)

    def test_ports_are_those_of_the_configuration(self):
        ports = {port["name"]: port["containerPort"] for port in self.container["ports"]}
        self.assertEqual(ports, {"http": self.config.get("port", 7000), "admin": self.config.get("admin_port", 9000)})
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            self.assertEqual(self.container[probe]["httpGet"]["port"], "admin", probe)
        self.assertEqual(self.container["readinessProbe"]["httpGet"]["path"], "/readyz")
        self.assertEqual(self.container["livenessProbe"]["httpGet"]["path"], "/healthz")

    def test_the_pod_has_no_privilege(self):
        self.assertEqual((self.pod["securityContext"]["runAsNonRoot"], self.pod["securityContext"]["runAsUser"]),
                         (True, 65532))
        context = self.container["securityContext"]
        self.assertEqual(context["capabilities"], {"drop": ["ALL"]})
        self.assertTrue(context["readOnlyRootFilesystem"])
        self.assertFalse(context["allowPrivilegeEscalation"])
        self.assertFalse(self.pod["automountServiceAccountToken"])
        self.assertEqual(set(self.container["resources"]["limits"]), {"cpu", "memory"})

    def test_the_configuration_is_mounted_so_that_it_can_be_followed(self):
        self.assertTrue(self.config["config_watch"])
        mount, = self.container["volumeMounts"]
        self.assertNotIn("subPath", mount)
        self.assertTrue(self.container["args"][1].startswith(mount["mountPath"] + "/"))
        volume, = self.pod["volumes"]
        self.assertEqual((volume["name"], volume["configMap"]["name"]), (mount["name"], "restgate"))

    def test_selectors_select_the_pod(self):
        labels = self.deployment["template"]["metadata"]["labels"].items()
        selectors = [self.deployment["selector"]["matchLabels"],
                     self.objects["PodDisruptionBudget", "restgate"]["spec"]["selector"]["matchLabels"],
                     self.objects["NetworkPolicy", "restgate"]["spec"]["podSelector"]["matchLabels"],
                     self.objects["Service", "restgate"]["spec"]["selector"],
                     self.objects["Service", "restgate-admin"]["spec"]["selector"]]
        selectors += [spread["labelSelector"]["matchLabels"] for spread in self.pod["topologySpreadConstraints"]]
        for selector in selectors:
            self.assertLessEqual(selector.items(), labels)

    def test_names_that_refer_to_something_are_those_of_something(self):
        ports = {port["name"] for port in self.container["ports"]}
        for name in ("restgate", "restgate-admin"):
            for port in self.objects["Service", name]["spec"]["ports"]:
                self.assertIn(port["targetPort"], ports)
        for rule in self.objects["NetworkPolicy", "restgate"]["spec"]["ingress"]:
            self.assertLessEqual({port["port"] for port in rule["ports"]}, ports)
        path, = self.objects["Ingress", "restgate"]["spec"]["rules"][0]["http"]["paths"]
        service = self.objects["Service", path["backend"]["service"]["name"]]["spec"]
        self.assertIn(path["backend"]["service"]["port"]["name"], [port["name"] for port in service["ports"]])
        target = self.objects["HorizontalPodAutoscaler", "restgate"]["spec"]["scaleTargetRef"]
        self.assertIn((target["kind"], target["name"]), self.objects)
        self.assertNotIn("replicas", self.deployment, "it is the autoscaler's")

    def test_prometheus_finds_the_admin_port(self):
        monitor, = manifests.documents((PROMETHEUS / "servicemonitor.yaml").read_text())
        admin = self.objects["Service", "restgate-admin"]
        selector = monitor["spec"]["selector"]["matchLabels"].items()
        self.assertLessEqual(selector, admin["metadata"]["labels"].items())
        self.assertFalse(selector <= self.objects["Service", "restgate"]["metadata"]["labels"].items())
        self.assertEqual(monitor["spec"]["endpoints"][0]["port"], admin["spec"]["ports"][0]["name"])
        scaler, = manifests.documents((PROMETHEUS / "hpa.yaml").read_text())
        metric = scaler["spec"]["metrics"][1]["pods"]["metric"]["name"]
        sources = "".join(file.read_text() for file in (SOURCE / "master").rglob("*.cc"))
        self.assertIn(f'"{metric}"', sources)

    def test_every_value_of_the_chart_is_used(self):
        templates = "".join(file.read_text() for file in (CHART / "templates").iterdir())
        for path in paths(yaml.safe_load((CHART / "values.yaml").read_text())):
            known = any(re.search(r"\.Values\." + re.escape(".".join(path[:n])) + r"\b", templates)
                        for n in range(1, len(path) + 1))
            self.assertTrue(known, ".".join(path))

    def test_the_version_of_the_chart_is_the_gateways(self):
        chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
        version = re.search(r"project\(restgate VERSION ([0-9.]+)", (SOURCE / "CMakeLists.txt").read_text())[1]
        self.assertEqual((chart["version"], chart["appVersion"]), (version, version))


class Kustomize(unittest.TestCase):
    """kubectl renders what the other tests look at."""

    def test_the_base_is_its_files(self):
        self.assertEqual(by_kind(manifests.kustomized(SOURCE / "deploy/k8s")), by_kind(manifests.from_files()))

    def test_prometheus_adds_a_monitor_and_a_metric(self):
        base = by_kind(manifests.from_files())
        more = by_kind(manifests.kustomized(PROMETHEUS))
        self.assertEqual(more, with_prometheus(base))


class Schemas(unittest.TestCase):
    """The Kubernetes API would take them."""

    def test_the_manifests_are_valid(self):
        objects = list(with_prometheus(by_kind(manifests.from_files())).values())
        self.assertEqual(manifests.complaints_of_schemas(objects), [])

    def test_what_is_wrong_is_found(self):
        objects = by_kind(manifests.from_files())
        objects["Deployment", "restgate"]["spec"]["template"]["spec"]["terminationGracePeriodSecond"] = 30
        objects["PodDisruptionBudget", "restgate"]["spec"]["maxUnavailable"] = [1]
        del objects["HorizontalPodAutoscaler", "restgate"]["spec"]["scaleTargetRef"]
        found = "\n".join(manifests.complaints_of_schemas(list(objects.values())))
        for kind in ("Deployment", "PodDisruptionBudget", "HorizontalPodAutoscaler"):
            self.assertIn(f"{kind} restgate: ", found)
        self.assertNotIn("Service ", found)


class Helm(unittest.TestCase):
    """The chart renders the same, and what its values promise."""

    ALL = {
        "image": {"repository": "registry.example.com/restgate", "tag": "1.2.3"},
        "imagePullSecrets": [{"name": "pull"}],
        "config": {"port": 7100, "admin_port": 9100},
        "tlsSecrets": [{"secretName": "accounts-tls", "mountPath": "/etc/restgate-tls/accounts"}],
        "podAnnotations": {"example.com/a": "b"},
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "tolerations": [{"key": "edge", "operator": "Exists"}],
        "affinity": {"nodeAffinity": {}},
        "service": {"type": "LoadBalancer", "port": 8080, "annotations": {"example.com/lb": "internal"}},
        "ingress": {"className": "nginx", "tlsSecretName": "cert", "annotations": {"example.com/i": "j"}},
        "autoscaling": {"enabled": False},
        "prometheus": {"enabled": True},
    }

    def test_by_default_it_is_the_base(self):
        self.assertEqual(by_kind(plain(manifests.from_chart())), by_kind(manifests.from_files()))

    def test_with_prometheus_it_is_the_overlay(self):
        self.assertEqual(by_kind(plain(manifests.from_chart({"prometheus": {"enabled": True}}))),
                         with_prometheus(by_kind(manifests.from_files())))

    def test_values_arrive(self):
        objects = by_kind(manifests.from_chart(self.ALL, release="edge"))
        self.assertEqual({name for _, name in objects}, {"edge-restgate", "edge-restgate-admin"})
        spec = objects["Deployment", "edge-restgate"]["spec"]
        pod = spec["template"]["spec"]
        self.assertEqual(spec["replicas"], 3)
        self.assertEqual(pod["containers"][0]["image"], "registry.example.com/restgate:1.2.3")
        self.assertEqual(pod["volumes"][1], {"name": "tls-0", "secret": {"secretName": "accounts-tls"}})
        self.assertEqual(pod["containers"][0]["volumeMounts"][1]["mountPath"], "/etc/restgate-tls/accounts")
        for key in ("nodeSelector", "tolerations", "affinity", "imagePullSecrets"):
            self.assertEqual(pod[key], self.ALL[key])
        self.assertEqual(spec["template"]["metadata"]["annotations"], self.ALL["podAnnotations"])
        self.assertEqual([port["containerPort"] for port in pod["containers"][0]["ports"]], [7100, 9100])
        self.assertEqual(objects["Service", "edge-restgate-admin"]["spec"]["ports"][0]["port"], 9100)
        self.assertEqual(manifests.restgate_says(objects["ConfigMap", "edge-restgate"]["data"]["restgate.yaml"])[0], 0)
        service = objects["Service", "edge-restgate"]
        self.assertEqual((service["spec"]["type"], service["spec"]["ports"][0]["port"]), ("LoadBalancer", 8080))
        self.assertEqual(service["metadata"]["annotations"], self.ALL["service"]["annotations"])
        ingress = objects["Ingress", "edge-restgate"]["spec"]
        self.assertEqual((ingress["ingressClassName"], ingress["tls"][0]["secretName"]), ("nginx", "cert"))

    def test_parts_can_be_left_out(self):
        off = {key: {"enabled": False}
               for key in ("ingress", "autoscaling", "podDisruptionBudget", "networkPolicy", "prometheus")}
        kinds = sorted(one["kind"] for one in manifests.from_chart(off))
        self.assertEqual(kinds, ["ConfigMap", "Deployment", "Service", "Service"])

    def test_nothing_is_rendered_as_no_value(self):
        for values in ({}, self.ALL):
            self.assertNotIn("<no value>", manifests.chart_text(values))

    def test_what_it_renders_is_valid(self):
        for values in ({}, self.ALL, {"prometheus": {"enabled": True}}):
            self.assertEqual(manifests.complaints_of_schemas(manifests.from_chart(values)), [])


def with_prometheus(base):
    """What deploy/k8s/prometheus makes of the base: one object more, and a list of metrics in place of another."""
    objects = copy.deepcopy(base)
    monitor, = manifests.documents((PROMETHEUS / "servicemonitor.yaml").read_text())
    objects["ServiceMonitor", monitor["metadata"]["name"]] = monitor
    scaler, = manifests.documents((PROMETHEUS / "hpa.yaml").read_text())
    objects["HorizontalPodAutoscaler", "restgate"]["spec"]["metrics"] = scaler["spec"]["metrics"]
    return objects


def plain(value):
    """Without the labels that Helm adds, and with the configuration's keys in any order and layout."""
    added = ("app.kubernetes.io/instance", "app.kubernetes.io/version", "app.kubernetes.io/managed-by",
             "helm.sh/chart")
    if isinstance(value, dict):
        value = {key: plain(below) for key, below in value.items() if key not in added}
        if value.get("kind") == "ConfigMap":
            ours = manifests.from_files()[0]["data"]["restgate.yaml"]
            if yaml.safe_load(value["data"]["restgate.yaml"]) == yaml.safe_load(ours):
                value["data"] = {"restgate.yaml": ours}
        return value
    return [plain(below) for below in value] if isinstance(value, list) else value


def paths(values, above=()):
    """The ways to what is no mapping with keys in a tree of values."""
    for key, value in values.items():
        if isinstance(value, dict) and value:
            yield from paths(value, (*above, key))
        else:
            yield (*above, key)


if __name__ == "__main__":
    program = unittest.main(argv=[pathlib.Path(__file__).name, "-v", *sys.argv[1:]], exit=False)
    result = program.result
    if not result.wasSuccessful() or result.testsRun == 0:
        sys.exit(1)
    sys.exit(77 if len(result.skipped) == result.testsRun else 0)
