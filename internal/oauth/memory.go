package oauth

import (
	"context"
	"encoding/hex"
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"

	"postern.dev/postern"
)

// Change is an entry of the change sequence: something that memories of tokens
// rest on is no longer as it was.
type Change struct {
	Seq  int64
	Kind string // "token", "family", "connection", "app", "partner", "account", "user", "api", "all"
	Key  string // hash in hex, or id
	At   time.Time
}

// Memory holds tokens that were seen, so that a second check costs no read. It
// is kept true by the change sequence (DESIGN §4 rule 7): a token is answered
// from memory only if the sequence was read within the last second, and nothing
// that the token rests on has changed since it was read.
//
// It holds good tokens only: a flood of unknown ones evicts nothing.
type Memory struct {
	store  Changes
	now    func() time.Time
	away   time.Duration // how old the reading may be while the database does not answer
	shards [64]shard
	tidied atomic.Uint32

	apis     sync.Map // id to rememberedAPI
	heldAPIs atomic.Int64

	// stale says at which change a key was last touched. Keys are hashes: two that
	// collide cost a read, never a wrong answer.
	staleMu sync.RWMutex
	stale   map[uint64]int64
	// flushed is the change at which everything was forgotten.
	flushed atomic.Int64

	reading   chan struct{} // holds one while the sequence is read
	seq       atomic.Int64  // the last change that was taken in
	confirmed atomic.Int64  // when the sequence was last read, ns since 1970
	started   atomic.Bool

	news atomic.Pointer[chan struct{}] // closed when the sequence moves on
}

// Changes is what a memory asks of the rows.
type Changes interface {
	// Changes reads the sequence after a number, in order.
	Changes(ctx context.Context, after int64, limit int) ([]Change, error)
	// LastChange is the number of the latest change; 0: none yet.
	LastChange(ctx context.Context) (int64, error)
}

type shard struct {
	mu     sync.RWMutex
	tokens map[postern.Hash]*remembered
}

// remembered is a token with the keys that a change may touch it by.
type remembered struct {
	token *postern.Token
	seq   int64 // the change sequence when it was read
	keys  [7]uint64
	uses  atomic.Uint32 // a second chance when room is needed
}

const (
	// freshness is how old the reading may be while nobody knows of any trouble.
	freshness = time.Second
	// patience is how long the sequence may take to be read. A database that says
	// nothing at all is away, too.
	patience = time.Second
	// perShard bounds the memory: 64 × 16,384 is about a million tokens.
	perShard = 16_384
	// mostStale bounds what is remembered of changes; beyond it all is forgotten.
	mostStale = 100_000
	// changesAtOnce is how much of the sequence one read takes.
	changesAtOnce = 1000
)

// NewMemory makes an empty memory. away is how old its knowledge may get while
// the database does not answer: 1 to 5 s. With 0 no yes may be older than its
// call, so nothing is held.
func NewMemory(store Changes, now func() time.Time, away time.Duration) *Memory {
	m := &Memory{store: store, now: now, away: away, stale: map[uint64]int64{}, reading: make(chan struct{}, 1)}
	for i := range m.shards {
		m.shards[i].tokens = map[postern.Hash]*remembered{}
	}
	news := make(chan struct{})
	m.news.Store(&news)
	return m
}

// Seq is the number of the last change that this memory has taken in. What is
// checked after Seq was read rests on that change or a later one.
func (m *Memory) Seq() int64 { return m.seq.Load() }

// Age is how long ago the change sequence was last read.
func (m *Memory) Age() time.Duration {
	return time.Duration(m.now().UnixNano() - m.confirmed.Load())
}

// Holds reports whether an answer may be kept at all, here or elsewhere.
func (m *Memory) Holds() bool { return m.away > 0 }

// News is closed when the sequence moves on from where it is now.
func (m *Memory) News() <-chan struct{} { return *m.news.Load() }

var seed = maphash.MakeSeed()

func keyOf(kind, key string) uint64 { return maphash.String(seed, kind+":"+key) }

// Token finds a token in memory, or has it read by read.
func (m *Memory) Token(ctx context.Context, hash postern.Hash, read func(context.Context, postern.Hash) (*postern.Token, error)) (*postern.Token, error) {
	if !m.Holds() {
		return read(ctx, hash)
	}
	if err := m.confirm(ctx); err != nil {
		return nil, err
	}
	s := &m.shards[hash[0]%64]
	s.mu.RLock()
	r := s.tokens[hash]
	s.mu.RUnlock()
	if r != nil && !m.touched(r) {
		if r.uses.Load() == 0 {
			r.uses.Store(1)
		}
		return r.token, nil
	}
	seq := m.seq.Load() // before the read: what changes during it counts as later
	t, err := read(ctx, hash)
	if err != nil || t.Verdict(m.now()) != nil {
		return t, err
	}
	s.put(hash, &remembered{token: t, seq: seq, keys: keysOf(t)})
	return t, nil
}

