package browser

import (
	"errors"
	"net/http"

	"postern.dev/postern"
)

// ReadForm reads the body of a POST; the query never completes a form.
func ReadForm(r *http.Request) error {
	if r.Method != http.MethodPost {
		return nil
	}
	err := r.ParseForm()
	if _, big := errors.AsType[*http.MaxBytesError](err); big {
		return postern.Errorf(postern.InvalidRequest, "The form is larger than 64 KiB.")
	}
	if err != nil {
		return postern.Errorf(postern.InvalidRequest, "The form could not be read.")
	}
	return nil
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
