package reports

import (
	"reflect"
	"time"
)

// copier makes deep copies in which strings may change. Every string passes through it, also those of fields that are
// added later, so that what it protects against cannot slip by a forgotten field.
type copier struct {
	// text returns the string to put in place of s; field is "Type.Field" of the innermost struct that holds it.
	text func(field, s string) string
	// after, if set, is called with a pointer to each copied struct, inner ones first.
	after func(ptr any)
}

// copyOf returns a deep copy of v: nil slices become empty ones, times become UTC.
func copyOf[T any](c copier, v T) T {
	var out T
	c.copy(reflect.ValueOf(&out).Elem(), reflect.ValueOf(&v).Elem(), "")
	return out
}

func (c copier) copy(dst, src reflect.Value, field string) {
	switch src.Kind() {
	case reflect.String:
		dst.SetString(c.text(field, src.String()))
	case reflect.Struct:
		c.copyStruct(dst, src)
	case reflect.Slice:
		dst.Set(reflect.MakeSlice(src.Type(), src.Len(), src.Len()))
		for i := range src.Len() {
			c.copy(dst.Index(i), src.Index(i), field)
		}
	case reflect.Map:
		if src.IsNil() {
			return
		}
		dst.Set(reflect.MakeMapWithSize(src.Type(), src.Len()))
		for _, key := range src.MapKeys() {
			value := reflect.New(src.Type().Elem()).Elem()
			c.copy(value, src.MapIndex(key), field)
			dst.SetMapIndex(key, value)
		}
	case reflect.Pointer, reflect.Interface:
		if src.IsNil() {
			return
		}
		value := reflect.New(src.Elem().Type())
		c.copy(value.Elem(), src.Elem(), field)
		if src.Kind() == reflect.Interface {
			value = value.Elem()
		}
		dst.Set(value)
	default:
		dst.Set(src)
	}
}

func (c copier) copyStruct(dst, src reflect.Value) {
	dst.Set(src) // fields that are not exported, e.g. of an interval
	if t, ok := src.Interface().(time.Time); ok {
		dst.Set(reflect.ValueOf(t.UTC()))
		return
	}
	for i := range src.NumField() {
		f := src.Type().Field(i)
		if f.IsExported() {
			c.copy(dst.Field(i), src.Field(i), src.Type().Name()+"."+f.Name)
		}
	}
	if c.after != nil {
		c.after(dst.Addr().Interface())
	}
}
