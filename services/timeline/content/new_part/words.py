"""The words by which mail clients, in their users' languages, introduce what they quote.

They are compared after `casefold`, with single spaces, without marks of direction.
"""

_WROTE = """
wrote; has written; writes; schrieb; hat geschrieben; schreef; heeft geschreven
het volgende geschreven; folgendes geschrieben; geschrieben; sent; skrev; skrifaði; kirjoitti
a écrit; écrit; ha scritto; ha escrito
escribió; escribio; escreveu; va escriure; ha escrit; a scris; napisał; napisała; napisał(a)
napisał/a; pisze; napsal; napsala; napsal(a); napísal; napísala; napísal(a); napisal; napisal(a)
napisao; napisala; napisao/la; napisao je; je napisao/la; написал; написала; написал(а); писал
писал(а); пишет; написав; написав(ла); пише; написа; rašė; parašė; rakstīja; kirjutas; írta
ezt írta; a következőt írta; shkroi; έγραψε; yazdı; şunu yazdı; şunları yazdı; yazmış; yazıb
写道; 寫道; 写到; 來信; のメール; のメッセージ; さんは書きました; さんが書きました; の書き込み
작성; 님이 작성; 님이 쓴 글; 쓴 글; 썼습니다; 님의 말; כתב; כתבה; כתב/ה; كتب; كتبت; نوشت; เขียนว่า
ได้เขียน; đã viết; viết; menulis; telah menulis; sumulat; aliandika; skryf; het geskryf
"""

_WROTE_THEN_NAME = """
schrieb; schreef; skrev; kirjoitti; wrote; escribió; escreveu; ha scritto; a écrit; odesílatel
používateľ; je oseba; писал(а); писал; писала; писав; писали; rašė; napisana przez
מאת; تمت كتابة ما يلي بواسطة; ezt írta
"""

_STARTS = """
on; at; am; vom; an; il; en; op; den; på; kl; le; el; il giorno; em; no dia; a; dne; dňa; pe
la data de
data; w dniu; dnia; на; στις; vào; pada; pada tanggal; tarihinde; 在; 于; 於; في; في يوم; בתאריך
ב; เมื่อ; dana; la; ที่; ngày; thứ
"""

_NO_NAMES = """
as; like; what; when; since; here; below; he; she; i; we; you; they; it; who; also; then; wie; was
als; hier; er; sie; ich; wir; ihr; es; man; auch; dann; so; comme; voici; il; elle; je; nous; vous
ils; elles; on; como; él; ella; yo; ellos; ele; ela; eu; eles; come; lui; lei; io; loro; zoals; hij
zij; ze; ik; wij; jij; som; han; hun; hon; jag; jeg; vi; de; kuten; hän; minä; jak; on; ona; ja; ty
jako; já; že; как; он; она; я; мы; вы; они; as per; ich auch
"""

_PARTICLES = """
von; van; de; der; den; del; della; di; da; dos; das; do; du; des; la; le; el; al; bin; ibn; ben; te
ter; ten; zu; zum; zur; af; av; y; e; und; and; via; från; from; fra; of; the; in
"""

_ORIGINAL = """
original message; original mail; original email; original e-mail; original appointment
reply message; message reply; antwort nachricht; e-mail d'origine; e-mail d’origine
courriel original; courrier original; mail original; urspr. mitteilung; ursprüngliche e-mail
ursprüngliche email; original-mail; original-e-mail; original nachricht; e-mail original
email original; correo original; mensaje de origen; e-mail originale; oorspronkelijke e-mail
original-meddelande; ursprungligt mejl; ursprungligt mail; původní email; eredeti e-mail
eredeti levél
oprindelig mail; oprindelig e-mail; opprinnelig e-post; alkuperäinen sähköposti; mesajul inițial
e-mail oryginalny; originalus laiškas; ursprüngliche nachricht; original-nachricht
originalnachricht
ursprüngliche mail; originaltermin; ursprünglicher termin; message d'origine
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


WROTE = tuple(sorted(_listed(_WROTE), key=len, reverse=True))
"""An attribution ends with one of them and a colon; the longest first."""
WROTE_THEN_NAME = tuple(f" {word} " for word in _listed(_WROTE_THEN_NAME))
"""After one of them the name ends it."""
STARTS = (*(f"{word} " for word in _listed(_STARTS)), "在", "于", "於", "ב-")
"""An attribution may begin with one of them."""
ORIGINAL = _listed(_ORIGINAL)
"""Between dashes: the mail that is answered follows, or in Outlook one that is forwarded."""
FORWARDED = _listed(_FORWARDED)
"""Between dashes, or with a colon: a forwarded mail follows."""
NO_NAMES = _listed(_NO_NAMES)
"""Words with which a sentence about somebody's words begins or ends, and no name does."""
PARTICLES = _listed(_PARTICLES)
"""Of names, in lower case."""
SENT_FROM = tuple(_listed(_SENT_FROM))
"""A line that a program added begins with one of them."""
