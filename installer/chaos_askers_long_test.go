//go:build long && linux && amd64

package installer

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
)

// chaosAskers are an officer who searches, and somebody at the office who opens
// pages. What the officer asked and was answered stands in a ledger.
type chaosAskers struct {
	s      *chaosStage
	file   *os.File
	secret map[string]string // by who
	ctx    context.Context
	cancel context.CancelFunc
	at     sync.WaitGroup

	refused map[string]int // searches, by why
}

func newChaosAskers(s *chaosStage) *chaosAskers {
	a := &chaosAskers{s: s, secret: map[string]string{}, refused: map[string]int{}}
	officer, office := filepath.Join(s.dir, "officer"), filepath.Join(s.dir, "office")
	for _, args := range append(anOfficer(s.collector.dir, officer), []string{"user", "add", "Ufficio", "-role", "ops", "-credential", office, "-data", s.collector.dir}) {
		if _, err := command(s.t, "anagrafe-collector", args...); err != nil {
			s.t.Fatal(err)
		}
	}
	for _, file := range []string{officer, office} {
		var credential struct{ Secret string }
		text, err := os.ReadFile(file)
		if err = errors.Join(err, json.Unmarshal(text, &credential)); err != nil {
			s.t.Fatal(err)
		}
		a.secret[file] = credential.Secret
	}
	a.secret["officer"], a.secret["office"] = a.secret[officer], a.secret[office]
	var err error
	if a.file, err = os.Create(a.ledger()); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = a.file.Close() })
	return a
}

func (a *chaosAskers) ledger() string { return filepath.Join(a.s.dir, "searches.jsonl") }

func (a *chaosAskers) begin() {
	a.ctx, a.cancel = context.WithCancel(a.s.t.Context())
	a.s.t.Cleanup(a.stop)
	a.at.Go(func() {
		for rest(a.ctx, 400*time.Millisecond) {
			a.search()
		}
	})
	a.at.Go(func() {
		for n := 0; rest(a.ctx, 300*time.Millisecond); n++ {
			page := []string{"/", "/funnel", "/agents", "/sites"}[n%4]
			_, _ = a.ask("office", http.MethodGet, "http://"+a.s.collector.ops+page, nil)
		}
	})
}

func (a *chaosAskers) stop() {
	a.cancel()
	a.at.Wait()
}

// note writes a line that is on disk when it returns.
func (a *chaosAskers) note(line map[string]any) {
	line["at"] = time.Now().UTC()
	text, err := json.Marshal(line)
	if err == nil {
		_, err = a.file.Write(append(text, '\n'))
	}
	if err = errors.Join(err, a.file.Sync()); err != nil {
		a.s.t.Errorf("the officer's ledger: %v", err)
	}
}

func (a *chaosAskers) search() {
	id := uuid.NewString()
	a.note(map[string]any{"event": "asked", "search": id})
	said, err := a.ask("officer", http.MethodPost, "http://"+a.s.collector.consult+"/search", url.Values{"at": {"9.102,45.4201"}, "radius": {"300"},
		"time": {time.Now().UTC().Add(-3 * time.Hour).Format(time.RFC3339)}, "case_kind": {"event112"}, "case_ref": {"caos"}, "offence": {"other"}, "reason": {"prova " + id}})
	if err != nil {
		a.refused[err.Error()]++
		return // no answer: it may be on the trail, or not
	}
	var answer struct {
		Trail *struct {
			Index      int64
			Checkpoint string
		}
	}
	if err := json.Unmarshal(said, &answer); err != nil || answer.Trail == nil {
		a.s.t.Errorf("a search was answered with %q: %v", said, err)
		return
	}
	a.note(map[string]any{"event": "answered", "search": id, "entry": answer.Trail.Index, "checkpoint": answer.Trail.Checkpoint})
}

// ask sends a request as somebody; what is not answered with 200 is an error.
func (a *chaosAskers) ask(who, method, to string, form url.Values) ([]byte, error) {
	ctx, cancel := context.WithTimeout(a.ctx, 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, to, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+a.secret[who])
	req.Header.Set("Accept", "application/json")
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, errors.New("no connection")
	}
	defer resp.Body.Close()
	said, err := io.ReadAll(io.LimitReader(resp.Body, 8<<20))
	switch {
	case err != nil:
		err = errors.New("half an answer")
	case resp.StatusCode != http.StatusOK:
		err = errors.New(resp.Status)
	}
	return said, err
}
