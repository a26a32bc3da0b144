"""Introductions of quotes as clients write them, in many languages: invented mails, real forms."""

from functools import partial

import pytest

from services.timeline.content.new_part import Split, snippet, split
from tests.cost import LINEAR, growth

NEW = "Thank you, Monday suits me."
OLD = "Could you come on Monday?\n\nAnna"
ANNA, BEN = "Anna Lind <anna@lind.example>", "Ben Okafor <ben@okafor.example>"
LONG = "anna-magdalena.lind-petersen@personalabteilung.lind.example"

BLOCKS = {
    "gmx": f'Gesendet: Freitag, 13. März 2026 um 10:15 Uhr\nVon: "Anna Lind" <anna@lind.example>\n'
    f"An: {BEN}\nBetreff: Montag",
    "gmx, name alone": "Gesendet: Freitag, 13. März 2026 um 10:15 Uhr\nVon: Anna Lind\nAn: Ben\n"
    "Betreff: Montag",
    "gmx, with copies": f"Gesendet: Freitag, 13. März 2026 um 10:15\nVon: {ANNA}\nAn: {BEN},\n"
    " carla@ruiz.example\nCc: Dora <dora@lind.example>\nBetreff: Montag",
    "mail.com": f"Sent: Friday, March 13, 2026 at 10:15 AM\nFrom: {ANNA}\nTo: {BEN}\nSubject: Monday",
    "hotmail": "Date: Fri, 13 Mar 2026 10:15:00 +0100\nFrom: anna@lind.example\nTo: ben@okafor.example\n"
    "Subject: Monday",
    "hotmail, subject first": "Subject: RE: Monday\nDate: Fri, 13 Mar 2026 10:15:00 +0100\n"
    "From: anna@lind.example\nTo: ben@okafor.example",
    "hotmail, from first": "From: anna@lind.example\nTo: ben@okafor.example\nSubject: RE: Monday\n"
    "Date: Fri, 13 Mar 2026 10:15:00 +0100",
    "hotmail, to first": "To: ben@okafor.example\nSubject: RE: Monday\nFrom: anna@lind.example\n"
    "Date: Fri, 13 Mar 2026 10:15:00 +0100",
    "windows mail": f"Subject: Monday\nTo: {BEN}\nFrom: {ANNA}\nSent: 13 March 2026 10:15",
    "windows live mail": f"From: Anna Lind \nSent: Friday, March 13, 2026 10:15 AM\nTo: {BEN} \n"
    "Subject: Monday",
    "outlook, mailto": "From: Anna Lind [mailto:anna@lind.example]\nSent: Friday\nTo: Ben\nSubject: x",
    "outlook, wrapped sender": f"From: Anna Magdalena Lind-Petersen \n<{LONG}> \nSent: Friday 10:15\n"
    "To: Ben\nSubject: Monday",
    "outlook, bold and wrapped": "*From:* anna@lind.example [mailto:\nanna@lind.example]\n"
    "*Sent:* Friday, March 13, 2026 10:15 AM\n*To:* Ben\n*Subject:* Monday",
    "outlook for mac": f"From: {ANNA}\nDate: Friday, 13 March 2026 at 10:15\nTo: {BEN}\nSubject: Monday",
    "outlook, long subject": f"From: {ANNA}\nSent: Friday\nTo: Ben\nSubject: A long subject that was\n"
    "wrapped by somebody",
    "zimbra": f"De: Anna Lind\nÀ: {BEN}\nEnvoyé: Vendredi 13 Mars 2026 10:15:00\nObjet: Lundi",
    "orange": f"Message du : 13/03/2026 10:15\nDe : {ANNA}\nA : ben@okafor.example\nObjet : Lundi",
    "italian": f"Da: {ANNA}\nRisposta: Lind\nData: venerdì 13 marzo 2026 10:15\nA: Ben\nOggetto: x",
    "italian, date first": f"Data: 13 marzo 2026 10:15\nDa: {ANNA}\nA: {BEN}\nOggetto: lunedì",
    "spanish, date first": f"Fecha: vie, 13 mar 2026 10:15\nDe: {ANNA}\nPara: {BEN}\nAsunto: lunes",
    "portuguese, subject first": f"Assunto: Segunda\nDe: {ANNA}\nPara: {BEN}\nData: 13/03/2026 10:15",
    "dutch, sent first": f"Verzonden: vrijdag 13 maart 2026 om 10:15\nVan: {ANNA}\nAan: Ben\nOnderwerp: x",
    "swedish, date first": f"Datum: 13 mars 2026 10:15\nFrån: {ANNA}\nTill: Ben\nÄmne: måndag",
    "danish, sent first": f"Sendt: 13. marts 2026 10:15\nFra: {ANNA}\nTil: Ben\nEmne: mandag",
    "finnish": f"Lähetetty: 13. maaliskuuta 2026 10.15\nLähettäjä: {ANNA}\nVastaanottaja: Ben\nAihe: x",
    "polish": f"Data: 13 marca 2026 10:15\nOd: {ANNA}\nDo: {BEN}\nTemat: poniedziałek",
    "czech": f"Datum: 13. 3. 2026 10:15\nOd: {ANNA}\nKomu: {BEN}\nPředmět: pondělí",
    "slovak": f"Odoslané: 13. 3. 2026 10:15\nOd: {ANNA}\nKomu: {BEN}\nPredmet: pondelok",
    "hungarian": f"Dátum: 2026. március 13. 10:15\nFeladó: {ANNA}\nCímzett: Ben\nTárgy: hétfő",
    "romanian": f"De la: {ANNA}\nTrimis: vineri, 13 martie 2026 10:15\nCătre: Ben\nSubiect: luni",
    "russian": f"Дата: 13 марта 2026 г. 10:15\nОт: {ANNA}\nКому: Бен\nТема: понедельник",
    "ukrainian": f"Від: {ANNA}\nНадіслано: 13 березня 2026 р. 10:15\nКому: Бен\nТема: понеділок",
    "turkish": f"Kimden: {ANNA}\nTarih: 13 Mart 2026 Cuma 10:15\nKime: Ben\nKonu: Pazartesi",
    "greek": f"Από: {ANNA}\nΗμερομηνία: 13 Μαρτίου 2026 10:15\nΠρος: Ben\nΘέμα: Δευτέρα",
    "japanese": f"送信日時: 2026年3月13日 10:15\n差出人: {ANNA}\n宛先: Ben\n件名: 月曜日",
    "chinese": f"发件人：{ANNA}\n发送时间：2026年3月13日 10:15\n收件人：Ben\n主题：星期一",
    "korean": f"보낸 사람: {ANNA}\n날짜: 2026년 3월 13일 10:15\n받는 사람: Ben\n제목: 월요일",
    "vietnamese": f"Từ: {ANNA}\nĐã gửi: 13 tháng 3, 2026 10:15\nĐến: Ben\nChủ đề: thứ hai",
    "notes": "From:\tAnna Lind/HR/Lind\nTo:\tBen Okafor/IT/Lind@LIND\nCc:\t\nDate:\t13.03.2026 10:15\n"
    "Subject:\tMonday",
    "notes 8": "Anna Lind---13.03.2026 10:15:22---Hello Ben, could you\n\n"
    "From:\tAnna Lind/HR/Lind\nTo:\tBen Okafor/IT/Lind@LIND\nDate:\t13.03.2026 10:15\nSubject:\tMonday",
    "notes 6": "Anna Lind/HR/Lind\n13.03.2026 10:15\n\n        To: Ben Okafor/IT/Lind@LIND\n"
    "        cc:\n        Subject: Monday",
    "blackberry": f"Original Message\nFrom: {ANNA}\nSent: Friday, 13 March 2026 10:15\nTo: Ben\nSubject: x",
    "outlook mobile": f"{'_' * 32}\nFrom: {ANNA}\nSent: Friday, March 13, 2026 10:15:22 AM\nTo: Ben\n"
    "Subject: Monday",
    "words in no table": f"-------- Zprávička --------\nOd: {ANNA}\nDatum: 13. 3. 2026\nPředmět: x",
    "a table of cells": f"From:\n{ANNA}\nDate:\n13 March 2026 10:15\nTo:\nBen\nSubject:\nMonday",
}

