// Command schemas judges manifests with kubeconform, and reads them as the API server does.
//
//	schemas FOLDER NEWEST FILE...
//
// FOLDER has the schemas as kubeconform looks for them: v1.37.0-standalone-strict/deployment-apps-v1.json. A file is held
// to those of the version that its name ends in (name@1.30.yaml), or to those of NEWEST (1.37) and of each older one.
//
// It prints a JSON object for each document of each file: kubeconform's status with -strict (valid, invalid, error or
// empty; of a List the worst of its items) and its messages; its statuses by older versions that have another one; and what
// the API server's code says when it decodes the document into its Go type as for fieldValidation=Strict: "ok", "unknown
// kind", or its error; nothing of an older version.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/yannh/kubeconform/pkg/resource"
	"github.com/yannh/kubeconform/pkg/validator"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/kubernetes/scheme"
	apiregistration "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"
)

type answer struct {
	File        string            `json:"file"`
	Document    int               `json:"document"`
	Version     string            `json:"version"`
	Kubeconform string            `json:"kubeconform"`
	Messages    []string          `json:"messages,omitempty"`
	Older       map[string]string `json:"older,omitempty"`
	Decode      string            `json:"decode,omitempty"`
}

// The statuses of kubeconform, the worse the later.
var statuses = map[validator.Status]int{validator.Empty: 0, validator.Valid: 1, validator.Invalid: 2, validator.Error: 3}
var names = []string{"empty", "valid", "invalid", "error"}

var versionOfName = regexp.MustCompile(`@(1\.\d+)\.yaml$`)

func main() {
	log.SetFlags(0)
	if len(os.Args) < 4 {
		log.Fatal("usage: schemas FOLDER NEWEST FILE...")
	}
	folder, newest := os.Args[1], os.Args[2]
	if err := apiextensions.AddToScheme(scheme.Scheme); err != nil {
		log.Fatal(err)
	}
	if err := apiregistration.AddToScheme(scheme.Scheme); err != nil {
		log.Fatal(err)
	}
	decoder := serializer.NewCodecFactory(scheme.Scheme, serializer.EnableStrict).UniversalDeserializer()
	validators, err := allVersions(folder)
	if err != nil {
		log.Fatal(err)
	}
	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)

	for _, file := range os.Args[3:] {
		version := newest
		if found := versionOfName.FindStringSubmatch(file); found != nil {
			version = found[1]
		}
		text, err := os.ReadFile(file)
		if err != nil {
			log.Fatal(err)
		}
		scanner := bufio.NewScanner(bytes.NewReader(text))
		scanner.Buffer(nil, 1<<24)
		scanner.Split(resource.SplitYAMLDocument)
		for document := 0; scanner.Scan(); document++ {
			whole := resource.Resource{Path: file, Bytes: bytes.Clone(scanner.Bytes())}
			answer := answer{File: file, Document: document, Version: version}
			var failures []error
			answer.Kubeconform, failures = judge(validators[version], whole)
			for _, failure := range failures {
				answer.Messages = append(answer.Messages, messages(failure, folder)...)
			}
			if version == newest {
				answer.Older = map[string]string{}
				for older, kubeconform := range validators {
					if status, _ := judge(kubeconform, whole); status != answer.Kubeconform {
						answer.Older[older] = status
					}
				}
				answer.Decode = "ok"
				for _, item := range whole.Resources() {
					if answer.Decode == "ok" && answer.Kubeconform != "empty" {
						answer.Decode = decode(decoder, item.Bytes)
					}
				}
			}
			if err := out.Encode(answer); err != nil {
				log.Fatal(err)
			}
		}
	}
}

// A validator of each version that there are schemas of.
func allVersions(folder string) (map[string]validator.Validator, error) {
	const before, after = "v", ".0-standalone-strict"
	validators := map[string]validator.Validator{}
	entries, err := os.ReadDir(folder)
	for _, entry := range entries {
		version := strings.TrimSuffix(strings.TrimPrefix(entry.Name(), before), after)
		location := filepath.Join(folder, before+version+after, "{{ .ResourceKind }}{{ .KindSuffix }}.json")
		options := validator.Opts{KubernetesVersion: version + ".0", Strict: true}
		if validators[version], err = validator.New([]string{location}, options); err != nil {
			return nil, err
		}
	}
	return validators, err
}

// The worst status of the objects of a document, and their errors.
func judge(kubeconform validator.Validator, whole resource.Resource) (string, []error) {
	worst, failures := 0, []error(nil)
	for _, item := range whole.Resources() {
		result := kubeconform.ValidateResource(item)
		worst = max(worst, statuses[result.Status])
		if result.Err != nil {
			failures = append(failures, result.Err)
		}
	}
	return names[worst], failures
}

// What kubeconform found: a line for each field, or its error.
func messages(err error, folder string) []string {
	parts := strings.Split(strings.ReplaceAll(err.Error(), folder, ""), " - at ")
	if len(parts) == 1 {
		return parts
	}
	lines := make([]string, 0, len(parts))
	for _, part := range parts[1:] {
		part = strings.TrimSpace(part)
		// What follows says what is wrong below it.
		if strings.HasSuffix(part, ": validation failed") {
			continue
		}
		// It finds properties in another order each time.
		if at, names, found := strings.Cut(part, ": additional properties "); found {
			names := strings.Split(strings.TrimSuffix(names, " not allowed"), ", ")
			slices.Sort(names)
			part = fmt.Sprintf("%s: additional properties %s not allowed", at, strings.Join(names, ", "))
		}
		lines = append(lines, part)
	}
	slices.Sort(lines)
	return lines
}

// What the API server says when it reads an object.
func decode(decoder runtime.Decoder, text []byte) string {
	_, _, err := decoder.Decode(text, nil, nil)
	switch {
	case err == nil:
		return "ok"
	case runtime.IsNotRegisteredError(err):
		return "unknown kind"
	default:
		return fmt.Sprint(err)
	}
}
