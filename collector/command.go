package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"

	"anagrafe/protocol/daemon"
)

// Exit codes: a contract with scripts.
const (
	exitDone   = 0
	exitFailed = 1
	exitMisuse = 2
	exitPartly = 3
)

// console is where a command reads and writes: results to out, all else to err.
type console struct {
	in  io.Reader
	out io.Writer
	err io.Writer
}

// command is one word of the command line, or two ("user add").
type command struct {
	name string
	args string
	what string
	run  func(ctx context.Context, c *call, args []string) error
}

func commands() []command {
	return []command{
		{"serve", "[-public-url URL] [-listen-agents ADDR] [-listen-public ADDR] [-listen-ops ADDR] [-listen-consult ADDR] [-listen-metrics ADDR] [-max-held N] [-basemap FILE] [-area FILE]",
			"run the collector", cmdServe},
		{"migrate", "", "bring the register's schema up to date", cmdMigrate},
		{"invite", "-site NAME [-category C] [-address TEXT] [-count N] | -site-id ID | -association NAME -count N [-letters FILE.pdf]  [-qr FILE.png] " +
			"[-json]  | -file FILE.csv [-wave N | -per-day N] [-letters FILE.pdf] [-town NAME] [-source TEXT] [-dry-run] [-partial] [-json]",
			"make a one-time code for a site, or a batch of codes for an association, or invite the businesses of a file", cmdInvite},
		{"batch list", "[-page N] [-json]", "list the batches of codes for associations, and how many are used", cmdBatchList},
		{"batch end", "BATCH", "make the unused codes of a batch good for nothing", cmdBatchEnd},
		{"bounce", "< MAIL [-json]", "take a notification about a message that was sent, as a mail server pipes it (RFC 3464, or a receipt of PEC)", cmdBounce},
		{"organisation add", "NAME -fiscal-code CODE -contact NAME -phone NUMBER|-email ADDRESS|-pec ADDRESS [-kind KIND] " +
			"[-representative NAME -capacity TEXT [-term DATE]] [-role ROLE] [-hours TEXT] [-trust LEVEL] [-json]", "add an owner of many sites", cmdOrganisationAdd},
		{"organisation list", "[-json]", "list them", cmdOrganisationList},
		{"organisation show", "ID|NAME [-json]", "one of them, with its sites and delegations", cmdOrganisationShow},
		{"organisation change", "ID|NAME [-name NAME] [-fiscal-code CODE] [-trust LEVEL] [-representative NAME -capacity TEXT [-term DATE]] " +
			"[-contact NAME -phone NUMBER|-email ADDRESS|-pec ADDRESS] [-json]", "change what is known of one, e.g. the administrator of a condominium", cmdOrganisationChange},
		{"organisation take-in", "ID|NAME -site ID [-json]", "make a site one of its sites", cmdOrganisationTakeIn},
		{"owner change", "SITE -organisation ID|NAME [-json]", "give a site to another owner: suspended until that one adheres", cmdOwnerChange},
		{"delegation add", "ID|NAME -referent NAME -power prepare|approve|answer... -rule TEXT -until DAY [-from DAY] [-site ID...] [-json]",
			"let a technical referent act for an organisation", cmdDelegationAdd},
		{"delegation list", "ID|NAME [-json]", "list what an organisation has delegated", cmdDelegationList},
		{"delegation revoke", "DELEGATION [-json]", "end a delegation at once", cmdDelegationRevoke},
		{"import", "FILE.csv -organisation ID|NAME [-dry-run] [-partial | -remove-missing] [-codes OUT.csv] [-json]",
			"take an owner's own file of sites and cameras, after checking all its lines", cmdImport},
		{"export", "FILE.json|FILE.csv -site ID|-organisation ID|NAME", "write all that is one owner's own", cmdExport},
		{"addresses", "FILE.csv... [-source NAME] [-dry-run] [-partial] [-json] | -list | -remove NAME", "take the Comune's house numbers and streets, for the search by address", cmdPlaces},
		{"districts", "FILE.geojson... [-source NAME] [-dry-run] [-partial] [-json] | -list | -remove NAME", "take its municipi, NIL or other districts", cmdPlaces},
		{"agents", "[-json]", "list the agents", cmdAgents},
		{"revoke", "AGENT", "shut an agent out at once", cmdRevoke},
		{"authority show", "[-json]", "how the authority of the agents' certificates stands", cmdAuthority},
		{"authority next", "", "make the authority that will sign next, and tell agents of it", cmdAuthority},
		{"authority switch", "", "have it sign; the old one is still recognised", cmdAuthority},
		{"authority retire", "[-force]", "give the old one up, when nobody needs it any more", cmdAuthority},
		{"authority replace", "-force", "after a theft of the key: begin anew at once, every agent needs a new link", cmdAuthority},
		{"key rotate", "", "change the master key, with which the register is sealed", cmdKeyRotate},
		{"force add", "NAME -act TEXT -recipient age1... | -identity FILE [-json]", "let a force consult, by an act; or add an act", cmdForceAdd},
		{"force list", "[-json]", "list the forces and their acts", cmdForceList},
		{"user add", "NAME -role ROLE [-force NAME [-recovery REASON]] | -as FILE [-server URL] [-qualification Q]  [-credential FILE] [-json]", "add a person and write their credential file", cmdUserAdd},
		{"user link", "NAME|ID [-json]", "a new one-time link for one of the Comune's people who cannot sign in", cmdUserLink},
		{"user signout", "NAME|ID [-json]", "end all their sessions at once", cmdUserLink},
		{"user list", "[-json]", "list the Comune's people", cmdUserList},
		{"search", "-server URL -credential FILE -at LON,LAT | -address TEXT | -area VERTICES | -route VERTICES [-means foot|bicycle|car | -speed KMH-KMH] " +
			"[-arrival RFC3339] -time RFC3339 [-until RFC3339] | -date DAY -time HH:MM [-until HH:MM] [-fold first|second] [-radius M] [-category C]... " +
			"[-continuous] [-certain] -case KIND:REF -offence CLASS -reason TEXT [-json]", "which cameras may have filmed a place at a time", cmdSearch},
		{"preserve", "-server URL -credential FILE -camera ID... -from RFC3339 -until RFC3339 -kind invitation|order [-phone NUMBER] -case KIND:REF " +
			"-offence CLASS -reason TEXT [-json] | -list [-json]", "ask owners to keep footage, or how far that has come", cmdPreserve},
		{"audit verify", "-key VKEY -checkpoint FILE [-export FILE] [-witness VKEY]...", "prove that nothing on the trail was changed, removed or inserted", cmdAuditVerify},
		{"audit export", "FILE", "write the trail to a file", cmdAuditExport},
		{"audit witness", "-server URL -key VKEY -key-file FILE -checkpoint FILE [-first] | -new NAME -key-file FILE [-json]",
			"co-sign the trail's checkpoint with a second key, on another machine", cmdAuditWitness},
		{"audit show", "-identity FILE [-export FILE]", "open the entries of a force with its private key", cmdAuditShow},
		{"dossier verify", "FILE -key VKEY [-json]", "prove offline that a case's dossier was not changed", cmdDossierVerify},
		{"dossier show", "FILE -key VKEY [-json]", "verify it, and print what is in it", cmdDossierShow},
		{"backup", "FILE -recipient age1... [-json]", "write the register, encrypted and without its keys, while it is in use", cmdBackup},
		{"backup-keys", "FILE -recipient age1... [-json]", "write the keys that open it, to be kept apart, for 30 days at most", cmdBackup},
		{"restore", "FILE -identity KEYFILE -keys KEYSFILE [-ledger FILE]... [-old-keys REASON] [-json]", "make the register anew from a backup, and erase again what was erased since", cmdRestore},
		{"erase", "SITE -reason TEXT [-certificate FILE] [-json]", "erase a site, as its owner's withdrawal would, with a signed certificate", cmdErase},
		{"certificate", "FILE [-key VKEY] [-json]", "check a certificate of erasure", cmdCertificate},
		{"receipt", "FILE [-key VKEY] [-json]", "check a receipt that an owner holds", cmdReceipt},
		{"notice", "-kind privacy|record [-lang it|en] [-json]", "write the privacy notice (art. 13 GDPR) or the record of processing (art. 30) from the running configuration", cmdNotice},
		{"guide", "owner|sticker|referent|operator FILE.pdf [-lang it|en]",
			"write a guide as a PDF: the owners' leaflet, the sticker for their window, the referents' guide, the manual for who runs the collector", cmdGuide},
		{"version", "", "print the version", cmdVersion},
	}
}

