package slots

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"
)

// sidecar is a sidecar of which the test says every line.
type sidecar struct {
	*Client
	t     *testing.T
	asked chan asked
}

// asked is one request: the test writes its answer and ends it.
type asked struct {
	method, target string
	body           map[string]any
	answer         chan func(http.ResponseWriter)
	gone           <-chan struct{} // the connection is closed
}

func newSidecar(t *testing.T) *sidecar {
	socket := filepath.Join(t.TempDir(), "sock")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	made := &sidecar{Client: &Client{Socket: socket}, t: t, asked: make(chan asked, 8)}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		content, _ := io.ReadAll(r.Body)
		request := asked{r.Method, r.RequestURI, nil, make(chan func(http.ResponseWriter)), r.Context().Done()}
		if len(content) > 0 {
			if err := json.Unmarshal(content, &request.body); err != nil {
				t.Errorf("no JSON: %q", content)
			}
		}
		made.asked <- request
		request.serve(w)
	}))
	server.Listener.Close()
	server.Listener = listener
	server.Start()
	t.Cleanup(server.Close)
	return made
}

// next is the next request that the client sent.
func (s *sidecar) next() asked {
	s.t.Helper()
	return within(s.t, s.asked, "a request")
}

// serve does what the test says until it says end, or the client is gone.
func (a asked) serve(w http.ResponseWriter) {
	for {
		select {
		case do, more := <-a.answer:
			if !more {
				return
			}
			do(w)
			w.(http.Flusher).Flush()
		case <-a.gone:
			return
		}
	}
}

func (a asked) say(lines ...string) {
	for _, line := range lines {
		a.answer <- func(w http.ResponseWriter) { fmt.Fprintln(w, line) }
	}
}

func (a asked) end(status int, content string) {
	a.answer <- func(w http.ResponseWriter) {
		w.WriteHeader(status)
		io.WriteString(w, content)
	}
	close(a.answer)
}

func (a asked) refuse(kind string) {
	a.end(404, fmt.Sprintf(`{"type":"https://nodeslots.io/problems/%s","status":404,"detail":"do this"}`, kind))
}

func within[T any](t *testing.T, from <-chan T, what string) T {
	t.Helper()
	select {
	case got := <-from:
		return got
	case <-time.After(30 * time.Second):
		t.Fatalf("%s did not come", what)
		panic("not reached")
	}
}

type acquired struct {
	slot *Slot
	err  error
}

func (s *sidecar) acquire(ctx context.Context, load Load) <-chan acquired {
	result := make(chan acquired, 1)
	go func() {
		slot, err := s.Acquire(ctx, load)
		result <- acquired{slot, err}
	}()
	return result
}

const (
	queued  = `{"state":"queued","position":2,"reason":"2 of 2 slots are held","holders":["a","b"],"waitedSeconds":0.5}`
	unknown = `{"state":"queued","position":null,"reason":"asking the coordinator","holders":[],"waitedSeconds":0}`
	granted = `{"state":"granted","slot":1,"lease":"node1-slot-1","fencingToken":1201,"governed":true,"claim":"c","node":"node1","namespace":"velero"}`
)

// held is a granted slot, and the request that holds it.
func (s *sidecar) held(ctx context.Context, load Load) (*Slot, asked) {
	s.t.Helper()
	result := s.acquire(ctx, load)
	request := s.next()
	request.say(granted)
	got := within(s.t, result, "the slot")
	if got.err != nil {
		s.t.Fatal(got.err)
	}
	return got.slot, request
}
