package browser

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"postern.dev/postern"
)

// ReadForm reads the body of a POST, with its files if it has such; the query
// never completes a form. How large it may be is bounded before.
func ReadForm(r *http.Request) error {
	if r.Method != http.MethodPost {
		return nil
	}
	err := r.ParseForm()
	if media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); err == nil && media == "multipart/form-data" {
		err = r.ParseMultipartForm(inMemory)
	}
	return ReadError(err)
}

// ReadError says what is wrong with a body that could not be read; nil: nothing.
func ReadError(err error) error {
	if big, is := errors.AsType[*http.MaxBytesError](err); is {
		refused := postern.Errorf(postern.InvalidRequest, "What was sent is larger than %d KiB, the most that is taken here.", big.Limit>>10)
		refused.Err = err
		return refused
	}
	if err != nil {
		return postern.Errorf(postern.InvalidRequest, "The form could not be read.")
	}
	return nil
}

// TooLarge reports whether a form was refused for its size.
func TooLarge(err error) bool {
	_, is := errors.AsType[*http.MaxBytesError](err)
	return is
}

// inMemory is more than any door takes, so that nothing of a form is written to
// a disk.
const inMemory = 8 << 20

// File reads a file of a form; nil when none was chosen. Two under one name are
// refused.
func File(r *http.Request, name string) ([]byte, error) {
	if r.MultipartForm == nil || len(r.MultipartForm.File[name]) == 0 {
		return nil, nil
	}
	files := r.MultipartForm.File[name]
	if len(files) > 1 {
		return nil, postern.Errorf(postern.InvalidRequest, "The form has more than one file %q.", name)
	}
	f, err := files[0].Open()
	if err != nil {
		return nil, postern.Wrap(postern.ServerError, err)
	}
	defer f.Close()
	content, err := io.ReadAll(f)
	if err != nil {
		return nil, postern.Wrap(postern.ServerError, err)
	}
	return content, nil
}

// Field is a form field, "" when absent. One that is given twice means two
// things, so it is refused.
func Field(r *http.Request, name string) (string, error) {
	values := r.PostForm[name]
	switch len(values) {
	case 0:
		return "", nil
	case 1:
		return values[0], nil
	}
	return "", postern.Errorf(postern.InvalidRequest, "The form names %q more than once.", name)
}

// Fields reads several, in order.
func Fields(r *http.Request, names ...string) ([]string, error) {
	values := make([]string, len(names))
	for i, name := range names {
		var err error
		if values[i], err = Field(r, name); err != nil {
			return nil, err
		}
	}
	return values, nil
}

// TrimmedFields reads several without the spaces around them: of texts that
// people type, never of passwords.
func TrimmedFields(r *http.Request, names ...string) ([]string, error) {
	values, err := Fields(r, names...)
	for i := range values {
		values[i] = strings.TrimSpace(values[i])
	}
	return values, err
}

// RetryAfter is the header's value, in seconds: never too early, and never less
// than five (RFC 9110 §10.2.3).
func RetryAfter(wait time.Duration) string {
	return strconv.Itoa(int(max(wait+time.Second-1, 5*time.Second) / time.Second))
}
