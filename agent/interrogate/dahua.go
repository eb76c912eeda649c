package interrogate

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

var dahuaFamily = family{
	name:   Dahua,
	driver: dahua{},
	maker:  "Dahua",
	words:  []string{"dahua", "dhdiscover", "dh-", "dhi-", "ipc-hfw", "ipc-hdw", "ipc-hdbw"},
	doors:  []door{plain80, secure443},
	often:  true,
	sure:   "readings of two recorders by others; clients and the maker's SDK for how long images are kept",
	unseen: []string{"configured"},
}

// dahua speaks the CGI interface of Dahua's recorders and cameras and of the many
// that others sell under their names: lines of key=value, HTTP Digest, no session.
//
// Seen on real devices, by others: the weekly plan, the override, the file search,
// the refusals, the time (one NVR of 128 channels), what magicBox tells (an NVR
// with 4.002.0000000.2.R). Never seen on a wire: FileHoldTime and OverWrite, which
// clients and the maker's SDK name, and in which the age is taken to be days; the
// meaning of the mask's bit 5 is inferred. Nothing of it was read from a device by
// this program yet.
//
// Not read: the cameras behind the channels, since the answer that tells them
// (RemoteDevice) holds their passwords too; whether a channel is online, which an
// ordinary user is not told.
//
// Which rights an account needs for StorageGlobal is not known; perhaps those of
// an administrator. What it may not read stays unknown.
type dahua struct{}

// The programs. Each question is one of them with an action.
const (
	dahuaBox    = "/cgi-bin/magicBox.cgi"
	dahuaConfig = "/cgi-bin/configManager.cgi"
	dahuaGlobal = "/cgi-bin/global.cgi"
	dahuaFiles  = "/cgi-bin/mediaFileFind.cgi"
	dahuaDisks  = "/cgi-bin/storageDevice.cgi"
)

// recognise asks who made it. It is refused with a Digest challenge for
// "Login to <serial number>", or with the words of a wrong password.
func (dahua) recognise(ctx context.Context, w *web) likeness {
	a, err := w.meet(ctx, call{path: dahuaBox, query: "action=getVendor"})
	if err != nil {
		return stranger
	}
	challenges := strings.Join(a.header.Values("WWW-Authenticate"), " ")
	_, out := lockedOut(a)
	switch {
	case out, a.status == http.StatusOK && len(a.body) < 256 && bytes.HasPrefix(a.body, []byte("vendor=")):
		return known
	case a.status != http.StatusUnauthorized || challenges == "":
		return stranger
	case strings.Contains(challenges, `Digest realm="Login to `), bytes.Contains(a.body[:min(len(a.body), 256)], []byte("Invalid Authority!")):
		return known
	}
	return locked
}

// lockedOut tells whether an answer says that the account is locked, and for how
// long still, 0 if it does not say. Seen as 403 with
// {"ErrorCode":268632081,"Result":false,"RmLock":1800,"RmLogin":0}, in seconds,
// after four or five wrong passwords.
func lockedOut(a answer) (time.Duration, bool) {
	if a.status != http.StatusForbidden {
		return 0, false
	}
	var said struct{ RmLock, RmLogin *float64 }
	if err := json.Unmarshal(a.body, &said); err != nil || said.RmLock == nil && said.RmLogin == nil {
		return 0, false
	}
	if said.RmLock == nil || !(*said.RmLock > 0 && *said.RmLock <= 7*daySeconds) {
		return 0, true
	}
	return time.Duration(*said.RmLock) * time.Second, true
}

// lockError: nothing more may be asked.
type lockError struct{ still time.Duration }

func (e *lockError) Error() string {
	still := "it does not say for how long"
	if e.still > 0 {
		still = fmt.Sprintf("for %d minutes more", int((e.still+time.Minute-1)/time.Minute))
	}
	return lockedUser + ", " + still + "; nothing more is asked"
}

// errUnnamed: the same refusal means two things.
var errUnnamed = errors.New("this user may not read it, or it has no such setting: it answers both alike")

// dahuaTalk is the reading of one device.
type dahuaTalk struct {
	w    *web
	told deviceReport
	lock *lockError // once it has locked the user; then nothing is asked
}

// ask sends one question, and reads its lines.
func (d *dahuaTalk) ask(ctx context.Context, path, query string) (dahuaLines, answer, error) {
	if d.lock != nil {
		return nil, answer{}, d.lock
	}
	a, err := d.w.get(ctx, path, query)
	if still, out := lockedOut(a); err != nil && out {
		d.lock = &lockError{still}
		return nil, a, d.lock
	}
	switch {
	case errors.Is(err, errForbidden), a.status == http.StatusForbidden && bytes.Contains(a.body[:min(len(a.body), 256)], []byte("Authority:check failure")):
		err = errUnnamed
	case err == nil && len(a.body) > 0 && !bytes.ContainsAny(a.body, "=") && !bytes.HasPrefix(bytes.TrimSpace(a.body), []byte("OK")):
		err = errors.New("its answer cannot be read")
	}
	if err != nil {
		return nil, a, err
	}
	return readLines(a.body), a, nil
}

// config reads a table of settings, nil if there is none to be read; a problem
// says why.
func (d *dahuaTalk) config(ctx context.Context, name string) (table dahuaLines, from string) {
	table, a, err := d.table(ctx, name)
	if !absent(a, err) && d.lock == nil && ctx.Err() == nil {
		d.told.problem(name, err)
	}
	return table, a.from
}

