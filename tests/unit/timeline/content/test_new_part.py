import random
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.timeline.content.new_part import SNIPPET_LENGTH, Split, snippet, split
from tests.cost import LINEAR, growth

NEW = "Thank you, Monday suits me."
OLD = "Could you come on Monday?"

# -- who wrote what ---------------------------------------------------------------------------

ATTRIBUTIONS = [
    "On Fri, Jan 9, 2026 at 10:00 AM Anna Lind <anna@lind.example> wrote:",
    "On 09/01/2026 10:00, Anna Lind wrote:",
    'On 09/01/2026, 10:00, "Anna Lind" <anna@lind.example> wrote:',
    "On Fri, Jan 9, 2026 at 10:00 AM Anna Magdalena Lind-Petersen <\n"
    "anna.lind-petersen@lind.example> wrote:",
    "On Jan 9, 2026, at 10:00, Anna Lind\n<anna@lind.example>\nwrote:",
    "On Friday,\n9 January 2026, 10:00:00 CET, Anna Lind <anna@lind.example>\n wrote:",
    "Am Fr., 9. Jan. 2026 um 10:00 Uhr schrieb Anna Lind <anna@lind.example>:",
    "Am 09.01.2026 um 10:00 schrieb Anna Lind:",
    "Am Fr., 9. Jan. 2026 um 10:00 Uhr schrieb Anna Magdalena Lind <\nanna@lind.example>:",
    "Le ven. 9 janv. 2026 à 10:00, Anna Lind <anna@lind.example> a écrit :",
    "Le 09/01/2026 à 10:00, Anna Lind a écrit\u00a0:",
    "Le ven. 9 janv. 2026 à 10:00, Anna Lind <anna@lind.example> a\nécrit :",
    "El vie, 9 ene 2026 a las 10:00, Anna Lind (<anna@lind.example>) escribió:",
    "Em sex., 9 de jan. de 2026 às 10:00, Anna Lind <anna@lind.example> escreveu:",
    "Il giorno ven 9 gen 2026 alle ore 10:00 Anna Lind <anna@lind.example> ha scritto:",
    "Op vr 9 jan 2026 om 10:00 schreef Anna Lind <anna@lind.example>:",
    "Den fre 9 jan. 2026 kl 10:00 skrev Anna Lind <anna@lind.example>:",
    "fre. 9. jan. 2026 kl. 10:00 skrev Anna Lind <anna@lind.example>:",
    "pe 9. tammik. 2026 klo 10.00 Anna Lind (anna@lind.example) kirjoitti:",
    "pt., 9 sty 2026 o 10:00 Anna Lind <anna@lind.example> napisał(a):",
    "pá 9. 1. 2026 v 10:00 odesílatel Anna Lind <anna@lind.example> napsal:",
    "pi 9. 1. 2026 o 10:00 Anna Lind <anna@lind.example> napísal(a):",
    "Anna Lind <anna@lind.example> ezt írta (időpont: 2026. jan. 9., P, 10:00):",
    "Pe vin., 9 ian. 2026 la 10:00, Anna Lind <anna@lind.example> a scris:",
    "пт, 9 янв. 2026 г. в 10:00, Анна Линд <anna@lind.example>:",
    "09.01.2026 10:00, Анна Линд пишет:",
    "пт, 9 січ. 2026 р. о 10:00 Анна Лінд <anna@lind.example> пише:",
    "На пт, 9.01.2026 г. в 10:00 Анна Линд <anna@lind.example> написа:",
    "Στις Παρ 9 Ιαν 2026 στις 10:00 π.μ., ο/η Anna Lind <anna@lind.example> έγραψε:",
    "Anna Lind <anna@lind.example>, 9 Oca 2026 Cum, 10:00 tarihinde şunu yazdı:",
    "2026年1月9日(金) 10:00 アンナ <anna@lind.example>:",
    "2026/01/09 10:00、アンナ <anna@lind.example>のメール：",
    "Anna Lind <anna@lind.example> 于2026年1月9日周五 10:00写道：",
    "在 2026年1月9日，10:00，安娜 <anna@lind.example> 写道：",
    "Anna Lind <anna@lind.example> 於 2026年1月9日 週五 上午10:00寫道：",
    "2026년 1월 9일 (금) 오전 10:00, 안나 <anna@lind.example>님이 작성:",
    "\u202bבתאריך יום ו׳, 9 בינו׳ 2026 ב-10:00 מאת \u202aAnna Lind\u202c\u200f "
    "<\u202aanna@lind.example\u202c\u200f>:\u202c",
    "في الجمعة، 9 يناير 2026 في 10:00 ص تمت كتابة ما يلي بواسطة Anna Lind <anna@lind.example>:",
    "Vào Th 6, 9 thg 1, 2026 vào lúc 10:00 Anna Lind <anna@lind.example> đã viết:",
    "Pada tanggal Jum, 9 Jan 2026 pukul 10.00 Anna Lind <anna@lind.example> menulis:",
    "เมื่อ ศ. 9 ม.ค. 2026 เวลา 10:00 Anna Lind <anna@lind.example> เขียนว่า:",
    "El dia dv., 9 de gen. 2026, 10:00, Anna Lind <anna@lind.example> va escriure:",
]
BLOCKS = [
    "From: Anna Lind <anna@lind.example>\nSent: Friday, 9 January 2026 10:00\n"
    "To: Ben Okafor\nSubject: Monday",
    "*From:* Anna Lind\n*Sent:* Friday\n*To:* Ben Okafor <ben@okafor.example>;\n"
    "Carla Ruiz <carla@ruiz.example>\n*Subject:* Monday\n*Importance:* High",
    "Von: Anna Lind\nGesendet: Freitag, 9. Januar 2026 10:00\nAn: Ben Okafor\nBetreff: Montag",
    "De : Anna Lind\nEnvoyé : vendredi 9 janvier 2026 10:00\nÀ : Ben Okafor\nObjet : lundi",
    "De: Anna Lind\nEnviado el: viernes, 9 de enero de 2026\nPara: Ben\nAsunto: lunes",
    "De: Anna Lind\nEnviada em: sexta-feira\nPara: Ben Okafor\nAssunto: segunda-feira",
    "Da: Anna Lind\nInviato: venerdì 9 gennaio 2026\nA: Ben Okafor\nOggetto: lunedì",
    "Van: Anna Lind\nVerzonden: vrijdag\nAan: Ben Okafor\nOnderwerp: maandag",
    "Från: Anna Lind\nSkickat: den 9 januari 2026\nTill: Ben\nÄmne: måndag",
    "Fra: Anna Lind\nSendt: fredag 9. januar 2026\nTil: Ben\nEmne: mandag",
    "Lähettäjä: Anna Lind\nLähetetty: perjantai\nVastaanottaja: Ben\nAihe: maanantai",
    "Od: Anna Lind\nWysłano: piątek\nDo: Ben Okafor\nTemat: poniedziałek",
    "Od: Anna Lind\nOdesláno: pátek\nKomu: Ben Okafor\nPředmět: pondělí",
    "От: Анна Линд\nОтправлено: 9 января 2026 г.\nКому: Бен\nТема: понедельник",
    "Kimden: Anna Lind\nGönderildi: Cuma\nKime: Ben\nKonu: Pazartesi",
    "发件人: Anna Lind\n发送时间: 2026年1月9日 10:00\n收件人: Ben\n主题: 星期一",
    "寄件者：Anna Lind\n寄件日期：2026年1月9日\n收件者：Ben\n主旨：星期一",
    "差出人: Anna Lind\n送信日時: 2026年1月9日 10:00\n宛先: Ben\n件名: 月曜日",
    "보낸 사람: Anna Lind\n보낸 날짜: 2026년 1월 9일\n받는 사람: Ben\n제목: 월요일",
    "From: Anna Lind\n\nTo: Ben <ben@okafor.example>\n\nDate: 9 January 2026",
]
SEPARATORS = [
    "-----Original Message-----",
    "-------- Original Message --------",
    "-----Ursprüngliche Nachricht-----",
    "-----Message d'origine-----",
    "-----Mensaje original-----",
    "-----Mensagem original-----",
    "-----Messaggio originale-----",
    "-----Oorspronkelijk bericht-----",
    "-----Ursprungligt meddelande-----",
    "-----Opprinnelig melding-----",
    "-----Alkuperäinen viesti-----",
    "-----Wiadomość oryginalna-----",
    "-----Исходное сообщение-----",
    "-----Orijinal Mesaj-----",
    "------------------ 原始邮件 ------------------",
    "-----元のメッセージ-----",
    "-----원본 메시지-----",
]
FORWARDS = [
    "---------- Forwarded message ---------",
    "-------- Forwarded Message --------",
    "Begin forwarded message:",
    "---------- Weitergeleitete Nachricht ----------",
    "Anfang der weitergeleiteten Nachricht:",
    "---------- Message transféré ---------",
    "Début du message réexpédié\u00a0:",
    "---------- Mensaje reenviado ---------",
    "---------- Mensagem encaminhada ---------",
    "---------- Messaggio inoltrato ----------",
    "---------- Doorgestuurd bericht ----------",
    "---------- Vidarebefordrat meddelande ----------",
    "---------- Пересылаемое сообщение ----------",
    "---------- 转发的邮件 ----------",
    "---------- 転送メッセージ ----------",
    "---------- 전달된 메시지 ----------",
]
ADDED = [
    "Sent from my iPhone",
    "Get Outlook for iOS<https://outlook.example/ios>",
    "Von meinem iPhone gesendet",
    "Envoyé de mon iPhone",
    "Enviado desde mi iPhone",
    "Enviado do meu iPhone",
    "Inviato da iPhone",
    "Verstuurd vanaf mijn iPhone",
    "Skickat från min iPhone",
    "Sendt fra min iPhone",
    "Lähetetty iPhonesta",
    "Wysłane z iPhone'a",
    "Odesláno z iPhonu",
    "Отправлено с iPhone",
    "iPhone'umdan gönderildi",
    "发自我的iPhone",
    "iPhoneから送信",
    "나의 iPhone에서 보냄",
]


