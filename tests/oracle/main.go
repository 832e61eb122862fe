// Command oracle tells what Velero itself makes of node-agent configurations.
//
// It reads one JSON object a line on stdin: {"id", "data", "node_labels"}, where data is a
// ConfigMap's data. For each it prints {"id", "refused", "limit", "error"} on stdout.
//
// Reading is Velero's own nodeagent.GetConfigs against an in-memory client. The choice of the
// number is a method of an unexported type there (getDataPathConcurrentNum in
// pkg/cmd/cli/nodeagent/server.go), so limit below makes the same calls in the same order.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"

	"github.com/vmware-tanzu/velero/pkg/nodeagent"
	velerotypes "github.com/vmware-tanzu/velero/pkg/types"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/fake"
)

const (
	namespace     = "velero"
	name          = "node-agent-config"
	defaultNumber = 1
	maxLine       = 16 << 20
)

type question struct {
	ID         string            `json:"id"`
	Data       map[string]string `json:"data"`
	NodeLabels map[string]string `json:"node_labels"`
}

type answer struct {
	ID      string `json:"id"`
	Refused bool   `json:"refused"`
	Limit   *int   `json:"limit"`
	Error   string `json:"error,omitempty"`
}

func main() {
	if err := run(context.Background(), fake.NewSimpleClientset()); err != nil {
		fmt.Fprintln(os.Stderr, "oracle:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, client kubernetes.Interface) error {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, maxLine)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	encoder := json.NewEncoder(out)
	for lines.Scan() {
		var q question
		if err := json.Unmarshal(lines.Bytes(), &q); err != nil {
			return err
		}
		a, err := ask(ctx, client, q)
		if err != nil {
			return fmt.Errorf("%s: %w", q.ID, err)
		}
		if err := encoder.Encode(a); err != nil {
			return err
		}
	}
	return lines.Err()
}

func ask(ctx context.Context, client kubernetes.Interface, q question) (answer, error) {
	cms := client.CoreV1().ConfigMaps(namespace)
	cm := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}, Data: q.Data}
	if _, err := cms.Create(ctx, cm, metav1.CreateOptions{}); err != nil {
		return answer{}, err
	}
	configs, refusal := nodeagent.GetConfigs(ctx, namespace, client, name)
	if err := cms.Delete(ctx, name, metav1.DeleteOptions{}); err != nil {
		return answer{}, err
	}
	if refusal != nil {
		return answer{ID: q.ID, Refused: true, Error: refusal.Error()}, nil
	}
	number := limit(configs, q.NodeLabels)
	return answer{ID: q.ID, Limit: &number}, nil
}

func limit(configs *velerotypes.NodeAgentConfigs, nodeLabels map[string]string) int {
	if configs == nil || configs.LoadConcurrency == nil {
		return defaultNumber
	}
	global := configs.LoadConcurrency.GlobalConfig
	if global <= 0 {
		global = defaultNumber
	}
	smallest := math.MaxInt32
	for _, rule := range configs.LoadConcurrency.PerNodeConfig {
		selector, err := metav1.LabelSelectorAsSelector(&rule.NodeSelector)
		if err != nil || rule.Number <= 0 {
			continue
		}
		if selector.Matches(labels.Set(nodeLabels)) && smallest > rule.Number {
			smallest = rule.Number
		}
	}
	if smallest == math.MaxInt32 {
		return global
	}
	return smallest
}
