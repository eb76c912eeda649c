package update

import (
	"errors"
	"os"
	"testing"

	"anagrafe/protocol"
)

// kept is an agent of v1.0.0 that keeps v1.1.0, and that version itself.
func kept(t *testing.T) (installed, launched *Updater, inv *fakeInventory) {
	t.Helper()
	r := newRepository(t)
	r.release("v1.1.0", program)
	installed, inv = client(t, r)
	if _, err := installed.Look(t.Context()); err != nil {
		t.Fatal(err)
	}
	if plan, err := installed.Next(t.Context()); err != nil || !plan.Trial {
		t.Fatalf("%+v, %v", plan, err)
	}
	if err := errors.Join(installed.before(t.Context()), installed.keep()); err != nil {
		t.Fatal(err)
	}
	o := installed.Options
	o.Version, o.Launched = "v1.1.0", true
	return installed, New(o), inv
}

func next(t *testing.T, u *Updater) Plan {
	t.Helper()
	plan, err := u.Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// A version that was kept and then keeps ending by itself is left, once it had its
// three starts; each is counted once, and those that somebody ended are not.
func TestKeepsEnding(t *testing.T) {
	installed, launched, _ := kept(t) // its first start was the trial's
	for range 5 {
		if err := launched.Stopped(); err != nil {
			t.Fatal(err)
		}
		if p := next(t, installed); p.Version != "v1.1.0" || p.Own {
			t.Fatalf("%+v", p)
		}
		if p := next(t, launched); !p.Own {
			t.Fatalf("%+v", p)
		}
	}
	for range maxStarts - 1 {
		if p := next(t, installed); p.Version != "v1.1.0" {
			t.Fatalf("%+v", p)
		}
		if p := next(t, launched); !p.Own {
			t.Fatalf("%+v", p)
		}
	}
	if p := next(t, installed); !p.Own {
		t.Fatalf("%+v", p)
	}
	if told := installed.Told(); told != protocol.WentBack("v1.0.0", "v1.1.0", protocol.SetbackCrash) {
		t.Error(told)
	}
	if p := next(t, launched); p.Path != installed.Installed {
		t.Errorf("what still runs of it does not give way: %+v", p)
	}
}

// It stays where the one before could not read the inventory, and once it has settled.
func TestStays(t *testing.T) {
	for name, spoil := range map[string]func(*Updater, *fakeInventory) error{
		"another schema": func(_ *Updater, inv *fakeInventory) error { inv.schema++; return nil },
		"settled":        func(u *Updater, _ *fakeInventory) error { return u.Settled() },
	} {
		t.Run(name, func(t *testing.T) {
			installed, launched, inv := kept(t)
			if err := spoil(launched, inv); err != nil {
				t.Fatal(err)
			}
			for range 2 * maxStarts {
				if p := next(t, installed); p.Version != "v1.1.0" {
					t.Fatalf("%+v", p)
				}
			}
		})
	}
}

// What lies on the disk is looked at before it is run.
func TestDamagedProgram(t *testing.T) {
	installed, launched, _ := kept(t)
	path := launched.path("v1.1.0")
	if err := os.Chmod(path, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("something else"), 0o700); err != nil {
		t.Fatal(err)
	}
	if p := next(t, installed); !p.Own {
		t.Errorf("%+v", p)
	}
	if told := installed.Told(); told != "v1.0.0" {
		t.Errorf("the version is blamed for the disk: %s", told)
	}
}

// A directory in which others can write holds no program of ours.
func TestForeignDirectory(t *testing.T) {
	installed, _, _ := kept(t)
	if err := os.Chmod(installed.Dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if p := next(t, installed); !p.Own {
		t.Errorf("%+v", p)
	}
}

// A newer program that somebody installed wins, and without an anchor nothing that
// was fetched runs.
func TestInstalledWins(t *testing.T) {
	installed, _, _ := kept(t)
	o := installed.Options
	o.Version = "v1.2.0"
	if p := next(t, New(o)); !p.Own {
		t.Errorf("a newer one: %+v", p)
	}
	installed, _, _ = kept(t)
	o = installed.Options
	o.Root = nil
	if p := next(t, New(o)); !p.Own {
		t.Errorf("without an anchor: %+v", p)
	}
}
