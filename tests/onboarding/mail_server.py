"""A mail server on loopback that speaks just enough SMTP, and refuses where a test wants it to."""

from __future__ import annotations

import socketserver
import threading
from dataclasses import dataclass, field
from types import TracebackType


@dataclass
class MailServer:
    """Use as a context; `letters` are those that were taken, whole."""

    refuse_recipient: str = ""
    """An answer to RCPT TO, like `550 nobody here`."""
    refuse_data: str = ""
    drop_after_data: bool = False
    """Take the letter and hang up before saying so: nobody knows whether it was sent."""
    letters_each: int = 0
    """Letters that one connection takes before `good_bye`; 0: as many as come."""
    good_bye: str = ""
    """What is said to the next one then, like `421 too many`; nothing: it hangs up."""
    letters: list[str] = field(default_factory=list)

    def __enter__(self) -> MailServer:
        self._server = _Server(("127.0.0.1", 0), _Talk)
        self._server.rules = self
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    rules: MailServer


class _Talk(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        rules = self.server.rules
        self._say("220 here")
        taken = 0
        while line := self.rfile.readline().decode().strip():
            word = line.upper()
            if word.startswith("QUIT"):
                self._say("221 bye")
                return
            if rules.letters_each and taken >= rules.letters_each and word.startswith("MAIL"):
                if rules.good_bye:
                    self._say(rules.good_bye)
                return
            if word.startswith("RCPT") and rules.refuse_recipient:
                self._say(rules.refuse_recipient)
            elif word == "DATA":
                self._say("354 go on")
                letter = self._letter()
                if rules.refuse_data:
                    self._say(rules.refuse_data)
                    continue
                rules.letters.append(letter)
                if rules.drop_after_data:
                    return
                taken += 1
                self._say("250 taken")
                if rules.letters_each and taken >= rules.letters_each and not rules.good_bye:
                    return
            else:
                self._say("250 fine")

    def _letter(self) -> str:
        lines = []
        while (line := self.rfile.readline().decode()) not in (".\r\n", ""):
            lines.append(line)
        return "".join(lines)

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())
