package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// desks are those who work with the register beside the agents: an officer who
// searches, and an operator who looks at the console.
type desks struct {
	officer  credential
	operator credential
	client   *http.Client
}

// credential is a file that "user add" wrote.
type credential struct {
	Server string `json:"server"`
	Secret string `json:"secret"`
}

// consolePages are what an operator opens, in turn.
var consolePages = []string{"/", "/sites", "/sites?state=sharing", "/agents", "/agents?silent=yes", "/queue", "/invitations", "/funnel?by=category"}

// staff makes the people, once.
func (s *stage) staff(ctx context.Context) (*desks, error) {
	if s.desks != nil {
		return s.desks, nil
	}
	d := &desks{client: &http.Client{Timeout: callTimeout, Transport: &http.Transport{MaxIdleConnsPerHost: 64}}}
	var err error
	if d.officer, err = s.collector.officer(ctx); err != nil {
		return nil, err
	}
	if d.operator, err = s.collector.operator(ctx); err != nil {
		return nil, err
	}
	s.desks = d
	return d, nil
}

// search asks for 300 m around a place where one of the first n agents is, in the last
// three days, with a reason; it is on the trail before the answer comes.
func (d *desks) search(ctx context.Context, n int) (bytes int64, err error) {
	at, now := place(rand.IntN(n)), time.Now().UTC()
	return d.officer.send(ctx, d.client, http.MethodPost, "/search", url.Values{
		"at": {fmt.Sprintf("%.6f,%.6f", float64(at.Lon)/1e6, float64(at.Lat)/1e6)}, "radius": {"300"},
		"time":      {now.Add(-rand.N(72 * time.Hour)).Format(time.RFC3339)},
		"case_kind": {"event112"}, "case_ref": {"prova"}, "offence": {"other"}, "reason": {"prova di carico"}}, "application/json")
}

// page opens the console's next page, as a browser does.
func (d *desks) page(ctx context.Context, number int) (bytes int64, err error) {
	return d.operator.send(ctx, d.client, http.MethodGet, consolePages[number%len(consolePages)], nil, "text/html")
}

// send reads an answer to its end, and gives its length.
func (c credential) send(ctx context.Context, client *http.Client, method, path string, form url.Values, accept string) (int64, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.Server+path, strings.NewReader(form.Encode()))
	if err != nil {
		return 0, err
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	req.Header.Set("Authorization", "Bearer "+c.Secret)
	req.Header.Set("Accept", accept)
	resp, err := client.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		said, _ := io.ReadAll(io.LimitReader(resp.Body, 4<<10))
		return 0, fmt.Errorf("%s %s: %s: %s", method, path, resp.Status, said)
	}
	return io.Copy(io.Discard, resp.Body)
}
