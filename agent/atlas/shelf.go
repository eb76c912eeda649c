package atlas

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"time"

	"anagrafe/protocol/wholefile"
)

const (
	maxKept = 32 << 20 // bytes of all files
	maxFile = 2 << 20  // bytes of one
	// block is what a file takes at least: small ones are many.
	block = 4 << 10
	// seldom is how often it is written down that a file was used.
	seldom = time.Hour
	// heading is before what a file holds: the CRC-32 (IEEE) of the rest, and when it came,
	// in seconds since 1970.
	heading = 4 + 8
)

// names are those that a file may have. A half-written one has another.
var names = regexp.MustCompile(`^[a-z]+(-[0-9a-f]+)*$`)

// shelf is a bounded directory of small files. Its methods may be called at the same
// time.
type shelf struct {
	dir  string
	most int64 // bytes
	now  func() time.Time

	mu      sync.Mutex
	books   map[string]*book
	size    int64
	cleared int // how often
}

// book is one file.
type book struct {
	size int64
	used time.Time // its modification time, or later
}

// openShelf reads what a directory holds; one that is not there is empty.
func openShelf(dir string, most int64, now func() time.Time) (*shelf, error) {
	s := &shelf{dir: dir, most: most, now: now, books: map[string]*book{}}
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || !e.Type().IsRegular() || !names.MatchString(e.Name()) || info.Size() > maxFile {
			_ = os.Remove(filepath.Join(dir, e.Name())) // half written, or none of ours
			continue
		}
		s.add(e.Name(), info.Size(), info.ModTime())
	}
	s.makeRoom()
	return s, nil
}

// get returns what is kept under a name, and when it came.
func (s *shelf) get(name string) (body []byte, came time.Time, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.books[name]
	if b == nil {
		return nil, time.Time{}, false
	}
	raw, err := wholefile.Read(filepath.Join(s.dir, name), maxFile)
	if err != nil || len(raw) < heading || binary.BigEndian.Uint32(raw) != crc32.ChecksumIEEE(raw[4:]) {
		s.drop(name)
		return nil, time.Time{}, false
	}
	if now := s.now(); now.Sub(b.used) > seldom {
		b.used = now
		s.touch(name, now)
	}
	return raw[heading:], time.Unix(int64(binary.BigEndian.Uint64(raw[4:])), 0), true
}

// times reports how often the shelf was cleared.
func (s *shelf) times() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cleared
}

// put keeps something, whole or not at all, and makes room for it; but nothing that
// was asked for before the shelf was last cleared.
func (s *shelf) put(name string, body []byte, cleared int) error {
	if len(body)+heading > maxFile {
		return errors.New("it is too large to be kept")
	}
	now := s.now()
	raw := binary.BigEndian.AppendUint64(make([]byte, 4, heading+len(body)), uint64(now.Unix()))
	raw = append(raw, body...)
	binary.BigEndian.PutUint32(raw, crc32.ChecksumIEEE(raw[4:]))
	s.mu.Lock()
	defer s.mu.Unlock()
	if cleared != s.cleared {
		return nil
	}
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return err
	}
	if err := replace(s.dir, name, raw); err != nil {
		return err
	}
	s.touch(name, now)
	s.add(name, int64(len(raw)), now)
	s.makeRoom()
	return nil
}

// touch writes down when a file was used. Without that it may go a little sooner.
func (s *shelf) touch(name string, now time.Time) {
	_ = os.Chtimes(filepath.Join(s.dir, name), now, now)
}

// replace puts a file in place by a rename. It is not forced onto the disk: one that
// a power cut damages is found by its sum.
func replace(dir, name string, raw []byte) error {
	f, err := os.CreateTemp(dir, name+".new-*") // mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(raw)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), filepath.Join(dir, name))
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}

// remove drops the files whose names keep says no to.
func (s *shelf) remove(keep func(name string) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name := range s.books {
		if !keep(name) {
			s.drop(name)
		}
	}
}

// clear removes the directory with all that is in it.
func (s *shelf) clear() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.books, s.size, s.cleared = map[string]*book{}, 0, s.cleared+1
	return os.RemoveAll(s.dir)
}

// add, drop and makeRoom are called with mu held, or before anybody else knows s.
func (s *shelf) add(name string, size int64, used time.Time) {
	if old := s.books[name]; old != nil {
		s.size -= old.size
	}
	size = max(size, block)
	s.books[name] = &book{size: size, used: used}
	s.size += size
}

func (s *shelf) drop(name string) {
	s.size -= s.books[name].size
	delete(s.books, name)
	_ = os.Remove(filepath.Join(s.dir, name)) // what cannot be removed is found at the next start
}

func (s *shelf) makeRoom() {
	for s.size > s.most {
		oldest := ""
		for name, b := range s.books {
			if oldest == "" || b.used.Before(s.books[oldest].used) {
				oldest = name
			}
		}
		s.drop(oldest)
	}
}

// Kept reports how many files lie in an atlas's directory, and their bytes. It needs
// no atlas that is open.
func Kept(dir string) (files int, bytes int64, err error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, 0, nil
	}
	for _, e := range entries {
		if info, err := e.Info(); err == nil { // else it has just gone
			files, bytes = files+1, bytes+info.Size()
		}
	}
	return files, bytes, err
}
