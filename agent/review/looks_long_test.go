//go:build long

package review

import "testing"

// The same ways in the other window and language.

func TestLongTheWayToTheFootage(t *testing.T) { theWayToTheFootage(t, wide) }

func TestLongTakeOverInTheBrowser(t *testing.T) { takeOverInTheBrowser(t, wide) }
