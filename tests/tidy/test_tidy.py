# SPDX-License-Identifier: Apache-2.0
"""House rules that a program can check. Each rule names the offending place."""

import concurrent.futures
import os
import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


def tracked(*patterns):
    output = subprocess.run(["git", "-C", str(ROOT), "ls-files", "-co", "--exclude-standard",
                             *patterns], check=True, capture_output=True, text=True).stdout
    return [ROOT / line for line in output.splitlines() if (ROOT / line).is_file()]


CPP = tracked("*.cpp", "*.h")
PRODUCT = [path for path in CPP if path.relative_to(ROOT).parts[0] != "tests"]

# Folder -> folders that it may include from (besides itself). The arrows of docs/architecture.md.
ARROWS = {
    "dataplane/net": [],
    "dataplane/lb": ["dataplane/net"],
    "vrrp": ["dataplane/net"],
    "dataplane/dpdk": ["dataplane/net", "dataplane/lb"],
    "control": ["dataplane/net", "dataplane/lb", "dataplane/dpdk", "vrrp"],
}


def folder_of(path):
    text = path.relative_to(ROOT).as_posix() if path.is_absolute() else path.as_posix()
    return next((folder for folder in ARROWS if text.startswith(folder + "/")), None)


def test_include_arrows():
    wrong = []
    for path in PRODUCT:
        folder = folder_of(path)
        if folder is None:
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            match = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
            if not match:
                continue
            target = folder_of(pathlib.Path(match.group(1)))
            if target is None or (target != folder and target not in ARROWS[folder]):
                wrong.append(f"{path.relative_to(ROOT)}:{number}: {match.group(1)}")
    assert not wrong, "includes against the arrows:\n" + "\n".join(wrong)


def test_dpdk_stays_in_its_folder():
    wrong = []
    for path in CPP:
        relative = path.relative_to(ROOT).as_posix()
        if relative.startswith(("dataplane/dpdk/", "tests/dpdk/", "tools/")):
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if re.search(r"\brte_\w|\bRTE_\w", line) and not line.lstrip().startswith("//"):
                wrong.append(f"{relative}:{number}")
    assert not wrong, "DPDK names outside dataplane/dpdk:\n" + "\n".join(wrong)


def test_every_include_from_the_root_exists():
    wrong = []
    for path in CPP:
        for match in re.finditer(r'^\s*#\s*include\s+"([^"]+)"', path.read_text(), re.M):
            if not (ROOT / match.group(1)).is_file():
                wrong.append(f"{path.relative_to(ROOT)}: {match.group(1)}")
    assert not wrong, "includes that are not paths from the root:\n" + "\n".join(wrong)


def test_files_are_at_most_500_lines():
    wrong = [f"{path.relative_to(ROOT)}: {count}" for path in CPP
             if (count := len(path.read_text().splitlines())) > 500]
    assert not wrong, "files over 500 lines:\n" + "\n".join(wrong)


def test_functions_are_at_most_70_lines():
    output = subprocess.run(
        ["ctags", "--languages=C++", "--langmap=C++:+.h", "--kinds-C++=f", "--fields=+ne", "-f",
         "-", "--sort=no", *map(str, PRODUCT)], check=True, capture_output=True, text=True).stdout
    wrong = []
    for line in output.splitlines():
        match = re.search(r"\tline:(\d+).*\tend:(\d+)", line)
        if match and int(match.group(2)) - int(match.group(1)) + 1 > 70:
            name, file = line.split("\t")[:2]
            wrong.append(f"{pathlib.Path(file).relative_to(ROOT)}:{match.group(1)}: {name} has "
                         f"{int(match.group(2)) - int(match.group(1)) + 1} lines")
    assert not wrong, "functions over 70 lines:\n" + "\n".join(wrong)


def test_lines_are_at_most_100_columns():
    wrong = [f"{path.relative_to(ROOT)}:{number}" for path in CPP
             for number, line in enumerate(path.read_text().splitlines(), 1) if len(line) > 100]
    assert not wrong, "lines over 100 columns:\n" + "\n".join(wrong)


def test_headers_start_with_licence_guard_and_comment():
    wrong = []
    for path in CPP:
        lines = path.read_text().splitlines()
        if not lines or lines[0] != "// SPDX-License-Identifier: Apache-2.0":
            wrong.append(f"{path.relative_to(ROOT)}: no SPDX line")
        elif path.suffix == ".h":
            if "#pragma once" not in lines[1:4]:
                wrong.append(f"{path.relative_to(ROOT)}: no #pragma once")
            if not any(line.startswith("// ") for line in lines[2:12]):
                wrong.append(f"{path.relative_to(ROOT)}: no comment that says what this is")
    assert not wrong, "\n".join(wrong)


