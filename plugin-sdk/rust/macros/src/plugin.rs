//! `plugin!`.

use std::collections::HashSet;

use proc_macro2::TokenStream;
use quote::quote;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Error, Ident, LitStr, Path, Result, Token, bracketed};

/// What a plugin is made of.
pub struct Parts {
    nodes: Vec<Path>,
    functions: Vec<Function>,
}

/// A function behind function values, and what it is called.
struct Function {
    path: Path,
    name: LitStr,
}

impl Parse for Function {
    fn parse(input: ParseStream) -> Result<Self> {
        let path: Path = input.parse()?;
        let name = if input.parse::<Option<Token![as]>>()?.is_some() {
            input.parse()?
        } else {
            let last = path.segments.last().map(|segment| &segment.ident);
            let last = last.ok_or_else(|| Error::new_spanned(&path, "not a function's path"))?;
            LitStr::new(&last.to_string(), last.span())
        };
        Ok(Self { path, name })
    }
}

/// `[a, b]`
fn list<T: Parse>(input: ParseStream) -> Result<Vec<T>> {
    let content;
    bracketed!(content in input);
    Ok(Punctuated::<T, Token![,]>::parse_terminated(&content)?.into_iter().collect())
}

impl Parse for Parts {
    fn parse(input: ParseStream) -> Result<Self> {
        let (mut nodes, mut functions) = (None, None);
        while !input.is_empty() {
            let part: Ident = input.parse()?;
            input.parse::<Token![:]>()?;
            let again = if part == "nodes" {
                nodes.replace(list(input)?).is_some()
            } else if part == "functions" {
                functions.replace(list(input)?).is_some()
            } else {
                return Err(Error::new(part.span(), "a plugin has `nodes` and `functions`"));
            };
            if again {
                return Err(Error::new(part.span(), format!("`{part}` is given twice")));
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        let nodes = nodes.ok_or_else(|| input.error("`nodes: […]` is missing"))?;
        let functions: Vec<Function> = functions.unwrap_or_default();
        let mut known = HashSet::new();
        if let Some(again) = functions.iter().find(|function| !known.insert(function.name.value()))
        {
            let name = again.name.value();
            let message = format!("two functions are called `{name}`: write `path as \"name\"`");
            return Err(Error::new(again.name.span(), message));
        }
        Ok(Self { nodes, functions })
    }
}

/// The component: its tables, and its exports where there is a host to call them.
pub fn expand(parts: &Parts) -> TokenStream {
    let nodes = &parts.nodes;
    let names = parts.functions.iter().map(|function| &function.name);
    let bodies = parts.functions.iter().map(|function| &function.path);
    quote! {
        /// The nodes and functions of this plugin.
        #[derive(Clone, Copy, Debug)]
        pub struct Component;

        impl ::berth_sdk::plugin::Plugin for Component {
            const NODES: &'static [::berth_sdk::plugin::NodeEntry] =
                &[#(::berth_sdk::plugin::NodeEntry::of::<#nodes>()),*];

            const FUNCTIONS: &'static [::berth_sdk::plugin::FunctionEntry] =
                &[#(::berth_sdk::plugin::FunctionEntry { name: #names, body: #bodies }),*];
        }

        #[cfg(target_arch = "wasm32")]
        ::berth_sdk::bindings::export!(Component with_types_in ::berth_sdk::bindings);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(parts: &str) -> String {
        syn::parse_str::<Parts>(parts).err().unwrap().to_string()
    }

    #[test]
    fn a_function_is_called_by_its_last_segment_or_by_what_follows_as() {
        let parts: Parts =
            syn::parse_str(r#"nodes: [a::b], functions: [c::d, c::e as "c-e"],"#).unwrap();
        let names: Vec<_> = parts.functions.iter().map(|function| function.name.value()).collect();
        assert_eq!(names, ["d", "c-e"]);
    }

    #[test]
    fn wrong_parts_are_named() {
        assert_eq!(refusal("nodes: [], wires: []"), "a plugin has `nodes` and `functions`");
        assert_eq!(refusal("nodes: [], nodes: []"), "`nodes` is given twice");
        assert!(refusal("functions: []").contains("`nodes: […]` is missing"));
        let twice = refusal("nodes: [], functions: [a::encode, b::encode]");
        assert!(twice.starts_with("two functions are called `encode`"), "{twice}");
    }
}