SEPARATORS = [
    *(
        "----- Mail original -----",
        "-------- Message d'origine --------",
        "----- Original Message -----",
    ),
    *("------- Original Message -------", "\u2010" * 7 + " Original Message " + "\u2010" * 7),
    *(
        "-------- Message original --------",
        "-----E-mail d'origine-----",
        "-------- Courriel original -----",
    ),
    *(
        "-----Original-Nachricht-----",
        "-------- Originalnachricht --------",
        "-----Urspr. Mitteilung-----",
    ),
    *("-------- Ursprüngliche Nachricht --------", "*-------- Original Message --------*"),
    *(
        "----- Messaggio originale -----",
        "-------- Mensaje original --------",
        "-----Mensagem Original-----",
    ),
    *("-------- Oorspronkelijk bericht --------", "-------- Wiadomość oryginalna --------"),
    *(
        "-------- Исходное сообщение --------",
        "-------- Původní zpráva --------",
        "-----Eredeti üzenet-----",
    ),
    *(
        "-------- Mesaj original --------",
        "-------- Αρχικό μήνυμα --------",
        "----- 元のメッセージ -----",
    ),
    *("---- Anna Lind wrote ----", "-------- Anna Lind schrieb --------"),
    "---- On Fri, 13 Mar 2026 10:15:00 +0100 anna@lind.example wrote ----",
    "---- On Fri, 13 Mar 2026 10:15:00 +0100 Anna Lind <anna@lind.example> wrote ---",
]

