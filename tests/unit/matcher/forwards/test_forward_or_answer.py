"""A mail to the capture address alone that quotes another: a forward, or only an answer."""

import pytest

from services.matcher.forwards import forwarded_in, read_forward

SENDER = "jane@mail.example"
BLOCK = (
    f"From: Jane Roe <{SENDER}>\nSent: Friday, 13 March 2026 10:15\n"
    "To: Sam Poe <sam@team.example>\nSubject: My application\n\nThe text."
)
GERMAN = (
    f"Von: Jane Roe <{SENDER}>\nGesendet: Freitag, 13. März 2026 10:15\n"
    "An: Sam Poe <sam@team.example>\nBetreff: Bewerbung\n\nDer Text."
)
FINNISH = (
    f"Lähettäjä: Jane Roe <{SENDER}>\nLähetetty: perjantai 13. maaliskuuta 2026 10.15\n"
    "Vastaanottaja: Sam Poe <sam@team.example>\nAihe: Hakemus\n\nTeksti."
)
DANISH = (
    f"Fra: Jane Roe <{SENDER}>\nSendt: 13. marts 2026 10:15\n"
    "Til: Sam Poe <sam@team.example>\nEmne: Ansøgning\n\nTeksten."
)
OUTLOOK = f"Thanks, Monday is fine.\n\n{'_' * 32}\n{BLOCK}"
MARKED = f"Have a look.\n\n---------- Forwarded message ---------\n{BLOCK}"
ATTRIBUTION = f"On Fri, 13 Mar 2026 at 10:15, Jane Roe <{SENDER}> wrote:"


def is_forward(text: str, subject: str) -> bool:
    found = forwarded_in(text, subject)
    if found is not None:
        assert found.shown.sender.address == SENDER
    return found is not None


ANSWERS = [
    *(
        "Re: My application",
        "RE: My application",
        "re: x",
        "Re:x",
        "RE : x",
        "Re[2]: x",
        "Re(3): x",
    ),
    *("AW: x", "Antw: x", "Antwort: x", "SV: x", "Sv: x", "Odp: x", "YNT: x", "RES: x", "RIF: x"),
    *(
        "R: x",
        "Vá: x",
        "Απ: x",
        "ΑΠ: x",
        "Ответ: x",
        "Отв: x",
        "回复: x",
        "回复：x",
        "答复: x",
        "回覆: x",
    ),
    *(
        "Odg: x",
        "Ats: x",
        "תשובה: x",
        "رد: x",
        "답장: x",
        "[jobs] Re: x",
        "Re: [jobs] x",
        "[a] [b] AW: x",
    ),
    *("Re: Fwd: x", "AW: WG: x", "Re: Re: Fwd: x", "SV: VB: x"),
]


@pytest.mark.parametrize("subject", ANSWERS)
@pytest.mark.parametrize("text", [OUTLOOK, f"-----Original Message-----\n{BLOCK}", GERMAN, BLOCK])
def test_an_answer_with_a_header_block_is_no_forward(subject: str, text: str) -> None:
    assert not is_forward(text, subject)


@pytest.mark.parametrize(
    "subject",
    [
        *(
            "Fwd: x",
            "FW: x",
            "WG: x",
            "TR: x",
            "RV: x",
            "I: x",
            "ENC: x",
            "PD: x",
            "VB: x",
            "转发: x",
        ),
        *("Fwd: Re: x", "WG: AW: x", "[jobs] Fwd: x", "FW: RE: x"),
        *(
            "",
            "My application",
            "for the file",
            "Candidate: Jane Roe",
            "Urgent: Jane",
            "Return to me",
        ),
    ],
)
def test_a_header_block_is_a_forward_under_every_other_subject(subject: str) -> None:
    """Outlook's forward with an edited subject has a rule and a block, and no word that says so."""
    for text in (OUTLOOK, GERMAN, BLOCK, f"-----Original Message-----\n{BLOCK}"):
        assert is_forward(text, subject)


@pytest.mark.parametrize(
    "separator",
    [
        *("---------- Forwarded message ---------", "-------- Weitergeleitete Nachricht --------"),
        *(
            "Begin forwarded message:",
            "Anfang der weitergeleiteten Nachricht:",
            "----- Dalsze -----",
        ),
    ],
)
@pytest.mark.parametrize("quote", ["", "> "])
def test_an_answer_that_says_forwarded_is_a_forward(separator: str, quote: str) -> None:
    lines = f"{separator}\n\n{BLOCK}".split("\n")
    text = "See below.\n\n" + "\n".join(quote + line for line in lines)
    assert is_forward(text, "Re: x") is ("Dalsze" not in separator)


