"""Profiles that live among the faults of a run, on accounts of their own (`--life`).

    mails      uploaded all the time, by the users of each account
    operator   one for each account: removes, hides and deletes mails; merges, deletes, blocks and
               erases people, hands mail over, and takes back what can be (`profile_operations.py`)
    model      what was acknowledged, and what follows from it (`profile_model.py`)

At the end every profile is read as every user, and compared; and each word that may be nowhere is
looked for in every collection and blob. Claims are left out: what a killed ingest left there is
swept later (`shared/storage/blob_keys.py`).
"""

import contextlib
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from chaos.mailing import Mailing
from chaos.profile_account import (
    ACKNOWLEDGED_SECONDS,
    PEOPLE,
    USERS,
    WORD,
    NotAcknowledged,
    ProfileAccount,
)
from chaos.profile_model import Mail
from chaos.profile_operations import Operator
from chaos.scene import Scene
from dev.stack import Stack
from shared.storage.blob_keys import CLAIM_PREFIX

ACCOUNTS = ("life1", "life2")
_PAUSE_SECONDS = 0.7
"""Between two mails of an account."""
_FORGOTTEN_SECONDS = 130.0
"""Until a replica has looked twice for bytes that have to go."""
_LOOK_SECONDS = 2.0
_WORD = re.compile(WORD.encode())


@dataclass
class Lives:
    """What was done, and how it ended."""

    operations: Counter[str] = field(default_factory=Counter)
    mails: int = 0
    tried_again: int = 0
    missing: int = 0
    """Mails that a profile does not show to a user."""
    too_much: int = 0
    """Mails that a profile shows to a user who may not see them there."""
    doubled: int = 0
    wrong: int = 0
    words_left: int = 0
    """Words of deleted mails and erased people that are still somewhere."""
    complaints: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Whether everything is as the model says."""
        broken = self.missing + self.too_much + self.doubled + self.wrong + self.words_left
        return broken == 0 and not self.complaints

    def as_dict(self) -> dict[str, object]:
        """Return it for JSON."""
        return {**vars(self), "operations": dict(self.operations), "clean": self.clean}


class ProfileLives:
    """The accounts, their mail and their operators, from `start` to `stop`."""

    def __init__(self, stack: Stack, seed: int, say: Callable[[str], None]) -> None:
        self.mailing = Mailing()
        self._stack, self._say = stack, say
        self._accounts = [ProfileAccount(stack, name, seed, self.mailing) for name in ACCOUNTS]
        self._operators = [Operator(account) for account in self._accounts]
        self._stopping, self._over = threading.Event(), threading.Event()
        self._threads = [
            threading.Thread(target=self._operate, args=(account, operator), daemon=True)
            for account, operator in zip(self._accounts, self._operators, strict=True)
        ]
        self._senders = [
            threading.Thread(target=self._send, args=(account,), daemon=True)
            for account in self._accounts
        ]

    def start(self) -> None:
        """Fill the accounts, and begin."""
        for account in self._accounts:
            account.fill()
            for person in PEOPLE:
                account.mail_to(person, is_kept=True)
        for thread in (*self._senders, *self._threads):
            thread.start()

    def stop(self) -> None:
        """Finish the rounds that were begun; then send no mail, and wait for what is in flight."""
        self._stopping.set()
        for thread in self._threads:
            thread.join()
        self._over.set()
        for thread in self._senders:
            thread.join()

    def outcome(self, scene: Scene, quiet: float) -> Lives:
        """Compare what is there with the models."""
        lives = Lives()
        for account, operator in zip(self._accounts, self._operators, strict=True):
            lives.operations += account.told.operations
            lives.mails += len(account.model.mails)
            lives.tried_again += account.told.tried_again
            lives.wrong += account.told.wrong
            lives.complaints += account.told.complaints
            for person in PEOPLE:
                for viewer in USERS:
                    self._compare(lives, operator, person, viewer, quiet)
        words = {word for account in self._accounts for word in account.forgotten}
        self._say(f"{len(words)} words of deleted and erased mail and people are looked for")
        until = time.monotonic() + _FORGOTTEN_SECONDS
        while (left := words & (found := {*self._words(scene)})) and time.monotonic() < until:
            time.sleep(_LOOK_SECONDS)
        lives.words_left = len(left)
        shown = {word for account in self._accounts for word in account.shown}
        if unseen := shown - found:
            lives.complaints.append(f"{len(unseen)} words of mail that is shown were not found")
        for account in self._accounts:
            account.close()
        return lives

    def _compare(
        self, lives: Lives, operator: Operator, person: str, viewer: str, quiet: float
    ) -> None:
        until = time.monotonic() + quiet
        while any(differs := operator.fits(person, viewer)) and time.monotonic() < until:
            time.sleep(_LOOK_SECONDS)
        if any(differs):
            lives.complaints.append(operator.say(person, viewer))
        lives.missing += differs[0]
        lives.too_much += differs[1]
        lives.doubled += differs[2]

    def _words(self, scene: Scene) -> Iterator[str]:
        """Yield all such words in databases and blobs."""
        with scene.database() as client:
            for setting in ("MATCHER_DATABASE", "TIMELINE_DATABASE"):
                database = client[self._stack.environment[setting]]
                for name in database.list_collection_names():
                    for document in database[name].find():
                        yield from re.findall(WORD, str(document))
        folder = self._stack.folder / "blobs"
        for path in folder.rglob("*"):
            if path.is_file() and not path.relative_to(folder).as_posix().startswith(CLAIM_PREFIX):
                with contextlib.suppress(FileNotFoundError):  # it was removed this moment
                    yield from (word.decode() for word in _WORD.findall(path.read_bytes()))

    def _operate(self, account: ProfileAccount, operator: Operator) -> None:
        """Play rounds, one at least."""
        try:
            while True:
                operator.play_round()
                if self._stopping.is_set():
                    return
        except NotAcknowledged as error:
            account.told.complaints.append(f"{account.name}: {error}")
            self._say(account.told.complaints[-1])

    def _send(self, account: ProfileAccount) -> None:
        """Send mail until all is over, and note what becomes of it."""
        in_flight: dict[str, Mail] = {}
        try:
            while not self._over.wait(_PAUSE_SECONDS):
                if not self.mailing.is_paused and (made := account.next_mail()):
                    mail, raw = made
                    in_flight[account.upload(mail, raw)] = mail
                self._note(account, in_flight)
            until = time.monotonic() + ACKNOWLEDGED_SECONDS
            while in_flight and time.monotonic() < until:
                self._note(account, in_flight)
                time.sleep(_PAUSE_SECONDS)
        except NotAcknowledged as error:
            account.told.complaints.append(f"{account.name}: {error}")
        if in_flight:
            account.told.complaints.append(f"{account.name}: {len(in_flight)} without an outcome")

    def _note(self, account: ProfileAccount, in_flight: dict[str, Mail]) -> None:
        for capture_id, mail in [*in_flight.items()]:
            if (state := account.state(capture_id)) != "waiting":
                account.settled(mail, state)
                del in_flight[capture_id]
