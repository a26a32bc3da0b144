"""What is sent: mails of a size, in conversations, spread over accounts."""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from email.utils import parseaddr

from bench.way.conversations import (
    USER,
    PlannedMail,
    answering,
    long_conversations,
    mail_bytes,
    profile_address,
    shuffled,
)
from dev.client import Client
from dev.ledger import Letter
from dev.stack import Stack

_PROFILES = 200
"""Of all accounts together."""
_LEAST_PROFILES = 3


@dataclass(frozen=True, slots=True)
class Load:
    """Mails to send."""

    mails: int = 3000
    size: int = 4000
    """Bytes of a mail."""
    replies: float = 0.6
    """The share of mails that answer an earlier one."""
    conversation: int = 0
    """Mails of a conversation; 0: as `replies` makes them."""
    shuffle: bool = False
    accounts: int = 1
    seed: int = 0

    @property
    def profiles(self) -> int:
        """Of each account."""
        return max(_LEAST_PROFILES, _PROFILES // self.accounts)

    @property
    def title(self) -> str:
        """Its size, conversations and accounts in words."""
        if self.conversation:
            order = ", random order" if self.shuffle else ""
            how = f"conversations of {self.conversation}{order}"
        else:
            how = f"{self.replies:.0%} answer" if self.replies else "no answers"
            how += ", random order" if self.shuffle else ""
        accounts = "1 account" if self.accounts == 1 else f"{self.accounts} accounts"
        return f"{self.size / 1000:g} KB, {how}, {accounts}"

    def of(self, mails: int) -> "Load":
        """Return the same with another number of mails."""
        return replace(self, mails=mails)

    def plan(self) -> list[PlannedMail]:
        """Return its mails in the order in which they are sent."""
        if self.conversation:
            planned = long_conversations(
                self.mails, length=self.conversation, accounts=self.accounts
            )
        else:
            planned = answering(
                self.mails, replies=self.replies, accounts=self.accounts, seed=self.seed
            )
        return shuffled(planned, self.seed) if self.shuffle else planned


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that describe a load."""
    plain = Load()
    parser.add_argument(
        "--mails", type=int, default=plain.mails, help="that are sent and timed (%(default)s)"
    )
    parser.add_argument(
        "--size", type=int, default=plain.size, help="bytes of a mail (%(default)s)"
    )
    parser.add_argument(
        "--replies",
        type=float,
        default=plain.replies,
        metavar="SHARE",
        help="share of the mails that answer an earlier one, as in real mail; 0 for none "
        "(%(default)s)",
    )
    parser.add_argument(
        "--conversation",
        type=int,
        default=plain.conversation,
        metavar="N",
        help="conversations of N mails (shorter when there are more accounts), in each of which "
        "every mail answers the one before; instead of --replies",
    )
    parser.add_argument("--shuffle", action="store_true", help="send in random order")
    parser.add_argument(
        "--accounts",
        type=int,
        default=plain.accounts,
        metavar="N",
        help="spread the mails evenly over N accounts (%(default)s)",
    )
    parser.add_argument(
        "--seed", type=int, default=plain.seed, help="of what is random (%(default)s)"
    )


def load_of(given: argparse.Namespace) -> Load:
    """Return the load that the options describe."""
    return Load(
        mails=given.mails,
        size=given.size,
        replies=given.replies,
        conversation=given.conversation,
        shuffle=given.shuffle,
        accounts=given.accounts,
        seed=given.seed,
    )


def account_name(number: int) -> str:
    """Return the id of an account of the bench."""
    return f"bench{number}"


def furnish(stack: Stack, account: str, profiles: int) -> str:
    """Put a user and so many profiles into an account; return the user's capture address."""
    client = Client(stack.endpoints, stack.token_secret, account=account, person="u1")
    name, address = parseaddr(USER)
    client.put_person("u1", "user", name, [address])
    for number in range(profiles):
        client.put_person(f"c{number}", "candidate", "Candidate", [profile_address(number)])
    capture_address = client.mint("u1")
    client.close()
    return capture_address


def letters(load: Load, addresses: Sequence[str], name: str) -> Iterator[Letter]:
    """Yield the mails for the accounts' addresses; `name` keeps them apart from other loads'."""
    for planned in load.plan():
        yield letter(planned, load, addresses[planned.account], name)


def letter(planned: PlannedMail, load: Load, address: str, name: str) -> Letter:
    """Return one mail to a capture address."""
    raw = mail_bytes(planned, load.size, name=name, profiles=load.profiles)
    message_id = f"{name}.{planned.number}"
    return Letter(planned.number, message_id, raw, attach=True, recipients=(address,))
