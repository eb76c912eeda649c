// Command anagrafe-publish makes the update channel of the agents: a repository of The
// Update Framework (TUF 1.0), which a collector serves from DIR/channel. It hides
// go-tuf's metadata and the keys' files. The publishers call it; neither agents nor
// the collector do.
//
//	anagrafe-publish key FILE                    # a new key, sealed with a pass phrase; FILE.pub is for the others
//	anagrafe-publish root DIR -owner PUB -owner PUB -owner PUB -online PUB
//	anagrafe-publish add DIR PROGRAM -version v1.2.3 -os linux -arch amd64 -note-it TEXT -note-en TEXT [-percent 10] [-from RFC3339]
//	anagrafe-publish stage DIR -version v1.2.3 [-percent 50] [-pause | -resume]
//	anagrafe-publish show DIR                    # what is prepared, and who has signed it
//	anagrafe-publish sign DIR -key FILE          # two of the three owners, each on a computer of their own
//	anagrafe-publish publish DIR -key ONLINE     # verifies the signatures, and makes it the channel's
//	anagrafe-publish refresh DIR -key ONLINE     # a new timestamp, every day
//
// Decisions:
//   - Three people own root and targets, and two of them sign; one at least is outside
//     the Comune. Where two are, as the examples have it, not even the Comune's people
//     together make an agent run anything; no program can see who holds a key. Their keys never need to be on a machine with a
//     network: what is to be signed lies in DIR/staged, some KiB, and can be carried.
//   - Snapshot and timestamp have one key, which may lie on the collector's machine: it
//     says which of the signed states is the newest, for three days, and signs no
//     program. Who steals it can withhold updates; with "root" the owners change it,
//     and agents forget what it said.
//   - Keys are Ed25519, in PKCS #8, sealed by age with a pass phrase (scrypt). The pass
//     phrase comes from the terminal, or from a file (-passphrase FILE), as systemd
//     hands a credential to the timer of "refresh"; it is no argument.
//   - Files are written whole, beside and moved over, the timestamp last: a channel that
//     is being published is that of before, or the new one.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"anagrafe/protocol"
)

func main() {
	if err := run(os.Stdout, os.Args[1:], time.Now()); err != nil {
		fmt.Fprintln(os.Stderr, "anagrafe-publish:", err)
		os.Exit(1)
	}
}

// many is a flag that may be given more than once.
type many []string

func (m *many) String() string     { return fmt.Sprint(*m) }
func (m *many) Set(s string) error { *m = append(*m, s); return nil }

// options are those of all commands.
type options struct {
	owners               many
	online, key          string
	passphrase           string
	release              protocol.Release
	from, noteIt, noteEn string
	pause, resume        bool
}

func run(out io.Writer, args []string, now time.Time) error {
	if len(args) < 2 {
		return errors.New("key FILE, or root, add, stage, show, sign, publish or refresh and the directory of the channel; see the package's comment")
	}
	var o options
	f := flag.NewFlagSet(args[0], flag.ContinueOnError)
	f.Var(&o.owners, "owner", "public key of one of the three owners")
	f.StringVar(&o.online, "online", "", "public key of snapshot and timestamp")
	f.StringVar(&o.key, "key", "", "sealed key to sign with")
	f.StringVar(&o.passphrase, "passphrase", "", "file of the pass phrase (default: asked on the terminal)")
	f.StringVar(&o.release.Version, "version", "", "of the program, v1.2.3")
	f.StringVar(&o.release.OS, "os", "linux", "system of the program")
	f.StringVar(&o.release.Arch, "arch", "amd64", "processor of the program")
	f.IntVar(&o.release.Percent, "percent", unset, "share of the agents that take it")
	f.StringVar(&o.from, "from", "", "from when on, RFC 3339 (default: now)")
	f.StringVar(&o.noteIt, "note-it", "", "what changes, in Italian")
	f.StringVar(&o.noteEn, "note-en", "", "what changes, in English")
	f.BoolVar(&o.pause, "pause", false, "give it to nobody else for now")
	f.BoolVar(&o.resume, "resume", false, "go on")
	words := args[1:]
	var plain []string
	for len(words) > 0 {
		if err := f.Parse(words); err != nil {
			return err
		}
		if f.NArg() == 0 {
			break
		}
		plain, words = append(plain, f.Arg(0)), f.Args()[1:]
	}
	if len(plain) == 0 {
		return errors.New("name the file or the directory")
	}
	c := channel{dir: plain[0], now: now.UTC().Truncate(time.Second), out: out}
	switch args[0] {
	case "key":
		return newKey(plain[0], o.passphrase)
	case "root":
		return c.stageRoot(o)
	case "add":
		if len(plain) != 2 {
			return errors.New("name the directory and the program")
		}
		return c.add(plain[1], o)
	case "stage":
		return c.change(o)
	case "show":
		return c.show()
	case "sign", "publish", "refresh":
		k, err := openKey(o.key, o.passphrase)
		if err != nil {
			return err
		}
		return map[string]func(key) error{"sign": c.sign, "publish": c.publish, "refresh": c.refresh}[args[0]](k)
	}
	return fmt.Errorf("there is no command %q", args[0])
}

// unset is a percentage that was not given.
const unset = -1
