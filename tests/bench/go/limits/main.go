// Command limits resolves every node's limit with apimachinery's own selectors, in a plain loop.
//
// Its argument is a file of JSON: {"loadConcurrency": {...}, "nodes": [{label: value}, ...]}. It
// prints {"ms", "CPU ms", "digest"}: how long the loop took, and a digest of all answers. Reading
// the file and making the selectors is not measured.
package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"runtime"
	"syscall"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// source is a digest of this file, filled in by the linker: another source is another program.
var source string

type input struct {
	LoadConcurrency struct {
		GlobalConfig  int `json:"globalConfig"`
		PerNodeConfig []struct {
			NodeSelector metav1.LabelSelector `json:"nodeSelector"`
			Number       int                  `json:"number"`
		} `json:"perNodeConfig"`
	} `json:"loadConcurrency"`
	Nodes []labels.Set `json:"nodes"`
}

type rule struct {
	selector labels.Selector
	number   int
}

type answer struct {
	limit, rule int
}

type figures struct {
	Milliseconds    float64 `json:"ms"`
	CPUMilliseconds float64 `json:"CPU ms"`
	Digest          string  `json:"digest"`
}

func main() {
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "limits:", err)
		os.Exit(1)
	}
}

func run(path string) error {
	given, rules, err := read(path)
	if err != nil {
		return err
	}
	runtime.GC()
	runtime.LockOSThread()
	answers := make([]answer, len(given.Nodes))
	begun, cpu := time.Now(), spent()
	for i, node := range given.Nodes {
		answers[i] = resolve(rules, node, given.LoadConcurrency.GlobalConfig)
	}
	shown := figures{milliseconds(time.Since(begun)), milliseconds(spent() - cpu), digest(answers)}
	return json.NewEncoder(os.Stdout).Encode(shown)
}

func read(path string) (given input, rules []rule, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return given, nil, err
	}
	if err := json.Unmarshal(text, &given); err != nil {
		return given, nil, err
	}
	for _, one := range given.LoadConcurrency.PerNodeConfig {
		selector, err := metav1.LabelSelectorAsSelector(&one.NodeSelector)
		if err != nil {
			return given, nil, err
		}
		rules = append(rules, rule{selector, one.Number})
	}
	return given, rules, nil
}

// resolve is the choice that Velero's getDataPathConcurrentNum makes: the smallest number wins.
func resolve(rules []rule, node labels.Set, global int) answer {
	found := answer{math.MaxInt32, -1}
	for i, one := range rules {
		if one.selector.Matches(node) && found.limit > one.number {
			found = answer{one.number, i}
		}
	}
	if found.rule < 0 {
		found.limit = global
	}
	return found
}

func digest(answers []answer) string {
	hash := sha256.New()
	for _, one := range answers {
		fmt.Fprintf(hash, "%d %d\n", one.limit, one.rule)
	}
	return hex.EncodeToString(hash.Sum(nil))
}

// spent is the CPU time of this thread.
func spent() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_THREAD, &usage); err != nil {
		panic(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func milliseconds(spent time.Duration) float64 {
	return float64(spent) / float64(time.Millisecond)
}