ATTRIBUTIONS = [
    # Apple in Polish, Roundcube in Russian and Lithuanian
    f"Wiadomość napisana przez {ANNA} w dniu 13 mar 2026, o godz. 10:15:",
    "Wiadomość napisana przez Anna Lind w dniu 13 mar 2026, o godz. 10:15:",
    "Анна Линд писал(а) 2026-03-13 10:15:",
    "Anna Lind rašė 2026-03-13 10:15:",
    # Gmail, wrapped before and inside the address, over two to four lines
    f"On Fri, Mar 13, 2026 at 10:15 AM Anna Lind <\n{LONG}> wrote:",
    f"On Fri, Mar 13, 2026 at 10:15 AM Anna Lind\n<{LONG}> wrote:",
    f"On Fri, Mar 13, 2026 at 10:15 AM Anna Lind\n<\n{LONG}>\nwrote:",
    "On Fri, Mar 13, 2026 at 10:15 AM Anna Lind <anna@lind.example\n> wrote:",
    f"2026-03-13 10:15 GMT+01:00 Anna Lind <\n{LONG}>:",
    "2026-03-13 10:15 GMT+01:00 Anna Lind <anna@lind.example>:",
    f"Am Fr., 13. März 2026 um 10:15 Uhr schrieb Anna Lind <\n{LONG}>:",
    'Am 13.03.2026 10:15 schrieb "Anna Lind" <anna@lind.example\n>:',
    f"{ANNA} schrieb am Fr., 13.\nMärz 2026 um 10:15 Uhr:",
    f"{ANNA} schrieb am Fr., 13. März 2026\num 10:15 Uhr:",
    'Le 13 mars 2026 10:15, "Anna Lind"\n<anna@lind.example>\na écrit :',
    f"Le ven. 13 mars 2026 à 10:15, Anna Lind <{LONG}>\na écrit :",
    "Le ven. 13 mars 2026 à 10:15, Anna Lind <anna@lind.example> a\nécrit :",
    "Le ven. 13 mars\n2026 à 10:15, Anna Lind\n<anna@lind.example> a\nécrit :",
    f"El vie, 13 mar 2026 a las 10:15, Anna Lind\n(<{LONG}>) escribió:",
    "El vie, 13 mar 2026\na las 10:15, Anna Lind (<anna@lind.example>)\nescribió:",
    f"Em sex., 13 de mar. de 2026 às 10:15, Anna Lind <\n{LONG}> escreveu:",
    f"Il giorno ven 13 mar 2026 alle ore 10:15 Anna Lind <\n{LONG}> ha scritto:",
    "Il venerdì 13 marzo 2026, Anna Lind <anna@lind.example>\nha scritto:",
    f"Op vr 13 mrt 2026 om 10:15 schreef Anna Lind <\n{LONG}>:",
    "tir. 13. mars 2026 kl. 10:15 skrev Anna Lind <anna@lind.example\n>:",
    f"Den fre 13 mars 2026 kl 10:15 skrev Anna Lind <\n{LONG}>:",
    f"pt., 13 mar 2026 o 10:15 Anna Lind <\n{LONG}> napisał(a):",
    f"пт, 13 мар. 2026 г. в 10:15, Anna Lind <\n{LONG}>:",
    f'13 марта 2026 г. 10:15 пользователь "Анна Линд" <\n{LONG}> написал:',
    f"2026年3月13日(金) 10:15 Anna Lind <\n{LONG}>:",
    # phones, in German and Russian
    "Am 12.03.26 um 10:15 schrieb Anna Lind:",
    "Am 12.03.26 um 10:15 schrieb Anna Lind <anna@lind.example>:",
    "Am 12.03.2026 um 10:15 schrieb anna@lind.example:",
    "Am 12. März 2026 10:15:22 MEZ schrieb Anna Lind <anna@lind.example>:",
    "Am 12.03.26, 10:15, Anna Lind <anna@lind.example> schrieb:",
    "Am Donnerstag, 12. März 2026 um 10:15:22 MEZ hat Anna Lind\n<anna@lind.example> Folgendes "
    "geschrieben:",
    "12 марта 2026 г., в 10:15, Анна Линд <anna@lind.example> написал(а):",
    "12 марта 2026 г., в 10:15, Анна Линд\n<anna@lind.example> написал(а):",
    "Пятница, 13 марта 2026, 10:15 +03:00 от Анна Линд <anna@lind.example>:",
    "Пятница, 13 марта 2026, 10:15 +03:00 от anna@lind.example:",
    '13.03.2026, 10:15, "Анна Линд" <anna@lind.example>:',
    '13.03.2026, 10:15, "Анна Линд"\n<anna@lind.example>:',
    # others
    "On Fri, Mar 13, 2026 at 10:15 AM Anna Lind\n\n<\nmailto:Anna Lind <anna@lind.example>\n> wrote:",
    "On 13 Mar 2026, 10:15 +0100, Anna Lind <anna@lind.example>, wrote:",
    "On Fri, Mar 13, 2026 at 10:15 AM, Anna Lind < anna@lind.example > wrote:",
    "On March 13, 2026 at 10:15 AM GMT+1, Anna Lind (anna@lind.example) wrote:",
    "On 13 Mar 2026, at 10:15, Anna Lind wrote:",
    "On Fri, 13 Mar 2026 10:15:00 +0100 Anna Lind <anna@lind.example> wrote",
    "On Friday, March 13, 2026 at 10:15:22 AM GMT+1, Anna Lind\n<anna@lind.example> wrote:",
    "On Friday, March 13th, 2026 at 10:15, Anna Lind <anna@lind.example> wrote:",
    '10:15 AM, March 13, 2026, "Anna Lind" <anna@lind.example>:',
    "En viernes, 13 de marzo de 2026, 10:15:22 CET, Anna Lind <anna@lind.example> escribió:",
    "Op 13 mrt 2026 om 10:15 heeft Anna Lind <anna@lind.example> het volgende\ngeschreven:",
    "Anna Lind <anna@lind.example> kirjoitti 13.3.2026 kello 10.15:",
    "W dniu 13.03.2026 o 10:15, Anna Lind pisze:",
    "Dne 13. 3. 2026 v 10:15 Anna Lind <anna@lind.example> napsal(a):",
    "13. 3. 2026 v 10:15, Anna Lind <anna@lind.example>:",
    "2026. márc. 13. dátummal, 10:15 időpontban Anna Lind <anna@lind.example> írta:",
    "Pe 13 mar. 2026, la 10:15, Anna Lind <anna@lind.example> a scris:",
    "13 Μαρ 2026, 10:15 π.μ., ο χρήστης «Anna Lind <anna@lind.example>» έγραψε:",
    "Anna Lind <anna@lind.example> şunları yazdı (13 Mar 2026 10:15):",
    "2026. 3. 13. 오전 10:15, Anna Lind <anna@lind.example> 작성:",
    "2026-03-13 오전 10:15에 Anna Lind 이(가) 쓴 글:",
    "2026/03/13 10:15、Anna Lind <anna@lind.example>のメール:",
    "2026年3月13日 10:15，Anna Lind <anna@lind.example> 写道：",
    "Vào 10:15 13 tháng 3, 2026, Anna Lind <anna@lind.example> đã viết:",
    "Anna Lind <anna@lind.example> wrote:",
    "On 13 Mar 2026, at 10:15, Kim Han wrote:",
    "On 13 Mar 2026 10:15:22 AM, anna_lind wrote:",
]


