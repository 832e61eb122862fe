// Package slots takes load slots of this node from the slot sidecar (slot-agent sidecar).
//
// One file and the standard library only: copy it into a node-agent. A slot of Acquire is held by an
// open connection, so it is free as soon as the process that took it is gone, however it went. A
// slot of Put is held by the load's name, until Delete: it outlives connection, process and sidecar.
package slots

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"path"
	"sync"
	"time"
)

// DefaultSocket is where the sidecar listens.
const DefaultSocket = "/run/node-slots/agent.sock"

// What can go wrong, for errors.Is. An *Error tells the details.
var (
	ErrTimeout     = errors.New("no slot in time")
	ErrRefused     = errors.New("refused")
	ErrUnavailable = errors.New("no coordinator answers")
	ErrLost        = errors.New("the slot was lost")
	ErrUnknown     = errors.New("no such load")
	ErrNoSidecar   = errors.New("no sidecar") // not reached, starting, stopping, or gone: ask again
)

// By the state of a line, and by the last part of a problem's type.
var kinds = map[string]error{
	"timeout": ErrTimeout, "slot-timeout": ErrTimeout,
	"unavailable": ErrUnavailable, "no-coordinator": ErrUnavailable,
	"lost": ErrLost, "slot-lost": ErrLost,
	"refused": ErrRefused, "unknown-load": ErrUnknown, "stopping": ErrNoSidecar, "not-ready": ErrNoSidecar,
}

// Load is what wants a slot. Everything but the name may be left out.
type Load struct {
	Name           string       `json:"load,omitempty"`
	UID            string       `json:"uid,omitempty"` // Put only: tells two loads of one name apart
	Priority       int          `json:"priority,omitempty"`
	TimeoutSeconds *float64     `json:"timeoutSeconds,omitempty"` // in the queue; nil: for ever
	TTLSeconds     int          `json:"ttlSeconds,omitempty"`
	IfUnavailable  string       `json:"ifUnavailable,omitempty"`           // wait, run or fail
	AfterSeconds   *float64     `json:"unavailableAfterSeconds,omitempty"` // how long before that
	Pod            *Pod         `json:"pod,omitempty"`                     // where the load runs; nil: here
	OnChange       func(Status) `json:"-"`                                 // Acquire only; must not block
}

// Pod is the Pod in which a load runs.
type Pod struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	UID       string `json:"uid,omitempty"`
}

// Status is what the sidecar says of a load. Its State is queued, granted, unconfirmed, lost, ending,
// and where none is got timeout, refused or unavailable.
type Status struct {
	State         string   `json:"state"`
	Load          string   `json:"load"`
	Position      int      `json:"position"` // from 1; 0: not known
	Reason        string   `json:"reason"`
	Holders       []string `json:"holders"`
	WaitedSeconds float64  `json:"waitedSeconds"`
	Governed      bool     `json:"governed"` // false: no coordinator, the load runs without a slot
	Ordinal       *int     `json:"slot"`
	Lease         string   `json:"lease"`
	FencingToken  int64    `json:"fencingToken"`
	Claim         string   `json:"claim"`
	Node          string   `json:"node"`
	Namespace     string   `json:"namespace"`
	Problem       Problem  `json:"problem"`
}

// Problem is an RFC 9457 problem.
type Problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
}

// Error is a "no" of the sidecar or the coordinator; Kind is one of the errors above.
type Error struct {
	Kind error
	Problem
}

func (e *Error) Error() string { return e.Kind.Error() + ": " + e.Detail }

// Unwrap lets errors.Is find the kind.
func (e *Error) Unwrap() error { return e.Kind }

// Client speaks to one sidecar. Any number of goroutines may use it; it must not be copied.
type Client struct {
	Socket string // empty: DefaultSocket

	once sync.Once
	http http.Client
}

// Slot is a slot that is held until Release, or until it is lost.
type Slot struct {
	Status // as it was granted

	ctx    context.Context
	cancel context.CancelCauseFunc
	hangUp context.CancelFunc
	lost   chan struct{}
}

// Acquire waits for a slot; ctx ends the waiting. What was acquired must be released.
func (c *Client) Acquire(ctx context.Context, load Load) (*Slot, error) {
	connection, hangUp := context.WithCancel(context.WithoutCancel(ctx))
	onlyWaiting := context.AfterFunc(ctx, hangUp)
	lines, granted, err := c.wait(connection, load)
	if !onlyWaiting() { // ctx ended, perhaps just after the grant
		err = context.Cause(ctx)
	}
	if err != nil {
		hangUp()
		return nil, err
	}
	slot := &Slot{Status: granted, hangUp: hangUp, lost: make(chan struct{})}
	slot.ctx, slot.cancel = context.WithCancelCause(ctx)
	go slot.watch(connection, lines, load.OnChange)
	return slot, nil
}

