"""The mail server: SMTP (RFC 5321), one message a connection."""

from __future__ import annotations

from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from uuid import UUID

import aiosmtplib

from chassis.outside import OutsideRefused, OutsideUnavailable
from notify.clinic import Clinic
from notify.messages.wording import Letter
from notify.settings import MailSecurity, NotifySettings


class MailServer:
    """Hands e-mails to a mail server."""

    def __init__(self, settings: NotifySettings, clinic: Clinic) -> None:
        self._settings = settings
        self._clinic = clinic

    async def send(self, letter: Letter, to: str, task_id: UUID) -> str:
        """Returns the Message-ID, which is the same for each try of a task, so that a repeat can be recognised.

        Raises OutsideUnavailable where the server may take it later (4xx, no answer), OutsideRefused where never (5xx).
        """
        message = self._composed(letter, to, task_id)
        password = self._settings.smtp_password
        security = self._settings.smtp_security
        try:
            await aiosmtplib.send(
                message,
                hostname=self._settings.smtp_host,
                port=self._settings.smtp_port,
                username=self._settings.smtp_username,
                password=password.get_secret_value() if password else None,
                use_tls=security is MailSecurity.TLS,
                start_tls={MailSecurity.STARTTLS: True, MailSecurity.OFFERED: None}.get(security, False),
                timeout=self._settings.smtp_seconds,
            )
        except aiosmtplib.SMTPRecipientsRefused as refused:
            raise _verdict(refused.recipients[0].code) from None
        except aiosmtplib.SMTPAuthenticationError:
            # Our own settings are wrong, which says nothing about the message.
            raise OutsideUnavailable("smtp_not_signed_in") from None
        except aiosmtplib.SMTPResponseException as answered:
            raise _verdict(answered.code) from None
        except aiosmtplib.SMTPTimeoutError:
            raise OutsideUnavailable("smtp_timed_out") from None
        except (aiosmtplib.SMTPException, OSError):
            raise OutsideUnavailable("smtp_unreachable") from None
        return str(message["Message-ID"])

    def _composed(self, letter: Letter, to: str, task_id: UUID) -> EmailMessage:
        message = EmailMessage()
        try:
            message["To"] = Address(addr_spec=to)
        except (ValueError, IndexError):
            raise OutsideRefused("bad_address") from None
        message["From"] = Address(self._clinic.name, addr_spec=self._clinic.mail.from_address)
        message["Subject"] = letter.subject
        message["Date"] = format_datetime(datetime.now(UTC))
        message["Message-ID"] = f"<{task_id}@{self._clinic.mail.domain}>"
        # RFC 3834: no holiday replies, please.
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(letter.text)
        message.add_alternative(letter.html, subtype="html")
        return message


def _verdict(code: int) -> OutsideUnavailable | OutsideRefused:
    return OutsideRefused(f"smtp_{code}") if 500 <= code < 600 else OutsideUnavailable(f"smtp_{code}")