@pytest.mark.parametrize(
    "text",
    [
        f"Thanks.\n\n{ATTRIBUTION}\n\n> See this.\n>\n> ---------- Forwarded message ---------\n> "
        + BLOCK.replace("\n", "\n> "),
        "Danke.\n\nAm 14.03.26 um 09:00 schrieb Sam Poe:\n> ---------- Forwarded message ---------\n"
        + BLOCK,
        f"Thanks.\n\n{BLOCK.replace('jane', 'sam')}\n\n---------- Forwarded message ---------\n{BLOCK}",
        "Danke.\n\nAm Samstag schrieb Sam Poe <sam@team.example>:\n\n"
        f"-------- Weitergeleitete Nachricht --------\n{GERMAN}",
        f"Thanks.\n\nOn Sat, 14 Mar 2026, at 9:00, Sam Poe <\nsam@team.example> wrote:\n\n"
        f"---------- Forwarded message ---------\n{BLOCK}",
        "Thanks.\n\nSam Poe wrote:\n> ---------- Forwarded message ---------\n> "
        + BLOCK.replace("\n", "\n> "),
        "Thanks.\n\nQuoting Sam Poe <sam@team.example>:\n\n> Begin forwarded message:\n>\n> "
        + BLOCK.replace("\n", "\n> "),
        f"-----Original Message-----\n{GERMAN}\n\n---------- Forwarded message ---------\n{BLOCK}",
    ],
)
def test_what_was_forwarded_in_the_mail_that_is_answered_is_no_forward(text: str) -> None:
    assert not is_forward(text, "Re: Fwd: x")


def test_vs_answers_in_finnish_and_forwards_in_danish() -> None:
    assert not is_forward(f"Kiitos.\n\n{FINNISH}", "VS: Hakemus")
    assert is_forward(f"Se her.\n\n{DANISH}", "VS: Ansøgning")
    assert is_forward(f"Katso.\n\n{FINNISH}", "VL: Hakemus")


def test_references_say_nothing() -> None:
    raw = (
        "Subject: {}\nIn-Reply-To: <1@mail.example>\nReferences: <1@mail.example>\n"
        f"Content-Type: text/plain\n\n{OUTLOOK}"
    )
    assert read_forward(raw.format("Fwd: x").encode()) is not None
    assert read_forward(raw.format("x").encode()) is not None
    assert read_forward(raw.format("Re: x").encode()) is None


PEOPLE = f'Jane Roe <{SENDER}>{{to}}"sam@team.example" <sam@team.example>{{cc}}'
COPIES = "Kim Poe <kim@mail.example>; Lee <lee@mail.example>"
ON_ONE_LINE = {
    "pl": f"   ----- Przekazana wiadomość ----- Od: {PEOPLE.format(to='Do: ', cc='Dw ')}{COPIES}"
    "Wysłano: piątek, 13 marca 2026, 10:15:00 UTCTemat: Rozmowa\n Tekst",
    "pt": f"   ----- Mensagem reencaminhada ----- De: {PEOPLE.format(to='Para: ', cc='Cc: ')}{COPIES}"
    "Enviado: sexta-feira, 13 de março de 2026, 10:15:00 UTCAssunto Rozmowa\n Texto",
    "neither": f"   ----- Przekazana wiadomość ----- Od: {PEOPLE.format(to='Do ', cc='DW: ')}{COPIES}"
    "Wysłano: piątek, 13 marca 2026, 10:15:00 UTCTemat: Rozmowa\n Tekst",
    "date": f"   ----- Mensaje reenviado ----- De: {PEOPLE.format(to='Para: ', cc='CC: ')}{COPIES}"
    "Enviado viernes, 13 de marzo de 2026, 10:15:00 UTCAsunto: Rozmowa\n Texto",
}


@pytest.mark.parametrize("language", ON_ONE_LINE)
def test_a_label_on_one_line_with_others_may_have_no_colon(language: str) -> None:
    found = forwarded_in(ON_ONE_LINE[language], "Fwd: Rozmowa")
    assert found is not None
    shown = found.shown
    assert (shown.sender.address, shown.subject) == (SENDER, "Rozmowa")
    assert [named.address for named in shown.to] == ["sam@team.example"]
    assert [named.address for named in shown.cc] == ["kim@mail.example", "lee@mail.example"]
    assert shown.date is not None
    assert shown.date.isoformat() == "2026-03-13T10:15:00+00:00"


def test_words_of_a_subject_on_one_line_are_no_labels() -> None:
    line = ON_ONE_LINE["pl"].replace("Temat: Rozmowa", "Temat: UTCTemat Do Kim <kim@x>Dw Lee")
    found = forwarded_in(line, "Fwd: x")
    assert found is not None
    assert found.shown.subject == "UTCTemat Do Kim <kim@x>Dw Lee"
