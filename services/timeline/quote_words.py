"""The words by which mail clients, in their users' languages, introduce what they quote.

All of it is compared after `casefold`, with single spaces, without marks of direction.
"""

_WROTE = """
wrote; has written; writes; schrieb; hat geschrieben; schreef; heeft geschreven
het volgende geschreven; skrev; skrifaði; kirjoitti; a écrit; écrit; ha scritto; ha escrito
escribió; escribio; escreveu; va escriure; ha escrit; a scris; napisał; napisała; napisał(a)
napisał/a; pisze; napsal; napsala; napsal(a); napísal; napísala; napísal(a); napisal; napisal(a)
napisao; napisala; napisao/la; napisao je; je napisao/la; написал; написала; написал(а); писал
писал(а); пишет; написав; написав(ла); пише; написа; rašė; parašė; rakstīja; kirjutas; írta
ezt írta; a következőt írta; shkroi; έγραψε; yazdı; şunu yazdı; şunları yazdı; yazmış; yazıb
写道; 寫道; 写到; 來信; のメール; のメッセージ; さんは書きました; さんが書きました; の書き込み
작성; 님이 작성; 님이 쓴 글; 썼습니다; 님의 말; כתב; כתבה; כתב/ה; كتب; كتبت; نوشت; เขียนว่า
ได้เขียน; đã viết; viết; menulis; telah menulis; sumulat; aliandika; skryf; het geskryf
"""

_WROTE_THEN_NAME = """
schrieb; schreef; skrev; kirjoitti; wrote; escribió; escreveu; ha scritto; a écrit; odesílatel
používateľ; je oseba; מאת; تمت كتابة ما يلي بواسطة; ezt írta
"""

_STARTS = """
on; at; am; vom; op; den; på; le; el; il; il giorno; em; no dia; a; dne; dňa; pe; la data de
data; w dniu; dnia; на; στις; vào; pada; pada tanggal; tarihinde; 在; 于; 於; في; في يوم; בתאריך
ב; เมื่อ; dana
"""

_ORIGINAL = """
original message; original mail; original email; original appointment; reply message
message reply; ursprüngliche nachricht; original-nachricht; originalnachricht
ursprüngliche mail; original nachricht; originaltermin; ursprünglicher termin; message d'origine
message d’origine; message original; message initial; rendez-vous d'origine; mensaje original
mensagem original; missatge original; mesaxe orixinal; messaggio originale
oorspronkelijk bericht; oorspronkelijke bericht; origineel bericht; ursprungligt meddelande
originalmeddelande; original meddelelse; oprindelig meddelelse; oprindelig besked
opprinnelig melding; original melding; upprunaleg skilaboð; alkuperäinen viesti
wiadomość oryginalna; oryginalna wiadomość; wiadomość pierwotna; původní zpráva; původní e-mail
pôvodná správa; izvorna poruka; originalna poruka; izvirno sporočilo; prvotno sporočilo
исходное сообщение; оригинальное сообщение; исходное письмо; оригинал сообщения
вихідне повідомлення; оригінальне повідомлення; початкове повідомлення; оригинално съобщение
eredeti üzenet; mesaj original; mesajul original; αρχικό μήνυμα; orijinal mesaj; orijinal ileti
özgün ileti; asıl ileti; algsõnum; originaalkiri; sākotnējais ziņojums; pradinis laiškas
originalus pranešimas; 原始邮件; 原邮件; 邮件原件; 原始信件; 原始郵件; 原郵件; 元のメッセージ
オリジナルメッセージ; 원본 메시지; 원본 메일; 원본메일; 원본 이메일; הודעה מקורית
ההודעה המקורית; الرسالة الأصلية; رسالة أصلية; پیام اصلی; ข้อความต้นฉบับ; ข้อความเดิม; thư gốc
tin nhắn gốc; tin nhắn ban đầu; pesan asli; mesej asal
"""

