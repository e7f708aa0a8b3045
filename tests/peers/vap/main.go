// Command vap evaluates ValidatingAdmissionPolicies, and single expressions, with the API server's own code.
//
// It reads JSON Lines and writes one line for each. A line is either a case
//
//	{"policy": {…}, "object": {…}, "namespace": {…}, "params": {…}}
//
// and answered by {"errors": […]} (what does not compile), {"matches": false}, {"invalid": "…"} (no such object could be
// created), or {"decisions": [{"verdict": "true|false|error", "message": "…"}]}, one of each validation; or an expression
//
//	{"expression": "…", "object": …}
//
// which is answered by itself with "issues" (each with message, line and column), or with "type" and "value" or "error",
// and with the "cost" that the API server counts. What an answer already holds of these is replaced.
//
// With an argument it prints the functions of the environment instead, with their types.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"
	"regexp"
	"sort"
	"strconv"
	"strings"

	celgo "github.com/google/cel-go/cel"
	"github.com/google/cel-go/checker"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/version"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/apiserver/pkg/admission/plugin/cel"
	"k8s.io/apiserver/pkg/admission/plugin/policy/generic"
	"k8s.io/apiserver/pkg/admission/plugin/policy/matching"
	"k8s.io/apiserver/pkg/admission/plugin/policy/validating"
	"k8s.io/apiserver/pkg/admission/plugin/webhook/matchconditions"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"k8s.io/apiserver/pkg/authentication/user"
	apiservercel "k8s.io/apiserver/pkg/cel"
	"k8s.io/apiserver/pkg/cel/environment"
	"k8s.io/client-go/kubernetes/scheme"
	listers "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"
)

// The version whose environment is meant.
var kubernetes = version.MajorMinor(1, 35)

type line struct {
	Policy    *admissionregistrationv1.ValidatingAdmissionPolicy `json:"policy"`
	Object    json.RawMessage                                    `json:"object"`
	Namespace *corev1.Namespace                                  `json:"namespace"`
	Params    json.RawMessage                                    `json:"params"`
}

type issue struct {
	Message string `json:"message"`
	Line    int    `json:"line"`
	Column  int    `json:"column"`
}

type answer struct {
	Expression string          `json:"expression"`
	Object     json.RawMessage `json:"object,omitempty"`
	Issues     []issue         `json:"issues,omitempty"`
	Type       string          `json:"type,omitempty"`
	Value      string          `json:"value,omitempty"`
	Error      string          `json:"error,omitempty"`
	Cost       uint64          `json:"cost,omitempty"`
}

type decision struct {
	Verdict string `json:"verdict"`
	Message string `json:"message,omitempty"`
}

type verdict struct {
	Errors    []string   `json:"errors,omitempty"`
	Invalid   string     `json:"invalid,omitempty"`
	Matches   *bool      `json:"matches,omitempty"`
	Decisions []decision `json:"decisions,omitempty"`
}

func main() {
	if len(os.Args) > 1 {
		printFunctions()
		return
	}
	in := bufio.NewReader(os.Stdin)
	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	for {
		text, err := in.ReadBytes('\n')
		if len(bytes.TrimSpace(text)) > 0 {
			var result any
			var single answer
			if decoded := json.Unmarshal(text, &single); decoded == nil && single.Expression != "" {
				result, decoded = judgeExpression(single)
				if decoded != nil {
					log.Fatal(decoded)
				}
			} else {
				var given line
				if decoded := json.Unmarshal(text, &given); decoded != nil {
					log.Fatalf("%v in %.200s", decoded, text)
				}
				result, decoded = judgePolicy(given)
				if decoded != nil {
					log.Fatal(decoded)
				}
			}
			if err := out.Encode(result); err != nil {
				log.Fatal(err)
			}
		}
		if err != nil {
			return
		}
	}
}

// printFunctions writes the declarations of all functions: those of one name in the order in which they are tried.
func printFunctions() {
	set, err := environment.MustBaseEnvSet(kubernetes).Env(environment.NewExpressions)
	if err != nil {
		log.Fatal(err)
	}
	functions := set.Functions()
	names := make([]string, 0, len(functions))
	for name := range functions {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		for _, overload := range functions[name].OverloadDecls() {
			var args []string
			for _, arg := range overload.ArgTypes() {
				args = append(args, checker.FormatCELType(arg))
			}
			style := "global"
			if overload.IsMemberFunction() {
				style = "member"
			}
			signature := fmt.Sprintf("(%s) -> %s", strings.Join(args, ", "), checker.FormatCELType(overload.ResultType()))
			fmt.Println(style, name, renamed(signature))
		}
	}
}