def _marked(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.split("\n"))


def _one_line(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("attribution", ATTRIBUTIONS)
def test_an_answer_stands_above_around_or_below_what_it_quotes(attribution: str) -> None:
    quoted = f"{attribution}\n{_marked(OLD)}"
    assert split(f"{NEW}\n\n{quoted}") == Split(NEW, quoted, "")
    assert split(f"{NEW}\n\n{attribution}\n\n{OLD}") == Split(NEW, f"{attribution}\n\n{OLD}", "")
    assert split(f"{quoted}\n\n{NEW}").new == NEW
    assert (
        split(f"Hello,\n\n{quoted}\n{NEW}\n{_marked(OLD)}\n\nBye").new == f"Hello,\n\n{NEW}\n\nBye"
    )


@pytest.mark.parametrize("block", BLOCKS)
def test_repeated_header_fields_begin_a_quote(block: str) -> None:
    for rule in ("", f"{'_' * 32}\n"):
        quoted = f"{rule}{block}\n\n{OLD}"
        assert split(f"{NEW}\n\n{quoted}") == Split(NEW, quoted, "")


@pytest.mark.parametrize("separator", SEPARATORS)
def test_a_separator_begins_a_quote(separator: str) -> None:
    for quoted in (f"{separator}\n{OLD}", f"{separator}\n{BLOCKS[0]}\n\n{OLD}"):
        assert split(f"{NEW}\n\n{quoted}") == Split(NEW, quoted, "")


def test_only_the_last_mail_of_a_long_exchange_is_new() -> None:
    older = f"{ATTRIBUTIONS[0]}\n{_marked(OLD)}\n{_marked(_marked(OLD))}\n\n{BLOCKS[2]}\n\n{OLD}"
    assert split(f"{NEW}\n\n{BLOCKS[0]}\n\n{older}").new == NEW
    assert split(f"{NEW}\n\n{ATTRIBUTIONS[0]}\n\n{_marked(older)}").new == NEW


def test_an_attribution_without_a_date_needs_marks() -> None:
    assert split(f"Anna wrote:\n{_marked(OLD)}\n{NEW}").new == NEW
    assert split(f"Zitat von Anna <anna@lind.example>:\n\n{_marked(OLD)}\n{NEW}").new == NEW
    text = f"{NEW}\n\nAs Anna wrote:\n\n{OLD}"
    assert split(text) == Split(text, "", "")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Just a text.",
        "On Monday we meet Anna. She wrote:\nfine.",
        "On 12 May 2025 the committee wrote:\n\nAll is well.",
        "Our trip:\n\nFrom: Berlin\nTo: Paris\nDate: 9 January 2026\n\nSee you there",
        "From: me\n\nto you",
        "Agenda:\n- one\n- two\n\nUntil then:\nBen",
        "Please write to Anna <anna@lind.example> about the following:\n\n* one",
        "a -> b\nb > c\nx <- y",
        "| a | b |\n|---|---|\n| c | d |",
        "---------- Results ----------\nall passed",
        "Sent from the airport the boarding passes are of no use to anybody who has left already, "
        "so please wait.",
    ],
)
def test_where_nothing_is_recognised_all_of_it_is_new(text: str) -> None:
    assert split(text) == Split(text, "", "")


