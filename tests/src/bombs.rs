//! Components that are made to be hard to compile.

use wasm_encoder::{
    BlockType, CodeSection, Encode, Function, FunctionSection, Instruction, Module, TypeSection,
    ValType,
};

/// A component of one section.
pub fn component(section: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = b"\0asm\x0d\0\x01\0".to_vec();
    bytes.push(section);
    content.encode(&mut bytes);
    bytes
}

/// A component with functions that have these bodies.
fn with_functions(bodies: impl IntoIterator<Item = Function>) -> Vec<u8> {
    let (mut types, mut functions, mut code) =
        (TypeSection::new(), FunctionSection::new(), CodeSection::new());
    types.ty().function([], []);
    for body in bodies {
        functions.function(0);
        code.function(&body);
    }
    let mut module = Module::new();
    module.section(&types).section(&functions).section(&code);
    component(1, &module.finish())
}

/// A hundred thousand functions, each of which does something.
pub fn many_functions() -> Vec<u8> {
    with_functions((0..100_000).map(|number| {
        let mut body = Function::new([(2, ValType::I32)]);
        for _ in 0..20 {
            add(&mut body, 0, number);
            add(&mut body, 1, number);
        }
        body.instructions().end();
        body
    }))
}

/// A function of loops inside of loops, through all of which the same many variables go: a
/// small text, and a register allocation of their product.
pub fn enormous_body(loops: u32, variables: u32) -> Vec<u8> {
    let mut body = Function::new([(variables, ValType::I32)]);
    for _ in 0..loops {
        body.instruction(&Instruction::Loop(BlockType::Empty));
    }
    for variable in 0..variables {
        add(&mut body, variable, 1);
    }
    for outer in 0..loops {
        add(&mut body, outer % variables, 1);
        body.instructions().local_get(0).br_if(outer);
    }
    for _ in 0..=loops {
        body.instructions().end();
    }
    with_functions([body])
}

fn add(body: &mut Function, variable: u32, number: i32) {
    body.instructions().local_get(variable).i32_const(number).i32_add().local_set(variable);
}

/// Types that are tuples of two of the one before: their size doubles with each.
pub fn doubling_types() -> Vec<u8> {
    let mut types = Vec::new();
    200_u32.encode(&mut types);
    types.push(0x7f);
    for before in 0..199_u32 {
        types.extend([0x6f, 2]);
        i64::from(before).encode(&mut types);
        i64::from(before).encode(&mut types);
    }
    component(7, &types)
}

/// Types that are lists of the one before.
pub fn deep_types() -> Vec<u8> {
    let mut types = Vec::new();
    100_000_u32.encode(&mut types);
    types.push(0x7f);
    for before in 0..99_999_u32 {
        types.push(0x70);
        i64::from(before).encode(&mut types);
    }
    component(7, &types)
}
