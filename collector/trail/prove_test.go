package trail

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"
)

// Each entry of trees of every shape is proven, also after a journey through JSON.
func TestProveEachEntry(t *testing.T) {
	tr := start(t, &memory{})
	for size := range int64(20) {
		add(t, tr, 1)
		for n := range size + 1 {
			p, err := tr.Prove(t.Context(), n)
			if err != nil {
				t.Fatal(err)
			}
			raw, err := json.Marshal(p)
			if err != nil {
				t.Fatal(err)
			}
			var read Inclusion
			if err := json.Unmarshal(raw, &read); err != nil {
				t.Fatal(err)
			}
			h, err := VerifyInclusion(read, tr.VerifierKey())
			if err != nil || h.Index != n || h.Kind != "invite" {
				t.Fatalf("entry %d of %d: %+v, %v", n, size+1, h, err)
			}
		}
	}
	for _, n := range []int64{-1, 20} {
		if _, err := tr.Prove(t.Context(), n); err == nil {
			t.Errorf("entry %d of 20 was proven", n)
		}
	}
}

func TestProveOneEntryOfOneWithoutItsBody(t *testing.T) {
	tr := start(t, &memory{})
	add(t, tr, 1)
	p, err := tr.Prove(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	p.Body = nil // deleted after its term
	if _, err := VerifyInclusion(p, tr.VerifierKey()); err != nil {
		t.Error(err)
	}
}

func TestVerifyInclusionFindsEachChange(t *testing.T) {
	tr, other := start(t, &memory{}), start(t, &memory{})
	add(t, tr, 13)
	add(t, other, 13)
	prove := func(tr *Trail, n int64) Inclusion {
		p, err := tr.Prove(t.Context(), n)
		if err != nil {
			t.Fatal(err)
		}
		p.Header, p.Body, p.Proof = slices.Clone(p.Header), slices.Clone(p.Body), slices.Clone(p.Proof)
		return p
	}
	for name, c := range map[string]struct {
		do   func(*Inclusion)
		kind Tampering
	}{
		"header":       {func(p *Inclusion) { p.Header = []byte(strings.Replace(string(p.Header), `"count":1`, `"count":2`, 1)) }, Edited},
		"header gone":  {func(p *Inclusion) { p.Header = nil }, Edited},
		"body":         {func(p *Inclusion) { p.Body[3] ^= 1 }, Edited},
		"index":        {func(p *Inclusion) { p.Index++ }, Edited},
		"index far":    {func(p *Inclusion) { p.Index = 1 << 60 }, Edited},
		"proof":        {func(p *Inclusion) { p.Proof[2][5] ^= 1 }, Edited},
		"proof short":  {func(p *Inclusion) { p.Proof = p.Proof[1:] }, Edited},
		"proof long":   {func(p *Inclusion) { p.Proof = append(p.Proof, p.Proof[0]) }, Edited},
		"proof huge":   {func(p *Inclusion) { p.Proof = make(tlog.RecordProof, maxProof+1) }, Edited},
		"another":      {func(p *Inclusion) { q := prove(tr, 6); p.Header, p.Body, p.Index = q.Header, q.Body, 6 }, Edited},
		"checkpoint":   {func(p *Inclusion) { p.Checkpoint = strings.Replace(p.Checkpoint, "\n13\n", "\n14\n", 1) }, OtherKey},
		"swapped key":  {func(p *Inclusion) { *p = prove(other, 5) }, OtherKey},
		"no signature": {func(p *Inclusion) { p.Checkpoint = "" }, OtherKey},
	} {
		p := prove(tr, 5)
		c.do(&p)
		_, err := VerifyInclusion(p, tr.VerifierKey())
		if found, ok := errors.AsType[*Tampered](err); !ok || found.Kind != c.kind {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := VerifyInclusion(prove(tr, 5), "nonsense"); err == nil {
		t.Error("verified without a key")
	}
}