@pytest.mark.parametrize("intro", [ATTRIBUTIONS[0], BLOCKS[0], SEPARATORS[0]])
def test_an_unmarked_quote_is_all_there_is_when_nothing_stands_before_it(intro: str) -> None:
    text = f"{intro}\n\n{OLD}"
    assert split(text) == Split(text, "", "")


def test_a_mail_may_add_nothing() -> None:
    quoted = f"{ATTRIBUTIONS[0]}\n{_marked(OLD)}"
    assert split(f"\n\n{quoted}\n") == Split("", quoted, "")


# -- forwards ---------------------------------------------------------------------------------


@pytest.mark.parametrize("separator", FORWARDS)
def test_a_forwarded_mail_is_new_with_all_that_it_quotes(separator: str) -> None:
    forwarded = f"{separator}\n\n{BLOCKS[0]}\n\n{OLD}\n\n{ATTRIBUTIONS[0]}\n{_marked('older')}"
    for text in (forwarded, f"FYI\n\n{forwarded}", f"FYI\n\n{_marked(forwarded)}"):
        assert _one_line(split(text).new) == _one_line(text)
        assert not split(text).quoted
    assert snippet(f"FYI\n\n{forwarded}").startswith(f"FYI {OLD} On Fri")
    assert snippet(forwarded).startswith(OLD)
    assert snippet(_marked(forwarded)).startswith(OLD)


