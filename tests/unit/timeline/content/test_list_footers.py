"""Footers of mailing lists: out of what a mail adds and of its snippet, whatever list adds them."""

from functools import partial

import pytest

from services.timeline.content.new_part import Split, snippet, split
from tests.cost import LINEAR, growth

NEW = "Thank you, Monday suits me.\n\nBen"
QUOTE = "On Fri, Jan 9, 2026 at 10:00 AM Anna <anna@lind.example> wrote:\n> Could you come?"
UNMARKED = (
    "From: Anna <anna@lind.example>\nSent: Friday\nTo: Ben\nSubject: Monday\n\nCould you come?"
)
LONG = "_" * 47
LIST = "https://lists.okafor.example"

FOOTERS = {
    "mailman 2": f"{LONG}\nJobs mailing list\nJobs@okafor.example\n{LIST}/mailman/listinfo/jobs",
    "mailman 2, german": f"{LONG}\nJobs Mailingliste\nJobs@okafor.example\n{LIST}/listinfo/jobs",
    "mailman 2, french": f"{LONG}\nListe de diffusion Jobs\nJobs@okafor.example\n{LIST}/x/jobs",
    "mailman 2, its own words": f"{LONG}\nJobs mailing list, {LIST}/jobs\nBe kind.",
    "mailman 3": f"{LONG}\nJobs mailing list -- jobs@okafor.example\n"
    "To unsubscribe send an email to jobs-leave@okafor.example",
    "mailman 3, with a page": f"{LONG}\nJobs mailing list -- jobs@okafor.example\n"
    f"To unsubscribe send an email to jobs-leave@okafor.example\n{LIST}/postorius/lists/jobs/\n",
    "short rule": f"__\njobs mailing list\njobs@okafor.example\n{LIST}/mailman/listinfo/jobs",
    "google groups": "-- \nYou received this message because you are subscribed to the Google Groups "
    '"jobs" group.\nTo unsubscribe from this group and stop receiving emails from it, send an email '
    "to jobs+unsubscribe@googlegroups.com.\nTo view this discussion visit "
    "https://groups.google.com/d/msgid/jobs/1.",
    "google groups, in paragraphs": "--~--~---------~--~----~------------~-------~--~----~\n"
    'You received this message because you are subscribed to the Google Groups "jobs" group.\n'
    "To post to this group, send email to jobs@googlegroups.com\n\n"
    "To unsubscribe from this group, send email to jobs+unsubscribe@googlegroups.com\n\n"
    "For more options, visit this group at http://groups.google.com/group/jobs\n"
    "-~----------~----~----~----~------~----~------~--~---",
    "google groups, french": "-- \nVous recevez ce message, car vous êtes abonné au groupe Google "
    "Groupes « jobs ».\nPour vous désabonner de ce groupe, envoyez un e-mail à l'adresse "
    "jobs+unsubscribe@googlegroups.com.",
    "google groups, german": "-- \nSie erhalten diese Nachricht, weil Sie in Google Groups E-Mails "
    "von der Gruppe „jobs“ abonniert haben.\nWenn Sie sich abmelden möchten, senden Sie eine E-Mail "
    "an jobs+unsubscribe@googlegroups.com.",
    "groups.io": "-=-=-=-=-=-=-=-=-=-=-=-\nGroups.io Links: You receive all messages sent to this "
    "group.\nView/Reply Online (#12): https://groups.io/g/jobs/message/12\n"
    "Group Owner: jobs+owner@groups.io\nUnsubscribe: https://groups.io/g/jobs/unsub\n"
    "-=-=-=-=-=-=-=-=-=-=-=-",
    "topicbox": f"{'-' * 42}\njobs: okafor\nPermalink: https://okafor.topicbox.com/groups/jobs/T1-M2\n"
    "Delivery options: https://okafor.topicbox.com/groups/jobs/subscription",
    "yahoo groups": "------------------------------------\n\nYahoo Groups Links\n\n"
    "<*> To visit your group on the web, go to:\n    http://groups.yahoo.com/group/jobs/\n\n"
    "<*> To unsubscribe from this group, send an email to:\n    jobs-unsubscribe@yahoogroups.com",
    "debian": "-- \nTo UNSUBSCRIBE, email to jobs-REQUEST@lists.okafor.example\nwith a subject of "
    '"unsubscribe". Trouble? Contact listmaster@lists.okafor.example',
    "debian, no delimiter": "To UNSUBSCRIBE, email to jobs-REQUEST@lists.okafor.example\nwith a "
    'subject of "unsubscribe". Trouble? Contact listmaster@lists.okafor.example',
    "majordomo": '--\nTo unsubscribe from this list: send the line "unsubscribe jobs" in\nthe body of '
    "a message to majordomo@okafor.example\nMore majordomo info at  http://okafor.example/info.html",
    "ezmlm": f"{'-' * 69}\nTo unsubscribe, e-mail: jobs-unsubscribe@okafor.example\n"
    "For additional commands, e-mail: jobs-help@okafor.example",
    "listserv": f"{'#' * 72}\n\nTo unsubscribe from the JOBS-L list, click the following link:\n"
    "https://listserv.okafor.example/scripts/wa.exe?SUBED1=JOBS-L&A=1",
    "sympa": f"{'-' * 30}\nPour se désabonner de la liste jobs :\n{LIST}/sympa/signoff/jobs",
    "discourse": f"---\n[Visit Topic]({LIST}/t/1/2) or reply to this email to respond.\n\n"
    f"To unsubscribe from these emails, [click here]({LIST}/email/unsubscribe/1).",
    "spanish": f"-----\nPara darse de baja de la lista escriba a jobs@okafor.example\n{LIST}",
    "italian": f"*****\nPer cancellarsi dalla lista: {LIST}/jobs",
    "portuguese": f"-----\nPara cancelar sua inscrição visite {LIST}/jobs",
    "dutch": f"-----\nAfmelden kan via {LIST}/jobs",
    "russian": f"-----\nЧтобы отписаться от рассылки, откройте {LIST}/jobs",
    "japanese": f"-----\n配信停止はこちら: {LIST}/jobs",
}


