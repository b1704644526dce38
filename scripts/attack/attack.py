"""Attacks the built binary by its own OpenAPI document, as several callers, and fails if an answer is not what the
document says, if an operation was never reached, or if the service died or logged an error."""

import argparse
import base64
import collections
import json
import os
import re
import secrets
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import PIPE, STDOUT

from service import CHILDREN, Broken, Service, end_with_children

HERE = Path(__file__).parent
METHODS = ("get", "put", "post", "patch", "delete")


@dataclass
class Caller:
    """Somebody who calls everything that the document lists."""

    name: str
    role: str
    sends_token: bool
    settings: dict[str, str]
    # Checks that demand of this caller what the contract denies, and why.
    excluded: dict[str, str] = field(default_factory=dict)


# How often each operation was answered with each status.
Answered = dict[str, collections.Counter[int]]


@dataclass
class Attack:
    passed: bool
    answered: Answered


# Behind throttles nothing would be reached. They are on for whoever needs no account.
UNTHROTTLED = {"VESTIBULE_LIMITS__ENABLED": "false"}

CALLERS = [
    Caller("anonymous", role="user", sends_token=False, settings={}),
    Caller(
        "user",
        role="user",
        sends_token=True,
        settings=UNTHROTTLED,
        excluded={"ensure_resource_availability": "whoever registers somebody else may not read them"},
    ),
    Caller("administrator", role="admin", sends_token=True, settings=UNTHROTTLED),
]

# Operations that nobody can be answered 2xx by, and why.
UNREACHED: dict[str, str] = {}


def main() -> int:
    signal.signal(signal.SIGTERM, end_with_children)
    options = parse()
    binary = Path(options.binary).resolve()
    print(f"seed {options.seed}, {options.examples} examples for each operation", flush=True)
    callers = [caller for caller in CALLERS if caller.name in options.callers]
    with ThreadPoolExecutor(len(callers)) as pool:
        attacks = list(pool.map(lambda caller: attack(caller, binary, options), callers))
    answered: Answered = {}
    for each in attacks:
        for operation, statuses in each.answered.items():
            answered.setdefault(operation, collections.Counter()).update(statuses)
    report(answered)
    # Who is left out may be the one to whom an operation is open.
    reached = options.callers != names() or everything_was_reached(answered)
    return 0 if reached and all(each.passed for each in attacks) else 1


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", required=True, help="the service")
    parser.add_argument("--examples", type=int, default=int(os.environ.get("EXAMPLES", "20")))
    parser.add_argument("--seed", type=int, default=int(os.environ.get("SEED") or secrets.randbelow(10**9)))
    parser.add_argument("--postgres", action="store_true", help="on the server of TEST_DATABASE_URL")
    parser.add_argument("--callers", nargs="*", default=names(), choices=names())
    return parser.parse_args()


def names() -> list[str]:
    return [caller.name for caller in CALLERS]


def attack(caller: Caller, binary: Path, options: argparse.Namespace) -> Attack:
    start = time.monotonic()
    answered: Answered = {}
    with store(binary, options) as settings, Service(binary, caller.settings | settings) as service:
        # Whatever the caller does, there is an administrator.
        service.create_user("keeper@example.com", secrets.token_urlsafe(), "admin")
        passed, told = schemathesis(caller, service, options)
        try:
            answered = count(service)
            service.end()
        except (Broken, OSError) as broken:
            passed, told = False, f"{told}\n{broken}"
    cases = re.search(r"(\d+) generated", told)
    seconds = time.monotonic() - start
    verdict = "passed" if passed else f"FAILED\n{told}\n"
    print(f"{caller.name}: {cases[1] if cases else 'no'} cases in {seconds:.0f} s, {verdict}", flush=True)
    return Attack(passed, answered)


@contextmanager
def store(binary: Path, options: argparse.Namespace) -> Iterator[dict[str, str]]:
    """Settings that name a store; none are those of a SQLite file beside the service."""
    if not options.postgres:
        yield {}
        return
    schema = binary.with_name("vestibule-schema")
    name = f"vestibule_attack_{secrets.token_hex(8)}"
    made = subprocess.run([schema, "postgres", os.environ["TEST_DATABASE_URL"], name], stdout=PIPE, check=True, text=True)
    url, key = made.stdout.strip(), base64.b64encode(secrets.token_bytes(32)).decode()
    try:
        yield {"VESTIBULE_STORE__URL": url, "VESTIBULE_TOKENS__MASTER_KEY": key}
    finally:
        subprocess.run([schema, "drop", url], stdout=subprocess.DEVNULL, check=True)


def schemathesis(caller: Caller, service: Service, options: argparse.Namespace) -> tuple[bool, str]:
    """Runs in the service's folder and environment, so that its hooks can run commands. Whether it found nothing, and
    what it said."""
    environment = service.environment | {
        "PYTHONPATH": str(HERE),
        "SCHEMATHESIS_HOOKS": "hooks",
        "ATTACK_URL": service.url,
        "ATTACK_BINARY": str(service.binary),
        "ATTACK_ROLE": caller.role,
        "ATTACK_SENDS_TOKEN": "yes" if caller.sends_token else "no",
    }
    program = [Path(sys.executable).with_name("st"), "--config-file", HERE / "schemathesis.toml", "run"]
    flags = [f"--seed={options.seed}", f"--max-examples={options.examples}", "--no-color", f"--url={service.url}"]
    if caller.excluded:
        flags.append(f"--exclude-checks={','.join(caller.excluded)}")
    command = [*program, *flags, f"{service.url}/openapi.json"]
    options = {"cwd": service.folder, "env": environment, "text": True, "errors": "replace"}
    with subprocess.Popen(command, stdout=PIPE, stderr=STDOUT, **options) as process:
        CHILDREN.add(process)
        told, _ = process.communicate()
        CHILDREN.discard(process)
    return process.returncode == 0, f"{told}\nSchemathesis ended with status {process.returncode}"


def count(service: Service) -> Answered:
    """What the service says it answered to the operations of its document."""
    answered: Answered = {}
    with urllib.request.urlopen(f"{service.url}/openapi.json", timeout=20) as response:
        paths = json.load(response)["paths"]
    for path, item in paths.items():
        for method in METHODS:
            if method in item:
                answered[f"{method.upper()} {path}"] = collections.Counter()
    for event in service.events():
        span = event.get("span", {})
        operation = f"{span.get('method')} {span.get('route')}"
        if event.get("message") == "answered" and operation in answered:
            answered[operation][event["status"]] += 1
    return answered


def report(answered: Answered) -> None:
    for operation, statuses in answered.items():
        print(f"  {operation:40}", " ".join(f"{status}×{times}" for status, times in sorted(statuses.items())))


def everything_was_reached(answered: Answered) -> bool:
    reached = {operation for operation, statuses in answered.items() if any(status < 300 for status in statuses)}
    for operation in answered.keys() - reached - UNREACHED.keys():
        print(f"{operation} never succeeded: give hooks.py what it needs, or UNREACHED the reason")
    for operation in UNREACHED.keys() & (reached | (UNREACHED.keys() - answered.keys())):
        print(f"{operation} stands in UNREACHED without need")
    return reached.isdisjoint(UNREACHED) and answered.keys() == reached | UNREACHED.keys()


if __name__ == "__main__":
    sys.exit(main())
