//! The server behind a ValidatingWebhookConfiguration: HTTPS in front of [`admission`](crate::admission).
