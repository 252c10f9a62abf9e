"""What is measured: RESTGate and the proxies it is compared with, each started from a configuration of its own.

All do the same work: keep-alive both ways, X-Forwarded-For, -Proto and -Host, and an access log or none. What a person
who wants speed would set is set: no request buffering on disk, connections kept without bound, buffered logs.
"""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass

from harness.processes import BenchError, Program, free_port

ATTEMPTS = 3


@dataclass(frozen=True)
class Setup:
    """How a proxy is configured for a scenario."""
    access_log: bool = True
    routes: int = 0  # 0: what the other scenarios need; 1: one pattern for all of the API; else so many
    tls_backend: bool = False
    workers: int = 1


@dataclass(frozen=True)
class Backend:
    port: int
    certificate: str  # of a TLS origin


def api_prefixes(count):
    """The first parts of the paths of the API with `count` routes; an id follows."""
    return [f"/api/v1/service{i // 5}/resource{i % 5}/" for i in range(count)]


class Peer:
    """A kind of program; start() makes one."""
    name = ""
    handles_http = True
    command = ""

    def binary(self):
        """Where the program is; None: not installed. Debian has servers where a user's PATH does not look."""
        return shutil.which(self.command, path=os.environ.get("PATH", "") + ":/usr/local/sbin:/usr/sbin")

    def available(self):
        return self.binary() is not None

    def version(self):
        return ""

    def start(self, directory, setup, backend):
        """A Program and its port."""
        os.makedirs(directory, exist_ok=True)
        for attempt in range(ATTEMPTS):
            port = free_port()
            program = Program(self.configure(directory, setup, backend, port), os.path.join(directory, "output"))
            try:
                program.await_port(port)
                return program, port
            except BenchError:  # somebody may have taken the port
                program.stop()
                if attempt + 1 == ATTEMPTS:
                    raise
            except BaseException:
                program.stop()
                raise

    def configure(self, directory, setup, backend, port):
        """Writes the configuration and returns the command line."""
        raise NotImplementedError

    def logs(self, directory):
        """Files that grow with each request."""
        return [os.path.join(directory, "output")]


