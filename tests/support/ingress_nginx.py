"""An nginx with the configuration that the controller ingress-nginx would generate from the chart's Ingresses and
deploy/ingress/nginx-values.yaml, in front of a server on loopback.

DIRECTIVES and CONTROLLER_DIRECTIVES define the translation. As in the controller, Lua selects the upstream and permits one more try
each time. The single endpoint of a Service is therefore retried, whereas nginx alone tries each server once. A file with the address of
the engine replaces the Service.
"""

import contextlib
import os
import signal
import subprocess
from pathlib import Path

import yaml

from support import settings
from support.concurrency import poll_until
from support.helm import ROOT
from support.http_client import HOST, Connection, free_port

PROGRAMS = ROOT / "build/deploy-programs"
CONTROLLER_VALUES = ROOT / "deploy/ingress/nginx-values.yaml"
PREFIX = "nginx.ingress.kubernetes.io/"

# Annotation of an Ingress: directive of its locations, and the value without the annotation (the controller's documented default).
DIRECTIVES = {
    "proxy-body-size": ("client_max_body_size {};", "1m"),
    "proxy-connect-timeout": ("proxy_connect_timeout {}s;", "5"),
    "proxy-send-timeout": ("proxy_send_timeout {}s;", "60"),
    "proxy-read-timeout": ("proxy_read_timeout {}s;", "60"),
    "proxy-buffering": ("proxy_buffering {};", "off"),
    "proxy-request-buffering": ("proxy_request_buffering {};", "on"),
    "proxy-next-upstream": ("proxy_next_upstream {};", "error timeout"),
    "proxy-next-upstream-tries": ("proxy_next_upstream_tries {};", "3"),
    "proxy-next-upstream-timeout": ("proxy_next_upstream_timeout {}s;", "0"),
}
# The upstream is the address of the Service, not those of its pods. The file of the engine holds that address.
OTHER_ANNOTATIONS = {"service-upstream": "true"}

# `controller.config` of the controller's chart: where the directive belongs, the directive, the controller's default.
CONTROLLER_DIRECTIVES = {
    "error-log-level": ("main", "error_log {folder}/error.log {};", "notice"),
    "large-client-header-buffers": ("http", "large_client_header_buffers {};", "4 8k"),
    "keep-alive": ("http", "keepalive_timeout {}s;", "75"),
    "keep-alive-requests": ("http", "keepalive_requests {};", "1000"),
    "upstream-keepalive-connections": ("upstream", "keepalive {};", "320"),
    "upstream-keepalive-timeout": ("upstream", "keepalive_timeout {}s;", "60"),
    "upstream-keepalive-requests": ("upstream", "keepalive_requests {};", "10000"),
    "worker-shutdown-timeout": ("main", "worker_shutdown_timeout {};", "240s"),
    "server-tokens": ("http", "server_tokens {};", "off"),
}
ON_OFF = {"true": "on", "false": "off"}

CONFIGURATION = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
{user}
{main}
load_module {programs}/usr/lib/nginx/modules/ndk_http_module.so;
load_module {programs}/usr/lib/nginx/modules/ngx_http_lua_module.so;
events {{
  worker_connections 4096;
}}
http {{
  log_format tries '$status $request_method $uri $upstream_status';
  access_log {folder}/access.log tries;
  client_body_temp_path {folder}/bodies;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  lua_package_path "{programs}/usr/share/lua/5.1/?.lua;;";
  {http}
  map $http_upgrade $connection_upgrade {{ default upgrade; '' ''; }}
  upstream engine {{
    server 0.0.0.1;
    balancer_by_lua_block {{
      local balancer = require "ngx.balancer"
      local file = assert(io.open("{folder}/engine"))
      local host, port = file:read("*l", "*n")
      file:close()
      balancer.set_more_tries(1)
      assert(balancer.set_current_peer(host, port))
    }}
    {upstream}
  }}
  server {{
    listen {host}:{port};
    proxy_http_version 1.1;
    proxy_set_header Host $http_host;
    proxy_set_header Connection $connection_upgrade;
    {locations}
  }}
}}
"""


def _controller_directives(place, folder):
    configured = yaml.safe_load(CONTROLLER_VALUES.read_text())["controller"]["config"]
    unknown = configured.keys() - CONTROLLER_DIRECTIVES.keys()
    assert not unknown, f"nginx-values.yaml sets what this translation does not know: {unknown}"
    values = {name: configured.get(name, default) for name, (_, _, default) in CONTROLLER_DIRECTIVES.items()}
    return " ".join(directive.format(ON_OFF.get(values[name], values[name]), folder=folder)
                    for name, (where, directive, _) in CONTROLLER_DIRECTIVES.items() if where == place)


def _directives(ingress):
    configured = {name.removeprefix(PREFIX): value for name, value in ingress["metadata"]["annotations"].items()}
    for name, value in OTHER_ANNOTATIONS.items():
        assert configured.pop(name) == value
    unknown = configured.keys() - DIRECTIVES.keys()
    assert not unknown, f"the Ingress has annotations that this translation does not know: {unknown}"
    return " ".join(directive.format(configured.get(name, default)) for name, (directive, default) in DIRECTIVES.items())


def _matches(path):
    """Returns the locations for a path of an Ingress, by its type."""
    where = path["path"].rstrip("/")
    return {"Exact": [f"= {path['path']}"], "Prefix": [f"= {where}", f"{where}/"]}[path["pathType"]]


def locations(manifests):
    return "\n    ".join(
        f"location {match} {{ {_directives(ingress)} proxy_pass http://engine; }}"
        for ingress in manifests.of("Ingress")
        for rule in ingress["spec"]["rules"]
        for path in rule["http"]["paths"]
        for match in _matches(path)
    )


class IngressNginx:
    """`port` is where clients connect."""

    def __init__(self, folder, manifests):
        self.port = free_port()
        self._folder = Path(folder)
        places = {place: _controller_directives(place, self._folder) for place in ("main", "http", "upstream")}
        configuration = self._folder / "nginx.conf"
        configuration.write_text(CONFIGURATION.format(
            folder=self._folder, programs=PROGRAMS, host=HOST, port=self.port, locations=locations(manifests),
            user="user root;" if os.geteuid() == 0 else "", **places,
        ))
        libraries = [PROGRAMS / "usr/lib/x86_64-linux-gnu", PROGRAMS / "lib/x86_64-linux-gnu"]
        self._process = subprocess.Popen(
            [PROGRAMS / "usr/sbin/nginx", "-p", self._folder, "-c", configuration, "-e", self._folder / "start.log"],
            env={**os.environ, "LD_LIBRARY_PATH": ":".join(map(str, libraries))}, stdin=subprocess.DEVNULL,
        )

    def wait_listening(self):
        try:
            poll_until(self._listens, "nginx takes connections", settings.START_SECONDS_MAX)
        except BaseException:
            self.stop()
            raise
        return self

    def set_engine(self, port, host=HOST):
        """Sets the endpoint of the Service; without a call it has none."""
        new = self._folder / "engine.new"
        new.write_text(f"{host}\n{port}")
        new.rename(self._folder / "engine")

    def requests(self):
        """Returns (status, method, path, statuses of all tries) of each request so far."""
        lines = (self._folder / "access.log").read_text().splitlines()
        return [(status, method, path, tries.split(", ")) for status, method, path, tries in (line.split(" ", 3) for line in lines)]

    def stop(self):
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(settings.STOP_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def _listens(self):
        assert self._process.poll() is None, f"nginx has ended:\n{(self._folder / 'start.log').read_text()}"
        with contextlib.suppress(ConnectionRefusedError), Connection(self.port):
            return True
        return False