var typeParameter = regexp.MustCompile(`\b[A-Z]\b`)

// renamed calls the type parameters of a signature A and B.
func renamed(signature string) string {
	names := map[string]string{}
	return typeParameter.ReplaceAllStringFunc(signature, func(name string) string {
		if names[name] == "" {
			names[name] = string(rune('A' + len(names)))
		}
		return names[name]
	})
}

// newCompiler is what the API server makes for one policy.
func newCompiler() (*cel.CompositedCompiler, error) {
	return cel.NewCompositedCompiler(environment.MustBaseEnvSet(kubernetes))
}

// anything is an expression of any type.
type anything string

func (e anything) GetExpression() string    { return string(e) }
func (anything) ReturnTypes() []*celgo.Type { return []*celgo.Type{celgo.AnyType} }

func judgeExpression(given answer) (answer, error) {
	result := answer{Expression: given.Expression, Object: given.Object}
	compiler, err := newCompiler()
	if err != nil {
		return result, err
	}
	declarations := cel.OptionalVariableDeclarations{HasParams: true, HasAuthorizer: true}
	compiled := compiler.CompileCELExpression(anything(given.Expression), declarations, environment.NewExpressions)
	if compiled.Error != nil {
		var compilation *apiservercel.CompilationError
		if !errors.As(compiled.Error, &compilation) {
			result.Issues = []issue{{Message: compiled.Error.Detail}}
			return result, nil
		}
		for _, found := range compilation.Issues.Errors() {
			result.Issues = append(result.Issues,
				issue{found.Message, found.Location.Line(), found.Location.Column()})
		}
		return result, nil
	}
	result.Type = compiled.OutputType.String()
	var object any
	if len(given.Object) > 0 {
		if err := utiljson.Unmarshal(given.Object, &object); err != nil {
			return result, err
		}
	}
	value, details, err := compiled.Program.ContextEval(context.Background(), map[string]any{
		"object": object, "oldObject": nil, "params": nil, "namespaceObject": nil, "request": map[string]any{},
	})
	if details != nil && details.ActualCost() != nil {
		result.Cost = *details.ActualCost()
	}
	if err != nil {
		result.Error = err.Error()
		return result, nil
	}
	result.Value = show(value)
	return result, nil
}

// show writes a value in a form that another implementation can write, too.
func show(value ref.Val) string {
	switch value := value.(type) {
	case types.Null:
		return "null"
	case types.Bool, types.Int:
		return fmt.Sprint(value.Value())
	case types.Uint:
		return fmt.Sprintf("%du", uint64(value))
	case types.Double:
		return "double " + strconv.FormatFloat(float64(value), 'g', -1, 64)
	case types.String:
		return quoted(string(value))
	case types.Bytes:
		return fmt.Sprintf("b%x", []byte(value))
	case types.Duration:
		return "duration " + strconv.FormatInt(int64(value.Duration), 10)
	case types.Timestamp:
		return fmt.Sprintf("timestamp %d.%09d", value.Unix(), value.Nanosecond())
	case *types.Type:
		return "type " + value.TypeName()
	case *types.Optional:
		if !value.HasValue() {
			return "none"
		}
		return "some(" + show(value.GetValue()) + ")"
	case traits.Lister:
		var items []string
		for it := value.Iterator(); it.HasNext() == types.True; {
			items = append(items, show(it.Next()))
		}
		return "[" + strings.Join(items, ", ") + "]"
	case traits.Mapper:
		var entries []string
		for it := value.Iterator(); it.HasNext() == types.True; {
			key := it.Next()
			entries = append(entries, show(key)+": "+show(value.Get(key)))
		}
		sort.Strings(entries)
		return "{" + strings.Join(entries, ", ") + "}"
	default:
		return value.Type().TypeName()
	}
}

func quoted(text string) string {
	var out strings.Builder
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(text); err != nil {
		log.Fatal(err)
	}
	return strings.TrimSuffix(out.String(), "\n")
}

