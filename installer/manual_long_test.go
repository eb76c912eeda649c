//go:build long

package installer

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"
)

// TestLongManual runs every command of the operator's manual and of the referents' guide
// as they stand there, in their order, on a machine that is empty but for the
// programs: its own network, its own /var/lib, /etc/hosts and /etc/ssl. Stand-ins are
// systemctl and journalctl alone (the units run in tests of their own), which start and
// stop the real programs. It needs root.
func TestLongManual(t *testing.T) {
	for _, c := range []struct {
		guide string
		most  int // blocks that there are at least, or the test reads nothing
	}{{"operator", 18}, {"referent", 6}} {
		t.Run(c.guide, func(t *testing.T) {
			n, err := addNetwork(t, "manual")
			if err != nil {
				lacking(t, err.Error())
			}
			n.start(t, "fleet", "2", "0s").next()
			commands := blocks(t, filepath.Join("..", "collector", "guide", c.guide+".en.md"))
			if len(commands) < c.most {
				t.Fatalf("%d blocks of commands", len(commands))
			}
			dir := t.TempDir()
			emptyMachine(t, dir)
			for i, block := range commands {
				write(t, filepath.Join(dir, "blocks", string(rune('a'+i))), block, 0o600)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
			defer cancel()
			script, err := filepath.Abs(filepath.Join("..", "testdata", "script", "manual", c.guide+".sh"))
			if err != nil {
				t.Fatal(err)
			}
			cmd := n.command(ctx, "unshare", "--mount", "bash", script)
			cmd.Dir = dir
			cmd.Env = append(os.Environ(), "PATH="+filepath.Join(dir, "bin")+":"+os.Getenv("PATH"), "HOME="+dir, "SSL_CERT_FILE="+filepath.Join(dir, "cert.pem"))
			var out bytes.Buffer
			cmd.Stdout, cmd.Stderr = &out, &out
			if err := cmd.Run(); err != nil {
				t.Fatalf("%v\n%s", err, &out)
			}
			t.Logf("%s", &out)
		})
	}
}

// blocks are the blocks of commands of a guide, filled in as the pages are.
func blocks(t *testing.T, file string) (all []string) {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for i, part := range strings.Split(string(raw), "```\n") {
		if i%2 == 1 {
			all = append(all, part)
		}
	}
	return all
}

// emptyMachine lays into dir what the manual takes for given: the programs, a
// certificate, two keys, and the Comune's files.
func emptyMachine(t *testing.T, dir string) {
	t.Helper()
	for _, program := range []string{"anagrafe-collector", "anagrafe-agent", "anagrafe-publish"} {
		path := filepath.Join(dir, "bin", program)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(binary(t, program), path); err != nil {
			t.Fatal(err)
		}
	}
	write(t, filepath.Join(dir, "bin", "systemctl"), systemctl, 0o755)
	write(t, filepath.Join(dir, "bin", "journalctl"), "#!/bin/sh\ncat \"$HOME/$2.log\"\n", 0o755)
	for _, name := range []string{"register", "force"} {
		k, err := age.GenerateX25519Identity()
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, name+".key"), k.String()+"\n", 0o600)
		write(t, filepath.Join(dir, name+".pub"), k.Recipient().String()+"\n", 0o600)
	}
	if err := os.CopyFS(filepath.Join(dir, "cluster"), os.DirFS("cluster")); err != nil {
		t.Fatal(err)
	}
	cert, key := certificateFor(t, "telecamere.comune.example.it", "ops.telecamere.comune.example.it", "forze.telecamere.comune.example.it")
	write(t, filepath.Join(dir, "cert.pem"), cert, 0o644)
	write(t, filepath.Join(dir, "key.pem"), key, 0o600)
	district := func(name, x string) string {
		return `{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"NIL":"` + name +
			`","ID_NIL":1,"MUNICIPIO":1},"geometry":{"type":"Polygon","coordinates":[[[9.1,45.4],[` + x + `,45.4],[` + x + `,45.5],[9.1,45.5],[9.1,45.4]]]}}]}`
	}
	write(t, filepath.Join(dir, "municipi.geojson"), strings.Replace(strings.Replace(district("Uno", "9.3"), `"NIL":"Uno",`, "", 1), `"ID_NIL":1,`, "", 1), 0o644)
	write(t, filepath.Join(dir, "nil.geojson"), district("Duomo", "9.2"), 0o644)
	write(t, filepath.Join(dir, "civici.csv"), "street,number,lon,lat\nvia Roma,1,9.190000,45.464000\nvia Roma,2,9.190100,45.464000\n", 0o644)
	write(t, filepath.Join(dir, "esercizi.csv"), "name,street,number\nPane e Vino,via Roma,2\n", 0o644)
}

// systemctl starts and stops the service of its last argument, as the unit would: as
// the user of its name where there is one, with the capability that a drop-in gives.
const systemctl = `#!/bin/bash
set -eu
service=${@: -1}
[[ $service != *.timer ]] || exit 0
stop() { [ ! -e "$HOME/$service.pid" ] || { kill "$(cat "$HOME/$service.pid")"; while kill -0 "$(cat "$HOME/$service.pid")" 2>/dev/null; do read -rt 0.1 <> <(:) || :; done; rm "$HOME/$service.pid"; }; }
start() {
	case $service in *collector) word=serve ;; *) word=run ;; esac
	as=()
	if id "$service" >/dev/null 2>&1; then
		as=(setpriv "--reuid=$service" "--regid=$service" --clear-groups --no-new-privs --inh-caps=-all --bounding-set=-all)
		if grep -qs AmbientCapabilities=CAP_NET_BIND_SERVICE /etc/systemd/system/$service.service.d/*; then
			as=(setpriv "--reuid=$service" "--regid=$service" --clear-groups --no-new-privs --inh-caps=+net_bind_service --ambient-caps=+net_bind_service)
		fi
	fi
	(cd / && touch "$HOME/$service.log" && JOURNAL_STREAM=$(stat -c %d:%i "$HOME/$service.log") exec "${as[@]}" "$(readlink -f "$HOME/bin/$service")" $word) >>"$HOME/$service.log" 2>&1 &
	echo $! >"$HOME/$service.pid"
	until [ -S /var/lib/$service/control.sock ]; do kill -0 "$(cat "$HOME/$service.pid")" || { cat "$HOME/$service.log"; exit 1; }; read -rt 0.1 <> <(:) || :; done
}
case $1 in
enable | start) start ;;
stop) stop ;;
restart) stop; start ;;
esac
`
