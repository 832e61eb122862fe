// Command worker runs a command for each of some loads, each under a slot of this node.
//
//	worker [-socket PATH] [-at-once N] LOAD... -- COMMAND [ARGUMENT...]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"example.org/slots"
)

func main() {
	socket := flag.String("socket", slots.DefaultSocket, "the sidecar's socket")
	atOnce := flag.Int("at-once", 8, "how many loads may wait or run at the same time")
	flag.Parse()
	end := slices.Index(flag.Args(), "--")
	if end < 1 || end == flag.NArg()-1 || *atOnce < 1 {
		log.Fatal("usage: worker [-socket PATH] [-at-once N] LOAD... -- COMMAND [ARGUMENT...]")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	client := &slots.Client{Socket: *socket}
	places := make(chan struct{}, *atOnce)
	var failed atomic.Bool
	var loads sync.WaitGroup
	for _, name := range flag.Args()[:end] {
		places <- struct{}{}
		loads.Add(1)
		go func(name string) {
			defer func() { <-places; loads.Done() }()
			if err := underSlot(ctx, client, name, flag.Args()[end+1:]); err != nil {
				log.Printf("%s: %v", name, err)
				failed.Store(true)
			}
		}(name)
	}
	loads.Wait()
	if failed.Load() {
		os.Exit(1)
	}
}

func underSlot(ctx context.Context, client *slots.Client, name string, command []string) error {
	slot, err := acquire(ctx, client, name)
	if err != nil {
		return err
	}
	defer slot.Release()
	err = run(name, slot, command)
	if slot.Context().Err() != nil { // why the command was ended says more than that it was
		return context.Cause(slot.Context())
	}
	return err
}

// acquire outlives a sidecar that is not up yet, or restarts.
func acquire(ctx context.Context, client *slots.Client, name string) (*slots.Slot, error) {
	for {
		slot, err := client.Acquire(ctx, slots.Load{Name: name, OnChange: tell(name)})
		if !errors.Is(err, slots.ErrNoSidecar) {
			return slot, err
		}
		log.Printf("%s: %v; trying again", name, err)
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func tell(name string) func(slots.Status) {
	return func(now slots.Status) {
		if now.State == "queued" {
			log.Printf("%s: waiting at place %d: %s", name, now.Position, now.Reason)
		} else {
			log.Printf("%s: %s %s", name, now.State, now.Lease)
		}
	}
}

// run gives the command TERM when the slot's context ends, and KILL ten seconds after. The command
// also dies with this process, whose slots are free then: the kernel sends Pdeathsig when the thread
// that started the command ends, so the thread is kept.
func run(name string, slot *slots.Slot, command []string) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	load := exec.CommandContext(slot.Context(), command[0], command[1:]...)
	load.Cancel = func() error { return load.Process.Signal(syscall.SIGTERM) }
	load.WaitDelay = 10 * time.Second
	load.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	load.Stdout, load.Stderr = os.Stdout, os.Stderr
	load.Env = append(os.Environ(), environment(name, slot)...)
	return load.Run()
}

func environment(name string, slot *slots.Slot) []string {
	told := []string{
		fmt.Sprintf("SLOT_GOVERNED=%t", slot.Governed),
		"SLOT_LOAD=" + name,
		"SLOT_NAMESPACE=" + slot.Namespace,
		"SLOT_NODE=" + slot.Node,
	}
	if slot.Ordinal == nil {
		return told
	}
	return append(told,
		"SLOT_CLAIM="+slot.Claim,
		fmt.Sprintf("SLOT_ORDINAL=%d", *slot.Ordinal),
		"SLOT_LEASE="+slot.Lease,
		fmt.Sprintf("SLOT_FENCING_TOKEN=%d", slot.FencingToken))
}
