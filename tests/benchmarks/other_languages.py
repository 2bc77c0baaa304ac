"""Workers in other languages than Python: go-imap (Go) and imapflow (JavaScript).

They take part if their language is installed. Otherwise `Unavailable` says in one line what is missing.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from tests.benchmarks.processes import HERE, Program, Unavailable, note

IMAPFLOW = "imapflow@2.10.2"
# The folder of Debian's packages golang-*-dev.
GOPATH = Path("/usr/share/gocode")
GO_IMAP = GOPATH / "src" / "github.com" / "emersion" / "go-imap"
# Seconds for a command. Without network, npm tries for many minutes.
PATIENCE = 180
MISSING = "{} is not installed (Debian: apt-get install {})"


def go_imap(folder: Path) -> Program:
    """Build the worker in the folder, without network. Raises Unavailable if Go or go-imap is missing."""
    go = shutil.which("go")
    if go is None:
        raise Unavailable(MISSING.format("Go", "golang-go"))
    if not GO_IMAP.is_dir():
        raise Unavailable(MISSING.format("go-imap", "golang-github-emersion-go-imap-dev"))
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / "worker"
    environ = {
        **os.environ,
        "GO111MODULE": "off",
        "GOPATH": str(GOPATH),
        "GOPROXY": "off",
        "GOFLAGS": "",
        "GOCACHE": str(folder / "cache"),
    }
    # Go itself looks whether there is anything to do.
    _run([go, "build", "-o", str(program), str(HERE / "go_imap_worker.go")], environ, "go-imap's worker")
    return Program((str(program),), dict(os.environ))


def imapflow(folder: Path) -> Program:
    """Install imapflow in the folder. Raises Unavailable if Node is missing or too old, or the package index is."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise Unavailable(MISSING.format("Node or its npm", "nodejs npm"))
    stamp = folder / "made-for.txt"
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != IMAPFLOW:
        note(f"installing {IMAPFLOW}")
        folder.mkdir(parents=True, exist_ok=True)
        options = ["--no-audit", "--no-fund", "--ignore-scripts", "--engine-strict"]
        _run([npm, "install", "--prefix", str(folder), *options, IMAPFLOW], dict(os.environ), IMAPFLOW)
        stamp.write_text(IMAPFLOW, encoding="utf-8")
    environ = {**os.environ, "NODE_PATH": str(folder / "node_modules")}
    return Program((node, "--expose-gc", str(HERE / "imapflow_worker.js")), environ)


def _run(command: list[str], environ: dict[str, str], what: str) -> None:
    try:
        done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False, timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        raise Unavailable(f"{what} can't be made: no end after {PATIENCE} seconds") from None
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines() or ["no message"]
        raise Unavailable(f"{what} can't be made: {lines[0]}")
