package registry

import (
	"context"
	"crypto/sha256"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"anagrafe/collector/ingest"
	"anagrafe/protocol"
)

// batchOf is a batch whose codes are called by name.
func batchOf(association string, at time.Time, names ...string) Batch {
	b := Batch{ID: uuid.NewString(), Association: association, At: at, ExpiresAt: at.Add(CodeLife)}
	for _, name := range names {
		b.CodeHashes = append(b.CodeHashes, sha256.Sum256([]byte(name)))
	}
	return b
}

// count counts the rows of a table.
func count(t *testing.T, r *Registry, table string) (n int) {
	t.Helper()
	if err := r.view(t.Context(), func(tx *tx) error {
		return tx.QueryRowContext(t.Context(), "SELECT count(*) FROM "+table).Scan(&n)
	}); err != nil {
		t.Fatal(err)
	}
	return n
}

// redeems tries a code with a key of its own.
func redeems(ctx context.Context, r *Registry, code, key string, at time.Time) (protocol.Grant, error) {
	return r.Redeem(ctx, ingest.Redemption{CodeHash: sha256.Sum256([]byte(code)), KeyHash: sha256.Sum256([]byte("key " + key)),
		AgentID: uuid.NewSHA1(uuid.NameSpaceURL, []byte(key)).String(), AgentVersion: "1.0", At: at})
}

// Of an association's members nothing is in the register until one opens a code: then
// one site, without a name, and a batch that counts one more.
func TestBatch(t *testing.T) {
	r := openNew(t)
	b := batchOf("Confesercenti", noon, "a", "b", "c")
	if err := r.AddBatch(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	if sites, codes := count(t, r, "sites"), count(t, r, "codes"); sites != 0 || codes != 0 {
		t.Fatalf("%d sites and %d codes are there before anybody opened one", sites, codes)
	}
	var site string
	for _, step := range []struct {
		name, code, key string
		at              time.Time
		err             error
	}{
		{"nobody's code", "x", "one", noon, ingest.ErrUnknownCode},
		{"the first", "a", "one", noon.Add(time.Hour), nil},
		{"the answer got lost", "a", "one", noon.Add(2 * time.Hour), nil},
		{"another key", "a", "two", noon.Add(2 * time.Hour), ingest.ErrUsedCode},
		{"too late", "b", "two", noon.Add(CodeLife), ingest.ErrExpiredCode},
	} {
		g, err := redeems(t.Context(), r, step.code, step.key, step.at)
		if !errors.Is(err, step.err) {
			t.Fatalf("%s: %v, want %v", step.name, err, step.err)
		}
		if err == nil && (g.SiteName != "" || g.SiteID == "" || site != "" && g.SiteID != site) {
			t.Fatalf("%s: %+v", step.name, g)
		}
		if err == nil {
			site = g.SiteID
		}
	}
	sites, err := r.Sites(t.Context())
	if err != nil || len(sites) != 1 || sites[0].ID != site || sites[0].Trust != "association" || sites[0].Name != "" || sites[0].State != Enrolled {
		t.Fatalf("sites: %+v, %v", sites, err)
	}
	list, all, err := r.Batches(t.Context(), 0, 10)
	want := BatchSummary{ID: b.ID, Association: "Confesercenti", Codes: 3, Used: 1, At: noon, ExpiresAt: noon.Add(CodeLife)}
	if err != nil || all != 1 || len(list) != 1 || list[0] != want {
		t.Fatalf("batches: %+v of %d, %v", list, all, err)
	}
	if left := count(t, r, "batch_codes"); left != 2 {
		t.Errorf("%d codes are in the batch: the one that was opened must have left it", left)
	}

	// Letters that were lost.
	if err := r.EndBatch(t.Context(), b.ID, noon.Add(3*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if err := r.EndBatch(t.Context(), b.ID, noon.Add(9*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if _, err := redeems(t.Context(), r, "b", "two", noon.Add(4*time.Hour)); !errors.Is(err, ingest.ErrUnknownCode) {
		t.Errorf("a code of a batch that has ended: %v", err)
	}
	if _, err := redeems(t.Context(), r, "a", "one", noon.Add(4*time.Hour)); err != nil {
		t.Errorf("the end of a batch shut out who had opened a code: %v", err)
	}
	if list, _, _ := r.Batches(t.Context(), 0, 10); len(list) != 1 || !list[0].EndedAt.Equal(noon.Add(3*time.Hour)) {
		t.Errorf("the batch ended at %+v", list)
	}
	if err := r.EndBatch(t.Context(), uuid.NewString(), noon); !errors.Is(err, ErrUnknownBatch) {
		t.Errorf("nobody's batch: %v", err)
	}
}

// A code that is refused is neither used nor counted.
func TestBatchOfTheRevoked(t *testing.T) {
	r := openNew(t)
	if err := r.AddBatch(t.Context(), batchOf("Confcommercio", noon, "a", "b")); err != nil {
		t.Fatal(err)
	}
	g, err := redeems(t.Context(), r, "a", "one", noon)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Revoke(t.Context(), g.AgentID, noon); err != nil {
		t.Fatal(err)
	}
	if _, err := redeems(t.Context(), r, "b", "one", noon); !errors.Is(err, ingest.ErrRevoked) {
		t.Fatalf("a revoked key: %v", err)
	}
	if list, _, _ := r.Batches(t.Context(), 0, 1); list[0].Used != 1 || count(t, r, "sites") != 1 {
		t.Errorf("a refused key used a code: %+v, %d sites", list[0], count(t, r, "sites"))
	}
	if _, err := redeems(t.Context(), r, "b", "two", noon); err != nil {
		t.Errorf("the code that was refused to another: %v", err)
	}
}

// Of many that open one code at once, one gets it, and it is counted once.
func TestBatchRace(t *testing.T) {
	r := openNew(t)
	if err := r.AddBatch(t.Context(), batchOf("Confcommercio", noon, "a")); err != nil {
		t.Fatal(err)
	}
	won := redeemedAtOnce(t, func() error {
		_, err := redeems(t.Context(), r, "a", uuid.NewString(), noon)
		return err
	})
	if list, _, _ := r.Batches(t.Context(), 0, 1); won != 1 || list[0].Used != 1 || count(t, r, "sites") != 1 {
		t.Errorf("%d got the code, %+v", won, list)
	}
}

func TestBatchRefused(t *testing.T) {
	r := openNew(t)
	for _, b := range []Batch{
		batchOf("", noon, "a"),
		batchOf(strings.Repeat("à", MaxAssociation+1), noon, "a"),
		batchOf("Confcommercio", noon),
		{ID: uuid.NewString(), Association: "Confcommercio", CodeHashes: make([][32]byte, MaxBatch+1), At: noon, ExpiresAt: noon.Add(time.Hour)},
		{ID: uuid.NewString(), Association: "Confcommercio", CodeHashes: make([][32]byte, 1), At: noon, ExpiresAt: noon},
	} {
		if err := r.AddBatch(t.Context(), b); err == nil {
			t.Errorf("a batch of %q with %d codes was kept", b.Association, len(b.CodeHashes))
		}
	}
	for i, name := range []string{"first", "second", "third"} {
		if err := r.AddBatch(t.Context(), batchOf(name, noon.Add(time.Duration(i)*time.Minute), name)); err != nil {
			t.Fatal(err)
		}
	}
	if list, all, err := r.Batches(t.Context(), 1, 1); err != nil || all != 3 || len(list) != 1 || list[0].Association != "second" {
		t.Errorf("the second page: %+v of %d, %v", list, all, err)
	}
}
