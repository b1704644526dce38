"""What Schemathesis has to know of Vestibule: who calls, values that lead deeper than random ones do, the rules that
hold for every answer, and what is not held against the service. Every exception is here, with its reason."""

import base64
import functools
import json
import os
import random
import re
import subprocess
import time

import requests
import schemathesis
from hypothesis import strategies
from schemathesis.openapi.checks import RejectedPositiveData, UseAfterFree

URL = os.environ["ATTACK_URL"]
ROLE = os.environ["ATTACK_ROLE"]
SENDS_TOKEN = os.environ["ATTACK_SENDS_TOKEN"] == "yes"
PASSWORD = "attack by the document"

# What follows the schema may be refused with these codes all the same, for these members: no schema can say why.
BEYOND_THE_SCHEMA = {
    "breached_password": (("password", "new_password"), "a list of passwords is no pattern"),
    "invalid_cursor": (("cursor", "after"), "cursors are opaque"),
    "invalid_email": (("email",), "UTS 46 decides which domains there are"),
    "idempotency_key_reused": (("",), "a key names one registration"),
    "not_with_access_token": (("refresh_token",), "it depends on another header"),
    "stale": (("",), "whether a record has changed is no matter of form"),
    "too_long": (("email", "password", "new_password", "current_password"), "A-labels and bytes are counted too"),
    "unknown_role": (("roles",), "roles are configuration"),
    "weak_password": (("password", "new_password"), "what is easy to guess is no pattern"),
}


class Account:
    """A user to call as. A call may log it out, lock it, demote it or delete it: after each that may have, the next
    call logs in anew, if need be as somebody new."""

    # A good deal less than an access token lasts, and than a login counts as recent.
    FRESH_SECONDS = 240

    def __init__(self) -> None:
        self.count = 0
        self.since = 0.0
        self.spent = True
        self.email = ""
        self.tokens: dict = {}

    def fresh(self) -> "Account":
        if self.spent or time.monotonic() - self.since > self.FRESH_SECONDS:
            while not self.log_in():
                self.create()
        return self

    def log_in(self) -> bool:
        if not self.email:
            return False
        answer = requests.post(f"{URL}/login", json={"email": self.email, "password": PASSWORD}, timeout=20)
        if answer.status_code == 429 and self.tokens:
            # Whoever is throttled makes do with what there is.
            self.since, self.spent = time.monotonic(), False
            return True
        if answer.status_code != 200 or ROLE not in answer.json()["user"]["roles"]:
            return False
        self.tokens, self.since, self.spent = answer.json(), time.monotonic(), False
        return True

    def create(self) -> None:
        """By the command, which runs beside the service and is bound by no throttle."""
        self.count += 1
        self.email = f"caller{self.count}@example.com"
        command = [os.environ["ATTACK_BINARY"], "users", "create", self.email, "--name", "Caller", "--role", ROLE]
        subprocess.run([*command, "--password-stdin"], input=PASSWORD.encode(), capture_output=True, check=True)


# Before anything is sent that a throttle could count.
ACCOUNT = Account().fresh()


@functools.cache
def client() -> dict[str, str]:
    """Credentials of another service, as its form takes them."""
    command = [os.environ["ATTACK_BINARY"], "clients", "create", "attack", "--json"]
    made = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    return {"client_id": made["id"], "client_secret": made["secret"]}


def is_for_clients(case) -> bool:
    return any("client" in scheme for scheme in case.operation.definition.raw.get("security", []))


if SENDS_TOKEN:

    @schemathesis.auth(refresh_interval=None)
    class Authorization:
        def get(self, case, context):
            if is_for_clients(case):
                return "Basic " + base64.b64encode(":".join(client().values()).encode()).decode()
            return f"Bearer {ACCOUNT.fresh().tokens['access_token']}"

        def set(self, case, data, context):
            case.headers["Authorization"] = data


# By its pattern alone hardly a domain would be one.
LABELS = ["example", "Example", "a-1", "0", "b\u00fccher", "xn--bcher-kva", "\u4f8b\u3048", "\u2603", "\u05d0", "d" * 63]
DOMAINS = strategies.lists(strategies.sampled_from(LABELS), min_size=1, max_size=3).map(".".join)
LOCAL_PARTS = strategies.from_regex(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]{1,20}(\.[A-Za-z0-9+]{1,20})?", fullmatch=True)
schemathesis.openapi.format("email-address", strategies.builds("{}@{}".format, LOCAL_PARTS, DOMAINS))


