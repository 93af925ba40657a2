"""Back-channel logout: the apps of a session hear of its end, each by a token of its own."""

import queue
import time
import urllib.parse
import warnings

from options import signing_app
from relying_party import SECONDS, SETTING, App, Callback, allow, check, login, present

with warnings.catch_warnings():
    # Authlib's own JOSE is on its way out, but apps still verify with it.
    warnings.simplefilter("ignore")
    from authlib.jose import JsonWebKey, JsonWebToken

EVENT = "http://schemas.openid.net/event/backchannel-logout"


def check_announced(app):
    assert app.metadata["backchannel_logout_supported"] is True
    assert app.metadata["backchannel_logout_session_supported"] is True


def sign_in(apps):
    """One session for all of them: the claims of their ID tokens, and the last ID token as it came."""
    claims = {}
    for name, app in apps.items():
        steps = [allow] if claims else [login, allow]
        tokens, nonce = app.sign_in(*steps, prompt="consent")
        claims[name] = app.id_token(dict(tokens), nonce=nonce)
    return claims, tokens["id_token"]


def log_out(browser, app, hint):
    """What the apps were told, by their names: each once, and no others."""
    parameters = {"client_id": app.client_id, "id_token_hint": hint, "post_logout_redirect_uri": SETTING["signed_out"]}
    browser.get(f"{app.metadata['end_session_endpoint']}?{urllib.parse.urlencode(parameters)}")
    present(browser, "signed-out")
    told = dict(Callback.told.get(timeout=SECONDS) for _ in range(2))
    try:
        raise AssertionError(f"nobody else was expected to be told, but {Callback.told.get(timeout=1)}")
    except queue.Empty:
        return told


def verify(app, form, claims):
    """OpenID Connect Back-Channel Logout 1.0, section 2.6."""
    assert form.keys() == {"logout_token"} and len(form["logout_token"]) == 1, form
    required = {
        "iss": {"essential": True, "value": SETTING["issuer"]}, "aud": {"essential": True, "value": app.client_id},
        "sub": {"essential": True, "value": claims["sub"]}, "sid": {"essential": True, "value": claims["sid"]},
        "iat": {"essential": True}, "exp": {"essential": True}, "jti": {"essential": True},
        "events": {"essential": True, "value": {EVENT: {}}},
    }
    keys = JsonWebKey.import_key_set(app.jwks)
    token = JsonWebToken([app.algorithm]).decode(form["logout_token"][0], keys, claims_options=required)
    token.validate(leeway=5)
    assert token.header["typ"] == "logout+jwt", token.header
    assert "nonce" not in token and token["exp"] - time.time() <= 120, token


def run(browser):
    browser.execute_cdp_cmd("Network.clearBrowserCookies", {})
    apps = {"ES256": signing_app(browser, "ES256", "ES256", signed="ES256"), "told": App(browser, "told")}
    check("back-channel logout is announced, with sid", lambda: check_announced(apps["told"]))
    claims, hint = check("one person signs in to two apps, in one session", lambda: sign_in(apps), browser)
    told = check("a logout by one app reaches both, and no other", lambda: log_out(browser, apps["told"], hint), browser)
    for name, app in apps.items():
        check(
            f"the logout token signed by {app.algorithm}: typ, iss, aud, events, sub, sid, no nonce",
            lambda: verify(app, told[name], claims[name]),
        )
