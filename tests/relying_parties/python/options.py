"""What an app can choose: how it proves itself, how answers travel, what they are signed and encrypted with."""

import warnings

from authlib.common.security import generate_token
from authlib.oauth2.rfc7523 import ClientSecretJWT, PrivateKeyJWT
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import HybridIDToken, ImplicitIDToken, UserInfo
from joserfc import jwk

from relying_party import SETTING, App, Callback, allow, check, deny, parameters_of, refused

with warnings.catch_warnings():
    # Authlib's own JOSE is on its way out, but apps still decrypt with it.
    warnings.simplefilter("ignore")
    from authlib.jose import JsonWebEncryption, JsonWebKey

# RFC 9864 has another name for it, which OpenID Connect does not use yet.
warnings.filterwarnings("ignore", message="EdDSA is deprecated")

KEYS = {"RS256": jwk.RSAKey, "PS256": jwk.RSAKey, "ES256": jwk.ECKey, "EdDSA": jwk.OKPKey}
INTROSPECTION = "application/token-introspection+jwt"


def signing_app(browser, name, algorithm, audience=None, signed="RS256"):
    """An app that proves itself by its key. Authlib would address the token endpoint; the audience is our issuer."""
    own = SETTING["keys"][algorithm]["private"]
    prove = PrivateKeyJWT(audience or SETTING["issuer"], headers={"kid": own["kid"]}, alg=algorithm)
    return App(browser, name, prove, KEYS[algorithm].import_key(own), signed)


def authenticated(app):
    """Everything for which an app authenticates."""
    tokens, nonce = app.sign_in(allow, prompt="consent")
    tokens = dict(tokens)
    assert app.id_token(tokens, nonce=nonce)["nonce"] == nonce
    second = app.refresh(tokens["refresh_token"])
    assert app.active(second["access_token"])["active"] is True
    app.revoke(second["refresh_token"])
    refused(lambda: app.refresh(second["refresh_token"]), "invalid_grant")


def check_jwks_uri(browser, algorithms, audience=None):
    for algorithm in algorithms:
        Callback.keys = [SETTING["keys"][algorithm]["public"]]
        authenticated(signing_app(browser, "jwks-uri", algorithm, audience))


def check_form_post(browser):
    app = App(browser, "authlib")
    verifier, nonce = generate_token(48), generate_token()
    parameters = {"code_verifier": verifier, "nonce": nonce, "prompt": "consent", "response_mode": "form_post"}
    method, response, state = app.authorize(allow, **parameters)
    assert method == "POST", method
    tokens = app.session.fetch_token(
        app.metadata["token_endpoint"], authorization_response=response, state=state, code_verifier=verifier
    )
    assert app.id_token(dict(tokens), nonce=nonce)["nonce"] == nonce
    method, response, state = app.authorize(deny, **parameters)
    assert method == "POST", method
    told = parameters_of(response)
    assert (told["error"], told["state"]) == ("access_denied", state), told


def check_hybrid(app, response_type, **parameters):
    """The front-channel answer with its hashes, then the code for tokens of the same person."""
    verifier, nonce = generate_token(48), generate_token()
    method, response, state = app.authorize(
        allow, response_type=response_type, nonce=nonce, prompt="consent", code_challenge_method="S256",
        code_challenge=create_s256_code_challenge(verifier), **parameters,
    )
    assert method == ("POST" if parameters else "GET"), method
    told = parameters_of(response)
    words = {"code": "code", "id_token": "id_token", "token": "access_token"}
    assert {words[word] for word in response_type.split()} == told.keys() & set(words.values()), told.keys()
    assert told["state"] == state and told["iss"] == SETTING["issuer"], told
    first = app.id_token(told, HybridIDToken, nonce=nonce, code=told["code"]) if "id_token" in told else None
    tokens = dict(app.session.fetch_token(
        app.metadata["token_endpoint"], grant_type="authorization_code", code=told["code"], code_verifier=verifier
    ))
    second = app.id_token(tokens, nonce=nonce)
    assert first is None or (first["sub"], first["iss"]) == (second["sub"], second["iss"]), (first, second)
    for token in [told.get("access_token"), tokens["access_token"]]:
        assert token is None or app.active(token)["sub"] == second["sub"]


def check_implicit(app):
    nonce = generate_token()
    _, response, state = app.authorize(response_type="id_token token", nonce=nonce, scope="openid email")
    tokens = dict(app.session.fetch_token(authorization_response=response, state=state))
    assert "refresh_token" not in tokens and "code" not in tokens, tokens.keys()
    claims = app.id_token(tokens, ImplicitIDToken, nonce=nonce)
    userinfo = UserInfo(app.session.get(app.metadata["userinfo_endpoint"]).json())
    assert (userinfo.sub, userinfo.email) == (claims["sub"], SETTING["user"]["email"]), userinfo
    assert "email" not in claims, claims


