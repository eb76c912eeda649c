package trail

import (
	"context"
	"fmt"
)

// Answer runs a query and returns its answer only after an entry with the question and
// what was found is durable on the trail. If the trail cannot be written the answer is
// refused: T is then its zero value.
//
// f returns the answer, the number of records it shows, and what was found as it is to
// stand on the trail (identifiers, not contents). asked.Body is the question; Answer
// sets asked.Count. If f fails nothing is shown and nothing is appended.
func Answer[T any](ctx context.Context, t *Trail, asked Entry, f func(context.Context) (T, int, any, error)) (T, Proof, error) {
	var none T
	if err := asked.check(); err != nil { // before the work, not after it
		return none, Proof{}, fmt.Errorf("the audit trail cannot take this question: %w", err)
	}
	answer, count, found, err := f(ctx)
	if err != nil {
		return none, Proof{}, err
	}
	asked.Count = count
	asked.Body = struct {
		Asked any `json:"asked"`
		Found any `json:"found"`
	}{asked.Body, found}
	proof, err := t.Append(ctx, asked)
	if err != nil {
		return none, Proof{}, fmt.Errorf("the answer is refused, since the consultation could not be recorded: %w", err)
	}
	return answer, proof, nil
}
