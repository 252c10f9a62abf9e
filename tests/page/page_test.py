"""The page in a browser, while the gateway works. Needs RESTGATE_BINARY, chromium and python3-websockets."""

import os
import signal
import sys
import tempfile
import unittest

try:
    from browser import Browser, chromium
except ImportError:
    print("skipped: python3-websockets is not installed")
    sys.exit(77)
if not chromium():
    print("skipped: chromium is not installed")
    sys.exit(77)

from support import Gateway, Origin, Traffic, config, eventually

# What the reader sees of a table: the first cell of each row.
FIRST_CELLS = "[...document.querySelectorAll('#{} tbody tr')].map(row => row.cells[0].textContent)"
TILE = "[...document.querySelectorAll('#tiles div')].find(box => box.firstChild.textContent === '{}').lastChild.textContent"
COLUMN = "[...document.querySelectorAll('#{} th')].findIndex(head => head.textContent === '{}')"


def head(section, title):
    return f"[...document.querySelectorAll('#{section} th button')].find(each => each.textContent === '{title}')"


class Page(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.browser = cls.enterClassContext(Browser())

    def setUp(self):
        self.origin = Origin()
        self.addCleanup(self.origin.close)
        self.services = {
            "shop": (self.origin.url, {"goods": "/goods/{path...}", "cart": "/cart/{id}", "lost": "/lost/missing"}),
            "accounts": (self.origin.url, {"account": "/account/{id:[0-9]+}"}),
        }

    def open(self, gateway, fragment=""):
        tab = self.browser.tab()
        tab.size(1280, 900)
        tab.open(f"http://127.0.0.1:{gateway.admin_port}/{fragment}")
        return tab

    def watch(self, gateway, fragment=""):
        """A tab that shows a living gateway."""
        tab = self.open(gateway, fragment)
        tab.until("document.querySelector('#state')?.textContent === 'serving'")
        return tab

    def expect_calm(self, tab):
        self.assertEqual(tab.complaints, [])

    def test_numbers_move_and_tables_obey(self):
        paths = ["/goods/a"] * 6 + ["/cart/1"] * 2 + ["/account/7", "/lost/missing"]
        with Gateway(config(self.services)) as gateway, Traffic(gateway.port, paths) as traffic:
            tab = self.watch(gateway)
            first = tab.until(f"parseFloat({TILE.format('Requests')}.replace(/,/g, ''))")
            tab.until(f"parseFloat({TILE.format('Requests')}.replace(/,/g, '')) > {first} + 20", "the sum to grow")
            tab.until(f"{TILE.format('Requests/s')} !== '0'", "a rate")
            tab.until(f"{TILE.format('p99')}.endsWith('ms') || {TILE.format('p99')}.endsWith('s')", "a latency")
            tab.until("Chart.getChart('chart-rate').data.datasets[0].data.length >= 2", "points in the chart")
            # The busiest route first; then by name, both ways; with keys alone.
            tab.until(f"{FIRST_CELLS.format('routes')}[0] === 'goods'", "the busiest route first")
            tab.evaluate(f"{head('routes', 'Route')}.focus()")
            tab.key("Enter")
            names = ["account", "cart", "goods", "lost", "unmatched"]
            self.assertEqual(tab.evaluate(FIRST_CELLS.format("routes")), names)
            self.assertEqual(tab.evaluate(f"{head('routes', 'Route')}.parentElement.ariaSort"), "ascending")
            tab.key("Enter")
            self.assertEqual(tab.evaluate(FIRST_CELLS.format("routes")), names[::-1])
            self.assertEqual(tab.evaluate("document.querySelectorAll('#routes [aria-sort]').length"), 1)
            # Search looks at names, services and patterns.
            tab.evaluate("document.querySelector('#routes input').focus()")
            tab.type("SHOP {id}")
            self.assertEqual(tab.evaluate(FIRST_CELLS.format("routes")), ["cart"])
            tab.evaluate("document.querySelector('#services input').focus()")
            tab.type("acc")
            self.assertEqual(tab.evaluate(FIRST_CELLS.format("services")), ["accounts"])
            self.assertEqual(traffic.failures, [])
            self.expect_calm(tab)
            gateway.stop()

    def test_reloads_good_and_bad(self):
        text = config(self.services)
        with Gateway(text) as gateway, Traffic(gateway.port, ["/goods/a"]) as traffic:
            tab = self.watch(gateway)
            more = dict(self.services, news=(self.origin.url, {"news": "/news"}))
            self.assertTrue(gateway.reload(config(more, workers=3)))
            tab.until(f"{FIRST_CELLS.format('routes')}.includes('news')", "the new route")
            tab.until("document.querySelectorAll('#workers tbody tr').length === 3", "three workers")
            tab.until("document.querySelector('#events').textContent.includes('resize')", "the event")
            tab.until("!document.querySelector('#mark').hidden", "the mark")
            tab.until("Chart.getChart('chart-rate').data.datasets.at(-1).data.length === 3", "the marks in the chart")
            self.assertTrue(tab.evaluate("document.querySelector('#reload').hidden"))

            bad = text.replace('"/cart/{id}"', '"/cart/{id"')
            line = next(number for number, each in enumerate(bad.splitlines(), 1) if "/cart/{id" in each)
            self.assertFalse(gateway.reload(bad))
            place = f"{gateway.path}:{line}:"
            tab.until(f"document.querySelector('#diagnostics').textContent.includes('{place}')", "the diagnostics")
            self.assertIn("generation 2 serves on", tab.evaluate("document.querySelector('#reload').textContent"))
            self.assertFalse(tab.evaluate("document.querySelector('#reload').hidden"))

            self.assertTrue(gateway.reload(text))
            tab.until("document.querySelector('#reload').hidden", "the end of the diagnostics")
            tab.until(f"{TILE.format('Requests/s')} !== '0'", "a rate")
            self.assertEqual(traffic.failures, [])
            self.expect_calm(tab)
            gateway.stop()

    def test_a_crash_and_a_page_that_is_opened_late(self):
        with Gateway(config(self.services)) as gateway, Traffic(gateway.port, ["/goods/a"]):
            os.kill(gateway.status()["workers"][0]["pid"], signal.SIGKILL)
            eventually(lambda: gateway.status()["crashes"], "the crash")
            early = self.watch(gateway)
            early.until("Chart.getChart('chart-rate').data.datasets[0].data.length >= 2", "history")
            points = early.evaluate("Chart.getChart('chart-rate').data.datasets[0].data")
            late = self.watch(gateway)
            late.until("Chart.getChart('chart-rate').data.datasets[0].data.length >= 2", "the past")
            past = late.evaluate("Chart.getChart('chart-rate').data.datasets[0].data")
            self.assertEqual(past[: len(points)], points)
            late.until("document.querySelector('#crashes').textContent.includes('SIGKILL')", "the crash")
            late.until("document.querySelector('#events').textContent.includes('crash')", "the event")
            self.expect_calm(late)
            gateway.stop()

    def test_it_comes_back_to_a_gateway_that_was_away(self):
        text = config(self.services)
        with Gateway(text) as gateway:
            tab = self.watch(gateway)
            port = gateway.admin_port
            gateway.stop()
            tab.until("document.querySelector('#state').textContent === 'disconnected'")
        with Gateway(config(self.services, admin_port=port)) as gateway:
            tab.until("document.querySelector('#state').textContent === 'serving'")
            tab.until(f"document.querySelector('#workers').textContent.includes('{gateway.status()['workers'][0]['pid']}')")
            gateway.stop()

    def test_it_asks_for_the_token_or_takes_it_from_the_address(self):
        with tempfile.NamedTemporaryFile("w") as file:
            file.write("correct-horse-battery\n")
            file.flush()
            with Gateway(config(self.services, admin_token_file=file.name)) as gateway:
                tab = self.open(gateway)
                tab.until("document.querySelector('#login')?.hidden === false", "the form")
                self.assertTrue(tab.evaluate("document.querySelector('#content').hidden"))
                for token, shown in (("wrong", "#login-error:not(:empty)"), ("correct-horse-battery", "#content:not([hidden])")):
                    tab.until("document.activeElement?.id === 'token'", "the focus")
                    tab.type(token)
                    tab.key("Enter")
                    tab.until(f"document.querySelector('{shown}') !== null", shown)
                tab.until("document.querySelector('#state').textContent === 'serving'")
                other = self.watch(gateway, "#token=correct-horse-battery")
                self.assertNotIn("horse", other.evaluate("location.href"))
                self.expect_calm(other)
                gateway.stop()

    def test_phone_width_and_both_schemes(self):
        with Gateway(config(self.services)) as gateway, Traffic(gateway.port, ["/goods/a"]):
            tab = self.watch(gateway)
            colours = set()
            for width in (390, 768, 1280):
                for scheme in ("light", "dark"):
                    tab.size(width, 800)
                    tab.scheme(scheme)
                    tab.until("Chart.getChart('chart-rate').width > 100", "a chart")
                    tab.until(f"document.documentElement.scrollWidth <= {width}", f"all of it at {width} pixels")
                    colours.add(tab.evaluate("getComputedStyle(document.body).backgroundColor"))
            self.assertEqual(len(colours), 2)
            # Whatever can be used has a name.
            unnamed = "[...document.querySelectorAll('button, input')].filter(each => !(each.textContent || each.ariaLabel || each.labels?.[0]?.textContent)).length"
            self.assertEqual(tab.evaluate(unnamed), 0)
            self.expect_calm(tab)
            gateway.stop()

    def test_thousands_of_routes(self):
        services = {
            f"service-{s}": (self.origin.url, {f"route-{s}-{r}": f"/s{s}/r{r}/{{id}}" for r in range(100)}) for s in range(50)
        }
        with Gateway(config(services)) as gateway, Traffic(gateway.port, ["/s7/r9/1"]):
            tab = self.watch(gateway)
            rows = "document.querySelectorAll('#routes tbody tr').length"
            tab.until(f"{rows} === 50", "the first rows")
            tab.until(f"{FIRST_CELLS.format('routes')}[0] === 'route-7-9'", "the only busy route first")
            self.assertEqual(tab.evaluate("document.querySelector('#routes .count').textContent"), "5,001")
            tab.evaluate("document.querySelector('#routes .more').click()")
            self.assertEqual(tab.evaluate(rows), 150)
            tab.evaluate("document.querySelector('#routes input').focus()")
            tab.type("route-49-99")
            self.assertEqual(tab.evaluate(FIRST_CELLS.format("routes")), ["route-49-99"])
            self.assertEqual(tab.evaluate("document.querySelectorAll('#services tbody tr').length"), 20)
            self.expect_calm(tab)
            gateway.stop()

    def test_nothing_that_gets_in_runs(self):
        with Gateway(config(self.services)) as gateway:
            tab = self.watch(gateway)
            self.assertIsNone(tab.evaluate(
                "(() => { const s = document.createElement('script'); try { s.text = 'window.ran = 1'; document.body.append(s); }"
                " catch { } return window.ran ?? null; })()"))
            code, fields, _ = gateway.ask("/")
            self.assertEqual(code, 200)
            policy = fields["Content-Security-Policy"]
            self.assertTrue(policy.startswith("default-src 'none'; script-src 'sha256-"), policy)
            self.assertNotIn("unsafe", policy)
            gateway.stop()


if __name__ == "__main__":
    unittest.main(verbosity=2)
