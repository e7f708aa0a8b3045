// Command crd judges custom resources with the API server's own code.
//
// It is given folders, each with a crd.yaml and an objects.yaml, and prints a line of JSON for each, or writes it to
// expected.json there with the flag -record. That is {"refused": ["path: text"]}, where no such CRD could be created, or
// {"objects": [[…], …]}: of each object the errors that it would be refused with, each {"field": "…", "type": "…",
// "detail": "…"}. The type is Unknown for fields that strict validation does not know, Rule for what a rule says, and
// Unserved for an object of a version that is not served.
//
// As it is only about schemas and rules, it does without two things that an API server does: it lets the values of labels,
// annotations and names be what they like, and does not estimate what rules will cost.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"io/fs"
	"log"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strings"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/install"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apiextensionsv1beta1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1beta1"
	crdvalidation "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation"
	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/objectmeta"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"sigs.k8s.io/yaml"
)

type problem struct {
	Field  string `json:"field"`
	Type   string `json:"type"`
	Detail string `json:"detail"`
}

type answer struct {
	Refused []string    `json:"refused,omitempty"`
	Objects [][]problem `json:"objects,omitempty"`
}

var scheme = runtime.NewScheme()

// generated matches the names of types in messages, which are new every time.
var generated = regexp.MustCompile(`selfType\d+`)

func main() {
	record := flag.Bool("record", false, "write expected.json in each folder")
	flag.Parse()
	install.Install(scheme)
	for _, folder := range flag.Args() {
		var text bytes.Buffer
		out := json.NewEncoder(&text)
		out.SetEscapeHTML(false)
		if *record {
			out.SetIndent("", "  ")
		}
		err := out.Encode(judge(read(folder, "crd.yaml"), read(folder, "objects.yaml")))
		if err == nil && *record {
			err = os.WriteFile(filepath.Join(folder, "expected.json"), text.Bytes(), 0o644)
		} else if err == nil {
			_, err = os.Stdout.Write(text.Bytes())
		}
		if err != nil {
			log.Fatal(err)
		}
	}
}