func judgePolicy(given line) (verdict, error) {
	setDefaults(given.Policy)
	validator, problems, err := compilePolicy(given.Policy)
	if err != nil || len(problems) > 0 {
		return verdict{Errors: problems}, err
	}
	object, kind, err := decode(given.Object)
	if err != nil {
		return verdict{Invalid: err.Error()}, nil
	}
	params, _, err := decode(given.Params)
	if err != nil {
		return verdict{}, err
	}
	name, namespace := "", ""
	if accessor, ok := object.(metav1.Object); ok {
		if given.Namespace != nil && accessor.GetNamespace() == "" && !clusterScoped[kind.Kind] {
			accessor.SetNamespace(given.Namespace.Name)
		}
		name, namespace = accessor.GetName(), accessor.GetNamespace()
	}
	if kind.Kind == "Namespace" && kind.Group == "" {
		namespace = name
	}
	resource, _ := meta.UnsafeGuessKindToResource(kind)
	if kind.Kind == "Gateway" {
		// It guesses a plural that is none.
		resource.Resource = "gateways"
	}
	attributes := admission.NewAttributesRecord(object, nil, kind, namespace, name, resource, "", admission.Create,
		&metav1.CreateOptions{}, false, &user.DefaultInfo{})
	namespaces := cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{})
	if given.Namespace != nil {
		if err := namespaces.Add(given.Namespace); err != nil {
			return verdict{}, err
		}
	}
	matcher := generic.NewPolicyMatcher(matching.NewMatcher(listers.NewNamespaceLister(namespaces), nil))
	matches, matched, _, err := matcher.DefinitionMatches(attributes, admission.NewObjectInterfacesFromScheme(scheme.Scheme),
		validating.NewValidatingAdmissionPolicyAccessor(given.Policy))
	if err != nil {
		return verdict{}, fmt.Errorf("%s: %w", given.Policy.Name, err)
	}
	if !matches {
		return verdict{Matches: &matches}, nil
	}
	versioned := &admission.VersionedAttributes{Attributes: attributes, VersionedKind: kind, VersionedObject: object}
	// There is no user: an expression that asks the authorizer cannot be evaluated.
	result := validator.Validate(context.Background(), matched, versioned, params, given.Namespace,
		celconfig.RuntimeCELCostBudget, nil)
	var decisions []decision
	for _, found := range result.Decisions {
		switch found.Evaluation {
		case validating.EvalAdmit:
			decisions = append(decisions, decision{Verdict: "true"})
		case validating.EvalDeny:
			decisions = append(decisions, decision{"false", found.Message})
		default:
			decisions = append(decisions, decision{"error", found.Message})
		}
	}
	return verdict{Decisions: decisions}, nil
}

// clusterScoped are the kinds without a namespace that policies are about.
var clusterScoped = map[string]bool{
	"APIService": true, "ClusterRole": true, "ClusterRoleBinding": true, "CustomResourceDefinition": true,
	"IngressClass": true, "MutatingWebhookConfiguration": true, "Namespace": true, "Node": true,
	"PersistentVolume": true, "PriorityClass": true, "RuntimeClass": true, "StorageClass": true,
	"ValidatingAdmissionPolicy": true, "ValidatingAdmissionPolicyBinding": true,
	"ValidatingWebhookConfiguration": true,
}

// setDefaults does what the API server does before it stores a policy.
func setDefaults(policy *admissionregistrationv1.ValidatingAdmissionPolicy) {
	constraints := policy.Spec.MatchConstraints
	if constraints == nil {
		return
	}
	if constraints.NamespaceSelector == nil {
		constraints.NamespaceSelector = &metav1.LabelSelector{}
	}
	if constraints.ObjectSelector == nil {
		constraints.ObjectSelector = &metav1.LabelSelector{}
	}
	if constraints.MatchPolicy == nil {
		equivalent := admissionregistrationv1.Equivalent
		constraints.MatchPolicy = &equivalent
	}
	for _, rules := range [][]admissionregistrationv1.NamedRuleWithOperations{
		constraints.ResourceRules, constraints.ExcludeResourceRules,
	} {
		for i := range rules {
			if rules[i].Scope == nil {
				all := admissionregistrationv1.AllScopes
				rules[i].Scope = &all
			}
		}
	}
}

// strict refuses unknown fields, as kubectl asks the API server to.
var strict = serializer.NewCodecFactory(scheme.Scheme, serializer.EnableStrict).UniversalDeserializer()

