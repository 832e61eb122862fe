// The process that keeps a Pod's namespaces open: it waits for its end and does nothing else.
package main

import (
	"context"
	"os/signal"
	"syscall"
)

func main() {
	end, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	<-end.Done()
}
