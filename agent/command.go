package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"

	"anagrafe/agent/update"
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

// command is one word of the command line.
type command struct {
	name string
	args string
	what string
	run  func(ctx context.Context, c *call, args []string) error
}

func commands() []command {
	return append([]command{
		{"run", "[-interface NAME]... [-target HOST|CIDR]... [-listen-pages ADDR] [-listen-lan ADDR] [-parked]", "look at the cameras, serve the local pages, deliver what was confirmed", cmdRun},
		{"install", "[-answers FILE]", "install as a service of this machine; FILE answers what is asked, where nobody sits", cmdInstall},
		{"uninstall", "[-keep | -withdraw] [-purge] [-language it|en]",
			"remove the service; the entry is kept in the register, or withdrawn first; -purge deletes all that this computer holds", cmdUninstall},
		{"start", "", "start the service", cmdService},
		{"stop", "", "stop the service", cmdService},
		{"status", "[-json]", "say how it stands", cmdStatus},
		{"doctor", "[-self] [-json]", "find out what is wrong, and what to do", cmdDoctor},
		{"open", "[-print | -first] [-menu] [-json]", "print a one-time link to the local pages, and open it where there is a desktop", cmdOpen},
		{"scan", "[-json] [-interface NAME]... [-target HOST|CIDR]... [-credentials FILE] [-timeout 30s]", "find the cameras and read what they tell; changes nothing", cmdScan},
		{"enrol", "CODE [-collector URL] [-replace]", "join with the code or the link from the Comune; - reads it from stdin", cmdEnrol},
		{"takeover", "[-json] [-accept]", "show what the register already had of this site, and take over what is surely the same", cmdTakeover},
		{"visit", "CODE [-collector URL] [-replace] [-json] [-language it|en] [-interface NAME]... [-target HOST|CIDR]... [-data DIR] [-finish]",
			"a technician's visit: look, let the owner approve, send, print the report, forget", cmdVisit},
		{"contact", "-name NAME [-role owner|referent|control-room] [-phone N] [-email A] [-pec A] [-hours TEXT] [-alerts] [-site ID] [-place NAME [-category C] [-address TEXT]]",
			"say whom to call", cmdContact},
		{"cameras", "[-json | -csv]", "list the cameras and their state", cmdCameras},
		{"password", "[RECORDER -user NAME]", "set the password for opening the pages from the network, or keep a recorder's and look again; read from stdin", cmdPassword},
		{"set", "ID | -rule 'NAME*' [-dry-run] [-outdoor-public yes|no] [-name NAME] [-lon X -lat Y] [-accuracy M] [-direction DEG] [-angle DEG] [-range M] " +
			"[-storage on-premises|cloud|third-party] [-storage-note TEXT] [-schedule always|motion|unknown|HOURS] [-days N] [-site ID] [-by NAME]",
			"answer for one camera and place it, or for all of a name", cmdSet},
		{"import", "FILE.csv [-dry-run] [-partial] [-approve] [-by NAME] [-role owner|referent] [-json]", "answer for many cameras by a file that \"cameras -csv\" began", cmdImport},
		{"approve", "ID... | -all | -rule 'NAME*' [-dry-run] [-by NAME] [-role owner|referent]", "share the cameras answered yes", cmdDecide},
		{"refuse", "ID...", "keep cameras out", cmdDecide},
		{"withdraw", "ID... | -all", "take cameras, or everything, out of the register", cmdDecide},
		{"suspend", "[-until DATE] [-site ID] [-by NAME] [-json]", "hide what is shared from every search, for works or holidays", cmdSuspend},
		{"resume", "[-site ID] [-by NAME] [-json]", "show it again", cmdSuspend},
		{"export", "FILE.json | FILE.csv", "write all that this computer holds of your sites, or the cameras, into a file", cmdExport},
		{"outbox", "[-json]", "show every message sent or waiting", cmdOutbox},
		{"report", "[-json] [-language it|en]", "print a technician's report: what there is, and what is to be mended", cmdReport},
		{"notices", "[-json] | ID [-json] | ID -check [-json] | ID -copied|-cannot|-too-late|-refused [-by NAME] [-note TEXT]",
			"list the requests and messages from the register, open one, ask the recorder for it, answer it", cmdNotices},
		{"updates", "[auto | hold | look] [-json]", "say which version runs and what came; hold updates, or look for one now", cmdUpdates},
		{"version", "", "print the version", cmdVersion},
	}, systemCommands...)
}