_FORWARDED = """
forwarded message; forwarded by; begin forwarded message; start of forwarded message
forwarded mail; weitergeleitete nachricht; anfang der weitergeleiteten nachricht
weitergeleitete mail; beginn der weitergeleiteten nachricht; message transféré; message transmis
message réexpédié; début du message réexpédié; début du message transféré
début du message transmis; mensaje reenviado; inicio del mensaje reenviado; missatge reenviat
inici del missatge reenviat; mensagem encaminhada; mensagem reencaminhada
início da mensagem encaminhada; início da mensagem reencaminhada; messaggio inoltrato
inizio messaggio inoltrato; inizio del messaggio inoltrato; doorgestuurd bericht
begin doorgestuurd bericht; begin van doorgestuurd bericht; vidarebefordrat meddelande
vidarebefordrat brev; vidarebefordrat mejl; fwd.msg; vidarebefordrat mail
videresendt meddelelse; videresendt besked; start på videresendt besked; videresendt melding
begynnelse på videresendt melding; start på videresendt melding; välitetty viesti
välitetty viesti alkaa; edelleenlähetetty viesti; przekazana wiadomość; wiadomość przekazana
początek przekazywanej wiadomości; treść przekazanej wiadomości; přeposlaná zpráva
začátek přeposílané zprávy; preposlaná správa; začiatok preposlanej správy; proslijeđena poruka
prosleđena poruka; započni proslijeđenu poruku; posredovano sporočilo; пересылаемое сообщение
пересланное сообщение; пересланное письмо; переадресованное сообщение
начало переадресованного сообщения; начало пересылаемого сообщения; пересилання повідомлення
переслане повідомлення; початок листа, що пересилається; початок переадресованого повідомлення
препратено съобщение; továbbított üzenet; továbbított levél kezdete; továbbított üzenet kezdete
mesaj redirecționat; mesaj retrimis; începe mesajul redirecționat
începutul mesajului redirecționat; προωθημένο μήνυμα; έναρξη προωθημένου μηνύματος
iletilen mesaj; i̇leti başlangıcı; iletilmiş mesaj; yönlendirilen ileti; iletilen ileti
iletilen iletinin başlangıcı; iletilen ileti başlangıcı; edastatud kiri; pārsūtīta ziņa
persiųstas laiškas; 转发的消息; 转发邮件; 转发的邮件; 下面是被转发的邮件; 以下是转发的邮件
已转发邮件; 轉寄的郵件; 轉寄郵件; 轉寄訊息; 已轉寄郵件; 以下是被轉寄的郵件; 轉寄的訊息
転送メッセージ; 転送されたメッセージ; 転送されたメール; 전달된 메시지; 전달된 메일
전달된 이메일; 전달된 메시지 시작; הודעה שהועברה; תחילת ההודעה שהועברה; رسالة معاد توجيهها
الرسالة المعاد توجيهها; رسالة محولة; بداية الرسالة المعاد توجيهها; پیام فوروارد شده
ข้อความที่ส่งต่อ; จดหมายที่ส่งต่อ; thư đã chuyển tiếp; tin nhắn được chuyển tiếp
tin nhắn đã chuyển tiếp; bắt đầu thư được chuyển tiếp; pesan terusan; pesan yang diteruskan
awal pesan yang diteruskan; mesej dimajukan
"""

_FIELDS = {
    "from": """
from; von; šalje; de; da; van; från; fra; frá; lähettäjä; od; expéditeur; remitente; remetente
mittente; от; від; від кого; od kogo; feladó; kimden; gönderen; de la; από; saatja; kellelt; no
nuo; siuntėjas; 发件人; 寄件者; 寄件人; 發件人; 差出人; 送信者; 보낸 사람; 보낸사람; 발신인; מאת
من; از; จาก; từ; người gửi; dari; pengirim
""",
    "date": """
date; sent; sent on; gesendet; datum; gesendet am; envoyé; envoyé le; date d'envoi; enviado
enviado el; enviada; enviada em; enviado em; enviat; data; data e hora; fecha; inviato
data invio; verzonden; verzonden op; skickat; skickat den; sendt; dato; dags; lähetetty; päiväys
päivämäärä; pvm; wysłano; data wysłania; odesláno; odoslané; dátum; poslano; poslato; отправлено
дата; отправлен; надіслано; изпратено; küldve; elküldve; elküldés dátuma; trimis; expediat
ημερομηνία; στάλθηκε; απεσταλμένα; tarih; gönderildi; gönderme tarihi; gönderilme tarihi
saadetud; kuupäev; nosūtīts; datums; išsiųsta; 发送时间; 日期; 发送日期; 时间; 寄件日期
傳送時間; 時間; 送信日時; 日時; 日付; 送信日; 보낸 날짜; 날짜; 보낸날짜; 보낸 시간; נשלח; תאריך
تاريخ; التاريخ; تاريخ الإرسال; الإرسال; ارسال شده; วันที่; ส่งเมื่อ; đã gửi; ngày; ngày gửi; vào
terkirim; dikirim; tanggal
""",
    "to": """
to; an; à; a; para; per; destinataire; destinataires; aan; till; til; vastaanottaja; do; komu
pre; za; prima; кому; до; címzett; către; la; προς; kime; alıcı; kam; kellele; saaja; 收件人
收件者; 宛先; 受信者; 받는 사람; 받는사람; 수신인; אל; إلى; الى; به; ถึง; tới; đến; người nhận
kepada; ke; cc; kopie; copie à; copie; pour; kopio; másolat; копія; bilgi; copia; kopia; kopi
kópia; копия; 抄送; 副本; 참조
""",
    "other": """
reply-to; reply to; antwort an; antworten an; répondre à; responder a; responder para
rispondi a; svar til; svara till; odpowiedz do; attachments; anlagen; pièces jointes
datos adjuntos; allegati; anexos; bijlagen; bilagor; załączniki; importance; priority
wichtigkeit; priorität; importancia; priorité; priorità; prioridade; bcc; organization
resent-from; resent-date; 附件; 添付ファイル; 重要度
""",
    "subject": """
subject; betreff; objet; sujet; asunto; assunto; oggetto; onderwerp; ämne; emne; efni; aihe
temat; předmět; předmet; predmet; naslov; zadeva; тема; предмет; относно; tárgy; subiect; θέμα
konu; teema; temats; tema; 主题; 主旨; 標題; 主題; 件名; 제목; נושא; الموضوع; موضوع; เรื่อง
หัวเรื่อง; chủ đề; tiêu đề; perihal; subjek; judul; assumpte
""",
}

