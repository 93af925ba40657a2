"""The apps that the suites' settings file declares: each is there for a few of the protocol's options."""

import json
import secrets

SCOPE = "openid profile email offline_access"
SIGNING = ["RS256", "PS256", "ES256", "EdDSA"]
ENCRYPTING = {"RSA-OAEP-256": "A256GCM", "ECDH-ES": "A128CBC-HS256"}


def apps(callback, issuer, keys):
    """The apps by the names that the suites have for them. `keys`: key pairs by algorithm, as `node/keys.mjs` makes them."""
    app = callback.removesuffix("/callback")
    through_browser = {
        "grant_types": ["authorization_code", "implicit", "refresh_token"],
        "response_types": ["code", "id_token", "id_token token", "code id_token", "code token", "code id_token token"],
    }
    found = {
        # Whatever it signs, it signs so; whatever is for it, it wants signed so.
        algorithm: {
            "token_endpoint_auth_method": "private_key_jwt",
            "token_endpoint_auth_signing_alg": algorithm,
            "id_token_signed_response_alg": algorithm,
            "userinfo_signed_response_alg": algorithm,
            "introspection_signed_response_alg": algorithm,
            "jwks": public(keys, algorithm),
            "backchannel_logout_uri": f"{app}/told/{algorithm}",
        }
        for algorithm in SIGNING
    }
    found |= {
        algorithm: {
            "client_secret": secrets.token_hex(32),
            "id_token_encrypted_response_alg": algorithm,
            "id_token_encrypted_response_enc": encoding,
            "userinfo_encrypted_response_alg": algorithm,
            "userinfo_encrypted_response_enc": encoding,
            "introspection_signed_response_alg": "RS256",
            "introspection_encrypted_response_alg": algorithm,
            "introspection_encrypted_response_enc": encoding,
            "jwks": public(keys, algorithm),
            **through_browser,
        }
        for algorithm, encoding in ENCRYPTING.items()
    }
    found |= {
        "jwks-uri": {
            "token_endpoint_auth_method": "private_key_jwt",
            "jwks_uri": f"{app}/jwks.json",
            "assertion_audiences": [f"{issuer}/oauth2/token"],
        },
        "secret-jwt": {"token_endpoint_auth_method": "client_secret_jwt", "client_secret": secrets.token_hex(32)},
        "told": {
            "client_secret": secrets.token_hex(32),
            "post_logout_redirect_uris": [f"{app}/signed-out"],
            "backchannel_logout_uri": f"{app}/told/told",
            "backchannel_logout_session_required": True,
        },
        "browser": {"client_secret": secrets.token_hex(32), **through_browser},
        "request": {
            "client_secret": secrets.token_hex(32),
            "require_signed_request_object": True,
            "request_uris": [f"{app}/request.jwt"],
            "jwks": public(keys, *SIGNING),
        },
    }
    common = {"kind": "web", "redirect_uris": [callback], "scope": SCOPE}
    return {
        name: {"client_id": f"app-{name.lower()}", "name": f"The app {name}", **common, **options}
        for name, options in found.items()
    }


def settings(apps):
    """The settings file. JSON's strings, lists and truth values are TOML's."""
    tables = ["[outbound]", 'allow_hosts = ["localhost"]']
    tables += ["", "[registration]", 'mode = "token"', 'response_types = ["code", "code id_token"]']
    for app in apps.values():
        tables += ["", "[[clients]]", *(f"{name} = {json.dumps(value)}" for name, value in app.items())]
    return "\n".join(tables) + "\n"


def known(apps):
    """What the suites are told of the apps."""
    return {name: {key: app[key] for key in ("client_id", "client_secret") if key in app} for name, app in apps.items()}


def public(keys, *algorithms):
    """A JWK Set as JSON text."""
    return json.dumps({"keys": [keys[algorithm]["public"] for algorithm in algorithms]})
