"""A browser without a window, driven over the DevTools protocol. Needs chromium and python3-websockets."""

import asyncio
import base64
import itertools
import json
import os
import shutil
import subprocess
import tempfile
import threading
import urllib.request

import websockets

from support import PATIENCE, eventually


def chromium():
    """The program, or None."""
    return os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")


class Browser:
    """One chromium with a profile of its own, which goes with it."""

    def __init__(self):
        self.profile = tempfile.TemporaryDirectory(prefix="restgate-browser-", ignore_cleanup_errors=True)
        arguments = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                     "--disable-background-networking", "--disable-component-update", "--hide-scrollbars",
                     "--remote-debugging-port=0", f"--user-data-dir={self.profile.name}", "about:blank"]
        self.process = subprocess.Popen([chromium(), *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.port = eventually(self._port, "the browser to start", 3 * PATIENCE)
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.tabs = []

    def _port(self):
        assert self.process.poll() is None, "the browser ended"
        try:
            with open(os.path.join(self.profile.name, "DevToolsActivePort"), encoding="ascii") as file:
                return int(file.readline())
        except (FileNotFoundError, ValueError):
            return None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for tab in self.tabs:
            tab.close()
        self.process.terminate()
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(PATIENCE)
        self.loop.close()
        self.profile.cleanup()

    def tab(self):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/json/new?about:blank", method="PUT")
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            self.tabs.append(Tab(self.loop, json.load(answer)["webSocketDebuggerUrl"]))
        return self.tabs[-1]


class Tab:
    """One page. What it complains of is collected: scripts that fail, what its security policy has blocked."""

    def __init__(self, loop, url):
        self.loop, self.numbers, self.waiting, self.complaints = loop, itertools.count(1), {}, []
        self.socket = self._run(self._connect(url))
        self.listening = asyncio.run_coroutine_threadsafe(self._listen(), loop)
        for domain in ("Page", "Runtime", "Log"):
            self.call(domain + ".enable")

    def close(self):
        self._run(self.socket.close())
        self.listening.result(PATIENCE)

    @staticmethod
    async def _connect(url):
        return await websockets.connect(url, max_size=None)

    def _run(self, awaitable):
        async def wait():
            return await asyncio.wait_for(awaitable, 3 * PATIENCE)

        return asyncio.run_coroutine_threadsafe(wait(), self.loop).result()

    async def _listen(self):
        # Ends without a word when the connection does.
        async for text in self.socket:
            message = json.loads(text)
            if "id" in message:
                self.waiting.pop(message["id"]).set_result(message)
            elif message["method"] == "Runtime.exceptionThrown":
                self.complaints.append(message["params"]["exceptionDetails"].get("exception", {}).get("description"))
            elif message["method"] == "Log.entryAdded" and message["params"]["entry"]["level"] == "error":
                self.complaints.append(message["params"]["entry"]["text"])

    def call(self, method, **parameters):
        async def ask():
            number = next(self.numbers)
            answer = self.waiting[number] = self.loop.create_future()
            await self.socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
            return await answer

        answer = self._run(ask())
        if "error" in answer:
            raise AssertionError(f"{method}: {answer['error']}")
        return answer["result"]

    def size(self, width, height, scale=1):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale,
                  mobile=width < 600)

    def scheme(self, name):
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": name}])

    def open(self, url):
        self.call("Page.navigate", url=url)

    def evaluate(self, script):
        """The value of an expression; of a promise what comes of it."""
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise AssertionError(f"{script}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def until(self, script, what=None):
        return eventually(lambda: self.evaluate(script), what or script)

    def key(self, key, code=None):
        for kind in ("keyDown", "keyUp"):
            text = {"text": "\r"} if key == "Enter" and kind == "keyDown" else {}
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=code or key,
                      windowsVirtualKeyCode={"Enter": 13, "Tab": 9}.get(key, 0), **text)

    def type(self, text):
        self.call("Input.insertText", text=text)

    def screenshot(self, path, whole=True):
        picture = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(picture))