func (c *Client) wait(ctx context.Context, load Load) (*json.Decoder, Status, error) {
	answer, err := c.send(ctx, http.MethodPost, "/v1/slots", load)
	if err != nil {
		return nil, Status{}, err
	}
	lines := json.NewDecoder(answer.Body)
	for {
		line, err := next(lines, load.OnChange)
		if err != nil || line.State == "granted" {
			return lines, line, err
		}
	}
}

// Context ends with the context given to Acquire, when the slot is lost, or the sidecar gone (which
// renews the slot no more), and with Release. context.Cause tells which it was.
func (s *Slot) Context() context.Context { return s.ctx }

// Lost is closed when the slot is lost or the sidecar gone: stop the load.
func (s *Slot) Lost() <-chan struct{} { return s.lost }

// Release gives the slot back; call it when the load has ended. Again it does nothing.
func (s *Slot) Release() {
	s.hangUp()
	s.cancel(context.Canceled)
}

func (s *Slot) watch(connection context.Context, lines *json.Decoder, onChange func(Status)) {
	for {
		if _, err := next(lines, onChange); err != nil {
			if connection.Err() == nil { // not released
				close(s.lost)
				s.cancel(err)
				s.hangUp()
			}
			return
		}
	}
}

// next reads a line. A line that says "no", and the end of the stream, are errors.
func next(lines *json.Decoder, onChange func(Status)) (Status, error) {
	var line Status
	if err := lines.Decode(&line); err != nil {
		return line, fmt.Errorf("%w: the stream ended: %w", ErrNoSidecar, err)
	}
	if onChange != nil {
		onChange(line)
	}
	if kind := kinds[line.State]; kind != nil {
		return line, &Error{kind, line.Problem}
	}
	return line, nil
}

// Put asks for the slot of a named load, or finds it again, and waits at most so long for a change
// (whole seconds, 55 at most). Call it again while the State is "queued".
func (c *Client) Put(ctx context.Context, load Load, wait time.Duration) (Status, error) {
	name := load.Name
	load.Name = ""
	return c.call(ctx, http.MethodPut, name, wait, load)
}

// Get tells of a named load, at once or when it changes: its holder hears so that it was lost.
func (c *Client) Get(ctx context.Context, name string, wait time.Duration) (Status, error) {
	return c.call(ctx, http.MethodGet, name, wait, nil)
}

// Delete gives the slot of a named load back, or leaves the queue. The State "releasing" says that
// the coordinator has not confirmed it yet; the sidecar goes on trying.
func (c *Client) Delete(ctx context.Context, name string) (Status, error) {
	return c.call(ctx, http.MethodDelete, name, 0, nil)
}

func (c *Client) call(ctx context.Context, method, name string, wait time.Duration, body any) (status Status, err error) {
	target := fmt.Sprintf("/v1/slots/%s?wait=%d", url.PathEscape(name), int(wait.Seconds()))
	answer, err := c.send(ctx, method, target, body)
	if err != nil {
		return status, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusNoContent {
		err = json.NewDecoder(answer.Body).Decode(&status)
	}
	return status, err
}

// send returns an answer that is no error; its body is to be closed, or ctx to be ended.
func (c *Client) send(ctx context.Context, method, target string, body any) (*http.Response, error) {
	c.once.Do(func() {
		dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", cmp.Or(c.Socket, DefaultSocket))
		}
		c.http.Transport = &http.Transport{DialContext: dial, DisableKeepAlives: true}
	})
	var content bytes.Buffer
	if body != nil {
		if err := json.NewEncoder(&content).Encode(body); err != nil {
			return nil, err
		}
	}
	request, err := http.NewRequestWithContext(ctx, method, "http://sidecar"+target, &content)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	answer, err := c.http.Do(request)
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrNoSidecar, err)
	case answer.StatusCode < 300:
		return answer, nil
	}
	defer answer.Body.Close()
	no := &Error{ErrRefused, Problem{Status: answer.StatusCode, Detail: answer.Status}}
	_ = json.NewDecoder(answer.Body).Decode(&no.Problem) // no JSON: the status has to say it
	if kind := kinds[path.Base(no.Type)]; kind != nil {
		no.Kind = kind
	}
	return nil, no
}
