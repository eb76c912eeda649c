package update

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"strings"
)

// Parent is what started this program; nil where it was no agent.
type Parent struct {
	// Trial says that this program is on trial, until Kept is closed.
	Trial bool
	Kept  chan struct{}
	out   io.Writer
}

// FromParent listens to the parent, if there is one: the context ends when that says
// so, or is gone.
func FromParent(ctx context.Context) (context.Context, *Parent) {
	as := os.Getenv(envChild)
	if as == "" {
		return ctx, nil
	}
	return listen(ctx, as, os.Stdin, os.Stdout)
}

func listen(ctx context.Context, as string, in io.Reader, out io.Writer) (context.Context, *Parent) {
	p := &Parent{Trial: as == childTrial, Kept: make(chan struct{}), out: out}
	ctx, stop := context.WithCancel(ctx)
	go func() {
		defer stop()
		told := !p.Trial
		if told {
			close(p.Kept)
		}
		for lines := bufio.NewScanner(in); lines.Scan(); {
			if !told && strings.TrimSpace(lines.Text()) == wordKeep {
				told = true
				close(p.Kept)
			}
		}
	}()
	return ctx, p
}

// Healthy tells the parent that this program is, and waits for its word.
func (p *Parent) Healthy(ctx context.Context) error {
	if _, err := fmt.Fprintln(p.out, wordHealthy); err != nil {
		return fmt.Errorf("telling the version before that this one is healthy: %w", err)
	}
	select {
	case <-p.Kept:
	case <-ctx.Done():
	}
	return nil
}