def marked(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.split("\n"))


@pytest.mark.parametrize("name", BLOCKS)
def test_a_header_block_begins_a_quote_whatever_its_order(name: str) -> None:
    block = BLOCKS[name]
    for quoted in (f"{block}\n\n{OLD}", f"{block}\n\n{marked(OLD)}"):
        found = split(f"{NEW}\n\n{quoted}")
        assert (found.new, found.signature) == (NEW, "")
        assert found.quoted.split() == quoted.split()
    assert split(f"{NEW}\n{block}\n\n{OLD}").new == NEW or "notes 6" in name or name == "blackberry"


@pytest.mark.parametrize("separator", SEPARATORS)
def test_words_between_dashes_begin_a_quote(separator: str) -> None:
    for block in ("", *BLOCKS.values()):
        quoted = f"{separator}\n{block}\n\n{OLD}"
        if not block.startswith((">", "Anna", "Original", "--")):
            assert split(f"{NEW}\n\n{quoted}").new == NEW


@pytest.mark.parametrize("attribution", ATTRIBUTIONS)
def test_an_attribution_may_be_wrapped_anywhere(attribution: str) -> None:
    for quoted in (f"{attribution}\n\n{OLD}", f"{attribution}\n{marked(OLD)}"):
        for before in (f"{NEW}\n\n", f"{NEW}\n"):
            found = split(f"{before}{quoted}")
            assert found == Split(NEW, quoted, ""), before
    assert (
        split(f"{attribution}\n{marked(OLD)}\n\n{NEW}\n\n{marked(OLD)}\n\nBen").new
        == f"{NEW}\n\nBen"
    )
    assert snippet(f"{attribution}\n{marked(OLD)}") == " ".join(OLD.split())
    assert snippet(f"{attribution}\n\n{OLD}") == " ".join(OLD.split())


