#!/usr/bin/env python3
"""Draws the picture of the page that the README shows: a gateway under traffic that goes up and down, with a reload and a
crash. Then make it small: pngquant 64 --force --strip -o deploy/page.png OUT.png.

  RESTGATE_BINARY=bin/restgate tests/page/picture.py OUT.png [SECONDS] [WIDTH] [light|dark]
"""

import contextlib
import http.client
import math
import os
import random
import signal
import sys
import threading
import time

from browser import Browser
from support import Gateway, Origin, config, eventually


def wave(gateway, paths, pause, swing, period, stopping):
    """A client that asks for these paths again and again, faster and slower."""
    connection = None
    while not stopping.is_set():
        try:
            connection = connection or http.client.HTTPConnection("127.0.0.1", gateway.port)
            for path in paths:
                connection.request("GET", path)
                connection.getresponse().read()
        except (OSError, http.client.HTTPException):
            connection = None
        stopping.wait(max(0.002, pause + swing * math.sin(time.time() / period * 2 * math.pi) + random.random() * pause / 2))


def main(target, seconds=300, width=1280, scheme="light"):
    origin, nobody = Origin(), Origin()
    nobody.close()
    services = {
        "shop": (origin.url, {"goods": "/goods/{path...}", "cart": "/cart/{id}", "checkout": "/broken", "stock": "/stock/{sku:[a-z0-9]+}"}),
        "accounts": (origin.url + "/base", {"account": "/account/{id:[0-9]+}", "login": "/login", "avatar": "/avatar/missing"}),
        "search": (nobody.url, {"search": "/search", "suggest": "/suggest"}),
    }
    clients = [
        (["/goods/a", "/goods/b", "/cart/1"], 0.02, 0.012, 60),
        (["/account/12", "/login", "/goods/c"], 0.03, 0.02, 90),
        (["/avatar/missing", "/stock/a1"], 0.09, 0.05, 45),
        (["/broken"], 0.8, 0.4, 50),
        (["/search"], 1.5, 0.5, 40),
    ]
    stopping = threading.Event()
    with Gateway(config(services)) as gateway, Browser() as browser, contextlib.ExitStack() as cleanup:
        cleanup.callback(stopping.set)
        for client in clients:
            threading.Thread(target=wave, args=(gateway, *client, stopping), daemon=True).start()
        tab = browser.tab()
        tab.size(int(width), 1000)
        tab.scheme(scheme)
        tab.open(f"http://127.0.0.1:{gateway.admin_port}/")
        time.sleep(0.4 * float(seconds))
        gateway.reload(config(services, workers=3))
        time.sleep(0.35 * float(seconds))
        os.kill(gateway.status()["workers"][0]["pid"], signal.SIGSEGV)
        time.sleep(0.25 * float(seconds))
        eventually(lambda: tab.evaluate("document.querySelector('#state').textContent === 'serving'"), "a page")
        tab.screenshot(target, whole=False)
    origin.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