@pytest.mark.parametrize("intro", [BLOCKS[0], f"{SEPARATORS[0]}\n{BLOCKS[0]}", ATTRIBUTIONS[0]])
def test_who_calls_says_that_a_mail_forwards(intro: str) -> None:
    text = f"FYI\n\n{intro}\n\n{OLD}"
    assert split(text).new == "FYI"
    assert split(text, forward=True).new == text
    assert snippet(text, forward=True) == f"FYI {OLD}"


def test_what_an_answer_to_a_forward_quotes_is_quoted() -> None:
    older = f"FYI\n\n{FORWARDS[0]}\n{BLOCKS[0]}\n\n{OLD}"
    assert split(f"{NEW}\n\n{ATTRIBUTIONS[0]}\n\n{_marked(older)}").new == NEW
    assert split(f"{NEW}\n\n{BLOCKS[1]}\n\n{older}").new == NEW


# -- signatures -------------------------------------------------------------------------------


@pytest.mark.parametrize("delimiter", ["-- ", "--"])
def test_a_signature_follows_its_delimiter(delimiter: str) -> None:
    signature = f"{delimiter}\nBen Okafor\nOkafor & Sons"
    quoted = f"{ATTRIBUTIONS[0]}\n{_marked(OLD)}"
    assert split(f"{NEW}\n{signature}") == Split(NEW, "", signature)
    assert split(f"{NEW}\n\n{signature}\n\n{quoted}") == Split(NEW, quoted, signature)
    assert split(f"{quoted}\n{NEW}\n{signature}") == Split(NEW, quoted, signature)


def test_a_long_text_below_a_delimiter_is_no_signature() -> None:
    text = "one\n--\n" + "\n".join(f"line {i}" for i in range(40))
    assert split(text) == Split(text, "", "")


