// Command anagrafe-publish makes the agents' update channel: a repository of The Update Framework
// (TUF 1.0), which a collector serves from DIR/channel. It hides go-tuf's metadata and the key
// files. Only the publishers run it; see commands.
//
//   - Three people own root and targets, at least one of them outside the Comune, and two sign, so
//     that the Comune alone cannot make an agent run anything. No program can check who holds a
//     key. The keys never need a machine with a network: what is to be signed lies in DIR/staged,
//     some KiB.
//   - Snapshot and timestamp have one key, which may lie on the collector's machine: it states the
//     newest signed version for three days, and signs no program. A stolen one can withhold
//     updates; with "root" the owners replace it, and agents forget what it said.
//   - Keys are Ed25519 in PKCS #8, encrypted by age with a pass phrase (scrypt), which comes from the
//     terminal or from a file (-passphrase FILE, a systemd credential for "refresh").
//   - The refresh service has a user of its own, which writes in the channel, reads nothing of the
//     register, and whose key the collector's user cannot read.
//   - Files are written whole and renamed, the timestamp last: agents see the old channel or the
//     new one.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"anagrafe/protocol"
	"anagrafe/protocol/daemon"
)

func main() {
	if err := run(os.Stdout, os.Args[1:], time.Now()); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "anagrafe-publish:", err)
		os.Exit(1)
	}
}

// command is one word of the command line. args names first the words that it takes,
// and then each of the options.
type command struct{ name, args, what string }

var commands = []command{
	{"key", "FILE [-passphrase FILE]", "make a key, sealed with a pass phrase; FILE.pub is for the others"},
	{"root", "DIR -owner PUB -owner PUB -owner PUB -online PUB", "prepare the first root of the channel in DIR, or the next one with other keys"},
	{"add", "DIR PROGRAM -version v1.2.3 [-os linux] [-arch amd64] -note-it TEXT -note-en TEXT [-percent 10] [-from RFC3339]", "prepare a program"},
	{"stage", "DIR -version v1.2.3 [-percent 50] [-pause | -resume]", "prepare another share of a version"},
	{"show", "DIR", "say what is prepared, and who has signed it"},
	{"sign", "DIR -key FILE [-passphrase FILE]", "sign it: two of the three owners, each on a computer of their own"},
	{"publish", "DIR -key ONLINE [-passphrase FILE]", "verify the signatures, and make it the channel's"},
	{"refresh", "DIR -key ONLINE [-passphrase FILE]", "sign a new timestamp: every day, or the channel is over in three"},
}

func usage(out io.Writer) {
	fmt.Fprint(out, "anagrafe-publish makes the channel of the agents' updates, which two of three owners sign.\n\nusage: anagrafe-publish COMMAND ...\n\n")
	for _, c := range commands {
		fmt.Fprintf(out, "  %-9s %s\n", c.name, c.what)
	}
	fmt.Fprint(out, "\nexit status: 0 done, 1 failed\n")
}

// options are those of all commands.
type options struct {
	owners               daemon.Repeated
	online, key          string
	passphrase           string
	release              protocol.Release
	from, noteIt, noteEn string
	pause, resume        bool
}

func run(out io.Writer, args []string, now time.Time) (err error) {
	at := slices.IndexFunc(commands, func(c command) bool { return len(args) > 0 && c.name == args[0] })
	if at < 0 {
		usage(out)
		if len(args) > 0 && slices.Contains([]string{"help", "-h", "-help", "--help"}, args[0]) {
			return nil
		}
		return fmt.Errorf("there is no command %q", strings.Join(args, " "))
	}
	var o options
	plain, err := o.parse(out, commands[at], args[1:])
	if err != nil {
		return err
	}
	c := channel{dir: plain[0], now: now.UTC().Truncate(time.Second), out: out}
	if args[0] == "key" {
		return newKey(plain[0], o.passphrase)
	}
	var k key
	if slices.Contains([]string{"sign", "publish", "refresh"}, args[0]) {
		if k, err = openKey(o.key, o.passphrase); err != nil {
			return err
		}
	}
	back, err := daemon.AsOwner(c.dir) // the timer's user goes on with what root began
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, back()) }()
	switch args[0] {
	case "root":
		return c.stageRoot(o)
	case "add":
		return c.add(plain[1], o)
	case "stage":
		return c.change(o)
	case "show":
		return c.show()
	}
	return map[string]func(key) error{"sign": c.sign, "publish": c.publish, "refresh": c.refresh}[args[0]](k)
}

// parse reads a command's words and options, in any order.
func (o *options) parse(out io.Writer, c command, words []string) (plain []string, err error) {
	all := flag.NewFlagSet("", flag.ContinueOnError)
	o.define(all)
	f := flag.NewFlagSet(c.name, flag.ContinueOnError)
	f.SetOutput(out)
	f.Usage = func() {
		fmt.Fprintf(out, "usage: anagrafe-publish %s %s\n\n", c.name, c.args)
		f.PrintDefaults()
	}
	takes := 0
	for i, word := range strings.Fields(c.args) {
		word = strings.Trim(word, "[]")
		if takes == i && !strings.HasPrefix(word, "-") {
			takes++
		} else if option := all.Lookup(strings.TrimPrefix(word, "-")); option != nil && f.Lookup(option.Name) == nil {
			f.Var(option.Value, option.Name, option.Usage)
		}
	}
	if plain, err = daemon.Words(f, words); err != nil {
		return nil, err
	}
	if len(plain) != takes {
		return nil, fmt.Errorf("usage: anagrafe-publish %s %s", c.name, c.args)
	}
	return plain, nil
}

// define names all options.
func (o *options) define(f *flag.FlagSet) {
	f.Var(&o.owners, "owner", "public key of one of the three owners")
	f.StringVar(&o.online, "online", "", "public key of snapshot and timestamp")
	f.StringVar(&o.key, "key", "", "sealed key to sign with")
	f.StringVar(&o.passphrase, "passphrase", "", "file of the pass phrase (default: asked on the terminal)")
	f.StringVar(&o.release.Version, "version", "", "of the program, v1.2.3")
	f.StringVar(&o.release.OS, "os", "linux", "system of the program")
	f.StringVar(&o.release.Arch, "arch", "amd64", "processor of the program")
	o.release.Percent = unset
	f.Func("percent", "share of the agents that take it (default: 10 of a new version, else as it is)", func(s string) (err error) {
		o.release.Percent, err = strconv.Atoi(s)
		return err
	})
	f.StringVar(&o.from, "from", "", "from when on, RFC 3339 (default: now)")
	f.StringVar(&o.noteIt, "note-it", "", "what changes, in Italian")
	f.StringVar(&o.noteEn, "note-en", "", "what changes, in English")
	f.BoolVar(&o.pause, "pause", false, "give it to nobody else for now")
	f.BoolVar(&o.resume, "resume", false, "go on")
}

// unset is a percentage that was not given.
const unset = -1