@schemathesis.hook
def before_load_schema(context, raw_schema):
    """For headers nothing but letters and digits is made up, unless their format is registered: so each with a pattern
    has one of its own."""
    operations = [operation for item in raw_schema["paths"].values() for operation in item.values()]
    for parameter in [parameter for operation in operations for parameter in operation.get("parameters", [])]:
        pattern = parameter["schema"].get("pattern")
        if parameter["in"] == "header" and pattern:
            parameter["schema"]["format"] = parameter["name"].lower()
            schemathesis.openapi.format(parameter["name"].lower(), strategies.from_regex(pattern, fullmatch=True))


# Values of the caller's own, by the name of the member or parameter.
OWN = {
    "email": lambda account: account.email,
    "password": lambda account: PASSWORD,
    "current_password": lambda account: PASSWORD,
    "refresh_token": lambda account: account.tokens["refresh_token"],
    "user": lambda account: account.tokens["user"]["id"],
    "id": lambda account: account.tokens["session_id"],
    "token": lambda account: account.tokens[CHANCE.choice(["access_token", "refresh_token"])],
}

CHANCE = random.Random(1)


@schemathesis.hook
def before_call(context, case, kwargs):
    """Every other well-formed request gets what is the caller's own, so that it can succeed. Nobody waits for news for
    long."""
    if isinstance(case.query, dict) and str(case.query.get("wait")).isdigit() and int(case.query["wait"]) <= 30:
        case.query["wait"] = 0
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    if is_for_clients(case) and isinstance(case.body, dict):
        # In the header or in the form, not in both.
        case.body = {name: value for name, value in case.body.items() if not name.startswith("client_")}
        if "Authorization" not in case.headers:
            case.body |= client()
    if CHANCE.random() < 0.5:
        return
    for container in (case.path_parameters, case.body):
        for name in OWN.keys() & (container.keys() if isinstance(container, dict) else set()):
            # What links carry over from an answer stays.
            if container[name] != "me" and not (case._override and name in case._override.path_parameters):
                container[name] = OWN[name](ACCOUNT.fresh())


@schemathesis.hook
def after_call(context, case, response):
    if case.method not in ("GET", "HEAD") and response.status_code < 300:
        ACCOUNT.spent = True


def problem_of(response) -> dict | None:
    media_type = response.headers.get("content-type", [""])[0]
    return response.json() if media_type == "application/problem+json" else None


@schemathesis.hook
def filter_failure(context, failure, case, response):
    if isinstance(failure, UseAfterFree):
        # Whoever deletes all entries of a list leaves an empty list, not none.
        return failure.operation.endswith("}")
    problem = problem_of(response)
    if not isinstance(failure, RejectedPositiveData) or problem is None:
        return True
    return not all(is_beyond_the_schema(fault) for fault in problem.get("errors", [problem]))


def is_beyond_the_schema(fault: dict) -> bool:
    members, _ = BEYOND_THE_SCHEMA.get(fault["code"], ((), ""))
    return fault.get("pointer", "/").split("/")[1] in members


@schemathesis.check
def ground_rules(ctx, response, case):
    """What the contract promises of every answer, whoever made it: a handler, the router or the server below."""

    def header(name: str) -> str:
        values = response.headers.get(name, [])
        assert len(values) == 1, f"{name} occurs {len(values)} times"
        return values[0]

    request_id, status = header("x-request-id"), response.status_code
    assert re.fullmatch(r"[A-Za-z0-9._-]{1,128}", request_id), f"x-request-id: {request_id}"
    assert header("x-content-type-options") == "nosniff"
    assert header("referrer-policy") == "no-referrer"
    is_personal = bool(case.operation.definition.raw.get("security")) or case.method != "GET"
    assert header("cache-control") == "no-store" or not is_personal
    if status == 401:
        assert header("www-authenticate").startswith(("Bearer", "Basic"))
    if status in (429, 503):
        assert int(header("retry-after")) >= 1
    if status >= 400 and case.path != "/health/ready":
        problem = problem_of(response)
        assert problem is not None, "an error is no problem (RFC 9457)"
        assert problem["status"] == status and problem["request_id"] == request_id, json.dumps(problem)
