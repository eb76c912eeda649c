package protocol

import (
	"os"
	"path/filepath"
	"testing"

	"anagrafe/protocol/wire"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
)

// TestSchemaOnlyGrows: what an older version could say is said in the same
// way still. The schemas of older versions stand in testdata/protocol as
// descriptor sets (protoc --include_imports --descriptor_set_out).
func TestSchemaOnlyGrows(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(vectors, "v*.schema.binpb"))
	if err != nil || len(files) != Version-1 {
		t.Fatalf("%d schemas of older versions (%v), want %d", len(files), err, Version-1)
	}
	for _, file := range files {
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
		old.RangeFilesByPackage("anagrafe.v1", func(f protoreflect.FileDescriptor) bool {
			for i := range f.Messages().Len() {
				compareMessage(t, file, f.Messages().Get(i))
			}
			for i := range f.Services().Len() {
				compareService(t, file, f.Services().Get(i))
			}
			return true
		})
	}
}

func compareMessage(t *testing.T, file string, old protoreflect.MessageDescriptor) {
	now := wire.File_protocol_wire_anagrafe_proto.Messages().ByName(old.Name())
	if now == nil {
		t.Errorf("%s: message %s is gone", file, old.Name())
		return
	}
	for i := range old.Fields().Len() {
		was := old.Fields().Get(i)
		is := now.Fields().ByNumber(was.Number())
		switch {
		case is == nil:
			t.Errorf("%s: field %s is gone", file, was.FullName())
		case is.Name() != was.Name() || is.Kind() != was.Kind() || is.Cardinality() != was.Cardinality() || oneof(is) != oneof(was):
			t.Errorf("%s: field %d of %s is %s %s %s, was %s %s %s", file, was.Number(), old.Name(),
				is.Cardinality(), is.Kind(), is.Name(), was.Cardinality(), was.Kind(), was.Name())
		case is.Message() != nil && is.Message().FullName() != was.Message().FullName():
			t.Errorf("%s: field %s is a %s, was a %s", file, was.FullName(), is.Message().FullName(), was.Message().FullName())
		}
	}
}

func oneof(f protoreflect.FieldDescriptor) protoreflect.Name {
	if f.ContainingOneof() == nil {
		return ""
	}
	return f.ContainingOneof().Name()
}

func compareService(t *testing.T, file string, old protoreflect.ServiceDescriptor) {
	now := wire.File_protocol_wire_anagrafe_proto.Services().ByName(old.Name())
	for i := range old.Methods().Len() {
		was := old.Methods().Get(i)
		if now == nil || now.Methods().ByName(was.Name()) == nil {
			t.Errorf("%s: method %s is gone", file, was.FullName())
			continue
		}
		is := now.Methods().ByName(was.Name())
		if is.Input().FullName() != was.Input().FullName() || is.Output().FullName() != was.Output().FullName() || is.IsStreamingServer() != was.IsStreamingServer() {
			t.Errorf("%s: method %s has other messages", file, was.FullName())
		}
	}
}
