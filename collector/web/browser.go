package web

import "strings"

// browser names a browser and its system in words, from what it says of itself, for
// its owner to recognise: "Firefox, Windows". No session is bound to it: updates
// change it, and whoever copies a cookie copies it as well.
func browser(userAgent string) string {
	name := first(userAgent, "Edg", "Edge", "OPR", "Opera", "Firefox", "Firefox", "Chrome", "Chrome", "Safari", "Safari")
	system := first(userAgent, "Windows", "Windows", "Android", "Android", "iPhone", "iPhone", "iPad", "iPad", "Mac OS X", "macOS", "Linux", "Linux")
	switch {
	case name == "":
		return system
	case system == "":
		return name
	}
	return name + ", " + system
}

// first returns the name of the first mark that s has; pairs are mark and name.
func first(s string, pairs ...string) string {
	for i := 0; i+1 < len(pairs); i += 2 {
		if strings.Contains(s, pairs[i]) {
			return pairs[i+1]
		}
	}
	return ""
}
