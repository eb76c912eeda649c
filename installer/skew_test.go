package installer

import (
	"bytes"
	bigendian "encoding/binary"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
)

// An agent and a collector of neighbouring releases understand each other. In
// between, each request and answer is read and written again by a schema: that
// of an older version, which loses what it does not know, or a newer one, which
// says more than we know.

// TestVersionSkew: enrolment, delivery, comparison, notices, renewal and
// withdrawal, over real QUIC.
func TestVersionSkew(t *testing.T) {
	older := schema(t, filepath.Join("..", "testdata", "protocol", "v1.schema.binpb"))
	newer := files{protoregistry.GlobalFiles}
	for name, s := range map[string]skew{
		"same version":           {},
		"one speaks version 1":   {request: older.only, answer: older.only},
		"agent of version 1":     {request: older.only},
		"collector of version 1": {answer: older.only},
		"newer agent":            {request: newer.more},
		"newer collector":        {answer: newer.more, notice: unknownNotice()},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			lifeOfASite(t, s)
		})
	}
}

// rewrite gives a message of a procedure as another version has it.
type rewrite func(m protoreflect.MessageDescriptor, b []byte) ([]byte, error)

// skew is what lies between an agent and a collector; nil changes nothing.
type skew struct {
	request, answer rewrite
	notice          []byte // handed down first on each notice stream
}

// files are the schemas of one version.
type files struct{ *protoregistry.Files }

func schema(t *testing.T, file string) files {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var set descriptorpb.FileDescriptorSet
	if err := proto.Unmarshal(b, &set); err != nil {
		t.Fatal(err)
	}
	old, err := protodesc.NewFiles(&set)
	if err != nil {
		t.Fatal(err)
	}
	return files{old}
}

func (f files) message(m protoreflect.MessageDescriptor, b []byte, o proto.UnmarshalOptions) (*dynamicpb.Message, error) {
	d, err := f.FindDescriptorByName(m.FullName())
	if err != nil {
		return nil, err
	}
	read := dynamicpb.NewMessage(d.(protoreflect.MessageDescriptor))
	return read, o.Unmarshal(b, read)
}

// only leaves what this version knows.
func (f files) only(m protoreflect.MessageDescriptor, b []byte) ([]byte, error) {
	read, err := f.message(m, b, proto.UnmarshalOptions{DiscardUnknown: true})
	if err != nil {
		return nil, err
	}
	return proto.Marshal(read)
}

// more adds a field that nobody knows to the message and to all in it.
func (f files) more(m protoreflect.MessageDescriptor, b []byte) ([]byte, error) {
	read, err := f.message(m, b, proto.UnmarshalOptions{})
	if err != nil {
		return nil, err
	}
	addUnknown(read)
	return proto.Marshal(read)
}

func addUnknown(m protoreflect.Message) {
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		if f.Message() != nil && !f.IsList() && !f.IsMap() {
			addUnknown(v.Message())
		}
		return true
	})
	m.SetUnknown(append(m.GetUnknown(), protowire.AppendString(protowire.AppendTag(nil, 2000, protowire.BytesType), "of a later version")...))
}

func unknownNotice() []byte {
	return protowire.AppendString(protowire.AppendTag(nil, 2000, protowire.BytesType), "a kind of notice that is not known yet")
}

// between is a transport with a skew in it. It says on heard which procedures
// were answered, streams with their first message.
type between struct {
	next  http.RoundTripper
	skew  skew
	heard chan<- string
}

// RoundTrip implements http.RoundTripper.
func (s between) RoundTrip(req *http.Request) (*http.Response, error) {
	method, err := procedure(req.URL.Path)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(req.Body)
	if err = errors.Join(err, req.Body.Close()); err != nil {
		return nil, err
	}
	streams := strings.HasPrefix(req.Header.Get("Content-Type"), "application/connect+")
	if body, err = again(s.skew.request, method.Input(), body, streams); err != nil {
		return nil, err
	}
	req = req.Clone(req.Context())
	req.Body, req.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	req.Header.Del("Accept-Encoding") // answers in clear
	req.Header.Del("Connect-Accept-Encoding")
	resp, err := s.next.RoundTrip(req)
	if err != nil || resp.StatusCode != http.StatusOK {
		return resp, err
	}
	if streams {
		resp.Body = &frames{from: resp.Body, method: method, skew: s.skew, first: s.skew.notice}
		s.tell(method)
		return resp, nil
	}
	answer, err := io.ReadAll(resp.Body)
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		return nil, err
	}
	if answer, err = again(s.skew.answer, method.Output(), answer, false); err != nil {
		return nil, err
	}
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(answer)), int64(len(answer))
	resp.Header.Del("Content-Length")
	s.tell(method)
	return resp, nil
}

// tell does not wait: once the test has heard enough, nobody listens.
func (s between) tell(method protoreflect.MethodDescriptor) {
	select {
	case s.heard <- string(method.Name()):
	default:
	}
}

func procedure(path string) (protoreflect.MethodDescriptor, error) {
	service, method, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	d, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(service))
	if err != nil {
		return nil, err
	}
	s, _ := d.(protoreflect.ServiceDescriptor)
	if s == nil || s.Methods().ByName(protoreflect.Name(method)) == nil {
		return nil, errors.New("no such procedure: " + path)
	}
	return s.Methods().ByName(protoreflect.Name(method)), nil
}

// again writes a body anew; that of a stream is one message in its envelope
// (five bytes: flags, length).
func again(r rewrite, m protoreflect.MessageDescriptor, b []byte, enveloped bool) ([]byte, error) {
	if r == nil {
		return b, nil
	}
	if !enveloped {
		return r(m, b)
	}
	inner, err := r(m, b[5:])
	return envelope(b[0], inner), err
}

func envelope(flags byte, b []byte) []byte {
	return append(bigendian.BigEndian.AppendUint32([]byte{flags}, uint32(len(b))), b...)
}

// frames writes the messages of a stream anew as they come.
type frames struct {
	from   io.ReadCloser
	method protoreflect.MethodDescriptor
	skew   skew
	first  []byte
	ready  bytes.Buffer
}

// Read implements io.Reader.
func (f *frames) Read(p []byte) (int, error) {
	if f.first != nil {
		f.ready.Write(envelope(0, f.first))
		f.first = nil
	}
	if f.ready.Len() == 0 {
		head := make([]byte, 5)
		if _, err := io.ReadFull(f.from, head); err != nil {
			return 0, err
		}
		body := make([]byte, bigendian.BigEndian.Uint32(head[1:]))
		if _, err := io.ReadFull(f.from, body); err != nil {
			return 0, err
		}
		if head[0] == 0 && f.skew.answer != nil {
			var err error
			if body, err = f.skew.answer(f.method.Output(), body); err != nil {
				return 0, err
			}
		}
		f.ready.Write(envelope(head[0], body))
	}
	return f.ready.Read(p)
}

// Close implements io.Closer.
func (f *frames) Close() error { return f.from.Close() }
