package registry

import (
	"context"
	"testing"
)

// What panics while it reads leaves no connection behind: there are four on SQLite.
func TestViewEndsWithAPanic(t *testing.T) {
	r := openNew(t)
	for range 5 {
		func() {
			defer func() {
				if recover() == nil {
					t.Error("the panic went no further: net/http answers it, and the log tells of it")
				}
			}()
			_ = r.view(t.Context(), func(tx *tx) error {
				return each(context.Background(), tx, func(func(...any) error) error { panic("a row that nobody thought of") }, "SELECT 1")
			})
		}()
	}
	if n := r.read.Stats().InUse; n != 0 {
		t.Errorf("%d connections are still in use", n)
	}
}
