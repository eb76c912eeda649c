package main

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"anagrafe/collector/act"
)

// TestEveryKindOfEntryHasWords: every kind of entry has a word for the auditor, in both
// languages, and what consultation appends one for the history of a case, too.
func TestEveryKindOfEntryHasWords(t *testing.T) {
	// What was only read again is in the history already, and what an owner is asked about a contact is the site's.
	uncopied := []act.Kind{act.PaperOpen, act.RequestList, act.Unanswered}
	for _, file := range []string{"it.json", "en.json"} {
		audit, consult := wordsOf(t, "web/audit/"+file), wordsOf(t, "web/consult/"+file)
		for _, kind := range act.Kinds {
			if audit["kind."+string(kind)] == "" {
				t.Errorf("web/audit/%s has no word kind.%s", file, kind)
			}
			if slices.Contains(act.Consultation, kind) && !slices.Contains(uncopied, kind) && consult["done."+string(kind)] == "" {
				t.Errorf("web/consult/%s has no word done.%s", file, kind)
			}
		}
		for key := range audit {
			if kind, ok := strings.CutPrefix(key, "kind."); ok && !slices.Contains(act.Kinds, act.Kind(kind)) {
				t.Errorf("web/audit/%s has the word %s, and there is no such kind", file, key)
			}
		}
	}
}

func wordsOf(t *testing.T, file string) (words map[string]string) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &words); err != nil {
		t.Fatal(file, err)
	}
	return words
}
