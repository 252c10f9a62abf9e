"""What is measured: one entry a scenario; what it asks of the load client and of the proxies, and the budgets."""

from dataclasses import dataclass, replace

from harness.peers import Setup, api_prefixes

IDLE_CONNECTIONS = 10_000
MANY_ROUTES = 5_000


@dataclass(frozen=True)
class Budget:
    """`measure` of RESTGate is at most `limit`. "x relay", "x nginx", "x haproxy": CPU time as a multiple of theirs;
    "more": CPU µs that the second variant takes on top of the first; else a column of the table."""
    measure: str
    limit: float


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
    paths: int = 0  # requests are for random ones of so many routes
    origin_workers: int = 1
    syscalls: bool = True  # are counted; under strace, thousands of connections at work would take too long
    budgets: tuple = ()


def get(size, connections=64):
    return ("--connections", str(connections), "--path", f"/bytes/{size}")


def on_and_off():
    return (Variant("log off", Setup(access_log=False)), Variant("log on", Setup(access_log=True)))


SCENARIOS = (
    Scenario("small", "GET, 128 bytes", 40_000, get(128),
             budgets=(Budget("x relay", 1.12), Budget("x nginx", 0.82), Budget("syscalls", 4.3), Budget("user µs", 2))),
    Scenario("16k", "GET, 16 KiB", 30_000, get(16384), budgets=(Budget("x relay", 1.10),)),
    Scenario("1m", "GET, 1 MiB, 16 connections", 1_500, get(1 << 20, 16), budgets=(Budget("x relay", 0.90),)),
    Scenario("post", "POST, 64 KiB", 10_000, ("--connections", "64", "--path", "/swallow", "--body", "65536"),
             budgets=(Budget("x relay", 1.08),)),
    Scenario("connect", "GET, 128 bytes, a new connection for each", 15_000, get(128) + ("--reconnect", "1"),
             budgets=(Budget("x nginx", 0.85),)),
    Scenario("pipeline", "GET, 128 bytes, 16 pipelined", 80_000, get(128) + ("--pipeline", "16"),
             budgets=(Budget("x haproxy", 0.70),)),
    Scenario("routes", "GET, 128 bytes, 5,000 routes instead of 1", 40_000, ("--connections", "64"), relay=False,
             variants=(Variant("1 route", Setup(routes=1)), Variant("5,000 routes", Setup(routes=MANY_ROUTES))),
             paths=MANY_ROUTES, budgets=(Budget("more", 0.2),)),
    Scenario("log", "GET, 128 bytes, access log off and on", 40_000, get(128), relay=False, variants=on_and_off(),
             budgets=(Budget("more", 0.5),)),
    Scenario("https", "GET, 128 bytes, https to the origin", 30_000, get(128), relay=False, tls_backend=True),
    Scenario("websocket", "WebSocket, 128 bytes there and back", 40_000,
             ("--connections", "64", "--kind", "websocket", "--path", "/ws", "--body", "128"), unit="message"),
    Scenario("sse", "Server-sent events to 2,000 clients", 100_000,
             ("--connections", "2000", "--kind", "events", "--path", "/sse"), unit="event"),
    Scenario("idle", "10,000 idle keep-alive connections", 20_000, get(128), kind="idle", relay=False,
             budgets=(Budget("PSS KiB", 0.45),)),
    Scenario("rate", "GET, 128 bytes at a fixed rate: latency", 0, get(128), kind="rate"),
    Scenario("clients", "GET, 128 bytes, from 1 to 8,000 connections at work", 20_000, ("--path", "/bytes/128"), relay=False,
             origin_workers=2, syscalls=False,
             variants=tuple(Variant(f"{n:,}", load=("--connections", str(n))) for n in (1, 64, 1000, 8000))),
)


def quick(scenario):
    return replace(scenario, count=scenario.count // 4)


def paths_text(scenario):
    """One path a line, for bench_load --paths."""
    return "".join(f"{prefix}{i * 7919 % 100_000}\n" for i, prefix in enumerate(api_prefixes(scenario.paths)))
