package admin

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"strings"
	"unicode/utf8"

	"postern.dev/postern"
)

// mostDepth is how deep JSON may nest.
const mostDepth = 32

// decode reads one JSON document strictly: UTF-8, no member twice at any depth,
// no member that nobody knows.
func decode(b []byte, v any) error {
	if !utf8.Valid(b) {
		return postern.Errorf(postern.InvalidRequest, "The body is not UTF-8.")
	}
	if err := single(b); err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	err := d.Decode(v)
	wrong, isType := errors.AsType[*json.UnmarshalTypeError](err)
	switch {
	case err == nil:
		return nil
	case isType && wrong.Field != "":
		return postern.Errorf(postern.InvalidRequest, "%s: it must be %s.", wrong.Field, called(wrong.Type))
	case isType && wrong.Type.Kind() == reflect.Struct:
		return postern.Errorf(postern.InvalidRequest, "The body must be an object; there is a JSON %s where one is wanted.", wrong.Value)
	case strings.HasPrefix(err.Error(), "json: unknown field "):
		return postern.Errorf(postern.InvalidRequest, "%s: there is no such member.", short(strings.Trim(strings.TrimPrefix(err.Error(), "json: unknown field "), `"`)))
	}
	return postern.Errorf(postern.InvalidRequest, "The body is not of the form that is wanted here.")
}

func called(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	}
	return "of another type"
}

// single walks a document and refuses members that stand twice: two readers may
// take different ones.
func single(b []byte) error {
	d := json.NewDecoder(bytes.NewReader(b))
	if err := walk(d, 0); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errNoJSON
	}
	return nil
}

var errNoJSON = postern.Errorf(postern.InvalidRequest, "The body is not one well-formed JSON document.")

func walk(d *json.Decoder, depth int) error {
	token, err := d.Token()
	if err != nil || depth > mostDepth {
		return errNoJSON
	}
	switch token {
	case json.Delim('{'):
		seen := map[string]bool{}
		for d.More() {
			name, err := d.Token()
			if err != nil {
				return errNoJSON
			}
			if seen[name.(string)] {
				return postern.Errorf(postern.InvalidRequest, "%s: it stands twice.", short(name.(string)))
			}
			seen[name.(string)] = true
			if err := walk(d, depth+1); err != nil {
				return err
			}
		}
	case json.Delim('['):
		for d.More() {
			if err := walk(d, depth+1); err != nil {
				return err
			}
		}
	default:
		return nil
	}
	if _, err := d.Token(); err != nil {
		return errNoJSON
	}
	return nil
}
