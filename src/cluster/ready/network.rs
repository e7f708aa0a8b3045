//! What is reached from outside: Services of type LoadBalancer, and Ingresses. Both are there to have an address.

use super::Verdict;
use super::fields::{has_some, line, text, until};
use crate::value::Value;

const ADDRESSES: [&str; 3] = ["status", "loadBalancer", "ingress"];

pub(super) fn service(object: &Value) -> Verdict {
    if text(object, ["spec", "type"]) != "LoadBalancer" {
        return Ok(());
    }
    until(!text(object, ["spec", "clusterIP"]).is_empty(), || "it has no cluster IP yet".into())?;
    // Those that somebody else routes need no load balancer.
    let is_reached = has_some(object, ["spec", "externalIPs"]) || has_some(object, ADDRESSES);
    until(is_reached, || "no load balancer has given it an address yet".into())
}

pub(super) fn ingress(object: &Value) -> Verdict {
    until(has_some(object, ADDRESSES), || {
        let controller = match text(object, ["spec", "ingressClassName"]) {
            "" => "ingress controller".to_owned(),
            class => format!("controller of the ingress class {}", line(class)),
        };
        format!("no {controller} has given it an address yet")
    })
}
