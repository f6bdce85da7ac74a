package clients

import (
	"context"
	"os"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
)

const patience = 30 * time.Second

// bearer sends a token with every call, over TLS alone.
type bearer string

func (token bearer) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{"authorization": "Bearer " + string(token)}, nil
}

func (bearer) RequireTransportSecurity() bool { return true }

// plain connects without TLS, to a server on this machine or behind a mesh.
func plain(t *testing.T) *grpc.ClientConn {
	return connected(t, os.Getenv("SAMPAN_TARGET"), grpc.WithTransportCredentials(insecure.NewCredentials()))
}

// secure connects with TLS.
func secure(t *testing.T, options ...grpc.DialOption) *grpc.ClientConn {
	trusted, err := credentials.NewClientTLSFromFile(os.Getenv("SAMPAN_TLS_CA"), "")
	if err != nil {
		t.Fatal(err)
	}
	options = append(options, grpc.WithTransportCredentials(trusted))
	return connected(t, os.Getenv("SAMPAN_SECURE_TARGET"), options...)
}

func connected(t *testing.T, target string, options ...grpc.DialOption) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient(target, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// patient bounds the time of a call.
func patient(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// refused checks the code of a refusal and returns its stable word and its wrong fields.
func refused(t *testing.T, err error, code codes.Code) (reason string, fields map[string]string) {
	t.Helper()
	if status.Code(err) != code {
		t.Fatalf("want %v, got %v", code, err)
	}
	fields = map[string]string{}
	for _, detail := range status.Convert(err).Details() {
		switch detail := detail.(type) {
		case *errdetails.ErrorInfo:
			if detail.Domain != "sampan" {
				t.Errorf("domain %q", detail.Domain)
			}
			reason = detail.Reason
		case *errdetails.BadRequest:
			for _, violation := range detail.FieldViolations {
				fields[violation.Field] = violation.Reason
			}
		}
	}
	return reason, fields
}
