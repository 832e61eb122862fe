package slots

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"
)

func TestAcquireWaitsForTheGrantAndTellsThePlaces(t *testing.T) {
	sidecar := newSidecar(t)
	told := make(chan Status, 8)
	seconds := 2.5
	load := Load{Name: "a/b", Priority: -1, TimeoutSeconds: &seconds, OnChange: func(now Status) { told <- now }}
	result := sidecar.acquire(context.Background(), load)
	request := sidecar.next()
	if request.method != "POST" || request.target != "/v1/slots" {
		t.Errorf("asked with %s %s", request.method, request.target)
	}
	if got := fmt.Sprint(request.body); got != "map[load:a/b priority:-1 timeoutSeconds:2.5]" {
		t.Errorf("asked for %s", got)
	}
	request.say(unknown)
	if now := within(t, told, "a line"); now.State != "queued" || now.Position != 0 {
		t.Errorf("told %+v", now)
	}
	request.say(queued)
	if now := within(t, told, "a line"); now.Position != 2 || len(now.Holders) != 2 || now.Reason == "" {
		t.Errorf("told %+v", now)
	}
	if len(result) != 0 {
		t.Error("granted too early")
	}
	request.say(granted)
	got := within(t, result, "the slot")
	if got.err != nil || *got.slot.Ordinal != 1 || got.slot.FencingToken != 1201 || !got.slot.Governed {
		t.Errorf("got %+v, %v", got.slot, got.err)
	}
	got.slot.Release()
}

func TestReleaseClosesTheConnectionAndMayBeCalledTwice(t *testing.T) {
	sidecar := newSidecar(t)
	slot, request := sidecar.held(context.Background(), Load{Name: "a"})
	slot.Release()
	slot.Release()
	within(t, request.gone, "the end of the connection")
	within(t, slot.Context().Done(), "the end of the context")
}

func TestAReleasedSlotIsNotLost(t *testing.T) {
	sidecar := newSidecar(t)
	var released []*Slot
	for range 20 { // who watches the first ones has seen the end of their lines by the last
		slot, request := sidecar.held(context.Background(), Load{Name: "a"})
		slot.Release()
		within(t, request.gone, "the end of the connection")
		released = append(released, slot)
	}
	for _, slot := range released {
		select {
		case <-slot.Lost():
			t.Fatal("a released slot is told to be lost")
		default:
		}
	}
}

func TestALostSlotEndsItsContextAndSaysWhy(t *testing.T) {
	sidecar := newSidecar(t)
	slot, request := sidecar.held(context.Background(), Load{Name: "a"})
	request.say(`{"state":"unconfirmed"}`, granted)
	request.say(`{"state":"lost","problem":{"type":"https://nodeslots.io/problems/slot-lost","status":409,"detail":"by hand"}}`)
	within(t, slot.Lost(), "lost")
	within(t, slot.Context().Done(), "the end of the context")
	err := context.Cause(slot.Context())
	var no *Error
	if !errors.Is(err, ErrLost) || !errors.As(err, &no) || no.Detail != "by hand" || no.Status != 409 {
		t.Errorf("the cause is %v", err)
	}
}

func TestASidecarThatGoesTakesItsSlotsAlong(t *testing.T) {
	sidecar := newSidecar(t)
	slot, request := sidecar.held(context.Background(), Load{Name: "a"})
	request.say(`{"state":"ending"}`)
	close(request.answer)
	within(t, slot.Lost(), "lost")
	within(t, slot.Context().Done(), "the end of the context")
	if err := context.Cause(slot.Context()); !errors.Is(err, ErrNoSidecar) {
		t.Errorf("the cause is %v", err)
	}
}

func TestTheContextEndsTheWaitingAndLeavesTheQueue(t *testing.T) {
	sidecar := newSidecar(t)
	ctx, cancel := context.WithCancel(context.Background())
	result := sidecar.acquire(ctx, Load{Name: "a"})
	request := sidecar.next()
	request.say(queued)
	cancel()
	if got := within(t, result, "the end"); got.slot != nil || !errors.Is(got.err, context.Canceled) {
		t.Errorf("got %+v", got)
	}
	within(t, request.gone, "the end of the connection")
}

func TestTheContextEndsTheLoadButTheSlotIsHeldUntilRelease(t *testing.T) {
	sidecar := newSidecar(t)
	ctx, cancel := context.WithCancel(context.Background())
	told := make(chan Status, 8)
	slot, request := sidecar.held(ctx, Load{Name: "a", OnChange: func(now Status) { told <- now }})
	within(t, told, "the grant")
	cancel()
	within(t, slot.Context().Done(), "the end of the context")
	request.say(`{"state":"unconfirmed"}`)
	if now := within(t, told, "a line"); now.State != "unconfirmed" {
		t.Errorf("told %+v", now)
	}
	slot.Release()
	within(t, request.gone, "the end of the connection")
}

