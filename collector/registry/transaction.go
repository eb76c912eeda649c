package registry

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"go.opentelemetry.io/otel/trace"
)

// traced begins a span of the request under way, if that is traced; else it does nothing.
// Nothing but its name and its time is told.
func traced(ctx context.Context, name string) (context.Context, trace.Span) {
	return trace.SpanFromContext(ctx).TracerProvider().Tracer("anagrafe/collector/registry").Start(ctx, name)
}

// view runs f over one consistent state of the record, and ends it whatever f does: a
// page that panics must not keep a connection, of which there are few.
func (r *Registry) view(ctx context.Context, f func(tx *tx) error) (err error) {
	ctx, span := traced(ctx, "registry read")
	defer span.End()
	tx, err := r.read.begin(ctx, r.read.engine.snapshot())
	if err != nil {
		return explained(err)
	}
	defer func() { err = explained(errors.Join(err, tx.Rollback())) }()
	return f(tx)
}

// querier is a transaction or, for one statement that needs none, the database.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// each calls f for each row of a query.
func each(ctx context.Context, in querier, f func(scan func(...any) error) error, query string, args ...any) (err error) {
	rows, err := in.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := f(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// micros is a time as the tables keep it; the zero time is 0 and back.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func fromMicros(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}

// nullMicros keeps the zero time as NULL.
func nullMicros(t time.Time) sql.NullInt64 {
	return sql.NullInt64{Int64: micros(t), Valid: !t.IsZero()}
}

// exact is a time as the tables and bodies keep it.
func exact(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC().Truncate(time.Microsecond)
}
