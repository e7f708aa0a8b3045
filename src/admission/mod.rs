//! What the API server asks before it stores an object, and the answer: `admission.k8s.io/v1`.
//!
//! Policies that judge single objects are asked as the API server asks its own `ValidatingAdmissionPolicy`; what needs
//! more than one object is [left out](Judge::left_out()).

mod judge;
mod response;
mod review;

pub use judge::{Answer, Judge, LeftOut, Namespaces, Settings, why_left_out};
pub use review::Malformed;
