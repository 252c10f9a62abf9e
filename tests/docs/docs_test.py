#!/usr/bin/env python3
"""The documentation is true: README's commands work, links lead somewhere, every reason code is explained.

    docs_test.py [CLASS...]
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

import readme
from readme import SOURCE
from sandbox import Sandbox

README = (SOURCE / "README.md").read_text()
BINARY = os.environ.get("RESTGATE_BINARY", str(SOURCE / "bin/restgate"))


def make_target(command):
    """The target of `make TARGET [VARIABLE=...]`, or None."""
    words = command.split()
    return words[1] if words[0] == "make" and len(words) > 1 else None


class Readme(unittest.TestCase):
    """Every command of README.md is run, unless a comment before its block says why not."""

    def setUp(self):
        if shutil.which("curl") is None:
            self.skipTest("curl is not there")
        self.sandbox = Sandbox(BINARY)
        self.addCleanup(self.sandbox.close)
        self.blocks = readme.blocks(README)
        self.outputs = []

    def execute(self, command):
        """As a person would: what serves goes to the background, what never ends is looked at."""
        if target := make_target(command):
            # It would build in the midst of a test. CI itself runs `make build` and `make test`.
            self.assertIn(target, make_targets(), command)
            if target == "run":
                self.assertIn("bin/restgate demo", recipe("run"))
                self.sandbox.serve("bin/restgate demo -port 0 -admin-port 0")
        elif re.match(r"(bin/)?restgate -config ", command):
            self.sandbox.serve(command)
        elif "curl -N " in command:
            self.assertNotEqual(self.sandbox.first_line(command.replace("curl", "curl -s")), "", command)
        else:
            code, out, err = self.sandbox.run(re.sub(r"\bcurl\b", "curl -sS --fail-with-body", command))
            self.assertEqual(code, 0, f"{command}\n{out}{err}")
            self.assertNotEqual(out, "", command)
            self.outputs.append(out)

    def execute_section(self, heading):
        for block in readme.sections(self.blocks, README)[heading]:
            if block.language == "sh" and not block.not_run:
                for command in block.commands():
                    self.execute(command)

    def configurations(self):
        """The first is whole; each other one shows keys that may be added to it."""
        return [block.text for block in self.blocks if block.language == "yaml"]

    def configure(self):
        yaml = self.configurations()[0]
        self.sandbox.write_config(yaml)
        return yaml

    # One test a section; what no test names is found by the one after them.
    def test_try_it(self):
        self.execute_section("Try it")

    def test_your_own_configuration(self):
        self.configure()
        self.execute_section("Your own configuration")
        self.assertIn("/base/account/42", self.outputs, "what the service was asked")

    def test_reloading(self):
        self.configure()
        self.sandbox.serve("bin/restgate -config restgate.yaml")
        self.execute_section("Reloading")

    def test_no_block_is_left_out(self):
        tested = {"Try it", "Your own configuration", "Reloading"}
        for heading, found in readme.sections(self.blocks, README).items():
            for block in found:
                where = f"README.md:{block.line}"
                self.assertIn(block.language, ("sh", "yaml", ""), where)
                if block.language != "sh":
                    self.assertEqual(block.not_run, "", f"{where}: only commands can be left out")
                elif block.not_run:
                    self.assertGreater(len(block.not_run.split()), 3, f"{where}: why is it not run?")
                else:
                    self.assertIn(heading, tested, f"{where}: these commands are neither run nor marked")

    def test_keys_that_are_shown_are_taken(self):
        first, *more = self.configurations()
        for keys in more:
            self.sandbox.write_config(first + keys)
            code, _, err = self.sandbox.run("bin/restgate -t -config restgate.yaml")
            self.assertEqual(code, 0, keys + err)

    def test_a_mistake_is_told_as_it_says(self):
        yaml = self.configure()
        with open(os.path.join(self.sandbox.directory, "restgate.yaml"), "w", encoding="utf-8") as file:
            file.write(yaml.replace("pattern: /account/{id}\n", "patern: /account/{id}\n", 1))
        code, _, err = self.sandbox.run("bin/restgate -t -config restgate.yaml")
        self.assertEqual(code, 1)
        told, = [block.text for block in self.blocks if block.language == ""]
        # Of the same mistake there is more to say: the key that is missing now.
        self.assertTrue(err.startswith(told), f"README says\n{told}and it said\n{err}")


class Reader(unittest.TestCase):
    """The reader of blocks sees what it has to: else nothing would be run, and nobody told."""

    TEXT = "# A\n```sh\none   # why\ntwo#3\n\n```\n## B\n<!-- not run: because of this -->\n```sh\nthree\n```\n```\nx\n```\n"

    def test_blocks(self):
        found = readme.blocks(self.TEXT)
        self.assertEqual([block.language for block in found], ["sh", "sh", ""])
        self.assertEqual(found[0].commands(), ["one", "two#3"])
        self.assertEqual([block.not_run for block in found], ["", "because of this", ""])
        self.assertEqual({name: len(blocks) for name, blocks in readme.sections(found, self.TEXT).items()},
                         {"A": 1, "B": 2})

    def test_readme_has_commands(self):
        run = [command for block in readme.blocks(README) if block.language == "sh" and not block.not_run
               for command in block.commands()]
        self.assertGreaterEqual(len(run), 10, run)


class Links(unittest.TestCase):
    """Links within the tree lead to files and headings that there are."""

    def test_links(self):
        pages = [pathlib.Path(name) for name in tracked("*.md")]
        self.assertGreater(len(pages), 5)
        for page in pages:
            text = re.sub(r"```.*?```", "", (SOURCE / page).read_text(), flags=re.DOTALL)
            for target in re.findall(r"\]\(([^)\s]+)\)", text):
                if re.match(r"[a-z]+:", target):
                    continue
                path, _, anchor = target.partition("#")
                file = (SOURCE / page.parent / path) if path else SOURCE / page
                self.assertTrue(file.exists(), f"{page}: {target}")
                if anchor:
                    self.assertIn(anchor, anchors(file.read_text()), f"{page}: {target}")


class Reasons(unittest.TestCase):
    """The operations guide explains each reason code, with its status, and no other."""

    def test_every_reason_is_explained(self):
        header = (SOURCE / "common/reason.h").read_text()
        known = {code: status for code, status in re.findall(r'\{Reason::\w+, "(\w+)", (\d+),', header)}
        self.assertGreater(len(known), 30)
        guide = (SOURCE / "deploy/operations.md").read_text()
        table = guide[guide.index("<!-- reasons:begin -->"):guide.index("<!-- reasons:end -->")]
        told = {}
        for line in table.splitlines():
            if not line.startswith("| `"):
                continue
            code, status, cause, advice = [cell.strip() for cell in line.strip("|").split(" |")][:4]
            told[code.strip("`")] = status
            self.assertGreater(len(cause), 15, line)
            self.assertTrue(len(advice) > 15 or "Reserved" in cause, line)
        self.assertEqual(told, known)

    def test_metrics_that_are_named_exist(self):
        sources = "".join(file.read_text() for file in (SOURCE / "master").rglob("*.cc"))
        for page in tracked("*.md"):
            for metric in set(re.findall(r"\brestgate_[a-z_]+[a-z]\b(?=[{`])", (SOURCE / page).read_text())):
                self.assertIn(f'"{metric}"', sources, page)


class Numbers(unittest.TestCase):
    """What README says of others is what was measured last."""

    ROWS = {"GET, 128 B": "small", "GET, 16 KiB": "16k", "GET, 1 MiB": "1m", "POST, 64 KiB": "post", "GET on a new connection": "connect",
            "GET, 16 pipelined": "pipeline", "WebSocket, 128 B there and back": "websocket",
            "KiB for an idle connection": "idle"}

    def test_comparison(self):
        measured = table((SOURCE / "tests/bench/README.md").read_text(), key=lambda cell: cell.partition(":")[0])
        told = table(README, key=lambda cell: cell)
        for row, scenario in self.ROWS.items():
            for ours, theirs in zip(told[row], measured[scenario][:3], strict=True):
                ours = ours.strip("*")
                digits = len(ours.partition(".")[2])
                self.assertEqual(ours, f"{float(theirs):.{digits}f}", row)

    def test_reloads(self):
        lost = table((SOURCE / "ARCHITECTURE.md").read_text(), key=lambda cell: cell)
        told = [cell.strip("*").partition(";")[0] for cell in table(README, key=lambda cell: cell)[
            "requests lost in 12 reloads"]]
        self.assertEqual(told, [lost[program][6].strip("*")
                                for program in ("restgate", "nginx 1.22.1", "haproxy 2.6.12")])


def table(text, key):
    """The rows of all tables: key of the first cell → the others."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")]
    return {key(row[0]): row[1:] for row in rows}


def tracked(pattern):
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", pattern], cwd=SOURCE,
                            capture_output=True, text=True, check=False).stdout.split()
    return listed or [str(file.relative_to(SOURCE)) for file in SOURCE.rglob(pattern) if "build" not in file.parts]


def anchors(text):
    """As the common renderers of Markdown make them of headings."""
    text = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    headings = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def make_targets():
    return set(re.findall(r"^([a-z-]+):", (SOURCE / "Makefile").read_text(), flags=re.MULTILINE))


def recipe(target):
    return re.search(rf"^{target}:.*\n((?:\t.*\n)+)", (SOURCE / "Makefile").read_text(), flags=re.MULTILINE)[1]


if __name__ == "__main__":
    result = unittest.main(argv=[pathlib.Path(__file__).name, "-v", *sys.argv[1:]], exit=False).result
    if not result.wasSuccessful() or result.testsRun == 0:
        sys.exit(1)
    sys.exit(77 if len(result.skipped) == result.testsRun else 0)