// call is one running command.
type call struct {
	console
	command
	dir    string
	config string
	store  string
	json   bool
	log    *slog.Logger
}

// misuse is an error of the person who typed; it exits with 2.
type misuse string

func (m misuse) Error() string { return string(m) }

// run is the program: it returns the exit code.
func run(ctx context.Context, con console, args []string) int {
	cmd, rest, ok := find(args)
	if !ok {
		return unknown(con, args)
	}
	c := &call{console: con, command: cmd, log: slog.New(daemon.Log(con.err, textLog))}
	err := cmd.run(ctx, c, rest)
	if err == nil || errors.Is(err, flag.ErrHelp) {
		return exitDone
	}
	fmt.Fprintf(con.err, "anagrafe-collector %s: %v\n", cmd.name, err)
	if _, ok := errors.AsType[misuse](err); ok {
		fmt.Fprintf(con.err, "usage: anagrafe-collector %s %s\n", cmd.name, cmd.args)
		return exitMisuse
	}
	if _, ok := errors.AsType[partly](err); ok {
		return exitPartly
	}
	return exitFailed
}

// find takes the command's one or two words off args.
func find(args []string) (command, []string, bool) {
	for _, cmd := range commands() {
		if len(args) > 0 && cmd.name == args[0] {
			return cmd, args[1:], true
		}
		if len(args) > 1 && cmd.name == args[0]+" "+args[1] {
			return cmd, args[2:], true
		}
	}
	return command{}, nil, false
}

