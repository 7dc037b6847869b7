package main

import (
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// promise is a connection's event whose cause was answered with success.
type promise struct {
	account  string
	sequence int
}

// counter is a receiver that counts what comes.
type counter struct {
	mu          sync.Mutex
	published   []uint8            // how often each event came that was published
	last        []int              // of each account, the latest of them
	connections map[promise]string // the ids of those that connections caused
	promised    []promise
	arrived     int // for the first time
	again       int
	overtaken   int // came before an earlier one of its connection
	renamed     int // came with two ids
}

func newCounter(events int) *counter {
	return &counter{published: make([]uint8, events), last: make([]int, killApps*killLanes), connections: map[promise]string{}}
}

func (c *counter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	id := r.Header.Get("webhook-id")
	number, published := strings.CutPrefix(id, "kill-")
	c.mu.Lock()
	defer c.mu.Unlock()
	if !published {
		c.ofConnection(id, body)
	} else if i, err := strconv.Atoi(number); err == nil && i < len(c.published) {
		c.ofPublished(i)
	}
}

func (c *counter) ofPublished(i int) {
	if c.published[i]++; c.published[i] > 1 {
		c.again++
		return
	}
	c.arrived++
	lane := i % len(c.last)
	if i < c.last[lane] {
		c.overtaken++
	}
	c.last[lane] = max(i, c.last[lane])
}

func (c *counter) ofConnection(id string, body []byte) {
	var m struct {
		Data struct {
			Account  string `json:"account_id"`
			Sequence int
		}
	}
	_ = json.Unmarshal(body, &m) // what cannot be read is missing in the end
	it := promise{m.Data.Account, m.Data.Sequence}
	if known := c.connections[it]; known != "" {
		c.again++
		if known != id {
			c.renamed++
		}
		return
	}
	c.connections[it] = id
	c.arrived++
	if it.sequence > 1 && c.connections[promise{it.account, it.sequence - 1}] == "" {
		c.overtaken++
	}
}

func (c *counter) promise(account string, sequence int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.promised = append(c.promised, promise{account, sequence})
}

func (c *counter) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.arrived
}

// missing is how many have not come of those that were promised.
func (c *counter) missing() (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, times := range c.published {
		if times == 0 {
			n++
		}
	}
	for _, p := range c.promised {
		if c.connections[p] == "" {
			n++
		}
	}
	return n
}
