# Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Checks of the documents: no code block of a .md file may rot.

A fenced block names its language, which says how it is checked:

mlir      is parsed by mla-opt. Operations may stand alone, and so may attributes,
          one a line. The README's second block is what --canonicalize makes of
          the first.
console   is run. Lines from `$ ` on are commands, continued with a backslash; the
          lines after a command are its output, stderr included. They must be all of
          it; without any the output is not looked at. A line `...` stands for any
          lines, `...` in a line for any text: times, rates, paths. A command must
          succeed, or fail where the output given has `error:` or `CMake Error` in
          it. A document's commands run in order in one shell (`cd` and `export`
          last), in a copy of the sources where `build` is the build directory, whose
          `bin` is on the PATH too; the home directory is an empty one. NOT_RUN lists
          what isn't run; presets and the options of our tools are checked there too.
c cpp cmake python json lua toml yaml
          are excerpts of a file under test/ or runtime/, which some test builds,
          runs or reads: the same lines with the same spaces. A line `...`, or a
          comment that holds only that, stands for any lines.
text      is not checked, like indented blocks.

Any other language is a complaint, and so is none.
"""

import functools
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

from project import parse

# First words of commands that are not run, and why not.
NOT_RUN = {
    r"(sudo )?apt-get ": "installs packages",
    r"git ": "needs a network",
    r"\./dev\b": "rebuilds, or takes minutes",
    r"cmake --preset\b": "configures this project again",
    r"ninja -C build\b": "builds this project again",
    r"ctest\b": "runs the tests again",
    r"(\S*/)?mla-bench\b": "takes minutes",
    r"\S*mla-\w+ .*--device=cuda\b": "needs a GPU",
    r"(\S*/)?run-gpu-tests\b": "needs a GPU",
    r"build-\w+/": "is of another preset",
    r"nvim\b|code\b": "opens an editor",
}

# Where an excerpt may come from, by its language.
EXCERPT_FILES = {
    "c": r"\.[ch]$",
    "cpp": r"\.(cpp|h)$",
    "cmake": r"(CMakeLists\.txt|\.cmake)(\.in)?$",
    "python": r"\.py(\.in)?$",
    "json": r"\.json$",
    "lua": r"\.lua$",
    "toml": r"\.toml$",
    "yaml": r"\.ya?ml$",
}
LANGUAGES = {"mlir", "console", "text", *EXCERPT_FILES}
ELISION = re.compile(r"\s*(//|#|--)?\s*\.\.\.\s*$")


class Block:
    def __init__(self, document, number, language, text):
        self.document = document
        self.place = f"{document}:{number}"
        self.language = language
        self.text = text


def blocks(project, *languages):
    """The documents' fenced blocks, of some languages or of all."""
    fence = re.compile(r"^( *)(```+|~~~+)[ \t]*([^\n`]*)\n(.*?)(?:^ *\2[ \t]*$|\Z)", re.M | re.S)
    for document in project.documents():
        text = project.text(document)
        for found in fence.finditer(text):
            indent, _, language, code = found.groups()
            if not languages or language in languages:
                code = re.sub(rf"^{indent}", "", code, flags=re.M)
                yield Block(document, text.count("\n", 0, found.start()) + 2, language, code)


def commands(block):
    """(place, command, output) of a console block; None where no output is given.
    What comes before the first command is an output of nothing."""
    number = int(block.place.rsplit(":", 1)[1])
    found = []
    lines = iter(block.text.splitlines())
    for line in lines:
        number += 1
        if not line.startswith("$ "):
            if not found:
                found.append([f"{block.document}:{number - 1}", "", []])
            found[-1][2].append(line)
            continue
        place, command = f"{block.document}:{number - 1}", line[2:]
        while command.endswith("\\"):
            number += 1
            command += "\n" + next(lines, "")
        found.append([place, command, []])
    return [(place, command, output or None) for place, command, output in found]


def not_run(command):
    """Whether some part of the command line is one of those that aren't run."""
    return any(re.match(rf"(\w+=\S* )*({pattern})", part.strip())
               for part in re.split(r"&&|\|\||[|;]", command) for pattern in NOT_RUN)


#===--- Checks -----------------------------------------------------------------===#


def doc_links(project):
    """Relative links of the documents lead somewhere."""
    for document in project.documents():
        for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", project.text(document)):
            if not ((project.root / document).parent / target).exists():
                yield f"{document}: expected a file at the link {target}, found none"


def doc_languages(project):
    """Every fenced block has a language that some check handles."""
    for block in blocks(project):
        if block.language not in LANGUAGES:
            yield (f"{block.place}: expected a block in one of {', '.join(sorted(LANGUAGES))}, "
                   f"got '{block.language}'")


def doc_mlir(project):
    """Every ```mlir block of a document is valid."""
    found = list(blocks(project, "mlir"))
    if not found:
        yield "expected ```mlir blocks in the documents, found none"
    for block in found:
        yield from parse(project, block.place, block.text)


def readme_example(project):
    """The README's second block is what canonicalization makes of the first."""
    found = [block.text for block in blocks(project, "mlir") if block.document == "README.md"]
    if len(found) != 2:
        yield f"README.md: expected IR before and after, got {len(found)} blocks"
        return
    got = project.mla_opt(found[0], "--canonicalize").stdout
    expected = project.mla_opt(found[1]).stdout
    if got != expected or not got:
        yield f"README.md: expected the second block to be what --canonicalize makes:\n{got}"


