//! Every named state of the screen, at 120x40 and 80x24, and what must hold at every size.

mod colours;
mod sizes;
mod states;
