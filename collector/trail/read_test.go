package trail

import (
	"testing"
	"time"
)

// An entry whose machine had a wrong clock hides none that follow it, whether its
// block was read before or not.
func TestBetweenWrongClocks(t *testing.T) {
	store := new(memory)
	day := time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
	const each = headersAtOnce + headersAtOnce/2 // entries a day
	for i := range 3 * each {
		h := Header{Index: int64(i), At: day.AddDate(0, 0, i/each).Add(time.Duration(i%each) * time.Second)}
		switch i {
		case 1, each + 1:
			h.At = day.AddDate(1, 0, 0)
		case 2 * each:
			h.At = day.AddDate(-1, 0, 0)
		}
		raw, err := h.encode()
		if err != nil {
			t.Fatal(err)
		}
		store.headers, store.bodies = append(store.headers, raw), append(store.bodies, nil)
	}
	tr := &Trail{store: store}
	for range 2 {
		for from, want := range map[time.Time]int{day: each - 1, day.AddDate(0, 0, 1): each - 1, day.AddDate(0, 0, 2): each - 1, day.AddDate(1, 0, 0): 2, day.AddDate(-1, 0, 0): 1, day.AddDate(2, 0, 0): 0} {
			n := 0
			for h, err := range tr.Between(t.Context(), from, from.AddDate(0, 0, 1)) {
				if err != nil || h.At.Before(from) || !h.At.Before(from.AddDate(0, 0, 1)) {
					t.Fatal(h.At, err)
				}
				n++
			}
			if n != want {
				t.Errorf("from %v: %d entries instead of %d", from, n, want)
			}
		}
	}
}