def write(directory, name, text):
    path = os.path.join(directory, name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def first_match(argv, pattern):
    result = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    found = re.search(pattern, result.stdout)
    return found.group(1) if found else "?"


class RestGate(Peer):
    name = "restgate"

    def __init__(self, binary):
        self.command = binary

    def version(self):
        return first_match([self.command, "-version"], r"(\d\S*)")

    def configure(self, directory, setup, backend, port):
        scheme = "https" if setup.tls_backend else "http"
        lines = [f"port: {port}", f"admin_port: {free_port()}", f"workers: {setup.workers}",
                 f"access_log: {str(setup.access_log).lower()}", "observed_services:", "  - name: origin",
                 f"    service_url: {scheme}://127.0.0.1:{backend.port}"]
        if setup.tls_backend:
            lines += ["    tls:", f"      ca_file: {backend.certificate}", "      server_name: localhost"]
        lines.append("    routes:")
        lines += [f"      - {{name: {name}, methods: '{methods}', pattern: '{pattern}'}}"
                  for name, methods, pattern in self.routes(setup.routes)]
        return [self.command, "-config", write(directory, "restgate.yaml", "\n".join(lines) + "\n")]

    @staticmethod
    def routes(count):
        if count == 0:
            return [("bytes", "GET", "/bytes/{size}"), ("swallow", "POST", "/swallow"),
                    ("socket", "GET", "/ws"), ("events", "GET", "/sse")]
        if count == 1:
            return [("api", "GET", "/api/v1/{service}/{resource}/{id}")]
        return [(f"route{i}", "GET", prefix + "{id}") for i, prefix in enumerate(api_prefixes(count))]


class Nginx(Peer):
    name = "nginx"
    command = "nginx"

    def version(self):
        return first_match([self.binary(), "-v"], r"nginx/(\S+)")

    def logs(self, directory):
        return [os.path.join(directory, "access.log")]

    def configure(self, directory, setup, backend, port):
        log = f"{directory}/access.log combined buffer=64k flush=1s" if setup.access_log else "off"
        scheme = "https" if setup.tls_backend else "http"
        if setup.routes == 0:
            places = ("location /ws { proxy_set_header Connection upgrade; proxy_set_header Upgrade $http_upgrade;\n"
                      f"proxy_pass {scheme}://origin; }}\n"
                      f"location /sse {{ proxy_buffering off; proxy_pass {scheme}://origin; }}\n"
                      f"location / {{ proxy_pass {scheme}://origin; }}\n")
        else:
            prefixes = ["/api/v1/"] if setup.routes == 1 else api_prefixes(setup.routes)
            places = "".join(f"location {prefix} {{ proxy_pass {scheme}://origin; }}\n" for prefix in prefixes)
        tls = (f"proxy_ssl_trusted_certificate {backend.certificate}; proxy_ssl_verify on; proxy_ssl_name localhost;\n"
               if setup.tls_backend else "")
        user = "user root;" if os.geteuid() == 0 else ""
        temporary = "".join(f"{kind}_temp_path {directory}/{kind};\n"
                            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        text = f"""{user} daemon off; worker_processes {setup.workers};
pid {directory}/pid; error_log {directory}/error.log;
events {{ worker_connections 19000; }}
http {{
{temporary} access_log {log};
keepalive_timeout 300s; keepalive_requests 1000000000;
tcp_nodelay on; server_tokens off; client_max_body_size 0; proxy_request_buffering off;
proxy_max_temp_file_size 0; proxy_buffer_size 16k; proxy_buffers 8 32k; proxy_busy_buffers_size 64k;
upstream origin {{
server 127.0.0.1:{backend.port}; keepalive 256; keepalive_requests 1000000000; keepalive_timeout 300s;
}}
server {{
listen 127.0.0.1:{port} backlog=4096;
proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
proxy_set_header X-Forwarded-Proto $scheme; proxy_set_header X-Forwarded-Host $host;
{tls}{places}}}
}}
"""
        return [self.binary(), "-e", f"{directory}/error.log", "-c", write(directory, "nginx.conf", text)]


class Haproxy(Peer):
    name = "haproxy"
    command = "haproxy"

    def version(self):
        return first_match([self.binary(), "-v"], r"version (\S+)")

    def configure(self, directory, setup, backend, port):
        log = "log stdout format raw local0\n" if setup.access_log else ""
        tls = f" ssl verify required ca-file {backend.certificate} sni str(localhost)" if setup.tls_backend else ""
        if setup.routes > 1:
            lines = [f"{prefix} origin\n" for prefix in api_prefixes(setup.routes)]
            routes = write(directory, "routes.map", "".join(lines))
            choice = f"use_backend %[path,map_beg({routes},none)]\n"
        elif setup.routes == 1:
            choice = "use_backend origin if { path_beg /api/v1/ }\n"
        else:
            choice = "default_backend origin\n"
        # The limit of descriptors is the system's; with 10,000 idle clients not all have a connection to the origin.
        text = f"""global
maxconn 12000
no strict-limits
nbthread {setup.workers}
{log}defaults
mode http
{"log global" if log else ""}
{"option httplog" if log else ""}
timeout client 300s
timeout server 300s
timeout connect 5s
timeout tunnel 1h
timeout http-keep-alive 300s
option http-keep-alive
http-reuse always
frontend front
bind 127.0.0.1:{port} backlog 4096
option forwardfor
http-request set-header X-Forwarded-Proto http
http-request set-header X-Forwarded-Host %[req.hdr(host)]
{choice}backend origin
server origin 127.0.0.1:{backend.port}{tls}
"""
        return [self.binary(), "-db", "-f", write(directory, "haproxy.cfg", text)]


class Relay(Peer):
    """Copies bytes: the yardstick."""
    name = "relay"
    handles_http = False

    def __init__(self, tools):
        self.command = os.path.join(tools, "bench_relay")

    def start(self, directory, setup, backend):
        os.makedirs(directory, exist_ok=True)
        argv = [self.command, "--to", str(backend.port), "--workers", str(setup.workers)]
        program = Program(argv, os.path.join(directory, "output"), piped=True)
        return program, printed_port(program)


def printed_port(program):
    """The port that one of our own programs prints."""
    line = program.process.stdout.readline()
    if not line.startswith("port "):
        program.stop()
        raise BenchError(f"{program.name} did not start:\n{program.last_words()}")
    return int(line.split()[1])
