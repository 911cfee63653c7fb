//! What a person sees: a view of the state.