// table reads one that a device may do without.
func (d *dahuaTalk) table(ctx context.Context, name string) (dahuaLines, answer, error) {
	if d.lock != nil || ctx.Err() != nil {
		return nil, answer{}, errSilent
	}
	lines, a, err := d.ask(ctx, dahuaConfig, "action=getConfig&name="+name)
	if err != nil {
		return nil, a, err
	}
	if lines = lines.below("table." + name); len(lines) == 0 {
		return nil, a, errors.New("its answer holds no such table")
	}
	return lines, a, nil
}

// value reads one line of magicBox, "" where it is refused.
func (d *dahuaTalk) value(ctx context.Context, action, key string) string {
	if ctx.Err() != nil || d.lock != nil {
		return ""
	}
	lines, _, err := d.ask(ctx, dahuaBox, "action="+action)
	if err != nil {
		return ""
	}
	return lines[key]
}

// read reads the device, its channels, what they record and keep, and the oldest
// footage of each, in five questions a channel.
func (dahua) read(ctx context.Context, w *web) (deviceReport, error) {
	w.locks = func(a answer) bool { _, out := lockedOut(a); return out }
	d := &dahuaTalk{w: w}
	t := &d.told
	info, _, err := d.ask(ctx, dahuaBox, "action=getSystemInfo")
	if err != nil && (!w.auth.works() || d.lock != nil) {
		return *t, err
	}
	t.problem("magicBox getSystemInfo", err)
	t.serial = info["serialNumber"]
	t.vendor = d.value(ctx, "getVendor", "vendor")
	if t.model = d.value(ctx, "getDeviceType", "type"); t.model == "" {
		t.model = info["updateSerial"]
	}
	t.firmware = d.value(ctx, "getSoftwareVersion", "version")
	class := strings.ToUpper(d.value(ctx, "getDeviceClass", "class"))
	t.recorder = strings.Contains(class, "VR") || strings.Contains(class, "EVS") // NVR, HDVR, XVR, HCVR
	d.clock(ctx)
	general, _ := d.config(ctx, "General")
	t.name = general["MachineName"]
	d.channels(ctx)
	d.schedules(ctx)
	d.retention(ctx)
	d.kept(ctx)
	d.footage(ctx)
	if d.lock != nil {
		return *t, d.lock
	}
	return *t, nil
}

// channels lists what is bound, with its name and picture size: by Encode, which
// lists no others (an NVR of 128 showed 51). Where that cannot be read, every title
// counts. Settings count channels from 0, their owner from 1.
func (d *dahuaTalk) channels(ctx context.Context) {
	titles, from := d.config(ctx, "ChannelTitle")
	encode, sizes := d.config(ctx, "Encode")
	all := encode.indexes()
	if len(all) == 0 {
		all = titles.indexes()
	}
	for _, n := range head(all, maxChannels) {
		c := channelReport{id: strconv.Itoa(n + 1), name: titles.of(n, ".Name")}
		c.say("name", from, c.name)
		video := ".MainFormat[0].Video."
		size := encode.of(n, video+"resolution")
		if width, height, ok := strings.Cut(size, "x"); ok {
			c.width, _ = strconv.Atoi(width)
			c.height, _ = strconv.Atoi(height)
		} else {
			c.width, _ = strconv.Atoi(encode.of(n, video+"Width"))
			c.height, _ = strconv.Atoi(encode.of(n, video+"Height"))
			size = encode.of(n, video+"Width") + "x" + encode.of(n, video+"Height")
		}
		if c.width > 0 {
			c.say("resolution", sizes, size)
		}
		d.told.channels = append(d.told.channels, c)
	}
}

// kept tells where the images are: by RecordStoragePoint, which says it for each
// kind of recording and of picture, or by the disks. "Remote" is a share to some and
// FTP to others: it counts only beside another place.
func (d *dahuaTalk) kept(ctx context.Context) {
	t := &d.told
	points, a, _ := d.table(ctx, "RecordStoragePoint")
	places := map[string]bool{}
	for key, on := range points {
		parts := strings.Split(key, ".") // "[0].TimingRecord.Local"
		if len(parts) == 3 && strings.HasSuffix(parts[1], "Record") && strings.EqualFold(on, "true") {
			places[parts[2]] = true
		}
	}
	var all []Kept
	if places["Local"] {
		all = append(all, KeptDisk)
	}
	if places["FTP"] || places["Remote"] && places["Local"] {
		all = append(all, KeptRemote)
	}
	if len(places) > 0 {
		t.kept, t.keptFrom, t.keptRaw = keptIn(all...), a.from, strings.Join(slices.Sorted(maps.Keys(places)), " ")
		return
	}
	if ctx.Err() != nil || d.lock != nil {
		return
	}
	disks, a, err := d.ask(ctx, dahuaDisks, "action=getDeviceAllInfo")
	if !absent(a, err) && d.lock == nil {
		t.problem("storageDevice getDeviceAllInfo", err)
	}
	for key, text := range disks {
		if !strings.HasPrefix(key, "list") || !strings.HasSuffix(key, ".TotalBytes") {
			continue
		}
		if total, err := strconv.ParseFloat(text, 64); err == nil && total > 0 { // bytes, as a number with a fraction
			t.kept, t.keptFrom, t.keptRaw = KeptDisk, a.from, "list.info"
		}
	}
}
