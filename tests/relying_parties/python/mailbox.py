"""A mail server (aiosmtpd) for one run: STARTTLS before anything else, a user with a password, and each mail that it
takes as a file of JSON in a folder, where the suites find it.

    mailbox.py PORT FOLDER CERTIFICATE KEY USER PASSWORD
"""

import email
import email.policy
import json
import logging
import os
import ssl
import sys

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword


class Folder:
    def __init__(self, folder):
        self.folder = folder
        self.count = 0

    async def handle_DATA(self, server, session, envelope):
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        part = lambda kind: (mail.get_body(preferencelist=(kind,)) or mail).get_content()  # noqa: E731
        content = {
            "to": envelope.rcpt_tos, "from": envelope.mail_from, "tls": session.ssl is not None,
            "subject": str(mail["Subject"]), "text": part("plain"), "html": part("html"),
            "headers": {name.lower(): str(value) for name, value in mail.items()},
        }
        self.count += 1
        path = os.path.join(self.folder, f"{self.count:04}.json")
        with open(path + ".part", "w") as file:
            json.dump(content, file)
        os.rename(path + ".part", path)
        return "250 kept"


def main():
    port, folder, certificate, key, user, password = sys.argv[1:]
    logging.getLogger("mail.log").setLevel(logging.ERROR)  # it warns of its own use of what it deprecates
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    wanted = LoginPassword(user.encode(), password.encode())
    controller = Controller(
        Folder(folder), hostname="127.0.0.1", port=int(port), tls_context=context, require_starttls=True,
        auth_required=True, auth_require_tls=True,
        authenticator=lambda server, session, envelope, mechanism, data: AuthResult(success=data == wanted),
    )
    controller.start()
    print("listening", flush=True)
    try:
        # Until the runner goes, which closes this.
        sys.stdin.read()
    except KeyboardInterrupt:
        pass
    finally:
        controller.stop()


if __name__ == "__main__":
    main()
