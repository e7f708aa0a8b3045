//! What the API server asks before it stores an object, and the answer: `admission.k8s.io/v1`.
