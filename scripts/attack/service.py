"""The service under attack: the built binary on a store of its own, in a folder that is removed afterwards."""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

START_SECONDS = 60
END_SECONDS = 60

# What must not outlive this process.
CHILDREN: set[subprocess.Popen] = set()


def end_with_children(*_: object) -> None:
    """For SIGTERM. Whoever waits for them cleans up."""
    for child in CHILDREN:
        child.kill()
    sys.exit(143)


class Broken(Exception):
    """The service did what it must not, whatever it is sent."""


class Service:
    """Runs between `with` and its end. Ports are free ones; nothing of the caller's configuration is used."""

    def __init__(self, binary: Path, settings: dict[str, str]):
        self.binary = binary
        self._scratch = tempfile.TemporaryDirectory(prefix="vestibule-attack.")
        self.folder = Path(self._scratch.name)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("VESTIBULE_")}
        kept.pop("DATABASE_URL", None)
        self.environment = kept | settings

    def __enter__(self) -> "Service":
        self._log = (self.folder / "log").open("wb")
        command = [self.binary, "serve", "--migrate", "--listen", "127.0.0.1:0", "--ops-listen", "off"]
        self._process = subprocess.Popen(
            [*command, "--log-format", "json"],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )
        CHILDREN.add(self._process)
        try:
            self.url = f"http://{self._address()}"
        except BaseException:
            self.__exit__()
            raise
        return self

    def _address(self) -> str:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            for event in self.events():
                if event.get("message") == "listening":
                    return event["address"]
            time.sleep(0.05)
        raise Broken(f"the service did not start:\n{self.log()}")

    def create_user(self, email: str, password: str, role: str) -> None:
        """By the command, which works beside the service and knows no registration rules."""
        command = [self.binary, "users", "create", email, "--role", role, "--name", "Caller", "--password-stdin"]
        subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            input=password.encode(),
            stdout=subprocess.DEVNULL,
            check=True,
        )

    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    def events(self) -> list[dict]:
        """The complete lines. What is no JSON was written by something that does not log, as a panic of a panic."""
        lines = self.log().split("\n")[:-1]
        return [json.loads(line) if line.startswith("{") else {"level": "ERROR", "message": line} for line in lines]

    def end(self) -> None:
        """Ends it in order, and looks for what only the service itself can tell."""
        if self._process.poll() is not None:
            raise Broken(f"the service died with status {self._process.returncode}:\n{self.log()[-4000:]}")
        self._process.terminate()
        try:
            status = self._process.wait(timeout=END_SECONDS)
        except subprocess.TimeoutExpired:
            raise Broken(f"the service did not end when told:\n{self.log()[-4000:]}") from None
        if status != 0:
            raise Broken(f"the service ended with status {status}:\n{self.log()[-4000:]}")
        errors = [event for event in self.events() if event["level"] == "ERROR"]
        if errors:
            told = "\n".join(json.dumps(event) for event in errors[:20])
            raise Broken(f"the service logged {len(errors)} errors:\n{told}")

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        CHILDREN.discard(self._process)
        self._log.close()
        self._scratch.cleanup()
