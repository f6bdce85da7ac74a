"""Makes certificates and a token, and starts a server that asks for them."""

import contextlib
import datetime
import ipaddress
import json
import pathlib

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

ISSUER = "https://issuer.example"
AUDIENCE = "sampan"
SUBJECT = "tour"


def certificates(folder):
    """Makes an authority and a certificate for localhost; returns the paths of its files."""
    now = datetime.datetime.now(datetime.timezone.utc)
    day = datetime.timedelta(days=1)

    def signed(name, key, issuer, issuer_key, extensions):
        builder = x509.CertificateBuilder(
            subject_name=x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]),
            issuer_name=x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, issuer)]),
            public_key=key.public_key(),
            serial_number=x509.random_serial_number(),
            not_valid_before=now - day,
            not_valid_after=now + day,
        )
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        return builder.sign(issuer_key, hashes.SHA256())

    authority_key = ec.generate_private_key(ec.SECP256R1())
    key = ec.generate_private_key(ec.SECP256R1())
    authority = signed("tour authority", authority_key, "tour authority", authority_key, [
        (x509.BasicConstraints(ca=True, path_length=0), True),
        (x509.KeyUsage(False, False, False, False, False, True, True, False, False), True),
    ])
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    server = signed("localhost", key, "tour authority", authority_key, [
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (x509.SubjectAlternativeName(names), False),
        (x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.SERVER_AUTH]), False),
    ])
    files = {name: folder / f"{name}.pem" for name in ("authority", "server", "key")}
    files["authority"].write_bytes(authority.public_bytes(serialization.Encoding.PEM))
    files["server"].write_bytes(server.public_bytes(serialization.Encoding.PEM))
    files["key"].write_bytes(key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ))
    return files


def token(folder):
    """Makes a key and a token for one hour; returns the token and the path of the key set."""
    key = ec.generate_private_key(ec.SECP256R1())
    public = json.loads(ECAlgorithm.to_jwk(key.public_key()))
    jwks = folder / "jwks.json"
    jwks.write_text(json.dumps({"keys": [{**public, "kid": "tour", "alg": "ES256", "use": "sig"}]}))
    now = datetime.datetime.now(datetime.timezone.utc)
    claims = {
        "iss": ISSUER, "aud": AUDIENCE, "sub": SUBJECT,
        "iat": now, "exp": now + datetime.timedelta(hours=1),
    }
    return jwt.encode(claims, key, algorithm="ES256", headers={"kid": "tour"}), jwks


@contextlib.contextmanager
def served(folder, serve, started):
    """Runs a second server, with TLS and tokens, and yields the variables by which a tour finds it.

    - `serve`: arguments of the server without TLS
    - `started`: starts the binary with arguments
    """
    files = certificates(folder)
    bearer, jwks = token(folder)
    plain = pathlib.Path(serve[serve.index("--config") + 1])
    config = folder / "secure.toml"
    config.write_text(plain.read_text() + secure_toml(files, jwks))
    arguments = [str(config) if part == str(plain) else part for part in serve]
    with started(arguments) as ready:
        port = ready["listeners"][0]["address"].rsplit(":", 1)[1]
        yield {
            "SAMPAN_SECURE_TARGET": f"localhost:{port}",
            "SAMPAN_TLS_CA": str(files["authority"]),
            "SAMPAN_TOKEN": bearer,
        }


def secure_toml(files, jwks):
    """Returns the part of a configuration that asks for TLS and tokens."""
    return f"""
[tls]
cert_file = "{files['server']}"
key_file = "{files['key']}"

[auth]
jwks_file = "{jwks}"
audience = "{AUDIENCE}"
issuer = "{ISSUER}"
"""
