"""Authlib (PyPI) as the relying party, Selenium with Debian's Chromium driver as the person's browser."""

import http.server
import tempfile
import threading
import time
import urllib.parse

from authlib.oauth2.rfc9068 import JWTBearerTokenValidator
from authlib.oidc.core import UserInfo
from joserfc import jwt
from joserfc.jwk import KeySet

import logout
import options
import registration
from relying_party import SETTING, App, Callback, allow, check, chromium, login, refused


class ResourceServer(JWTBearerTokenValidator):
    """An API that trusts Signet's access tokens by their signature alone (RFC 9068, section 4)."""

    def __init__(self, jwks, audience):
        super().__init__(SETTING["issuer"], audience)
        self.jwks = KeySet.import_key_set(jwks)

    def get_jwks(self):
        return self.jwks


def check_discovery(app):
    app.metadata.validate()
    assert app.metadata["issuer"] == SETTING["issuer"], app.metadata["issuer"]


def check_id_token(app, tokens, nonce):
    claims = app.id_token(tokens, nonce=nonce, max_age=3600)
    assert claims["nonce"] == nonce and claims.get("at_hash"), claims
    assert abs(claims["auth_time"] - time.time()) < 60, claims
    return claims


def check_access_token(app, tokens, subject):
    token = jwt.decode(tokens["access_token"], KeySet.import_key_set(app.jwks), algorithms=["RS256"])
    audience = token.claims["aud"]
    assert token.header["typ"] == "at+jwt", token.header
    assert isinstance(audience, str) or len(audience) == 1, audience
    server = ResourceServer(app.jwks, audience if isinstance(audience, str) else audience[0])
    claims = server.authenticate_token(tokens["access_token"])
    server.validate_token(claims, ["openid email"], None)
    assert (claims["sub"], claims["client_id"]) == (subject, app.client_id), claims


def check_userinfo(app, subject):
    answer = app.session.get(app.metadata["userinfo_endpoint"])
    answer.raise_for_status()
    claims = UserInfo(answer.json())
    assert claims.sub == subject and claims.email == SETTING["user"]["email"], claims
    assert claims.name == "Ada Lovelace", claims


def check_introspection(app, tokens, subject):
    told = app.active(tokens["access_token"])
    assert (told["active"], told["sub"], told["client_id"]) == (True, subject, app.client_id), told


def check_reuse(app, first, second):
    time.sleep(SETTING["refresh_grace"] + 1.2)
    refused(lambda: app.refresh(first["refresh_token"]), "invalid_grant")
    refused(lambda: app.refresh(second["refresh_token"]), "invalid_grant")
    assert app.active(second["access_token"]) == {"active": False}


def check_revocation(app):
    tokens, _ = app.sign_in(allow, prompt="consent")
    tokens = dict(tokens)
    assert app.active(tokens["access_token"])["active"] is True
    app.revoke(tokens["refresh_token"])
    refused(lambda: app.refresh(tokens["refresh_token"]), "invalid_grant")
    assert app.active(tokens["access_token"]) == {"active": False}


def check_quiet(browser):
    said = [entry["message"] for entry in browser.get_log("browser")]
    assert not said, said


def main():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", urllib.parse.urlsplit(SETTING["callback"]).port), Callback)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory(prefix="signet-chromium-", ignore_cleanup_errors=True) as directory:
        browser = chromium(directory)
        try:
            run(browser)
        finally:
            browser.quit()
            server.shutdown()


def run(browser):
    app = check("discovery and keys", lambda: App(browser, "authlib"))
    check("the metadata is valid", lambda: check_discovery(app))
    tokens, nonce = check(
        "code flow with PKCE: login, consent, tokens",
        lambda: app.sign_in(login, allow, prompt="consent", max_age=3600), browser,
    )
    first = dict(tokens)
    subject = check("the ID token is valid: signature, nonce, at_hash, auth_time", lambda: check_id_token(app, first, nonce))["sub"]
    check("the access token is an at+jwt that an API can check alone", lambda: check_access_token(app, first, subject))
    check("userinfo has the claims of the scopes", lambda: check_userinfo(app, subject))
    check("introspection tells about the token", lambda: check_introspection(app, first, subject))
    second = check("refresh gives new tokens and a valid ID token", lambda: refreshed(app, first, subject))
    check("a spent refresh token is refused and ends its family", lambda: check_reuse(app, first, second))
    check("a revoked refresh token ends the grant", lambda: check_revocation(app), browser)
    options.run(browser)
    registration.run(browser, app.metadata)
    logout.run(browser)
    check("the browser had nothing to complain about", lambda: check_quiet(browser))


def refreshed(app, first, subject):
    tokens = app.refresh(first["refresh_token"])
    assert tokens["refresh_token"] != first["refresh_token"]
    assert app.id_token(tokens)["sub"] == subject
    check_userinfo(app, subject)
    return tokens


if __name__ == "__main__":
    main()
