"""What the checks have in common: the app's own web server, the person's browser (Selenium with Debian's Chromium
driver), and the app itself by Authlib's (PyPI) means."""

import http.server
import json
import os
import queue
import sys
import traceback
import urllib.parse

import requests
from authlib.common.security import generate_token
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
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
    """The app's own web server: keeps the address with which the browser came back, hears of logouts, and publishes the
    app's keys."""

    arrived = queue.Queue()
    told = queue.Queue()
    keys = []

    def do_GET(self):
        if self.path == "/jwks.json":
            self.answer("application/json", json.dumps({"keys": Callback.keys}))
        elif self.path.startswith("/signed-out"):
            self.answer("text/html", "<!doctype html><title>The app</title><p id=signed-out>Signed out of the app.")
        else:
            self.arrive(self.path)

    def do_POST(self):
        form = self.rfile.read(int(self.headers["content-length"])).decode()
        assert self.headers["content-type"] == "application/x-www-form-urlencoded", self.headers["content-type"]
        if self.path.startswith("/told/"):
            self.answer("text/plain", "")
            Callback.told.put((self.path.removeprefix("/told/"), urllib.parse.parse_qs(form, strict_parsing=True)))
        else:
            self.arrive(f"{self.path}?{form}")

    def arrive(self, path):
        self.answer("text/html", "<!doctype html><title>The app</title><p id=arrived>Back at the app.")
        if not self.path.startswith("/favicon"):
            Callback.arrived.put((self.command, urllib.parse.urljoin(SETTING["callback"], path)))

    def answer(self, kind, body):
        self.send_response(200)
        self.send_header("content-type", f"{kind}; charset=utf-8")
        self.end_headers()
        self.wfile.write(body.encode())

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


def deny(browser):
    element(browser, "consent-deny").click()


class App:
    """The relying party: what it discovered, its session, and the last request it made."""

    def __init__(self, browser, name, prove=None, secret=None, algorithm="RS256"):
        """`prove`: one of Authlib's ways to authenticate besides passwords, with `secret`, a key for the most part."""
        client = SETTING["clients"][name]
        method = prove.name if prove else "client_secret_basic"
        self.browser, self.client_id, self.algorithm = browser, client["client_id"], algorithm
        answer = requests.get(f"{SETTING['issuer']}/.well-known/openid-configuration", timeout=SECONDS)
        answer.raise_for_status()
        self.metadata = OpenIDProviderMetadata(answer.json())
        self.jwks = requests.get(self.metadata["jwks_uri"], timeout=SECONDS).json()
        self.session = OAuth2Session(
            self.client_id, secret or client["client_secret"], token_endpoint_auth_method=method,
            revocation_endpoint_auth_method=method, scope=SCOPE, redirect_uri=SETTING["callback"],
            code_challenge_method="S256", default_timeout=SECONDS,
        )
        if prove:
            self.session.register_client_auth_method(prove)

    def authorize(self, *steps, **parameters):
        """Through the pages and back: how the browser came back, with which address, and the state that it must have.
        What was posted stands in the query, where Authlib looks for it."""
        url, state = self.session.create_authorization_url(self.metadata["authorization_endpoint"], **parameters)
        self.browser.get(url)
        for step in steps:
            step(self.browser)
        method, response = Callback.arrived.get(timeout=SECONDS)
        # Only the browser knows what stands behind the #.
        return method, response if method == "POST" else arrived(self.browser), state

    def sign_in(self, *steps, **parameters):
        """Through the pages and back, then the code for tokens: the tokens, and the nonce that was sent."""
        verifier, nonce = generate_token(48), generate_token()
        _, response, state = self.authorize(*steps, code_verifier=verifier, nonce=nonce, **parameters)
        assert parameters_of(response)["iss"] == SETTING["issuer"], response
        tokens = self.session.fetch_token(
            self.metadata["token_endpoint"], authorization_response=response, state=state, code_verifier=verifier
        )
        return tokens, nonce

    def opened(self, token):
        """A token whose signature the published keys prove."""
        token = jwt.decode(token, KeySet.import_key_set(self.jwks), algorithms=[self.algorithm])
        assert token.header["alg"] == self.algorithm, token.header
        return token

    def id_token(self, tokens, kind=CodeIDToken, **expected):
        """OpenID Connect Core 3.1.3.7, with the signature by the published keys."""
        token = self.opened(tokens["id_token"])
        claims = kind(
            token.claims, token.header,
            {"iss": {"essential": True, "value": SETTING["issuer"]}, "aud": {"essential": True, "value": self.client_id}},
            {"client_id": self.client_id, "access_token": tokens.get("access_token"), **expected},
        )
        claims.validate(leeway=5)
        return claims

    def introspect(self, token, **headers):
        return self.session.introspect_token(
            self.metadata["introspection_endpoint"], token=token, headers=headers or None
        )

    def active(self, token):
        return self.introspect(token).json()

    def revoke(self, token):
        self.session.revoke_token(self.metadata["revocation_endpoint"], token=token).raise_for_status()

    def refresh(self, token):
        return dict(self.session.refresh_token(self.metadata["token_endpoint"], refresh_token=token))


def present(browser, name):
    WebDriverWait(browser, SECONDS).until(condition.presence_of_element_located((By.ID, name)))


def arrived(browser):
    present(browser, "arrived")
    return browser.current_url


def parameters_of(response):
    """Of an address: its query or its fragment, never both."""
    parts = urllib.parse.urlsplit(response)
    assert not (parts.query and parts.fragment), response
    return dict(urllib.parse.parse_qsl(parts.query or parts.fragment))
