"""What an operator does to the profiles of an account: every operation of a profile's life.

They come in rounds, each of every operation, in an order that the seed determines. What has an
opposite is undone by its second turn in a round. An operation whose mail or people would be decided
otherwise waits until mail in flight about them is settled; faults and all other mail go on.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any

from chaos.profile_account import (
    ACKNOWLEDGED_SECONDS,
    USERS,
    NotAcknowledged,
    ProfileAccount,
)
from chaos.profile_model import Mail

_LOOK_SECONDS = 0.3


class Operator:
    """Works on one account, one operation after the other."""

    def __init__(self, account: ProfileAccount) -> None:
        self._account, self._chance = account, account.chance
        self._ids: dict[str, str] = {}
        """The ids of mails that can be put back or shown again."""
        self._merges: dict[str, str] = {}
        self._doing = "nothing"
        self._pairs: Sequence[tuple[Callable[[], bool], Callable[[], bool]]] = (
            (self._detach, self._put_back),
            (self._make_private, self._show_again),
            (self._merge, self._undo),
            (self._delete_person, self._add_again),
            (self._block, self._unblock),
        )
        self._others = (self._delete_mail, self._hand_over, self._erase)

    def play_round(self) -> None:
        """Do everything once. Raises NotAcknowledged."""
        turns = [*range(len(self._pairs))] * 2
        turns += [len(self._pairs) + number for number in range(len(self._others))]
        self._chance.shuffle(turns)
        begun: set[int] = set()
        for turn in turns:
            if turn >= len(self._pairs):
                do = self._others[turn - len(self._pairs)]
            else:
                do = self._pairs[turn][turn in begun]
                begun.add(turn)
            self._doing = do.__name__.strip("_").replace("_", " ")
            if do():
                self._account.told.operations[self._doing] += 1

    def fits(self, person: str, viewer: str) -> tuple[int, int, int]:
        """Return how many mails of a profile are missing, too much, and doubled."""
        missing, extra, doubled = self.differences(person, viewer)
        return len(missing), len(extra), doubled

    def differences(self, person: str, viewer: str) -> tuple[set[str], set[str], int]:
        """Return which mails of a profile are missing, which are too much, how many doubled."""
        with self._account.model_held() as model:
            before = model.timeline(person, viewer)
        words = self._account.timeline(person, viewer)
        with self._account.model_held() as model:
            after = model.timeline(person, viewer)
        shown = {*words}
        extra = shown - after.must - after.may
        return before.must - shown, extra, len(words) - len(shown)

    def say(self, person: str, viewer: str) -> str:
        """Say what differs on a profile, and what the model has of those mails."""
        missing, extra, doubled = self.differences(person, viewer)
        with self._account.model_held() as model:
            known = [str(model.mails.get(word, word)) for word in sorted(missing | extra)]
        return (
            f"{person}, for {viewer}, after `{self._doing}`: {len(missing)} missing, "
            f"{len(extra)} too much, {doubled} doubled: {'; '.join(known)}"
        )

    # One mail.

    def _detach(self) -> bool:
        mail, id_ = self._own_mail()
        person = self._chance.choice(sorted(mail.matches))
        self._rule(mail, "DELETE", f"{id_}/matches/{person}")
        self._ids[mail.word] = id_
        with self._account.model_held() as model:
            model.detached(mail, person)
        return self._seen(person)

    def _put_back(self) -> bool:
        with self._account.model_held() as model:
            removed = [*model.removed()]
        if not removed:
            return False
        mail, person = self._chance.choice(removed)
        self._rule(mail, "PUT", f"{self._ids[mail.word]}/matches/{person}")
        with self._account.model_held():
            model.put_back(mail, person)
        return self._seen(person)

    def _make_private(self) -> bool:
        mail, id_ = self._own_mail()
        self._rule(mail, "PUT", f"{id_}/visibility", visibility="private")
        self._ids[mail.word] = id_
        mail.private = True
        return self._seen(*mail.matches)

    def _show_again(self) -> bool:
        with self._account.model_held() as model:
            hidden = [
                mail
                for mail in model.mails.values()
                if mail.private and any(map(model.is_open, mail.matches - mail.detached))
            ]
        if not hidden:
            return False
        mail = self._chance.choice(hidden)
        self._rule(mail, "PUT", f"{self._ids[mail.word]}/visibility", visibility="team")
        mail.private = False
        return self._seen(*mail.matches)

    def _delete_mail(self) -> bool:
        mail, id_ = self._own_mail()
        self._rule(mail, "DELETE", id_)
        mail.deleted = True
        again = self._account.upload(mail, self._raw, f"{mail.word} again")
        deadline = time.monotonic() + ACKNOWLEDGED_SECONDS
        while (state := self._account.state(again)) == "waiting":
            if time.monotonic() > deadline:
                raise NotAcknowledged("a mail that was deleted and came again has no outcome")
            time.sleep(_LOOK_SECONDS)
        if state != "dismissed":
            self._account.told.wrong += 1
            self._account.told.complaints.append(f"{mail.word} was deleted, came again: {state}")
        return self._seen(*mail.matches)

    # People.

    def _merge(self) -> bool:
        model = self._account.model
        people = [person for person in model.open if person not in model.merged_into]
        if len(people) < 2:
            return False
        person, into = self._chance.sample(people, 2)
        merge = self._directory("POST", f"{person}:merge", json={"into": into})
        self._merges[person] = merge["id"]
        with self._account.model_held():
            model.merged(person, into)
        return self._seen(person, into)

    def _undo(self) -> bool:
        model = self._account.model
        merged = [person for person in model.open if person in model.merged_into]
        if not merged:
            return False
        person = self._chance.choice(merged)
        into = model.merged_into[person]
        self._account.ask(
            USERS[0], "POST", "matcher", f"/v1/merges/{self._merges.pop(person)}:undo"
        )
        with self._account.model_held():
            model.parted(person)
        return self._seen(person, into)

    def _delete_person(self) -> bool:
        model = self._account.model
        alone = [person for person in model.open if len(model.group(person)) == 1]
        if not alone:
            return False
        person = self._chance.choice(alone)
        with self._account.settled_about(person):
            self._account.ask(USERS[0], "DELETE", "matcher", f"/v1/people/{person}", ok="404")
            model.became(person, "deleted")
        return self._seen(person)

    def _add_again(self) -> bool:
        return self._return("deleted")

    def _block(self) -> bool:
        model = self._account.model
        if not model.open:
            return False
        person = self._chance.choice(model.open)
        with self._account.settled_about(*model.group(person)):
            self._account.put_candidate(person, "user")
            model.became(person, "blocked")
        return self._seen(person)

    def _unblock(self) -> bool:
        return self._return("blocked")

    def _return(self, state: str) -> bool:
        model = self._account.model
        people = [person for person, is_now in model.people.items() if is_now == state]
        if not people:
            return False
        person = self._chance.choice(people)
        with self._account.settled_about(*model.group(person)):
            self._account.put_candidate(person)
            model.became(person, "there")
        return self._seen(person)

    def _hand_over(self) -> bool:
        leaver, to = self._chance.sample(USERS, 2)
        with self._account.settled_about(leaver):
            body = {"from": leaver, "to": to}
            path = "/v1/hand-overs"
            asked = self._account.ask(USERS[0], "POST", "timeline", path, json=body)
            self._until_done("timeline", f"{path}/{asked.json()['id']}")
            with self._account.model_held() as model:
                model.handed_over(leaver, to)
        return self._seen(*model.open[:2])

    def _erase(self) -> bool:
        """Erase the people of a profile; others have their ids afterwards."""
        model = self._account.model
        if not model.open:
            return False
        person = self._chance.choice(model.open)
        with self._account.settled_about(*model.group(person)):
            erasure = self._directory("POST", f"{person}:erase")
            self._until_done("matcher", f"/v1/erasures/{erasure['id']}")
            with self._account.model_held():
                group = sorted(model.erased(person))
            for one in group:
                self._account.add_anew(one)
                model.became(one, "there")
        for one in group:
            self._account.mail_to(one, is_kept=True)
        return self._seen(*group)

    # What they need.

    def _own_mail(self) -> tuple[Mail, str]:
        """Send a mail to one or two whose mail is attached, to decide about it."""
        people = self._account.model.open
        named = self._chance.sample(people, min(len(people), self._chance.choice((1, 2))))
        mail, self._raw, id_ = self._account.mail_to(*named)
        return mail, id_

    def _rule(self, mail: Mail, method: str, path: str, **body: str) -> None:
        """Decide about a mail, as its owner."""
        given = body or None
        self._account.ask(mail.owner, method, "timeline", f"/v1/mails/{path}", json=given)

    def _directory(self, method: str, path: str, **options: Any) -> dict[str, str]:
        answer = self._account.ask(USERS[0], method, "matcher", f"/v1/people/{path}", **options)
        return dict(answer.json())

    def _until_done(self, service: str, path: str) -> None:
        deadline = time.monotonic() + ACKNOWLEDGED_SECONDS
        while (job := self._account.ask(USERS[0], "GET", service, path).json())["state"] != "done":
            if time.monotonic() > deadline:
                raise NotAcknowledged(f"{path} is not done")
            time.sleep(_LOOK_SECONDS)
        if failed := job.get("failed", 0) or job.get("erased", {}).get("failed", 0):
            self._account.told.complaints.append(f"{path}: {failed} failed")

    def _seen(self, *people: str) -> bool:
        """Wait until some user sees what these profiles show now; always return True.

        The directory's events have arrived then: what is done next is about the profiles as the
        model has them.
        """
        viewer = self._chance.choice(USERS)
        deadline = time.monotonic() + ACKNOWLEDGED_SECONDS
        for person in people:
            while any(self.fits(person, viewer)):
                if time.monotonic() > deadline:
                    raise NotAcknowledged(self.say(person, viewer))
                time.sleep(_LOOK_SECONDS)
        return True
