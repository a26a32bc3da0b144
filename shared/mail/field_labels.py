"""What mail clients call the header fields that they repeat above a quoted or forwarded mail.

A table and a look-up, nothing else. A label names one role in every language that has it, which a
test checks. It is only used inside a block: `A: somebody` alone means nothing.
"""

import re
import unicodedata
from enum import StrEnum
from functools import lru_cache


class Field(StrEnum):
    """What a line of a header block says."""

    FROM = "from"
    TO = "to"
    CC = "cc"
    DATE = "date"
    SUBJECT = "subject"
    OTHER = "other"
    """Part of the block, and nothing that counts."""


# Each line: languages of one region or script.
_FROM = """
From|Von|Absender|De|Expéditeur|Da|Mittente|Remitente|Remetente|Van|Afzender|De la|Expeditor
Remitent|Nork|Nondik|Igorlea|Bidaltzailea|Minn|Mingħand|Oddi wrth|Ó|Nga|Dërguesi|El
Fra|Afsender|Avsender|Från|Avsändare|Frá|Sendandi|Lähettäjä|Saatja|Kellelt|No|Sūtītājs|Nuo
Siuntėjas|Od|Nadawca|Odesílatel|Odosielateľ|Pošiljatelj|Šalje|Pošiljalac|Feladó|Küldő|Kitől
Od kogo|Од|Шаље|Пошиљалац|Испраќач|От|От кого|Подател|Отправитель|Від|Від кого|Відправник|Надсилач
Ад
Ад каго
Kimden|Gönderen|Kimdən|Göndərən|Kimdan|Кімнен|Жіберуші|Хэнээс|Илгээгч|Από|Αποστολέας|Ումից|ვისგან
Dari|Pengirim|Daripada|Mula kay|Mula sa|Mula|Kutoka|Kutoka kwa|Từ|Người gửi|จาก|ผู้ส่ง|ຈາກ|ពី
מאת|من|مِن|المرسل|از|فرستنده|از طرف|منجانب
प्रेषक|से|की ओर से|द्वारा|প্রেরক|থেকে|அனுப்புநர்|அனுப்பியவர்|నుండి|ಇಂದ|അയച്ചത്|તરફથી|પ્રેષક|ਵੱਲੋਂ
发件人|发信人|寄件人|发自|来自|發件人|發信人|寄件者|來自|差出人|送信者|送信元|発信者
보낸 사람|보낸사람|보낸이|보내는 사람|발신자|발신인
"""
_TO = """
To|An|Empfänger|À|A|Pour|Destinataire|Destinataires|Para|Destinatario|Destinatarios|Per
Destinatari
Destinatário|Destinatários|Aan|Naar|Ontvanger|Către|La|Pentru|Destinatar|Per a|Nori|Hartzailea|Lil
Chuig|Til|Modtager|Mottaker|Till|Mottagare|Viðtakandi|Vastaanottaja|Vastaanottajat|Saaja|Kellele
Adressaat
Kam|Saņēmējs|Gavėjas|Do|Adresat|Odbiorca|Komu|Příjemce|Pre|Príjemca|Za|Prejemnik|Prima|Primatelj
Kome|Primalac|Címzett|Címzettek|Kinek|Për|Marrësi|Al
За|Прима|Прималац|Коме|До|Примач|Получател|Кому|Получатель|Одержувач|Отримувач|Каму
Kime|Alıcı|Alıcılar|Kimə|Kimga|Кімге|Хэнд|Προς|Παραλήπτης|Παραλήπτες|Ում|ვის
Kepada|Ke|Penerima|Untuk|Para kay|Kay|Kwa|Đến|Tới|Gửi đến|Gửi tới|Người nhận|ถึง|ผู้รับ|ເຖິງ|ទៅ
אל|לכבוד|إلى|الى|إلي|المستلم|به|گیرنده|بنام
प्रति|प्राप्तकर्ता|को|প্রতি|প্রাপক|பெறுநர்|వీరికి|ಗೆ|സ്വീകര്‍ത്താവ്|સ્વીકર્તા|પ્રતિ|ਪ੍ਰਾਪਤਕਰਤਾ
收件人|收信人|收件者|发给|寄给|宛先|送信先|受信者|받는 사람|받는사람|받는이|수신자|수신인|수신
"""
_CC = """
Cc|C.c.|Kopie|Kopie (CC)|Kopie an|Copie|Copie à|Cc à|Copia|Copia a|Copia (CC)|Con copia
Con copia a
Copia conoscenza|Per conoscenza|Cópia|Cópia para|Com cópia|Com cópia para|Còpia|A/c|Kopya|Kopiera
Kopi|Kopi til|Kopia|Kopia till|Kopio|Afrit|Koopia|Kopija|DW|Do wiadomości|Kópia|Na vědomí
Na vedomie
Kp|Másolat|Másolatot kap|Bilgi|Karbon kopya|CC (Bilgi)|Копия|Копія|Копие|Копија|Копио|Κοιν.|Κοιν
Κοινοποίηση|ასლი|Kopia (CC)|Tembusan|Salinan|Đồng gửi|Đồng kính gửi|สำเนา|สำเนาถึง|สําเนา
สําเนาถึง|עותק|העתק|עותק לידיעה|نسخة|نسخة إلى|نسخه|رونوشت|प्रतिलिपि|सीसी|অনুলিপি|நகல்
抄送|抄送人|抄送者|副本|副本抄送|写し|참조|참조자
"""
_DATE = """
Date|Sent|Sent at|Sent on|Date sent|Datum|Gesendet|Gesendet am|Date d'envoi|Envoyé|Envoyé le|Expédié
Expédié le|Message du|Data e hora|Fecha|Enviado|Enviado el
Enviada|Enviadas|Enviado em|Enviada em|Data|Inviato|Inviato il|Data invio|Verzonden|Verzonden op
Verstuurd
Dată|Trimis|Trimis la|Expediat|Enviat|Enviat el|S'ha enviat|Bidalita|Bidaltze-data|Dyddiad
Anfonwyd|Dáta|Seolta|Gestuur|Dërguar|Mibgħut
Dato|Dags|Sendt|Sendt den|Skickat|Skickat den|Skickades|Dagsetning|Päivämäärä|Päiväys|Lähetetty
Pvm|Lähetysaika
Kuupäev|Saadetud|Saatmisaeg|Datums|Nosūtīts|Sūtīts|Išsiųsta|Siųsta|Išsiuntimo data|Nusiųsta
Wysłano|Wysłane|Data wysłania|Odesláno|Posláno|Dátum|Odoslané|Odoslaná|Poslané|Poslano|Poslato
Elküldve|Elküldés dátuma|Küldve|Küldés dátuma|Küldés ideje
Датум|Послато|Испратено|Дата|Изпратено|Изпратено на|Отправлено|Отправлен|Дата отправления
Дата отправки
Надіслано|Відправлено|Дата відправлення|Адпраўлена|Даслана|Күні|Жіберілді|Огноо|Илгээсэн
Tarih|Gönderildi|Gönderilen|Gönderilme Tarihi|Gönderme Tarihi|Gönderim Tarihi|Tarix|Göndərildi
Sana|Yuborildi|Ημερομηνία|Ημ/νία|Στάλθηκε|Απεσταλμένα|Εστάλη|Απεστάλη|Ամսաթիվ|თარიღი
Tanggal|Terkirim|Dikirim|Tarikh|Dihantar|Petsa|Ipinadala|Tarehe|Ngày|Đã gửi|Gửi|Gửi lúc|Ngày gửi
Thời gian|Vào|วันที่|ส่ง|ส่งเมื่อ|วันที่ส่ง|ວັນທີ|កាលបរិច្ឆេទ
תאריך|נשלח|נשלח ב|التاريخ|تاريخ|تاريخ الإرسال|الإرسال|تم الإرسال|أُرسل|أرسلت|أُرسلت|تم إرساله|تاریخ
ارسال|ارسال شده|تاریخ ارسال|فرستاده شده
दिनांक|तारीख|तिथि|भेजा गया|भेजने की तारीख|তারিখ|প্রেরিত|தேதி|அனுப்பப்பட்டது|తేదీ|ದಿನಾಂಕ|തീയതി|તારીખ
ਮਿਤੀ|日期|时间|发送时间|发送日期|发件时间|发件日期|已发送|時間|發送時間|發送日期|傳送時間|傳送日期
寄件日期|寄件時間|已傳送
日時|日付|送信日時|送信日|送信時刻|날짜|보낸 날짜|보낸날짜|보낸 시간|보낸시간|일시|발신일
"""
_SUBJECT = """
Subject|Betreff|Betrifft|Objet|Sujet|Asunto|Oggetto|Ogg|Assunto|Onderwerp|Subiect|Assumpte|Gaia
Suġġett|Pwnc|Testun|Ábhar|Temo|Subjekti
Emne|Ämne|Efni|Evni|Aihe|Otsikko|Teema|Pealkiri|Tēma|Temats|Tema|Temat|Předmět|Předmet|Věc|Predmet
Zadeva
Naslov|Tárgy|Konu|Mövzu|Mavzu|Θέμα|Թեմա|თემა
Предмет|Наслов|Тема|Тема письма|Относно|Тэма|Тақырып|Тақырыбы|Сэдэв|Гарчиг
Perihal|Subjek|Subyek|Hal|Judul|Perkara|Tajuk|Paksa|Somo|Mada|Chủ đề|Tiêu đề
เรื่อง|หัวเรื่อง|หัวข้อ|ชื่อเรื่อง|ຫົວຂໍ້|ប្រធានបទ|נושא|הנדון|الموضوع|موضوع|عنوان
विषय|বিষয়|பொருள்|విషయం|ವಿಷಯ|വിഷയം|વિષય|ਵਿਸ਼ਾ|主题|主旨|主題|标题|標題|件名|タイトル|제목
"""
_OTHER = """
Reply-To|Reply to|Bcc|Sender|Organization|Organisation|Message-ID|References|In-Reply-To
Return-Path
Importance|Priority|Attachments|Attachment|Categories|Newsgroups|User-Agent|X-Mailer|Mailing list
Content-Type|Content-Transfer-Encoding|MIME-Version|Delivered-To|Received|Resent-From|Resent-Date
Resent-To
Antwort an|Antworten an|Gesendet von|Sent by|Antwort-An|Blindkopie|Bcc (Blindkopie)|Wichtigkeit
Priorität|Anlagen|Anhänge|Anlage
Répondre à|Cci|Priorité|Pièces jointes|Pièce jointe|Responder a|Cco|Importancia|Prioridad
Archivos adjuntos
Datos adjuntos|Rispondi a|Risposta|Ccn|Priorità|Importanza|Allegati|Responder para|Prioridade|Anexos
Bijlagen|Antwoord aan|Urgentie|Prioriteit|Vedhæftede filer|Vedlegg|Svar til|Svara till|Bilagor
Bifogade filer
Prioritet|Vastausosoite|Liitteet|Odpowiedz do|Załączniki|Ważność|UDW|Odpovědět komu|Přílohy
Důležitost
Odpovedať komu|Prílohy|Skrytá kopie|Válaszcím|Mellékletek|Titkos másolat|Răspunde la|Atașamente
Yanıtla|Yanıt adresi|Ekler|Önem|Gizli|Απάντηση σε|Συνημμένα|Ответить|Обратный адрес|Вложения
Важность
Скрытая копия|Відповісти|Вкладення|Прикачени файлове|Lampiran|Balas ke|Đính kèm|Trả lời|สิ่งที่แนบมา
附件|回复|重要性|密送|回覆|密件副本|添付ファイル|返信先|重要度|첨부|첨부파일|숨은참조|회신
المرفقات|קבצים מצורפים
"""

MAX_LABEL = 40
_UNSEEN = re.compile("[\u0307\u200b-\u200f]")
"""The dot that stays of a Turkish I in lower case; joiners and marks of direction."""
_TABLES = {
    Field.FROM: _FROM,
    Field.TO: _TO,
    Field.CC: _CC,
    Field.DATE: _DATE,
    Field.SUBJECT: _SUBJECT,
    Field.OTHER: _OTHER,
}
LABELS: dict[Field, tuple[str, ...]] = {
    field: tuple(label for line in table.strip().split("\n") for label in line.split("|"))
    for field, table in _TABLES.items()
}
"""As they are written, by what they say."""


def _key(label: str) -> str:
    return _UNSEEN.sub("", unicodedata.normalize("NFC", label).casefold())


_BY_KEY = {_key(label): field for field, labels in LABELS.items() for label in labels}


@lru_cache(maxsize=4096)
def field_of(label: str) -> Field | None:
    """Return what a line with this label says, None when it is no label that is known."""
    if len(label) > MAX_LABEL:
        return None
    return _BY_KEY.get(_key(" ".join(label.split())))
