use berth_compute::{DType, Padding};

use crate::array::{Array, bench, close, read, refused, unsupported};

/// One of each size of element.
const DTYPES: [DType; 5] = [DType::U8, DType::F16, DType::F32, DType::I64, DType::BF16];

/// An array in which every element is its own place; exact in every one of the types.
fn places(shape: &[usize]) -> Array {
    let mut next = -1.0;
    Array::from_fn(shape, |_| {
        next += 1.0;
        next % 251.0
    })
}

#[test]
fn dimensions_are_permuted() {
    let bench = bench();
    for dtype in DTYPES {
        let x = places(&[2, 3, 4, 5]);
        let tensor = bench.tensor(dtype, &x);
        for axes in
            [[0, 1, 2, 3], [0, 2, 1, 3], [3, 2, 1, 0], [0, 2, 3, 1], [1, 0, 3, 2], [0, 3, 1, 2]]
        {
            let shape: Vec<usize> = axes.iter().map(|&i| x.shape[i]).collect();
            let want = Array::from_fn(&shape, |index| {
                let mut from = vec![0; 4];
                for (&axis, &at) in axes.iter().zip(index) {
                    from[axis] = at;
                }
                x.at(&from)
            });
            close(&bench.compute.permute(&bench.scope, &tensor, &axes).unwrap(), &want, 0.0);
        }
    }
    let x = bench.f32(&places(&[2, 3]));
    for wrong in [&[0, 0][..], &[0, 2], &[usize::MAX, 0]] {
        refused(bench.compute.permute(&bench.scope, &x, wrong), "each of the 2 axes");
    }
    for wrong in [&[0][..], &[0, 1, 2], &[]] {
        refused(bench.compute.permute(&bench.scope, &x, wrong), "has 2 dimensions");
    }
}

#[test]
fn slices_take_every_so_many() {
    let bench = bench();
    for dtype in DTYPES {
        let x = places(&[4, 5, 6]);
        let tensor = bench.tensor(dtype, &x);
        for (axis, start, end, step) in [
            (0, 1, 3, 1),
            (1, 1, 5, 2),
            (2, 0, 6, 1),
            (-1, 2, 5, 3),
            (-2, 4, 5, usize::MAX),
            (0, 2, 2, 1),
            (1, 0, 5, 4),
        ] {
            let along = (axis + 3) as usize % 3;
            let mut shape = x.shape.clone();
            shape[along] = (start..end).step_by(step).count();
            let want = Array::from_fn(&shape, |index| {
                let mut from = index.to_vec();
                from[along] = start + from[along] * if shape[along] > 1 { step } else { 0 };
                x.at(&from)
            });
            let got = bench.compute.slice(&bench.scope, &tensor, axis, start, end, step).unwrap();
            close(&got, &want, 0.0);
        }
    }
    let x = bench.f32(&places(&[4, 5]));
    let slice =
        |axis, start, end, step| bench.compute.slice(&bench.scope, &x, axis, start, end, step);
    refused(slice(0, 0, 5, 1), "0..5");
    refused(slice(0, 3, 2, 1), "3..2");
    refused(slice(0, 0, usize::MAX, 1), "axis 0");
    refused(slice(0, 0, 2, 0), "step is 0");
    refused(slice(2, 0, 2, 1), "axis 2");
}

#[test]
fn tensors_are_repeated_and_turned_around() {
    let bench = bench();
    for dtype in DTYPES {
        for (from, to) in [
            (&[3, 1, 5][..], &[2, 3, 4, 5][..]),
            (&[5], &[3, 5]),
            (&[3, 1], &[3, 7]),
            (&[], &[2, 2]),
            (&[1], &[0]),
        ] {
            let x = places(from);
            let got = bench.compute.broadcast(&bench.scope, &bench.tensor(dtype, &x), to).unwrap();
            close(&got, &Array::from_fn(to, |i| x.broadcast(i)), 0.0);
        }
        let x = places(&[3, 4, 5]);
        for axis in 0..3 {
            let got =
                bench.compute.flip(&bench.scope, &bench.tensor(dtype, &x), axis as i32).unwrap();
            let want = Array::from_fn(&x.shape, |index| {
                let mut from = index.to_vec();
                from[axis] = x.shape[axis] - 1 - from[axis];
                x.at(&from)
            });
            close(&got, &want, 0.0);
        }
    }
    let x = bench.f32(&places(&[2, 3]));
    refused(bench.compute.broadcast(&bench.scope, &x, &[3, 2]), "does not broadcast");
    refused(bench.compute.broadcast(&bench.scope, &x, &[3]), "does not broadcast");
    refused(bench.compute.broadcast(&bench.scope, &x, &[usize::MAX, 2, 3]), "more elements");
    refused(bench.compute.flip(&bench.scope, &x, -3), "axis -3");
}

