//go:build long

package review

import "testing"

// The same ways in the other window and language.

func TestLongTheWayToTheFootage(t *testing.T) { theWayToTheFootage(t, wide) }

func TestLongTakeOverInTheBrowser(t *testing.T) { takeOverInTheBrowser(t, wide) }

func TestLongPlaceByMouse(t *testing.T) { placeByMouse(t, window{"narrow-it", 390, "it"}) }

func TestLongPlaceByKeyboard(t *testing.T)          { placeByKeyboard(t, window{"wide-en", 1280, "en"}) }
func TestLongHelpAndTheDoor(t *testing.T)           { helpAndTheDoor(t, wide) }
func TestLongTheWayWithoutThePassword(t *testing.T) { theWayWithoutThePassword(t, wide) }
