package sampan.clients;

import io.grpc.CallCredentials;
import io.grpc.ChannelCredentials;
import io.grpc.CompositeChannelCredentials;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.TlsChannelCredentials;
import java.io.File;
import java.io.IOException;
import java.util.concurrent.Executor;

/** How a client connects. */
final class Connect {
  private Connect() {}

  /** Returns a channel without TLS, for a server on this machine or behind a mesh. */
  static ManagedChannel plain() {
    return Grpc.newChannelBuilder(System.getenv("SAMPAN_TARGET"), InsecureChannelCredentials.create()).build();
  }

  /** Returns a channel with TLS that sends the token with every call; a null token sends none. */
  static ManagedChannel secure(String token) throws IOException {
    var authority = new File(System.getenv("SAMPAN_TLS_CA"));
    var tls = TlsChannelCredentials.newBuilder().trustManager(authority).build();
    return secure(token == null ? tls : CompositeChannelCredentials.create(tls, new Bearer(token)));
  }

  /** Returns a channel with these credentials. */
  static ManagedChannel secure(ChannelCredentials credentials) {
    return Grpc.newChannelBuilder(System.getenv("SAMPAN_SECURE_TARGET"), credentials).build();
  }

  private static final class Bearer extends CallCredentials {
    private static final Metadata.Key<String> HEADER =
        Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);
    private final String token;

    Bearer(String token) {
      this.token = token;
    }

    @Override
    public void applyRequestMetadata(RequestInfo info, Executor executor, MetadataApplier applier) {
      var headers = new Metadata();
      headers.put(HEADER, "Bearer " + token);
      applier.apply(headers);
    }
  }
}