#[test]
fn tensors_are_put_one_after_another() {
    let bench = bench();
    for dtype in DTYPES {
        for axis in 0..3 {
            let parts: Vec<Array> = [2, 0, 3]
                .iter()
                .map(|&size| {
                    let mut shape = vec![2, 3, 4];
                    shape[axis] = size;
                    Array::noise(&shape, size as u64).map(|x| (x * 100.0).abs().floor())
                })
                .collect();
            let tensors: Vec<_> = parts.iter().map(|part| bench.tensor(dtype, part)).collect();
            let mut shape = vec![2, 3, 4];
            shape[axis] = 5;
            let want = Array::from_fn(&shape, |index| {
                let mut from = index.to_vec();
                let part = if from[axis] < 2 { &parts[0] } else { &parts[2] };
                from[axis] = if from[axis] < 2 { from[axis] } else { from[axis] - 2 };
                part.at(&from)
            });
            let all: Vec<_> = tensors.iter().collect();
            let got = bench.compute.concat(&bench.scope, &all, axis as i32 - 3).unwrap();
            close(&got, &want, 0.0);
        }
    }
    let tensor = |shape: &[usize]| bench.f32(&places(shape));
    let (a, b) = (tensor(&[2, 3]), tensor(&[2, 4]));
    refused(bench.compute.concat(&bench.scope, &[], 0), "no tensors");
    refused(bench.compute.concat(&bench.scope, &[&a, &b], 0), "differ");
    refused(bench.compute.concat(&bench.scope, &[&a, &tensor(&[2])], 0), "differ");
    refused(bench.compute.concat(&bench.scope, &[&a, &tensor(&[2, 3, 1])], 1), "differ");
    refused(
        bench.compute.concat(&bench.scope, &[&a, &bench.tensor(DType::U8, &places(&[2, 3]))], 0),
        "dtype",
    );
}

#[test]
fn tensors_are_padded_in_every_way() {
    let bench = bench();
    for dtype in DTYPES {
        let x = places(&[3, 4, 5]);
        let tensor = bench.tensor(dtype, &x);
        for amounts in [
            [(1, 2), (0, 0), (2, 1)],
            [(0, 0), (0, 0), (3, 4)],
            [(2, 0), (3, 3), (0, 0)],
            [(0, 0); 3],
        ] {
            for padding in [Padding::Constant(7.0), Padding::Edge, Padding::Reflect, Padding::Wrap]
            {
                let shape: Vec<usize> = x
                    .shape
                    .iter()
                    .zip(amounts)
                    .map(|(dim, (before, after))| dim + before + after)
                    .collect();
                let want = Array::from_fn(&shape, |index| {
                    let mut from = vec![0; 3];
                    for axis in 0..3 {
                        let (dim, at) = (
                            x.shape[axis] as isize,
                            index[axis] as isize - amounts[axis].0 as isize,
                        );
                        from[axis] = match padding {
                            Padding::Constant(value) if !(0..dim).contains(&at) => return value,
                            Padding::Constant(_) => at,
                            Padding::Edge => at.clamp(0, dim - 1),
                            Padding::Reflect if at < 0 => -at,
                            Padding::Reflect if at >= dim => 2 * (dim - 1) - at,
                            Padding::Reflect => at,
                            Padding::Wrap => at.rem_euclid(dim),
                        } as usize;
                    }
                    x.at(&from)
                });
                let got = bench.compute.pad(&bench.scope, &tensor, &amounts, padding).unwrap();
                close(&got, &want, 0.0);
            }
        }
    }
    let x = bench.f32(&places(&[2, 3]));
    let pad =
        |amounts: &[(usize, usize)], padding| bench.compute.pad(&bench.scope, &x, amounts, padding);
    refused(pad(&[(1, 1)], Padding::Edge), "1 pairs");
    refused(pad(&[(2, 0), (0, 0)], Padding::Reflect), "1 on each side");
    refused(pad(&[(0, 0), (0, 4)], Padding::Wrap), "3 on each side");
    refused(pad(&[(usize::MAX, 1), (0, 0)], Padding::Constant(0.0)), "larger than can be");
    refused(pad(&[(1 << 40, 0), (1 << 40, 0)], Padding::Edge), "more elements");
    let none = bench.f32(&places(&[0, 3]));
    refused(bench.compute.pad(&bench.scope, &none, &[(1, 0), (0, 0)], Padding::Edge), "padded");
    let got =
        bench.compute.pad(&bench.scope, &none, &[(1, 0), (0, 0)], Padding::Constant(2.0)).unwrap();
    assert_eq!(read(&got).data, [2.0; 3]);
}

