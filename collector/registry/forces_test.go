package registry

import (
	"errors"
	"fmt"
	"sync"
	"testing"
)

func TestForces(t *testing.T) {
	r := openNew(t)
	ctx := t.Context()
	for _, name := range []string{"Questura", "Carabinieri"} {
		if err := r.AddForce(ctx, name, "age1"+name); err != nil {
			t.Fatal(err)
		}
	}
	for _, text := range []string{"prot. 1", "prot. 2", "prot. 1"} { // the last once more, as after an answer that was lost
		if err := r.AddForceAct(ctx, "Questura", ForceAct{text, noon}); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.AddForceAct(ctx, "Vigili", ForceAct{"prot. 1", noon}); !errors.Is(err, ErrUnknownForce) {
		t.Error("an act of a force that is not there:", err)
	}
	if err := r.AddForceAct(ctx, "Questura", ForceAct{"", noon}); err == nil {
		t.Error("an act without a text")
	}
	admin := User{ID: id(1), Name: "Dirigente", Role: RoleForceAdmin, Force: "Questura", At: noon}
	if err := r.AddFirstAdministrator(ctx, admin); err != nil {
		t.Fatal(err)
	}
	all, err := r.Forces(ctx)
	if err != nil || len(all) != 2 || all[0].Name != "Carabinieri" || all[0].Administered || len(all[0].Acts) != 0 ||
		!all[1].Administered || all[1].Recipient != "age1Questura" || len(all[1].Acts) != 2 || all[1].Acts[1] != (ForceAct{"prot. 2", noon}) {
		t.Errorf("%+v, %v", all, err)
	}
	second := User{ID: id(2), Name: "Vice", Role: RoleForceAdmin, Force: "Questura", At: noon}
	if err := r.AddFirstAdministrator(ctx, second); !errors.Is(err, ErrAdministered) {
		t.Error("a second first administrator:", err)
	}
	if err := r.AddUser(ctx, second); err != nil {
		t.Error("a second administrator:", err)
	}
	for _, u := range []User{admin, second} {
		if err := r.RevokeUser(ctx, u.ID, noon); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.AddFirstAdministrator(ctx, User{ID: id(3), Name: "Nuovo", Role: RoleForceAdmin, Force: "Questura", At: noon}); err != nil {
		t.Error("with both revoked:", err)
	}
	if err := r.AddFirstAdministrator(ctx, User{ID: id(4), Name: "Rossi", Role: RoleOfficer, Force: "Carabinieri"}); err == nil {
		t.Error("an officer as first administrator")
	}
}

// Of many who name a force's first administrator at once, one does.
func TestFirstAdministratorOnce(t *testing.T) {
	r := openNew(t)
	if err := r.AddForce(t.Context(), "Questura", "age1"); err != nil {
		t.Fatal(err)
	}
	const many = 8
	answers := make([]error, many)
	var wg sync.WaitGroup
	for n := range many {
		wg.Go(func() {
			answers[n] = r.AddFirstAdministrator(t.Context(), User{ID: id(n + 1), Name: fmt.Sprint("A", n), Role: RoleForceAdmin, Force: "Questura", At: noon})
		})
	}
	wg.Wait()
	added := 0
	for _, err := range answers {
		if err == nil {
			added++
		} else if !errors.Is(err, ErrAdministered) {
			t.Error(err)
		}
	}
	if added != 1 {
		t.Errorf("%d first administrators", added)
	}
}

func TestForceUsers(t *testing.T) {
	r := openNew(t)
	ctx := t.Context()
	for i, force := range []string{"Questura", "Carabinieri"} {
		if err := r.AddForce(ctx, force, "age1"); err != nil {
			t.Fatal(err)
		}
		for n, role := range []string{RoleOfficer, RoleForceAuditor} {
			if err := r.AddUser(ctx, User{ID: id(10*i + n + 1), Name: force + role, Role: role, Force: force, At: noon}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := r.Qualify(ctx, id(1), "Questura", Ufficiale); err != nil {
		t.Fatal(err)
	}
	if err := r.RevokeUser(ctx, id(11), noon); err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"of another force":   r.Qualify(ctx, id(1), "Carabinieri", Agente),
		"who is no officer":  r.Qualify(ctx, id(2), "Questura", Agente),
		"who is not there":   r.Qualify(ctx, id(99), "Questura", Agente),
		"who may not get in": r.Qualify(ctx, id(11), "Carabinieri", Agente),
	} {
		if !errors.Is(err, ErrUnknownUser) {
			t.Errorf("one %s: %v", name, err)
		}
	}
	users, err := r.ForceUsers(ctx, "Questura")
	if err != nil || len(users) != 2 || users[0].Role != RoleForceAuditor || users[1].Qualification != Ufficiale || users[1].Force != "Questura" {
		t.Errorf("%+v, %v", users, err)
	}
}