def check_implicit_alone(app):
    """The ID token is all that the app gets, so what the scopes stand for is in it."""
    nonce = generate_token()
    _, response, _ = app.authorize(response_type="id_token", nonce=nonce, scope="openid email")
    claims = app.id_token(parameters_of(response), ImplicitIDToken, nonce=nonce)
    assert claims["email"] == SETTING["user"]["email"] and "at_hash" not in claims, claims


def check_implicit_refused(app):
    _, response, state = app.authorize(deny, response_type="id_token token", nonce=generate_token(), prompt="consent")
    assert "#" in response, response
    told = parameters_of(response)
    assert (told["error"], told["state"]) == ("access_denied", state), told


def check_userinfo(app, subject, opened):
    answer = app.session.get(app.metadata["userinfo_endpoint"])
    answer.raise_for_status()
    assert answer.headers["content-type"].startswith("application/jwt"), answer.headers
    claims = opened(answer.text).claims
    userinfo = UserInfo(claims)
    assert (userinfo.sub, userinfo.email) == (subject, SETTING["user"]["email"]), userinfo
    assert (claims["iss"], claims["aud"]) == (SETTING["issuer"], app.client_id), claims


def check_introspection(app, token, subject, opened):
    answer = app.introspect(token, **{
        "Accept": INTROSPECTION, "Content-Type": "application/x-www-form-urlencoded",
    })
    answer.raise_for_status()
    assert answer.headers["content-type"].startswith(INTROSPECTION), answer.headers
    token = opened(answer.text)
    assert token.header["typ"] == "token-introspection+jwt", token.header
    assert (token.claims["iss"], token.claims["aud"]) == (SETTING["issuer"], app.client_id), token.claims
    told = token.claims["token_introspection"]
    assert (told["active"], told["sub"]) == (True, subject), told


def check_signed(browser, algorithm):
    app = signing_app(browser, algorithm, algorithm, signed=algorithm)
    tokens, nonce = app.sign_in(allow, prompt="consent")
    tokens = dict(tokens)
    subject = app.id_token(tokens, nonce=nonce)["sub"]
    check_userinfo(app, subject, app.opened)
    check_introspection(app, tokens["access_token"], subject, app.opened)


def check_encrypted(browser, algorithm):
    app = App(browser, algorithm)
    own = JsonWebKey.import_key(SETTING["keys"][algorithm]["private"])

    def decrypted(token):
        opened = JsonWebEncryption().deserialize_compact(token, own)
        assert (opened["header"]["alg"], opened["header"]["cty"]) == (algorithm, "JWT"), opened["header"]
        return opened["payload"].decode()

    def opened(token):
        return app.opened(decrypted(token))

    tokens, nonce = app.sign_in(allow, prompt="consent")
    tokens = dict(tokens)
    subject = app.id_token({**tokens, "id_token": decrypted(tokens["id_token"])}, nonce=nonce)["sub"]
    check_userinfo(app, subject, opened)
    check_introspection(app, tokens["access_token"], subject, opened)


def run(browser):
    """A person who is signed in goes from app to app."""
    check("response_mode=form_post, for tokens and for errors", lambda: check_form_post(browser), browser)
    app = check("an app for every response type", lambda: App(browser, "browser"))
    for kind in ["code id_token", "code token", "code id_token token"]:
        check(f"hybrid flow, {kind}: nonce, c_hash, at_hash", lambda: check_hybrid(app, kind), browser)
    check(
        "hybrid flow with response_mode=form_post",
        lambda: check_hybrid(app, "code id_token token", response_mode="form_post"), browser,
    )
    check("implicit flow, id_token token: nonce, at_hash, userinfo", lambda: check_implicit(app), browser)
    check("implicit flow, id_token: the claims of the scopes", lambda: check_implicit_alone(app), browser)
    check("implicit flow: a person who declines, in the fragment", lambda: check_implicit_refused(app), browser)
    check("client_secret_jwt", lambda: authenticated(
        App(browser, "secret-jwt", ClientSecretJWT(SETTING["issuer"]))
    ), browser)
    check(
        "private_key_jwt with keys at a jwks_uri; a new key counts at once",
        lambda: check_jwks_uri(browser, ["PS256", "ES256"]), browser,
    )
    check(
        "private_key_jwt as Authlib addresses it, to the token endpoint, where the operator allows that",
        lambda: check_jwks_uri(browser, ["ES256"], app.metadata["token_endpoint"]), browser,
    )
    for algorithm in KEYS:
        check(
            f"{algorithm}: private_key_jwt, ID token, userinfo and introspection",
            lambda: check_signed(browser, algorithm), browser,
        )
    for algorithm in ["RSA-OAEP-256", "ECDH-ES"]:
        check(
            f"{algorithm}: encrypted ID token, userinfo and introspection",
            lambda: check_encrypted(browser, algorithm), browser,
        )
