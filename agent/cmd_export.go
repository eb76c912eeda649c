package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"

	"anagrafe/protocol/wholefile"
)

// cmdExport writes all that this computer holds of the owner's sites into a file, or
// the cameras alone where its name ends in .csv. There are no passwords in it, but
// names and telephone numbers: only its owner may read it.
func cmdExport(ctx context.Context, c *call, args []string) error {
	words, err := c.parse(c.flags(), args, 1)
	if err != nil {
		return err
	}
	if len(words) == 0 || !slices.Contains([]string{".json", ".csv"}, filepath.Ext(words[0])) {
		return misuse("name the file: export FILE.json for everything, FILE.csv for the cameras")
	}
	var text []byte
	err = c.withAgent(ctx, func(cl client) error {
		if filepath.Ext(words[0]) == ".csv" {
			var sheet struct {
				CSV string `json:"csv"`
			}
			err := cl.do(ctx, http.MethodGet, "/bulk/sheet", nil, &sheet)
			text = []byte(sheet.CSV)
			return err
		}
		var all json.RawMessage
		err := cl.do(ctx, http.MethodGet, "/export/all", nil, &all)
		text = all
		return err
	})
	if err != nil {
		return err
	}
	if err := wholefile.WriteNew(words[0], text, 0o600); err != nil {
		return err
	}
	if c.json {
		return c.print(map[string]any{"file": words[0], "bytes": len(text)})
	}
	fmt.Fprintf(c.out, "%s: %d bytes\n", words[0], len(text))
	return nil
}