func keysOf(t *postern.Token) (keys [7]uint64) {
	for i, k := range RestsOn(t) {
		keys[i] = maphash.String(seed, k)
	}
	return keys
}

// RestsOn are the keys of changes that touch a token, as "kind:key".
func RestsOn(t *postern.Token) [7]string {
	return [7]string{
		"token:" + hex.EncodeToString(t.Hash[:]), "family:" + hex.EncodeToString(t.Family[:]), "connection:" + t.Connection.ID,
		"app:" + t.AppID, "partner:" + t.PartnerID, "account:" + t.Account.ID, "user:" + t.User.ID,
	}
}

// confirm makes sure that the memory may be asked: the sequence was read lately
// enough, or is read now, or cannot be and what is known is young enough for a
// time in which the database is away.
func (m *Memory) confirm(ctx context.Context) error {
	if m.youngerThan(freshness) {
		return nil
	}
	if err := m.Catch(ctx); err != nil && !m.youngerThan(m.away) {
		return err
	}
	return nil
}

func (m *Memory) youngerThan(bound time.Duration) bool {
	age := m.Age()
	return age >= 0 && age <= bound
}

func (m *Memory) touched(r *remembered) bool {
	if r.seq < m.flushed.Load() {
		return true
	}
	m.staleMu.RLock()
	defer m.staleMu.RUnlock()
	if len(m.stale) == 0 {
		return false
	}
	for _, k := range r.keys {
		if m.stale[k] > r.seq {
			return true
		}
	}
	return false
}

// put makes room by the clock of second chances: a token that was not used
// since the last look goes.
func (s *shard) put(hash postern.Hash, r *remembered) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.tokens) >= perShard {
		looked := 0
		for h, old := range s.tokens { // Go begins at a random place
			if old.uses.Swap(0) == 0 || looked == 32 {
				delete(s.tokens, h)
				break
			}
			looked++
		}
	}
	s.tokens[hash] = r
}

// Tidy forgets the tokens of one shard that were not used since the last look at
// it, so that those of yesterday take no memory today. Shards follow one another.
func (m *Memory) Tidy() {
	s := &m.shards[m.tidied.Add(1)%uint32(len(m.shards))]
	s.mu.Lock()
	defer s.mu.Unlock()
	for hash, r := range s.tokens {
		if r.uses.Swap(0) == 0 {
			delete(s.tokens, hash)
		}
	}
}

// Len is how many tokens are held.
func (m *Memory) Len() (n int) {
	for i := range m.shards {
		s := &m.shards[i]
		s.mu.RLock()
		n += len(s.tokens)
		s.mu.RUnlock()
	}
	return n
}

// Catch reads what is new in the change sequence and forgets what it touches.
func (m *Memory) Catch(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	select {
	case m.reading <- struct{}{}:
		defer func() { <-m.reading }()
	case <-ctx.Done():
		return postern.Wrap(postern.Unavailable, ctx.Err())
	}
	if !m.started.Load() {
		return m.begin(ctx)
	}
	for {
		began := m.now()
		list, err := m.store.Changes(ctx, m.seq.Load(), changesAtOnce)
		if err != nil {
			return err
		}
		m.take(list)
		if len(list) < changesAtOnce {
			m.confirmed.Store(began.UnixNano())
			return nil
		}
	}
}

// Learn is Catch for a node that has itself ended something. If the sequence
// cannot be read now, the memory is not trusted until it can.
func (m *Memory) Learn(ctx context.Context) {
	if m.Catch(ctx) != nil {
		m.confirmed.Store(0)
	}
}

func (m *Memory) begin(ctx context.Context) error {
	began := m.now()
	last, err := m.store.LastChange(ctx)
	if err != nil {
		return err
	}
	m.seq.Store(last)
	m.confirmed.Store(began.UnixNano())
	m.started.Store(true)
	return nil
}

func (m *Memory) take(list []Change) {
	if len(list) == 0 {
		return
	}
	last := list[len(list)-1].Seq
	m.staleMu.Lock()
	defer m.staleMu.Unlock()
	// Numbers have no gaps, so one here means that we slept longer than the
	// sequence is kept.
	all := list[0].Seq != m.seq.Load()+1 || len(m.stale)+len(list) > mostStale
	for _, c := range list {
		all = all || c.Kind == "all"
		m.stale[keyOf(c.Kind, c.Key)] = c.Seq
	}
	if all {
		m.stale = map[uint64]int64{}
		m.flushed.Store(last)
		for i := range m.shards {
			s := &m.shards[i]
			s.mu.Lock()
			clear(s.tokens)
			s.mu.Unlock()
		}
		m.apis.Clear()
	}
	m.seq.Store(last)
	next := make(chan struct{})
	close(*m.news.Swap(&next))
}

// Follow reads the sequence again and again, at every knock and at least each
// interval, until ctx ends.
func (m *Memory) Follow(ctx context.Context, knocks <-chan struct{}, interval time.Duration) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-knocks:
		case <-tick.C:
		}
		_ = m.Catch(ctx) // a failure shows in the age of the knowledge
	}
}
