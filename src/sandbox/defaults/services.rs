//! Defaults of Services, with the address that each gets.

use serde_json::{Value, json};

use super::{each, or};

pub(super) fn on_create(service: &mut Value) {
    let uid = service["metadata"]["uid"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    let spec = &mut service["spec"];
    if !spec.is_object() || spec["type"] == "ExternalName" {
        return;
    }
    or(spec, "clusterIP", address(&uid));
    let address = spec["clusterIP"].clone();
    or(spec, "clusterIPs", json!([address]));
    or(spec, "ipFamilies", json!(["IPv4"]));
    or(spec, "ipFamilyPolicy", "SingleStack");
    or(spec, "internalTrafficPolicy", "Cluster");
}

pub(super) fn fill(spec: &mut Value) {
    if !spec.is_object() {
        return;
    }
    or(spec, "type", "ClusterIP");
    or(spec, "sessionAffinity", "None");
    for port in each(spec, "ports") {
        or(port, "protocol", "TCP");
        let number = port["port"].clone();
        or(port, "targetPort", number);
    }
}

/// An address of the service network, from the uid: nothing routes there, it only has to look right and to stay.
fn address(uid: &str) -> String {
    let mixed = uid
        .bytes()
        .fold(5381_u32, |sum, byte| sum.wrapping_mul(33) ^ u32::from(byte));
    let [_, _, high, low] = mixed.to_be_bytes();
    format!("10.96.{high}.{}", low.clamp(2, 254))
}
