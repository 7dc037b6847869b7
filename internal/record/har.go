package record

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// har is the part of the HTTP Archive format (version 1.2) that is read.
type har struct {
	Log struct {
		Entries []struct {
			Request struct {
				Method   string      `json:"method"`
				URL      string      `json:"url"`
				Headers  []harHeader `json:"headers"`
				PostData *struct {
					MimeType string      `json:"mimeType"`
					Text     string      `json:"text"`
					Params   []harHeader `json:"params"`
				} `json:"postData"`
			} `json:"request"`
			Response struct {
				Status      int         `json:"status"`
				Headers     []harHeader `json:"headers"`
				RedirectURL string      `json:"redirectURL"`
				Content     struct {
					MimeType string `json:"mimeType"`
					Text     string `json:"text"`
					Encoding string `json:"encoding"`
				} `json:"content"`
			} `json:"response"`
		} `json:"entries"`
	} `json:"log"`
}

type harHeader struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

func headerOf(all []harHeader) http.Header {
	h := http.Header{}
	for _, one := range all {
		if !strings.HasPrefix(one.Name, ":") { // HTTP/2's own
			h.Add(one.Name, one.Value)
		}
	}
	return h
}

// ReadHAR reads what a browser or a proxy has saved. host, unless empty, is the
// server whose requests count.
func ReadHAR(data []byte, host string) ([]*Exchange, error) {
	var file har
	err := json.Unmarshal(data, &file)
	wrong, isType := errors.AsType[*json.UnmarshalTypeError](err)
	switch {
	case isType:
		return nil, fmt.Errorf("this is no HAR file: %s is a %s, which it never is in one", wrong.Field, wrong.Value)
	case err != nil:
		return nil, errors.New("this is no HAR file: it is not JSON, or not all of it; save it again from the browser or the proxy")
	case file.Log.Entries == nil:
		return nil, errors.New("this is no HAR file: it has no log.entries")
	}
	var all []*Exchange
	for i, e := range file.Log.Entries {
		at, err := url.Parse(e.Request.URL)
		if err != nil || at.Host == "" {
			return nil, fmt.Errorf("entry %d has no address: %q", i+1, e.Request.URL)
		}
		if host != "" && at.Host != host {
			continue
		}
		x := &Exchange{Host: at.Host, Method: e.Request.Method, Target: at.RequestURI(), Header: headerOf(e.Request.Headers),
			Status: e.Response.Status, Said: headerOf(e.Response.Headers), Answer: e.Response.Content.Text}
		if p := e.Request.PostData; p != nil {
			x.Body = p.Text
			if x.Body == "" {
				x.Body = formOf(p.Params)
			}
			if x.Header.Get("Content-Type") == "" && p.MimeType != "" {
				x.Header.Set("Content-Type", p.MimeType)
			}
		}
		if x.Said.Get("Location") == "" && e.Response.RedirectURL != "" {
			x.Said.Set("Location", e.Response.RedirectURL)
		}
		if x.Said.Get("Content-Type") == "" && e.Response.Content.MimeType != "" {
			x.Said.Set("Content-Type", e.Response.Content.MimeType)
		}
		if e.Response.Content.Encoding == "base64" {
			plain, err := base64.StdEncoding.DecodeString(x.Answer)
			if err != nil {
				return nil, fmt.Errorf("entry %d: its content is not base64", i+1)
			}
			x.Answer = string(plain)
		}
		x.Cut = len(x.Body) > longestBody || len(x.Answer) > longestBody
		all = append(all, x)
	}
	return all, nil
}

// formOf writes parameters that the file has taken apart.
func formOf(all []harHeader) string {
	pairs := make([]string, len(all))
	for i, p := range all {
		pairs[i] = url.QueryEscape(p.Name) + "=" + url.QueryEscape(p.Value)
	}
	return strings.Join(pairs, "&")
}

// withoutCallbacks drops what a browser then asks the partner's own site.
func withoutCallbacks(all []*Exchange) (kept []*Exchange) {
	led := map[string]bool{}
	for _, x := range all {
		if led[x.Host+x.Target] {
			continue
		}
		kept = append(kept, x)
		if to := x.callback(); to != nil {
			led[to.Host+to.RequestURI()] = true
		}
	}
	return kept
}
