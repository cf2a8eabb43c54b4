//! TypeScript declarations of the contract, as componentize-qjs gives it to JavaScript.
//!
//! Names are in camel case, enums are their names as texts, variants `{ tag, val }`, flags objects
//! of booleans, an absent option `null`, a list of bytes a `Uint8Array`, and an error is thrown with
//! the contract's value as its `payload`. An interface is a module whose functions are its exports.

use std::collections::BTreeMap;
use std::fmt::Write;

use wit_parser::{
    Docs, Function, FunctionKind, Handle, InterfaceId, Resolve, Type, TypeDefKind, TypeId,
    TypeOwner, WorldId, WorldItem,
};

/// The declarations of every interface that a world imports or exports, one module for each.
pub fn declarations(resolve: &Resolve, world: WorldId) -> String {
    let mut text = String::from(
        "// Generated from the contract in wit/ by tests/src/typescript.rs. Do not edit.\n",
    );
    let world = &resolve.worlds[world];
    for (items, imported) in [(&world.imports, true), (&world.exports, false)] {
        for item in items.values() {
            if let WorldItem::Interface { id, .. } = item {
                text.push_str(&Module { resolve, interface: *id }.declare(imported));
            }
        }
    }
    text
}

struct Module<'a> {
    resolve: &'a Resolve,
    interface: InterfaceId,
}

impl Module<'_> {
    fn declare(&self, imported: bool) -> String {
        let interface = &self.resolve.interfaces[self.interface];
        let mut body = self.uses();
        for &id in interface.types.values() {
            self.declare_type(&mut body, id);
        }
        let free = interface.functions.values().filter(|function| resource(function).is_none());
        if imported {
            for function in free {
                document(&mut body, "  ", &function.docs);
                writeln!(body, "  export function {};", self.signature(function)).unwrap();
            }
        } else {
            body.push_str("  /** What a component exports under the interface's name. */\n");
            body.push_str("  export interface Exports {\n");
            for function in free {
                document(&mut body, "    ", &function.docs);
                writeln!(body, "    {};", self.signature(function)).unwrap();
            }
            body.push_str("  }\n");
        }
        let name = self.resolve.id_of(self.interface).unwrap();
        let mut text = String::from("\n");
        document(&mut text, "", &interface.docs);
        write!(text, "declare module \"{name}\" {{\n{body}}}\n").unwrap();
        text
    }

    /// The types of other interfaces, grouped by the module that they come from.
    fn uses(&self) -> String {
        let mut modules: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for &id in self.resolve.interfaces[self.interface].types.values() {
            let used = &self.resolve.types[id];
            let TypeDefKind::Type(Type::Id(of)) = used.kind else { continue };
            let TypeOwner::Interface(from) = self.resolve.types[of].owner else { continue };
            if from != self.interface {
                let name = upper(used.name.as_ref().unwrap());
                modules.entry(self.resolve.id_of(from).unwrap()).or_default().push(name);
            }
        }
        let line = |(module, names): (String, Vec<String>)| {
            format!("  import type {{ {} }} from \"{module}\";\n", names.join(", "))
        };
        modules.into_iter().map(line).collect()
    }

    fn declare_type(&self, text: &mut String, id: TypeId) {
        let found = &self.resolve.types[id];
        let name = upper(found.name.as_ref().unwrap());
        if let TypeDefKind::Type(Type::Id(of)) = found.kind
            && self.resolve.types[of].owner != found.owner
        {
            return;
        }
        document(text, "  ", &found.docs);
        match &found.kind {
            TypeDefKind::Record(record) => {
                writeln!(text, "  export interface {name} {{").unwrap();
                for field in &record.fields {
                    document(text, "    ", &field.docs);
                    writeln!(text, "    {}: {};", lower(&field.name), self.type_of(&field.ty))
                        .unwrap();
                }
                text.push_str("  }\n");
            }
            TypeDefKind::Flags(flags) => {
                writeln!(text, "  export interface {name} {{").unwrap();
                for flag in &flags.flags {
                    document(text, "    ", &flag.docs);
                    writeln!(text, "    {}: boolean;", lower(&flag.name)).unwrap();
                }
                text.push_str("  }\n");
            }
            TypeDefKind::Enum(cases) => {
                writeln!(text, "  export type {name} =").unwrap();
                for case in &cases.cases {
                    document(text, "    ", &case.docs);
                    writeln!(text, "    | \"{}\"", case.name).unwrap();
                }
                end_union(text);
            }
            TypeDefKind::Variant(variant) => {
                writeln!(text, "  export type {name} =").unwrap();
                for case in &variant.cases {
                    document(text, "    ", &case.docs);
                    let payload = match &case.ty {
                        Some(ty) => format!("; val: {}", self.type_of(ty)),
                        None => String::new(),
                    };
                    writeln!(text, "    | {{ tag: \"{}\"{payload} }}", case.name).unwrap();
                }
                end_union(text);
            }
            TypeDefKind::Resource => self.declare_resource(text, id, &name),
            _ => {
                let alias = self.kind(&found.kind);
                writeln!(text, "  export type {name} = {alias};").unwrap();
            }
        }
    }

    fn declare_resource(&self, text: &mut String, id: TypeId, name: &str) {
        writeln!(text, "  export class {name} {{").unwrap();
        let functions = self.resolve.interfaces[self.interface].functions.values();
        let mut constructed = false;
        for function in functions.filter(|function| resource(function) == Some(id)) {
            document(text, "    ", &function.docs);
            let form = match function.kind {
                FunctionKind::Static(_) | FunctionKind::AsyncStatic(_) => "static ",
                _ => "",
            };
            constructed |= matches!(function.kind, FunctionKind::Constructor(_));
            writeln!(text, "    {form}{};", self.signature(function)).unwrap();
        }
        if !constructed {
            text.push_str("    private constructor();\n");
        }
        text.push_str(
            "    /** Gives the handle back now. */\n    [Symbol.dispose](): void;\n  }\n",
        );
    }

    /// A function's name, parameters and result, without what it throws.
    fn signature(&self, function: &Function) -> String {
        let constructor = matches!(function.kind, FunctionKind::Constructor(_));
        let name = if constructor { "constructor".into() } else { lower(function.item_name()) };
        let method =
            matches!(function.kind, FunctionKind::Method(_) | FunctionKind::AsyncMethod(_));
        let parameters = function.params.iter().skip(usize::from(method));
        let parameters: Vec<_> = parameters
            .map(|parameter| {
                format!("{}: {}", argument(&parameter.name), self.type_of(&parameter.ty))
            })
            .collect();
        let result = match &function.result {
            _ if constructor => String::new(),
            Some(ty) => format!(": {}", self.returned(ty)),
            None => ": void".into(),
        };
        format!("{name}({}){result}", parameters.join(", "))
    }

    /// What a function gives: an error is thrown, so that only the other case is left.
    fn returned(&self, ty: &Type) -> String {
        if let Type::Id(id) = ty
            && let TypeDefKind::Result(result) = &self.resolve.types[*id].kind
        {
            return result.ok.as_ref().map_or("void".into(), |ok| self.type_of(ok));
        }
        self.type_of(ty)
    }

    fn type_of(&self, ty: &Type) -> String {
        match ty {
            Type::Bool => "boolean".into(),
            Type::Char | Type::String => "string".into(),
            Type::Id(id) => match &self.resolve.types[*id] {
                found if found.name.is_some() => upper(found.name.as_ref().unwrap()),
                found => self.kind(&found.kind),
            },
            Type::ErrorContext => "unknown".into(),
            _ => "number".into(),
        }
    }

    fn kind(&self, kind: &TypeDefKind) -> String {
        let optional = |ty: &Option<Type>| ty.as_ref().map_or("void".into(), |ty| self.type_of(ty));
        match kind {
            TypeDefKind::Type(ty) => self.type_of(ty),
            TypeDefKind::Handle(Handle::Own(id) | Handle::Borrow(id)) => {
                self.type_of(&Type::Id(*id))
            }
            TypeDefKind::Option(ty) => format!("{} | null", self.type_of(ty)),
            TypeDefKind::List(Type::U8) => "Uint8Array".into(),
            TypeDefKind::List(ty) | TypeDefKind::FixedLengthList(ty, _) => {
                format!("Array<{}>", self.type_of(ty))
            }
            TypeDefKind::Tuple(tuple) => {
                let types: Vec<_> = tuple.types.iter().map(|ty| self.type_of(ty)).collect();
                format!("[{}]", types.join(", "))
            }
            TypeDefKind::Map(key, value) => {
                format!("Map<{}, {}>", self.type_of(key), self.type_of(value))
            }
            TypeDefKind::Result(result) => format!(
                "{{ tag: \"ok\"; val: {} }} | {{ tag: \"err\"; val: {} }}",
                optional(&result.ok),
                optional(&result.err)
            ),
            _ => "unknown".into(),
        }
    }
}