// call is one running command.
type call struct {
	console
	command
	dir    string
	config string
	json   bool
	log    *slog.Logger

	delivers bool // a site opened in this process also sends what waits
}

// misuse is an error of the person who typed; it exits with 2.
type misuse string

func (m misuse) Error() string { return string(m) }

// partly is work done in part; it exits with 3.
type partly struct{ error }

// run is the program: it returns the exit code.
func run(ctx context.Context, con console, args []string) int {
	cmd, ok := find(args)
	if !ok {
		if len(args) > 0 && (args[0] == "help" || args[0] == "-h" || args[0] == "-help" || args[0] == "--help") {
			usage(con.out)
			return exitDone
		}
		if len(args) > 0 {
			fmt.Fprintf(con.err, "anagrafe-agent: there is no command %q\n\n", args[0])
		}
		usage(con.err)
		return exitMisuse
	}
	c := &call{console: con, command: cmd, log: slog.New(daemon.Log(con.err, textLog))}
	err := cmd.run(ctx, c, args[1:])
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return exitDone
	case errors.Is(err, update.ErrAgain): // of a program that another one started
		return update.ExitAgain
	}
	fmt.Fprintf(con.err, "anagrafe-agent %s: %v\n", cmd.name, err)
	if _, hint := explain(err); hint != "" {
		fmt.Fprintln(con.err, hint)
	}
	if _, ok := errors.AsType[misuse](err); ok {
		fmt.Fprintf(con.err, "usage: anagrafe-agent %s %s\n", cmd.name, cmd.args)
		return exitMisuse
	}
	if _, ok := errors.AsType[partly](err); ok {
		return exitPartly
	}
	return exitFailed
}

// textLog is the format of the log.
func textLog(w io.Writer) slog.Handler { return slog.NewTextHandler(w, nil) }

func find(args []string) (command, bool) {
	for _, cmd := range commands() {
		if len(args) > 0 && cmd.name == args[0] {
			return cmd, true
		}
	}
	return command{}, false
}

func usage(w io.Writer) {
	fmt.Fprintln(w, "anagrafe-agent finds the cameras of this network and keeps the owner's entry in the municipal register.")
	fmt.Fprintln(w, "\nusage: anagrafe-agent COMMAND [-data DIR] [-config FILE] ...")
	fmt.Fprintln(w)
	for _, cmd := range commands() {
		fmt.Fprintf(w, "  %-10s %s\n", cmd.name, cmd.what)
	}
	fmt.Fprintln(w, "\nexit status: 0 done, 1 failed, 2 misused, 3 partly done")
}

// flags starts the flag set of a command with what every command takes.
func (c *call) flags() *flag.FlagSet {
	f := flag.NewFlagSet(c.name, flag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.StringVar(&c.dir, "data", defaultDir, "the agent's directory")
	f.StringVar(&c.config, "config", "", "configuration file (default DIR/agent.toml)")
	f.BoolVar(&c.json, "json", false, "print one JSON value")
	return f
}

// parse reads flags and positional words in any order; most is how many words
// the command takes (-1: any number).
func (c *call) parse(f *flag.FlagSet, args []string, most int) ([]string, error) {
	words, err := daemon.Words(f, args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprintf(c.out, "usage: anagrafe-agent %s %s\n\n", c.name, c.args)
		f.SetOutput(c.out)
		f.PrintDefaults()
		return nil, err
	case err != nil:
		return nil, misuse(err.Error())
	case most >= 0 && len(words) > most:
		return nil, misuse(fmt.Sprintf("what is %q?", words[most]))
	}
	return words, nil
}

// print writes the one JSON value of -json.
func (c *call) print(v any) error {
	e := json.NewEncoder(c.out)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