def doc_excerpts(project):
    """Every block in another language is an excerpt of a file that is tested."""
    sources = [name for name in project.files() if re.match("test/|runtime/", name)]
    for block in blocks(project, *EXCERPT_FILES):
        names = [name for name in sources if re.search(EXCERPT_FILES[block.language], name)]
        if not any(is_excerpt(block.text, project.text(name)) for name in names):
            yield (f"{block.place}: expected lines of a {block.language} file under test/ or "
                   f"runtime/, found them in none of {len(names)}")


def is_excerpt(text, source):
    """Whether the runs of lines between elisions are in the source, in this order."""
    runs = [[]]
    for line in text.splitlines():
        if ELISION.match(line):
            runs.append([])
        else:
            runs[-1].append(line)
    lines = source.splitlines()
    at = 0
    for run in filter(None, runs):
        starts = range(at, len(lines) - len(run) + 1)
        at = next((i + len(run) for i in starts if lines[i:i + len(run)] == run), None)
        if at is None:
            return False
    return any("".join(run).strip() for run in runs)


def doc_console(project):
    """Every command of a ```console block exists, and knows its long options."""
    found = list(blocks(project, "console"))
    if not found:
        yield "expected ```console blocks in the documents, found none"
    presets = {preset["name"] for preset in
               json.loads(project.text("CMakePresets.json"))["configurePresets"]}
    help_texts = {}
    for place, line, _ in (command for block in found for command in commands(block)):
        for command in re.split(r"&&|\|", line.replace("\\\n", " ")):
            words = [word for word in command.split() if not re.match(r"\w+=", word)]
            tool = pathlib.Path(words[0]).name if words else ""
            for preset in re.findall(r"--preset[= ](\S+)", command):
                if preset not in presets:
                    yield f"{place}: --preset {preset}: expected one of {sorted(presets)}"
            if not tool.startswith("mla-"):
                continue
            if tool not in help_texts:
                if not (project.bin / tool).exists():
                    yield f"{place}: {tool}: expected a tool of the project"
                    continue
                help_texts[tool] = subprocess.run(
                    [project.bin / tool, "--help"], capture_output=True, text=True).stdout
            for option in re.findall(r"(?<!\S)--([\w-]+)", command):
                if not re.search(rf"(?<![\w-])--?{option}(?![\w-])", help_texts[tool]):
                    yield f"{place}: {tool} --{option}: expected an option that --help lists"


def doc_run(project):
    """Every command of a ```console block does what the document says."""
    documents = {}
    for block in blocks(project, "console"):
        documents.setdefault(block.document, []).extend(commands(block))
    for document, found in documents.items():
        for place, command, output in found:
            if not command:
                yield f"{place}: expected a command '$ ...' before its output, got: {output[0]}"
        found = [one for one in found if one[1] and not not_run(one[1])]
        if found:
            with tempfile.TemporaryDirectory() as folder:
                yield from run_commands(project, found, pathlib.Path(folder))


def run_commands(project, found, folder):
    """Runs (place, command, output) in one shell, in a copy of the sources."""
    checkout, results, home = folder / "checkout", folder / "results", folder / "home"
    results.mkdir()
    home.mkdir()
    for name in project.files():
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(project.root / name, checkout / name)
    (checkout / "build").symlink_to(project.bin.parent.resolve())
    (folder / "bin").mkdir()
    (folder / "bin/python3").symlink_to(python_with_numpy())

    script = "".join(f"{{\n{command}\n}} >{results}/{i}.output 2>&1 </dev/null; "
                     f"echo $? >{results}/{i}.status\n"
                     for i, (_, command, _) in enumerate(found))
    environment = dict(os.environ, OMP_NUM_THREADS="1", HOME=str(home), PATH=os.pathsep.join(
        [str(folder / "bin"), str(project.bin), os.environ["PATH"]]))
    for name in ("MLA_TRACE", "SKIP_ROPE_IN_MLA_GENERATION"):
        environment.pop(name, None)
    subprocess.run(["bash", "-o", "pipefail", "-c", script], cwd=checkout, env=environment)

    for i, (place, command, expected) in enumerate(found):
        command = re.sub(r"\s*\\\n\s*", " ", command)
        status = results / f"{i}.status"
        if not status.exists():
            yield f"{place}: {command}: expected it to return, got the end of the shell"
            return
        got = (results / f"{i}.output").read_text(errors="replace")
        should_fail = any(re.search("error:|^CMake Error", line) for line in expected or [])
        if (status.read_text().strip() != "0") != should_fail:
            yield (f"{place}: {command}: expected {'an error' if should_fail else 'success'}, "
                   f"got exit status {status.read_text().strip()}:\n{shorten(got)}")
        elif expected and not is_output(expected, got):
            yield f"{place}: {command}: expected the output given, got:\n{shorten(got)}"


def is_output(expected, got):
    pattern = "".join(r"(?:.*\n)*?" if line.strip() == "..." else
                      re.escape(line.rstrip()).replace(r"\.\.\.", ".*") + "\n"
                      for line in expected)
    return re.fullmatch(pattern, "".join(line.rstrip() + "\n" for line in got.splitlines()))


def shorten(text, limit=60):
    lines = text.splitlines()
    return "\n".join(lines if len(lines) <= limit else
                     lines[:limit] + [f"... and {len(lines) - limit} lines"])


@functools.lru_cache
def python_with_numpy():
    """The interpreter that examples get: one that has numpy, where there is one."""
    candidates = [sys.executable, shutil.which("python3"), "/usr/bin/python3"]
    for python in filter(None, candidates):
        if shutil.which(python) and subprocess.run([python, "-c", "import numpy"],
                                                   capture_output=True).returncode == 0:
            return python
    return sys.executable


CHECKS = (doc_links, doc_languages, doc_mlir, readme_example, doc_excerpts, doc_console, doc_run)
