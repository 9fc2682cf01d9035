# SPDX-License-Identifier: Apache-2.0
"""A mail server that keeps what it gets: one JSON object a line.

    mail_sink.py FILE PORT [--cert FILE --key FILE] [--implicit] [--user NAME --password WORD]
"""

import argparse
import asyncio
import json
import ssl

from aiosmtpd.smtp import SMTP, AuthResult


class Keeper:
    def __init__(self, path, implicit):
        self.path = path
        self.implicit = implicit

    async def handle_DATA(self, server, session, envelope):
        with open(self.path, "a") as file:
            file.write(json.dumps({
                "from": envelope.mail_from, "to": envelope.rcpt_tos, "helo": session.host_name,
                "tls": self.implicit or session.ssl is not None, "user": getattr(session, "user", None),
                "text": envelope.content.decode("ascii")}) + "\n")
        return "250 kept"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("file")
    parser.add_argument("port", type=int)
    parser.add_argument("--cert")
    parser.add_argument("--key")
    parser.add_argument("--implicit", action="store_true")
    parser.add_argument("--user")
    parser.add_argument("--password")
    options = parser.parse_args()
    context = None
    if options.cert:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(options.cert, options.key)

    def authenticate(server, session, envelope, mechanism, data):
        good = (data.login.decode(), data.password.decode()) == (options.user, options.password)
        session.user = data.login.decode() if good else None
        return AuthResult(success=good, handled=False)

    def protocol():
        return SMTP(Keeper(options.file, options.implicit), hostname="sink", enable_SMTPUTF8=False,
                    tls_context=None if options.implicit else context,
                    require_starttls=bool(context) and not options.implicit,
                    authenticator=authenticate if options.user else None,
                    auth_required=bool(options.user), auth_require_tls=False)

    async def serve():
        server = await asyncio.get_running_loop().create_server(
            protocol, None, options.port, ssl=context if options.implicit else None)
        await server.serve_forever()

    asyncio.run(serve())


main()
