"""README.md as a test reads it: its blocks of commands and of configuration."""
import dataclasses
import pathlib
import re

SOURCE = pathlib.Path(__file__).resolve().parents[2]


@dataclasses.dataclass
class Block:
    language: str
    line: int  # of its first line of content, from 1
    text: str
    not_run: str  # why; "": it is run

    def commands(self):
        """Without the comments behind them, which two blanks or one keep off."""
        lines = [re.sub(r"(^|\s)#.*$", "", line).rstrip() for line in self.text.splitlines()]
        return [line for line in lines if line]


def blocks(text):
    """All fenced blocks. A comment `<!-- not run: why -->` right before one says that its commands are not run."""
    found = []
    lines = text.splitlines()
    at = 0
    while at < len(lines):
        fence = re.fullmatch(r"```(\w*)", lines[at])
        if fence is None:
            at += 1
            continue
        mark = re.fullmatch(r"<!-- not run: (.+) -->", lines[at - 1]) if at > 0 else None
        end = lines.index("```", at + 1)
        found.append(Block(fence[1], at + 2, "\n".join(lines[at + 1:end]) + "\n", mark[1] if mark else ""))
        at = end + 1
    return found


def sections(found, text):
    """Blocks by the heading that they stand under."""
    inside = {number for block in found for number in range(block.line, block.line + block.text.count("\n"))}
    headings = [(number, line.lstrip("# ")) for number, line in enumerate(text.splitlines(), 1)
                if re.match(r"#+ ", line) and number not in inside]
    by_heading = {}
    for block in found:
        name = [heading for number, heading in headings if number < block.line][-1]
        by_heading.setdefault(name, []).append(block)
    return by_heading
