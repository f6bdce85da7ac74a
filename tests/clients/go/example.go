// Package clients is the tour of Sampan's API in Go, with nothing but generated stubs and grpc-go.
package clients

// An export from the preview to the proof; the part between the marks stands in the README.

// [README
import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/google/uuid"
	"google.golang.org/grpc"

	exportv1 "sampan/clients/gen/sampan/export/v1"
	operationv1 "sampan/clients/gen/sampan/operation/v1"
)

func exportImage(ctx context.Context, conn *grpc.ClientConn, spec *exportv1.ExportSpec) (*operationv1.Operation, error) {
	exports := exportv1.NewExportServiceClient(conn)
	preview, err := exports.PreviewExport(ctx, &exportv1.PreviewExportRequest{Spec: spec})
	if err != nil {
		return nil, err
	}
	for _, found := range preview.Violations {
		err = errors.Join(err, fmt.Errorf("%s: %s. %s", found.Rule, found.Message, found.Fix))
	}
	if err != nil {
		return nil, err
	}

	// Keep the request id: sending it again returns this export instead of starting a second one.
	request := &exportv1.ExportImageRequest{RequestId: uuid.NewString(), Spec: spec}
	started, err := exports.ExportImage(ctx, request)
	if err != nil {
		return nil, err
	}

	// Sends the current state at once, then each newer one, and ends with the operation.
	watch := &operationv1.WatchOperationRequest{Name: started.Operation.Name}
	states, err := operationv1.NewOperationServiceClient(conn).WatchOperation(ctx, watch)
	last := started.Operation
	for err == nil {
		var state *operationv1.WatchOperationResponse
		if state, err = states.Recv(); err == nil {
			last = state.Operation
			fmt.Println(last.Name, last.Step, last.GetProgressPercent())
		}
	}
	if err != io.EOF {
		return nil, err
	}
	return last, nil
}

// README]