#[test]
fn elements_are_found_by_their_indices() {
    let bench = bench();
    for dtype in DTYPES {
        let x = places(&[4, 5, 3]);
        let tensor = bench.tensor(dtype, &x);
        for kind in [DType::U32, DType::I64] {
            for axis in 0..3 {
                let mut shape = x.shape.clone();
                shape[axis] = 6;
                let indices = Array::noise(&shape, 5)
                    .map(|v| ((v + 1.0) * 100.0).floor() % x.shape[axis] as f64);
                let want = Array::from_fn(&shape, |index| {
                    let mut from = index.to_vec();
                    from[axis] = indices.at(index) as usize;
                    x.at(&from)
                });
                let got = bench
                    .compute
                    .gather(&bench.scope, &tensor, axis as i32, &bench.tensor(kind, &indices))
                    .unwrap();
                close(&got, &want, 0.0);
                let list = Array { shape: vec![6], data: indices.data[..6].into() };
                let want = Array::from_fn(&shape, |index| {
                    let mut from = index.to_vec();
                    from[axis] = list.data[index[axis]] as usize;
                    x.at(&from)
                });
                let list = bench.tensor(kind, &list);
                let got = bench
                    .compute
                    .index_select(&bench.scope, &tensor, axis as i32 - 3, &list)
                    .unwrap();
                close(&got, &want, 0.0);
            }
            let weight = places(&[7, 4]);
            let indices = Array { shape: vec![2, 3], data: vec![0.0, 6.0, 3.0, 3.0, 1.0, 5.0] };
            let want =
                Array::from_fn(&[2, 3, 4], |i| weight.at(&[indices.at(&i[..2]) as usize, i[2]]));
            let (indices, weight) = (bench.tensor(kind, &indices), bench.tensor(dtype, &weight));
            close(&bench.compute.embedding(&bench.scope, &indices, &weight).unwrap(), &want, 0.0);
        }
    }
}

#[test]
fn indices_that_lead_outside_are_refused() {
    let bench = bench();
    let x = bench.f32(&places(&[4, 5]));
    let indices =
        |dtype, value: f64, shape: &[usize]| bench.tensor(dtype, &Array::from_fn(shape, |_| value));
    for (dtype, value) in [
        (DType::U32, 4.0),
        (DType::I64, -1.0),
        (DType::I64, 4.0),
        (DType::U32, 4e9),
        (DType::I64, -9e18),
    ] {
        refused(
            bench.compute.index_select(&bench.scope, &x, 0, &indices(dtype, value, &[2])),
            "index",
        );
        refused(
            bench.compute.gather(&bench.scope, &x, 0, &indices(dtype, value, &[2, 5])),
            "index",
        );
        refused(bench.compute.embedding(&bench.scope, &indices(dtype, value, &[2]), &x), "index");
    }
    refused(
        bench.compute.index_select(&bench.scope, &x, 0, &indices(DType::U8, 0.0, &[2])),
        "u32 or i64",
    );
    refused(
        bench.compute.index_select(&bench.scope, &x, 0, &indices(DType::U32, 0.0, &[2, 1])),
        "[n]",
    );
    refused(
        bench.compute.gather(&bench.scope, &x, 1, &indices(DType::U32, 0.0, &[3, 5])),
        "shape of x",
    );
    refused(
        bench.compute.gather(&bench.scope, &x, 1, &indices(DType::U32, 0.0, &[4])),
        "shape of x",
    );
    refused(
        bench.compute.embedding(
            &bench.scope,
            &indices(DType::U32, 0.0, &[2]),
            &bench.f32(&places(&[4])),
        ),
        "[rows, c]",
    );
    let none = bench.f32(&places(&[0, 5]));
    refused(
        bench.compute.embedding(&bench.scope, &indices(DType::U32, 0.0, &[2]), &none),
        "0 elements",
    );
    let nothing = indices(DType::U32, 0.0, &[0]);
    assert_eq!(bench.compute.embedding(&bench.scope, &nothing, &none).unwrap().shape(), [0, 5]);
}

#[test]
fn quantized_tensors_can_be_looked_at_but_not_taken_apart() {
    let bench = bench();
    let bytes: Vec<u8> = (0..4 * 36).collect();
    let x = bench.compute.from_bytes(&bench.scope, DType::Q4_0, &[4, 64], bytes.clone()).unwrap();
    let rows = bench.compute.slice(&bench.scope, &x, 0, 1, 3, 1).unwrap();
    assert_eq!(rows.shape(), [2, 64]);
    let mut part = vec![0; rows.bytes() as usize];
    rows.read(0, &mut part).unwrap();
    assert_eq!(part, bytes[36..108]);
    assert_eq!(bench.compute.reshape(&bench.scope, &x, &[2, 2, 64]).unwrap().shape(), [2, 2, 64]);
    refused(bench.compute.reshape(&bench.scope, &x, &[16, 16]), "multiple of 32");
    unsupported(bench.compute.permute(&bench.scope, &x, &[1, 0]));
    unsupported(bench.compute.slice(&bench.scope, &x, 1, 0, 32, 1));
    unsupported(bench.compute.concat(&bench.scope, &[&x, &x], 0));
    let indices = bench.tensor(DType::U32, &Array::from_fn(&[1], |_| 0.0));
    unsupported(bench.compute.embedding(&bench.scope, &indices, &x));
}
