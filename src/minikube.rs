//! The minikube program, a child process that speaks JSON.
