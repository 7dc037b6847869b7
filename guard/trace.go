package guard

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
)

// trace names the caller on the span of the call, if one is recorded: ids, and
// nothing that opens a door.
func (c *Caller) trace(ctx context.Context) {
	span := trace.SpanFromContext(ctx)
	if !span.IsRecording() {
		return
	}
	span.SetAttributes(
		attribute.String("postern.app", c.App), attribute.String("postern.account", c.Account),
		attribute.String("postern.connection", c.Connection), attribute.String("postern.dialect", c.Dialect),
	)
}
