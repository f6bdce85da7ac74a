package sampan.clients;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.function.Executable;

/** What a refused call told its caller: the code, the stable word, and the wrong fields with theirs. */
record Refusal(Status.Code code, String reason, Map<String, String> fields) {
  static Refusal of(Executable call) throws InvalidProtocolBufferException {
    var error = assertThrows(StatusRuntimeException.class, call);
    var reason = "";
    var fields = new HashMap<String, String>();
    for (var detail : StatusProto.fromThrowable(error).getDetailsList()) {
      if (detail.is(ErrorInfo.class)) {
        var info = detail.unpack(ErrorInfo.class);
        assertEquals("sampan", info.getDomain());
        reason = info.getReason();
      } else if (detail.is(BadRequest.class)) {
        for (var violation : detail.unpack(BadRequest.class).getFieldViolationsList()) {
          fields.put(violation.getField(), violation.getReason());
        }
      }
    }
    return new Refusal(error.getStatus().getCode(), reason, fields);
  }
}