_SENT_FROM = """
sent from; sent via; sent using; get outlook for; envoyé depuis; envoyé de mon
envoyé à partir de; envoyé avec; télécharger outlook pour; obtenez outlook pour; provenance :
gesendet von; gesendet mit; von meinem; von unterwegs gesendet; diese nachricht wurde von meinem
outlook für; enviado desde; enviado do meu; enviado a partir; enviada do meu; enviado con
enviado com; enviat des; obtener outlook; obter o outlook; descargar outlook; inviato da
inviato dal; inviato con; ottieni outlook; scarica outlook; verzonden vanaf; verstuurd vanaf
verzonden met; verstuurd met; outlook voor; download outlook; skickat från; skickades från
hämta outlook; sendt fra; sendt via; hent outlook; få outlook for; lähetetty; hanki outlook
wysłane z; wysłano z; pobierz outlook; odesláno z; odesláno ze; získat outlook; odoslané z
poslano z; poslano sa; poslano iz; отправлено с; отправлено из; надіслано з; изпратено от
получите outlook; elküldve az; elküldve iphone; küldve az; trimis de pe; trimis din
στάλθηκε από; iphone'umdan gönderildi; ipad'imden gönderildi; android cihazımdan gönderildi
iphoneから送信; ipadから送信; androidから送信; 私のiphoneから送信; 发自我的; 从我的; 发送自
發自我的; 從我的; 寄自我的; 傳送自; 나의 iphone에서 보냄; 내 iphone에서 보냄; iphone에서 보냄
나의 ipad에서 보냄; נשלח מה; נשלח מ-; أُرسلت من; أرسلت من; ارسلت من; تم الإرسال من; ส่งจาก
được gửi từ; đã gửi từ; dikirim dari
"""


def _listed(words: str) -> frozenset[str]:
    """Return the phrases between semicolons and line ends."""
    phrases = (word.strip() for line in words.split("\n") for word in line.split(";"))
    return frozenset(phrase.casefold() for phrase in phrases if phrase.strip())


WROTE = tuple(_listed(_WROTE))
"""An attribution ends with one of them and a colon."""
WROTE_THEN_NAME = tuple(f" {word} " for word in _listed(_WROTE_THEN_NAME))
"""After one of them the name ends it."""
STARTS = (*(f"{word} " for word in _listed(_STARTS)), "在", "于", "於", "ב-")
"""An attribution may begin with one of them."""
ORIGINAL = _listed(_ORIGINAL)
"""Between dashes: the mail that is answered follows, or in Outlook one that is forwarded."""
FORWARDED = _listed(_FORWARDED)
"""Between dashes, or with a colon: a forwarded mail follows."""
FIELDS = {word: field for field, words in _FIELDS.items() for word in _listed(words)}
"""Names of the header fields that are repeated above a mail."""
SENT_FROM = tuple(_listed(_SENT_FROM))
"""A line that a program added begins with one of them."""