// decode reads an object as the API server does: of a type that it knows, or as it is written. Of a known type the API
// server would also set defaults, which its own library cannot: fields that would be empty for want of them are left
// out. But a role without rules has rules that are null.
func decode(text json.RawMessage) (runtime.Object, schema.GroupVersionKind, error) {
	if len(text) == 0 || string(text) == "null" {
		return nil, schema.GroupVersionKind{}, nil
	}
	object, kind, err := strict.Decode(text, nil, nil)
	if runtime.IsNotRegisteredError(err) {
		object, kind, err = unstructured.UnstructuredJSONScheme.Decode(text, nil, nil)
	}
	if err != nil {
		return nil, schema.GroupVersionKind{}, err
	}
	object.GetObjectKind().SetGroupVersionKind(*kind)
	typed, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
	if err != nil {
		return nil, schema.GroupVersionKind{}, err
	}
	var asWritten map[string]any
	if err := utiljson.Unmarshal(text, &asWritten); err != nil {
		return nil, schema.GroupVersionKind{}, err
	}
	rules, isRole := typed["rules"]
	known, _ := written(typed, asWritten).(map[string]any)
	if isRole && rules == nil && kind.Group == "rbac.authorization.k8s.io" {
		known["rules"] = nil
	}
	return &unstructured.Unstructured{Object: known}, *kind, nil
}

// written keeps of a value what is in another one, too.
func written(value, wanted any) any {
	switch value := value.(type) {
	case map[string]any:
		wanted, _ := wanted.(map[string]any)
		kept := map[string]any{}
		for key, inner := range value {
			if of, found := wanted[key]; found && of != nil {
				kept[key] = written(inner, of)
			}
		}
		return kept
	case []any:
		wanted, _ := wanted.([]any)
		for i := range min(len(value), len(wanted)) {
			value[i] = written(value[i], wanted[i])
		}
		return value
	default:
		return value
	}
}

// compilePolicy does what the function of that name does in the API server, which is not exported, and what its
// validation of a new policy does: it returns what does not compile, too.
func compilePolicy(policy *admissionregistrationv1.ValidatingAdmissionPolicy) (validating.Validator, []string, error) {
	compiler, err := newCompiler()
	if err != nil {
		return nil, nil, err
	}
	spec := policy.Spec
	mode := environment.NewExpressions
	declarations := cel.OptionalVariableDeclarations{HasParams: spec.ParamKind != nil, HasAuthorizer: true}
	ofMessages := cel.OptionalVariableDeclarations{HasParams: spec.ParamKind != nil}
	var problems []string
	note := func(what string, err error) {
		if err != nil {
			problems = append(problems, fmt.Sprintf("%s: %v", what, err))
		}
	}
	compile := func(what string, expressions []cel.ExpressionAccessor, declarations cel.OptionalVariableDeclarations) cel.ConditionEvaluator {
		compiled := compiler.CompileCondition(expressions, declarations, mode)
		for _, err := range compiled.CompilationErrors() {
			note(what, err)
		}
		return compiled
	}

	// Conditions are created without variables.
	var conditions []cel.ExpressionAccessor
	for i := range spec.MatchConditions {
		conditions = append(conditions, (*matchconditions.MatchCondition)(&spec.MatchConditions[i]))
	}
	var matcher matchconditions.Matcher
	if len(conditions) > 0 {
		compiled := compile("matchConditions", conditions, declarations)
		matcher = matchconditions.NewMatcher(compiled, spec.FailurePolicy, "policy", "validate", policy.Name)
	}
	for _, variable := range spec.Variables {
		accessor := &validating.Variable{Name: variable.Name, Expression: variable.Expression}
		if result := compiler.CompileAndStoreVariable(accessor, declarations, mode); result.Error != nil {
			note("variable "+variable.Name, result.Error)
		}
	}
	validations := make([]cel.ExpressionAccessor, len(spec.Validations))
	messages := make([]cel.ExpressionAccessor, len(spec.Validations))
	for i, validation := range spec.Validations {
		validations[i] = &validating.ValidationCondition{
			Expression: validation.Expression, Message: validation.Message, Reason: validation.Reason,
		}
		if validation.MessageExpression != "" {
			messages[i] = &validating.MessageExpressionCondition{MessageExpression: validation.MessageExpression}
		}
	}
	annotations := make([]cel.ExpressionAccessor, len(spec.AuditAnnotations))
	for i, annotation := range spec.AuditAnnotations {
		annotations[i] = &validating.AuditAnnotationCondition{Key: annotation.Key, ValueExpression: annotation.ValueExpression}
	}
	validator := validating.NewValidator(
		compile("validations", validations, declarations),
		matcher,
		compile("auditAnnotations", annotations, declarations),
		compile("messageExpression", messages, ofMessages),
		spec.FailurePolicy,
	)
	return validator, problems, nil
}