@pytest.mark.parametrize(
    "added", ["Von meinem iPhone gesendet", "Отправлено с iPhone", "Sent from Outlook for iOS"]
)
def test_what_a_phone_adds_stands_before_the_attribution(added: str) -> None:
    for attribution in ATTRIBUTIONS:
        found = split(f"{NEW}\n\n{added}\n\n{attribution}\n{marked(OLD)}")
        assert (found.new, found.signature) == (NEW, added)


@pytest.mark.parametrize(
    "text",
    [
        "Our trip:\n\nFrom: Berlin\nTo: Paris\nDate: 9 January 2026 10:15\n\nSee you there",
        "Von: 10 Uhr\nAn: 12 Uhr\nDatum: 13.03.2026\n\nPasst das?",
        "The interview:\n\nDate: 13 March 2026\nTime: 10:15\nPlace: Room 5\nContact: ben@okafor.example",
        "Flight:\n\nDate: 13 March 2026\nFrom: Berlin\nTo: Paris\nContact: ben@okafor.example\n\nBen",
        "Reise\n\nDatum: 13.03.2026 10:15\nVon: Berlin\nAn: Paris\n\nGruß",
        "Set the fields to:\n\nFrom: jobs@okafor.example\nTo: ben@okafor.example\nSubject: New\n\nBen",
        "From: Ben\nTo: all\nSubject: the fields of a mail\n\nThat is what it needs.",
        "The form asks for:\n\nFrom:\nTo:\nReason:\n\nShall I fill it in?",
        "Date: Friday\nSubject: maths\n\nThat is the plan.",
        "My details:\n\nName: Ben\nFrom: Ghana\nDate: 13.03.2026\nSubject: Maths\n\nRegards",
        "From: the 13th on\nDate: Friday\nSubject: maths\n\nThat is the plan.",
        "Datum: 13.03.2026\nVon: Berlin\nBetreff: Reise\n\nGruß",
        "Вы писали мне 13 марта в 10:15:\n\nЯ согласен.",
        "Anna schrieb an Carla <carla@ruiz.example> am 13.03.2026 um 10:15:\n\nGut so.",
        "I wrote to them:\n\nFrom the start it was clear.\nTo: be continued",
        "An: alle\nBetreff: Urlaub\n\nIch bin weg.",
        "On 13 March at 10:15 she wrote:\n\nI am coming.",
        "On 13 March at 10:15 I wrote:\n\nI am coming.",
        "On 13 March 2026 at 10:15 the committee wrote:\n\nAll is well.",
        "In her mail of 13.03.2026 10:15 Anna wrote:\n\nI am coming.",
        "Am 12.03.2026 um 10:15 schrieb er mir Folgendes:\n\nIch komme.",
        "Am 12.03.2026 schrieb mir Anna, dass sie kommt:\n\nGut.",
        "Sie schrieb am 12.03.2026 um 10:15 dies:\n\nIch komme.",
        "As Anna Lind <anna@lind.example> wrote:\n\nWe should meet.",
        "She wrote: we should meet.\n\nAnna wrote:\n\nFine.",
        "Le 13 mars il a écrit :\n\nJe viens.",
        "Please write to Anna <anna@lind.example>:\n\n* one\n* two",
        "Our meeting of 13.03.2026, 10:15, is led by Anna Lind <anna@lind.example>:\n\nBring the file.",
        "----- What she wrote -----\nFine.",
        "---------- Original ideas ----------\n\nOne\n\n----- Notes -----\nTwo",
        "2026/3/13 Anna Lind <anna@lind.example>\n2026/3/14 Carla Ruiz <carla@ruiz.example>",
        "The schedule:\n13.03.2026, 10:15: Anna\n13.03.2026, 11:15: Carla\n\nBen",
    ],
)
def test_what_a_person_writes_stays(text: str) -> None:
    for written in (text, f"{NEW}\n\n{text}"):
        assert split(written) == Split(written, "", "")


