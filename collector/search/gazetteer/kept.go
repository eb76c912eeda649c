package gazetteer

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"anagrafe/collector/registry"
)

// Kinds of sources in the register.
const (
	KindAddresses = "addresses"
	KindDistricts = "districts"
)

// maxBody bounds a source that is unpacked, in bytes: some three times MaxFile.
const maxBody = 160 << 20

// kept is the body of a source in the register, packed with gzip. Fields may be
// added; what an older program does not know it leaves out.
type kept struct {
	Entries   []Entry    `json:"entries,omitempty"`
	Districts []District `json:"districts,omitempty"`
}

// Source packs a file that was read as a source of that name.
func (r *Read) Source(name string, at time.Time) (s registry.GazetteerSource, err error) {
	s = registry.GazetteerSource{Name: name, Kind: KindAddresses, Entries: len(r.Entries), ImportedAt: at}
	if len(r.Districts) > 0 {
		s.Kind, s.Entries = KindDistricts, len(r.Districts)
	}
	var b bytes.Buffer
	packed := gzip.NewWriter(&b)
	if err = errors.Join(json.NewEncoder(packed).Encode(kept{r.Entries, r.Districts}), packed.Close()); err != nil {
		return s, fmt.Errorf("pack %s: %w", name, err)
	}
	s.Body = b.Bytes()
	return s, nil
}

func unpack(s registry.GazetteerSource) (k kept, err error) {
	packed, err := gzip.NewReader(bytes.NewReader(s.Body))
	if err == nil {
		err = json.NewDecoder(io.LimitReader(packed, maxBody)).Decode(&k)
	}
	if err != nil {
		return k, fmt.Errorf("the addresses of %s cannot be read: %w; import them again", s.Name, err)
	}
	return k, nil
}

// Gazetteer is the newest index of what the register holds. Its methods may be
// called from many goroutines.
type Gazetteer struct {
	r *registry.Registry

	refreshing sync.Mutex
	sources    []registry.GazetteerSource // of which index is made, without bodies; guarded by refreshing
	index      atomic.Pointer[Index]
}

// New makes an empty gazetteer over the register; Refresh fills it.
func New(r *registry.Registry) *Gazetteer {
	g := &Gazetteer{r: r}
	g.index.Store(Build(nil, nil))
	return g
}

// Index is the newest; it stays as it is while it is used.
func (g *Gazetteer) Index() *Index { return g.index.Load() }

// Sources names what the index was made of: another name, another index.
func (g *Gazetteer) Sources() string {
	g.refreshing.Lock()
	defer g.refreshing.Unlock()
	h := sha256.New()
	for _, s := range g.sources {
		fmt.Fprintf(h, "%q %d\n", s.Name, s.ImportedAt.UnixMicro())
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// Refresh reads what was imported since, here or by another collector. It is one
// short statement where that is nothing.
func (g *Gazetteer) Refresh(ctx context.Context) error {
	g.refreshing.Lock()
	defer g.refreshing.Unlock()
	list, err := g.r.GazetteerSources(ctx)
	if err != nil {
		return err
	}
	if slices.EqualFunc(list, g.sources, func(a, b registry.GazetteerSource) bool { return a.Name == b.Name && a.ImportedAt.Equal(b.ImportedAt) }) {
		return nil
	}
	all, err := g.r.Gazetteer(ctx)
	if err != nil {
		return err
	}
	var entries []Entry
	var districts []District
	for i, s := range all {
		k, err := unpack(s)
		if err != nil {
			return err
		}
		entries, districts = append(entries, k.Entries...), append(districts, k.Districts...)
		all[i].Body = nil
	}
	g.index.Store(Build(entries, districts))
	g.sources = all
	return nil
}
