"""Authlib (PyPI) as the relying party, Selenium with Debian's Chromium driver as the person's browser."""

import http.server
import json
import os
import queue
import sys
import tempfile
import threading
import time
import traceback
import urllib.parse

import requests
from authlib.common.security import generate_token
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc9068 import JWTBearerTokenValidator
from authlib.oidc.core import CodeIDToken, UserInfo
from authlib.oidc.discovery import OpenIDProviderMetadata
from joserfc import jwt
from joserfc.jwk import KeySet
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support import expected_conditions as condition
from selenium.webdriver.support.wait import WebDriverWait

SETTING = json.loads(os.environ["SIGNET_RELYING_PARTY"])
SCOPE = "openid profile email offline_access"
SECONDS = 20


class Callback(http.server.BaseHTTPRequestHandler):
    """The app's own web server: keeps the address with which the browser came back."""

    arrived = queue.Queue()

    def do_GET(self):
        self.send_response(200)
        self.send_header("content-type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>The app</title><p id=arrived>Back at the app.")
        if not self.path.startswith("/favicon"):
            Callback.arrived.put(urllib.parse.urljoin(SETTING["callback"], self.path))

    def log_message(self, *_):
        pass


def check(name, action, browser=None):
    """Prints the outcome of `action` and hands on its value; the first failure ends the program."""
    try:
        value = action()
    except Exception:
        print(f"FAILED  {SETTING['title']}: {name}")
        print("        " + traceback.format_exc().replace("\n", "\n        "))
        if browser:
            text = browser.find_element(By.TAG_NAME, "body").text
            print(f"        the page was {browser.current_url}:\n        | " + text[:1500].replace("\n", "\n        | "))
        sys.exit(1)
    print(f"ok      {SETTING['title']}: {name}", flush=True)
    return value


def refused(action, code):
    try:
        answer = action()
    except OAuthError as error:
        assert error.error == code, f"{error.error}, not {code}"
        return
    raise AssertionError(f"{code} was expected, but there was {answer}")


def chromium(directory):
    options = webdriver.ChromeOptions()
    options.binary_location = SETTING["chromium"]
    for flag in ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--no-proxy-server",
                 "--disable-background-networking", "--disable-component-update", "--disable-sync",
                 "--disable-dev-shm-usage", "--lang=en-US", f"--user-data-dir={directory}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(options=options, service=webdriver.ChromeService(SETTING["chromedriver"]))


def element(browser, name):
    return WebDriverWait(browser, SECONDS).until(condition.element_to_be_clickable((By.ID, name)))


def login(browser):
    element(browser, "login-username").send_keys(SETTING["user"]["username"])
    element(browser, "login-password").send_keys(SETTING["user"]["password"])
    element(browser, "login-submit").click()


def allow(browser):
    element(browser, "consent-allow").click()


class App:
    """The relying party: what it discovered, its session, and the last request it made."""

    def __init__(self, browser):
        self.browser = browser
        answer = requests.get(f"{SETTING['issuer']}/.well-known/openid-configuration", timeout=SECONDS)
        answer.raise_for_status()
        self.metadata = OpenIDProviderMetadata(answer.json())
        self.jwks = requests.get(self.metadata["jwks_uri"], timeout=SECONDS).json()
        self.client_id = SETTING["clients"]["authlib"]["client_id"]
        self.session = OAuth2Session(
            self.client_id, SETTING["clients"]["authlib"]["client_secret"], scope=SCOPE,
            redirect_uri=SETTING["callback"], code_challenge_method="S256", default_timeout=SECONDS,
        )

    def sign_in(self, *steps, **parameters):
        """Through the pages and back, then the code for tokens: the tokens, and the nonce that was sent."""
        verifier, nonce = generate_token(48), generate_token()
        url, state = self.session.create_authorization_url(
            self.metadata["authorization_endpoint"], code_verifier=verifier, nonce=nonce, **parameters
        )
        self.browser.get(url)
        for step in steps:
            step(self.browser)
        response = Callback.arrived.get(timeout=SECONDS)
        returned = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(response).query))
        assert returned["iss"] == SETTING["issuer"], returned
        tokens = self.session.fetch_token(
            self.metadata["token_endpoint"], authorization_response=response, state=state, code_verifier=verifier
        )
        return tokens, nonce

    def id_token(self, tokens, **expected):
        """OpenID Connect Core 3.1.3.7, with the signature by the published keys."""
        token = jwt.decode(tokens["id_token"], KeySet.import_key_set(self.jwks), algorithms=["RS256"])
        claims = CodeIDToken(
            token.claims, token.header,
            {"iss": {"essential": True, "value": SETTING["issuer"]}, "aud": {"essential": True, "value": self.client_id}},
            {"client_id": self.client_id, "access_token": tokens["access_token"], **expected},
        )
        claims.validate(leeway=5)
        return claims

    def active(self, token):
        return self.session.introspect_token(self.metadata["introspection_endpoint"], token=token).json()

    def revoke(self, token):
        self.session.revoke_token(self.metadata["revocation_endpoint"], token=token).raise_for_status()

    def refresh(self, token):
        return dict(self.session.refresh_token(self.metadata["token_endpoint"], refresh_token=token))


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
    app = check("discovery and keys", lambda: App(browser))
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
    check("the browser had nothing to complain about", lambda: check_quiet(browser))


def refreshed(app, first, subject):
    tokens = app.refresh(first["refresh_token"])
    assert tokens["refresh_token"] != first["refresh_token"]
    assert app.id_token(tokens)["sub"] == subject
    check_userinfo(app, subject)
    return tokens


if __name__ == "__main__":
    main()
