package protocol

import (
	"fmt"

	"anagrafe/protocol/wire"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// scanned is what a look over the bytes of a message finds before it is parsed.
type scanned struct {
	unknown FieldErrors // fields that this version does not know
}

// scan walks the bytes along the schema without building anything. It refuses
// what parsing would make large (a megabyte holds half a million empty cameras)
// and what protobuf would merge or drop in silence: a field that occurs twice,
// two bodies.
func scan(b []byte) (scanned, error) {
	var s scanned
	err := s.walk(b, (&wire.Message{}).ProtoReflect().Descriptor(), "")
	return s, err
}

// most is how often a repeated field may occur.
func most(f protoreflect.FullName) int {
	switch f {
	case "anagrafe.v1.Declaration.contacts":
		return maxContacts
	case "anagrafe.v1.Schedule.days":
		return Holiday + 1
	case "anagrafe.v1.DayRow.intervals":
		return maxIntervals
	case "anagrafe.v1.Schedule.suspensions":
		return maxSuspensions
	case "anagrafe.v1.Health.others":
		return MaxOthers
	case "anagrafe.v1.RecorderHealth.faults":
		return len(Faults)
	}
	return MaxCameras // cameras and recorders, declared and observed
}

func (s *scanned) walk(b []byte, d protoreflect.MessageDescriptor, path string) error {
	seen := map[protoreflect.FullName]int{}
	for len(b) > 0 {
		num, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			return fmt.Errorf("%w: %v", errMalformed, protowire.ParseError(n))
		}
		b = b[n:]
		n = protowire.ConsumeFieldValue(num, kind, b)
		if n < 0 {
			return fmt.Errorf("%w: %v", errMalformed, protowire.ParseError(n))
		}
		value := b[:n]
		b = b[n:]

		f := d.Fields().ByNumber(num)
		if f == nil || wireType(f) != kind {
			if len(s.unknown) < MaxCameras {
				s.unknown.add(join(path, fmt.Sprintf("field_%d", num)), "is not known to version %d of the protocol", Version)
			}
			continue
		}
		name := string(f.Name())
		key := f.FullName()
		if o := f.ContainingOneof(); o != nil && !o.IsSynthetic() {
			key, name = o.FullName(), "" // bodies stand at the top of a path
		}
		index := seen[key]
		seen[key]++
		switch {
		case f.IsList() && index >= most(key):
			return FieldErrors{{join(path, name), fmt.Sprintf("are more than %d", most(key))}}
		case !f.IsList() && index > 0:
			return fmt.Errorf("%w: %s occurs twice", errMalformed, key)
		}
		if f.Kind() != protoreflect.MessageKind {
			continue
		}
		inner, n := protowire.ConsumeBytes(value)
		if n < 0 {
			return fmt.Errorf("%w: %v", errMalformed, protowire.ParseError(n))
		}
		if f.IsList() {
			name = fmt.Sprintf("%s[%d]", name, index)
		}
		if err := s.walk(inner, f.Message(), join(path, name)); err != nil {
			return err
		}
	}
	return nil
}

func wireType(f protoreflect.FieldDescriptor) protowire.Type {
	switch f.Kind() {
	case protoreflect.MessageKind, protoreflect.StringKind, protoreflect.BytesKind:
		return protowire.BytesType
	}
	return protowire.VarintType // the schema has no fixed or floating numbers
}

func join(path, name string) string {
	if path == "" || name == "" {
		return path + name
	}
	return path + "." + name
}
