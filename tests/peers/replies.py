"""Replies to a mail as four mail programs write them: what each keeps and spoils of subject, quoted text and references.

Each function takes the mail as bytes and what the person types, and gives the reply as bytes.
"""
import email
import email.policy
from email.header import Header
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.utils import formatdate, getaddresses, make_msgid


def parts(raw):
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    body = mail.get_body(preferencelist=("plain",)).get_content().replace("\r\n", "\n")
    office = mail["From"].addresses[0]
    back = getaddresses([mail["Reply-To"] or mail["From"]])[0][1]
    return mail, body, office, back


def head(message, mail, sender, to, subject, name="見本 太郎", references=True):
    message["From"] = f"{Header(name, 'utf-8').encode()} <{sender}>"
    message["To"] = to
    message["Subject"] = Header(subject, "utf-8", maxlinelen=60)
    message["Date"] = formatdate(localtime=True)
    message["Message-ID"] = make_msgid(domain=sender.split("@")[1])
    if references:
        message["In-Reply-To"] = mail["Message-ID"]
        message["References"] = mail["Message-ID"]
    return message.as_bytes(policy=email.policy.compat32.clone(linesep="\r\n"))


def html_of(text):
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace("\n", "<br>\n")


def outlook(raw, typed, sender):
    """Windows: ISO-2022-JP, the whole mail below without quote marks, and a company gateway that drops the references."""
    mail, body, office, back = parts(raw)
    below = (
        f"-----Original Message-----\nFrom: {office.display_name} <{office.addr_spec}> \nSent: Monday, March 2, 2026 2:00 PM\n"
        f"To: {sender}\nSubject: {mail['Subject']}\n\n{body}"
    )
    text = f"{typed}\n\n{below}"
    message = MIMEMultipart("alternative")
    message.attach(MIMEText(text.replace("―", "-"), "plain", "iso-2022-jp"))
    message.attach(MIMEText(f"<html><body><p>{html_of(typed)}</p><div style='border:none;border-top:solid #E1E1E1 1.0pt'>"
                            f"{html_of(below)}</div></body></html>", "html", "utf-8"))
    message["X-Mailer"] = "Microsoft Outlook 16.0"
    message["Thread-Index"] = "AdzX0m5bQ2V4YW1wbGVUaHJlYWQ="
    return head(message, mail, sender, back, f"RE: {mail['Subject']}", references=False)


def gmail(raw, typed, sender):
    """The subject was typed anew; the rest is quoted, with the address of the office instead of Reply-To."""
    mail, body, office, _ = parts(raw)
    attribution = f"2026年3月2日(月) 14:00 {office.display_name} <{office.addr_spec}>:"
    quoted = "".join(f"> {line}\n" for line in body.split("\n"))
    message = MIMEMultipart("alternative")
    message.attach(MIMEText(f"{typed}\n\n{attribution}\n\n{quoted}", "plain", "utf-8"))
    message.attach(MIMEText(f'<div dir="ltr">{html_of(typed)}</div><br><div class="gmail_quote"><div dir="ltr" class="gmail_attr">'
                            f'{html_of(attribution)}<br></div><blockquote class="gmail_quote" style="margin:0 0 0 .8ex">'
                            f"{html_of(body)}</blockquote></div>", "html", "utf-8"))
    return head(message, mail, sender, office.addr_spec, "使用中止の件")


def apple_mail(raw, typed, sender):
    """macOS: the typed text above, everything quoted, the subject kept; nothing but the address of the office."""
    mail, body, office, _ = parts(raw)
    quoted = "".join(f"> {line}\n" for line in body.split("\n"))
    message = MIMEText(f"{typed}\n\n> 2026/03/02 14:00、{office.display_name} <{office.addr_spec}>のメール:\n> \n{quoted}", "plain", "utf-8")
    message["X-Mailer"] = "Apple Mail (2.3774.300.61.1.2)"
    message.replace_header("Content-Type", 'text/plain; charset="utf-8"; format=flowed; delsp=yes')
    return head(message, mail, sender, office.addr_spec, f"Re: {mail['Subject']}")


def iphone(raw, typed, sender):
    """A telephone: the quoted mail was deleted, and the references went with it; subject and Reply-To are all that is left."""
    mail, _, _, back = parts(raw)
    message = MIMEText(f"{typed}\n\niPhoneから送信\n", "plain", "utf-8")
    message["X-Mailer"] = "iPhone Mail (21F90)"
    return head(message, mail, sender, back, f"Re: {mail['Subject']}", references=False)


SHAPES = {"outlook": outlook, "gmail": gmail, "apple-mail": apple_mail, "iphone": iphone}