/// The resource that a function belongs to.
fn resource(function: &Function) -> Option<TypeId> {
    match function.kind {
        FunctionKind::Freestanding | FunctionKind::AsyncFreestanding => None,
        FunctionKind::Method(id)
        | FunctionKind::AsyncMethod(id)
        | FunctionKind::Static(id)
        | FunctionKind::AsyncStatic(id)
        | FunctionKind::Constructor(id) => Some(id),
    }
}

/// Ends the union whose last case was written.
fn end_union(text: &mut String) {
    text.truncate(text.trim_end().len());
    text.push_str(";\n");
}

fn document(text: &mut String, indent: &str, docs: &Docs) {
    let Some(contents) = &docs.contents else { return };
    let contents = contents.trim().replace("*/", "* /");
    if contents.contains('\n') {
        writeln!(text, "{indent}/**").unwrap();
        for line in contents.lines() {
            writeln!(text, "{}", format!("{indent} * {line}").trim_end()).unwrap();
        }
        writeln!(text, "{indent} */").unwrap();
    } else {
        writeln!(text, "{indent}/** {contents} */").unwrap();
    }
}

/// `type-name` as `TypeName`.
fn upper(name: &str) -> String {
    let word = |word: &str| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_uppercase().chain(letters).collect::<String>())
    };
    name.split('-').filter_map(word).collect()
}

/// `type-name` as `typeName`.
fn lower(name: &str) -> String {
    let name = upper(name);
    let mut letters = name.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

/// A parameter's name, which in JavaScript must not be a keyword.
fn argument(name: &str) -> String {
    match lower(name).as_str() {
        word @ ("arguments" | "default" | "function" | "new" | "this" | "with") => {
            format!("{word}_")
        }
        word => word.into(),
    }
}