// unknown answers words that are no command: with help where it is asked for,
// and of a group's word alone with the commands of that group.
func unknown(con console, args []string) int {
	help := func(word string) bool { return slices.Contains([]string{"help", "-h", "-help", "--help"}, word) }
	switch n := len(args); {
	case n > 0 && help(args[0]):
		usage(con.out, "")
		return exitDone
	case n > 1 && groupWord(args[0]) == 1 && help(args[1]):
		usage(con.out, args[0]+" ")
		return exitDone
	case n == 1 && groupWord(args[0]) == 1:
		usage(con.err, args[0]+" ")
		return exitMisuse
	case n > 0:
		fmt.Fprintf(con.err, "anagrafe-collector: there is no command %q\n\n", strings.Join(args[:min(n, 1+groupWord(args[0]))], " "))
	}
	usage(con.err, "")
	return exitMisuse
}

// usage lists the commands whose names begin with a group's word, "" all.
func usage(w io.Writer, group string) {
	fmt.Fprintln(w, "anagrafe-collector keeps a city's register of private cameras that film areas open to the public.")
	fmt.Fprintf(w, "\nusage: anagrafe-collector %s [-data DIR] [-config FILE] ...\n\n", group+"COMMAND")
	for _, cmd := range commands() {
		if strings.HasPrefix(cmd.name, group) {
			fmt.Fprintf(w, "  %-21s %s\n", cmd.name, cmd.what)
		}
	}
	fmt.Fprintln(w, "\nexit status: 0 done, 1 failed, 2 misused, 3 partly done")
}

// flags starts the flag set of a command with what every command takes.
func (c *call) flags() *flag.FlagSet {
	f := flag.NewFlagSet(c.name, flag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.StringVar(&c.dir, "data", defaultDir, "the collector's directory")
	f.StringVar(&c.config, "config", "", "configuration file (default DIR/collector.toml)")
	f.StringVar(&c.store, "store", "", "where the register is kept: sqlite:FILE or postgres://HOST/DATABASE (default sqlite:DIR/registry.db)")
	f.BoolVar(&c.json, "json", false, "print one JSON value")
	return f
}

// anyWords: the command counts its words itself.
const anyWords = -1

// parse reads flags and positional words in any order and demands exactly
// the words that the command takes.
func (c *call) parse(f *flag.FlagSet, args []string, words int) ([]string, error) {
	got, err := daemon.Words(f, args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprintf(c.out, "usage: anagrafe-collector %s %s\n\n", c.name, c.args)
		f.SetOutput(c.out)
		f.PrintDefaults()
		return nil, err
	case err != nil:
		return nil, misuse(err.Error())
	case words == anyWords:
	case len(got) > words:
		return nil, misuse(fmt.Sprintf("what is %q?", got[words]))
	case len(got) < words:
		return nil, misuse(strings.Fields(c.args)[len(got)] + " is missing") // the words stand first in the usage
	}
	return got, nil
}

// groupWord is 1 for a word that begins commands of two, else 0.
func groupWord(word string) int {
	if slices.ContainsFunc(commands(), func(c command) bool { return strings.HasPrefix(c.name, word+" ") }) {
		return 1
	}
	return 0
}

// counted is a number of things, in words.
func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// print writes the one JSON value of -json.
func (c *call) print(v any) error {
	e := json.NewEncoder(c.out)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// given reports whether a flag stands on the command line.
func given(f *flag.FlagSet, name string) (found bool) {
	f.Visit(func(g *flag.Flag) { found = found || g.Name == name })
	return found
}

func into(m map[string]string, key string) func(string) error {
	return func(s string) error { m[key] = s; return nil }
}