@pytest.mark.parametrize("name", FOOTERS)
def test_a_list_footer_is_no_part_of_what_a_mail_adds(name: str) -> None:
    footer = FOOTERS[name].rstrip("\n")
    assert split(f"{NEW}\n\n{footer}") == Split(NEW, "", footer)
    if "no delimiter" not in name:
        assert split(f"{NEW}\n{footer}\n\n") == Split(NEW, "", footer)
    assert snippet(f"{NEW}\n\n{footer}") == " ".join(NEW.split())


@pytest.mark.parametrize("name", FOOTERS)
def test_nor_after_or_before_a_quote(name: str) -> None:
    footer = FOOTERS[name].rstrip("\n")
    assert split(f"{NEW}\n\n{QUOTE}\n\n{footer}") == Split(NEW, QUOTE, footer)
    assert split(f"{QUOTE}\n\n{NEW}\n\n{footer}") == Split(NEW, QUOTE, footer)
    assert split(f"{NEW}\n\n{footer}\n\n{QUOTE}") == Split(NEW, QUOTE, footer)
    assert split(f"{NEW}\n\n{footer}\n\n{UNMARKED}") == Split(NEW, UNMARKED, footer)
    below = split(f"{NEW}\n\n{UNMARKED}\n\n{footer}")
    assert (below.new, below.signature) == (NEW, "")


@pytest.mark.parametrize("name", FOOTERS)
def test_a_signature_stands_beside_it(name: str) -> None:
    footer = FOOTERS[name].rstrip("\n")
    signature = "-- \nBen Okafor\nhttps://okafor.example"
    found = split(f"{NEW}\n{signature}\n\n{footer}")
    assert found.new == NEW
    assert found.signature.split() == [*signature.split(), *footer.split()]
    assert split(f"{NEW}\n\nSent from my iPhone\n\n{footer}").new == NEW


