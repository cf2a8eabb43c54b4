use berth_compute::{DType, Reduction};

use crate::array::{Array, FLOATS, bench, close, read, refused};

const REDUCTIONS: [Reduction; 4] =
    [Reduction::Sum, Reduction::Mean, Reduction::Max, Reduction::Min];

fn reduced(x: &Array, reduction: Reduction, axes: &[usize], keep: bool) -> Array {
    let shape: Vec<usize> =
        x.shape.iter().enumerate().map(|(i, &d)| if axes.contains(&i) { 1 } else { d }).collect();
    let mut sets: std::collections::BTreeMap<Vec<usize>, Vec<f64>> = Default::default();
    Array::from_fn(&x.shape, |index| {
        let key = index
            .iter()
            .enumerate()
            .map(|(i, &at)| if axes.contains(&i) { 0 } else { at })
            .collect();
        sets.entry(key).or_default().push(x.at(index));
        0.0
    });
    let mut result = Array::from_fn(&shape, |index| {
        let set = &sets[index];
        match reduction {
            Reduction::Sum => set.iter().sum(),
            Reduction::Mean => set.iter().sum::<f64>() / set.len() as f64,
            Reduction::Max => set.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            _ => set.iter().copied().fold(f64::INFINITY, f64::min),
        }
    });
    if !keep {
        let kept = |(i, &d): (usize, &usize)| (!axes.contains(&i)).then_some(d);
        result.shape = x.shape.iter().enumerate().filter_map(kept).collect();
    }
    result
}

#[test]
fn any_axes_are_reduced() {
    let bench = bench();
    let x = Array::noise(&[3, 4, 5, 17], 1);
    for (dtype, tolerance) in FLOATS {
        let tensor = bench.tensor(dtype, &x);
        for axes in [&[0][..], &[3], &[1, 2], &[0, 2], &[2, 3], &[-1, 0], &[], &[3, 1, 0, 2]] {
            let all: Vec<usize> = if axes.is_empty() {
                vec![0, 1, 2, 3]
            } else {
                axes.iter().map(|&axis: &i32| axis.rem_euclid(4) as usize).collect()
            };
            for reduction in REDUCTIONS {
                for keep in [false, true] {
                    let got =
                        bench.compute.reduce(&bench.scope, &tensor, reduction, axes, keep).unwrap();
                    close(&got, &reduced(&x, reduction, &all, keep), tolerance);
                }
            }
        }
    }
}

#[test]
fn integers_keep_their_type_and_wrap() {
    let bench = bench();
    let x = Array { shape: vec![2, 3], data: vec![200.0, 100.0, 3.0, 1.0, 2.0, 3.0] };
    for (dtype, first) in
        [(DType::U8, 47.0), (DType::U32, 303.0), (DType::I32, 303.0), (DType::I64, 303.0)]
    {
        let tensor = bench.tensor(dtype, &x);
        let reduce = |reduction| {
            let tensor =
                bench.compute.reduce(&bench.scope, &tensor, reduction, &[1], false).unwrap();
            assert_eq!(tensor.dtype(), dtype);
            read(&tensor).data
        };
        assert_eq!(reduce(Reduction::Sum), [first, 6.0]);
        assert_eq!(reduce(Reduction::Max), [200.0, 3.0]);
        assert_eq!(reduce(Reduction::Min), [3.0, 1.0]);
        refused(bench.compute.reduce(&bench.scope, &tensor, Reduction::Mean, &[], false), "float");
        let running = bench.compute.cumulative_sum(&bench.scope, &tensor, 1).unwrap();
        assert_eq!(read(&running).data[2..], [first, 1.0, 3.0, 6.0]);
    }
}

#[test]
fn positions_are_those_of_the_first_of_equals() {
    let bench = bench();
    let nan = f64::NAN;
    let x = Array {
        shape: vec![3, 4],
        data: vec![1.0, 3.0, 3.0, 0.0, 2.0, 0.0, 2.0, 0.0, 1.0, nan, 5.0, nan],
    };
    for (dtype, _) in FLOATS {
        let tensor = bench.tensor(dtype, &x);
        let at = |reduction, axis, keep| {
            let tensor =
                bench.compute.reduce(&bench.scope, &tensor, reduction, &[axis], keep).unwrap();
            assert_eq!(tensor.dtype(), DType::U32);
            read(&tensor)
        };
        assert_eq!(at(Reduction::Argmax, 1, false).data, [1.0, 0.0, 1.0]);
        assert_eq!(
            at(Reduction::Argmin, -1, true),
            Array { shape: vec![3, 1], data: vec![3.0, 1.0, 1.0] }
        );
        assert_eq!(at(Reduction::Argmax, 0, false).data, [1.0, 2.0, 2.0, 2.0]);
    }
    let tensor = bench.f32(&x);
    refused(
        bench.compute.reduce(&bench.scope, &tensor, Reduction::Argmax, &[0, 1], false),
        "one axis",
    );
    refused(bench.compute.reduce(&bench.scope, &tensor, Reduction::Argmax, &[], false), "one axis");
}