def test_scripts_carry_the_licence():
    wrong = []
    for path in tracked("*.py", "*.sh", "*.build", "tools/dev", ".ci/run"):
        head = path.read_text().splitlines()[:3]
        if not any("SPDX-License-Identifier: Apache-2.0" in line for line in head):
            wrong.append(str(path.relative_to(ROOT)))
    assert not wrong, "no SPDX line:\n" + "\n".join(wrong)


def drop_reasons():
    text = "".join(path.read_text() for path in PRODUCT
                   if "_REASONS(X)" in path.read_text() or "_ERRORS(X)" in path.read_text())
    return re.findall(r'\bX\((\w+),\s*"([a-z0-9-]+)"', text)


# Drops that happen outside of the data plane proper, where it hands packets to queues.
DROPPED_BY_QUEUES = {"PuntQueueFull", "TransmitQueueFull"}


def test_every_drop_reason_is_brought_about_by_a_frame():
    reasons = drop_reasons()
    assert len(reasons) > 30, "the list of drop reasons was not found"
    texts = {folder: "".join(path.read_text() for path in tracked(f"tests/{folder}/*"))
             for folder in ("packet", "dpdk")}
    missing = [name for name, _ in reasons if name not in ("None", "Enumerator")
               and not re.search(rf"\bDropReason::{name}\b",
                                 texts["dpdk" if name in DROPPED_BY_QUEUES else "packet"])]
    assert not missing, "drop reasons that no packet test names:\n" + "\n".join(missing)


def test_no_unfinished_marks():
    mark = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X|HA" + r"CK)\b")
    wrong = [f"{path.relative_to(ROOT)}:{number}" for path in
             tracked("*.cpp", "*.h", "*.py", "tools/dev", "*.toml", "*.md")
             if path != pathlib.Path(__file__)
             for number, line in enumerate(path.read_text().splitlines(), 1) if mark.search(line)]
    assert not wrong, "marks of unfinished work:\n" + "\n".join(wrong)


def test_markdown_links_lead_somewhere():
    wrong = []
    for path in tracked("*.md"):
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", path.read_text()):
            if "://" not in target and not (path.parent / target).exists():
                wrong.append(f"{path.relative_to(ROOT)}: {target}")
    assert not wrong, "dead links:\n" + "\n".join(wrong)


def test_every_test_named_in_the_rfc_table_exists():
    table = (ROOT / "docs/rfc9568.md").read_text()
    named = set(re.findall(r"`(\w+)\.(\w+)`", table))
    assert len(named) > 40, "the table of statements was not found"
    tests = "".join(path.read_text() for path in tracked("tests/*.cpp"))
    missing = [f"{suite}.{name}" for suite, name in sorted(named)
               if not re.search(rf"TEST(_[PF])?\(\s*{suite},\s*{name}\)", tests)]
    ends = "".join(path.read_text() for path in tracked("tests/e2e/*.py"))
    missing += [name for name in sorted(set(re.findall(r"`(test_\w+)`", table)))
                if f"def {name}(" not in ends]
    assert not missing, "tests that do not exist:\n" + "\n".join(missing)


def first_include(path):
    match = re.search(r'^\s*#\s*include\s+"([^"]+)"|^\s*#\s*include\s+<', path.read_text(), re.M)
    return match.group(1) if match else None


def compile_alone(header):
    return subprocess.run(["g++", "-std=c++20", "-fsyntax-only", "-march=corei7", f"-I{ROOT}",
                           "-x", "c++", "-"], input=f'#include "{header.relative_to(ROOT)}"\n',
                          capture_output=True, text=True)


# A header that is the first include of a source file is compiled alone by the build, as nothing
# stands before it. The others are compiled here.
@pytest.mark.parametrize("folder", ["dataplane/net", "dataplane/lb", "vrrp"])
def test_headers_compile_alone(folder):
    headers = [path for path in PRODUCT if path.suffix == ".h" and folder_of(path) == folder]
    assert headers
    built = {first_include(path) for path in CPP if path.suffix == ".cpp"}
    others = [path for path in headers if path.relative_to(ROOT).as_posix() not in built]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(compile_alone, others))
    wrong = [f"{header.relative_to(ROOT)}:\n{result.stderr[:500]}"
             for header, result in zip(others, results) if result.returncode != 0]
    assert not wrong, "\n".join(wrong)


def test_every_command_of_the_socket_is_documented():
    table = (ROOT / "control/api/command_table.cpp").read_text()
    names = re.findall(r'Command\{"([^"]+)"', table)
    assert len(names) > 15, "the table of commands was not found"
    text = (ROOT / "docs/control-protocol.md").read_text()
    missing = [name for name in names if f"`{name}`" not in text]
    assert not missing, "not in docs/control-protocol.md: " + ", ".join(missing)
