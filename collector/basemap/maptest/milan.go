package maptest

import (
	"cmp"
	"os"
	"path/filepath"
	"testing"
)

// Milan returns the path of a file of the real data of Milan, which lie beside the
// project in shared/data, or in $ANAGRAFE_SHARED/data, and are no part of it. Where
// they are not, the test fails with CI=true, and elsewhere is skipped, saying so.
func Milan(t testing.TB, name string) string {
	t.Helper()
	path := filepath.Join(cmp.Or(os.Getenv("ANAGRAFE_SHARED"), filepath.Join(root(t), "..", "shared")), "data", filepath.FromSlash(name))
	switch _, err := os.Stat(path); {
	case err == nil:
	case os.Getenv("CI") == "true":
		t.Fatalf("%v: put the real data beside the project, or set ANAGRAFE_SHARED", err)
	default:
		t.Skipf("LEFT OUT: %v; set ANAGRAFE_SHARED to the folder that holds data", err)
	}
	return path
}

// root is the project's folder; tests run in that of their package.
func root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	for err == nil && dir != filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		dir = filepath.Dir(dir)
	}
	t.Fatal("the project's folder was not found: ", err)
	return ""
}
