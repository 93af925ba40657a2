"""Dynamic registration: an app comes by an initial access token, signs a person in, and leaves. Authlib has the names
and values of the metadata, the requests are the app's own."""

import requests
from authlib.oauth2.rfc7523 import ClientSecretJWT, PrivateKeyJWT
from authlib.oauth2.rfc7591 import ClientMetadataClaims
from authlib.oidc.registration import ClientMetadataClaims as OpenIDMetadataClaims

from options import KEYS
from relying_party import SCOPE, SECONDS, SETTING, App, allow, check, refused

APP = {
    "redirect_uris": [SETTING["callback"]], "client_name": "A Python app of its own accord",
    "grant_types": ["authorization_code", "refresh_token"], "scope": SCOPE,
}


def register(endpoint, token=SETTING["registration_token"], **metadata):
    headers = {"authorization": f"Bearer {token}"} if token else {}
    return requests.post(endpoint, json={**APP, **metadata}, headers=headers, timeout=SECONDS)


def registered(metadata, **options):
    """What applies to the new client, of which both specifications' rules hold."""
    answer = register(metadata["registration_endpoint"], **options)
    assert answer.status_code == 201, answer.text
    assert answer.headers["cache-control"] == "no-store", answer.headers
    told = answer.json()
    for kind in (ClientMetadataClaims, OpenIDMetadataClaims):
        kind(told, {}, kind.get_claims_options(metadata)).validate()
    assert {name: told[name] for name in options} == options, told
    return told


def check_refused(endpoint):
    answer = register(endpoint, token=None)
    assert answer.status_code == 401 and "bearer" in answer.headers["www-authenticate"].lower(), answer.headers
    answer = register(endpoint, redirect_uris=["https://app.example/#fragment"], subject_type="secret")
    told = answer.json()
    assert (answer.status_code, told["error"]) == (400, "invalid_redirect_uri"), told
    assert "subject_type" in told["error_description"], told


def sign_in(browser, told, prove, secret, algorithm="RS256"):
    SETTING["clients"]["registered"] = told
    app = App(browser, "registered", prove, secret, algorithm)
    tokens, nonce = app.sign_in(allow, prompt="consent")
    tokens = dict(tokens)
    assert app.id_token(tokens, nonce=nonce)["aud"] == told["client_id"]
    return app, app.refresh(tokens["refresh_token"])


def check_secret(browser, metadata, method, prove=None):
    told = registered(metadata, token_endpoint_auth_method=method)
    assert told["client_secret_expires_at"] == 0, told
    sign_in(browser, told, prove, told["client_secret"])


def check_key(browser, metadata):
    """To the end: the app leaves, and is not known any more."""
    own = SETTING["keys"]["EdDSA"]
    told = registered(
        metadata, token_endpoint_auth_method="private_key_jwt", jwks={"keys": [own["public"]]},
        id_token_signed_response_alg="ES256",
    )
    prove = PrivateKeyJWT(SETTING["issuer"], headers={"kid": own["private"]["kid"]}, alg="EdDSA")
    app, tokens = sign_in(browser, told, prove, KEYS["EdDSA"].import_key(own["private"]), "ES256")
    headers = {"authorization": f"Bearer {told['registration_access_token']}"}
    uri = told["registration_client_uri"]
    current = requests.get(uri, headers=headers, timeout=SECONDS).json()
    assert current["client_name"] == APP["client_name"], current
    answer = requests.delete(uri, headers=headers, timeout=SECONDS)
    assert answer.status_code == 204, answer.text
    refused(lambda: app.refresh(tokens["refresh_token"]), "invalid_client")


def run(browser, metadata):
    """A person who is signed in goes from app to app."""
    check("registration: refused without a token, and what is wrong is named", lambda: check_refused(
        metadata["registration_endpoint"]
    ))
    for method, prove in [("client_secret_basic", None), ("client_secret_jwt", ClientSecretJWT(SETTING["issuer"]))]:
        check(f"registration with {method}", lambda: check_secret(browser, metadata, method, prove), browser)
    check("registration with private_key_jwt, to its removal", lambda: check_key(browser, metadata), browser)