@pytest.mark.parametrize("added", ADDED)
def test_what_a_program_adds_is_a_signature(added: str) -> None:
    quoted = f"{ATTRIBUTIONS[0]}\n{_marked(OLD)}"
    assert split(f"{NEW}\n\n{added}\n\n{quoted}") == Split(NEW, quoted, added)
    assert split(f"{NEW}\n{added}") == Split(NEW, "", added)
    assert split(f"{added}\n\n{NEW}") == Split(NEW, "", added)


# -- snippets ---------------------------------------------------------------------------------


def test_a_snippet_is_the_new_part_in_one_short_line() -> None:
    assert snippet(f"\n  {NEW}\n\n{NEW}\n-- \nBen\n\n{BLOCKS[0]}\n\n{OLD}") == f"{NEW} {NEW}"
    assert snippet("word \n\t" * 999) == ("word " * 40).rstrip()
    assert snippet("x" * 999) == "x" * SNIPPET_LENGTH
    assert snippet(" \n") == ""


def test_a_mail_that_adds_nothing_shows_what_it_quotes() -> None:
    assert snippet(_marked(OLD)) == OLD
    assert snippet("-- \nBen") == "-- Ben"


# -- hostile texts ----------------------------------------------------------------------------

CRAFTED = [
    *(
        ">",
        "On ",
        "-",
        "\n",
        " ",
        "From: ",
        "From:\n",
        "On \n",
        ">\n",
        "a\n",
        "a:\n",
        ":\n",
        "--\n",
    ),
    *("a\n>\n", "On a wrote:\n", "On 10:00 a wrote:\n>\n", "-- \n\n", "From: a\nTo: b\n", "<a@"),
    *(
        "----- Original Message -----\n>\n",
        "> Forwarded message:\n",
        "Sent from\n\n",
        "\u200e",
        " \n",
    ),
    *(
        "From: a@b\nSubject: x\nTo:\n>\n",
        "10:00 ",
        "2026 ",
        "(",
        "a 10:00 wrote:\n\n\n\n>",
        "_",
        "- ",
    ),
    *("To: a\n\n", "On 10:00 " * 40 + ":\n", "schrieb 1 " * 30 + ":\n", "1 schrieb " * 30 + ":\n"),
]


@pytest.mark.cost
@pytest.mark.parametrize("piece", CRAFTED, ids=lambda piece: repr(piece[:30]))
def test_crafted_texts_take_linear_time(piece: str) -> None:
    def text(size: int) -> str:
        return "a" + piece * (size // len(piece)) + "b"

    whole = text(1 << 17)
    parts = split(whole)
    assert len(parts.new) + len(parts.quoted) + len(parts.signature) <= 2 * len(whole)
    assert growth(lambda size: partial(split, text(size)), 1 << 13) < LINEAR


def _words(text: str) -> list[str]:
    return sorted(text.split())


def _assert_nothing_is_lost(text: str) -> None:
    for forward in (False, True):
        parts = split(text, forward=forward)
        assert _words(f"{parts.new}\n{parts.quoted}\n{parts.signature}") == _words(text)
        assert bool(snippet(text, forward=forward)) == bool(text.strip().strip(">").strip())


@given(st.text())
def test_any_text_is_split_without_a_loss(text: str) -> None:
    parts = split(text)
    assert _words(f"{parts.new}\n{parts.quoted}\n{parts.signature}") == _words(text)
    assert len(snippet(text)) <= SNIPPET_LENGTH


def test_mixed_texts_are_split_without_a_loss() -> None:
    chance = random.Random(20260109)
    pieces = [
        *ATTRIBUTIONS,
        *BLOCKS,
        *SEPARATORS,
        *FORWARDS,
        *ADDED,
        NEW,
        OLD,
        "",
        "-- ",
        ">",
        "> x",
    ]
    for _ in range(2_000):
        chosen = chance.choices(pieces, k=chance.randint(1, 9))
        _assert_nothing_is_lost(
            "\n".join(chance.choice([piece, _marked(piece)]) for piece in chosen)
        )
