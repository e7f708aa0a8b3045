// Command formats answers which texts the API server's code can read: it takes lines of tests/fixtures/formats.jsonl, whose
// answers it does not look at, and prints them with its own.
//
//	go run . <../../fixtures/formats.jsonl
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"log"
	"os"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

type line struct {
	Format string `json:"format"`
	Text   string `json:"text"`
	Valid  bool   `json:"valid"`
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	for lines.Scan() {
		var one line
		if err := json.NewDecoder(bytes.NewReader(lines.Bytes())).Decode(&one); err != nil {
			log.Fatal(err)
		}
		into := map[string]any{
			"byte":                  &[]byte{},
			"quantity":              &resource.Quantity{},
			"kubernetes-time":       &metav1.Time{},
			"kubernetes-micro-time": &metav1.MicroTime{},
		}[one.Format]
		text, _ := json.Marshal(one.Text)
		one.Valid = json.Unmarshal(text, into) == nil
		if err := out.Encode(one); err != nil {
			log.Fatal(err)
		}
	}
}