// read gives the documents of a YAML file as JSON; none where there is no file.
func read(folder, name string) []json.RawMessage {
	text, err := os.ReadFile(filepath.Join(folder, name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		log.Fatal(err)
	}
	var documents []json.RawMessage
	for _, document := range regexp.MustCompile(`(?m)^---\n`).Split(string(text), -1) {
		converted, err := yaml.YAMLToJSON([]byte(document))
		if err != nil {
			log.Fatalf("%s/%s: %v", folder, name, err)
		}
		if string(converted) != "null" {
			documents = append(documents, converted)
		}
	}
	return documents
}

func judge(crds, objects []json.RawMessage) answer {
	ctx := context.Background()
	crd, err := decode(crds[0])
	if err != nil {
		return answer{Refused: []string{err.Error()}}
	}
	var refused []string
	for _, err := range crdvalidation.ValidateCustomResourceDefinition(ctx, crd) {
		isCost := err.Type == field.ErrorTypeForbidden && strings.Contains(err.Detail, "cost")
		// It could be so in v1beta1, and what is in a cluster still is.
		isOld := isV1beta1(crds[0]) && err.Field == "spec.preserveUnknownFields"
		if !isCost && !isOld {
			refused = append(refused, err.Field+": "+generated.ReplaceAllString(err.Detail, "selfType"))
		}
	}
	if refused != nil {
		sort.Strings(refused)
		return answer{Refused: refused}
	}
	judged := make([][]problem, len(objects))
	for i, text := range objects {
		judged[i] = judgeObject(ctx, crd, text)
	}
	return answer{Objects: judged}
}

// decode reads a CRD as the API server does, into the type that it works with. What was written as v1beta1 it still has
// the conversion for.
func decode(text json.RawMessage) (*apiextensions.CustomResourceDefinition, error) {
	crd := &apiextensions.CustomResourceDefinition{}
	if isV1beta1(text) {
		old := &apiextensionsv1beta1.CustomResourceDefinition{}
		if err := json.Unmarshal(text, old); err != nil {
			return nil, err
		}
		scheme.Default(old)
		return crd, apiextensionsv1beta1.Convert_v1beta1_CustomResourceDefinition_To_apiextensions_CustomResourceDefinition(old, crd, nil)
	}
	v1 := &apiextensionsv1.CustomResourceDefinition{}
	if err := json.Unmarshal(text, v1); err != nil {
		return nil, err
	}
	scheme.Default(v1)
	v1.Status.StoredVersions = nil
	for _, version := range v1.Spec.Versions {
		if version.Storage {
			v1.Status.StoredVersions = append(v1.Status.StoredVersions, version.Name)
		}
	}
	return crd, apiextensionsv1.Convert_v1_CustomResourceDefinition_To_apiextensions_CustomResourceDefinition(v1, crd, nil)
}

func isV1beta1(text json.RawMessage) bool {
	var head struct {
		APIVersion string `json:"apiVersion"`
	}
	return json.Unmarshal(text, &head) == nil && head.APIVersion == apiextensionsv1beta1.SchemeGroupVersion.String()
}

func judgeObject(ctx context.Context, crd *apiextensions.CustomResourceDefinition, text json.RawMessage) []problem {
	var object map[string]any
	if err := utiljson.Unmarshal(text, &object); err != nil {
		log.Fatal(err)
	}
	apiVersion, _ := object["apiVersion"].(string)
	version, err := schema.ParseGroupVersion(apiVersion)
	if err != nil || !apiextensions.HasServedCRDVersion(crd, version.Version) || version.Group != crd.Spec.Group {
		return []problem{{Type: "Unserved"}}
	}
	props, err := apiextensions.GetSchemaForVersion(crd, version.Version)
	if err != nil {
		log.Fatal(err)
	}
	structural, err := structuralschema.NewStructural(props.OpenAPIV3Schema)
	if err != nil {
		log.Fatal(err)
	}
	if err := defaulting.PruneDefaults(structural); err != nil {
		log.Fatal(err)
	}

	problems := []problem{}
	unknown := func(paths []string) {
		for _, path := range paths {
			problems = append(problems, problem{Field: path, Type: "Unknown"})
		}
	}
	// In the order of the API server's unstructuredSchemaCoercer and unstructuredDefaulter.
	_, _, unknownMeta, metaErr := objectmeta.GetObjectMetaWithOptions(object, objectmeta.ObjectMetaOptions{ReturnUnknownFieldPaths: true})
	unknown(unknownMeta)
	if metaErr != nil {
		problems = append(problems, problem{Field: "metadata", Type: "FieldValueInvalid", Detail: metaErr.Error()})
	}
	preserves := crd.Spec.PreserveUnknownFields != nil && *crd.Spec.PreserveUnknownFields
	if !preserves {
		options := structuralschema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true}
		unknown(pruning.PruneWithOptions(object, structural, true, options))
		defaulting.PruneNonNullableNullsWithoutDefaults(object, structural)
	}
	coerceErr, unknownMeta := objectmeta.CoerceWithOptions(nil, object, structural, false, objectmeta.CoerceOptions{ReturnUnknownFieldPaths: true})
	unknown(unknownMeta)
	if coerceErr != nil {
		problems = append(problems, of(coerceErr))
	}
	defaulting.Default(object, structural)

	validator, _, err := validation.NewSchemaValidator(props.OpenAPIV3Schema)
	if err != nil {
		log.Fatal(err)
	}
	errs := validation.ValidateCustomResource(nil, object, validator)
	if coerceErr == nil && metaErr == nil {
		errs = append(errs, objectmeta.Validate(ctx, nil, object, structural, false)...)
	}
	errs = append(errs, listtype.ValidateListSetsAndMaps(nil, structural, object)...)
	if rules := cel.NewValidator(structural, true, celconfig.PerCallLimit); rules != nil && !isBlocked(errs) {
		found, _ := rules.Validate(ctx, nil, structural, object, nil, celconfig.RuntimeCELCostBudget)
		for _, err := range found {
			one := of(err)
			one.Type = "Rule"
			problems = append(problems, one)
		}
	}
	for _, err := range errs {
		problems = append(problems, of(err))
	}
	sort.Slice(problems, func(i, j int) bool {
		a, b := problems[i], problems[j]
		return a.Field+"\x00"+a.Type+"\x00"+a.Detail < b.Field+"\x00"+b.Type+"\x00"+b.Detail
	})
	return problems
}

func of(err *field.Error) problem {
	return problem{Field: err.Field, Type: string(err.Type), Detail: err.Detail}
}

// isBlocked is hasBlockingErr of the API server, which is not exported: rules are not evaluated then.
func isBlocked(errs field.ErrorList) bool {
	for _, err := range errs {
		switch err.Type {
		case field.ErrorTypeNotSupported, field.ErrorTypeRequired, field.ErrorTypeTooLong, field.ErrorTypeTooMany, field.ErrorTypeTypeInvalid:
			return true
		}
	}
	return false
}