func TestEachNoIsAnErrorOfItsKind(t *testing.T) {
	for state, kind := range map[string]error{"timeout": ErrTimeout, "refused": ErrRefused, "unavailable": ErrUnavailable} {
		sidecar := newSidecar(t)
		result := sidecar.acquire(context.Background(), Load{Name: "a"})
		request := sidecar.next()
		request.say(queued, fmt.Sprintf(`{"state":%q,"problem":{"type":"t","status":400,"detail":"do this"}}`, state))
		got := within(t, result, "the no")
		if got.slot != nil || !errors.Is(got.err, kind) || got.err.Error() != kind.Error()+": do this" {
			t.Errorf("%s: got %v", state, got.err)
		}
		within(t, request.gone, "the end of the connection")
	}
}

func TestEachProblemIsAnErrorOfItsKind(t *testing.T) {
	problems := map[string]error{
		"stopping": ErrNoSidecar, "not-ready": ErrNoSidecar, "unknown-load": ErrUnknown, "slot-lost": ErrLost, "slot-timeout": ErrTimeout,
		"no-coordinator": ErrUnavailable, "malformed": ErrRefused, "too-many-loads": ErrRefused,
	}
	for name, kind := range problems {
		sidecar := newSidecar(t)
		result := sidecar.acquire(context.Background(), Load{Name: "a"})
		sidecar.next().refuse(name)
		got := within(t, result, "the no")
		var no *Error
		if !errors.Is(got.err, kind) || !errors.As(got.err, &no) || no.Status != 404 || no.Detail != "do this" {
			t.Errorf("%s: got %v", name, got.err)
		}
	}
}

func TestNobodyListening(t *testing.T) {
	client := &Client{Socket: filepath.Join(t.TempDir(), "nobody")}
	if _, err := client.Acquire(context.Background(), Load{Name: "a"}); !errors.Is(err, ErrNoSidecar) {
		t.Errorf("got %v", err)
	}
}

// answers answers the next request, and hands it over.
func (s *sidecar) answers(status int, body string) <-chan asked {
	seen := make(chan asked, 1)
	go func() {
		request := <-s.asked
		request.end(status, body)
		seen <- request
	}()
	return seen
}

func TestPutAsksForTheNamedLoadAndNamesItInThePathOnly(t *testing.T) {
	sidecar := newSidecar(t)
	seen := sidecar.answers(202, queued)
	load := Load{Name: "backup-7/pvc 3", UID: "u"}
	now, err := sidecar.Put(context.Background(), load, 20*time.Second)
	if err != nil || now.State != "queued" || now.Position != 2 {
		t.Errorf("got %+v, %v", now, err)
	}
	request := <-seen
	if got := request.method + " " + request.target; got != "PUT /v1/slots/backup-7%2Fpvc%203?wait=20" {
		t.Errorf("asked with %s", got)
	}
	if got := fmt.Sprint(request.body); got != "map[uid:u]" {
		t.Errorf("asked for %s", got)
	}
}

func TestGetTellsOfTheNamedLoad(t *testing.T) {
	sidecar := newSidecar(t)
	seen := sidecar.answers(200, granted)
	now, err := sidecar.Get(context.Background(), "a", 0)
	if request := <-seen; request.method != "GET" || request.body != nil {
		t.Errorf("asked with %+v", request)
	}
	if err != nil || now.State != "granted" || *now.Ordinal != 1 {
		t.Errorf("got %+v, %v", now, err)
	}
}

func TestDeleteSaysWhetherItIsConfirmed(t *testing.T) {
	for status, state := range map[int]string{202: "releasing", 204: ""} {
		sidecar := newSidecar(t)
		body := `{"state":"releasing"}`
		if status == 204 {
			body = ""
		}
		seen := sidecar.answers(status, body)
		now, err := sidecar.Delete(context.Background(), "a")
		if request := <-seen; request.method != "DELETE" {
			t.Errorf("asked with %+v", request)
		}
		if err != nil || now.State != state {
			t.Errorf("got %+v, %v", now, err)
		}
	}
}

func TestANamedCallEndsWithItsContext(t *testing.T) {
	sidecar := newSidecar(t)
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		<-sidecar.asked
		cancel()
	}()
	if _, err := sidecar.Get(ctx, "a", 50*time.Second); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
