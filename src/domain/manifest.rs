//! The ConfigMap and the Job of a run (contract 4).
