"""protoc-gen-grpc_python as a plugin of its own: grpcio-tools ships it only inside of its protoc."""

import contextlib
import pathlib
import sys
import tempfile

from google.protobuf import descriptor_pb2
from google.protobuf.compiler import plugin_pb2
from grpc_tools import protoc


def generate(request):
    """Answers one request by running that protoc in a folder of its own."""
    answer = plugin_pb2.CodeGeneratorResponse(
        supported_features=plugin_pb2.CodeGeneratorResponse.FEATURE_PROTO3_OPTIONAL
    )
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        descriptors = folder / "in.binpb"
        descriptors.write_bytes(descriptor_pb2.FileDescriptorSet(file=request.proto_file).SerializeToString())
        out = folder / "out"
        out.mkdir()
        arguments = ["protoc", f"--descriptor_set_in={descriptors}", f"--grpc_python_out={out}"]
        # Standard output belongs to the answer.
        with contextlib.redirect_stdout(sys.stderr):
            failed = protoc.main([*arguments, *request.file_to_generate])
        if failed:
            answer.error = f"grpc_tools.protoc ended with {failed}"
        for path in sorted(out.rglob("*.py")):
            answer.file.add(name=path.relative_to(out).as_posix(), content=path.read_text())
    return answer


if __name__ == "__main__":
    asked = plugin_pb2.CodeGeneratorRequest.FromString(sys.stdin.buffer.read())
    sys.stdout.buffer.write(generate(asked).SerializeToString())
