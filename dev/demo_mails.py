"""The demo's account: who is in it, and what must become of the week in `dev.demo_week`."""

ACCOUNT = "demo"
PEOPLE = {
    # person: (kind, name, addresses)
    "u1": ("user", "Nora Keller", ["nora@agency.example"]),
    "u2": ("user", "Ben Ortiz", ["ben@agency.example", "ben@home.example"]),
    "u3": ("user", "Lena Brandt", ["lena@agency.example"]),
    "c1": ("candidate", "Amina Diallo", ["amina.diallo@mail.example", "amina@work.example"]),
    "c2": ("candidate", "Jonas Lindqvist", ["jonas@lindqvist.example"]),
    "c3": ("candidate", "Mei Tanaka", ["mei.tanaka@mail.example"]),
    "c4": ("candidate", "Ben, years ago", ["ben@home.example"]),
    "k1": ("contact", "Priya Raman", ["priya@kestrel.example"]),
    "g1": ("guest", "Front desk", ["desk@kestrel.example"]),
}
RECRUITERS = ("u1", "u2")
NEWCOMER = "u3"
"""Has a capture address, and a provider's question to answer."""
PROFILE = "c1"
READ = ("Your interview on Friday", "Shortlist for Hamburg", "Directions to our office")
"""What the recruiter has read already."""

EXPECTED_INBOX = (
    # newest first: subject, mails, profiles by name
    ("Salary expectations", 1, ["Jonas Lindqvist"]),
    ("Your offer from Kestrel Analytics", 1, ["Amina Diallo", "Priya Raman"]),
    ("Interview: Amina Diallo", 1, ["Amina Diallo", "Priya Raman"]),
    ("Application: data engineer", 1, ["Mei Tanaka"]),
    ("Are you still looking?", 2, ["Mei Tanaka"]),
    ("Directions to our office", 1, ["Amina Diallo", "Priya Raman"]),
    ("Your interview on Friday", 2, ["Amina Diallo"]),
    ("Shortlist for Hamburg", 3, ["Jonas Lindqvist", "Priya Raman"]),
)
EXPECTED_TIMELINE = (
    # newest first: subject, direction, captured by, profiles
    ("Your offer from Kestrel Analytics", "inbound", ["u1"], ["c1", "k1"]),
    ("Interview: Amina Diallo", "inbound", ["u1"], ["c1", "k1"]),
    ("Directions to our office", "inbound", ["u2"], ["c1", "k1"]),
    ("Re: Your interview on Friday – yes", "inbound", ["u1", "u2"], ["c1"]),  # noqa: RUF001 - the dash is the mail's own
    ("Your interview on Friday", "outbound", ["u1"], ["c1"]),
)
EXPECTED_TALLY = {"attached": 13, "blocked": 1, "confirmation": 2, "internal": 1, "no_match": 1}
EXPECTED_SETUP = (
    # of the first recruiter, the halves "mail I send" and "mail I receive"
    ("nothing_yet", "nothing_yet"),
    ("nothing_yet", "awaiting_confirmation"),
    ("working", "working"),
)
FORGED = {"quarantined": 1}
"""Besides, where mail is authenticated."""