#[test]
fn nan_propagates() {
    let bench = bench();
    for (dtype, _) in FLOATS {
        for at in 0..3 {
            let mut x = Array::noise(&[3], 1);
            x.data[at] = f64::NAN;
            for reduction in REDUCTIONS {
                let got = bench.compute.reduce(
                    &bench.scope,
                    &bench.tensor(dtype, &x),
                    reduction,
                    &[],
                    false,
                );
                assert!(read(&got.unwrap()).data[0].is_nan());
            }
        }
    }
}

#[test]
fn reductions_of_nothing_are_sums_of_zero() {
    let bench = bench();
    let x = bench.f32(&Array::noise(&[2, 0], 1));
    let reduce =
        |reduction, axis| bench.compute.reduce(&bench.scope, &x, reduction, &[axis], false);
    assert_eq!(read(&reduce(Reduction::Sum, 1).unwrap()).data, [0.0, 0.0]);
    assert!(read(&reduce(Reduction::Mean, 1).unwrap()).data[0].is_nan());
    assert_eq!(read(&reduce(Reduction::Max, 0).unwrap()).shape, [0]);
    refused(reduce(Reduction::Max, 1), "no elements");
    refused(reduce(Reduction::Argmin, 1), "no elements");
    refused(reduce(Reduction::Sum, 2), "axis 2");
    refused(bench.compute.reduce(&bench.scope, &x, Reduction::Sum, &[0, -2], false), "twice");
}

#[test]
fn sums_of_many_do_not_lose_what_is_small() {
    let bench = bench();
    let x = bench.compute.full(&bench.scope, DType::F32, &[1 << 22], 0.1).unwrap();
    let got =
        read(&bench.compute.reduce(&bench.scope, &x, Reduction::Mean, &[], false).unwrap()).data[0];
    assert_eq!(got, f64::from(0.1_f32));
    let got = read(&bench.compute.cumulative_sum(&bench.scope, &x, 0).unwrap()).data;
    assert_eq!(got[got.len() - 1], f64::from((f64::from(0.1_f32) * f64::from(1 << 22)) as f32));
}

#[test]
fn running_sums_go_along_their_axis() {
    let bench = bench();
    let x = Array::noise(&[3, 4, 5], 1);
    for (dtype, tolerance) in FLOATS {
        for axis in 0..3 {
            let want = Array::from_fn(&x.shape, |index| {
                (0..=index[axis])
                    .map(|i| {
                        let mut other = index.to_vec();
                        other[axis] = i;
                        x.at(&other)
                    })
                    .sum()
            });
            let tensor = bench.tensor(dtype, &x);
            let got = bench.compute.cumulative_sum(&bench.scope, &tensor, axis as i32 - 3).unwrap();
            close(&got, &want, tolerance);
        }
    }
    let scalar = bench.f32(&Array::noise(&[], 1));
    refused(bench.compute.cumulative_sum(&bench.scope, &scalar, 0), "0 dimensions");
}

#[test]
fn a_sum_of_nothing_ends_however_long_the_other_axes_are() {
    let bench = bench();
    let x = bench.compute.full(&bench.scope, DType::I64, &[1 << 50, 0], 1.0).unwrap();
    let sum = bench.compute.reduce(&bench.scope, &x, Reduction::Sum, &[], false).unwrap();
    assert_eq!(read(&sum).data, [0.0]);
}

#[test]
fn sorting_is_stable_both_ways_and_nan_is_the_greatest() {
    let bench = bench();
    let x = Array {
        shape: vec![2, 4],
        data: vec![1.0, f64::NAN, 1.0, -2.0, 3.0, 0.0, 3.0, f64::NEG_INFINITY],
    };
    for (dtype, _) in FLOATS {
        let tensor = bench.tensor(dtype, &x);
        let sorted = |axis, descending| {
            let order = bench.compute.argsort(&bench.scope, &tensor, axis, descending).unwrap();
            assert_eq!(order.dtype(), DType::U32);
            read(&order).data
        };
        assert_eq!(sorted(-1, false), [3.0, 0.0, 2.0, 1.0, 3.0, 1.0, 0.0, 2.0]);
        assert_eq!(sorted(-1, true), [1.0, 0.0, 2.0, 3.0, 0.0, 2.0, 1.0, 3.0]);
        assert_eq!(sorted(0, false), [0.0, 1.0, 0.0, 1.0, 1.0, 0.0, 1.0, 0.0]);
    }
    let scalar = bench.f32(&Array::noise(&[], 1));
    refused(bench.compute.argsort(&bench.scope, &scalar, 0, false), "0 dimensions");
}
