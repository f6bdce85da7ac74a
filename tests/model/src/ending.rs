//! Finds states from which the end can no longer be reached.
//!
//! The model has cycles (a lane that is held, a lost lease), on which the checker's own `eventually` is not sound. So
//! the claim is made another way: from every reachable state there is a path to one in which every operation has ended.
//! In a finite model that is the same as "ends, when nothing that is possible again and again is put off for ever".

use std::collections::HashMap;

use stateright::Model;

/// States without a way out.
#[derive(Debug)]
pub struct Stuck<S> {
    /// States that can be reached.
    pub reachable: usize,
    /// The first one found from which the end cannot be reached, if any.
    pub example: Option<S>,
}

/// Looks at every reachable state, then walks back from those that satisfy `is_over`.
pub fn find_stuck<M>(model: &M, is_over: impl Fn(&M::State) -> bool) -> Stuck<M::State>
where
    M: Model,
    M::State: Clone + Eq + std::hash::Hash,
{
    let mut numbers: HashMap<M::State, u32> = HashMap::new();
    let mut states = Vec::new();
    // Edges as (to, from), sorted afterwards: the leanest form of a graph that is walked backwards.
    let mut edges: Vec<(u32, u32)> = Vec::new();
    let mut number_of = |state: M::State, states: &mut Vec<M::State>| {
        *numbers.entry(state).or_insert_with_key(|state| {
            states.push(state.clone());
            u32::try_from(states.len() - 1).expect("fewer than 2^32 states")
        })
    };
    for state in model.init_states() {
        number_of(state, &mut states);
    }
    let mut next = 0;
    while next < states.len() {
        let from = u32::try_from(next).expect("fewer than 2^32 states");
        for state in model.next_states(&states[next].clone()) {
            let to = number_of(state, &mut states);
            if to != from {
                edges.push((to, from));
            }
        }
        next += 1;
    }
    edges.sort_unstable();
    let mut ends = vec![false; states.len()];
    let mut open: Vec<u32> = Vec::new();
    for (number, state) in (0..).zip(&states) {
        if is_over(state) {
            ends[number as usize] = true;
            open.push(number);
        }
    }
    while let Some(to) = open.pop() {
        let first = edges.partition_point(|edge| edge.0 < to);
        for (_, from) in edges[first..].iter().take_while(|edge| edge.0 == to) {
            if !std::mem::replace(&mut ends[*from as usize], true) {
                open.push(*from);
            }
        }
    }
    let example = ends.iter().position(|ends| !ends).map(|number| states[number].clone());
    Stuck { reachable: states.len(), example }
}
