"""How a client connects, and how it reads a refusal."""

import os
import pathlib

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status


def plain():
    """Returns a channel without TLS, for a server on this machine or behind a mesh."""
    return grpc.insecure_channel(os.environ["SAMPAN_TARGET"])


def secure(token=None, trusted=True):
    """Returns a channel with TLS that sends the token with every call; untrusted, it knows public authorities only."""
    roots = pathlib.Path(os.environ["SAMPAN_TLS_CA"]).read_bytes() if trusted else None
    credentials = grpc.ssl_channel_credentials(root_certificates=roots)
    if token is not None:
        credentials = grpc.composite_channel_credentials(credentials, grpc.access_token_call_credentials(token))
    return grpc.secure_channel(os.environ["SAMPAN_SECURE_TARGET"], credentials)


def details(error, kind):
    """Returns the detail of that message type in a refusal; fails when there is none."""
    for packed in rpc_status.from_call(error).details:
        unpacked = kind()
        if packed.Unpack(unpacked):
            return unpacked
    raise AssertionError(f"no {kind.__name__} in {error}")


def reason(error):
    """Returns the stable word of a refusal."""
    info = details(error, error_details_pb2.ErrorInfo)
    assert info.domain == "sampan"
    return info.reason
