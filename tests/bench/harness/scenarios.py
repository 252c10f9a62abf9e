"""What is measured: one entry a scenario; what it asks of the load client and of the proxies, and the budgets."""

from dataclasses import dataclass, replace

from harness.peers import Setup, api_prefixes

IDLE_CONNECTIONS = 10_000
MANY_ROUTES = 5_000
FIRST = "first variant"


@dataclass(frozen=True)
class Budget:
    """RESTGate's `measure` (a key of Subject.measure_cpu and the like, or "system calls") is at most `limit`; with
    `against` the name of a peer: as a multiple of the peer's; with FIRST: on top of what the first variant has."""
    measure: str
    limit: float
    against: str = ""


@dataclass(frozen=True)
class Variant:
    """One way to run a scenario; the variants of all peers take turns within a round."""
    name: str = ""
    setup: Setup = Setup()
    load: tuple = ()  # more flags of bench_load


@dataclass(frozen=True)
class Scenario:
    name: str
    title: str
    count: int  # exchanges a round
    load: tuple = ()  # flags of bench_load
    unit: str = "request"
    variants: tuple = (Variant(),)
    tls_backend: bool = False
    relay: bool = True
    kind: str = "cpu"  # cpu, rate (latencies at a fixed rate) or idle (memory of idle connections)
    rounds: int = 100  # at most
    paths: int = 0  # requests are for random ones of so many routes
    origin_workers: int = 1
    syscalls: bool = True  # are counted; with thousands of connections strace changes what happens too much
    budgets: tuple = ()


def get(size, connections=64):
    return ("--connections", str(connections), "--path", f"/bytes/{size}")


def on_and_off():
    return (Variant("log off", Setup(access_log=False)), Variant("log on", Setup(access_log=True)))


SCENARIOS = (
    Scenario("small", "GET, 128 bytes", 20_000, get(128),
             budgets=(Budget("CPU µs", 1.12, "relay"), Budget("CPU µs", 0.82, "nginx"), Budget("system calls", 4.3),
                      Budget("user µs", 2))),
    Scenario("16k", "GET, 16 KiB", 15_000, get(16384), budgets=(Budget("CPU µs", 1.10, "relay"),)),
    Scenario("1m", "GET, 1 MiB, 16 connections", 800, get(1 << 20, 16), budgets=(Budget("CPU µs", 0.90, "relay"),)),
    Scenario("post", "POST, 64 KiB", 6_000, ("--connections", "64", "--path", "/swallow", "--body", "65536"),
             budgets=(Budget("CPU µs", 1.08, "relay"),)),
    Scenario("connect", "GET, 128 bytes, a new connection for each", 8_000, get(128) + ("--reconnect", "1"),
             budgets=(Budget("CPU µs", 0.85, "nginx"),)),
    Scenario("pipeline", "GET, 128 bytes, 16 pipelined", 60_000, get(128) + ("--pipeline", "16"),
             budgets=(Budget("CPU µs", 0.70, "haproxy"),)),
    Scenario("routes", "GET, 128 bytes, 5,000 routes instead of 1", 20_000, ("--connections", "64"), relay=False,
             variants=(Variant("1 route", Setup(routes=1)), Variant("5,000 routes", Setup(routes=MANY_ROUTES))),
             paths=MANY_ROUTES, budgets=(Budget("CPU µs", 0.2, FIRST),)),
    Scenario("log", "GET, 128 bytes, access log off and on", 20_000, get(128), relay=False, variants=on_and_off(),
             budgets=(Budget("CPU µs", 0.5, FIRST),)),
    Scenario("https", "GET, 128 bytes, https to the origin", 15_000, get(128), relay=False, tls_backend=True),
    Scenario("websocket", "WebSocket, 128 bytes there and back", 20_000,
             ("--connections", "64", "--kind", "websocket", "--path", "/ws", "--body", "128"), unit="message"),
    Scenario("sse", "Server-sent events to 2,000 clients", 60_000,
             ("--connections", "2000", "--kind", "events", "--path", "/sse"), unit="event", syscalls=False),
    Scenario("idle", "10,000 idle keep-alive connections", 20_000, get(128), kind="idle", relay=False, rounds=3,
             budgets=(Budget("PSS KiB", 0.45),)),
    Scenario("rate", "GET, 128 bytes at a fixed rate: latency", 0, get(128), kind="rate",
             budgets=(Budget("p99", 1, "nginx"),)),
    Scenario("clients", "GET, 128 bytes, from 1 to 8,000 connections at work", 20_000, ("--path", "/bytes/128"),
             origin_workers=2, syscalls=False,
             variants=tuple(Variant(f"{n:,}", load=("--connections", str(n))) for n in (1, 64, 1000, 8000))),
)


def quick(scenario):
    return replace(scenario, count=scenario.count // 2)


def paths_text(scenario):
    """One path a line, for bench_load --paths."""
    return "".join(f"{prefix}{i * 7919 % 100_000}\n" for i, prefix in enumerate(api_prefixes(scenario.paths)))