def test_a_sentence_before_an_attribution_is_not_part_of_it() -> None:
    for sentence in (
        "Am Montag, 3. um 10:15 geht es.",
        "I sent it on 3 March at 10:15!",
        "Hi Anna,",
    ):
        for attribution in ATTRIBUTIONS[:30]:
            assert split(f"{sentence}\n{attribution}\n{marked(OLD)}").new == sentence


def test_the_writers_sentence_before_marked_lines_stays() -> None:
    text = f"I do not agree with what you wrote:\n{marked(OLD)}\nThat is all."
    assert split(text).new == "I do not agree with what you wrote:\n\nThat is all."


def test_the_bat_speaks_to_whom_it_quotes() -> None:
    attribution = "Вы писали 13 марта 2026 г., 10:15:00:"
    assert split(f"{NEW}\n\n{attribution}\n\n{marked(OLD)}").new == NEW
    text = f"{NEW}\n\n{attribution}\n\nЯ согласен."
    assert split(text).new == text


def test_a_mail_that_is_only_a_quote_shows_it_without_its_introduction() -> None:
    for name, block in BLOCKS.items():
        text = f"{block}\n\n{OLD}"
        if name not in ("notes 8", "words in no table"):
            assert split(text) == Split(text, "", ""), name
            assert snippet(text) == " ".join(OLD.split()), name
            assert snippet(text, forward=True) == " ".join(OLD.split()), name


CRAFTED = [
    *("Gesendet: 1\nVon: x\n", "x 10:15\n\nTo: a\nSubject: c\n", "From: a <\nb\n", "On Friday,\n"),
    *("On 1 Mar 10:15 <a@b\n> wrote:\n", "<\n\n", "a@b " * 90 + ":\n", "(" * 300 + ":\n"),
    *("1 10:15 " * 45 + "x@y:\n", "---- a wrote ----\n\n", ">\n\na:\n"),
]


@pytest.mark.cost
@pytest.mark.parametrize("piece", CRAFTED, ids=lambda piece: repr(piece[:20]))
def test_the_time_is_linear_in_a_crafted_text(piece: str) -> None:
    def text(size: int) -> str:
        return f"a{piece * (size // len(piece))}b"

    assert growth(lambda size: partial(split, text(size)), 1 << 12) < LINEAR