@pytest.mark.parametrize("name", FOOTERS)
def test_a_mail_that_is_all_footer_shows_it(name: str) -> None:
    footer = FOOTERS[name].rstrip("\n")
    if "--" not in footer.split("\n")[0].split():
        assert split(footer) == Split(footer, "", "")
    assert split(f"{QUOTE}\n\n{footer}") == Split("", QUOTE, footer)
    assert snippet(footer)
    assert snippet(f"{QUOTE}\n\n{footer}") == "Could you come?"


def test_two_lists_add_two_footers() -> None:
    both = f"{FOOTERS['mailman 2']}\n\n{FOOTERS['google groups']}"
    assert split(f"{NEW}\n\n{both}") == Split(NEW, "", both)


def test_text_of_another_part_may_follow_mailmans() -> None:
    found = split(f"{NEW}\n\n{FOOTERS['mailman 2']}\n\nSee the picture above.")
    assert found == Split(f"{NEW}\n\nSee the picture above.", "", FOOTERS["mailman 2"])


def test_a_forwarded_mail_keeps_no_footer_either() -> None:
    head = "---------- Forwarded message ---------\n" + UNMARKED
    found = split(f"FYI\n\n{head}\n\n{FOOTERS['mailman 3']}")
    assert (found.new, found.signature) == (f"FYI\n\n{head}", FOOTERS["mailman 3"])


@pytest.mark.parametrize(
    "text",
    [
        f"Please fill in:\n\n{LONG}\nName: Ben\nMail: ben@okafor.example\n{LONG}\nDate: ____________",
        f"Sign here:\n\n{LONG}\nBen Okafor, https://okafor.example",
        f"One\n\n{LONG}\n\nTwo",
        f"One\n{LONG}",
        f"{NEW}\n\n{LONG}\nThis message is confidential. If you are not its recipient, write to "
        "office@okafor.example and delete it.",
        f"{NEW}\n\n-----\nHow do I unsubscribe from {LIST}/jobs? I tried it twice.",
        f"{NEW}\n\n-----\nPlease unsubscribe me from {LIST}/jobs.",
        f"How do I unsubscribe from this mailing list?\n{LIST}/mailman/listinfo/jobs did not help.",
        f"Agenda\n{LONG}\nOur mailing list moved to {LIST}/jobs. Please have a look.\n\nBen",
        f"{NEW}\n\n-----\nAgenda: {LIST}/agenda\nRoom 5",
        "The steps:\n\n-----\nUnsubscribe, then subscribe again.",
        f"To unsubscribe people the admin opens {LIST}/jobs\n\n-----\nMore on Monday.",
        "You are receiving this message because you applied at https://okafor.example.\n\nBen",
        f"-----\nTo unsubscribe see {LIST}/jobs\n-----\n\nThat is what the page says. Is it right?",
    ],
)
def test_what_a_person_writes_stays(text: str) -> None:
    assert split(text) == Split(text, "", "")


CRAFTED = [
    *(f"{LONG}\nx mailing list x@y.example\n\n", "-=-=-=\n", "To unsubscribe, e-mail:\n\n"),
    *("--\nunsubscribe https://x\n\nabc\n\n", f"{LONG}\n/listinfo x@y\n>\n"),
]


@pytest.mark.cost
@pytest.mark.parametrize("piece", CRAFTED, ids=lambda piece: repr(piece[:60]))
def test_the_time_is_linear_in_a_crafted_text(piece: str) -> None:
    def text(size: int) -> str:
        return f"a\n{piece * (size // len(piece))}b"

    assert growth(lambda size: partial(split, text(size)), 1 << 12) < LINEAR
