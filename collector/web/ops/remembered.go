package ops

import (
	"sync"
	"time"
)

// rememberedFor is how long a count of the whole register stands: long enough that
// many who look cost as one, too short for anybody to miss what they just did.
const rememberedFor = 3 * time.Second

// countedAge is what pages say of it, in seconds.
const countedAge = int(rememberedFor / time.Second)

// remembered is an answer that is read at most so often. Who comes while it is read
// waits for it; an error is not kept.
type remembered[T any] struct {
	mu    sync.Mutex
	value T
	at    time.Time
}

func (m *remembered[T]) get(now time.Time, read func() (T, error)) (T, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if age := now.Sub(m.at); !m.at.IsZero() && age >= 0 && age < rememberedFor {
		return m.value, nil
	}
	value, err := read()
	if err == nil {
		m.value, m.at = value, now
	}
	return value, err
}
