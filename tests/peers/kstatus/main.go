// Command kstatus says when objects are ready, as Helm 4 and Flux do.
//
// It is given YAML files with an object a document, and prints for each document a line of JSON, {"status": "InProgress",
// "message": "Ready: 1/2"}, or writes the lines of FILE.yaml to FILE.jsonl with the flag -record. The status is Unknown,
// and the message an error, where it cannot say.
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"log"
	"os"
	"regexp"
	"strings"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/yaml"
)

type answer struct {
	Status  status.Status `json:"status"`
	Message string        `json:"message"`
}

func main() {
	record := flag.Bool("record", false, "write FILE.jsonl beside each FILE.yaml")
	flag.Parse()
	for _, file := range flag.Args() {
		text, err := os.ReadFile(file)
		if err != nil {
			log.Fatal(err)
		}
		var lines bytes.Buffer
		out := json.NewEncoder(&lines)
		out.SetEscapeHTML(false)
		for _, document := range regexp.MustCompile(`(?m)^---\n`).Split(string(text), -1) {
			if err := out.Encode(judge(document)); err != nil {
				log.Fatal(err)
			}
		}
		if *record {
			err = os.WriteFile(strings.TrimSuffix(file, ".yaml")+".jsonl", lines.Bytes(), 0o644)
		} else {
			_, err = os.Stdout.Write(lines.Bytes())
		}
		if err != nil {
			log.Fatal(err)
		}
	}
}

func judge(document string) answer {
	text, err := yaml.YAMLToJSON([]byte(document))
	if err != nil {
		log.Fatal(err)
	}
	// Numbers become int64, as in what a client reads from a server.
	var object map[string]any
	if err := utiljson.Unmarshal(text, &object); err != nil {
		log.Fatal(err)
	}
	result, err := status.Compute(&unstructured.Unstructured{Object: object})
	if err != nil {
		return answer{Status: status.UnknownStatus, Message: err.Error()}
	}
	return answer{Status: result.Status, Message: result.Message}
}
